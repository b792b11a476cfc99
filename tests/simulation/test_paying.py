"""Before money is spent: nothing is started that nobody can pay for, and that is told."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.request import ServiceError
from cleanrooms_emulator.rules import Rules, Switch
from cleanrooms_operator.core.resource import Key
from simulation import specs, trainings
from simulation.invariants import check_quiet, check_rest
from simulation.specs import COLLABORATION, CREATOR, PARTNER, PARTNERS
from simulation.test_changing import THIRD, applied, edit, partner, payers, requests, third
from simulation.test_changing import act as vote
from simulation.trainings import BASE
from simulation.world import World

PAYS, PAYS_NOT = {"isResponsible": True}, {"isResponsible": False}
TRAINS = {"queryCompute": PAYS_NOT, "machineLearning": {"modelTraining": PAYS}}
PAYS_NOTHING = {"queryCompute": PAYS_NOT, "machineLearning": {"modelTraining": PAYS_NOT}}
STUDIO = trainings.studio()
HELD = "Reconciling PayerNotReady"


def agree(world: World, *members: Any) -> None:
    """Declare these members, and let the people of all others agree."""
    edit(world, *members)
    world.rest(60.0)
    for account in (PARTNER, THIRD):
        with suppress(ServiceError):
            vote(world, account, requests(world)[-1]["id"], "APPROVE")
    world.rest(700.0)
    assert applied(world) == "Applied"


def accept(world: World) -> None:
    """Let the partner's spec accept trainings."""
    spec = specs.partners_membership(paymentConfiguration=TRAINS)
    world.apply(PARTNERS.kind, PARTNERS.name, spec, PARTNERS.namespace)


def train(world: World, payer: str | None, key: Key = BASE, wait: float = 1000.0) -> str:
    """Apply a training with this payer, and return what is told of it."""
    named = {} if payer is None else {"mlModelTrainingPayerAccountId": payer}
    world.apply(key.kind, key.name, trainings.model(world, **named), key.namespace)
    world.rest(wait)
    return world.told(key)


def why(world: World, key: Key = BASE) -> tuple[str, str]:
    condition = world.resources[key].condition("PayerReady")
    assert condition is not None
    return str(condition["status"]), str(condition["reason"])


def join(world: World, **more: Any) -> str:
    """Let the third account join by itself, and return its membership."""
    made = world.ask(
        THIRD,
        "cleanrooms",
        "CreateMembership",
        collaborationIdentifier=world.resources[COLLABORATION].status["identifier"],
        queryLogStatus="DISABLED",
        **more,
    )
    return str(made["membership"]["id"])


# -- what is seen before -------------------------------------------------------------------------


def test_r_16_a_training_waits_while_its_payer_is_no_candidate() -> None:
    world = STUDIO.fork()
    assert train(world, PARTNER) == HELD
    assert why(world) == ("False", "PayerNotCandidate")
    message = world.message(BASE, "PayerReady")
    assert f"{PARTNER} is no candidate to pay for modelTraining, but: {CREATOR}" in message
    assert world.aws.sent("CreateTrainedModel") == 0
    check_quiet(world)
    assert train(world, CREATOR) == "Ready"
    assert why(world) == ("True", "PayerReady")
    assert world.resources[BASE].status["payer"] == CREATOR


def test_r_16_of_several_candidates_one_has_to_be_named() -> None:
    world = STUDIO.fork()
    agree(world, partner(paymentConfiguration=TRAINS))
    assert train(world, None) == HELD
    assert why(world) == ("False", "PayerNotNamed")
    assert "mlModelTrainingPayerAccountId" in world.message(BASE, "PayerReady")
    assert world.aws.sent("CreateTrainedModel") == 0
    assert train(world, CREATOR) == "Ready"


