"""What a Membership guards: nothing without approval, and no more than that (R-20, R-41)."""

from collections import Counter
from datetime import datetime
from typing import Any

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.runtime.ports import Identity
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


# -- how many ------------------------------------------------------------------------------------

ONE, TWO = Key(BASE.kind, BASE.namespace, "m-0"), Key(BASE.kind, BASE.namespace, "m-1")
LONG = 8 * 86_400.0


def limited(**allowance: int) -> World:
    """Return a world with a limit on trainings."""
    world = STUDIO.fork()
    guard(world, modelTraining=allowance)
    world.settle()
    return world


def shown(world: World) -> list[Any]:
    """Return what AWS shows of all trainings, the oldest first."""
    place = {"membershipIdentifier": world.resources[PARTNERS].status["identifier"]}
    listing = world.kinds[BASE.kind].listing
    models = world.aws.pages(Identity(PARTNER, "us-east-1"), listing, place)
    return sorted(models, key=lambda model: model["createTime"])


def started(world: World) -> list[tuple[str, datetime]]:
    """Return (name, when) of the trainings that AWS took, by its own clock."""
    return [(model["name"], model["createTime"]) for model in shown(world)]


def most_a_day(world: World) -> int:
    return max(Counter(when.date() for _, when in started(world)).values())


def most_at_once(world: World) -> int:
    lives = [(model["createTime"], model["updateTime"]) for model in shown(world)]
    return max(sum(begun <= moment < over for begun, over in lives) for moment, _ in lives)


def many(world: World, number: int) -> list[Key]:
    keys = []
    for each in range(number):
        keys.append(train(world, Key(BASE.kind, BASE.namespace, f"m-{each}")))
        world.tick(1.0)
    return keys


def finish(world: World, keys: list[Key], process: int = 0) -> None:
    end = world.seconds + LONG
    while {world.told(key) for key in keys} != {"Ready"} and world.run_next(process, end):
        pass
    assert [world.told(key) for key in keys] == ["Ready"] * len(keys)
    assert Counter(name for name, _ in started(world)) == {key.name: 1 for key in keys}


def test_r_20_runs_beyond_a_limit_wait_and_all_finish_in_order() -> None:
    world = limited(maxConcurrent=1)
    keys = many(world, 3)
    world.rest(60.0)
    assert [world.told(key) for key in keys[1:]] == ["Reconciling QueuedForBudget"] * 2
    message = world.message(keys[1])
    assert message.startswith("The quota of 1 runs at once that `spending` allows for modelTrai")
    finish(world, keys)
    assert most_at_once(world) == 1
    assert [name for name, _ in started(world)] == [key.name for key in keys]


def test_r_20_a_day_is_a_day_of_awss_clock() -> None:
    world = limited(maxRunsPerDay=2)
    keys = many(world, 3)
    world.rest(3600.0)
    assert len(started(world)) == 2
    written, asked = world.kubernetes.patches[keys[2]], world.aws.sent("ListTrainedModels")
    world.rest(3600.0)
    assert world.kubernetes.patches[keys[2]] == written
    assert world.aws.sent("ListTrainedModels") - asked <= 7, "no List but what others need"
    finish(world, keys)
    assert most_a_day(world) == 2
    (_, before), (_, after) = started(world)[1:]
    assert (after.date() - before.date()).days == 1, "no day is wasted"


def test_r_20_what_is_deleted_or_started_by_hand_counts() -> None:
    world = limited(maxRunsPerDay=2)
    finish(world, many(world, 1))
    world.delete(ONE)
    world.rest(600.0)
    given = {k: v for k, v in trainings.model(world).items() if not k.endswith(("From", "Ref"))}
    where = world.resources[PARTNERS].status["identifier"]
    world.ask(
        PARTNER,
        "cleanroomsml",
        "CreateTrainedModel",
        membershipIdentifier=where,
        name="by-hand",
        **given,
    )
    train(world, TWO)
    world.rest(3600.0)
    assert world.told(TWO) == "Reconciling QueuedForBudget"


def test_r_20_a_higher_limit_starts_at_once_what_waits() -> None:
    world = limited(maxRunsPerDay=0)
    train(world, ONE)
    world.rest(60.0)
    assert (world.told(ONE), sent(world)) == ("Reconciling QueuedForBudget", 0)
    guard(world, modelTraining={"maxRunsPerDay": 1, "maxConcurrent": 3})
    world.rest(10.0)
    assert sent(world) == 1


def test_r_20_an_older_run_that_nobody_approves_holds_back_no_other() -> None:
    world = STUDIO.fork()
    guard(world, modelTraining={"start": "Approve", "maxConcurrent": 1})
    keys = many(world, 2)
    world.settle()
    assert {world.told(key) for key in keys} == {HELD}
    allowance = {"start": "Approve", "maxConcurrent": 1}
    guard(world, approval(world, TWO), modelTraining=allowance)
    world.rest(10.0)
    assert [name for name, _ in started(world)] == [TWO.name]


def test_r_20_no_death_lets_more_start() -> None:
    world = limited(maxConcurrent=1, maxRunsPerDay=2)

    def live(world: World) -> None:
        many(world, 3)
        world.rest(300.0)

    dead = world.deaths(live)
    assert len(dead) > 5
    for each in dead[::2]:
        each.rest(7200.0)
        assert most_a_day(each) == len(started(each)) <= 2
        assert most_at_once(each) == 1


def test_r_20_an_answer_that_is_lost_keeps_its_place() -> None:
    world = limited(maxConcurrent=1, maxRunsPerDay=2)
    lost = Fault(kind=FaultKind.LOSE_RESPONSE, operation="CreateTrainedModel", count=1)
    world.aws.faults.add(lost)
    many(world, 3)
    world.rest(7200.0)
    assert most_a_day(world) == len(started(world)) == 2
    assert most_at_once(world) == 1


def test_r_20_another_replica_lets_no_more_start() -> None:
    """The old leader stops anywhere in a pass, and goes on when another has the lease."""
    base = limited(maxConcurrent=1)
    for stop in range(12, 34, 3):
        world = base.fork()
        keys = [train(world, ONE), train(world, TWO)]
        old = world.start(ONE)
        for _ in range(stop):
            if not old.over:
                world.step(old)
        world.process(0).leads = False
        world.rest(30.0, 1)
        if not old.over:
            world.finish(old)
        finish(world, keys, 1)
        assert most_at_once(world) == 1
