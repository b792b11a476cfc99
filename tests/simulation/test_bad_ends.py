"""What AWS begins to end and gives up: a cancel that fails, and a deletion that does."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import pytest

from cleanrooms_emulator.rules import Rules
from cleanrooms_emulator.store import Failure
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.kinds import BY_NAME
from cleanrooms_operator.runtime.outcome import Outcome
from simulation.invariants import check_rest
from simulation.nights import LONG
from simulation.specs import PARTNER
from simulation.test_running import CHANNEL, HOUR, JOB, MODEL, before, until
from simulation.world import World

CANCEL_MODEL, CANCEL_JOB = "CancelTrainedModel", "CancelTrainedModelInferenceJob"
DELETE_MODEL, DELETE_CHANNEL = "DeleteTrainedModelOutput", "DeleteMLInputChannelData"
ENDING = (CANCEL_MODEL, CANCEL_JOB, DELETE_MODEL, DELETE_CHANNEL)
SHORT = 700.0
"""Seconds in which what failed once is tried again."""
NEVER = 100
"""How often AWS fails, where a test sees no end of it."""


@dataclass(frozen=True)
class End:
    """A run that is deleted in some state, and what of its end AWS fails to do."""

    key: Key
    state: str
    failing: tuple[str, ...]
    asked: tuple[str, ...]
    """What AWS is asked to do where each of it fails once."""

    @property
    def lasts(self) -> float:
        """Seconds in which it is over where AWS fails once."""
        return HOUR + 2 * SHORT if self.key == JOB else 2 * SHORT

    def begun(self, times: int) -> World:
        """Return a world in which AWS will fail so often."""
        world = _running(self.key, self.state).fork()
        for action in self.failing:
            for _ in range(times):
                world.aws.emulator.store.fail_next(self._failure(action))
        return world

    def stuck(self) -> World:
        """Return a world in which it is deleted, and AWS has failed for some hours."""
        return _stuck(self).fork()

    def mend(self, world: World) -> None:
        """Let AWS work again."""
        for action in self.failing:
            of = self._failure(action)
            while world.aws.emulator.store.failure_of(of.kind, self.key.name, action):
                pass

    def _failure(self, action: str) -> Failure:
        kind = {JOB: "TrainedModelInferenceJob"}.get(self.key, self.key.kind)
        return Failure(kind, "ACCESS_DENIED", "The bucket is gone.", action=action)

    def check(self, world: World) -> None:
        """Assert that nothing is left but the record of what AWS could not cancel."""
        assert self.key not in world.resources
        kind = BY_NAME[self.key.kind]
        (left,) = (item["status"] for item in world.aws.records_of(PARTNER, kind))
        assert left == ("CANCEL_FAILED" if self.key == JOB else "INACTIVE")
        assert world.aws.sent(kind.create) <= 1
        check_rest(world)


@cache
def _running(key: Key, state: str) -> World:
    return until(before(key), key, state)


@cache
def _stuck(end: End) -> World:
    world = end.begun(NEVER)
    world.delete(end.key)
    world.rest(3 * HOUR)
    return world


CREATED, MADE = "CREATE_IN_PROGRESS", "ACTIVE"
DATA = End(CHANNEL, MADE, ("delete",), (DELETE_CHANNEL, DELETE_CHANNEL))
OUTPUT = End(MODEL, MADE, ("delete",), (DELETE_MODEL, DELETE_MODEL))
TRAINING = End(MODEL, CREATED, ("cancel",), (CANCEL_MODEL, DELETE_MODEL))
BOTH = End(MODEL, CREATED, ("cancel", "delete"), (CANCEL_MODEL, DELETE_MODEL, DELETE_MODEL))
INFERENCE = End(JOB, CREATED, ("cancel",), (CANCEL_JOB,))

ENDS = {"data": DATA, "output": OUTPUT, "training": TRAINING, "both": BOTH, "job": INFERENCE}
STUCK = {"data": DATA, "output": OUTPUT, "both": BOTH}
"""Those that leave something behind, which AWS does not delete."""

EVERY_END = pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
EVERY_STUCK = pytest.mark.parametrize("end", STUCK.values(), ids=STUCK)


def asked(world: World) -> tuple[str, ...]:
    """Return what AWS was asked to end, in order."""
    return tuple(record.operation for record in world.aws.records(*ENDING))


def tries(world: World) -> list[float]:
    """Return at which times AWS was asked to delete, in seconds."""
    return [r.emulated.timestamp() for r in world.aws.records(DELETE_MODEL, DELETE_CHANNEL)]


def events(world: World, key: Key) -> list[tuple[str, str]]:
    """Let a resource go, and return (reason, message) of all that is told of it on the way."""
    told: list[tuple[str, str]] = []
    while key in world.resources:
        run = world.run(key)
        world.tick(60.0)
        if isinstance(run.result, Outcome):
            told += [(event.reason, event.message) for event in run.result.events]
    return told


# -- for once --------------------------------------------------------------------------------


@EVERY_END
def test_op_18_what_fails_once_is_ended_all_the_same(end: End) -> None:
    """OP-21: a job leaves nothing to delete; its record is let go after an hour."""
    world = end.begun(times=1)
    world.delete(end.key)
    world.rest(end.lasts)
    assert asked(world) == end.asked
    end.check(world)


@pytest.mark.parametrize("race", ["fail", "conflict"])
@pytest.mark.parametrize("end", [TRAINING, INFERENCE], ids=["training", "job"])
def test_er_31_what_could_not_be_cancelled_by_word_is_cancelled_once(end: End, race: str) -> None:
    """OP-18: its deletion asks for nothing but what can still be deleted."""
    world = until(before(end.key, Rules.parse((f"ER-31={race}",))), end.key, CREATED)
    world.annotate(end.key, cancel="true")
    world.settle()
    assert world.told(end.key) == ("Stalled CancelFailed" if race == "fail" else "Ready")
    world.delete(end.key)
    world.rest(2 * HOUR)
    assert end.key not in world.resources
    assert asked(world) == end.asked
    check_rest(world)


# -- for ever --------------------------------------------------------------------------------


@EVERY_STUCK
def test_op_18_what_cannot_be_deleted_is_held_and_tells_what_to_do(end: End) -> None:
    world = end.stuck()
    assert world.resources[end.key].held
    assert world.told(end.key) == "Stalled DeletionBlocked"
    for words in ("DELETE_FAILED", "The bucket is gone. Mend", 'abandon: "true"'):
        assert words in world.message(end.key)


@EVERY_STUCK
def test_r_23_what_cannot_be_deleted_is_quiet_and_tried_ever_more_seldom(end: End) -> None:
    """R-23: that it is tried again, and fails again, is no news."""
    world = end.begun(NEVER)
    world.delete(end.key)
    while world.told(end.key) != "Stalled DeletionBlocked":
        assert world.run_next()
    patches = world.kubernetes.patches[end.key]
    world.rest(3 * world.pace.list_interval)
    assert world.kubernetes.patches[end.key] == patches
    world.rest(5 * HOUR)
    assert world.kubernetes.patches[end.key] == patches
    gaps = [b - a for a, b in pairwise(tries(world))]
    slack = world.pace.list_interval
    for gap, expected in zip(gaps, (600.0, 1200.0, 2400.0, HOUR, HOUR, HOUR), strict=False):
        assert expected <= gap < expected + slack
    assert len(gaps) >= 5
    assert world.aws.sent(CANCEL_MODEL) == end.failing.count("cancel")


@EVERY_STUCK
def test_op_18_it_is_told_once_that_something_cannot_be_deleted(end: End) -> None:
    world = end.begun(NEVER)
    world.delete(end.key)
    told: list[str] = []
    for _ in range(60):
        run = world.run(end.key)
        world.tick(60.0)
        assert isinstance(run.result, Outcome)
        told += [event.reason for event in run.result.events]
    assert len(tries(world)) > 2
    assert told == ["DeletionBlocked"]


@EVERY_STUCK
def test_op_18_what_works_again_is_deleted_by_itself(end: End) -> None:
    world = end.stuck()
    end.mend(world)
    world.rest(world.pace.detail_interval + world.pace.list_interval)
    assert len(tries(world)) == 1
    end.check(world)


@EVERY_STUCK
def test_op_18_who_has_mended_it_asks_for_a_look_and_need_not_wait(end: End) -> None:
    world = end.stuck()
    end.mend(world)
    world.annotate(end.key, reconcile_requested_at="now")
    world.rest(60.0)
    assert len(tries(world)) == 1
    end.check(world)


@EVERY_STUCK
def test_a_look_that_is_asked_for_in_vain_is_answered_and_tries_once(end: End) -> None:
    world = end.stuck()
    patches = world.kubernetes.patches[end.key]
    world.annotate(end.key, reconcile_requested_at="now")
    world.rest(60.0)
    assert len(tries(world)) == 1
    assert world.resources[end.key].status["lastHandledReconcileAt"] == "now"
    assert world.kubernetes.patches[end.key] == patches + 1
    assert world.told(end.key) == "Stalled DeletionBlocked"


@EVERY_STUCK
def test_op_18_a_person_may_leave_in_aws_what_cannot_be_deleted(end: End) -> None:
    world = end.stuck()
    arn = world.resources[end.key].status["arn"]
    world.annotate(end.key, abandon="true")
    ((reason, message),) = events(world, end.key)
    assert reason == "Abandoned"
    assert arn in message
    world.rest(HOUR)
    assert not asked(world)
    check_rest(world)


# -- what nothing can end --------------------------------------------------------------------


def test_op_21_a_job_that_cannot_be_cancelled_says_so_and_is_let_go_after_an_hour() -> None:
    world = INFERENCE.begun(NEVER)
    world.delete(JOB)
    world.rest(60.0)
    assert world.told(JOB) == "Stalled DeletionBlocked"
    for words in ("CANCEL_FAILED", "The bucket is gone. Nothing can end it", 'abandon: "true"'):
        assert words in world.message(JOB)
    patches, lists = world.kubernetes.patches[JOB], world.aws.sent("ListTrainedModelInferenceJobs")
    world.rest(HOUR - 120.0)
    assert world.kubernetes.patches[JOB] == patches
    assert world.aws.sent("ListTrainedModelInferenceJobs") - lists <= 7
    assert world.resources[JOB].held
    arn = world.resources[JOB].status["arn"]
    *_, (reason, message) = events(world, JOB)
    assert reason == "GivenUp"
    assert arn in message
    assert asked(world) == (CANCEL_JOB,)
    INFERENCE.check(world)


def test_op_21_a_person_need_not_wait_for_a_job_that_cannot_be_cancelled() -> None:
    world = INFERENCE.begun(NEVER)
    world.delete(JOB)
    world.rest(60.0)
    world.annotate(JOB, abandon="true")
    assert [reason for reason, _ in events(world, JOB)] == ["Abandoned"]
    INFERENCE.check(world)


# -- where the operator dies -----------------------------------------------------------------


def bounded(end: End, told: Sequence[str], again: int) -> bool:
    """Whether AWS was asked to end it no more often than is needed, or so often again."""
    return all(told.count(name) <= end.asked.count(name) + again for name in end.asked)


@EVERY_END
def test_op_18_a_death_at_any_point_of_a_bad_end_changes_nothing_of_it(end: End) -> None:
    def live(world: World) -> None:
        world.delete(end.key)
        world.rest(end.lasts)

    world = end.begun(times=1)
    dead = world.deaths(live)
    end.check(world)
    assert len(dead) > 5, "the scenario is about something"
    for each in dead:
        # Who was to tell that it went may have died.
        each.guard.left |= {end.key} - each.resources.keys()
        each.rest(end.lasts)
        assert bounded(end, asked(each), again=0)
        end.check(each)


@EVERY_STUCK
def test_op_18_a_death_at_any_point_of_a_deletion_in_vain_loses_nothing(end: End) -> None:
    def live(world: World) -> None:
        world.delete(end.key)
        world.rest(1000.0)

    for each in end.begun(NEVER).deaths(live):
        each.rest(1000.0)
        assert each.told(end.key) == "Stalled DeletionBlocked"
        assert each.resources[end.key].held
        end.mend(each)
        each.rest(2 * SHORT)
        end.check(each)


@pytest.mark.skipif(not LONG, reason="minutes for what the others show: SIMULATION=long takes it")
@pytest.mark.parametrize("moment", ["before", "after"])
@EVERY_END
def test_op_18_a_death_at_any_request_of_a_bad_end_changes_nothing_of_it(
    end: End, moment: str
) -> None:
    prepared = end.begun(times=1)
    living = prepared.fork()
    living.delete(end.key)
    living.rest(end.lasts)
    for number in range(1, living.requests + 1):
        world = prepared.fork()
        world.delete(end.key)
        world.dies_at = (number, moment == "after")
        world.settle_until_death()
        world.guard.left |= {end.key} - world.resources.keys()
        world.rest(end.lasts)
        assert bounded(end, asked(world), again=1)
        end.check(world)
