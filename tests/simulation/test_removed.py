"""R-38: what AWS lets nobody delete any more, as its membership is over, is let go in the end."""

from collections.abc import Callable

import pytest

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.rules import Rules
from cleanrooms_operator.core.resource import Key
from simulation import specs
from simulation.specs import COLLABORATION, CREATOR, PARTNER, PARTNERS, RUNS
from simulation.world import World

LIMIT = 3600.0
CHANNEL, MODEL = RUNS["channel"].key, RUNS["model"].key
LEAVE_SOMETHING = {CHANNEL, MODEL}
"""What is more than the record of a run."""


def finished(reading: str) -> World:
    return specs.finished(Rules.parse((f"ER-26={reading}",)))


def remove(world: World) -> None:
    """Remove the partner behind the operator's back."""
    shared = {"collaborationIdentifier": world.resources[COLLABORATION].status["identifier"]}
    world.ask(CREATOR, "cleanrooms", "DeleteMember", **shared, accountId=PARTNER)


def dissolve(world: World) -> None:
    """Delete the collaboration behind the operator's back."""
    shared = {"collaborationIdentifier": world.resources[COLLABORATION].status["identifier"]}
    world.ask(CREATOR, "cleanrooms", "DeleteCollaboration", **shared)


def of_partner(world: World) -> set[Key]:
    return {key for key in world.resources if key.namespace == "b" and key.kind != "AWSAccount"}


def delete_partners(world: World) -> set[Key]:
    """Delete all of the partner's but its AWSAccount; return what stays for most of an hour."""
    world.delete(*of_partner(world))
    world.rest(LIMIT - 600.0)
    return of_partner(world)


@pytest.mark.parametrize(
    ("end", "state"), [(remove, "REMOVED"), (dissolve, "COLLABORATION_DELETED")]
)
def test_what_cannot_be_seen_any_more_is_held_for_an_hour(
    end: Callable[[World], None], state: str
) -> None:
    world = finished("denied")
    end(world)
    world.rest(1300.0)
    assert world.resources[PARTNERS].status["state"] == state
    assert delete_partners(world) == {*LEAVE_SOMETHING, PARTNERS}, "the membership is needed still"
    assert world.told(CHANNEL) == "Stalled DeletionBlocked"
    world.rest(1300.0)
    assert of_partner(world) == set()


def test_what_can_be_deleted_is_deleted() -> None:
    world = finished("reads")
    remove(world)
    world.rest(1300.0)
    assert delete_partners(world) == set()
    assert world.aws.applied("DeleteMLInputChannelData", "DeleteTrainedModelOutput") == 2


def test_a_membership_that_goes_alone_waits_for_what_is_under_it() -> None:
    world = finished("denied")
    remove(world)
    world.rest(1300.0)
    world.delete(PARTNERS)
    world.rest(3 * LIMIT)
    assert "delete it too" in world.message(PARTNERS)


def test_it_is_an_hour_from_when_the_membership_was_over() -> None:
    world = finished("denied")
    world.aws.faults.add(Fault(kind=FaultKind.DENY, operation="DeleteTrainedModelOutput"))
    world.delete(MODEL)
    world.rest(3 * LIMIT)
    assert world.told(MODEL) == "Reconciling DeletionBlocked", "an ACTIVE one never lets it go"
    remove(world)
    world.rest(LIMIT)
    assert MODEL in world.resources
    world.rest(1800.0)
    assert MODEL not in world.resources


def undeclared(reading: str) -> World:
    """Return a world with a channel under a membership that is no resource of the cluster."""
    world = World(rules=Rules.parse((f"ER-26={reading}",)))
    specs.walkthrough(world)
    world.settle()
    spec = specs.channel(membershipIdentifier=world.resources[PARTNERS].status["identifier"])
    del spec["membershipRef"]
    world.apply(CHANNEL.kind, CHANNEL.name, spec, CHANNEL.namespace)
    world.settle()
    world.kubernetes._remove(PARTNERS)
    return world


def test_a_membership_that_nobody_declares_is_looked_at() -> None:
    world = undeclared("denied")
    remove(world)
    throttled = Fault(kind=FaultKind.THROTTLE, operation="GetMembership", account=PARTNER, count=2)
    world.aws.faults.add(throttled)
    world.delete(CHANNEL)
    world.rest(LIMIT - 600.0)
    assert world.told(CHANNEL) == "Stalled DeletionBlocked"
    world.rest(LIMIT)
    assert CHANNEL not in world.resources


def test_one_that_is_not_over_lets_nothing_go() -> None:
    world = undeclared("denied")
    world.aws.faults.add(Fault(kind=FaultKind.DENY, operation="DeleteMLInputChannelData"))
    world.delete(CHANNEL)
    world.rest(3 * LIMIT)
    assert CHANNEL in world.resources
    world.aws.faults.add(Fault(kind=FaultKind.DENY, operation="GetMembership"))
    remove(world)
    world.rest(3 * LIMIT)
    assert CHANNEL in world.resources, "what cannot be seen proves nothing"
    world.aws.faults.clear()
    world.rest(2 * LIMIT)
    assert CHANNEL not in world.resources
