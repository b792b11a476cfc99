"""Whom a change concerns."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cleanrooms_operator.core.resource import FINALIZER, GROUP, Key, Resource
from cleanrooms_operator.kube.waking import Waking

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CREATOR = "111111111111"


def a_resource(
    kind: str,
    name: str,
    *,
    namespace: str = "ns",
    spec: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
) -> Resource:
    return Resource(
        key=Key(kind, namespace, name),
        uid=f"{kind}/{namespace}/{name}",
        version="1",
        generation=1,
        created=NOW,
        spec=spec or {},
        status=status or {},
        finalizers=(FINALIZER,),
    )


def ready(resource: Resource, **status: Any) -> Resource:
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Succeeded",
        "observedGeneration": resource.generation,
    }
    return replace(resource, status={**resource.status, **status, "conditions": [condition]})


def deleting(resource: Resource) -> Resource:
    return replace(resource, deleted=NOW)


class Known:
    """Resources that the index was told of, with the help to change them."""

    def __init__(self, *resources: Resource) -> None:
        self.resources = {resource.key: resource for resource in resources}
        self.waking = Waking(lambda key: key in self.resources and self.resources[key].deleting)
        for resource in resources:
            self.waking.update(None, resource)

    def change(self, resource: Resource) -> set[str]:
        before = self.resources.get(resource.key)
        self.resources[resource.key] = resource
        return {str(key) for key in self.waking.update(before, resource)}

    def remove(self, resource: Resource) -> set[str]:
        return {str(key) for key in self.waking.update(self.resources.pop(resource.key), None)}


ACCOUNT = a_resource("AWSAccount", "default")
COLLABORATION = a_resource("Collaboration", "study")
REFERRING = a_resource("Membership", "ours", spec={"collaborationRef": {"name": "study"}})
INVITED = a_resource(
    "Membership",
    "theirs",
    namespace="partner",
    spec={"invitation": {"creatorAccountId": CREATOR, "name": "study"}},
)


def test_a_referent_that_becomes_ready_wakes_those_that_name_it() -> None:
    known = Known(COLLABORATION, REFERRING)
    assert known.change(ready(COLLABORATION, identifier="c-1")) == {"Membership/ours"}


def test_a_referent_that_appears_or_vanishes_wakes_those_that_name_it() -> None:
    known = Known(REFERRING)
    assert known.change(COLLABORATION) == {"Membership/ours"}
    assert known.remove(COLLABORATION) == {"Membership/ours"}


def test_a_reference_to_another_namespace_is_none() -> None:
    elsewhere = replace(REFERRING, key=Key("Membership", "other", "ours"))
    assert Known(COLLABORATION, elsewhere).change(ready(COLLABORATION, identifier="c-1")) == set()


def test_a_changed_reference_is_followed() -> None:
    known = Known(COLLABORATION, REFERRING)
    known.change(replace(REFERRING, spec={"collaborationRef": {"name": "another"}}))
    assert known.change(ready(COLLABORATION, identifier="c-1")) == set()
    assert known.change(a_resource("Collaboration", "another")) == {"Membership/ours"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({}, {"Collaboration/study"}, id="by default"),
        pytest.param({"accountRef": {"name": "default"}}, {"Collaboration/study"}, id="by name"),
        pytest.param({"accountRef": {"name": "another"}}, set(), id="another"),
    ],
)
def test_an_account_wakes_those_that_use_it(spec: dict[str, Any], expected: set[str]) -> None:
    user = a_resource("Collaboration", "study", spec=spec)
    assert Known(ACCOUNT, user).change(ready(ACCOUNT)) == expected


def test_a_collaboration_wakes_those_it_invited_in_any_namespace() -> None:
    known = Known(COLLABORATION, INVITED)
    told = {"identifier": "c-1", "accountID": CREATOR}
    assert known.change(ready(COLLABORATION, **told)) == {"Membership/theirs"}


def test_an_invitation_of_another_account_or_name_is_not_meant() -> None:
    known = Known(COLLABORATION, INVITED)
    assert known.change(ready(COLLABORATION, identifier="c-1", accountID="9" * 12)) == set()
    named = replace(COLLABORATION, spec={"name": "another"})
    assert known.change(ready(named, identifier="c-1", accountID=CREATOR)) == set()


def test_who_has_joined_waits_for_no_invitation_any_more() -> None:
    joined = ready(INVITED, identifier="m-1")
    known = Known(COLLABORATION, joined)
    assert known.change(ready(COLLABORATION, identifier="c-1", accountID=CREATOR)) == set()


def test_a_collaboration_that_goes_wakes_its_memberships_and_they_wake_it() -> None:
    collaboration = ready(COLLABORATION, identifier="c-1")
    membership = ready(INVITED, identifier="m-1", collaborationIdentifier="c-1")
    known = Known(collaboration, membership)
    assert known.change(deleting(collaboration)) == {"Membership/theirs"}
    assert known.change(deleting(membership)) == {"Collaboration/study"}
    assert known.remove(membership) == {"Collaboration/study"}
    assert known.remove(collaboration) == set()


def test_a_status_that_says_nothing_to_others_wakes_nobody() -> None:
    collaboration = ready(COLLABORATION, identifier="c-1")
    known = Known(collaboration, REFERRING)
    same = replace(collaboration, status={**collaboration.status, "membersJoined": "1/2"})
    assert known.change(replace(same, version="2")) == set()


def test_a_new_generation_or_annotation_wakes_those_that_depend_on_it() -> None:
    known = Known(COLLABORATION, REFERRING)
    assert known.change(replace(COLLABORATION, generation=2)) == {"Membership/ours"}
    annotated = replace(COLLABORATION, generation=2, annotations={f"{GROUP}/paused": "true"})
    assert known.change(annotated) == {"Membership/ours"}


def test_what_is_kept_while_used_is_woken_by_its_last_user_if_it_is_to_go() -> None:
    known = Known(ACCOUNT, COLLABORATION)
    assert known.change(replace(COLLABORATION, finalizers=())) == set()
    known.change(COLLABORATION)
    known.change(deleting(ACCOUNT))
    assert known.change(replace(COLLABORATION, finalizers=())) == {"AWSAccount/default"}
    assert known.remove(COLLABORATION) == {"AWSAccount/default"}


def test_what_is_under_a_membership_wakes_it_and_its_collaboration_when_it_goes() -> None:
    """R-38: also where it names the membership by its identifier, from another namespace."""
    above = ready(a_resource("Collaboration", "ads"), identifier="c-1")
    status = {"identifier": "m-1", "collaborationIdentifier": "c-1"}
    membership = ready(a_resource("Membership", "member", namespace="b"), **status)
    model = a_resource("TrainedModel", "churn", status={"membershipIdentifier": "m-1"})
    known = Known(deleting(above), deleting(membership), model)
    assert known.change(replace(model, finalizers=())) == {
        "Collaboration/ads",
        "Membership/member",
    }


def test_what_is_not_going_is_not_woken_by_what_is_under_it() -> None:
    membership = ready(a_resource("Membership", "member"), identifier="m-1")
    model = a_resource("TrainedModel", "churn", status={"membershipIdentifier": "m-1"})
    known = Known(membership, model)
    assert known.change(replace(model, finalizers=())) == set()


def test_what_others_publish_wakes_those_that_look_for_it() -> None:
    shared = {"creatorAccountId": CREATOR, "name": "churn"}
    spec = {"dataChannels": [{"channelName": "x", "sharedMLInputChannel": shared}]}
    model = a_resource("TrainedModel", "one", namespace="b", spec=spec)
    channel = a_resource("MLInputChannel", "churn", status={"accountID": CREATOR})
    known = Known(model, channel)
    assert known.change(ready(channel, identifier="x")) == {"TrainedModel/one"}


def test_nothing_stays_in_the_index_of_what_is_gone() -> None:
    joined = a_resource("Membership", "joined", status={"collaborationIdentifier": "c-1"})
    known = Known(ACCOUNT, COLLABORATION, REFERRING, INVITED, joined)
    for resource in tuple(known.resources.values()):
        known.remove(resource)
    assert not known.waking._collaborations
    assert not known.waking._interested


def test_a_slot_that_frees_wakes_those_that_queue_for_one() -> None:
    """R-22: a run that ends, or that is given up before its start, concerns its own kind."""
    place = {"accountID": CREATOR, "region": "us-east-1", "membershipIdentifier": "m-1"}
    condition = {"type": "Ready", "status": "False", "reason": "QueuedForQuota"}
    queued = a_resource(
        "TrainedModel", "second", status={"conditions": [{**condition, "observedGeneration": 1}]}
    )
    running = a_resource(
        "TrainedModel", "first", status={**place, "identifier": "x", "state": "CREATE_PENDING"}
    )
    known = Known(queued, running, a_resource("InferenceJob", "job"))
    under_way = replace(running, status={**running.status, "state": "CREATE_IN_PROGRESS"})
    assert known.change(under_way) == set()
    assert known.remove(a_resource("InferenceJob", "job")) == set()
    over = replace(running, status={**running.status, "state": "ACTIVE"})
    assert known.change(over) == {"TrainedModel/second"}


@pytest.mark.parametrize("condition", ["PayerReady", "ReferencesResolved"])
@pytest.mark.parametrize(
    ("payer", "wakes"),
    [
        pytest.param("Membership", True, id="a member that joins"),
        pytest.param("Collaboration", True, id="a collaboration that names another payer"),
    ],
)
@pytest.mark.parametrize("where", ["c-1", "c-2"])
def test_a_run_without_payer_or_receiver_is_woken_by_those_who_may_be(
    payer: str, condition: str, *, wakes: bool, where: str
) -> None:
    told = {"type": condition, "status": "False", "observedGeneration": 1}
    status = {"collaborationIdentifier": where, "conditions": [told]}
    held = a_resource("TrainedModel", "churn", spec={"membershipRef": {"name": "x"}}, status=status)
    known = Known(held, a_resource(payer, "theirs"))
    named = {"identifier": "c-1", "collaborationIdentifier": "c-1"}
    woken = known.change(ready(a_resource(payer, "theirs"), **named))
    assert (str(held.key) in woken) is (wakes and where == "c-1")
