"""One pass at a time: what is asked of AWS and Kubernetes, in which order, and what is told."""

from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core.failure import Failure
from cleanrooms_operator.core.pace import Pace, Urgency, next_turn
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.core.specs import NamedSpec
from cleanrooms_operator.core.step import Blocker, Lifecycle
from cleanrooms_operator.runtime.outcome import GONE
from passes import Operator

PACE = Pace()
OBSERVE_ONLY = {"color": "red", "managementPolicy": "ObserveOnly"}
PARENT = Key("Parent", "a", "p")
WITH_PARENT = {"color": "red", "parentRef": {"name": "p"}}
UNKNOWN = make.error(Failure.UNAVAILABLE, "ReadTimeoutError")
BUSY = make.error(Failure.THROTTLED, harmless=True)
INVALID = make.error(Failure.REFUSED, "ValidationException", harmless=True, message="bad color")
DENIED = make.error(Failure.DENIED, "AccessDeniedException", harmless=True)


class TestWhoIsLookedAt:
    async def test_what_does_not_exist_any_more_is_forgotten(self) -> None:
        operator = Operator(make.bound())
        await operator.look()
        del operator.desk.cluster.resources[operator.key]
        assert await operator.look() is GONE
        assert operator.memories.recalls == {}

    async def test_what_goes_and_is_not_held_goes_without_us(self) -> None:
        operator = Operator(make.bound(finalizers=(), deleted=make.NOW))
        assert await operator.look() is GONE
        assert operator.aws.calls == []

    async def test_the_finalizer_comes_before_anything_else(self) -> None:
        operator = Operator(make.resource(finalizers=()))
        await operator.look()
        assert operator.changes[0] == "hold"

    async def test_what_is_only_observed_is_not_held(self) -> None:
        """R-35: ObserveOnly holds no finalizer; switching to it removes it."""
        operator = Operator(make.bound(spec=OBSERVE_ONLY, finalizers=()))
        await operator.look()
        assert not operator.resource.held
        held = Operator(make.bound(spec=OBSERVE_ONLY))
        await held.look()
        assert not held.resource.held

    async def test_what_is_only_observed_is_held_until_its_attempt_is_resolved(self) -> None:
        attempt = {"id": "attempt-1", "parametersHash": "x", "name": "one"}
        operator = Operator(make.resource(spec=OBSERVE_ONLY, status={"attempt": attempt}))
        await operator.look()
        assert operator.resource.held


class TestPauses:
    async def test_a_pause_is_told_once_and_nothing_else_happens(self) -> None:
        paused = make.annotations(paused="true")
        operator = Operator(make.resource(finalizers=(), annotations=paused))
        outcome = await operator.look()
        assert (outcome.step, outcome.again, outcome.urgency) == ("Pause", None, Urgency.CHANGE)
        assert operator.resource.is_true("Paused")
        assert operator.aws.calls == []
        await operator.look()
        assert operator.changes == []

    async def test_a_pause_until_a_time_is_looked_at_then(self) -> None:
        until = make.annotations(paused_until=make.text(make.after(90)))
        operator = Operator(make.bound(annotations=until))
        outcome = await operator.look()
        assert outcome.again == 90
        assert outcome.urgency is Urgency.DRIFT
        operator.wait(90)
        assert (await operator.look()).step == "InSync"
        assert operator.resource.condition("Paused") is None

    async def test_an_open_attempt_is_resolved_all_the_same(self) -> None:
        attempt = {"id": "attempt-1", "parametersHash": "x", "name": "one"}
        operator = Operator(
            make.resource(annotations=make.annotations(paused="true"), status={"attempt": attempt})
        )
        await operator.look()
        assert operator.aws.sightings
        operator.wait(PACE.settle + 1)
        await operator.look()
        assert "attempt" not in operator.status
        assert "CreateThing" not in operator.aws.operations


class TestWithoutIdentity:
    NOBODY = (make.resource(key=Key("Else", "a", "x")),)

    async def test_what_is_new_waits_and_says_so(self) -> None:
        operator = Operator(make.resource(), *self.NOBODY)
        outcome = await operator.look()
        assert (outcome.step, operator.ready()) == ("Wait", ("False", "DependencyNotReady"))

    async def test_what_was_ready_stays_so(self) -> None:
        """An account that is edited is proved again within seconds."""
        operator = Operator(make.bound(), *self.NOBODY)
        await operator.look()
        assert operator.changes == []

    async def test_another_account_is_told_even_of_what_was_ready(self) -> None:
        operator = Operator(make.bound(status={"region": "eu-west-1"}))
        outcome = await operator.look()
        assert operator.ready() == ("False", "AccountChanged")
        assert operator.told(outcome) == [("Warning", "AccountChanged")]
        assert operator.aws.calls == []

    async def test_what_outlived_its_membership_goes(self) -> None:
        spec = {"membershipRef": {"name": "m"}}
        operator = Operator(make.resource(deleted=make.NOW, spec=spec))
        outcome = await operator.look()
        assert (outcome.step, outcome.again) == ("Release", None)
        assert operator.changes == ["release"]

    @pytest.mark.parametrize(
        ("over", "reason"),
        [
            pytest.param({"annotations": make.annotations(abandon="true")}, "Abandoned", id="told"),
            pytest.param({"spec": {"deletionPolicy": "Retain"}}, "Retained", id="to stay anyway"),
        ],
    )
    async def test_a_broken_identity_does_not_hold_what_need_not_be_deleted(
        self, over: dict[str, Any], reason: str
    ) -> None:
        operator = Operator(make.bound(deleted=make.NOW, **over), *self.NOBODY)
        outcome = await operator.look()
        assert operator.changes == ["release"]
        assert [event.reason for event in outcome.events] == [reason]
        assert make.ARN in outcome.events[0].message

    async def test_what_must_be_deleted_is_held(self) -> None:
        operator = Operator(make.bound(deleted=make.NOW), *self.NOBODY)
        assert (await operator.look()).step == "Wait"
        assert operator.resource.held


