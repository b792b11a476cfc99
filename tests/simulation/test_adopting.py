"""Objects that are there already: after a restore, of another cluster, made by hand."""

from typing import Any

import pytest

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_operator.core.ownership import NAME, NAMESPACE, OWNER, RELEASED, Owner
from cleanrooms_operator.core.resource import Key
from simulation import specs
from simulation.invariants import check_rest, objects
from simulation.specs import COLLABORATION, CREATOR, CREATORS, PARTNER, PARTNERS
from simulation.world import World

CREATES = ("CreateCollaboration", "CreateMembership")


def restored(owner: Owner | None = None) -> World:
    """Return a world whose cluster was built anew from a backup, perhaps under another id."""
    world = specs.settled()
    world.restore()
    world.owner = owner or world.owner
    world = world.fork()
    world.tick(3600.0)
    world.settle()
    return world


def made_by_hand(**tags: str) -> tuple[World, str]:
    """Return a world with the accounts, and the ARN of a collaboration of the creator's people."""
    world = World()
    specs.accounts(world)
    world.settle()
    made = world.ask(CREATOR, "cleanrooms", "CreateCollaboration", **specs.collaboration(tags=tags))
    return world, made["collaboration"]["arn"]


def joined_by_hand(**tags: str) -> tuple[World, str]:
    """Return a world with a collaboration, and the ARN of a membership of the partner's people."""
    world = World()
    specs.accounts(world)
    specs.EXAMPLES["collaboration"].apply(world)
    world.settle()
    parameters = {
        "collaborationIdentifier": world.resources[COLLABORATION].status["identifier"],
        "queryLogStatus": "ENABLED",
        "tags": tags,
    }
    made = world.ask(PARTNER, "cleanrooms", "CreateMembership", **parameters)
    return world, made["membership"]["arn"]


def others_tags(owner: str, key: Key) -> dict[str, str]:
    return {OWNER: owner, NAMESPACE: key.namespace, NAME: key.name}


# -- after a restore -----------------------------------------------------------------------------


def test_a_restore_finds_all_that_was_there_and_makes_nothing() -> None:
    world = restored()
    assert world.aws.applied(*CREATES) == 0
    assert {world.told(key) for key in world.resources} == {"Ready"}
    check_rest(world)


def test_r_2_what_a_cluster_of_another_id_made_is_never_made_beside_it() -> None:
    world = restored(Owner("cluster-2"))
    assert world.told(COLLABORATION) == "Stalled OwnedElsewhere"
    assert "cluster-1" in world.message(COLLABORATION)
    assert "owner.inherits" in world.message(COLLABORATION)
    assert "external-id" in world.message(COLLABORATION)
    assert world.told(PARTNERS) == "Stalled OwnedElsewhere"
    world.rest(10 * 3600.0)
    assert world.aws.sent(*CREATES) == 0


def test_r_2_what_an_earlier_cluster_made_is_taken_over_when_that_is_said() -> None:
    world = restored(Owner("cluster-2", inherits=frozenset({"cluster-1"})))
    assert world.aws.sent(*CREATES) == 0
    assert {world.told(key) for key in world.resources} == {"Ready"}
    for account, kind, item in objects(world):
        assert world.aws.tags(account, kind.service, item[kind.handle.arn])[OWNER] == "cluster-2"
    check_rest(world)


def test_r_2_and_r_37_another_is_made_beside_it_when_a_person_says_so() -> None:
    world = restored(Owner("cluster-2"))
    world.annotate(COLLABORATION, external_id="none")
    world.settle()
    assert world.told(COLLABORATION) == "Ready"
    assert world.aws.applied("CreateCollaboration") == 1
    assert sum(kind.name == "Collaboration" for _, kind, _ in objects(world)) == 2


# -- by a person's word --------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [True, False], ids=["by ARN", "by identifier"])
def test_r_35_what_was_made_by_hand_is_adopted_by_a_persons_word(*, whole: bool) -> None:
    world, arn = made_by_hand(team="x")
    specs.EXAMPLES["collaboration"].apply(world)
    named = arn if whole else arn.rpartition("/")[2]
    world.annotate(COLLABORATION, external_id=named)
    world.settle()
    assert world.told(COLLABORATION) == "Ready"
    assert world.resources[COLLABORATION].status["arn"] == arn
    tags = world.aws.tags(CREATOR, "cleanrooms", arn)
    assert (tags[OWNER], tags[NAME], tags["team"]) == ("cluster-1", "ads", "x")
    assert world.aws.sent(*CREATES) == 0
    check_rest(world)


def test_without_a_word_what_was_made_by_hand_is_left_alone() -> None:
    world, arn = made_by_hand()
    specs.EXAMPLES["collaboration"].apply(world)
    world.settle()
    assert world.told(COLLABORATION) == "Ready"
    assert world.resources[COLLABORATION].status["arn"] != arn
    assert world.aws.tags(CREATOR, "cleanrooms", arn) == {}


