"""What a Membership guards: nothing is bought without approval, whatever dies (rule R-41)."""

from typing import Any

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_operator.core.resource import Key
from simulation import specs, trainings
from simulation.invariants import check_quiet, check_rest
from simulation.specs import PARTNER, PARTNERS
from simulation.trainings import BASE
from simulation.world import World

STUDIO = trainings.studio()
HELD = "Reconciling NotApproved"
APPROVE = {"start": "Approve"}


def guard(world: World, *approvals: Any, **spending: Any) -> None:
    """Let the partner's Membership guard what is spent under it."""
    given = {**spending, **({"approvals": list(approvals)} if approvals else {})}
    spec = specs.partners_membership(spending=given)
    world.apply(PARTNERS.kind, PARTNERS.name, spec, PARTNERS.namespace)


def approval(world: World, key: Key = BASE) -> dict[str, str]:
    """Return what approves a run as it is planned."""
    planned = world.resources[key].status["plan"]["hash"]
    return {"kind": key.kind, "name": key.name, "hash": planned}


def approve(world: World, *keys: Key) -> None:
    guard(world, *(approval(world, key) for key in keys), modelTraining=APPROVE)


def train(world: World, key: Key = BASE, **more: Any) -> Key:
    return world.apply(key.kind, key.name, trainings.model(world, **more), key.namespace)


def sent(world: World) -> int:
    return world.aws.sent("CreateTrainedModel")


def guarded() -> World:
    """Return a world in which a training waits for approval."""
    world = STUDIO.fork()
    guard(world, modelTraining=APPROVE)
    train(world)
    world.settle()
    assert world.told(BASE) == HELD
    return world


# -- approving -----------------------------------------------------------------------------------


def test_r_41_a_training_shows_what_it_would_be_and_starts_when_it_is_approved() -> None:
    world = guarded()
    plan = world.resources[BASE].status["plan"]
    assert plan["costs"] == [{"costType": "modelTraining", "payer": specs.CREATOR}]
    shown = {each["path"]: each.get("value") for each in plan["parameters"]}
    assert shown["resourceConfig.instanceType"] == "ml.m5.2xlarge"
    assert {shown["hyperparameters"], shown["environment"]} == {None}
    assert not [path for path in shown if path.startswith(("hyperparameters.", "environment."))]
    assert plan["hash"] in world.message(BASE)
    assert sent(world) == 0
    approve(world, BASE)
    world.rest(10.0)
    assert sent(world) == 1, "the Membership's edit woke it"
    assert "plan" not in world.resources[BASE].status
    world.rest(1000.0)
    assert world.told(BASE) == "Ready"
    assert world.resources[BASE].is_true("SpendingApproved")
    check_rest(world)


def test_r_41_it_is_quiet_while_nobody_approves() -> None:
    world = guarded()
    world.rest(world.pace.list_interval)
    check_quiet(world)
    asked, written = world.aws.sent("ListTrainedModels"), world.kubernetes.patches[BASE]
    world.process(0).agenda.due.pop(BASE, None)
    world.rest(3 * world.pace.list_interval)
    assert world.kubernetes.patches[BASE] == written
    assert BASE not in world.process(0).agenda.due
    assert world.aws.sent("ListTrainedModels") == asked


def test_r_41_an_edit_needs_another_approval() -> None:
    world = guarded()
    approved = approval(world)
    train(world, stoppingCondition={"maxRuntimeInSeconds": 86_000})
    guard(world, approved, modelTraining=APPROVE)
    world.settle()
    assert world.told(BASE) == HELD
    assert world.message(BASE).startswith("What was approved is not what it is now")
    assert approval(world) != approved
    assert sent(world) == 0
    approve(world, BASE)
    world.rest(1000.0)
    assert (world.told(BASE), sent(world)) == ("Ready", 1)


def test_r_41_another_secret_needs_another_approval_and_the_hash_does_not_tell_it() -> None:
    world = guarded()
    approved = approval(world)
    key = Key("Secret", BASE.namespace, "training")
    entries = world.kubernetes.sources[key]
    world.kubernetes.sources[key] = {name: f"{value}-new" for name, value in entries.items()}
    guard(world, approved, modelTraining=APPROVE)
    world.rest(1000.0)
    assert (world.told(BASE), sent(world)) == (HELD, 0)
    assert approval(world) != approved


