"""Two processes work on one resource at once, as if there were no lease: every order of requests.

Afterwards one of them goes on: whatever the order was, there is one object, or none where it was
deleted, and the guard saw nothing that must not be.
"""

from collections.abc import Callable, Iterator

import pytest

from cleanrooms_operator.core.pace import Pace
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.kinds import BY_NAME
from cleanrooms_operator.runtime.ports import StaleError
from simulation.explorer import explore
from simulation.invariants import check_rest, objects
from simulation.specs import ALL, EXAMPLES, RUNS, Example, accounts
from simulation.world import World

NAMES = (*EXAMPLES, "channel", "job")


def _before(example: Example) -> World:
    """Return a world in which all stands that an example needs."""
    rare = Pace(progress_interval=100.0)
    world = World(pace=rare if example in RUNS.values() else None)
    accounts(world)
    for name in example.needs:
        ALL[name].apply(world)
    world.settle()
    return world


def _made(example: Example) -> World:
    world = _before(example)
    example.apply(world)
    world.settle()
    return world


def creation(example: Example) -> World:
    world = _before(example)
    example.apply(world)
    return world


def update(example: Example) -> World:
    world = _made(example)
    example.edit(world)
    return world


def adoption(example: Example) -> World:
    """Let the status be lost, as by a restore."""
    world = _made(example)
    world.kubernetes.restore(example.key)
    return world


def _to_be_deleted(example: Example) -> World:
    """Return a world in which there is something to end: a job only before it has finished."""
    if BY_NAME[example.key.kind].delete is not None:
        return _made(example)
    world = creation(example)
    while world.resources[example.key].status.get("state") is None:
        world.run_next()
    return world


def deletion(example: Example) -> World:
    world = _to_be_deleted(example)
    others = [ALL[name] for name in example.outlives]
    for each in (example, *others):
        each.delete(world)
    while any(other.key in world.resources for other in others):
        for each in (example, *others):
            world.run(each.key)
        world.tick(1.0)
    return world


ACTS: dict[str, tuple[Callable[[Example], World], int, int]] = {
    "creation": (creation, 0, 1),
    "completion": (creation, 1, 2),
    "update": (update, 0, 2),
    "adoption": (adoption, 0, 2),
    "deletion": (deletion, 0, 2),
    "ending": (deletion, 1, 2),
}
"""What happens to a resource, how many passes have begun with it, and how many each then does."""


def _begun(name: str, act: str) -> World:
    prepare, passes, _ = ACTS[act]
    world = prepare(ALL[name])
    for _ in range(passes):
        world.run(ALL[name].key)
    return world


def check_end(world: World, key: Key, survivor: int = 0) -> None:
    """Let one process go on alone, and assert that all is well in the end."""
    was_deleting = key not in world.resources or world.resources[key].deleting
    world.crash(1 - survivor)
    world.settle(survivor)
    check_rest(world, survivor)
    assert all(resource.is_true("Ready") for resource in world.resources.values())
    assert was_deleting == (key not in world.resources)
    wanted = sum(k.kind == key.kind for k in world.resources)
    assert sum(kind.name == key.kind for _, kind, _ in objects(world)) == wanted


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("name", NAMES)
def test_two_processes_at_once_do_what_one_would(name: str, act: str) -> None:
    key, passes = ALL[name].key, ACTS[act][2]
    seen = explore(_begun(name, act), key, passes, lambda world: check_end(world, key))
    assert seen.orders > 100


def _stages(world: World) -> Iterator[World]:
    """Yield the world after each pass of a process that works on to the end."""
    keys = set(world.resources)
    while not world.process(0).agenda.is_at_rest(keys & world.resources.keys(), world.seconds):
        world.run_next()
        yield world.fork()


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("name", NAMES)
def test_a_cache_that_lags_misleads_nobody(name: str, act: str) -> None:
    """A second process works on every older version of the cluster, at every stage of the first."""
    mislead(_begun(name, act), ALL[name].key)


def mislead(world: World, key: Key) -> None:
    """Let a second process work on every older version of the cluster, at every stage."""
    first, refused = world.kubernetes.version, 0
    for stage in _stages(world):
        for version in range(first, stage.kubernetes.version):
            late = stage.fork()
            late.process(1).cache.stands_at = version
            runs = [late.run(key, 1), late.run(key, 1)]
            refused += sum(isinstance(run.result, StaleError) for run in runs)
            late.process(1).cache.catch_up()
            check_end(late, key, survivor=1)
    assert refused, "no write was refused for its version"


@pytest.mark.parametrize("pause", [5.0, 11.0, 500.0])
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("name", NAMES)
def test_a_process_that_was_stopped_and_goes_on_changes_nothing(
    name: str, act: str, pause: float
) -> None:
    """R-7: it is stopped before each of its requests, while another does all there is to do."""
    key = ALL[name].key
    for late in stop(_begun(name, act), key, pause):
        check_end(late, key)


def stop(world: World, key: Key, pause: float) -> Iterator[World]:
    """Yield a world for each request before which a process is stopped, and then goes on."""
    for number in range(30):
        late = world.fork()
        stopped = late.start(key, 1)
        for _ in range(number):
            if not stopped.over:
                late.step(stopped)
        if stopped.over:
            break
        late.rest(pause)
        late.finish(stopped)
        yield late
    else:
        pytest.fail("the pass never ends")
