"""Before money is spent: nothing is started that nobody can pay for, and that is told."""

from typing import Any

from simulation import trainings
from simulation.invariants import check_quiet
from simulation.specs import COLLABORATION, CREATOR, PARTNER
from simulation.test_changing import THIRD, applied, edit, partner, requests, third
from simulation.test_changing import act as vote
from simulation.trainings import BASE
from simulation.world import World

PAYS, PAYS_NOT = {"isResponsible": True}, {"isResponsible": False}
TRAINS = {"queryCompute": PAYS_NOT, "machineLearning": {"modelTraining": PAYS}}


def agree(world: World, *members: Any) -> None:
    """Declare these members, and let the partner's people agree."""
    edit(world, *members)
    world.settle()
    vote(world, PARTNER, requests(world)[-1]["id"], "APPROVE")
    world.rest(700.0)
    assert applied(world) == "Applied"


def train(world: World, payer: str | None) -> str:
    """Apply a training with this payer, and return what is told of it."""
    named = {} if payer is None else {"mlModelTrainingPayerAccountId": payer}
    world.apply(BASE.kind, BASE.name, trainings.model(world, **named), BASE.namespace)
    world.rest(1000.0)
    return world.told(BASE)


def test_r_16_a_training_waits_while_its_payer_is_no_candidate() -> None:
    world = trainings.studio()
    assert train(world, PARTNER) == "Reconciling PayerNotReady"
    message = world.message(BASE, "PayerReady")
    assert f"{PARTNER} is no candidate to pay for modelTraining, but: {CREATOR}" in message
    assert world.aws.sent("CreateTrainedModel") == 0
    check_quiet(world)
    assert train(world, CREATOR) == "Ready"
    assert world.resources[BASE].is_true("PayerReady")
    assert world.resources[BASE].status["payer"] == CREATOR


def test_r_16_of_several_candidates_one_has_to_be_named() -> None:
    world = trainings.studio()
    agree(world, partner(paymentConfiguration=TRAINS))
    assert train(world, None) == "Reconciling PayerNotReady"
    assert "mlModelTrainingPayerAccountId" in world.message(BASE, "PayerReady")
    assert world.aws.sent("CreateTrainedModel") == 0
    assert train(world, CREATOR) == "Ready"


def test_r_16_a_training_starts_when_its_payer_joins() -> None:
    world = trainings.studio()
    agree(world, partner(), third(paymentConfiguration=TRAINS))
    assert train(world, THIRD) == "Reconciling PayerNotReady"
    assert "has not joined" in world.message(BASE, "PayerReady")
    world.ask(
        THIRD,
        "cleanrooms",
        "CreateMembership",
        collaborationIdentifier=world.resources[COLLABORATION].status["identifier"],
        queryLogStatus="DISABLED",
        paymentConfiguration=TRAINS,
    )
    world.rest(2000.0)
    assert world.told(BASE) == "Ready"
    assert world.resources[BASE].status["payer"] == THIRD
