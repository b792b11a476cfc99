"""From steps to conditions, in the way kstatus and Flux read them."""

from dataclasses import replace
from typing import Any, get_args

import pytest

import make
from cleanrooms_operator.core import conditions
from cleanrooms_operator.core.conditions import Verdict, conclude, overdue, pause, verdict
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.core.step import (
    Apply,
    Bind,
    Cancel,
    Change,
    Create,
    Delete,
    Discard,
    Fact,
    Forget,
    InSync,
    Mark,
    Pause,
    Release,
    Resend,
    Stall,
    Step,
    Wait,
    Works,
)
from simulation.invariants import check_status

FOUND = make.present()
CHANGE = Change("cleanrooms", "UpdateThing", {})

STEPS: dict[type, tuple[Step, str | None]] = {
    Create: (Create(), "Reconciling"),
    Resend: (Resend(), "Reconciling"),
    Discard: (Discard(), "Reconciling"),
    Forget: (Forget(), "Reconciling"),
    Bind: (Bind(FOUND), "Reconciling"),
    Apply: (Apply(CHANGE, FOUND), "Reconciling"),
    Mark: (Mark(FOUND), "Reconciling"),
    Cancel: (Cancel(FOUND, "CancelThing", Reason.CANCELLING), "Reconciling"),
    Delete: (Delete(FOUND, "DeleteThing"), "Reconciling"),
    Release: (Release(), "Reconciling"),
    Wait: (Wait(Reason.CONFIRMING_ABSENCE, "Looking"), "Reconciling"),
    Stall: (Stall(Reason.INVALID_SPEC, "No such thing"), "Stalled"),
    InSync: (InSync(FOUND), None),
    Works: (Works(), None),
    Pause: (Pause("Paused"), None),
}
"""Every step -> one of it, and the condition beside Ready that explains it."""

SYNCED = Fact("Synced", "True", Reason.SUCCEEDED, "Equal")
READY, RECONCILING, STALLED = (
    Verdict(None, Reason.SUCCEEDED, "Well"),
    Verdict("Reconciling", Reason.PROGRESSING, "Under way"),
    Verdict("Stalled", Reason.INVALID_SPEC, "Stuck"),
)


def subject(*before: dict[str, Any], **over: Any) -> Resource:
    """Return a Collaboration with these conditions; its statuses are checked for their shape."""
    status = {"observedGeneration": make.GENERATION, "conditions": list(before)}
    return make.resource(**{"key": Key("Collaboration", "a", "one"), "status": status} | over)


def concluded(resource: Resource, found: Verdict, *facts: Fact) -> dict[str, dict[str, Any]]:
    """Return the conditions after a verdict, by type, once they have been checked."""
    made = conclude(resource, found, facts, make.NOW)
    status = {"observedGeneration": resource.generation, "conditions": made}
    check_status(resource, replace(resource, status=status))
    return {condition["type"]: dict(condition) for condition in made}


class TestVerdicts:
    def test_every_step_is_here(self) -> None:
        assert STEPS.keys() == set(get_args(Step))

    @pytest.mark.parametrize(("step", "activity"), STEPS.values(), ids=lambda x: type(x).__name__)
    def test_every_step_has_one(self, step: Step, activity: str | None) -> None:
        found = verdict(step)
        assert found.activity == activity
        assert found.ready == (activity is None)
        assert found.message

    @pytest.mark.parametrize(("step", "activity"), STEPS.values(), ids=lambda x: type(x).__name__)
    @pytest.mark.parametrize(
        "before",
        [
            pytest.param((), id="seen for the first time"),
            pytest.param((make.condition("Ready"),), id="ready before"),
            pytest.param(
                (
                    make.condition("Ready", "False", reason="Progressing", message="Under way"),
                    make.condition("Reconciling", reason="Progressing", message="Under way"),
                ),
                id="reconciling before",
            ),
            pytest.param(
                (
                    make.condition("Ready", "False", reason="Missing", message="Gone"),
                    make.condition("Stalled", reason="Missing", message="Gone"),
                ),
                id="stalled before",
            ),
            pytest.param(
                (make.condition("Ready"), make.condition("Paused", reason="Suspended")),
                id="paused before",
            ),
        ],
    )
    def test_no_step_leaves_conditions_that_contradict_each_other(
        self, step: Step, activity: str | None, before: tuple[dict[str, Any], ...]
    ) -> None:
        found = concluded(subject(*before), verdict(step), SYNCED)
        assert found.keys() == {"Ready", "Synced"} | ({activity} if activity else set())

    def test_what_waits_and_what_stalls_say_why(self) -> None:
        assert verdict(Wait(Reason.DELETING, "Soon")) == Verdict(
            "Reconciling", Reason.DELETING, "Soon"
        )
        assert verdict(Stall(Reason.MISSING, "Gone")) == Verdict("Stalled", Reason.MISSING, "Gone")

    def test_a_change_names_its_call(self) -> None:
        assert "UpdateThing" in verdict(Apply(CHANGE, FOUND)).message


