"""What a pass tells, and that it tells nothing twice."""

from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core.failure import Failure
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Resource
from cleanrooms_operator.core.step import (
    Apply,
    Change,
    Drift,
    Fact,
    InSync,
    Mark,
    Pause,
    Present,
    Stall,
    Step,
    Wait,
)
from cleanrooms_operator.runtime.outcome import Event
from cleanrooms_operator.runtime.report import Reporter
from scripted import Desk, desk

A_UUID, ANOTHER = "0d3c5c9e-1111-4222-8333-444455556666", "ffffffff-1111-4222-8333-444455556666"
CHANGE = Change("cleanrooms", "UpdateThing", {})
SOON, STUCK = (
    Wait(Reason.PROGRESSING, "Under way"),
    Stall(Reason.INVALID_SPEC, f"No bucket for {A_UUID}"),
)


def reporter(resource: Resource | None = None) -> tuple[Reporter, Desk]:
    """Return a reporter, and the desk at which its writes can be seen."""
    subject = resource or make.resource()
    at = desk(subject)
    return Reporter(at.ports, subject), at


def observed(found: Present, resource: Resource | None = None, **kind: Any) -> Reporter:
    """Return a reporter that has seen a Thing."""
    told, _ = reporter(resource or make.bound())
    situation = make.situation(found, resource=told.resource)
    told.observe(make.kind(**kind), situation, found)
    return told


class TestSayingTheSame:
    """R-23: request ids, positions and messages that differ only in ids never cause a write."""

    @pytest.mark.parametrize(
        "step",
        [SOON, STUCK, InSync(make.present()), Pause("Quiet")],
        ids=lambda s: type(s).__name__,
    )
    async def test_a_step_is_told_once(self, step: Step) -> None:
        told, at = reporter()
        await told.write(step, {})
        await told.write(step, {})
        assert len(at.cluster.changes) == 1

    @pytest.mark.parametrize(
        ("again", "writes"),
        [
            pytest.param(STUCK, 0, id="the same"),
            pytest.param(replace(STUCK, message=f"No bucket for {ANOTHER}"), 0, id="of another id"),
            pytest.param(replace(STUCK, message="No bucket"), 1, id="in other words"),
            pytest.param(replace(STUCK, reason=Reason.MISSING), 1, id="for another reason"),
            pytest.param(SOON, 1, id="something else"),
        ],
    )
    async def test_only_what_is_new_is_written(self, again: Step, writes: int) -> None:
        told, at = reporter()
        await told.write(STUCK, {})
        at.cluster.changes.clear()
        await told.write(again, {})
        assert len(at.cluster.changes) == writes

    @pytest.mark.parametrize(
        ("over", "writes"),
        [
            pytest.param({"request_id": ANOTHER}, 0, id="another request"),
            pytest.param({"request_id": None}, 0, id="no request"),
            pytest.param({"message": f"key {ANOTHER}"}, 0, id="another id in the text"),
            pytest.param({"message": "lock"}, 1, id="another text"),
            pytest.param({"code": "Other"}, 1, id="another code"),
        ],
    )
    async def test_an_error_that_comes_again_is_not_news(
        self, over: dict[str, Any], writes: int
    ) -> None:
        first = {"code": "Code", "message": f"key {A_UUID}", "request_id": A_UUID}
        told, at = reporter()
        told.error = make.error(Failure.REFUSED, **first)
        await told.write(STUCK, {})
        assert at.written["lastAWSError"]["requestID"] == A_UUID
        at.cluster.changes.clear()
        told.error = make.error(Failure.REFUSED, **first | over)
        await told.write(STUCK, {})
        assert len(at.cluster.changes) == writes

    async def test_r_23_a_pass_that_began_in_time_does_not_stall(self) -> None:
        """What it tells to be missing may be from before; the pass that stalls tells it anew."""
        waits = Wait(Reason.DEPENDENCY_NOT_READY, "Waits for Parent/p, Parent/q to be ready")
        told, at = reporter()
        await told.write(waits, {})
        at.clock.seconds = 599.0
        told, at.cluster.changes = Reporter(at.ports, told.resource), []
        at.clock.seconds = 601.0
        await told.write(waits, {})
        assert at.cluster.changes == []
        await Reporter(at.ports, told.resource).write(waits, {})
        assert len(at.cluster.changes) == 1

    async def test_another_identifier_is_news(self) -> None:
        """An id that stands by itself is what is told, not a detail of it."""
        told, at = reporter(make.resource(status={"identifier": A_UUID}))
        await told.write(SOON, {"identifier": ANOTHER})
        assert at.written["identifier"] == ANOTHER

    async def test_what_is_not_there_need_not_be_removed(self) -> None:
        told, at = reporter()
        await told.write(SOON, {})
        [document] = at.cluster.changes
        assert "drift" not in document
        assert "lastAWSError" not in document

    async def test_only_what_differs_is_sent(self) -> None:
        told, at = reporter(make.bound(status={"state": "MAKING"}))
        await told.write(InSync(make.present()), {"state": "LIVE"})
        assert at.cluster.changes[0].keys() == {"state", "conditions"}


class TestPauses:
    async def test_one_is_told_of_when_it_begins(self) -> None:
        """R-39: conditions show that it lasts, and an event when it began."""
        told, _ = reporter(make.bound())
        for message in ("Paused until noon", "Paused until the evening"):
            await told.write(Pause(message), {})
        assert told.events == [Event("Normal", "Suspended", "Paused until noon")]


