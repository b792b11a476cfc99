"""Bugs put into the engine on purpose: the tests named beside each must find it.

Each of these tests finds each bug named with it; a test that finds none would be worth nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from cleanrooms_emulator.faults import Fault
from cleanrooms_operator.core import converge, decide, teardown
from cleanrooms_operator.core.ownership import Claim, Owner
from cleanrooms_operator.core.pace import Pace
from cleanrooms_operator.core.resource import Resource
from cleanrooms_operator.core.step import (
    Absent,
    Delete,
    Disproved,
    Lifecycle,
    Mark,
    Missing,
    Present,
    Release,
    Step,
    Uncertain,
    Wait,
)
from cleanrooms_operator.runtime import observe, perform, reconcile, report, search
from simulation import (
    answers,
    kubernetes,
    test_adopting,
    test_budgets,
    test_crashes,
    test_creating,
    test_drifting,
    test_histories,
    test_interleavings,
    test_leaving,
    test_pausing,
    world,
)
from simulation.test_crashes import LAG

Patch = pytest.MonkeyPatch
Check = Callable[[], object]


# -- how to put a bug in -------------------------------------------------------------------------


def rewrite(patch: Patch, module: Any, name: str, change: Callable[..., Any]) -> None:
    """Let a function return what `change` makes of (its result, its arguments)."""
    real = getattr(module, name)
    patch.setattr(module, name, lambda *arguments: change(real(*arguments), *arguments))


def rewrite_awaited(patch: Patch, module: Any, name: str, change: Callable[[Any], Any]) -> None:
    real = getattr(module, name)

    async def rewritten(*arguments: Any) -> Any:
        return change(await real(*arguments))

    patch.setattr(module, name, rewritten)


def skip(patch: Patch, module: Any, name: str, result: Any = None) -> None:
    """Let an awaited function do nothing."""

    async def nothing(*_: Any) -> Any:
        return result

    patch.setattr(module, name, nothing)


def paced(patch: Patch, **over: float) -> None:
    patch.setattr(world, "Pace", lambda: Pace(**over))


# -- the bugs ------------------------------------------------------------------------------------


def no_wait_after_a_lost_create(patch: Patch) -> None:
    def believe(found: Any) -> Any:
        return Disproved(unsent=False) if isinstance(found, Uncertain) else found

    rewrite_awaited(patch, search, "resolve_attempt", believe)


def wait_shorter_than_lists_lag(patch: Patch) -> None:
    paced(patch, settle=30.0)


def no_wait_at_all(patch: Patch) -> None:
    paced(patch, settle=0.0)


def no_write_ahead(patch: Patch) -> None:
    real = report.Reporter.write

    async def forgetful(self: Any, step: Step, changes: Any) -> None:
        await real(self, step, {k: v for k, v in changes.items() if k != "attempt" or v is None})

    patch.setattr(report.Reporter, "write", forgetful)


def attempt_written_without_a_precondition(patch: Patch) -> None:
    real = kubernetes.Kubernetes.write_status

    def blind(self: Any, resource: Resource, changes: Any) -> Resource:
        stored = self.resources.get(resource.key)
        return real(self, stored if changes.get("attempt") and stored else resource, changes)

    patch.setattr(kubernetes.Kubernetes, "write_status", blind)


def sent_again_without_asking_whether_the_attempt_stands(patch: Patch) -> None:
    patch.setitem(answers._PORTS, "confirm", lambda *_: None)


def send_window_ignored(patch: Patch) -> None:
    paced(patch, send_window=1e9)


def attempt_forgotten_when_its_outcome_is_unknown(patch: Patch) -> None:
    real = perform._on_refusal

    async def careless(view: Any, error: Any, reporter: Any) -> None:
        error.harmless = True
        await real(view, error, reporter)

    patch.setattr(perform, "_on_refusal", careless)


def identifier_never_stored(patch: Patch) -> None:
    def without(made: dict[str, Any], *_: Any) -> dict[str, Any]:
        return {k: v for k, v in made.items() if k not in {"identifier", "arn"}}

    rewrite(patch, perform, "_made", without)


def tags_not_sent(patch: Patch) -> None:
    patch.setattr(Owner, "tags", lambda *_: {})


def no_look_before(patch: Patch) -> None:
    skip(patch, search, "find_by_name", Absent())


def no_look_by_key(patch: Patch) -> None:
    skip(patch, search, "find_by_key", Absent())


def created_before_the_finalizer(patch: Patch) -> None:
    async def let_be(resource: Resource, _: Any) -> Resource:
        return resource

    patch.setattr(reconcile, "_held", let_be)


def anybodys_is_taken(patch: Patch) -> None:
    def greedy(claim: Claim, *_: Any) -> Claim:
        return Claim.OURS if claim is Claim.NOBODY else claim

    rewrite(patch, Owner, "claim", greedy)


def gone_is_deleted_again(patch: Patch) -> None:
    def again(step: Step, kind: Any, situation: Any) -> Step:
        observed = situation.observed
        if not isinstance(observed, Missing):
            return step
        status = situation.resource.status
        ready, ours = Lifecycle.READY, Claim.OURS
        found = Present(observed.identifier, status["arn"], "ACTIVE", ready, ours)
        return step if kind.delete is None else Delete(found, kind.delete)

    rewrite(patch, teardown, "next_step", again)


def changing_counts_as_deleted(patch: Patch) -> None:
    def hasty(step: Step, _: Any, __: Any, present: Present) -> Step:
        return Release() if present.lifecycle is Lifecycle.CHANGING else step

    rewrite(patch, teardown, "_end", hasty)


def failed_counts_as_absent(patch: Patch) -> None:
    def blind(found: Any) -> Any:
        is_failed = isinstance(found, Present) and found.lifecycle is Lifecycle.FAILED
        return Missing(found.identifier, proved=True) if is_failed else found

    rewrite_awaited(patch, reconcile, "observe", blind)


def released_before_the_deletion_is_confirmed(patch: Patch) -> None:
    def hasty(step: Step, *_: Any) -> Step:
        return Release() if isinstance(step, Delete) else step

    rewrite(patch, teardown, "next_step", hasty)


def released_when_not_shown_once(patch: Patch) -> None:
    rewrite(patch, teardown, "_gone", lambda *_: Release())


def released_while_uncertain(patch: Patch) -> None:
    def hasty(step: Step, _: Any, situation: Any, observed: Any) -> Step:
        return Release() if situation.resource.deleting and observed == Uncertain() else step

    rewrite(patch, decide, "_resolve", hasty)


def no_mark_before_the_end(patch: Patch) -> None:
    def hasty(step: Step, kind: Any, *_: Any) -> Step:
        return Delete(step.present, kind.delete) if isinstance(step, Mark) else step

    rewrite(patch, teardown, "_end", hasty)


def missing_is_believed_at_once(patch: Patch) -> None:
    rewrite_awaited(patch, observe, "_missed", lambda found: replace(found, proved=True))


def pause_ignored(patch: Patch) -> None:
    patch.setattr(decide, "paused", lambda *_: None)
    patch.setattr(reconcile, "paused", lambda *_: None)


def drift_never_mended(patch: Patch) -> None:
    patch.setattr(converge, "pending", lambda *_: iter(()))


def written_though_nothing_is_new(patch: Patch) -> None:
    patch.setattr(report, "_says_the_same", lambda *_: False)


def generation_claimed_that_was_not_seen(patch: Patch) -> None:
    real = report.Reporter._concluded

    def boastful(self: Any, step: Step) -> dict[str, Any]:
        concluded = real(self, step)
        return {**concluded, "observedGeneration": concluded["observedGeneration"] + 1}

    patch.setattr(report.Reporter, "_concluded", boastful)


def waits_without_looking_again(patch: Patch) -> None:
    def never(again: float | None, _: Any, step: Step, *__: Any) -> float | None:
        return None if isinstance(step, Wait) else again

    rewrite(patch, reconcile, "_again", never)


# -- who must find them --------------------------------------------------------------------------


def crash(life: str, *faults: Fault) -> Check:
    check = test_crashes.test_a_death_at_any_point_changes_nothing_of_the_end
    return lambda: check(life, faults)


def race(name: str, act: str) -> Check:
    return lambda: test_interleavings.test_two_processes_at_once_do_what_one_would(name, act)


def stopped(name: str, act: str, pause: float) -> Check:
    check = test_interleavings.test_a_process_that_was_stopped_and_goes_on_changes_nothing
    return lambda: check(name, act, pause)


def deleted_while_made(*faults: Fault) -> Check:
    check = test_crashes.test_what_is_deleted_while_it_is_made_leaves_nothing
    return lambda: check(faults)


def histories() -> None:
    test_histories.tell(test_histories.BRIEF)


def lost(number: int, lags: float) -> Check:
    check = test_creating.test_r_8_what_proves_nothing_is_looked_up_before_anything_is_sent_again
    return lambda: check(test_creating.LOST[number], lags)


@dataclass(frozen=True)
class Bug:
    """A bug, and the checks each of which finds it."""

    inject: Callable[[Patch], None]
    found_by: tuple[Check, ...]


BUGS = (
    Bug(no_wait_after_a_lost_create, (crash("create", LAG), lost(2, 300))),
    Bug(wait_shorter_than_lists_lag, (crash("create", LAG),)),
    Bug(no_wait_at_all, (crash("create", LAG),)),
    Bug(no_write_ahead, (crash("create"), race("collaboration", "creation"))),
    Bug(attempt_written_without_a_precondition, (race("collaboration", "creation"),)),
    Bug(
        sent_again_without_asking_whether_the_attempt_stands,
        (
            test_creating.test_r_7_who_sends_again_asks_the_api_server_whether_the_attempt_still_stands,
        ),
    ),
    Bug(
        send_window_ignored,
        (
            lambda: test_creating.test_r_7_a_create_is_sent_within_its_window_or_never(3600.0),
            stopped("collaboration", "creation", 500.0),
        ),
    ),
    Bug(attempt_forgotten_when_its_outcome_is_unknown, (lost(2, 300),)),
    Bug(identifier_never_stored, (crash("create"), histories)),
    Bug(tags_not_sent, (crash("create"),)),
    Bug(
        no_look_before,
        (
            test_adopting.test_a_restore_finds_all_that_was_there_and_makes_nothing,
            race("collaboration", "adoption"),
            histories,
        ),
    ),
    Bug(no_look_by_key, (test_adopting.test_a_restore_finds_all_that_was_there_and_makes_nothing,)),
    Bug(created_before_the_finalizer, (crash("create"),)),
    Bug(
        anybodys_is_taken,
        (
            test_adopting.test_without_a_word_what_was_made_by_hand_is_left_alone,
            test_adopting.test_r_4_a_membership_made_in_the_console_is_not_taken_without_a_word,
        ),
    ),
    Bug(gone_is_deleted_again, (crash("delete"), race("partner", "ending"))),
    Bug(
        changing_counts_as_deleted,
        (test_leaving.test_what_aws_is_still_changing_is_waited_for,),
    ),
    Bug(failed_counts_as_absent, (test_leaving.test_r_15_ii_the_creator_ends_it_for_all_by_word,)),
    Bug(
        released_before_the_deletion_is_confirmed,
        (crash("delete"), race("collaboration", "deletion"), histories),
    ),
    Bug(
        released_when_not_shown_once,
        (test_leaving.test_one_read_that_shows_nothing_ends_no_deletion,),
    ),
    Bug(released_while_uncertain, (deleted_while_made(LAG),)),
    Bug(
        no_mark_before_the_end,
        (
            lambda: test_leaving.test_r_3_an_object_is_marked_before_the_first_call_that_ends_it(
                "partner"
            ),
        ),
    ),
    Bug(
        missing_is_believed_at_once,
        (test_creating.test_r_9_what_is_gone_is_called_missing_after_a_settle_time,),
    ),
    Bug(
        pause_ignored,
        (test_pausing.test_r_39_while_paused_nothing_is_asked_or_changed_and_the_status_says_so,),
    ),
    Bug(
        drift_never_mended,
        (
            test_drifting.test_drift_is_shown_while_it_is_mended_and_the_resource_stays_ready,
            crash("update"),
        ),
    ),
    Bug(
        written_though_nothing_is_new,
        (test_budgets.test_r_23_becoming_ready_takes_four_and_six_writes,),
    ),
    Bug(generation_claimed_that_was_not_seen, (crash("update"),)),
    Bug(waits_without_looking_again, (crash("create"), histories)),
)


@pytest.mark.parametrize(
    ("bug", "check"),
    [
        pytest.param(bug, check, id=f"{bug.inject.__name__}-{number}")
        for bug in BUGS
        for number, check in enumerate(bug.found_by)
    ],
)
def test_a_seeded_bug_is_found(bug: Bug, check: Check, monkeypatch: Patch) -> None:
    bug.inject(monkeypatch)
    with pytest.raises(AssertionError):
        check()
