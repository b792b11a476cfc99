"""What 500 runs in five memberships cost AWS and Kubernetes, under way and over."""

from collections import Counter
from dataclasses import dataclass

import pytest

from cleanrooms_emulator.log import Record
from cleanrooms_operator.core.pace import Pace
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.kinds import BY_NAME
from simulation.fleet import EACH, MEMBERSHIPS, apply, fleet
from simulation.world import World

PACE = Pace(progress_interval=60.0)
PUBLISHED = 1000.0
"""After so many seconds nobody asks for what AWS publishes of an ended run (rule R-24)."""
INTERVALS = 4
GETS = 1 + 2
"""Of one run under way: when it is there, and when its state moves."""


@dataclass(frozen=True)
class Stretch:
    """What happened for some time."""

    seconds: float
    records: list[Record]
    writes: int

    def lists(self, kind: str) -> Counter[str]:
        """Return how often the runs of each membership were listed; many pages are one List."""
        operation = BY_NAME[kind].listing.operation
        return Counter(
            record.parameters["membershipIdentifier"]
            for record in self.records
            if record.operation == operation and "nextToken" not in record.parameters
        )

    def gets(self, kind: str) -> Counter[str]:
        """Return how often each run of a kind was read."""
        parameter = BY_NAME[kind].handle.parameter
        return Counter(
            record.parameters[parameter]
            for record in self.records
            if record.operation == BY_NAME[kind].read
        )


@dataclass(frozen=True)
class Past:
    """A fleet that was started, has run to its end, and rested."""

    world: World
    keys: tuple[Key, ...]
    starting: Stretch
    under_way: Stretch
    over: Stretch


@pytest.fixture(scope="module")
def past() -> Past:
    world = fleet(PACE)
    applied = _now(world)
    keys = tuple(
        key
        for study in MEMBERSHIPS
        for kind, count in EACH.items()
        for key in apply(world, kind, study, (f"{number:02d}" for number in range(1, count)))
    )
    while any(world.resources[key].status.get("identifier") is None for key in keys):
        world.run_next()
    starting = _since(world, applied)
    began = _now(world)
    world.settle(seconds=2000.0)
    under_way = _since(world, began)
    world.rest(PUBLISHED)
    began = _now(world)
    world.rest(INTERVALS * PACE.list_interval)
    return Past(world, keys, starting, under_way, _since(world, began))


def _now(world: World) -> tuple[float, int, int]:
    return world.seconds, len(world.aws.records()), world.kubernetes.version


def _since(world: World, began: tuple[float, int, int]) -> Stretch:
    seconds, records, version = began
    return Stretch(
        world.seconds - seconds,
        world.aws.records()[records:],
        world.kubernetes.version - version,
    )


def test_all_are_bought_once_and_end_well(past: Past) -> None:
    assert Counter(past.world.told(key) for key in past.keys) == {"Ready": len(past.keys)}
    for kind, count in EACH.items():
        made = past.world.aws.records(BY_NAME[kind].create)
        assert len(made) == count * len(MEMBERSHIPS)


@pytest.mark.parametrize("kind", EACH)
def test_r_21_one_list_does_for_all_that_are_applied_together(past: Past, kind: str) -> None:
    listed = past.starting.lists(kind)
    assert max(listed.values()) <= past.starting.seconds / PACE.progress_interval + 2


@pytest.mark.parametrize("kind", EACH)
def test_r_21_under_way_each_membership_is_listed_once_an_interval(past: Past, kind: str) -> None:
    listed = past.under_way.lists(kind)
    assert len(listed) == len(MEMBERSHIPS)
    assert max(listed.values()) <= past.under_way.seconds / PACE.progress_interval + 1


@pytest.mark.parametrize("kind", EACH)
def test_r_21_a_run_under_way_is_read_when_its_state_moves(past: Past, kind: str) -> None:
    read = past.under_way.gets(kind)
    assert len(read) >= (EACH[kind] - 1) * len(MEMBERSHIPS)
    assert max(read.values()) <= GETS


@pytest.mark.parametrize("kind", ["MLInputChannel", "TrainedModel"])
def test_r_21_at_rest_each_membership_is_listed_once_a_drift_interval(
    past: Past, kind: str
) -> None:
    """Somebody may delete what is there to be used."""
    listed = past.over.lists(kind)
    assert len(listed) == len(MEMBERSHIPS)
    assert max(listed.values()) <= INTERVALS
    assert not past.over.gets(kind)


def test_r_21_finished_jobs_are_not_looked_at_again(past: Past) -> None:
    assert not past.over.lists("InferenceJob")
    assert not past.over.gets("InferenceJob")


def test_r_23_each_is_written_seldom_and_at_rest_never(past: Past) -> None:
    assert max(past.world.kubernetes.patches[key] for key in past.keys) <= 8
    assert past.over.writes == 0
