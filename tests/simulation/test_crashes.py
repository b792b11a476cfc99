"""The operator dies at every point of a life, and a new process takes over: the end is the same.

What a process has only read is lost with it. So a life is lived once, and wherever something has
changed in Kubernetes or in AWS there is a world in which the answer to that request never came.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_operator.core.pace import Pace
from simulation import specs
from simulation.invariants import check_rest, objects
from simulation.nights import LONG
from simulation.world import World

LAG = Fault(kind=FaultKind.LAG, operation="List*", seconds=90)


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


def deaths(life: Life, *faults: Fault) -> list[World]:
    """Return a world for each point of a life where the operator may die, in which it has."""

    def live(world: World) -> None:
        life.act(world)
        world.settle()
        life.check(world)

    world = life.prepare()
    for fault in faults:
        world.aws.faults.add(fault)
    return world.deaths(live)


LISTS = pytest.mark.parametrize("faults", [(), (LAG,)], ids=["true lists", "lagging lists"])


@pytest.mark.parametrize("name", LIVES)
@LISTS
def test_a_death_at_any_point_changes_nothing_of_the_end(
    name: str, faults: tuple[Fault, ...]
) -> None:
    life = LIVES[name]
    dead = deaths(life, *faults)
    assert len(dead) > 15, "the scenario is about something"
    for world in dead:
        world.settle()
        life.check(world)
        world.aws.faults.clear()
        check_rest(world)


@pytest.mark.parametrize("name", RUNS)
@LISTS
def test_a_death_at_any_point_buys_nothing_twice(name: str, faults: tuple[Fault, ...]) -> None:
    """R-37: also where Lists lag, and where all comes back without status."""
    life = RUNS[name]
    for before in deaths(life, *faults):
        world = before.fork()
        world.settle()
        life.check(world)
        world.aws.faults.clear()
        check_rest(world)
        if life.check is _all_ready:
            before.tick(before.pace.settle)
            before.restore()
            before.settle()
            life.check(before)
            before.aws.faults.clear()
            check_rest(before)


@LISTS
def test_what_is_deleted_while_it_is_made_leaves_nothing(faults: tuple[Fault, ...]) -> None:
    """What a List does not show yet may be there all the same."""
    for world in deaths(LIVES["create"], *faults):
        specs.delete_all(world)
        world.settle()
        world.aws.faults.clear()
        _all_gone(world)


def test_a_restore_after_any_death_makes_nothing_twice() -> None:
    """Resources come back without status and finalizers, and with other UIDs."""
    life = LIVES["create"]
    for world in deaths(life):
        world.tick(world.pace.settle)
        world.restore()
        world.settle()
        life.check(world)
        check_rest(world)


@pytest.mark.skipif(not LONG, reason="hours for what the others show: SIMULATION=long takes it")
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", LIVES | RUNS)
def test_a_death_at_any_request_changes_nothing_of_the_end(name: str, moment: str) -> None:
    """That deaths between two changes do not differ is what the others rest on."""
    life = (LIVES | RUNS)[name]
    prepared = life.prepare()
    living = prepared.fork()
    life.act(living)
    living.settle()
    for number in range(1, living.requests + 1):
        world = prepared.fork()
        life.act(world)
        world.dies_at = (number, moment == "after")
        world.settle_until_death()
        world.settle()
        life.check(world)
        check_rest(world)
