"""What differs between AWS and the spec: shown while it stands, and mended where it may be."""

from typing import Any

import pytest

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_operator.core.ownership import NAME, NAMESPACE, OWNER
from cleanrooms_operator.core.resource import Key
from simulation import specs
from simulation.invariants import check_rest
from simulation.specs import COLLABORATION, CREATOR, CREATORS, EXAMPLES, PARTNER, PARTNERS
from simulation.world import World

CYCLE = 3700.0
"""Longer than the details of an object are believed."""


def handle(world: World, key: Key) -> dict[str, str]:
    """Return the parameter that names a resource's object."""
    name = {"Collaboration": "collaborationIdentifier", "Membership": "membershipIdentifier"}
    return {name[key.kind]: world.resources[key].status["identifier"]}


def meddle(world: World, key: Key, operation: str, **parameters: Any) -> None:
    """Change a resource's object behind the operator's back."""
    service = "cleanroomsml" if operation.endswith("MLConfiguration") else "cleanrooms"
    account = world.resources[key].status["accountID"]
    world.ask(account, service, operation, **handle(world, key), **parameters)


def drifts(world: World, key: Key) -> list[dict[str, str]]:
    """Return each drift that a resource's status has ever shown."""
    past = [entry for _, entry in world.kubernetes.past[key] if entry is not None]
    shown = [item for entry in past for item in entry.status.get("drift") or ()]
    return [item for number, item in enumerate(shown) if item not in shown[:number]]


# -- fields --------------------------------------------------------------------------------------


def test_drift_is_shown_while_it_is_mended_and_the_resource_stays_ready() -> None:
    world = specs.settled()
    meddle(world, COLLABORATION, "UpdateCollaboration", description="Meddled")
    world.rest(CYCLE)
    shown = {"path": "description", "desired": "Advertising", "observed": "Meddled"}
    assert drifts(world, COLLABORATION) == [shown]
    assert "drift" not in world.resources[COLLABORATION].status
    states = [
        entry.is_true("Ready")
        for _, entry in world.kubernetes.past[COLLABORATION]
        if entry is not None and "drift" in entry.status
    ]
    assert states == [True], "what was ready is still usable"
    check_rest(world)


def test_drift_that_cannot_be_mended_yet_stays_in_the_status() -> None:
    world = specs.settled()
    meddle(world, COLLABORATION, "UpdateCollaboration", description="Meddled")
    world.aws.faults.add(Fault(kind=FaultKind.DENY, operation="Update*"))
    world.rest(2 * CYCLE)
    resource = world.resources[COLLABORATION]
    assert world.told(COLLABORATION) == "Stalled AccessDenied"
    assert [item["path"] for item in resource.status["drift"]] == ["description"]
    assert resource.condition("Synced")["status"] == "False"
    world.aws.faults.clear()
    world.rest(1200.0)
    assert world.told(COLLABORATION) == "Ready"
    check_rest(world)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_edit_is_applied_in_place(name: str) -> None:
    world, example = specs.settled(), EXAMPLES[name]
    arn = world.resources[example.key].status["arn"]
    example.edit(world)
    world.settle()
    assert world.told(example.key) == "Ready"
    assert world.resources[example.key].status["arn"] == arn
    check_rest(world)


def test_members_of_an_existing_collaboration_are_not_changed_and_that_is_told() -> None:
    world = specs.settled()
    members = [{**specs.collaboration()["members"][0], "displayName": "Other"}]
    world.apply("Collaboration", "ads", specs.collaboration(members=members), "a")
    world.settle()
    resource = world.resources[COLLABORATION]
    assert world.told(COLLABORATION) == "Ready"
    assert resource.condition("ChangesApplied")["status"] == "False"
    assert f"members[{PARTNER}].displayName" in world.message(COLLABORATION, "ChangesApplied")
    assert world.aws.sent("UpdateCollaboration", "DeleteMember") == 0


# -- tags ----------------------------------------------------------------------------------------


