"""Names that AWS refuses: told once, quietly, and free to be changed."""

from collections.abc import Callable
from functools import partial

import pytest

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.rules import Rules
from simulation.invariants import check_rest
from simulation.specs import PARTNER, PARTNERS
from simulation.trainings import BASE, VERSION, model, studio
from simulation.world import World

DAY = 86_400.0
ASKED = ("configuredModelAlgorithmAssociationArn", "dataChannels", "resourceConfig")


def taken() -> World:
    """Return a world in which AWS refuses a name, for the record of a deleted training has it."""
    world = studio(Rules.parse(("ER-1=refused",)))
    world.apply(BASE.kind, BASE.name, model(world), BASE.namespace)
    world.settle()
    world.delete(BASE)
    world.settle()
    world.apply(BASE.kind, BASE.name, model(world), BASE.namespace)
    return world


def in_conflict() -> World:
    """Return a world in which no List shows what has the name."""
    world = studio(Rules.parse(("ER-1=refused",)))
    for operation in ("ListTrainedModels", "ListCollaborationTrainedModels"):
        lag = Fault(kind=FaultKind.LAG, operation=operation, seconds=DAY)
        world.aws.faults.add(lag)
    given = model(world)
    world.ask(
        PARTNER,
        "cleanroomsml",
        "CreateTrainedModel",
        membershipIdentifier=world.resources[PARTNERS].status["identifier"],
        name=BASE.name,
        **{name: given[name] for name in ASKED},
    )
    world.apply(BASE.kind, BASE.name, given, BASE.namespace)
    return world


@pytest.mark.parametrize(
    ("refused", "reason", "writes"),
    [(taken, "NameTaken", 12), (in_conflict, "AWSConflict", 32)],
    ids=["a name", "a conflict"],
)
def test_r_11_what_conflicts_is_told_without_a_word_in_between(
    refused: Callable[[], World], reason: str, writes: int
) -> None:
    world = refused()
    while world.told(BASE) != f"Stalled {reason}":
        assert world.run_next()
    known = world.kubernetes.patches[BASE]
    end = world.seconds + DAY / 2
    while world.run_next(end=end):
        assert world.told(BASE) == f"Stalled {reason}"
    assert world.kubernetes.patches[BASE] - known <= writes


def test_r_11_a_refused_name_can_be_changed_once_it_is_certain_that_nothing_was_made() -> None:
    """The spec is frozen while an attempt is open."""
    world = taken()
    while world.told(BASE) != "Stalled NameTaken":
        assert world.run_next()
    assert "attempt" in world.resources[BASE].status
    world.rest(world.pace.settle + 60.0)
    assert "attempt" not in world.resources[BASE].status
    spec = {**model(world), "name": "another"}
    world.apply(BASE.kind, BASE.name, spec, BASE.namespace)
    world.settle()
    assert world.told(BASE) == "Ready"
    check_rest(world)


def test_r_11_a_name_is_tried_at_once_when_a_person_asks() -> None:
    world = taken()
    world.settle()
    world.rest(world.pace.settle + 600.0)
    sent = partial(world.aws.sent, "CreateTrainedModel")
    before = sent()
    world.annotate(BASE, reconcile_requested_at="now")
    world.settle()
    assert sent() == before + 1
    assert world.told(BASE) == "Stalled NameTaken"
    assert VERSION not in world.resources