class TestReferences:
    async def test_what_is_there_is_found_without_what_it_was_made_from(self) -> None:
        """After a restore: what was used may have expired, or be gone."""
        operator = Operator(make.resource(spec=WITH_PARENT))
        operator.aws.lists["ListThings"] = [make.thing(name="one")]
        assert (await operator.look()).step == "Bind"
        assert (await operator.look()).step == "InSync"
        assert operator.resource.is_true("ReferencesResolved")

    async def test_what_is_there_is_deleted_without_it_too(self) -> None:
        operator = Operator(make.resource(spec=WITH_PARENT, deleted=make.NOW))
        operator.aws.lists["ListThings"] = [make.thing(name="one")]
        assert (await operator.look()).step == "Bind"

    async def test_what_nobody_can_look_for_goes(self) -> None:
        """What it would live under is not known: nothing is recorded of it."""
        listing = replace(make.THING.listing, scope=("parentIdentifier",))
        subject = make.resource(spec=WITH_PARENT, deleted=make.NOW)
        operator = Operator(subject, kind=make.kind(listing=listing))
        assert (await operator.look()).step == "Release"
        assert operator.aws.sightings == []

    async def test_what_somebody_may_yet_tell_the_whereabouts_of_is_held(self) -> None:
        listing = replace(make.THING.listing, scope=("parentIdentifier",))
        subject = make.resource(spec=WITH_PARENT, deleted=make.NOW)
        operator = Operator(subject, make.resource(key=PARENT), kind=make.kind(listing=listing))
        assert (await operator.look()).step == "Wait"
        assert operator.ready() == ("False", "DeletionBlocked")
        assert operator.resource.held

    async def test_what_cannot_be_looked_for_yet_waits(self) -> None:
        listing = replace(make.THING.listing, scope=("parentIdentifier",))
        operator = Operator(make.resource(spec=WITH_PARENT), kind=make.kind(listing=listing))
        assert (await operator.look()).step == "Wait"
        assert operator.ready() == ("False", "DependencyNotReady")
        assert operator.aws.sightings == []

    async def test_a_run_that_is_called_off_while_it_waits_never_starts(self) -> None:
        """R-36."""
        listing = replace(make.THING.listing, scope=("parentIdentifier",))
        run = make.kind(listing=listing, lifecycle={"OVER": Lifecycle.GONE})
        subject = make.resource(spec=WITH_PARENT, annotations=make.annotations(cancel="true"))
        operator = Operator(subject, kind=run)
        await operator.look()
        assert operator.ready() == ("False", "Cancelled")
        assert operator.aws.calls == []

    async def test_what_is_missing_is_told(self) -> None:
        operator = Operator(make.resource(spec=WITH_PARENT))
        outcome = await operator.look()
        assert outcome.step == "Wait"
        assert operator.ready() == ("False", "DependencyNotReady")
        resolved = operator.resource.condition("ReferencesResolved") or {}
        assert (resolved["status"], resolved["reason"]) == ("False", "DependencyNotReady")
        assert "Parent/p" in resolved["message"]

    async def test_a_kind_that_names_nothing_says_nothing_of_it(self) -> None:
        definition = replace(make.THING.definition, spec=NamedSpec)
        operator = Operator(make.bound(), kind=make.kind(definition=definition))
        await operator.look()
        assert operator.ready() == ("True", "Succeeded")
        assert operator.resource.condition("ReferencesResolved") is None

    async def test_what_is_there_is_told_and_used(self) -> None:
        operator = Operator(make.resource(spec=WITH_PARENT), make.account(), make.bound(key=PARENT))
        await operator.look()
        [sent] = operator.aws.sent("CreateThing")
        assert sent["parentIdentifier"] == "id-1"
        assert operator.status["parentIdentifier"] == "id-1", "the referent may go first"
        await operator.look()
        assert operator.resource.is_true("ReferencesResolved")

    async def test_what_exists_goes_on_without_what_it_was_made_under(self) -> None:
        operator = Operator(make.bound(spec=WITH_PARENT))
        assert (await operator.look()).step == "InSync"

    async def test_what_never_had_it_goes_without_it(self) -> None:
        operator = Operator(make.resource(spec=WITH_PARENT, deleted=make.NOW))
        assert (await operator.look()).step == "Release"
        assert not operator.resource.held


