"""R-42: every call that a kind lists is made by it; the guard sees to it that no other is."""

from typing import Any

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.rules import Rules
from cleanrooms_operator.core import permissions
from cleanrooms_operator.core.permissions import Call
from simulation import specs
from simulation.specs import COLLABORATION, CREATOR, EXAMPLES
from simulation.world import World

Called = set[tuple[str, Call]]

THIRD: dict[str, Any] = {"accountId": "333333333333", "displayName": "C", "memberAbilities": []}


def lived() -> Called:
    """Let everything be made, edited, edited back, found again after a restore, and deleted."""
    world = specs.settled()
    for example in EXAMPLES.values():
        example.edit(world)
    world.settle()
    for example in EXAMPLES.values():
        example.apply(world)
    world.settle()
    world.restore()
    world.settle()
    specs.delete_all(world)
    world.settle()
    return world.guard.called


def changed_members() -> Called:
    """Let a member be added by agreement, and removed."""
    world = World()
    specs.accounts(world)
    for name in ("collaboration", "creator"):
        EXAMPLES[name].apply(world)
    answers = {"autoApprove": ["ADD_MEMBER"]}
    world.apply("Membership", "member", specs.partners_membership(changeRequests=answers), "b")
    world.settle()
    known = specs.collaboration()["members"]
    for members in ([*known, THIRD], known):
        world.apply("Collaboration", "ads", specs.collaboration(members=members), "a")
        world.settle()
    assert world.told(COLLABORATION) == "Ready"
    return world.guard.called


def stopped_early() -> Called:
    """Let what takes time be deleted before it is done."""
    world = specs.settled()
    for example in EXAMPLES.values():
        if world.kinds[example.key.kind].cancel is not None:
            example.delete(world)
            world.settle()
            example.apply(world)
            world.rest(20.0)
            example.delete(world)
            world.settle()
    return world.guard.called


def refused_names() -> Called:
    """Let a name be taken by what only the collaboration shows, under a membership not declared."""
    world = World(rules=Rules.parse(("ER-1=refused-while-live",)))
    specs.accounts(world)
    for name in ("collaboration", "algorithm"):
        EXAMPLES[name].apply(world)
    spec = {**EXAMPLES["creator"].spec, "deletionPolicy": "Retain"}
    membership = world.apply("Membership", "member", spec, "a")
    world.settle()
    joined = world.resources[membership].status["identifier"]
    world.delete(membership)
    world.settle()
    made, policies = world.resources[EXAMPLES["algorithm"].key], specs.association()
    own = "ListConfiguredModelAlgorithmAssociations"
    world.aws.faults.add(Fault(kind=FaultKind.LAG, operation=own, seconds=86_400.0))
    given = {
        "membershipIdentifier": joined,
        "privacyConfiguration": policies["privacyConfiguration"],
    }
    create = "CreateConfiguredModelAlgorithmAssociation"
    algorithm = {"configuredModelAlgorithmArn": made.status["arn"]}
    world.ask(CREATOR, "cleanroomsml", create, name="churn", **given, **algorithm)
    kind, reference = EXAMPLES["association"].key.kind, policies["configuredModelAlgorithmRef"]
    key = world.apply(kind, "churn", {**given, "configuredModelAlgorithmRef": reference}, "a")
    world.settle()
    assert world.told(key) == "Stalled NameTaken"
    assert f"of account {CREATOR}" in world.message(key)
    return world.guard.called


def test_r_42_what_is_called_is_what_is_listed() -> None:
    kinds = {example.key.kind: World().kinds[example.key.kind] for example in EXAMPLES.values()}
    listed = {
        (name, call)
        for name, kind in kinds.items()
        for call in permissions.reads(kind) | permissions.changes(kind)
    }
    assert lived() | changed_members() | stopped_early() | refused_names() == listed
