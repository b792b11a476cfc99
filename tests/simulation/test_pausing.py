"""R-39: a person asks for quiet, for good or for a while."""

from datetime import timedelta

import pytest

from simulation import specs
from simulation.invariants import check_rest
from simulation.specs import COLLABORATION, CREATOR, EXAMPLES, PARTNERS
from simulation.world import World


def _until(world: World, seconds: float) -> str:
    return (world.now() + timedelta(seconds=seconds)).isoformat()


def test_r_39_while_paused_nothing_is_asked_or_changed_and_the_status_says_so() -> None:
    world = specs.settled()
    world.annotate(COLLABORATION, paused="true")
    EXAMPLES["collaboration"].edit(world)
    world.settle()
    before, written = len(world.aws.records()), world.kubernetes.version
    world.rest(5 * 3600.0)
    resource = world.resources[COLLABORATION]
    assert world.told(COLLABORATION) == "Paused Suspended"
    assert resource.status["observedGeneration"] < resource.generation
    assert world.kubernetes.version == written
    asked = world.aws.records()[before:]
    assert not [r for r in asked if r.operation in {"GetCollaboration", "UpdateCollaboration"}]

    world.annotate(COLLABORATION, paused=None)
    world.settle()
    assert world.told(COLLABORATION) == "Ready"
    assert resource.condition("Paused") is not None
    assert world.resources[COLLABORATION].condition("Paused") is None
    check_rest(world)


def test_r_39_what_is_paused_until_a_moment_goes_on_then_by_itself() -> None:
    world = specs.settled()
    world.annotate(COLLABORATION, paused_until=_until(world, 1800.0))
    EXAMPLES["collaboration"].edit(world)
    world.rest(1700.0)
    assert world.told(COLLABORATION) == "Paused Suspended"
    assert world.aws.sent("UpdateCollaboration") == 0
    world.rest(200.0)
    assert world.told(COLLABORATION) == "Ready"
    assert world.aws.applied("UpdateCollaboration") == 1
    check_rest(world)


def test_r_39_what_is_paused_from_the_start_is_not_made_nor_held() -> None:
    world = World()
    specs.accounts(world)
    EXAMPLES["collaboration"].apply(world)
    world.annotate(COLLABORATION, paused="true")
    world.settle()
    assert world.told(COLLABORATION) == "Paused Suspended"
    assert not world.resources[COLLABORATION].is_true("Ready")
    assert not world.resources[COLLABORATION].held
    assert world.aws.sent("CreateCollaboration") == 0
    world.annotate(COLLABORATION, paused=None)
    world.settle()
    assert world.told(COLLABORATION) == "Ready"


@pytest.mark.parametrize("executed", [False, True], ids=["lost request", "lost answer"])
def test_an_open_attempt_is_resolved_during_a_pause_by_reads_only(*, executed: bool) -> None:
    world = World()
    specs.accounts(world)
    world.settle()
    EXAMPLES["collaboration"].apply(world)
    run = world.start(COLLABORATION)
    while run.request is not None and run.request.operation != "CreateCollaboration":
        world.step(run)
    if executed:
        world.execute(run)
    world.crash()
    world.annotate(COLLABORATION, paused="true")
    world.settle()
    assert "attempt" not in world.resources[COLLABORATION].status
    assert ("identifier" in world.resources[COLLABORATION].status) == executed
    assert world.told(COLLABORATION) == "Paused Suspended"
    assert world.aws.applied("CreateCollaboration") == int(executed)
    world.annotate(COLLABORATION, paused=None)
    world.settle()
    assert world.told(COLLABORATION) == "Ready"
    assert world.aws.applied("CreateCollaboration") == 1
    check_rest(world)


def test_a_deletion_is_not_paused() -> None:
    world = specs.settled()
    world.annotate(PARTNERS, paused="true")
    EXAMPLES["partner"].delete(world)
    world.settle()
    assert PARTNERS not in world.resources
    assert world.aws.applied("DeleteMembership") == 1


def test_r_39_a_collaboration_says_in_a_column_how_many_have_joined() -> None:
    world = World()
    specs.accounts(world)
    EXAMPLES["collaboration"].apply(world)
    world.settle()
    assert world.resources[COLLABORATION].status["membersJoined"] == "0/2"
    EXAMPLES["creator"].apply(world)
    world.settle()
    assert world.resources[COLLABORATION].status["membersJoined"] == "1/2"
    assert CREATOR not in world.message(COLLABORATION, "MembersJoined")
    EXAMPLES["partner"].apply(world)
    world.settle()
    assert world.resources[COLLABORATION].status["membersJoined"] == "2/2"