class TestErrors:
    async def test_what_says_nothing_of_a_settled_resource_changes_nothing(self) -> None:
        operator = Operator(make.bound())
        operator.aws.lists["ListThings"] = UNKNOWN
        await operator.fail()
        assert operator.changes == []
        assert operator.ready() == ("True", "Succeeded")

    async def test_it_is_told_of_one_that_is_under_way(self) -> None:
        operator = Operator(make.bound(generation=make.GENERATION + 1))
        operator.aws.answers["GetThing"] = UNKNOWN
        await operator.fail()
        assert operator.ready() == ("False", "ProgressingWithRetry")

    async def test_a_look_that_is_denied_stalls_in_time(self) -> None:
        operator = Operator(make.bound(generation=make.GENERATION + 1))
        operator.aws.answers["GetThing"] = make.error(Failure.DENIED)
        steps = []
        for _ in range(4):
            steps.append((await operator.look()).step)
            operator.wait(PACE.denied_grace / 2)
        assert steps == ["Wait", "Wait", "Wait", "Stall"]

    async def test_an_abandoned_resource_goes_whatever_aws_answers(self) -> None:
        abandoned = make.annotations(abandon="true")
        operator = Operator(make.bound(deleted=make.NOW, annotations=abandoned))
        operator.aws.answers["GetThing"] = make.error(Failure.REFUSED)
        outcome = await operator.look()
        assert operator.changes == ["release"]
        assert operator.told(outcome) == [("Warning", "Abandoned")]


class TestMissing:
    async def test_what_vanished_is_made_anew_only_where_the_spec_says_so(self) -> None:
        """R-12."""
        operator = Operator(make.bound(spec={"color": "red", "onMissing": "Recreate"}))
        operator.aws.answers["GetThing"] = make.error(Failure.NOT_FOUND)
        assert (await operator.look()).step == "Wait"
        operator.wait(PACE.settle)
        assert (await operator.look()).step == "Forget"
        for name in ("identifier", "arn", "state", "accountID"):
            assert name not in operator.status
        assert (await operator.look()).step == "Create"

    async def test_by_default_it_is_told(self) -> None:
        operator = Operator(make.bound())
        operator.aws.answers["GetThing"] = make.error(Failure.NOT_FOUND)
        await operator.look()
        operator.wait(PACE.settle)
        assert (await operator.look()).step == "Stall"
        assert operator.ready() == ("False", "Missing")


class TestWhenToLookAgain:
    @pytest.mark.parametrize(
        ("resource", "state", "again", "urgency"),
        [
            pytest.param(make.bound(), "LIVE", PACE.list_interval, Urgency.DRIFT, id="all is well"),
            pytest.param(
                make.bound(status={"state": "MAKING"}),
                "MAKING",
                PACE.progress_interval,
                Urgency.PROGRESS,
                id="AWS is at it",
            ),
            pytest.param(
                make.bound(status={"state": "BROKEN"}),
                "BROKEN",
                PACE.list_interval,
                Urgency.DRIFT,
                id="a person is needed",
            ),
            pytest.param(
                make.bound(generation=make.GENERATION + 1),
                "LIVE",
                PACE.list_interval,
                Urgency.CHANGE,
                id="a person has changed it",
            ),
        ],
    )
    async def test_by_what_was_seen(
        self, resource: Resource, state: str, again: float, urgency: Urgency
    ) -> None:
        operator = Operator(resource)
        operator.aws.answers["GetThing"] = lambda _: {"thing": make.thing(status=state)}
        outcome = await operator.look()
        assert outcome.again == pytest.approx(again, rel=0.01)
        assert outcome.urgency is urgency

    async def test_details_are_read_when_they_are_due(self) -> None:
        """R-21: once an hour."""
        operator = Operator(make.bound())
        operator.aws.lists["ListThings"] = [make.thing()]
        operator.wait(1)
        await operator.look()
        [memory] = operator.memories.recalls.values()
        turn = next_turn(memory.uid, memory.taken, PACE.detail_interval)
        due = turn - operator.desk.clock.elapsed()
        operator.wait(due - 5)
        assert (await operator.look()).again == pytest.approx(5)
        assert operator.aws.operations == []
        operator.wait(5)
        await operator.look()
        assert operator.aws.operations == ["GetThing", "ListTagsForResource"]

    async def test_waiting_for_others_is_patient(self) -> None:
        operator = Operator(make.resource(spec=WITH_PARENT))
        waits = [(await operator.look()).again or 0 for _ in range(12)]
        assert waits == sorted(waits)
        assert waits[-1] == PACE.list_interval

    async def test_blockers_are_told_once(self) -> None:
        kind = make.kind(blockers=lambda *_: (Blocker("not yet"),))
        operator = Operator(make.bound(deleted=make.NOW), kind=kind)
        outcomes = [await operator.look() for _ in range(2)]
        assert [operator.told(outcome) for outcome in outcomes] == [
            [("Warning", "DeletionBlocked")],
            [],
        ]