def test_what_does_not_exist_is_waited_for() -> None:
    world, arn = made_by_hand()
    specs.EXAMPLES["collaboration"].apply(world)
    world.annotate(COLLABORATION, external_id=arn[:-12] + "0" * 12)
    world.settle()
    assert world.told(COLLABORATION) != "Ready"
    assert world.aws.sent(*CREATES) == 0


@pytest.mark.parametrize("owner", ["cluster-1", "cluster-9"])
def test_r_35_what_another_resource_made_is_not_adopted_before_its_release(owner: str) -> None:
    theirs = others_tags(owner, Key("Collaboration", "a", "other"))
    world, arn = made_by_hand(**theirs)
    specs.EXAMPLES["collaboration"].apply(world)
    world.annotate(COLLABORATION, external_id=arn)
    world.settle()
    assert world.told(COLLABORATION) == "Stalled AdoptionConflict"
    assert world.aws.tags(CREATOR, "cleanrooms", arn) == theirs

    world.ask(CREATOR, "cleanrooms", "TagResource", resourceArn=arn, tags={RELEASED: "true"})
    world.annotate(COLLABORATION, reconcile_requested_at="now")
    world.settle()
    assert world.told(COLLABORATION) == "Ready"
    check_rest(world)


def test_r_35_what_another_resource_has_recorded_is_not_adopted() -> None:
    world = specs.settled()
    arn = world.resources[COLLABORATION].status["arn"]
    twin = world.apply("Collaboration", "twin", specs.collaboration(), "a")
    world.annotate(twin, external_id=arn)
    world.settle()
    assert world.told(twin) == "Stalled AdoptionConflict"
    assert "ads" in world.message(twin)


def test_r_35_two_objects_of_one_resource_are_both_named_and_both_left() -> None:
    ours = others_tags("cluster-1", COLLABORATION)
    world, first = made_by_hand(**ours)
    made = world.ask(CREATOR, "cleanrooms", "CreateCollaboration", **specs.collaboration(tags=ours))
    specs.EXAMPLES["collaboration"].apply(world)
    world.settle()
    assert world.told(COLLABORATION) == "Stalled AdoptionConflict"
    assert first in world.message(COLLABORATION)
    assert made["collaboration"]["arn"] in world.message(COLLABORATION)
    world.delete(COLLABORATION)
    world.settle()
    assert world.aws.sent("DeleteCollaboration", "TagResource") == 0


def test_r_35_immutable_fields_that_differ_are_shown_and_do_not_make_it_unready() -> None:
    world, arn = made_by_hand()
    world.apply("Collaboration", "ads", specs.collaboration(queryLogStatus="DISABLED"), "a")
    world.annotate(COLLABORATION, external_id=arn)
    world.settle()
    resource = world.resources[COLLABORATION]
    assert world.told(COLLABORATION) == "Ready"
    assert resource.condition("Synced")["status"] == "False"
    drift = {"path": "queryLogStatus", "desired": "DISABLED", "observed": "ENABLED"}
    assert resource.status["drift"] == [drift]


@pytest.mark.parametrize("unseen", [True, False])
def test_r_35_what_was_named_and_never_adopted_outlives_its_resource(*, unseen: bool) -> None:
    world, arn = made_by_hand()
    specs.EXAMPLES["collaboration"].apply(world)
    if unseen:
        world.kubernetes.hold(world.resources[COLLABORATION])
    else:
        world.aws.faults.add(Fault(kind=FaultKind.DENY, operation="TagResource"))
        world.annotate(COLLABORATION, external_id=arn)
        world.settle()
        world.aws.faults.clear()
    world.annotate(COLLABORATION, external_id=arn)
    specs.EXAMPLES["collaboration"].delete(world)
    world.settle()
    assert COLLABORATION not in world.resources
    assert world.aws.tags(CREATOR, "cleanrooms", arn) == {}
    assert world.aws.sent("DeleteCollaboration") == 0


def test_r_35_a_membership_that_was_never_adopted_holds_nothing() -> None:
    world, _ = joined_by_hand()
    specs.EXAMPLES["partner"].apply(world)
    world.settle()
    assert world.told(PARTNERS) == "Stalled AdoptionConflict"
    world.delete(PARTNERS)
    world.settle()
    assert PARTNERS not in world.resources
    assert world.aws.sent("DeleteMembership", "TagResource") == 0


# -- memberships ---------------------------------------------------------------------------------


def test_r_4_a_membership_made_in_the_console_is_not_taken_without_a_word() -> None:
    world, arn = joined_by_hand()
    specs.EXAMPLES["partner"].apply(world)
    world.settle()
    assert world.told(PARTNERS) == "Stalled AdoptionConflict"
    assert arn in world.message(PARTNERS)
    assert world.aws.tags(PARTNER, "cleanrooms", arn) == {}

    world.annotate(PARTNERS, external_id=arn)
    world.settle()
    assert world.told(PARTNERS) == "Ready"
    check_rest(world)


def test_r_4_our_own_membership_is_found_by_its_collaboration() -> None:
    world, arn = joined_by_hand(**others_tags("cluster-1", PARTNERS))
    specs.EXAMPLES["partner"].apply(world)
    world.settle()
    assert world.told(PARTNERS) == "Ready"
    assert world.resources[PARTNERS].status["arn"] == arn
    assert world.aws.sent("CreateMembership") == 0


