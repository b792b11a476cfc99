"""The way out: what is deleted, what is held back until a person says so, and what stays."""

from dataclasses import replace

import pytest

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_operator.core.ownership import RELEASED
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.core.step import Lifecycle
from cleanrooms_operator.kinds import BY_NAME
from cleanrooms_operator.runtime.outcome import Outcome
from simulation import specs
from simulation.invariants import check_rest, objects
from simulation.specs import COLLABORATION, CREATOR, CREATORS, EXAMPLES, PARTNER, PARTNERS
from simulation.world import World

ENDS = ("DeleteCollaboration", "DeleteMembership")


def in_namespace(world: World, namespace: str) -> list[Key]:
    return [key for key in world.resources if key.namespace == namespace]


def delete_namespace(world: World, namespace: str) -> None:
    """Delete all that is in a namespace at once, as its deletion does."""
    world.delete(*in_namespace(world, namespace))


# -- the mark ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXAMPLES)
def test_r_3_an_object_is_marked_before_the_first_call_that_ends_it(name: str) -> None:
    world, key = specs.settled(), EXAMPLES[name].key
    arn, delete = world.resources[key].status["arn"], BY_NAME[key.kind].delete
    before = len(world.aws.records())
    specs.delete_all(world)
    world.settle()
    calls = [r for r in world.aws.records()[before:] if r.applied]
    marks = [
        call.sequence
        for call in calls
        if call.parameters.get("resourceArn") == arn and RELEASED in call.parameters.get("tags", ())
    ]
    ends = [
        call.sequence
        for call in calls
        if call.operation == delete and {arn, arn.rpartition("/")[2]} & {*call.parameters.values()}
    ]
    assert len(marks) == len(ends) == 1
    assert marks < ends


def test_r_3_what_is_retained_keeps_its_tags_and_is_found_again() -> None:
    world = specs.settled()
    arn = world.resources[COLLABORATION].status["arn"]
    retained = specs.collaboration(deletionPolicy="Retain")
    world.apply("Collaboration", "ads", retained, "a")
    world.settle()
    tags = world.aws.tags(CREATOR, "cleanrooms", arn)
    world.delete(COLLABORATION)
    world.settle()
    assert COLLABORATION not in world.resources
    assert world.aws.tags(CREATOR, "cleanrooms", arn) == tags
    assert world.aws.sent(*ENDS) == 0

    world.apply("Collaboration", "ads", retained, "a")
    world.settle()
    assert world.resources[COLLABORATION].status["arn"] == arn
    assert world.aws.applied("CreateCollaboration") == 1
    check_rest(world)


def test_r_3_a_mark_that_aws_denies_holds_nothing_and_is_told() -> None:
    world = specs.settled()
    world.aws.faults.add(Fault(kind=FaultKind.DENY, operation="TagResource"))
    EXAMPLES["partner"].delete(world)
    told: list[str] = []
    while PARTNERS in world.resources:
        run = world.run(PARTNERS)
        world.tick(1.0)
        if isinstance(run.result, Outcome):
            told.extend(event.reason for event in run.result.events)
    assert "ReleaseNotMarked" in told
    assert world.aws.applied("DeleteMembership") == 1


# -- what a person has to say --------------------------------------------------------------------


def test_r_13_leaving_waits_for_a_persons_word() -> None:
    world = specs.settled()
    world.delete(PARTNERS)
    world.settle()
    assert world.told(PARTNERS) == "Reconciling DeletionBlocked"
    assert PARTNER in world.message(PARTNERS)
    assert "delete-membership" in world.message(PARTNERS)
    assert world.aws.sent("DeleteMLConfiguration", *ENDS) == 0
    world.annotate(PARTNERS, delete_membership="true")
    world.settle()
    assert PARTNERS not in world.resources
    assert world.aws.applied("DeleteMLConfiguration", "DeleteMembership") == 2
    check_rest(world)


