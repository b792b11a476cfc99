"""A pass over an AWSAccount: who may use which identity, and whether it answers."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import make
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.pace import Pace, Urgency
from cleanrooms_operator.core.resource import Annotation, Key, Resource
from cleanrooms_operator.runtime.accounts import forbidden, reconcile_account
from cleanrooms_operator.runtime.identify import identify, identity_of
from cleanrooms_operator.runtime.memory import Memories
from cleanrooms_operator.runtime.outcome import GONE, Outcome
from cleanrooms_operator.runtime.ports import Policy, Via
from scripted import Desk, desk

KEY = Key("AWSAccount", "a", "default")
ARN = f"arn:aws:sts::{make.ACCOUNT}:assumed-role/operator/session"
OURS = {"Account": make.ACCOUNT, "Arn": ARN}
ROLE = f"arn:aws:iam::{make.ACCOUNT}:role/clean-rooms"
HUB = f"arn:aws:iam::{make.OTHER_ACCOUNT}:role/hub"
PACE = Pace()


def account(spec: dict[str, Any] | None = None, **over: Any) -> Resource:
    """Return an AWSAccount that nobody has looked at."""
    made = make.account(status={"observedGeneration": -1}, **over)
    return replace(made, spec={**made.spec, **(spec or {})})


async def look(at: Desk, memories: Memories | None = None) -> Outcome:
    return await reconcile_account(KEY, ("Thing",), at.ports, memories or Memories())


def asked(answer: Any, *resources: Resource, **policy: Any) -> Desk:
    """Return a desk at which STS gives that answer."""
    at = desk(*resources or (account(),), **policy)
    at.aws.answers["GetCallerIdentity"] = answer
    return at


def condition(at: Desk, type_: str) -> tuple[str, str] | None:
    found = at.cluster.resources[KEY].condition(type_)
    return found and (found["status"], found["reason"])


class TestProofs:
    async def test_an_identity_that_answers_for_its_account_works(self) -> None:
        at = asked(OURS)
        outcome = await look(at)
        assert (outcome.step, outcome.again) == ("Works", PACE.detail_interval)
        assert outcome.urgency is Urgency.DRIFT
        assert condition(at, "Ready") == ("True", "Succeeded")
        assert at.written["accountID"] == make.ACCOUNT
        assert at.written["arn"] == ARN

    async def test_it_says_nothing_twice(self) -> None:
        at, memories = asked(OURS), Memories()
        await look(at, memories)
        written = len(at.cluster.changes)
        await look(at, memories)
        assert len(at.cluster.changes) == written

    async def test_credentials_of_another_account_are_never_used(self) -> None:
        at = asked({"Account": make.OTHER_ACCOUNT, "Arn": ARN})
        await look(at)
        assert condition(at, "Stalled") == ("True", "AccessDenied")
        assert "accountID" not in at.written

    async def test_a_denial_is_waited_out_and_then_stalls(self) -> None:
        at, memories = asked(make.error(Failure.DENIED)), Memories()
        first = await look(at, memories)
        assert condition(at, "Reconciling") == ("True", "AccessDenied")
        at.clock.seconds = PACE.denied_grace
        second = await look(at, memories)
        assert (first.step, second.step) == ("Wait", "Wait")
        assert (second.again or 0) > (first.again or 0), "it is asked less and less often"
        at.clock.seconds = PACE.denied_grace + 1
        assert (await look(at, memories)).step == "Stall"
        assert at.written["lastAWSError"]["code"] == "DeniedException"

    async def test_a_denial_that_is_over_is_forgotten(self) -> None:
        denied = make.error(Failure.DENIED)
        at, memories = asked([denied, OURS, denied]), Memories()
        await look(at, memories)
        at.clock.seconds = PACE.denied_grace + 1
        assert (await look(at, memories)).step == "Works"
        assert (await look(at, memories)).step == "Wait"

    @pytest.mark.parametrize("failure", [Failure.THROTTLED, Failure.UNAVAILABLE])
    async def test_what_says_nothing_of_the_identity_changes_nothing(
        self, failure: Failure
    ) -> None:
        at = asked(make.error(failure))
        with pytest.raises(ServiceError):
            await look(at)
        assert at.cluster.changes == []

    async def test_what_is_not_allowed_is_not_tried(self) -> None:
        at = desk(account(), own_identity_namespaces=())
        assert (await look(at)).step == "Stall"
        assert condition(at, "Stalled") == ("True", "NotAllowed")
        assert at.aws.calls == []


class TestAnnotations:
    """Those that mean something where there is no object in AWS."""

    async def test_r_39_while_paused_it_is_not_asked_about(self) -> None:
        at = asked(OURS, account(finalizers=(), annotations={Annotation.PAUSED: "true"}))
        outcome = await look(at)
        assert (outcome.step, outcome.again) == ("Pause", None)
        assert condition(at, "Paused") == ("True", "Suspended")
        assert at.aws.calls == []
        assert "hold" not in at.cluster.changes

    async def test_r_39_what_worked_before_a_pause_goes_on_working_for_its_users(self) -> None:
        at = desk(make.account(annotations={Annotation.PAUSED: "true"}))
        await look(at)
        assert condition(at, "Ready") == ("True", "Succeeded")
        assert await identify(make.resource(), at.ports, is_new=False) == identity_of(
            account(), policy()
        )

    async def test_r_39_a_pause_ends_by_itself(self) -> None:
        until = (make.NOW + timedelta(seconds=60)).isoformat()
        at, memories = (
            asked(OURS, account(annotations={Annotation.PAUSED_UNTIL: until})),
            Memories(),
        )
        assert (await look(at, memories)).again == pytest.approx(60)
        at.clock.seconds = 61
        assert (await look(at, memories)).step == "Works"
        assert condition(at, "Paused") is None
        assert condition(at, "Ready") == ("True", "Succeeded")

    async def test_a_pause_does_not_hold_up_its_deletion(self) -> None:
        going = account(annotations={Annotation.PAUSED: "true"}, deleted=make.NOW)
        assert (await look(desk(going))).step == "Release"

    async def test_a_request_for_a_look_is_answered(self) -> None:
        at = asked(OURS, account(annotations={Annotation.RECONCILE_REQUESTED_AT: "now"}))
        await look(at)
        assert at.written["lastHandledReconcileAt"] == "now"


class TestDeletions:
    async def test_one_that_does_not_exist_is_forgotten(self) -> None:
        at, memories = asked(OURS), Memories()
        await look(at, memories)
        del at.cluster.resources[KEY]
        assert await look(at, memories) is GONE
        assert memories.recalls == {}

    async def test_one_that_we_do_not_hold_goes_by_itself(self) -> None:
        at = desk(account(finalizers=(), deleted=make.NOW))
        assert await look(at) is GONE

    async def test_the_finalizer_comes_before_the_proof(self) -> None:
        at = asked(OURS, account(finalizers=()))
        await look(at)
        assert at.cluster.changes[0] == "hold"

    async def test_it_stays_while_a_resource_uses_it(self) -> None:
        used = [
            make.resource(),
            make.resource(key=Key("Thing", "a", "two"), spec={"accountRef": {"name": "default"}}),
        ]
        at = desk(replace(make.account(), deleted=make.NOW), *used)
        outcome = await look(at)
        assert condition(at, "Reconciling") == ("True", "DeletionBlocked")
        assert "Thing/one, Thing/two" in at.written["conditions"][0]["message"]
        assert outcome.again == pytest.approx(PACE.progress_interval * 1.5)

    async def test_one_that_was_never_proved_is_proved_for_what_it_has_to_clean_up(self) -> None:
        at = asked(OURS, account(deleted=make.NOW), make.resource())
        await look(at)
        assert condition(at, "Reconciling") == ("True", "DeletionBlocked")
        assert at.written["accountID"] == make.ACCOUNT

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(make.resource(finalizers=()), id="one that never began to use it"),
            pytest.param(
                make.resource(spec={"accountRef": {"name": "other"}}), id="one that uses another"
            ),
            pytest.param(make.resource(key=Key("Thing", "b", "one")), id="another namespace's"),
            pytest.param(make.resource(key=Key("Else", "a", "one")), id="another kind's"),
        ],
    )
    async def test_it_goes_when_nobody_uses_it(self, other: Resource) -> None:
        at = desk(account(deleted=make.NOW), other)
        outcome = await look(at)
        assert (outcome.step, at.cluster.changes) == ("Release", ["release"])
        assert outcome.again is None


def policy(**over: Any) -> Policy:
    return replace(desk().ports.policy, **over)


class TestRights:
    """A tenant must not act as the operator, nor as another tenant's role, nor send anywhere."""

    @pytest.mark.parametrize(
        ("namespaces", "allowed"),
        [((), False), (("a",), True), (("b", "?"), True), (("team-*",), False), (("*",), True)],
    )
    def test_the_operators_own_identity_is_for_listed_namespaces(
        self, namespaces: tuple[str, ...], *, allowed: bool
    ) -> None:
        problem = forbidden(account(), policy(own_identity_namespaces=namespaces))
        assert (problem is None) is allowed
        assert problem is None or "own_identity_namespaces" in problem

    @pytest.mark.parametrize(
        ("patterns", "allowed"),
        [
            pytest.param({}, False, id="nobody may assume anything by default"),
            pytest.param({"a": (ROLE,)}, True, id="this very role"),
            pytest.param({"*": ("arn:aws:iam::*:role/clean-*",)}, True, id="by patterns"),
            pytest.param({"b": (ROLE,)}, False, id="another namespace's role"),
            pytest.param({"a": (ROLE + "s",)}, False, id="another role"),
            pytest.param({"A": (ROLE,)}, False, id="case counts"),
            pytest.param(
                {"b": ("*",), "a": ("other", ROLE)}, True, id="any pattern of the namespace"
            ),
        ],
    )
    def test_roles_are_for_the_namespaces_that_they_are_listed_for(
        self, patterns: dict[str, tuple[str, ...]], *, allowed: bool
    ) -> None:
        problem = forbidden(account({"roleARN": ROLE}), policy(role_patterns=patterns))
        assert (problem is None) is allowed
        assert problem is None or ROLE in problem

    def test_each_role_on_the_way_has_to_be_allowed(self) -> None:
        spec = {"roleARN": ROLE, "intermediateRoles": [{"roleARN": HUB}]}
        problem = forbidden(account(spec), policy(role_patterns={"a": (ROLE,)}))
        assert problem is not None
        assert HUB in problem
        assert ROLE not in problem
        assert forbidden(account(spec), policy(role_patterns={"a": (ROLE, HUB)})) is None

    @pytest.mark.parametrize(
        ("profiles", "problem"),
        [(frozenset({"test"}), None), (frozenset({"prod"}), "prod"), (frozenset(), "none")],
    )
    def test_requests_go_only_where_the_settings_say(
        self, profiles: frozenset[str], problem: str | None
    ) -> None:
        told = forbidden(account({"endpointProfile": "test"}), policy(endpoint_profiles=profiles))
        assert told is None if problem is None else problem in (told or "")

    def test_a_role_is_no_way_around_the_endpoints(self) -> None:
        spec = {"endpointProfile": "test", "roleARN": ROLE}
        assert forbidden(account(spec), policy(role_patterns={"*": ("*",)})) is not None


class TestIdentities:
    def test_a_role_is_assumed_with_an_external_id_of_the_cluster_and_namespace(self) -> None:
        identity = identity_of(account({"roleARN": ROLE}), policy())
        assert (identity.role_arn, identity.external_id) == (ROLE, "cluster-1/a")
        assert (identity.account, identity.region) == (make.ACCOUNT, make.REGION)

    def test_another_external_id_may_be_agreed_on(self) -> None:
        spec = {"roleARN": ROLE, "externalID": "agreed", "endpointProfile": "test"}
        identity = identity_of(account(spec), policy())
        assert (identity.external_id, identity.endpoint_profile) == ("agreed", "test")

    def test_the_way_to_a_role_has_the_same_external_id_unless_another_is_agreed_on(self) -> None:
        way = [{"roleARN": HUB}, {"roleARN": HUB + "-2", "externalID": "agreed"}]
        identity = identity_of(account({"roleARN": ROLE, "intermediateRoles": way}), policy())
        assert identity.via == (Via(HUB, "cluster-1/a"), Via(HUB + "-2", "agreed"))

    def test_the_operators_own_identity_needs_none(self) -> None:
        identity = identity_of(account(), policy())
        assert (identity.role_arn, identity.external_id) == (None, None)
