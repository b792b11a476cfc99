"""What runs and ends: what is decided of it, what is told, and when nothing is asked any more."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import make
from cleanrooms_operator.core import runs
from cleanrooms_operator.core.decide import next_step
from cleanrooms_operator.core.failure import Failure
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.ownership import RELEASED
from cleanrooms_operator.core.pace import Pace
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Resource
from cleanrooms_operator.core.step import (
    Absent,
    Cancel,
    Create,
    Delete,
    Discard,
    Disproved,
    Hidden,
    InSync,
    Lifecycle,
    Mark,
    Observed,
    Present,
    Release,
    Stall,
    Step,
    Uncertain,
    Wait,
)
from passes import Operator

CANCEL = make.annotations(cancel="true")
OBSERVE_ONLY = {"color": "red", "managementPolicy": "ObserveOnly"}
CREATING, CANCELLING = ("CREATE_PENDING", "CREATE_IN_PROGRESS"), ("CANCEL_PENDING",)
OVER = ("ACTIVE", "CREATE_FAILED", "INACTIVE")
CANCELLED = make.condition("Stalled", reason="Cancelled")
BEGUN, ENDED = make.after(-600), make.after(-30)
DENIED = make.error(Failure.DENIED, "AccessDeniedException", harmless=True)


def present(state: str, kind: Kind = make.RUN, **over: Any) -> Present:
    """Return our run in a state, read in detail."""
    fields = {"createTime": BEGUN, "updateTime": ENDED, "color": "red", **over.pop("fields", {})}
    tags = over.pop("tags", {})
    made = make.present(
        state=state, lifecycle=kind.lifecycle_of(state), details=make.details(tags, fields=fields)
    )
    return replace(made, **over)


def decide(observed: Observed, kind: Kind = make.RUN, **over: Any) -> Step:
    return next_step(kind, make.situation(observed, **over))


def ended(state: str, *conditions: Mapping[str, Any], **over: Any) -> Resource:
    """Return a run of which an earlier pass told that it is over."""
    reason = make.RUN.ends.get(state, Reason.SUCCEEDED).value
    well = "True" if state == "ACTIVE" else "False"
    told = [make.condition("Ready", well, reason=reason)]
    told += [] if well == "True" else [make.condition("Stalled", reason=reason)]
    told += [make.condition("Succeeded", well)]
    published = {"metricsStatus": "PUBLISH_SUCCEEDED", "logsStatus": "PUBLISH_FAILED"}
    status = {"state": state, "conditions": [*told, *conditions], **published}
    return make.bound(**over | {"status": status | over.get("status", {})})


class TestCancelling:
    @pytest.mark.parametrize("state", CREATING)
    def test_a_run_under_way_is_cancelled_where_a_person_asks(self, state: str) -> None:
        found = present(state)
        step = decide(found, resource=make.bound(annotations=CANCEL))
        assert step == Cancel(found, "CancelThing", Reason.CANCELLING)

    @pytest.mark.parametrize(
        ("state", "over"),
        [
            pytest.param("CREATE_PENDING", {}, id="nobody asked"),
            pytest.param(
                "CREATE_PENDING",
                {"annotations": make.annotations(cancel="yes")},
                id="only the word true asks",
            ),
            pytest.param(
                "CREATE_PENDING",
                {"annotations": CANCEL, "spec": OBSERVE_ONLY},
                id="it is only observed (R-35)",
            ),
            pytest.param("CANCEL_PENDING", {"annotations": CANCEL}, id="it is being cancelled"),
            pytest.param("DELETE_PENDING", {"annotations": CANCEL}, id="it is being deleted"),
        ],
    )
    def test_otherwise_it_is_waited_for(self, state: str, over: dict[str, Any]) -> None:
        found = present(state)
        step = decide(found, resource=make.bound(**over))
        assert step == Wait(Reason.PROGRESSING, f"AWS says {state}", found)

    def test_what_cannot_be_cancelled_goes_on(self) -> None:
        found = present("CREATE_PENDING")
        subject = make.bound(annotations=CANCEL)
        assert isinstance(decide(found, make.run(cancel=None), resource=subject), Wait)

    @pytest.mark.parametrize(
        "subject",
        [
            pytest.param(make.resource(annotations=CANCEL), id="the annotation stands"),
            pytest.param(
                make.resource(status={"observedGeneration": 1, "conditions": [CANCELLED]}),
                id="it was taken away again",
            ),
        ],
    )
    def test_r_36_what_is_called_off_before_its_start_is_never_started(
        self, subject: Resource
    ) -> None:
        step = decide(Absent(), resource=subject)
        assert isinstance(step, Stall)
        assert step.reason is Reason.CANCELLED

    def test_what_does_not_run_cannot_be_called_off(self) -> None:
        subject = make.resource(annotations=CANCEL)
        assert decide(Absent(), make.kind(), resource=subject) == Create()

    @pytest.mark.parametrize("unsent", [False, True])
    def test_an_attempt_that_made_nothing_is_not_sent_again(self, *, unsent: bool) -> None:
        subject = make.resource(annotations=CANCEL, status={"attempt": {"id": "x"}})
        assert decide(Disproved(unsent), resource=subject) == Discard()

    def test_an_attempt_is_resolved_first(self) -> None:
        subject = make.resource(annotations=CANCEL, status={"attempt": {"id": "x"}})
        assert isinstance(decide(Uncertain(), resource=subject), Wait)


class TestEnds:
    def test_what_ended_well_is_ready(self) -> None:
        found = present("ACTIVE")
        assert decide(found) == InSync(found)

    def test_r_36_an_expired_channel_is_ready_and_says_so(self) -> None:
        expiring = make.run(
            lifecycle={**make.RUN.lifecycle, "INACTIVE": Lifecycle.DONE},
            ends={"INACTIVE": Reason.EXPIRED},
        )
        found = present("INACTIVE", expiring)
        for spec in ({"color": "red"}, OBSERVE_ONLY):
            step = decide(found, expiring, resource=make.bound(spec=spec))
            assert step == InSync(found, Reason.EXPIRED)

    @pytest.mark.parametrize("state", make.RUN.ends)
    def test_r_36_what_failed_or_was_cancelled_is_stalled(self, state: str) -> None:
        step = decide(present(state))
        assert isinstance(step, Stall)
        assert step.reason is make.RUN.ends[state]

    def test_what_aws_says_of_a_failure_is_told_and_cut(self) -> None:
        details = {"statusCode": "ALGORITHM", "message": "x" * 5000}
        step = decide(present("CREATE_FAILED", fields={"statusDetails": details}))
        assert isinstance(step, Stall)
        assert "AWS says CREATE_FAILED: ALGORITHM: xxx" in step.message
        assert len(step.message) < 1200

    def test_what_a_container_says_tells_nothing_of_what_it_was_started_with(self) -> None:
        query = {"sqlParameters": {"queryString": "SELECT x", "parameters": {"p": "of-query"}}}
        fields = {
            "statusDetails": {
                "statusCode": "ALGORITHM",
                "message": "TOKEN=hunter2 of-query with epochs 'ten' on SELECT x in churn",
            },
            "environment": {"TOKEN": "hunter2"},
            "hyperparameters": {"epochs": "ten"},
            "sources": [query],
            "name": "churn",
        }
        step = decide(present("CREATE_FAILED", fields=fields))
        assert isinstance(step, Stall)
        assert step.message.endswith("TOKEN=*** *** with epochs '***' on *** in churn")


class TestDeletion:
    """OP-18 and OP-21: cancel, wait, delete, and let go of what is over."""

    @staticmethod
    def decide(state: str, kind: Kind = make.RUN, **over: Any) -> Step:
        subject = make.bound(deleted=make.after(-60), status={"state": state})
        found = present(state, kind, tags={RELEASED: "true"})
        return decide(found, kind, **{"resource": subject} | over)

    @pytest.mark.parametrize("state", [*CREATING, *CANCELLING, *OVER, "CANCEL_FAILED"])
    def test_r_3_the_mark_comes_before_all(self, state: str) -> None:
        subject = make.bound(deleted=make.after(-60), status={"state": state})
        found = present(state)
        assert decide(found, resource=subject) == Mark(found)

    @pytest.mark.parametrize("state", CREATING)
    def test_what_runs_is_cancelled(self, state: str) -> None:
        found = present(state, tags={RELEASED: "true"})
        assert self.decide(state) == Cancel(found, "CancelThing", Reason.DELETING)

    @pytest.mark.parametrize("state", CREATING)
    def test_what_cannot_be_cancelled_is_waited_for_and_says_so(self, state: str) -> None:
        step = self.decide(state, make.run(cancel=None))
        assert isinstance(step, Wait)
        assert "waiting for its end" in step.message

    @pytest.mark.parametrize("state", [*CANCELLING, "DELETE_IN_PROGRESS"])
    def test_what_ends_by_itself_is_waited_for(self, state: str) -> None:
        step = self.decide(state)
        assert isinstance(step, Wait)
        assert (step.reason, step.message) == (Reason.DELETING, f"AWS says {state}")

    @pytest.mark.parametrize("state", OVER)
    def test_op_15_what_is_over_is_let_go(self, state: str) -> None:
        assert isinstance(self.decide(state), Release)

    @pytest.mark.parametrize("state", ["LIVE", "CANCEL_FAILED", "DELETE_FAILED"])
    def test_what_has_left_something_is_deleted(self, state: str) -> None:
        kind = deletable()
        found = present(state, kind, tags={RELEASED: "true"})
        assert self.decide(state, kind) == Delete(found, "DeleteThing")

    @pytest.mark.parametrize(
        ("seconds", "expected"), [(599.0, Stall), (600.0, Delete)], ids=["at once", "later"]
    )
    def test_a_deletion_that_aws_gave_up_is_asked_for_again_slowly(
        self, seconds: float, expected: type[Step]
    ) -> None:
        step = self.decide("DELETE_FAILED", deletable(), deleted_for=seconds)
        assert isinstance(step, expected)
        if isinstance(step, Stall):
            assert step.reason is Reason.DELETION_BLOCKED
            assert "tried again by itself" in step.message

    def test_op_21_what_nothing_can_end_says_so(self) -> None:
        step = self.decide("CANCEL_FAILED")
        assert isinstance(step, Stall)
        assert step.reason is Reason.DELETION_BLOCKED
        assert step.message.startswith("AWS says CANCEL_FAILED. Nothing can end it")

    def test_op_21_what_nothing_can_end_is_given_up_after_a_limit(self) -> None:
        subject = make.bound(deleted=make.after(-3601), status={"state": "CANCEL_FAILED"})
        step = decide(present("CANCEL_FAILED"), resource=subject)
        assert isinstance(step, Release)
        assert step.reason is Reason.GIVEN_UP

    def test_what_may_go_on_costing_money_is_never_given_up(self) -> None:
        subject = make.bound(deleted=make.after(-99_999), status={"state": "DELETE_FAILED"})
        step = self.decide("DELETE_FAILED", deletable(), resource=subject)
        assert isinstance(step, Delete)

    @pytest.mark.parametrize(
        ("state", "since", "expected"),
        [
            pytest.param("ACTIVE", 301, Release, id="it was over: nothing is left of it"),
            pytest.param("ACTIVE", 300, Stall, id="IAM takes time to spread"),
            pytest.param("CREATE_PENDING", 301, Stall, id="it ran when it was seen last"),
        ],
    )
    def test_what_aws_does_not_show_is_held_unless_it_was_over(
        self, state: str, since: float, expected: type[Step]
    ) -> None:
        subject = make.bound(deleted=make.after(-60), status={"state": state})
        step = decide(Hidden("AccessDenied: no", since), resource=subject)
        assert isinstance(step, expected)
        if isinstance(step, Release):
            assert step.reason is Reason.RELEASE_NOT_MARKED
            assert make.ARN in step.message


def deletable() -> Kind:
    """Return a kind of run that leaves behind what can be deleted."""
    return make.run(
        delete="DeleteThing",
        lifecycle={**make.RUN.lifecycle, "LIVE": Lifecycle.READY},
        ends={**make.RUN.ends, "DELETE_FAILED": Reason.DELETE_FAILED},
    )


def told(state: str, subject: Resource | None = None) -> dict[str, tuple[str, str]]:
    """Return the conditions that a run in a state gives, as (status, reason) by type."""
    situation = make.situation(present(state), resource=subject)
    found = runs.facts(situation, present(state), Reason.INFERENCE_FAILED)
    return {fact.type: (fact.status, fact.reason.value) for fact in found}


class TestConditions:
    @pytest.mark.parametrize(
        ("state", "succeeded", "failed"),
        [
            ("CREATE_PENDING", ("Unknown", "Progressing"), None),
            ("CANCEL_IN_PROGRESS", ("Unknown", "Progressing"), None),
            ("CANCEL_FAILED", ("Unknown", "Progressing"), None),
            ("ACTIVE", ("True", "Succeeded"), ("False", "Succeeded")),
            ("DELETE_PENDING", ("True", "Succeeded"), ("False", "Succeeded")),
            ("CREATE_FAILED", ("False", "InferenceFailed"), ("True", "InferenceFailed")),
            ("INACTIVE", ("False", "Cancelled"), ("True", "Cancelled")),
        ],
    )
    def test_they_tell_how_it_ended(
        self, state: str, succeeded: tuple[str, str], failed: tuple[str, str] | None
    ) -> None:
        expected = {"Succeeded": succeeded} | ({} if failed is None else {"Failed": failed})
        assert told(state) == expected

    def test_what_succeeded_once_has_succeeded_for_good(self) -> None:
        assert told("INACTIVE", ended("ACTIVE"))["Succeeded"][0] == "True"


class TestTimes:
    @pytest.mark.parametrize(
        ("state", "completed"),
        [
            ("CREATE_IN_PROGRESS", None),
            ("CANCEL_PENDING", None),
            ("CANCEL_FAILED", None),
            ("ACTIVE", "2026-01-01T11:59:30Z"),
            ("CREATE_FAILED", "2026-01-01T11:59:30Z"),
            ("INACTIVE", "2026-01-01T11:59:30Z"),
        ],
    )
    def test_r_24_the_end_is_the_update_at_the_first_sight_of_it(
        self, state: str, completed: str | None
    ) -> None:
        found = present(state)
        assert runs.report(make.situation(found), found) == {
            "collaborationIdentifier": None,
            "startTime": "2026-01-01T11:50:00Z",
            "completionTime": completed,
        }

    def test_r_24_it_is_never_rewritten(self) -> None:
        before = "2026-01-01T01:00:00Z"
        found = present("INACTIVE")
        subject = ended("ACTIVE", status={"completionTime": before})
        written = runs.report(make.situation(found, resource=subject), found)
        assert written["completionTime"] == before

    def test_what_was_not_read_tells_nothing(self) -> None:
        found = present("ACTIVE", details=None)
        assert runs.report(make.situation(found), found) == {}
        assert runs.publications(None) == {}

    @pytest.mark.parametrize(
        ("state", "over"),
        [("ACTIVE", True), ("CREATE_FAILED", True), (None, False), ("CREATE_PENDING", False)],
    )
    def test_no_state_is_no_end(self, state: str | None, *, over: bool) -> None:
        assert runs.has_ended(state) is over


def asked_nothing(operator: Operator) -> bool:
    return not operator.aws.calls and not operator.aws.sightings


class TestRest:
    @pytest.mark.parametrize("state", OVER)
    async def test_r_36_what_is_over_costs_nothing_in_a_new_process_either(
        self, state: str
    ) -> None:
        operator = Operator(ended(state), kind=make.RUN)
        outcome = await operator.look()
        assert (outcome.step, outcome.again) == ("Rest", None)
        assert asked_nothing(operator)
        assert operator.changes == []

    @pytest.mark.parametrize(
        "over",
        [
            pytest.param({"generation": make.GENERATION + 1}, id="the spec was edited"),
            pytest.param(
                {"annotations": make.annotations(reconcile_requested_at="now")},
                id="a person asks for a look",
            ),
            pytest.param({"finalizers": ()}, id="nothing holds it"),
            pytest.param({"deleted": make.NOW}, id="it is being deleted"),
        ],
    )
    async def test_it_is_looked_at_where_something_asks_for_it(self, over: dict[str, Any]) -> None:
        operator = Operator(ended("ACTIVE", **over), kind=make.RUN)
        operator.aws.answers["GetThing"] = lambda _: {"thing": answer("ACTIVE")}
        await operator.look()
        assert "GetThing" in operator.aws.operations

    @pytest.mark.parametrize(
        "subject",
        [
            pytest.param(
                ended("ACTIVE", make.condition("Paused", reason="Suspended")), id="a pause is over"
            ),
            pytest.param(ended("ACTIVE", status={"conditions": []}), id="its conditions were lost"),
            pytest.param(
                ended("CREATE_FAILED", status={"conditions": [CANCELLED]}),
                id="another reason stands there",
            ),
        ],
    )
    async def test_what_is_not_told_yet_is_read_and_told(self, subject: Resource) -> None:
        state = subject.status["state"]
        operator = Operator(subject, kind=make.RUN)
        operator.aws.answers["GetThing"] = lambda _: {"thing": answer(state)}
        await operator.look()
        assert "GetThing" in operator.aws.operations
        assert (await operator.look()).step == "Rest"

    async def test_a_pause_is_told_of_what_is_over_too(self) -> None:
        paused = make.annotations(paused="true")
        operator = Operator(ended("ACTIVE", annotations=paused), kind=make.RUN)
        assert (await operator.look()).step == "Pause"
        assert operator.resource.is_true("Paused")

    async def test_what_was_never_started_costs_nothing(self) -> None:
        status = {"observedGeneration": make.GENERATION - 1, "conditions": [CANCELLED]}
        operator = Operator(make.resource(status=status), kind=make.RUN)
        await operator.look()
        assert operator.ready() == ("False", "Cancelled")
        assert asked_nothing(operator)
        operator.desk.cluster.resources.pop(make.account().key)
        await operator.look()
        assert operator.ready() == ("False", "Cancelled"), "whatever else is missing"

    async def test_what_waits_for_something_else_can_be_called_off(self) -> None:
        spec = {"color": "red", "parentRef": {"name": "p"}}
        operator = Operator(make.resource(annotations=CANCEL, spec=spec), kind=make.RUN)
        await operator.look()
        assert operator.ready() == ("False", "Cancelled")


def answer(state: str, **over: Any) -> dict[str, Any]:
    """Return the run as its Get shows it."""
    return make.thing(status=state, createTime=BEGUN, updateTime=ENDED, **over)


class TestPublications:
    """R-24: what AWS publishes of an ended run is looked for at most three times."""

    @staticmethod
    def unpublished(since: float = 0.0) -> Resource:
        stamp = make.text(make.after(-since))
        conditions = [
            make.condition("Ready"),
            make.condition("Succeeded", lastTransitionTime=stamp),
        ]
        nothing = {"metricsStatus": None, "logsStatus": None}
        return ended("ACTIVE", status={"conditions": conditions, **nothing})

    @staticmethod
    async def watch(operator: Operator, seconds: float) -> int:
        """Look whenever the operator wants to; return how often it asked AWS."""
        asked = 0
        while (outcome := await operator.look()).again is not None:
            asked += operator.aws.operations.count("GetThing")
            assert outcome.again <= 15 * 60
            operator.wait(outcome.again)
            seconds -= outcome.again
        assert seconds > 0, "it goes on asking"
        return asked + operator.aws.operations.count("GetThing")

    async def test_they_are_looked_for_three_times_at_most(self) -> None:
        operator = Operator(self.unpublished(), kind=make.RUN)
        operator.aws.answers["GetThing"] = lambda _: {"thing": answer("ACTIVE")}
        assert await self.watch(operator, 3600) == 3

    async def test_what_is_found_ends_the_search(self) -> None:
        operator = Operator(self.unpublished(), kind=make.RUN)
        published = {"metricsStatus": "PUBLISH_SUCCEEDED", "logsStatus": "PUBLISH_FAILED"}
        operator.aws.answers["GetThing"] = lambda _: {"thing": answer("ACTIVE", **published)}
        assert await self.watch(operator, 3600) == 1
        assert operator.status["logsStatus"] == "PUBLISH_FAILED"

    @pytest.mark.parametrize("seconds", [16 * 60.0, 86_400.0])
    async def test_a_new_process_does_not_begin_anew(self, seconds: float) -> None:
        operator = Operator(self.unpublished(seconds), kind=make.RUN)
        assert await self.watch(operator, 3600) == 0

    @pytest.mark.parametrize(
        "conditions",
        [
            pytest.param([], id="nothing is told"),
            pytest.param([make.condition("Succeeded", "Unknown")], id="it has not ended"),
        ],
    )
    def test_nothing_is_published_of_what_has_not_ended(self, conditions: list[Any]) -> None:
        subject = make.bound(status={"conditions": conditions})
        assert runs.next_publication(make.RUN, subject, make.NOW) is None

    async def test_what_rests_but_is_not_over_is_looked_at_for_them_too(self) -> None:
        kind = make.run(
            delete="DeleteThing", lifecycle={**make.RUN.lifecycle, "ACTIVE": Lifecycle.READY}
        )
        operator = Operator(self.unpublished(), kind=kind)
        operator.aws.lists["ListThings"] = [answer("ACTIVE")]
        operator.aws.answers["GetThing"] = lambda _: {"thing": answer("ACTIVE")}
        operator.change(status={**operator.status, "updateTime": ENDED.isoformat()})
        asked = 0
        for _ in range(60):
            outcome = await operator.look()
            asked += operator.aws.operations.count("GetThing")
            assert outcome.again is not None
            assert outcome.again <= Pace().list_interval
            operator.wait(outcome.again)
        assert asked == 3


class TestPerforming:
    @staticmethod
    def running(**over: Any) -> Operator:
        status = {"state": "CREATE_PENDING", "conditions": [make.condition("Reconciling")]}
        operator = Operator(make.bound(status=status, **over), kind=make.RUN)
        operator.aws.answers["GetThing"] = lambda _: {"thing": answer("CREATE_PENDING")}
        operator.aws.answers["CancelThing"] = {}
        operator.aws.lists["ListThings"] = [answer("CREATE_PENDING")]
        return operator

    async def test_a_person_is_told_that_a_run_is_cancelled_once(self) -> None:
        operator = self.running(annotations=CANCEL)
        outcome = await operator.look()
        assert operator.aws.operations[-1] == "CancelThing"
        assert operator.ready() == ("False", "Cancelling")
        assert operator.told(outcome) == [("Normal", "Cancelling")]
        assert operator.told(await operator.look()) == []

    @pytest.mark.parametrize("failure", [Failure.CONFLICT, Failure.NOT_FOUND])
    async def test_er_31_what_ends_meanwhile_is_looked_at_again(self, failure: Failure) -> None:
        operator = self.running(annotations=CANCEL)
        operator.aws.answers["CancelThing"] = make.error(failure, harmless=True)
        outcome = await operator.look()
        assert (outcome.step, outcome.again) == ("Cancel", 0.0)

    async def test_what_aws_denies_is_told(self) -> None:
        operator = self.running(annotations=CANCEL)
        operator.aws.answers["CancelThing"] = DENIED
        await operator.look()
        assert operator.ready() == ("False", "AccessDenied")

    async def test_the_annotation_sets_no_mark_and_a_deletion_does(self) -> None:
        """R-3: `released` belongs to a deletion."""
        operator = self.running(annotations=CANCEL)
        await operator.look()
        assert "TagResource" not in operator.aws.operations
        operator.change(deleted=make.NOW)
        await operator.look()
        assert operator.aws.operations[-1] == "TagResource"

    async def test_a_run_at_the_end_of_its_list_interval_is_listed_and_not_read(self) -> None:
        """R-21: what cannot drift is not read hourly."""
        kind = make.run(lifecycle={**make.RUN.lifecycle, "ACTIVE": Lifecycle.READY})
        operator = Operator(ended("ACTIVE"), kind=kind)
        operator.aws.lists["ListThings"] = [make.thing(status="ACTIVE")]
        for _ in range(20):
            outcome = await operator.look()
            assert operator.aws.calls == []
            assert outcome.again == Pace().list_interval
            operator.wait(outcome.again)


def test_the_times_of_looks_grow() -> None:
    assert sorted(runs.PUBLISHING) == list(runs.PUBLISHING)
    assert runs.PUBLISHING[-1] <= timedelta(minutes=15)
    assert len(runs.PUBLISHING) <= 3