def test_r_13_a_retained_membership_is_let_go_without_a_word() -> None:
    world = specs.settled()
    spec = specs.partners_membership(deletionPolicy="Retain")
    world.apply("Membership", "member", spec, "b")
    world.settle()
    world.delete(PARTNERS)
    world.settle()
    assert PARTNERS not in world.resources
    assert world.aws.sent("DeleteMLConfiguration", *ENDS) == 0
    check_rest(world)


def test_a_collaboration_with_other_members_waits_for_a_persons_word() -> None:
    world = specs.settled()
    world.delete(COLLABORATION)
    world.settle()
    assert world.told(COLLABORATION) == "Reconciling DeletionBlocked"
    assert PARTNER in world.message(COLLABORATION)
    assert world.aws.sent(*ENDS) == 0


def test_a_retained_collaboration_retains_its_creators_membership() -> None:
    world = specs.settled()
    world.apply("Collaboration", "ads", specs.collaboration(deletionPolicy="Retain"), "a")
    world.settle()
    delete_namespace(world, "a")
    world.settle()
    assert in_namespace(world, "a") == []
    assert world.aws.sent("DeleteMLConfiguration", *ENDS) == 0
    check_rest(world)


def test_a_creators_membership_alone_cannot_go() -> None:
    world = specs.settled()
    EXAMPLES["association"].delete(world)
    world.delete(CREATORS)
    world.settle()
    assert world.told(CREATORS) == "Reconciling DeletionBlocked"
    assert str(COLLABORATION) in world.message(CREATORS)


def test_what_cannot_be_deleted_is_let_go_by_word_and_told() -> None:
    world = specs.settled()
    arn = world.resources[PARTNERS].status["arn"]
    world.aws.faults.add(Fault(kind=FaultKind.DENY, account=PARTNER))
    EXAMPLES["partner"].delete(world)
    world.settle(seconds=10_000)
    assert world.told(PARTNERS) == "Stalled DeletionBlocked"
    world.annotate(PARTNERS, abandon="true")
    run = world.run(PARTNERS)
    while PARTNERS in world.resources:
        world.tick(1.0)
        run = world.run(PARTNERS)
    assert isinstance(run.result, Outcome)
    (event,) = run.result.events
    assert (event.type, event.reason) == ("Warning", "Abandoned")
    assert arn in event.message


# -- a namespace that goes all at once -----------------------------------------------------------


def test_r_15_i_the_partner_leaves_first() -> None:
    world = specs.settled()
    world.annotate(PARTNERS, delete_membership="true")
    delete_namespace(world, "b")
    world.settle()
    assert in_namespace(world, "b") == []
    delete_namespace(world, "a")
    world.settle()
    assert not world.resources
    assert objects(world) == []


def test_r_15_ii_the_creator_ends_it_for_all_by_word() -> None:
    world = specs.settled()
    world.annotate(COLLABORATION, delete_collaboration="true")
    delete_namespace(world, "a")
    world.settle()
    assert in_namespace(world, "a") == []
    world.rest(600.0)
    assert world.told(PARTNERS) == "Stalled CollaborationDeleted"
    delete_namespace(world, "b")
    world.settle()
    assert not world.resources
    assert objects(world) == []


@pytest.mark.parametrize("hours", [0, 5])
def test_r_15_iii_the_creator_alone_is_held_and_goes_soon_after_the_word(hours: int) -> None:
    world = specs.settled()
    delete_namespace(world, "a")
    world.rest(120.0 + hours * 3600.0)
    for key in (COLLABORATION, CREATORS):
        assert world.told(key) == "Reconciling DeletionBlocked"
        assert "delete-collaboration" in world.message(key)
        assert PARTNER in world.message(key)
    assert world.aws.sent(*ENDS) == 0
    world.annotate(COLLABORATION, delete_collaboration="true")
    world.rest(30.0)
    assert in_namespace(world, "a") == []
    assert world.told(PARTNERS) in {"Ready", "Stalled CollaborationDeleted"}
    world.rest(600.0)
    assert world.told(PARTNERS) == "Stalled CollaborationDeleted"


