"""Histories in which people disagree, lists lag, and AWS refuses: one for each thing that is told.

What a test looks at closely is only passed through here, for the states that it shows to people.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.quotas import Quotas
from cleanrooms_emulator.rules import Rules
from cleanrooms_emulator.store import Failure
from cleanrooms_operator.core.resource import Key
from simulation import specs, trainings
from simulation.specs import COLLABORATION, CREATOR, PARTNER, PARTNERS, RUNS, Example
from simulation.test_adopting import joined_by_hand, made_by_hand
from simulation.test_changing import (
    PAYS,
    THIRD,
    act,
    answer,
    asked,
    by_hand,
    edit,
    forge,
    partner,
    pay_training,
    ready,
    third,
)
from simulation.test_creating import invited
from simulation.test_drifting import partner_who
from simulation.test_paying import TRAINS, agree, doubtful
from simulation.test_ran_before import REFUSED, applied_again, spent
from simulation.test_running import JOB, before, until
from simulation.test_spending import approval, guard, train
from simulation.trainings import BASE, VERSION, of_template
from simulation.world import World

CYCLE = 3700.0
HOUR = 3600.0
SHORT = 1000.0
GUARDED = ("queryCompute", "modelTraining", "modelInference")

# -- what AWS answers --------------------------------------------------------------------------


def unanswered() -> World:
    """Lose the first creates, so that nobody knows whether they were done."""
    world = World()
    world.aws.faults.add(Fault(kind=FaultKind.LOSE_REQUEST, operation="Create*", count=3))
    specs.walkthrough(world)
    world.settle()
    return world


def busy() -> World:
    """Let AWS throttle for an hour."""
    world = World()
    specs.accounts(world)
    world.settle()
    world.aws.faults.add(Fault(kind=FaultKind.THROTTLE))
    specs.walkthrough(world)
    world.rest(HOUR)
    return world


def invalid() -> World:
    world = World()
    world.mistaken.add(COLLABORATION)
    specs.accounts(world)
    world.apply("Collaboration", "ads", specs.collaboration(members=[]), "a")
    world.settle()
    return world


def full() -> World:
    """Let others use up the quota of collaborations."""
    world = World(rules=Rules(quotas=Quotas(collaborations=1)))
    specs.accounts(world)
    world.ask(CREATOR, "cleanrooms", "CreateCollaboration", **specs.collaboration())
    specs.EXAMPLES["collaboration"].apply(world)
    world.rest(HOUR)
    return world


def taken() -> World:
    """Give a name twice, which AWS does not take while the first lives."""
    world = trainings.studio(Rules.parse(("ER-1=refused-while-live",)))
    trainings.train(world, BASE, trainings.model(world))
    trainings.train(world, VERSION, trainings.model(world, name=BASE.name))
    return world


def hidden() -> World:
    """Give a name that is taken by what Lists do not show yet."""
    world = trainings.studio(Rules.parse(("ER-1=refused-while-live",)))
    world.aws.faults.add(Fault(kind=FaultKind.LAG, operation="List*", seconds=2 * HOUR))
    where = {"membershipIdentifier": world.resources[PARTNERS].status["identifier"]}
    plain = {k: v for k, v in trainings.model(world).items() if not k.endswith(("From", "Ref"))}
    world.ask(PARTNER, "cleanroomsml", "CreateTrainedModel", name=BASE.name, **where, **plain)
    trainings.train(world, BASE, trainings.model(world))
    return world


def not_cancelled() -> World:
    """Let AWS fail to cancel a job."""
    world = until(before(JOB, Rules.parse(("ER-31=fail",))), JOB, "CREATE_IN_PROGRESS")
    world.annotate(JOB, cancel="true")
    world.settle()
    return world


def not_deleted(name: str) -> World:
    """Let AWS fail once to delete what a run has made."""
    world, key = specs.finished(), RUNS[name].key
    failure = Failure(key.kind, "ACCESS_DENIED", "The bucket is gone.", action="delete")
    world.aws.emulator.store.fail_next(failure)
    world.delete(key)
    world.settle(seconds=10_000.0)
    return world


def not_deleted_by_hand() -> World:
    """Delete the data of a channel behind the operator's back, which AWS fails to do."""
    world, channel = specs.finished(), RUNS["channel"].key
    failure = Failure(channel.kind, "ACCESS_DENIED", "The bucket is gone.", action="delete")
    world.aws.emulator.store.fail_next(failure)
    world.ask(
        PARTNER,
        "cleanroomsml",
        "DeleteMLInputChannelData",
        membershipIdentifier=world.resources[PARTNERS].status["identifier"],
        mlInputChannelArn=world.resources[channel].status["arn"],
    )
    world.rest(HOUR)
    return world


