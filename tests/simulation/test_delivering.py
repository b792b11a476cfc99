"""R-25: no job is paid for whose output nobody could receive, as far as that can be seen."""

import pytest

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.rules import Rules
from simulation import specs
from simulation.invariants import check_rest
from simulation.specs import CREATOR, CREATORS, EXAMPLES, PARTNER, RUNS
from simulation.world import World

JOB = RUNS["job"].key
START = "StartTrainedModelInferenceJob"


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
