"""The operator dies at every point of a life: before a request is executed, and after.

Each scenario is run once to count the requests of its passes; then once for each of them and
each way to die there. A new process takes over, and whatever happened, the end is the same.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from simulation import specs
from simulation.invariants import check_money
from simulation.world import World

from cleanrooms_operator.core.resource import Key
from cleanrooms_emulator.faults import Fault, FaultKind


@dataclass(frozen=True)
class Life:
    """What is done to a world, and what must hold at the end."""

    prepare: Callable[[World], None]
    act: Callable[[World], None]
    check: Callable[[World], None]


def _nothing(world: World) -> None:
    specs.accounts(world)
    world.settle()


def _joined(world: World) -> None:
    specs.walkthrough(world)
    world.settle()


def _all_ready(world: World) -> None:
    for key, resource in world.resources.items():
        assert resource.is_true("Ready"), (key, resource.status)


def _all_gone(world: World) -> None:
    assert not world.resources
    for account in (specs.CREATOR, specs.PARTNER):
        assert world.objects(account) == []


def _edit(world: World) -> None:
    edited = specs.collaboration(description="Changed", tags={"team": "b"})
    world.apply("Collaboration", "ads", edited, "a")
    world.apply("Membership", "member", specs.creators_membership(queryLogStatus="DISABLED"), "a")


def _edited(world: World) -> None:
    _all_ready(world)
    key = world.resources[Key("Collaboration", "a", "ads")]
    shown = world.ask(
        specs.CREATOR,
        "cleanrooms",
        "GetCollaboration",
        collaborationIdentifier=key.status["identifier"],
    )
    assert shown["collaboration"]["description"] == "Changed"


def _delete_all(world: World) -> None:
    world.annotate(Key("Collaboration", "a", "ads"), delete_collaboration="true")
    world.annotate(Key("Membership", "b", "member"), delete_membership="true")
    for key in list(world.resources):
        world.delete(key)


LIVES = {
    "create": Life(_nothing, lambda world: void(specs.walkthrough(world)), _all_ready),
    "update": Life(_joined, _edit, _edited),
    "delete": Life(_joined, _delete_all, _all_gone),
}


def void(_: object) -> None:
    return None


def requests_of(life: Life) -> int:
    world = World()
    life.prepare(world)
    life.act(world)
    before = world.requests
    world.settle()
    life.check(world)
    check_money(world)
    return world.requests - before


def die_at(life: Life, number: int, *, after: bool, fault: Fault | None = None) -> World:
    """Run a life in which the process dies at its n-th request, before or after it is executed."""
    world = World()
    life.prepare(world)
    if fault is not None:
        world.aws.faults.add(fault)
    life.act(world)
    world.dies_at = (world.requests + number, after)
    world.settle()
    assert world.dies_at is None, "the scenario has fewer requests than it was said to"
    life.check(world)
    check_money(world)
    return world


@pytest.mark.parametrize("name", LIVES)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_death_at_any_request_changes_nothing_of_the_end(name: str, after: bool) -> None:
    life = LIVES[name]
    count = requests_of(life)
    assert count > 15, "the scenario is about something"
    for number in range(1, count + 1):
        die_at(life, number, after=after)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_death_while_lists_lag_makes_nothing_twice(after: bool) -> None:
    life = LIVES["create"]
    lag = Fault(kind=FaultKind.LAG, operation="List*", seconds=90)
    for number in range(1, requests_of(life) + 1):
        die_at(life, number, after=after, fault=lag)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_what_is_deleted_while_it_is_made_leaves_nothing(after: bool) -> None:
    life = LIVES["create"]
    for number in range(1, requests_of(life) + 1):
        world = World()
        life.prepare(world)
        life.act(world)
        world.dies_at = (world.requests + number, after)
        world.settle_until_death()
        _delete_all(world)
        world.settle()
        _all_gone(world)
        check_money(world)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_restore_after_any_death_makes_nothing_twice(after: bool) -> None:
    """Resources come back without status and finalizers, and with other UIDs."""
    life = LIVES["create"]
    for number in range(1, requests_of(life) + 1):
        world = World()
        life.prepare(world)
        life.act(world)
        world.dies_at = (world.requests + number, after)
        world.settle_until_death()
        world.tick(world.pace.settle)
        world.restore()
        world.settle()
        _all_ready(world)
        check_money(world)
