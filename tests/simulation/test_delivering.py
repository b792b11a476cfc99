"""R-25: no job is paid for whose output nobody could receive, as far as that can be seen."""

import pytest

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.rules import Rules
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.runtime.outcome import Outcome
from simulation import specs
from simulation.invariants import check_rest
from simulation.specs import (
    COLLABORATION,
    CREATOR,
    CREATORS,
    EXAMPLES,
    PARTNER,
    PARTNERS,
    RUNS,
)
from simulation.world import World

JOB = RUNS["job"].key
START = "StartTrainedModelInferenceJob"
LOOK = "GetMLConfiguration"
UNSEEN = "has an ML configuration to receive the output cannot be seen here"


def apply(world: World) -> None:
    specs.walkthrough(world)
    for example in RUNS.values():
        example.apply(world)


@pytest.mark.parametrize("reading", ["invalid", "denied", "fail"])
def test_a_receiver_without_the_ability_is_waited_for(reading: str) -> None:
    """ER-25: whatever AWS would say of it."""
    world = World(rules=Rules.parse((f"ER-25={reading}",)))
    apply(world)
    to_partner = specs.job(outputConfiguration={"members": [{"accountId": PARTNER}]})
    world.apply(JOB.kind, JOB.name, to_partner, JOB.namespace)
    world.rest(6000.0)
    assert PARTNER in world.message(JOB)
    assert "CAN_RECEIVE_INFERENCE_OUTPUT" in world.message(JOB)
    assert world.told(JOB) == "Stalled ProgressDeadlineExceeded"
    assert world.aws.sent(START) == 0
    version = world.kubernetes.version
    world.rest(6000.0)
    assert world.kubernetes.version == version


def test_it_starts_when_the_receiver_has_its_ml_configuration() -> None:
    world = World()
    specs.walkthrough(world)
    bare = {k: v for k, v in specs.creators_membership().items() if k != "mlConfiguration"}
    world.apply(CREATORS.kind, CREATORS.name, bare, CREATORS.namespace)
    for name in ("channel", "model"):
        RUNS[name].apply(world)
    world.settle(seconds=6000.0)
    world.aws.faults.add(
        Fault(kind=FaultKind.DENY, operation="PutMLConfiguration", account=CREATOR)
    )
    EXAMPLES["creator"].apply(world)
    RUNS["job"].apply(world)
    world.rest(1000.0)
    assert world.message(JOB).startswith("Membership/member in namespace a, whose account is to")
    assert world.aws.sent(START) == 0
    world.aws.faults.clear()
    world.rest(6000.0)
    assert world.aws.applied(START) == 1
    assert world.told(JOB) == "Ready"
    check_rest(world)


def undeclared() -> World:
    """Return a world in which the receiver's Membership says nothing of an ML configuration."""
    world = World()
    specs.walkthrough(world)
    bare = {k: v for k, v in specs.creators_membership().items() if k != "mlConfiguration"}
    world.apply(CREATORS.kind, CREATORS.name, bare, CREATORS.namespace)
    for name in ("channel", "model"):
        RUNS[name].apply(world)
    world.settle(seconds=6000.0)
    return world


def put(world: World, account: str) -> None:
    """Put an ML configuration by hand."""
    whose = CREATORS if account == CREATOR else PARTNERS
    world.ask(
        account,
        "cleanroomsml",
        "PutMLConfiguration",
        membershipIdentifier=world.resources[whose].status["identifier"],
        **specs.ml_configuration(account),
    )


def test_what_is_not_declared_is_looked_for_until_it_is_there() -> None:
    world = undeclared()
    RUNS["job"].apply(world)
    world.rest(500.0)
    where = "declare `mlConfiguration` in Membership/member in namespace a, or put one"
    assert world.message(JOB).endswith(where)
    assert world.told(JOB) == "Reconciling DependencyNotReady"
    version = world.kubernetes.version
    world.rest(50.0)
    assert (world.aws.sent(START), world.kubernetes.version) == (0, version)
    put(world, CREATOR)
    world.rest(6000.0)
    assert world.aws.applied(START) == 1
    assert world.told(JOB) == "Ready"
    check_rest(world)


def test_what_is_there_by_hand_is_looked_for_once() -> None:
    world = undeclared()
    put(world, CREATOR)
    RUNS["job"].apply(world)
    world.rest(6000.0)
    assert world.told(JOB) == "Ready"
    assert [each.account for each in world.aws.records(LOOK)].count(CREATOR) == 1


