"""Two processes work on one training at once: a base model, or a version of it (R-1, R-37)."""

from collections.abc import Callable

import pytest

from cleanrooms_emulator.rules import Rules
from cleanrooms_operator.core.resource import Key
from simulation.explorer import explore
from simulation.test_interleavings import check_end, mislead
from simulation.test_trainings import CONTRARY_READINGS
from simulation.trainings import BASE, VERSION, further, model, studio, train
from simulation.world import World

KEYS = pytest.mark.parametrize("key", [BASE, VERSION], ids=["base", "version"])
TAGS = {"tags": {"team": "b"}}


def _spec(world: World, key: Key, **more: object) -> dict[str, object]:
    made = model(world, **more) if key == BASE else further(world, BASE, **more)
    return dict(made)


def creation(key: Key, rules: Rules) -> World:
    """Return a world in which a training was just applied, and all that it needs is there."""
    world = studio(rules)
    if key == VERSION:
        train(world, BASE, model(world))
    world.apply(key.kind, key.name, _spec(world, key), key.namespace)
    return world


def _made(key: Key, rules: Rules) -> World:
    world = creation(key, rules)
    world.settle()
    return world


def update(key: Key, rules: Rules) -> World:
    world = _made(key, rules)
    world.apply(key.kind, key.name, {**world.resources[key].spec, **TAGS}, key.namespace)
    return world


def adoption(key: Key, rules: Rules) -> World:
    """Let the status be lost, as by a restore."""
    world = _made(key, rules)
    world.kubernetes.restore(key)
    return world


def deletion(key: Key, rules: Rules) -> World:
    world = _made(key, rules)
    world.delete(key)
    return world


def cancellation(key: Key, rules: Rules) -> World:
    """Let a training be deleted while it is under way."""
    world = creation(key, rules)
    while world.resources[key].status.get("state") is None:
        world.run_next()
    world.delete(key)
    return world


ACTS: dict[str, tuple[Callable[[Key, Rules], World], int, int]] = {
    "creation": (creation, 0, 1),
    "completion": (creation, 1, 2),
    "update": (update, 0, 2),
    "adoption": (adoption, 0, 2),
    "deletion": (deletion, 0, 2),
    "cancellation": (cancellation, 0, 2),
}
"""What happens to a training, how many passes have begun with it, and how many each then does."""

EVERY_ACT = pytest.mark.parametrize("act", ACTS)


def _begun(key: Key, act: str, rules: Rules) -> World:
    prepare, passes, _ = ACTS[act]
    world = prepare(key, rules)
    for _ in range(passes):
        world.run(key)
    return world


@CONTRARY_READINGS
@EVERY_ACT
@KEYS
def test_two_processes_at_once_train_once(key: Key, act: str, rules: Rules) -> None:
    begun, passes = _begun(key, act, rules), ACTS[act][2]
    seen = explore(begun, key, passes, lambda world: check_end(world, key))
    assert seen.orders > 100


@EVERY_ACT
@KEYS
def test_a_cache_that_lags_misleads_nobody_about_a_training(key: Key, act: str) -> None:
    mislead(_begun(key, act, Rules()), key)