def test_r_16_a_training_starts_when_its_payer_has_accepted() -> None:
    world = STUDIO.fork()
    agree(world, partner(paymentConfiguration=TRAINS))
    assert train(world, PARTNER) == HELD
    assert why(world) == ("False", "PayerNotAccepted")
    accept(world)
    world.rest(30.0)
    assert world.aws.sent("CreateTrainedModel") == 1, "its Membership woke it"
    world.rest(1000.0)
    assert world.resources[BASE].status["payer"] == PARTNER
    check_rest(world)


def test_r_16_a_training_starts_when_a_payer_joins_that_this_cluster_does_not_know() -> None:
    world = STUDIO.fork()
    agree(world, partner(), third(paymentConfiguration=TRAINS))
    keys = [Key(BASE.kind, BASE.namespace, f"churn-{number}") for number in range(4)]
    assert {train(world, THIRD, key, 0.1) for key in keys} == {HELD}
    assert why(world, keys[0]) == ("False", "PayerNotJoined")
    before = world.aws.sent("ListMembers")
    world.rest(3 * world.pace.list_interval)
    assert world.aws.sent("ListMembers") - before <= 2 * 3 + 3, "those who wait share Lists"
    join(world, paymentConfiguration=TRAINS)
    world.rest(2000.0)
    assert {world.told(key) for key in keys} == {"Ready"}
    assert world.resources[keys[0]].status["payer"] == THIRD


def test_r_16_a_payer_that_joins_from_this_cluster_starts_a_training_at_once() -> None:
    world = STUDIO.fork()
    agree(world, partner(), third(paymentConfiguration=TRAINS))
    assert train(world, THIRD) == HELD
    world.apply("AWSAccount", "default", specs.account(THIRD), "c")
    invitation = {"invitation": {"creatorAccountId": CREATOR, "name": "ads"}}
    spec = {**invitation, "queryLogStatus": "DISABLED", "paymentConfiguration": TRAINS}
    world.apply("Membership", "member", spec, "c")
    world.rest(60.0)
    assert world.aws.sent("CreateTrainedModel") == 1


def test_r_16_a_payer_that_is_named_starts_a_training_at_once() -> None:
    world = STUDIO.fork()
    accept(world)
    assert train(world, PARTNER) == HELD
    edit(world, partner(paymentConfiguration=TRAINS))
    world.rest(30.0)
    vote(world, PARTNER, requests(world)[-1]["id"], "APPROVE")
    world.annotate(COLLABORATION, reconcile_requested_at="now")
    world.rest(30.0)
    assert applied(world) == "Applied"
    assert world.aws.sent("CreateTrainedModel") == 1, "no List of the members was that new"


def test_r_16_what_was_put_off_is_not_sent_when_its_payer_is_relieved() -> None:
    world = STUDIO.fork()
    agree(world, partner(paymentConfiguration=TRAINS))
    accept(world)
    world.settle()
    world.aws.faults.add(Fault(kind=FaultKind.THROTTLE, operation="CreateTrainedModel"))
    train(world, PARTNER, wait=60.0)
    assert "attempt" in world.resources[BASE].status
    agree(world, partner(paymentConfiguration=PAYS_NOTHING))
    world.aws.faults.clear()
    world.rest(1000.0)
    assert world.told(BASE) == HELD
    assert "attempt" not in world.resources[BASE].status
    assert world.aws.applied("CreateTrainedModel") == 0


def test_r_16_what_was_put_off_is_not_kept_open_while_nobody_can_see_who_pays() -> None:
    world = STUDIO.fork()
    world.aws.faults.add(Fault(kind=FaultKind.THROTTLE, operation="CreateTrainedModel"))
    train(world, CREATOR, wait=60.0)
    assert "attempt" in world.resources[BASE].status
    world.aws.faults.add(Fault(kind=FaultKind.DENY, operation="ListMembers"))
    world.rest(1000.0)
    assert world.told(BASE) == "Stalled AccessDenied"
    assert "attempt" not in world.resources[BASE].status
    check_quiet(world)
    world.aws.faults.clear()
    world.rest(2000.0)
    assert world.told(BASE) == "Ready"
    assert world.aws.applied("CreateTrainedModel") == 1