def test_r_41_an_approval_is_of_one_resource() -> None:
    world = guarded()
    other = Key(BASE.kind, BASE.namespace, "other")
    train(world, other, name="churn")
    world.settle()
    guard(world, {**approval(world), "name": "somebody"}, modelTraining=APPROVE)
    world.settle()
    assert {world.told(key) for key in (BASE, other)} == {HELD}
    assert sent(world) == 0


def test_r_41_what_is_guarded_no_more_starts() -> None:
    world = guarded()
    guard(world, modelTraining={"start": "Allow"}, queryCompute=APPROVE)
    world.rest(1000.0)
    assert (world.told(BASE), sent(world)) == ("Ready", 1)


def test_r_41_a_literal_identifier_from_another_namespace_is_refused() -> None:
    world = STUDIO.fork()
    guard(world, modelTraining=APPROVE)
    world.settle()
    world.apply("AWSAccount", "default", specs.account(PARTNER), "c")
    literal = {"membershipIdentifier": world.resources[PARTNERS].status["identifier"]}
    given = {**trainings.model(world), **literal}
    for name in ("membershipRef", "hyperparametersFrom", "environmentFrom"):
        del given[name]
    key = world.apply(BASE.kind, BASE.name, given, "c")
    world.settle()
    assert (world.told(key), sent(world)) == ("Stalled GuardedElsewhere", 0)
    beside = world.apply(BASE.kind, "beside", {**given}, PARTNERS.namespace)
    world.settle()
    assert world.told(beside) == HELD
    approve(world, beside)
    world.rest(10.0)
    assert sent(world) == 1, "a literal identifier hears of its Membership too"


def test_r_41_what_was_put_off_is_not_sent_when_its_approval_is_withdrawn() -> None:
    world = guarded()
    throttled = Fault(kind=FaultKind.THROTTLE, operation="CreateTrainedModel", count=1)
    world.aws.faults.add(throttled)
    approve(world, BASE)
    while not world.resources[BASE].status.get("attempt"):
        world.run_next()
    guard(world, modelTraining=APPROVE)
    world.rest(1000.0)
    assert world.told(BASE) == HELD
    assert "attempt" not in world.resources[BASE].status
    assert not [record for record in world.aws.records("CreateTrainedModel") if record.applied]


# -- whatever dies -------------------------------------------------------------------------------


def approving(world: World) -> None:
    train(world)
    world.settle()
    assert (world.told(BASE), sent(world)) == (HELD, 0)
    approve(world, BASE)
    world.settle()


def test_r_41_nothing_is_bought_without_approval_at_any_death() -> None:
    world = STUDIO.fork()
    guard(world, modelTraining=APPROVE)
    world.settle()
    dead = world.deaths(approving)
    assert len(dead) > 3
    for each in dead:
        told = each.resources[PARTNERS].spec["spending"]
        each.settle()
        if "approvals" not in told:
            assert (each.told(BASE), sent(each)) == (HELD, 0)
            approve(each, BASE)
            each.settle()
        assert each.told(BASE) == "Ready"
        bought = [one for one in trainings.models(each) if one[0] == BASE.name]
        assert len(bought) == 1
        check_rest(each)


def test_r_41_two_replicas_buy_nothing_before_the_approval_and_one_after_it() -> None:
    base = guarded()
    for stop in range(0, 24, 2):
        world = base.fork()
        old = world.start(BASE)
        for _ in range(min(stop, 2)):
            world.step(old)
        approve(world, BASE)
        for _ in range(stop):
            if not old.over:
                world.step(old)
        world.process(0).leads = False
        world.run(BASE, 1)
        if not old.over:
            world.finish(old)
        world.settle(1)
        assert world.told(BASE) == "Ready"
        assert sum(record.applied for record in world.aws.records("CreateTrainedModel")) == 1