def test_an_answer_that_says_nothing_is_asked_for_again() -> None:
    world = undeclared()
    put(world, CREATOR)
    fault = Fault(kind=FaultKind.THROTTLE, operation=LOOK, account=CREATOR, count=3)
    world.aws.faults.add(fault)
    RUNS["job"].apply(world)
    world.rest(6000.0)
    assert world.told(JOB) == "Ready"
    asked = [each.answered for each in world.aws.records(LOOK) if each.account == CREATOR]
    assert asked == ["ThrottlingException"] * 3 + ["OK"]


def told_at_start(world: World) -> str:
    """Run the job's passes until it is started, and return what the event says."""
    RUNS["job"].apply(world)
    for _ in range(20):
        result = world.run(JOB).result
        assert isinstance(result, Outcome)
        for event in result.events:
            if event.reason == Reason.CREATED.value:
                return event.message
        world.tick(10.0)
    pytest.fail(world.message(JOB))


def test_what_cannot_be_seen_holds_nothing_and_is_said() -> None:
    """Where the receiver's Membership is in another cluster, or its role may not look."""
    world = undeclared()
    put(world, CREATOR)
    seen, forbidden, elsewhere = world.fork(), world.fork(), world.fork()
    forbidden.aws.faults.add(Fault(kind=FaultKind.DENY, operation=LOOK))
    elsewhere.kubernetes._remove(CREATORS)
    assert UNSEEN not in told_at_start(seen)
    assert told_at_start(forbidden).endswith(f"; whether {CREATOR} {UNSEEN}")
    assert told_at_start(elsewhere).endswith(f"; whether {CREATOR} {UNSEEN}")


def test_a_receiver_whose_account_cannot_be_used_is_waited_for() -> None:
    world = undeclared()
    put(world, CREATOR)
    account = Key("AWSAccount", CREATORS.namespace, "default")
    world.aws.faults.add(Fault(kind=FaultKind.DENY, operation="GetCallerIdentity", account=CREATOR))
    world.annotate(account, reconcile_requested_at="now")
    world.rest(1000.0)
    RUNS["job"].apply(world)
    world.rest(1000.0)
    assert "AWSAccount/default" in world.message(JOB)
    assert world.aws.sent(START) == 0
    world.aws.faults.clear()
    world.rest(9000.0)
    assert world.told(JOB) == "Ready"


def test_a_submitter_that_receives_itself_is_looked_at_without_a_membership_here() -> None:
    world = World()
    specs.walkthrough(world)
    abilities = {"customMLMemberAbilities": ["CAN_RECEIVE_INFERENCE_OUTPUT"]}
    [member] = specs.collaboration()["members"]
    given = specs.collaboration(members=[{**member, "mlMemberAbilities": abilities}])
    world.apply(COLLABORATION.kind, COLLABORATION.name, given, COLLABORATION.namespace)
    bare = {k: v for k, v in specs.partners_membership().items() if k != "mlConfiguration"}
    world.apply(PARTNERS.kind, PARTNERS.name, bare, PARTNERS.namespace)
    for name in ("channel", "model"):
        RUNS[name].apply(world)
    world.settle(seconds=6000.0)
    made = {name: world.resources[RUNS[name].key].status for name in ("channel", "model")}
    spec = specs.job(
        membershipIdentifier=world.resources[PARTNERS].status["identifier"],
        trainedModelArn=made["model"]["arn"],
        dataSource={"mlInputChannelArn": made["channel"]["arn"]},
        outputConfiguration={"members": [{"accountId": PARTNER}]},
    )
    partners = world.resources[PARTNERS]
    world.kubernetes._remove(PARTNERS)
    literal = {k: v for k, v in spec.items() if k not in {"membershipRef", "trainedModelRef"}}
    world.apply(JOB.kind, JOB.name, literal, JOB.namespace)
    world.rest(1000.0)
    assert world.message(JOB).startswith(f"{PARTNER}, who is to receive the output, has no ML")
    world.kubernetes.resources[PARTNERS] = partners
    put(world, PARTNER)
    world.kubernetes.resources.pop(PARTNERS)
    world.rest(6000.0)
    assert world.aws.applied(START) == 1
    assert world.told(JOB) == "Ready"
