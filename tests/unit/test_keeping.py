"""What keeps an object from being deleted: what is made of it, and what is under it."""

from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core import keeping
from cleanrooms_operator.core.resource import FINALIZER, Key, Resource
from cleanrooms_operator.core.step import Lifecycle
from cleanrooms_operator.kinds import BY_NAME

ALGORITHM, ASSOCIATION = "ConfiguredModelAlgorithm", "ConfiguredModelAlgorithmAssociation"
CHANNEL, MODEL, JOB = "MLInputChannel", "TrainedModel", "InferenceJob"
REF = {"name": make.KEY.name}
AS_CHANNEL = {"dataChannels": [{"channelName": "x", "mlInputChannelRef": REF}]}
AS_ASSOCIATION = {"configuredModelAlgorithmAssociationRef": REF}


def user(kind: str, spec: dict[str, Any], state: str | None, **over: Any) -> Resource:
    """Return a resource that has an object in that state."""
    status = {"identifier": "id-9", "state": state}
    made = make.resource(
        key=Key(kind, "a", "user"), spec=spec, status=status, finalizers=(FINALIZER,)
    )
    return replace(made, **over)


def told(kind: str, *users: Resource) -> list[str]:
    """Return what keeps the object `one` of a kind."""
    found = make.present()
    about = make.situation(
        found,
        resource=make.bound(key=Key(kind, "a", make.KEY.name)),
        neighbours={one.key.kind: (one,) for one in users},
    )
    return [blocker.message for blocker in keeping.blockers(BY_NAME[kind], about, found)]


class TestWhatIsMadeOfIt:
    @pytest.mark.parametrize(
        ("kind", "by"),
        [
            pytest.param(ALGORITHM, user(ASSOCIATION, {"configuredModelAlgorithmRef": REF}, None)),
            pytest.param(
                ASSOCIATION,
                user(CHANNEL, {"configuredModelAlgorithmAssociationRefs": [REF]}, "ACTIVE"),
            ),
            pytest.param(ASSOCIATION, user(MODEL, AS_ASSOCIATION, "CREATE_IN_PROGRESS")),
            pytest.param(CHANNEL, user(MODEL, AS_CHANNEL, "CANCEL_PENDING")),
            pytest.param(
                CHANNEL, user(JOB, {"dataSource": {"mlInputChannelRef": REF}}, "CREATE_PENDING")
            ),
            pytest.param(MODEL, user(JOB, {"trainedModelRef": REF}, "CREATE_IN_PROGRESS")),
            pytest.param(MODEL, user(JOB, {"trainedModelArn": make.ARN}, "CREATE_PENDING")),
            pytest.param(
                MODEL,
                user(
                    JOB,
                    {"sharedTrainedModel": {"creatorAccountId": make.ACCOUNT, "name": "one"}},
                    "CREATE_PENDING",
                ),
            ),
            pytest.param(
                MODEL,
                user(
                    MODEL,
                    {"incrementalTrainingDataChannels": [{"trainedModelRef": REF}]},
                    "CREATE_PENDING",
                ),
            ),
            pytest.param(
                CHANNEL,
                user(MODEL, AS_CHANNEL, None, status={"attempt": {"id": "x"}}),
                id="it is perhaps being made",
            ),
        ],
    )
    def test_it_is_kept_by_what_needs_it_and_says_by_whom(self, kind: str, by: Resource) -> None:
        assert told(kind, by) == [f"{by.key} in namespace a still uses it"]

    @pytest.mark.parametrize(
        ("kind", "by"),
        [
            pytest.param(CHANNEL, user(MODEL, AS_CHANNEL, "ACTIVE"), id="it is made"),
            pytest.param(CHANNEL, user(MODEL, AS_CHANNEL, "CREATE_FAILED"), id="it is over"),
            pytest.param(CHANNEL, user(MODEL, AS_CHANNEL, None, status={}), id="it waits"),
            pytest.param(
                CHANNEL, user(MODEL, AS_CHANNEL, "CREATE_PENDING", finalizers=()), id="it is gone"
            ),
            pytest.param(
                CHANNEL,
                user(MODEL, AS_CHANNEL, "CREATE_PENDING", key=Key(MODEL, "b", "user")),
                id="it means another, of its own namespace",
            ),
            pytest.param(
                CHANNEL, user(MODEL, AS_ASSOCIATION, "CREATE_PENDING"), id="it names something else"
            ),
            pytest.param(
                MODEL,
                user(
                    JOB,
                    {"sharedTrainedModel": {"creatorAccountId": "333333333333", "name": "one"}},
                    "CREATE_PENDING",
                ),
                id="it means another account's",
            ),
        ],
    )
    def test_it_is_not_kept_otherwise(self, kind: str, by: Resource) -> None:
        assert told(kind, by) == []

    def test_nothing_keeps_itself(self) -> None:
        """R-1: a version of a model names the ARN that is its own, too."""
        found = make.present()
        spec = {"incrementalTrainingDataChannels": [{"trainedModelArn": make.ARN}]}
        itself = user(MODEL, spec, "CREATE_IN_PROGRESS")
        about = make.situation(found, resource=itself, neighbours={MODEL: (itself,)})
        assert keeping.blockers(BY_NAME[MODEL], about, found) == ()

    @pytest.mark.parametrize("lifecycle", [Lifecycle.CHANGING, Lifecycle.GONE])
    def test_what_is_going_already_is_kept_by_nobody(self, lifecycle: Lifecycle) -> None:
        found = replace(make.present(), lifecycle=lifecycle)
        by = user(JOB, {"trainedModelArn": make.ARN}, "CREATE_PENDING")
        about = make.situation(found, neighbours={JOB: (by,)})
        assert keeping.blockers(BY_NAME[MODEL], about, found) == ()

    def test_who_uses_a_kind_follows_from_what_specs_can_name(self) -> None:
        used = {name: [user.name for user in kind.users] for name, kind in BY_NAME.items()}
        assert used == {
            "Collaboration": [],
            "Membership": [],
            ALGORITHM: [ASSOCIATION],
            ASSOCIATION: [CHANNEL, MODEL, JOB],
            CHANNEL: [MODEL, JOB],
            MODEL: [MODEL, JOB],
            JOB: [],
        }


