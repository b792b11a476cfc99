"""The operator dies at every point of a life: before a request is executed, and after.

Each scenario is run once to count the requests of its passes; then once for each of them and
each way to die there. A new process takes over, and whatever happened, the end is the same.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_operator.core.pace import Pace
from simulation import specs
from simulation.invariants import check_rest, objects
from simulation.world import World

LAG = Fault(kind=FaultKind.LAG, operation="List*", seconds=90)

EITHER_WAY = pytest.mark.parametrize("moment", ["before", "after"])
"""Whether the process dies before its request is executed, or before the answer comes."""


@dataclass(frozen=True)
class Life:
    """What is done to a world, and what must hold at the end."""

    prepare: Callable[[], World]
    act: Callable[[World], object]
    check: Callable[[World], None]


def _nothing() -> World:
    world = World()
    specs.accounts(world)
    world.settle()
    return world


def _all_ready(world: World) -> None:
    for key, resource in world.resources.items():
        assert resource.is_true("Ready"), (key, resource.status)


def _all_gone(world: World) -> None:
    assert not world.resources
    assert objects(world) == []


def _edit(world: World) -> None:
    for example in specs.EXAMPLES.values():
        example.edit(world)


def _ran(*names: str) -> Callable[[], World]:
    """Return what makes a world in which these runs have ended, and nothing is polled often."""

    def prepare() -> World:
        world = World(pace=Pace(progress_interval=100.0))
        specs.walkthrough(world)
        for name in names:
            specs.RUNS[name].apply(world)
        world.settle()
        return world

    return prepare


def _running(*names: str) -> Callable[[], World]:
    """Return what makes a world in which the last of these runs is under way."""

    def prepare() -> World:
        world = _ran(*names[:-1])()
        specs.RUNS[names[-1]].apply(world)
        while world.resources[specs.RUNS[names[-1]].key].status.get("state") is None:
            world.run_next()
        return world

    return prepare


def _run(name: str) -> Callable[[World], object]:
    return specs.RUNS[name].apply


def _delete(name: str) -> Callable[[World], object]:
    return specs.RUNS[name].delete


def _gone(name: str) -> Callable[[World], None]:
    def check(world: World) -> None:
        key = specs.RUNS[name].key
        assert key not in world.resources
        assert not [kind for _, kind, _ in objects(world) if kind.name == key.kind]

    return check


def _cancel(world: World) -> None:
    world.annotate(specs.RUNS["job"].key, cancel="true")


def _cancelled(world: World) -> None:
    assert world.told(specs.RUNS["job"].key) == "Stalled Cancelled"


RUNS = {
    "query": Life(_ran(), _run("channel"), _all_ready),
    "inference": Life(_ran("channel", "model"), _run("job"), _all_ready),
    "cancel": Life(_running("channel", "model", "job"), _cancel, _cancelled),
    "delete while it runs": Life(_running("channel", "model", "job"), _delete("job"), _gone("job")),
    "delete while it queries": Life(_running("channel"), _delete("channel"), _gone("channel")),
}
"""Lives of what costs money."""

LIVES = {
    "create": Life(_nothing, specs.walkthrough, _all_ready),
    "update": Life(specs.settled, _edit, _all_ready),
    "delete": Life(specs.settled, specs.delete_all, _all_gone),
}


def requests_of(life: Life) -> int:
    """Return how many requests a life has in which nobody dies."""
    world = life.prepare()
    life.act(world)
    before = world.requests
    world.settle()
    life.check(world)
    return world.requests - before


def die_at(world: World, life: Life, number: int, moment: str) -> World:
    """Let the process die at the n-th request of a life."""
    life.act(world)
    world.dies_at = (world.requests + number, moment == "after")
    world.settle_until_death()
    return world


@pytest.mark.parametrize("name", LIVES)
@EITHER_WAY
def test_a_death_at_any_request_changes_nothing_of_the_end(name: str, moment: str) -> None:
    life = LIVES[name]
    prepared = life.prepare()
    count = requests_of(life)
    assert count > 40, "the scenario is about something"
    for number in range(1, count + 1):
        world = die_at(prepared.fork(), life, number, moment)
        world.settle()
        life.check(world)
        check_rest(world)


@pytest.mark.parametrize("name", RUNS)
@EITHER_WAY
def test_a_death_at_any_request_buys_nothing_twice(name: str, moment: str) -> None:
    """R-37: also where Lists lag, and where all comes back without status."""
    life = RUNS[name]
    prepared = life.prepare()
    for number in range(1, requests_of(life) + 1):
        before = die_at(prepared.fork(), life, number, moment)
        world = before.fork()
        world.settle()
        life.check(world)
        check_rest(world)
        if moment == "after":
            lagging = before.fork()
            lagging.aws.faults.add(LAG)
            lagging.settle()
            life.check(lagging)
        if life.check is _all_ready:
            before.tick(before.pace.settle)
            before.restore()
            before.settle()
            life.check(before)
            check_rest(before)


@EITHER_WAY
def test_a_death_while_lists_lag_makes_nothing_twice(moment: str) -> None:
    life = LIVES["create"]
    prepared = life.prepare()
    for number in range(1, requests_of(life) + 1):
        world = prepared.fork()
        world.aws.faults.add(LAG)
        die_at(world, life, number, moment)
        world.settle()
        life.check(world)
        world.aws.faults.clear()
        check_rest(world)


@pytest.mark.parametrize("lists", ["true", "lagging"])
@EITHER_WAY
def test_what_is_deleted_while_it_is_made_leaves_nothing(lists: str, moment: str) -> None:
    """What a List does not show yet may be there all the same."""
    life = LIVES["create"]
    prepared = life.prepare()
    for number in range(1, requests_of(life) + 1):
        world = prepared.fork()
        if lists == "lagging":
            world.aws.faults.add(LAG)
        die_at(world, life, number, moment)
        specs.delete_all(world)
        world.settle()
        world.aws.faults.clear()
        _all_gone(world)


@EITHER_WAY
def test_a_restore_after_any_death_makes_nothing_twice(moment: str) -> None:
    """Resources come back without status and finalizers, and with other UIDs."""
    life = LIVES["create"]
    prepared = life.prepare()
    for number in range(1, requests_of(life) + 1):
        world = die_at(prepared.fork(), life, number, moment)
        world.tick(world.pace.settle)
        world.restore()
        world.settle()
        life.check(world)
        check_rest(world)
