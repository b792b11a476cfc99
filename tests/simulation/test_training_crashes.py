"""The operator dies at every point of the life of a base model and a version of it (R-1, R-37)."""

from collections.abc import Callable

import pytest

from cleanrooms_emulator.rules import Rules
from simulation.invariants import check_rest
from simulation.test_crashes import EITHER_WAY, LAG, Life, die_at, requests_of
from simulation.test_trainings import CONTRARY_READINGS
from simulation.trainings import BASE, VERSION, both, models, studio, trained
from simulation.world import World


def _are_trained(world: World) -> None:
    assert (world.told(BASE), world.told(VERSION)) == ("Ready", "Ready")
    assert [state for _, _, state in models(world)] == ["ACTIVE", "ACTIVE"]


def _are_gone(world: World) -> None:
    assert not {BASE, VERSION} & world.resources.keys()
    assert {state for _, _, state in models(world)} == {"INACTIVE"}


def creation(rules: Rules) -> Life:
    return Life(lambda: studio(rules), both, _are_trained)


def deletion(rules: Rules) -> Life:
    return Life(lambda: trained(rules), lambda world: world.delete(BASE, VERSION), _are_gone)


@CONTRARY_READINGS
@pytest.mark.parametrize("act", [creation, deletion])
@EITHER_WAY
def test_r_1_a_death_at_any_request_changes_nothing_of_the_end(
    rules: Rules, act: Callable[[Rules], Life], moment: str
) -> None:
    life = act(rules)
    prepared, count = life.prepare(), requests_of(life)
    assert count > 40, "the scenario is about something"
    for number in range(1, count + 1):
        world = die_at(prepared.fork(), life, number, moment)
        world.settle()
        life.check(world)
        check_rest(world)


@CONTRARY_READINGS
@pytest.mark.parametrize("lists", ["true", "lagging"])
def test_r_37_a_restore_after_any_death_buys_nothing_twice(rules: Rules, lists: str) -> None:
    """Resources come back without status and finalizers, and with other UIDs."""
    life = creation(rules)
    prepared = life.prepare()
    for number in range(1, requests_of(life) + 1):
        world = prepared.fork()
        if lists == "lagging":
            world.aws.faults.add(LAG)
        die_at(world, life, number, "after")
        world.tick(world.pace.settle)
        world.restore()
        world.settle()
        life.check(world)
        world.aws.faults.clear()
        check_rest(world)