def test_r_16_what_was_put_off_is_not_kept_open_when_its_collaboration_is_deleted() -> None:
    world = STUDIO.fork()
    world.process(0).leads = False
    train(world, CREATOR, wait=300.0)
    assert "attempt" in world.resources[BASE].status
    world.process(0).leads = True
    where = world.resources[COLLABORATION].status["identifier"]
    world.ask(CREATOR, "cleanrooms", "DeleteCollaboration", collaborationIdentifier=where)
    world.rest(2000.0)
    assert world.told(BASE) == "Stalled ProgressDeadlineExceeded"
    assert "Waits for Membership/member to be ready" in world.message(BASE, "Ready")
    check_rest(world)


# -- what only AWS can tell ----------------------------------------------------------------------


def doubtful(reading: str) -> tuple[World, str]:
    """Return a world whose third member is to pay and has not accepted, and its membership."""
    world = STUDIO.fork()
    world.aws.emulator.use_rules(Rules.parse([f"ER-12={reading}"]))
    world.mistaken.add(BASE)
    agree(world, partner(), third())
    membership = join(world)
    agree(world, partner(), third(paymentConfiguration=TRAINS))
    return world, membership


@pytest.mark.parametrize("reading", ["invalid", "denied"])
def test_er_12_a_payer_that_aws_refuses_is_told_and_not_tried_all_the_time(reading: str) -> None:
    world, _ = doubtful(reading)
    train(world, THIRD, wait=2 * 3600.0)
    assert world.resources[BASE].is_true("Stalled")
    assert why(world) == ("False", "PayerRefused")
    assert THIRD in world.message(BASE, "PayerReady")
    sent = world.aws.sent("CreateTrainedModel")
    assert sent <= 12
    assert trainings.models(world) == []
    world.rest(2 * 3600.0)
    assert world.aws.sent("CreateTrainedModel") - sent <= 2
    check_quiet(world)


@pytest.mark.parametrize("reading", ["invalid", "denied"])
def test_er_12_a_payer_that_aws_refused_is_tried_again_when_members_change(reading: str) -> None:
    world, membership = doubtful(reading)
    train(world, THIRD, wait=1800.0)
    learned = world.aws.sent("CreateTrainedModel")
    more = {"memberAbilities": ["CAN_RECEIVE_RESULTS"]}
    agree(world, partner(), third(paymentConfiguration=TRAINS, **more))
    world.rest(world.pace.list_interval)
    assert world.aws.sent("CreateTrainedModel") == learned + 1
    accepted = {"membershipPaymentConfiguration": TRAINS}
    named = {"membershipIdentifier": membership}
    world.ask(THIRD, "cleanrooms", "UpdateMembership", **named, **accepted)
    world.annotate(BASE, reconcile_requested_at="now")
    world.rest(1000.0)
    assert world.told(BASE) == "Ready"
    assert why(world) == ("True", "PayerReady")
    assert world.resources[BASE].status["payer"] == THIRD


def test_er_12_a_run_that_aws_takes_and_fails_for_its_payer_is_not_run_again() -> None:
    world, _ = doubtful("fail")
    assert train(world, THIRD, wait=5000.0) == "Stalled TrainingFailed"
    assert world.aws.sent("CreateTrainedModel") == 1


@pytest.mark.parametrize("reading", ["refuse", "ignore"])
def test_er_13_a_payer_of_synthetic_data_where_there_are_none(reading: str) -> None:
    world = STUDIO.fork()
    world.aws.emulator.use_rules(Rules.parse([f"ER-13={reading}"]))
    key = Key("MLInputChannel", "b", "more")
    named = {"payerConfiguration": {"syntheticDataPayerAccountId": PARTNER}}
    world.apply(key.kind, key.name, specs.channel(**named), key.namespace)
    world.rest(1000.0)
    assert world.told(key) == HELD
    assert why(world, key) == ("False", "PayerNotNeeded")
    assert world.aws.sent("CreateMLInputChannel") == 0
    world.apply(key.kind, key.name, specs.channel(), key.namespace)
    world.rest(1000.0)
    assert world.told(key) == "Ready"