def test_tags_come_and_go_with_the_spec_and_those_of_others_stay() -> None:
    world = specs.settled()
    arn = world.resources[COLLABORATION].status["arn"]
    theirs = {"resourceArn": arn, "tags": {"theirs": "1", "team": "x"}}
    world.ask(CREATOR, "cleanrooms", "TagResource", **theirs)
    for wanted in ({"team": "a", "cost": "1"}, {"team": "b"}, None):
        tags = {} if wanted is None else {"tags": wanted}
        world.apply("Collaboration", "ads", specs.collaboration(**tags), "a")
        world.settle()
        shown = world.aws.tags(CREATOR, "cleanrooms", arn)
        ours = {k: v for k, v in shown.items() if k in {"team", "cost"}}
        assert ours == (wanted or {})
        assert shown["theirs"] == "1"
    check_rest(world)


@pytest.mark.parametrize("names", [(OWNER, NAMESPACE, NAME), (OWNER,), (NAMESPACE,), (NAME,)])
def test_tags_that_somebody_takes_away_come_back(names: tuple[str, ...]) -> None:
    world = specs.settled()
    EXAMPLES["partner"].edit(world)
    world.settle()
    arn = world.resources[PARTNERS].status["arn"]
    gone = {"resourceArn": arn, "tagKeys": ["team", *names]}
    world.ask(PARTNER, "cleanrooms", "UntagResource", **gone)
    world.rest(CYCLE)
    check_rest(world)
    assert world.aws.tags(PARTNER, "cleanrooms", arn)["team"] == "b"
    assert [item["path"] for item in drifts(world, PARTNERS)] == ["tags[team]"]


def test_an_object_that_another_takes_is_not_touched_any_more() -> None:
    world = specs.settled()
    arn = world.resources[COLLABORATION].status["arn"]
    theirs = {OWNER: "cluster-9", NAMESPACE: "a", NAME: "ads"}
    world.ask(CREATOR, "cleanrooms", "TagResource", resourceArn=arn, tags=theirs)
    world.rest(CYCLE)
    assert world.told(COLLABORATION) == "Stalled OwnedElsewhere"
    EXAMPLES["collaboration"].edit(world)
    world.settle()
    assert world.aws.sent("UpdateCollaboration", "TagResource") == 0


# -- the ML configuration ------------------------------------------------------------------------


def _elsewhere(account: str) -> dict[str, Any]:
    location = specs.ml_configuration(account)["defaultOutputLocation"]
    destination = {"s3Destination": {"s3Uri": "s3://somewhere-else/out"}}
    return {"defaultOutputLocation": {**location, "destination": destination}}


def test_an_ml_configuration_that_somebody_changes_is_put_back() -> None:
    world = specs.settled()
    meddle(world, CREATORS, "PutMLConfiguration", **_elsewhere(CREATOR))
    world.rest(CYCLE)
    shown = world.ask(CREATOR, "cleanroomsml", "GetMLConfiguration", **handle(world, CREATORS))
    wanted = specs.ml_configuration(CREATOR)
    assert shown["defaultOutputLocation"] == wanted["defaultOutputLocation"]
    (seen,) = drifts(world, CREATORS)
    assert seen["path"].startswith("mlConfiguration.")
    check_rest(world)


def test_an_ml_configuration_that_somebody_deletes_is_put_again() -> None:
    """R-12: for the ML configuration that is no new object."""
    world = specs.settled()
    meddle(world, CREATORS, "DeleteMLConfiguration")
    world.rest(CYCLE)
    world.ask(CREATOR, "cleanroomsml", "GetMLConfiguration", **handle(world, CREATORS))
    assert world.told(CREATORS) == "Ready"
    check_rest(world)


def test_an_ml_configuration_goes_with_its_part_of_the_spec() -> None:
    world = specs.settled()
    spec = {k: v for k, v in specs.creators_membership().items() if k != "mlConfiguration"}
    world.apply("Membership", "member", spec, "a")
    world.settle()
    assert world.told(CREATORS) == "Ready"
    assert world.aws.applied("DeleteMLConfiguration") == 1
    assert "mlConfiguration" not in world.resources[CREATORS].status
    check_rest(world)


# -- payments ------------------------------------------------------------------------------------

PAYS, PAYS_NOT = {"isResponsible": True}, {"isResponsible": False}
CREATORS_COSTS = {
    "queryCompute": PAYS_NOT,
    "machineLearning": {"modelTraining": PAYS, "modelInference": PAYS},
}