def undeletable() -> World:
    """Take all rights away, so that a Membership cannot be deleted."""
    world = specs.settled()
    world.aws.faults.add(Fault(kind=FaultKind.DENY, account=PARTNER))
    specs.EXAMPLES["partner"].delete(world)
    world.settle(seconds=10_000.0)
    return world


# -- whose it is -------------------------------------------------------------------------------


def adopted_by_nobody() -> World:
    world, _ = joined_by_hand()
    specs.EXAMPLES["partner"].apply(world)
    world.settle()
    return world


def named_twice() -> World:
    """Name one object twice."""
    world, arn = made_by_hand()
    specs.EXAMPLES["collaboration"].apply(world)
    twin = world.apply("Collaboration", "twin", specs.collaboration(), "a")
    for key in (COLLABORATION, twin):
        world.annotate(key, external_id=arn)
    world.settle()
    return world


def invited_twice() -> World:
    world = invited()
    for _ in range(2):
        world.ask(CREATOR, "cleanrooms", "CreateCollaboration", **specs.collaboration())
    world.settle()
    return world


def vanished() -> World:
    """Delete the collaboration behind the operator's back."""
    world = specs.settled()
    shared = {"collaborationIdentifier": world.resources[COLLABORATION].status["identifier"]}
    world.ask(CREATOR, "cleanrooms", "DeleteCollaboration", **shared)
    world.rest(5 * HOUR)
    return world


def removed() -> World:
    """Remove the partner behind the operator's back."""
    world = specs.settled()
    shared = {"collaborationIdentifier": world.resources[COLLABORATION].status["identifier"]}
    world.ask(CREATOR, "cleanrooms", "DeleteMember", **shared, accountId=PARTNER)
    world.rest(1200.0)
    return world


def moved() -> World:
    """Point a collaboration to another account."""
    world = specs.settled()
    world.apply("AWSAccount", "other", specs.account(PARTNER), "a")
    spec = specs.collaboration(accountRef={"name": "other"})
    world.apply("Collaboration", "ads", spec, "a")
    world.settle()
    return world


def not_allowed() -> World:
    """Name endpoints that the operator's settings do not have."""
    world = World()
    world.apply("AWSAccount", "default", {**specs.account(CREATOR), "endpointProfile": "own"}, "a")
    specs.EXAMPLES["algorithm"].apply(world)
    world.rest(HOUR)
    return world


def resourced() -> World:
    """Change a ConfigMap after its values were used."""
    world = trainings.studio()
    trainings.train(world, BASE, trainings.model(world))
    world.keep("ConfigMap", "training", BASE.namespace, EPOCHS="others-of-nobody-else")
    world.rest(3 * CYCLE)
    return world


# -- changes by agreement ----------------------------------------------------------------------


def denied_change() -> World:
    world = ready()
    answer(world, deny=[asked(world)])
    world.settle()
    return world


def cancelled_change() -> World:
    world = ready()
    act(world, CREATOR, asked(world), "CANCEL")
    world.rest(3 * CYCLE)
    return world


def refused_change() -> World:
    world = ready(Rules(querier_changes="refuse"))
    world.mistaken.add(COLLABORATION)
    pay_training(world)
    world.settle()
    return world


def forged_change() -> World:
    """Let AWS have computed types of a change request that its changes do not explain."""
    world = ready()
    request = asked(world)
    world.annotate(COLLABORATION, paused="true")
    forge(world, request, "ADD_PAYER_CANDIDATE", "REVOKE_RECEIVE_RESULTS_ABILITY")
    answer(world, approve=[request])
    world.settle()
    world.annotate(COLLABORATION, paused=None)
    act(world, PARTNER, request, "APPROVE")
    world.rest(3 * CYCLE)
    return world


def others_change() -> World:
    world = ready()
    by_hand(world, {"accountId": PARTNER, "memberAbilities": []})
    pay_training(world)
    world.settle()
    return world


def unchangeable() -> World:
    world = ready()
    edit(world, partner(displayName="Other"))
    world.settle()
    return world


def observed_change() -> World:
    """Declare, where AWS is only observed, what differs from it."""
    world = ready()
    edit(world, partner(), third(), managementPolicy="ObserveOnly")
    world.settle()
    return world


def blocked_removal() -> World:
    """Name a member that has joined no more."""
    world = ready()
    edit(world)
    world.settle()
    return world


# -- who pays ----------------------------------------------------------------------------------