@pytest.mark.parametrize(
    ("synthetic", "reason"),
    [
        pytest.param(False, "PayerNotNeeded", id="an ordinary template"),
        pytest.param(True, "PayerNotCandidate", id="a template of synthetic data"),
    ],
)
def test_r_26_a_template_says_whether_a_payer_of_synthetic_data_is_needed(
    reason: str, *, synthetic: bool
) -> None:
    world, key = STUDIO.fork(), Key("MLInputChannel", "b", "more")
    costs = {"queryCompute": PAYS_NOT, "machineLearning": {"syntheticDataGeneration": PAYS}}
    agree(world, partner(), third(paymentConfiguration=costs))
    named = {"computePayerAccountId": CREATOR, "syntheticDataPayerAccountId": PARTNER}
    spec = specs.channel(
        payerConfiguration=named, inputChannel=trainings.of_template(world, synthetic=synthetic)
    )
    world.apply(key.kind, key.name, spec, key.namespace)
    world.rest(100.0)
    assert why(world, key) == ("False", reason)
    assert "synthetic" in world.message(key, "PayerReady")
    assert world.aws.sent("CreateMLInputChannel") == 0


# -- every reading -------------------------------------------------------------------------------

OF_PAYERS = {f"ER-{number}" for number in (*range(8, 16), *range(33, 38))}


def readings() -> Iterator[str]:
    """Yield every reading of every switch that has to do with payers, as `ER-9=accept`."""
    hints = get_type_hints(Rules, include_extras=True)
    for field in fields(Rules):
        hint = hints[field.name]
        if get_origin(hint) is Annotated:
            values, switch = get_args(hint)
            assert isinstance(switch, Switch)
            if switch.number in OF_PAYERS:
                yield from (f"{switch.number}={value}" for value in get_args(values))


def test_r_32_every_switch_of_payers_is_tried_both_ways() -> None:
    counts = [sum(each.startswith(f"{number}=") for each in readings()) for number in OF_PAYERS]
    assert min(counts) >= 2


FIXED = "ER-35=refuse"
"""Under this reading the partner, who queries, can never be made a payer."""


@pytest.mark.parametrize("reading", [each for each in readings() if each != FIXED])
def test_r_32_a_payer_comes_pays_and_goes_under_every_reading(reading: str) -> None:
    world = STUDIO.fork()
    world.aws.emulator.use_rules(Rules.parse([reading]))
    agree(world, partner(paymentConfiguration=TRAINS))
    assert train(world, PARTNER, wait=60.0) == HELD
    accept(world)
    world.rest(1000.0)
    assert world.told(BASE) == "Ready"
    assert world.resources[BASE].status["payer"] == PARTNER
    agree(world, partner(paymentConfiguration=PAYS_NOTHING))
    assert PARTNER not in payers(world, "modelTraining")
    another = Key(BASE.kind, BASE.namespace, "another")
    assert train(world, PARTNER, another) == HELD
    assert why(world, another) == ("False", "PayerNotCandidate")
    assert world.aws.sent("CreateTrainedModel") == 1
    check_rest(world)


def test_r_32_who_cannot_be_made_a_payer_is_billed_for_nothing() -> None:
    world = STUDIO.fork()
    world.aws.emulator.use_rules(Rules.parse([FIXED]))
    world.mistaken.add(COLLABORATION)
    edit(world, partner(paymentConfiguration=TRAINS))
    accept(world)
    assert train(world, PARTNER) == HELD
    assert why(world) == ("False", "PayerNotCandidate")
    assert world.told(COLLABORATION) == "Ready"
    assert applied(world) == "ChangeRefused"
    assert world.aws.sent("CreateTrainedModel") == 0
