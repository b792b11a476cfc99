"""The operator dies at every point of the life of a base model and a version of it (R-1, R-37)."""

from collections.abc import Callable

import pytest

from cleanrooms_emulator.faults import Fault
from cleanrooms_emulator.rules import Rules
from simulation.invariants import check_rest
from simulation.test_crashes import LISTS, Life, deaths
from simulation.test_trainings import EVERY_READING
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


@EVERY_READING
@pytest.mark.parametrize("act", [creation, deletion])
def test_r_1_a_death_at_any_point_changes_nothing_of_the_end(
    rules: Rules, act: Callable[[Rules], Life]
) -> None:
    life = act(rules)
    dead = deaths(life)
    assert len(dead) > 10, "the scenario is about something"
    for world in dead:
        world.settle()
        life.check(world)
        check_rest(world)


@EVERY_READING
@LISTS
def test_r_37_a_restore_after_any_death_buys_nothing_twice(
    rules: Rules, faults: tuple[Fault, ...]
) -> None:
    """Resources come back without status and finalizers, and with other UIDs."""
    life = creation(rules)
    for world in deaths(life, *faults):
        world.tick(world.pace.settle)
        world.restore()
        world.settle()
        life.check(world)
        world.aws.faults.clear()
        check_rest(world)