class TestRequests:
    ASKED = make.annotations(reconcile_requested_at="12:00")

    @pytest.mark.parametrize(
        ("step", "answered"),
        [
            pytest.param(InSync(make.present()), True, id="all is well"),
            pytest.param(STUCK, True, id="it stalls"),
            pytest.param(SOON, True, id="it waits"),
            pytest.param(Apply(CHANGE, make.present()), False, id="a change is on its way"),
            pytest.param(Mark(make.present()), False, id="the end has begun"),
            pytest.param(Pause("Quiet"), False, id="nobody looked"),
        ],
    )
    async def test_one_is_answered_when_the_look_has_come_to_a_conclusion(
        self, step: Step, *, answered: bool
    ) -> None:
        told, at = reporter(make.resource(annotations=self.ASKED))
        await told.write(step, {})
        assert at.written.get("lastHandledReconcileAt") == ("12:00" if answered else None)

    async def test_one_that_was_answered_is_not_answered_again(self) -> None:
        status = {"lastHandledReconcileAt": "12:00"}
        told, at = reporter(make.resource(annotations=self.ASKED, status=status))
        await told.write(SOON, {})
        assert "lastHandledReconcileAt" not in at.written


class TestWhatWasSeen:
    def test_the_object_is_told_whatever_the_step_is(self) -> None:
        told = observed(make.present(update_time="t"), report=lambda *_: {"color": "red"})
        assert told.fields == {
            "identifier": "id-1",
            "arn": make.ARN,
            "state": "LIVE",
            "updateTime": "t",
            "color": "red",
            "tagKeys": None,
        }

    def test_what_aws_does_not_say_is_not_told(self) -> None:
        assert "updateTime" not in observed(make.present()).fields

    def test_tags_that_are_ours_are_known(self) -> None:
        subject = make.bound(spec={"tags": {"team": "ads"}})
        found = make.present(details=make.details({"team": "ads", "theirs": "x"}))
        assert observed(found, subject).fields["tagKeys"] == ["team"]

    @pytest.mark.parametrize(
        ("fields", "status", "reason"),
        [
            ({"color": "red"}, "True", Reason.SUCCEEDED),
            ({"color": "blue"}, "False", Reason.DRIFTED),
        ],
    )
    def test_synced_says_whether_the_last_look_equals_the_spec(
        self, fields: dict[str, str], status: str, reason: Reason
    ) -> None:
        fact = Fact("Friendly", "True", Reason.SUCCEEDED, "So")
        told = observed(make.present(details=make.details(fields=fields)), facts=lambda *_: (fact,))
        friendly, synced = told.facts
        assert friendly == fact
        assert (synced.type, synced.status, synced.reason) == ("Synced", status, reason)
        assert ("color" in synced.message) is (status == "False")

    def test_what_was_not_read_stays_as_it_was_told(self) -> None:
        drift = [{"path": "color", "desired": "red"}]
        told = observed(make.present(details=None), make.bound(status={"drift": drift}))
        assert told.facts == ()
        assert told.drift == (Drift("color", "red", None),)
        assert "tagKeys" not in told.fields


class TestDrift:
    @pytest.mark.parametrize(
        ("leaf", "shown"),
        [
            pytest.param(
                Drift("a", "x", "y"),
                {"path": "a", "desired": "x", "observed": "y"},
                id="both sides",
            ),
            pytest.param(Drift("a", None, "y"), {"path": "a", "observed": "y"}, id="too much"),
            pytest.param(Drift("a", "x", None), {"path": "a", "desired": "x"}, id="too little"),
            pytest.param(
                Drift("a", "x" * 300, None), {"path": "a", "desired": "x" * 256}, id="cut short"
            ),
        ],
    )
    async def test_leaves_are_told_as_text(self, leaf: Drift, shown: dict[str, str]) -> None:
        told, at = reporter()
        told.drift = (leaf,)
        await told.write(InSync(make.present()), {})
        assert at.written["drift"] == [shown]

    async def test_the_ready_stay_ready_while_they_are_mended(self) -> None:
        told, at = reporter(make.bound())
        await told.write(Apply(CHANGE, make.present()), {})
        assert at.cluster.resources[make.KEY].is_true("Ready")

    async def test_what_was_not_ready_is_reconciling(self) -> None:
        told, at = reporter()
        await told.write(Apply(CHANGE, make.present()), {})
        assert at.cluster.resources[make.KEY].is_true("Reconciling")


class TestBeforeAChange:
    @pytest.mark.parametrize(
        ("resource", "record", "writes"),
        [
            pytest.param(make.resource(), {}, 0, id="what a person asked for needs no word"),
            pytest.param(make.bound(), {}, 1, id="drift of what was ready is told"),
            pytest.param(make.resource(), {"by": "us"}, 1, id="a record is written"),
            pytest.param(
                make.resource(status={"by": "us"}), {"by": "us"}, 0, id="unless it stands already"
            ),
        ],
    )
    async def test_what_must_stand_is_written(
        self, resource: Resource, record: dict[str, str], writes: int
    ) -> None:
        told, at = reporter(resource)
        told.drift = (Drift("color", "red", "blue"),)
        await told.before(Apply(replace(CHANGE, record=record), make.present()))
        assert len(at.cluster.changes) == writes
        if writes:
            assert record.items() <= at.written.items()

    async def test_a_record_wins_over_what_was_seen(self) -> None:
        told, at = reporter()
        told.fields = {"tagKeys": None}
        await told.before(Apply(replace(CHANGE, record={"tagKeys": ["a"]}), make.present()))
        assert at.written["tagKeys"] == ["a"]


def test_events_wait_for_the_end_of_the_pass() -> None:
    told, _ = reporter()
    told.tell(Reason.CREATED, "arn")
    told.tell(Reason.ABANDONED, "arn", warning=True)
    assert told.events == [
        Event("Normal", "Created", "arn"),
        Event("Warning", "Abandoned", "arn"),
    ]