WAITING = verdict(Wait(Reason.DEPENDENCY_NOT_READY, "No parent"))
OVERDUE = make.condition("Stalled", reason="ProgressDeadlineExceeded")


def reconciling(seconds: float) -> dict[str, Any]:
    since = make.text(make.after(-seconds))
    return make.condition("Reconciling", reason="DependencyNotReady", lastTransitionTime=since)


def unresolved(seconds: float, status: str = "False") -> dict[str, Any]:
    since = make.text(make.after(-seconds))
    return make.condition("ReferencesResolved", status, lastTransitionTime=since)


def waiting(seconds: float) -> tuple[dict[str, Any], ...]:
    return reconciling(seconds), unresolved(seconds)


class TestDeadlines:
    @pytest.mark.parametrize(
        ("before", "spec", "activity"),
        [
            pytest.param((), {}, "Reconciling", id="it has only begun to wait"),
            pytest.param(waiting(600), {}, "Reconciling", id="ten minutes by default"),
            pytest.param(waiting(601), {}, "Stalled", id="longer than that"),
            pytest.param(
                (reconciling(9999),), {}, "Reconciling", id="till now it waited for AWS only"
            ),
            pytest.param(
                (reconciling(9999), unresolved(9000, "True")),
                {},
                "Reconciling",
                id="till now all that it names was there",
            ),
            pytest.param(
                (reconciling(9999), unresolved(60)),
                {},
                "Reconciling",
                id="it has waited for AWS for long, and for this for a minute",
            ),
            pytest.param(
                (reconciling(60), unresolved(9999)),
                {},
                "Reconciling",
                id="it has waited anew since its spec was edited",
            ),
            pytest.param(
                waiting(601),
                {"progressDeadlineSeconds": 3600},
                "Reconciling",
                id="as long as the spec gives it",
            ),
            pytest.param((OVERDUE,), {}, "Stalled", id="it stays so while nothing changes"),
            pytest.param(
                ({**OVERDUE, "observedGeneration": make.GENERATION - 1},),
                {},
                "Reconciling",
                id="another spec starts anew",
            ),
            pytest.param(
                (make.condition("Stalled", reason="InvalidSpec"),),
                {},
                "Reconciling",
                id="what stalled for another reason starts anew",
            ),
        ],
    )
    def test_a_wait_for_something_else_stalls_in_time(
        self, before: tuple[dict[str, Any], ...], spec: dict[str, Any], activity: str
    ) -> None:
        found = overdue(WAITING, subject(*before, spec=spec), make.NOW)
        assert found.activity == activity
        assert "No parent" in found.message

    @pytest.mark.parametrize("found", [READY, RECONCILING, STALLED])
    def test_only_such_a_wait_has_a_deadline(self, found: Verdict) -> None:
        assert overdue(found, subject(*waiting(9999)), make.NOW) == found

    def test_the_message_tells_the_deadline(self) -> None:
        found = overdue(WAITING, subject(*waiting(601)), make.NOW)
        assert found.reason is Reason.PROGRESS_DEADLINE_EXCEEDED
        assert "600 s" in found.message