class TestWhatIsUnderIt:
    """R-38: a collaboration goes after what could not be deleted any more without it."""

    def told(self, *users: Resource) -> list[str]:
        membership = make.bound(
            key=Key("Membership", "a", "member"),
            status={"identifier": "m-1", "collaborationIdentifier": "id-1"},
        )
        found = make.present()
        about = make.situation(
            found,
            resource=make.bound(key=Key("Collaboration", "a", "ads")),
            neighbours={"Membership": (membership,), **{one.key.kind: (one,) for one in users}},
        )
        return [blocker.message for blocker in keeping.under_collaboration(about, found)]

    def under(self, kind: str, state: str | None, **over: Any) -> Resource:
        status = {"identifier": "x", "state": state, "membershipIdentifier": "m-1"}
        return replace(user(kind, {}, state), status=status, **over)

    @pytest.mark.parametrize("kind", keeping.UNDER_MEMBERSHIPS)
    def test_what_is_under_it_goes_first(self, kind: str) -> None:
        [message] = self.told(self.under(kind, "CREATE_PENDING"))
        assert f"{kind}/user in namespace a" in message
        assert message.endswith(": delete it too")

    def test_also_in_other_namespaces_where_it_is_going(self) -> None:
        elsewhere = Key(MODEL, "b", "user")
        assert self.told(self.under(MODEL, "ACTIVE", key=elsewhere, deleted=make.NOW))
        assert not self.told(self.under(MODEL, "ACTIVE", key=elsewhere))

    @pytest.mark.parametrize(
        "subject",
        [
            pytest.param({"finalizers": ()}, id="it has gone"),
            pytest.param({"spec": {"deletionPolicy": "Retain"}}, id="it is to stay"),
        ],
    )
    def test_what_need_not_be_deleted_holds_nothing(self, subject: dict[str, Any]) -> None:
        assert self.told(self.under(MODEL, "ACTIVE", **subject)) == []

    @pytest.mark.parametrize(
        ("kind", "state"), [(JOB, "ACTIVE"), (CHANNEL, "INACTIVE"), (MODEL, "CREATE_FAILED")]
    )
    def test_records_hold_nothing(self, kind: str, state: str) -> None:
        assert self.told(self.under(kind, state)) == []

    def test_what_is_under_another_holds_nothing(self) -> None:
        other = replace(self.under(MODEL, "ACTIVE"), status={"membershipIdentifier": "m-2"})
        assert self.told(other) == []