def accepted_early() -> World:
    both = {"queryCompute": PAYS, "machineLearning": {"modelTraining": PAYS}}
    return partner_who({"queryCompute": PAYS}, both)


def not_accepted() -> World:
    both = {"queryCompute": PAYS, "machineLearning": {"modelTraining": PAYS}}
    return partner_who(both, {"queryCompute": PAYS})


def billed(world: World, payer: str | None, wait: float = SHORT) -> World:
    """Let a training be asked for at the expense of somebody, or of nobody who is named."""
    named = {} if payer is None else {"mlModelTrainingPayerAccountId": payer}
    train(world, **named)
    world.rest(wait)
    return world


def choosing() -> World:
    """Let two be able to pay: name none, then one who has not accepted."""
    world = trainings.studio()
    agree(world, partner(paymentConfiguration=TRAINS))
    return billed(billed(world, None), PARTNER)


def not_joined() -> World:
    world = trainings.studio()
    agree(world, partner(), third(paymentConfiguration=TRAINS))
    return billed(world, THIRD, 60.0)


def refused_payer() -> World:
    world, _ = doubtful("invalid")
    return billed(world, THIRD, 2 * HOUR)


def channelled(world: World, **more: Any) -> World:
    """Let another channel be asked for."""
    channel = replace(RUNS["channel"].key, name="more")
    world.apply(channel.kind, channel.name, specs.channel(**more), channel.namespace)
    world.rest(SHORT)
    return world


def no_candidate() -> World:
    """Name a payer of a job whom the creator has not named."""
    world = specs.finished()
    _again(world, RUNS["job"], mlModelInferencePayerAccountId=PARTNER)
    world.rest(SHORT)
    return world


def nobody_pays() -> World:
    """Make synthetic data for which there is no candidate."""
    world = trainings.studio()
    return channelled(world, inputChannel=of_template(world, synthetic=True))


def needless_payer() -> World:
    named = {"syntheticDataPayerAccountId": PARTNER}
    return channelled(trainings.studio(), payerConfiguration=named)


# -- what a Membership guards ------------------------------------------------------------------


def approved() -> World:
    """Let a run of each kind wait for approval, and get it."""
    world = specs.finished()
    approve = {cost: {"start": "Approve"} for cost in GUARDED}
    guard(world, **approve)
    keys = [_again(world, example) for example in RUNS.values()]
    world.rest(HOUR)
    guard(world, *(approval(world, key) for key in keys), **approve)
    world.rest(HOUR)
    return world


def _again(world: World, example: Example, **more: Any) -> Key:
    """Let one more run be asked for that is like an example, but for its name."""
    key = replace(example.key, name=f"{example.key.name}-2")
    return world.apply(key.kind, key.name, {**example.spec, **more}, key.namespace)


def over_budget() -> World:
    """Let a run of each kind be one too many for today."""
    world = specs.finished()
    guard(world, **{cost: {"maxRunsPerDay": 0} for cost in GUARDED})
    for example in RUNS.values():
        _again(world, example)
    world.rest(HOUR)
    return world


def guarded_elsewhere() -> World:
    """Name a guarded membership of another namespace by its identifier."""
    world = trainings.studio()
    guard(world, modelTraining={"start": "Approve"})
    world.settle()
    world.apply("AWSAccount", "default", specs.account(PARTNER), "c")
    given = {
        **trainings.model(world),
        "membershipIdentifier": world.resources[PARTNERS].status["identifier"],
    }
    for name in ("membershipRef", "hyperparametersFrom", "environmentFrom"):
        del given[name]
    world.apply(BASE.kind, BASE.name, given, "c")
    world.settle()
    return world


def ran_before() -> World:
    """Apply a job again whose record could not be marked when it was deleted."""
    return applied_again(spent(REFUSED))


HISTORIES: tuple[Callable[[], World], ...] = (
    unanswered,
    busy,
    invalid,
    full,
    taken,
    ran_before,
    hidden,
    not_cancelled,
    *(partial(not_deleted, name) for name in ("channel", "model")),
    not_deleted_by_hand,
    undeletable,
    adopted_by_nobody,
    named_twice,
    invited_twice,
    vanished,
    removed,
    moved,
    not_allowed,
    resourced,
    denied_change,
    cancelled_change,
    refused_change,
    forged_change,
    others_change,
    unchangeable,
    observed_change,
    blocked_removal,
    accepted_early,
    not_accepted,
    choosing,
    not_joined,
    refused_payer,
    no_candidate,
    nobody_pays,
    needless_payer,
    approved,
    over_budget,
    guarded_elsewhere,
)