class TestConclusions:
    def test_ready_repeats_what_explains_it(self) -> None:
        found = concluded(subject(), STALLED)
        assert found["Ready"]["status"] == "False"
        for name in ("reason", "message"):
            assert found["Ready"][name] == found["Stalled"][name]

    def test_what_was_not_looked_at_is_kept(self) -> None:
        joined = make.condition("MembersJoined", "False", reason="AwaitingMembers")
        assert concluded(subject(joined), READY, SYNCED)["MembersJoined"] == joined

    def test_what_speaks_of_an_older_spec_is_dropped(self) -> None:
        old = make.condition("MembersJoined", observedGeneration=make.GENERATION - 1)
        assert "MembersJoined" not in concluded(subject(old), READY)

    def test_what_was_looked_at_anew_replaces_what_was_kept(self) -> None:
        before = make.condition("Synced", "False", reason="Drifted")
        found = concluded(subject(before), READY, SYNCED)["Synced"]
        assert (found["status"], found["message"]) == ("True", "Equal")

    def test_a_pause_ends(self) -> None:
        before = make.condition("Paused", reason="Suspended")
        assert "Paused" not in concluded(subject(before), READY)

    def test_the_time_moves_only_with_the_status(self) -> None:
        before = (make.condition("Ready"), make.condition("Synced", "False"))
        found = concluded(subject(*before), Verdict(None, Reason.SUCCEEDED, "Other words"), SYNCED)
        assert found["Ready"]["lastTransitionTime"] == before[0]["lastTransitionTime"]
        assert found["Ready"]["message"] == "Other words"
        assert found["Synced"]["lastTransitionTime"] == make.text(make.NOW)

    def test_a_condition_that_comes_back_begins_anew(self) -> None:
        found = concluded(subject(make.condition("Ready")), RECONCILING)
        assert found["Reconciling"]["lastTransitionTime"] == make.text(make.NOW)

    def test_a_message_fits_into_its_schema(self) -> None:
        found = concluded(subject(), Verdict("Stalled", Reason.INVALID_SPEC, "x" * 40_000))
        assert len(found["Ready"]["message"]) == 32768

    def test_the_order_is_always_the_same(self) -> None:
        facts = [
            Fact(name, "True", Reason.SUCCEEDED, "So") for name in reversed(conditions.ORDER[4:])
        ]
        assert list(concluded(subject(), READY, *facts)) == ["Ready", *conditions.ORDER[4:]]

    def test_what_a_later_version_wrote_is_kept_last(self) -> None:
        """After a step back to this version, which does not know all of its conditions."""
        later = make.condition("Brand/New")
        assert list(concluded(subject(later), READY, SYNCED)) == ["Ready", "Synced", "Brand/New"]


def paused(resource: Resource) -> dict[str, dict[str, Any]]:
    made = pause(resource, "Quiet", make.NOW)
    check_status(resource, replace(resource, status={**resource.status, "conditions": made}))
    return {condition["type"]: dict(condition) for condition in made}


class TestPauses:
    def test_all_stays_as_it_was_and_paused_is_told(self) -> None:
        before = (make.condition("Ready"), make.condition("Synced"))
        found = paused(subject(*before))
        assert [found["Ready"], found["Synced"]] == list(before)
        assert found["Paused"]["status"] == "True"
        assert (found["Paused"]["reason"], found["Paused"]["message"]) == ("Suspended", "Quiet")

    def test_what_was_never_looked_at_is_not_ready(self) -> None:
        found = paused(subject(status={"observedGeneration": -1}))
        assert (found["Ready"]["status"], found["Ready"]["reason"]) == ("False", "Suspended")
        assert found["Ready"]["observedGeneration"] == make.GENERATION

    def test_the_conditions_go_on_to_speak_of_the_spec_that_was_looked_at(self) -> None:
        """R-39: an edit during a pause is not taken for one that was looked at."""
        edited = subject(make.condition("Ready"), generation=make.GENERATION + 1)
        assert paused(edited)["Ready"]["observedGeneration"] == make.GENERATION
        assert not replace(edited, status={"conditions": pause(edited, "", make.NOW)}).is_true(
            "Ready"
        )

    def test_a_pause_that_lasts_began_when_it_began(self) -> None:
        before = make.condition("Paused", reason="Suspended", message="Quiet")
        assert paused(subject(make.condition("Ready"), before))["Paused"] == before