def test_r_4_an_invitation_that_was_taken_is_found_among_several() -> None:
    """Of two collaborations of one name, the one that we hold a tagged membership of wins."""
    world = specs.settled()
    joined = world.resources[PARTNERS].status["collaborationIdentifier"]
    world.ask(CREATOR, "cleanrooms", "CreateCollaboration", **specs.collaboration())
    world.kubernetes.restore(PARTNERS)
    world.settle()
    assert world.told(PARTNERS) == "Ready"
    assert world.resources[PARTNERS].status["collaborationIdentifier"] == joined


@pytest.mark.parametrize("policy", [None, "Full"])
def test_r_5_anothers_ml_configuration_is_overwritten_on_demand_only(policy: str | None) -> None:
    world, arn = joined_by_hand()
    theirs = _elsewhere()
    identifier = arn.rpartition("/")[2]
    membership = {"membershipIdentifier": identifier}
    world.ask(PARTNER, "cleanroomsml", "PutMLConfiguration", **membership, **theirs)
    more = {} if policy is None else {"managementPolicy": policy}
    world.apply("Membership", "member", specs.partners_membership(**more), "b")
    world.annotate(PARTNERS, external_id=arn)
    world.settle()

    shown = world.ask(PARTNER, "cleanroomsml", "GetMLConfiguration", **membership)
    wanted = specs.ml_configuration(PARTNER) if policy else theirs
    assert shown["defaultOutputLocation"] == wanted["defaultOutputLocation"]
    assert world.told(PARTNERS) == "Ready"
    resource = world.resources[PARTNERS]
    assert bool(resource.status.get("drift")) == (policy is None)
    assert bool(resource.status.get("mlConfiguration")) == (policy is not None)


def test_r_5_anothers_ml_configuration_outlives_the_resource() -> None:
    world, arn = joined_by_hand()
    membership = {"membershipIdentifier": arn.rpartition("/")[2]}
    world.ask(PARTNER, "cleanroomsml", "PutMLConfiguration", **membership, **_elsewhere())
    world.apply("Membership", "member", specs.partners_membership(deletionPolicy="Retain"), "b")
    world.annotate(PARTNERS, external_id=arn)
    world.settle()
    world.delete(PARTNERS)
    world.settle()
    assert PARTNERS not in world.resources
    assert world.aws.sent("PutMLConfiguration", "DeleteMLConfiguration", "DeleteMembership") == 0


def _elsewhere() -> dict[str, Any]:
    location = specs.ml_configuration(PARTNER)["defaultOutputLocation"]
    destination = {"s3Destination": {"s3Uri": "s3://somewhere-else/out"}}
    return {"defaultOutputLocation": {**location, "destination": destination}}


# -- observing -----------------------------------------------------------------------------------


def test_r_35_who_only_observes_changes_nothing_and_holds_nothing() -> None:
    world, arn = made_by_hand()
    spec = specs.collaboration(managementPolicy="ObserveOnly", description="Other")
    world.apply("Collaboration", "ads", spec, "a", {"cleanrooms-operator.dev/external-id": arn})
    world.settle()
    resource = world.resources[COLLABORATION]
    assert world.told(COLLABORATION) == "Ready"
    assert not resource.held
    assert [item["path"] for item in resource.status["drift"]] == ["description"]
    assert world.aws.tags(CREATOR, "cleanrooms", arn) == {}
    world.delete(COLLABORATION)
    assert COLLABORATION not in world.resources
    world.settle()
    assert world.aws.sent("TagResource", "UpdateCollaboration", "DeleteCollaboration") == 0


def test_r_35_a_membership_is_observed_by_its_natural_key() -> None:
    world, arn = joined_by_hand()
    spec = specs.partners_membership(managementPolicy="ObserveOnly")
    world.apply("Membership", "member", spec, "b")
    world.settle()
    assert world.told(PARTNERS) == "Ready"
    assert world.resources[PARTNERS].status["arn"] == arn
    assert not world.resources[PARTNERS].held


def test_r_35_who_observes_from_now_on_lets_go_of_the_finalizer() -> None:
    world = specs.settled()
    watching = specs.creators_membership(managementPolicy="ObserveOnly")
    world.apply("Membership", "member", watching, "a")
    world.settle()
    assert world.told(CREATORS) == "Ready"
    assert not world.resources[CREATORS].held
    world.apply("Membership", "member", specs.creators_membership(), "a")
    world.settle()
    assert world.told(CREATORS) == "Ready"
    assert world.resources[CREATORS].held
    check_rest(world)


def test_there_is_nothing_to_observe_until_it_is_named() -> None:
    world, _ = made_by_hand()
    spec = specs.collaboration(managementPolicy="ObserveOnly")
    world.apply("Collaboration", "ads", spec, "a")
    world.settle()
    assert not world.resources[COLLABORATION].is_true("Ready")
    assert "external-id" in world.message(COLLABORATION)
