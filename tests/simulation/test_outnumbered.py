"""Where records of others fill the Lists of a membership, runs are read one by one (rule R-21)."""

from functools import cache
from typing import Any

from cleanrooms_emulator.quotas import Quotas
from cleanrooms_emulator.rules import Rules
from cleanrooms_operator.core.resource import Key
from simulation import specs
from simulation.trainings import model, studio
from simulation.world import World

FOREIGN = 150
"""More than a page of a List."""


@cache
def _crowded() -> World:
    """Return a world in which others' trainings, all over, make two pages of the List."""
    quotas = Quotas(
        trainings=FOREIGN,
        trainings_per_membership=FOREIGN,
        training_instances=FOREIGN,
        common_instances_per_type=FOREIGN,
    )
    world = studio(Rules(quotas=quotas))
    given: dict[str, Any] = dict(model(world))
    for name in ("membershipRef", "hyperparametersFrom", "environmentFrom"):
        del given[name]
    where = world.resources[specs.PARTNERS].status["identifier"]
    for number in range(FOREIGN):
        world.ask(
            specs.PARTNER,
            "cleanroomsml",
            "CreateTrainedModel",
            membershipIdentifier=where,
            name=f"foreign-{number}",
            **given,
        )
    world.rest(1000.0)
    return world


def _under_way(count: int) -> tuple[World, tuple[Key, ...], int]:
    """Return a world with so many runs under way, and the number of requests until then."""
    world = _crowded().fork()
    spec = model(world)
    keys = tuple(world.apply("TrainedModel", f"own-{n}", spec, "b") for n in range(count))
    while not all(world.resources[key].status.get("identifier") for key in keys):
        world.run_next()
    return world, keys, len(world.aws.records())


def _asked(world: World, since: int, operation: str) -> int:
    return sum(record.operation == operation for record in world.aws.records()[since:])


def test_one_run_among_many_records_is_read_by_itself() -> None:
    world, (key,), since = _under_way(1)
    began = world.seconds
    while world.told(key) != "Ready":
        world.run_next()
    intervals = (world.seconds - began) / world.pace.progress_interval
    assert _asked(world, since, "ListTrainedModels") == 0
    assert 2 <= _asked(world, since, "GetTrainedModel") <= intervals + 3


def test_as_many_runs_as_pages_share_the_list() -> None:
    world, keys, since = _under_way(2)
    began = world.seconds
    while {world.told(key) for key in keys} != {"Ready"}:
        world.run_next()
    intervals = (world.seconds - began) / world.pace.progress_interval
    assert 2 <= _asked(world, since, "ListTrainedModels") <= 2 * (intervals + 1)