def partner_who(assigned: dict[str, Any] | None, accepted: dict[str, Any] | None) -> World:
    """Return a world whose partner was assigned some costs, and accepts some."""
    world = World()
    specs.accounts(world)
    (member,) = specs.collaboration()["members"]
    costs = {} if assigned is None else {"paymentConfiguration": assigned}
    spec = specs.collaboration(
        members=[{**member, **costs}],
        creatorPaymentConfiguration=CREATORS_COSTS,
    )
    world.apply("Collaboration", "ads", spec, "a")
    more = {} if accepted is None else {"paymentConfiguration": accepted}
    world.apply("Membership", "member", specs.partners_membership(**more), "b")
    world.settle()
    return world


def paying(world: World) -> tuple[str, str]:
    condition = world.resources[PARTNERS].condition("PaymentAccepted")
    assert condition is not None
    return condition["status"], condition["reason"]


def test_r_17_what_is_assigned_and_accepted_is_in_force() -> None:
    world = partner_who({"queryCompute": PAYS}, {"queryCompute": PAYS})
    assert world.told(PARTNERS) == "Ready"
    assert paying(world) == ("True", "PaymentsAccepted")
    check_rest(world)


def assign_training(world: World) -> None:
    """Let the creator assign the partner model training, which the partner's people approve."""
    spec = specs.creators_membership(paymentConfiguration=CREATORS_COSTS)
    world.apply("Membership", "member", spec, "a")
    world.settle()
    shared = {"collaborationIdentifier": world.resources[COLLABORATION].status["identifier"]}
    (member,) = world.resources[COLLABORATION].spec["members"]
    costs = {**member["paymentConfiguration"], "machineLearning": {"modelTraining": PAYS}}
    specification = {
        "accountId": PARTNER,
        "memberAbilities": ["CAN_RECEIVE_RESULTS"],
        "paymentConfiguration": costs,
    }
    change = {"specificationType": "MEMBER", "specification": {"member": specification}}
    asked = world.ask(
        CREATOR, "cleanrooms", "CreateCollaborationChangeRequest", **shared, changes=[change]
    )
    request = asked["collaborationChangeRequest"]["id"]
    for account, action in ((PARTNER, "APPROVE"), (CREATOR, "COMMIT")):
        world.ask(
            account,
            "cleanrooms",
            "UpdateCollaborationChangeRequest",
            **shared,
            changeRequestIdentifier=request,
            action=action,
        )


def test_r_17_what_is_accepted_early_is_sent_when_it_is_assigned() -> None:
    both = {"queryCompute": PAYS, "machineLearning": {"modelTraining": PAYS}}
    world = partner_who({"queryCompute": PAYS}, {"queryCompute": PAYS})
    world.apply("Membership", "member", specs.partners_membership(paymentConfiguration=both), "b")
    world.settle()
    assert paying(world) == ("False", "AwaitingAssignment")
    assign_training(world)
    world.rest(CYCLE)
    assert world.told(PARTNERS) == "Ready"
    assert paying(world) == ("True", "PaymentsAccepted")
    (sent,) = world.aws.records("UpdateMembership")
    assert sent.parameters["membershipPaymentConfiguration"] == both, "ER-34: an absent leaf"
    check_rest(world)


def test_r_17_what_is_assigned_and_not_accepted_is_told_and_left() -> None:
    training = {"queryCompute": PAYS, "machineLearning": {"modelTraining": PAYS}}
    world = partner_who(training, {"queryCompute": PAYS})
    assert world.told(PARTNERS) == "Ready"
    assert paying(world) == ("False", "PaymentNotAccepted")
    assert drifts(world, PARTNERS) == [], "that is no drift"
    assert world.aws.sent("UpdateMembership") == 0


def test_r_17_what_is_accepted_and_not_assigned_does_not_stall_a_member() -> None:
    world = partner_who({"queryCompute": PAYS}, {"queryCompute": PAYS})
    both = {"queryCompute": PAYS, "machineLearning": {"modelTraining": PAYS}}
    spec = specs.partners_membership(paymentConfiguration=both)
    world.apply("Membership", "member", spec, "b")
    world.settle()
    assert world.told(PARTNERS) == "Ready"
    assert paying(world) == ("False", "AwaitingAssignment")
    assert drifts(world, PARTNERS) == []
    assert world.aws.sent("UpdateMembership") == 0