@pytest.mark.parametrize("first", ["a", "b"])
def test_r_15_both_namespaces_at_once_end_in_nothing(first: str) -> None:
    world = specs.settled()
    world.annotate(COLLABORATION, delete_collaboration="true")
    world.annotate(PARTNERS, delete_membership="true")
    for namespace in (first, "b" if first == "a" else "a"):
        delete_namespace(world, namespace)
    world.settle()
    assert not world.resources
    assert objects(world) == []


def test_an_account_goes_after_all_that_uses_it() -> None:
    world = specs.settled()
    account = Key("AWSAccount", "b", "default")
    world.delete(account)
    world.settle()
    assert world.told(account) == "Reconciling DeletionBlocked"
    assert str(PARTNERS) in world.message(account)
    EXAMPLES["partner"].delete(world)
    world.settle()
    assert in_namespace(world, "b") == []


def test_what_aws_is_still_changing_is_waited_for() -> None:
    """As objects of kinds are whose deletion takes time: here, the end of a membership does."""
    kind = BY_NAME["Membership"]
    slow = replace(kind, lifecycle={**kind.lifecycle, "COLLABORATION_DELETED": Lifecycle.CHANGING})
    world = World(kinds={**BY_NAME, "Membership": slow})
    specs.walkthrough(world)
    world.settle()
    identifier = world.resources[PARTNERS].status["identifier"]
    world.annotate(COLLABORATION, delete_collaboration="true")
    delete_namespace(world, "a")
    world.rest(700.0)
    delete_namespace(world, "b")
    world.rest(300.0)
    assert world.told(PARTNERS) == "Reconciling Deleting"
    assert world.aws.sent("DeleteMembership") == 0
    world.ask(PARTNER, "cleanrooms", "DeleteMembership", membershipIdentifier=identifier)
    world.rest(world.pace.settle + 60.0)
    assert PARTNERS not in world.resources


def test_one_read_that_shows_nothing_ends_no_deletion() -> None:
    """R-9, also on the way out: AWS says AccessDenied of what does not exist."""
    world = specs.settled()
    world.aws.faults.add(Fault(kind=FaultKind.DENY, operation="GetCollaboration"))
    for name in ("association", "creator", "collaboration"):
        EXAMPLES[name].delete(world)
    world.rest(2 * 3600.0)
    assert COLLABORATION in world.resources
    world.aws.faults.clear()
    world.rest(1200.0)
    kept = [Key("AWSAccount", "a", "default"), EXAMPLES["algorithm"].key]
    assert in_namespace(world, "a") == kept
    check_rest(world)


def test_r_38_nobody_gives_up_before_having_tried() -> None:
    """R-38: a process that was down for long has not waited for anything."""
    world = specs.settled()
    world.annotate(COLLABORATION, delete_collaboration="true")
    delete_namespace(world, "a")
    world.rest(700.0)
    assert world.told(PARTNERS) == "Stalled CollaborationDeleted"
    delete_namespace(world, "b")
    world.crash()
    world.tick(2 * world.pace.release_limit)
    world.settle()
    assert PARTNERS not in world.resources
    assert objects(world) == []


def test_r_38_what_is_of_no_use_and_cannot_be_deleted_is_given_up_after_a_while() -> None:
    world = specs.settled()
    world.annotate(COLLABORATION, delete_collaboration="true")
    delete_namespace(world, "a")
    world.rest(700.0)
    world.aws.faults.add(Fault(kind=FaultKind.DENY, operation="Delete*"))
    delete_namespace(world, "b")
    world.rest(world.pace.release_limit - 600.0)
    assert PARTNERS in world.resources
    world.rest(1800.0)
    assert PARTNERS not in world.resources
    world.aws.faults.clear()
    check_rest(world)


# -- without a way to look -----------------------------------------------------------------------


def unseeable() -> World:
    """Return a world that was restored without its accounts, whose collaboration is deleted."""
    world = specs.settled()
    world.restore()
    accounts = [key for key in world.resources if key.kind == "AWSAccount"]
    world.delete(*accounts)
    world.settle()
    EXAMPLES["collaboration"].delete(world)
    world.settle()
    return world


def test_what_may_have_been_restored_is_held_until_it_can_be_looked_for() -> None:
    world = unseeable()
    assert world.told(COLLABORATION) == "Reconciling DeletionBlocked"
    assert "AWSAccount/default does not exist" in world.message(COLLABORATION)
    specs.accounts(world)
    for name in ("association", "creator"):
        EXAMPLES[name].delete(world)
    world.settle()
    assert COLLABORATION not in world.resources
    assert CREATORS not in world.resources
    check_rest(world)


@pytest.mark.parametrize("word", [True, False])
def test_what_lives_under_a_membership_that_is_not_known_yet_is_held(*, word: bool) -> None:
    world = specs.settled()
    association = EXAMPLES["association"].key
    world.restore()
    world.aws.faults.add(Fault(kind=FaultKind.DENY, operation="GetCollaboration"))
    world.rest(60.0)
    world.delete(association)
    world.rest(600.0)
    assert world.told(association) == "Reconciling DeletionBlocked"
    assert "Membership/member" in world.message(association)
    if word:
        world.annotate(association, abandon="true")
        world.rest(600.0)
        assert association not in world.resources
        return
    world.aws.faults.clear()
    world.rest(3600.0)
    assert association not in world.resources
    assert world.aws.applied("DeleteConfiguredModelAlgorithmAssociation") == 1


def test_what_nobody_can_look_for_is_let_go_by_word() -> None:
    world = unseeable()
    world.annotate(COLLABORATION, abandon="true")
    world.settle()
    assert COLLABORATION not in world.resources
    assert world.aws.sent(*ENDS) == 0


def test_a_namespace_that_goes_before_its_account_was_proved_cleans_up_all_the_same() -> None:
    world = World()
    specs.accounts(world)
    for name in ("collaboration", "creator", "algorithm", "association"):
        EXAMPLES[name].apply(world)
    world.settle()
    world.restore()
    for resource in list(world.resources.values()):
        world.kubernetes.hold(resource)
    delete_namespace(world, "a")
    world.settle()
    assert in_namespace(world, "a") == []
    assert objects(world) == []
    check_rest(world)


# -- what went by itself -------------------------------------------------------------------------


def test_r_12_what_vanished_is_reported_and_never_made_again() -> None:
    world = specs.settled()
    identifier = world.resources[COLLABORATION].status["identifier"]
    parameters = {"collaborationIdentifier": identifier}
    world.ask(CREATOR, "cleanrooms", "DeleteCollaboration", **parameters)
    world.rest(5 * 3600.0)
    assert world.told(COLLABORATION) == "Stalled Missing"
    for key in (CREATORS, PARTNERS):
        assert world.told(key) == "Stalled CollaborationDeleted"
    assert world.aws.applied("CreateCollaboration") == 1
    assert world.aws.applied("CreateMembership") == 2
    check_rest(world)


def test_r_12_what_vanished_is_made_anew_for_another_resource_of_the_name() -> None:
    world = specs.settled()
    identifier = world.resources[COLLABORATION].status["identifier"]
    parameters = {"collaborationIdentifier": identifier}
    world.ask(CREATOR, "cleanrooms", "DeleteCollaboration", **parameters)
    world.rest(3600.0)
    specs.delete_all(world)
    world.settle()
    assert not world.resources
    assert objects(world) == []
    specs.walkthrough(world)
    world.settle()
    assert {world.told(key) for key in world.resources} == {"Ready"}


def test_a_removed_member_is_told_so_and_can_go() -> None:
    world = specs.settled()
    identifier = world.resources[COLLABORATION].status["identifier"]
    parameters = {"collaborationIdentifier": identifier, "accountId": PARTNER}
    world.ask(CREATOR, "cleanrooms", "DeleteMember", **parameters)
    world.rest(1200.0)
    assert world.told(PARTNERS) == "Stalled Removed"
    assert world.told(COLLABORATION) == "Ready"
    world.delete(PARTNERS)
    world.settle()
    assert PARTNERS not in world.resources
    check_rest(world)
