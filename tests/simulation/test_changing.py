"""Members, abilities and payers change: asked for by one side, agreed to by the other."""

from dataclasses import replace
from typing import Any

import pytest

from cleanrooms_emulator.behaviour.objects import ChangeRequest
from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.rules import Rules
from simulation import specs
from simulation.invariants import check_rest
from simulation.specs import COLLABORATION, CREATOR, PARTNER, PARTNERS
from simulation.world import World

PAYS, PAYS_NOT = {"isResponsible": True}, {"isResponsible": False}
THIRD = "333333333333"
CYCLE = 3700.0


def ready(rules: Rules | None = None) -> World:
    """Return a world in which all of both companies is ready."""
    world = World(rules=rules)
    specs.accounts(world)
    for name in ("collaboration", "creator", "partner"):
        specs.EXAMPLES[name].apply(world)
    world.settle()
    return world


def partner(**more: Any) -> dict[str, Any]:
    return {**specs.collaboration()["members"][0], **more}


def edit(world: World, *members: Any, **more: Any) -> None:
    """Declare these members."""
    spec = specs.collaboration(members=list(members), **more)
    world.apply("Collaboration", "ads", spec, "a")


def pay_training(world: World) -> None:
    costs = {"queryCompute": PAYS_NOT, "machineLearning": {"modelTraining": PAYS}}
    edit(world, partner(paymentConfiguration=costs))


def applied(world: World) -> str:
    """Return why changes are applied, or are not."""
    condition = world.resources[COLLABORATION].condition("ChangesApplied")
    assert condition is not None
    assert (condition["status"] == "True") == (condition["reason"] == "Applied")
    return str(condition["reason"])


def requests(world: World) -> list[Any]:
    """Return the change requests of the collaboration, the oldest first."""
    shared = world.resources[COLLABORATION].status["identifier"]
    answer = world.ask(
        CREATOR,
        "cleanrooms",
        "ListCollaborationChangeRequests",
        collaborationIdentifier=shared,
    )
    return list(answer["collaborationChangeRequestSummaries"])


def pending(world: World) -> list[Any]:
    return list(world.resources[PARTNERS].status.get("pendingChangeRequests", ()))


def answer(world: World, **answers: Any) -> None:
    """Let the partner's spec answer change requests."""
    world.apply("Membership", "member", specs.partners_membership(changeRequests=answers), "b")


def act(world: World, account: str, request: str, action: str) -> None:
    """Answer a request behind the operator's back."""
    world.ask(
        account,
        "cleanrooms",
        "UpdateCollaborationChangeRequest",
        collaborationIdentifier=world.resources[COLLABORATION].status["identifier"],
        changeRequestIdentifier=request,
        action=action,
    )


def payers(world: World, cost: str) -> dict[str, Any]:
    """Return account -> what the status says of it as a candidate to pay."""
    listed = world.resources[COLLABORATION].status["payers"]
    return {c["accountId"]: c for p in listed if p["costType"] == cost for c in p["candidates"]}


def test_a_payer_is_added_when_the_other_side_approves() -> None:
    world = ready()
    pay_training(world)
    world.settle()
    assert world.told(COLLABORATION) == "Ready"
    assert applied(world) == "AwaitingApproval"
    assert f"not yet by {PARTNER}" in world.message(COLLABORATION, "ChangesApplied")
    (waiting,) = pending(world)
    assert waiting["cost"] == "you would become a candidate to pay for modelTraining"
    answer(world, approve=[waiting["id"]])
    world.settle()
    assert applied(world) == "Applied"
    assert [r["status"] for r in requests(world)] == ["COMMITTED"]
    assert payers(world, "modelTraining")[PARTNER]["assigned"]
    assert pending(world) == []
    check_rest(world)


# -- answers -------------------------------------------------------------------------------------


def asked(world: World) -> str:
    """Let the partner be asked to pay, and return the id of the request."""
    pay_training(world)
    world.settle()
    assert applied(world) == "AwaitingApproval"
    return str(requests(world)[-1]["id"])


def test_r_6_a_denial_is_remembered_until_the_spec_changes() -> None:
    world = ready()
    answer(world, deny=[asked(world)])
    world.settle()
    assert applied(world) == "ChangeDenied"
    assert PARTNER in world.message(COLLABORATION, "ChangesApplied")
    world.rest(3 * CYCLE)
    assert len(requests(world)) == 1, "it is not asked again"
    check_rest(world)
    edit(world, partner(memberAbilities=["CAN_QUERY"]))
    world.settle()
    assert [r["status"] for r in requests(world)] == ["DENIED", "PENDING"]


def test_r_6_a_denied_change_is_asked_for_again_on_request() -> None:
    world = ready()
    answer(world, deny=[asked(world)])
    world.settle()
    world.annotate(COLLABORATION, reconcile_requested_at="now")
    world.settle()
    assert [r["status"] for r in requests(world)] == ["DENIED", "PENDING"]
    answer(world, deny=[r["id"] for r in requests(world)])
    world.rest(3 * CYCLE)
    assert [r["status"] for r in requests(world)] == ["DENIED", "DENIED"]


def test_r_6_what_somebody_else_cancels_is_not_asked_again() -> None:
    world = ready()
    act(world, CREATOR, asked(world), "CANCEL")
    world.rest(3 * CYCLE)
    assert applied(world) == "ChangeCancelled"
    assert len(requests(world)) == 1
    check_rest(world)


def test_r_6_an_open_request_is_replaced_when_the_spec_changes_and_again_when_it_returns() -> None:
    world = ready()
    asked(world)
    edit(world, partner(memberAbilities=["CAN_QUERY"]))
    world.settle()
    assert [r["status"] for r in requests(world)] == ["CANCELLED", "PENDING"]
    pay_training(world)
    world.settle()
    assert [r["status"] for r in requests(world)] == ["CANCELLED", "CANCELLED", "PENDING"]
    edit(world, partner())
    world.settle()
    assert [r["status"] for r in requests(world)] == ["CANCELLED"] * 3
    assert applied(world) == "Applied"
    check_rest(world)


def test_an_approved_request_that_nobody_wants_any_more_is_cancelled() -> None:
    world = ready()
    request = asked(world)
    act(world, PARTNER, request, "APPROVE")
    edit(world, partner())
    world.settle()
    assert [r["status"] for r in requests(world)] == ["CANCELLED"]
    check_rest(world)


def test_r_6_a_request_made_by_hand_that_asks_for_the_same_is_followed() -> None:
    world = ready()
    world.annotate(COLLABORATION, paused="true")
    pay_training(world)
    change = {
        "accountId": PARTNER,
        "memberAbilities": ["CAN_RECEIVE_RESULTS"],
        "paymentConfiguration": {
            "machineLearning": {"modelTraining": PAYS},
            "queryCompute": PAYS_NOT,
        },
    }
    by_hand(world, change)
    world.annotate(COLLABORATION, paused=None)
    world.settle()
    (request,) = requests(world)
    assert world.resources[COLLABORATION].status["changeRequest"]["id"] == request["id"]
    answer(world, approve=[request["id"]])
    world.settle()
    assert applied(world) == "Applied"
    assert world.aws.sent("CreateCollaborationChangeRequest") == 0
    check_rest(world)


def by_hand(world: World, member: Any) -> str:
    """Let the creator's people ask for a change of a member."""
    asked = world.ask(
        CREATOR,
        "cleanrooms",
        "CreateCollaborationChangeRequest",
        collaborationIdentifier=world.resources[COLLABORATION].status["identifier"],
        changes=[{"specificationType": "MEMBER", "specification": {"member": member}}],
    )
    return str(asked["collaborationChangeRequest"]["id"])


def test_a_request_of_somebody_else_is_waited_for_and_left_alone() -> None:
    world = ready()
    theirs = by_hand(world, {"accountId": PARTNER, "memberAbilities": []})
    pay_training(world)
    world.settle()
    assert applied(world) == "OtherRequestOpen"
    assert theirs in world.message(COLLABORATION, "ChangesApplied")
    act(world, CREATOR, theirs, "CANCEL")
    world.rest(1300.0)
    assert applied(world) == "AwaitingApproval"
    assert [r["status"] for r in requests(world)] == ["CANCELLED", "PENDING"]


def forge(world: World, identifier: str, *types: str) -> None:
    """Let AWS have computed other types of a request."""
    store = world.aws.emulator.store
    request = store.get(ChangeRequest, identifier)
    assert request is not None
    changes = tuple({**change, "types": list(types)} for change in request.changes)
    store.put(replace(request, changes=changes))


def test_r_18_a_request_of_unexpected_types_is_neither_committed_nor_asked_again() -> None:
    world = ready()
    request = asked(world)
    act(world, PARTNER, request, "APPROVE")
    forge(world, request, "ADD_PAYER_CANDIDATE", "REVOKE_RECEIVE_RESULTS_ABILITY")
    world.rest(3 * CYCLE)
    assert [r["status"] for r in requests(world)] == ["CANCELLED"]
    assert applied(world) == "UnexpectedChange"
    check_rest(world)


def test_r_18_a_request_of_unexpected_types_is_not_approved() -> None:
    world = ready()
    request = asked(world)
    world.annotate(COLLABORATION, paused="true")
    forge(world, request, "ADD_PAYER_CANDIDATE", "REVOKE_RECEIVE_RESULTS_ABILITY")
    answer(world, approve=[request])
    world.settle()
    assert world.resources[PARTNERS].condition("ChangesAnswered")["reason"] == "UnexpectedChange"
    assert [r["status"] for r in requests(world)] == ["PENDING"]


def test_r_18_nothing_that_makes_an_account_pay_is_approved_by_its_types_alone() -> None:
    world = ready()
    answer(world, autoApprove=["ADD_PAYER_CANDIDATE", "REVOKE_RECEIVE_RESULTS_ABILITY"])
    asked(world)
    world.rest(CYCLE)
    assert applied(world) == "AwaitingApproval"
    assert world.resources[PARTNERS].condition("ChangesAnswered")["reason"] == "AwaitingAnswer"
    edit(world, partner(memberAbilities=["CAN_QUERY"]))
    world.settle()
    assert applied(world) == "Applied", "what costs nothing is approved by its types"


def test_r_17_a_new_candidate_accepts_as_its_spec_says() -> None:
    world = ready()
    costs = {"queryCompute": PAYS_NOT, "machineLearning": {"modelTraining": PAYS}}
    request = asked(world)
    spec = specs.partners_membership(
        changeRequests={"approve": [request]}, paymentConfiguration=costs
    )
    world.apply("Membership", "member", spec, "b")
    world.settle()
    assert payers(world, "modelTraining")[PARTNER] == {
        "accountId": PARTNER,
        "assigned": True,
        "accepted": "True",
        "joined": True,
    }
    assert world.resources[PARTNERS].condition("PaymentAccepted")["status"] == "True"
    assert world.resources[PARTNERS].status["lastVote"] == {"id": request, "vote": "APPROVED"}
    check_rest(world)


# -- members come and go -------------------------------------------------------------------------


def third(**more: Any) -> dict[str, Any]:
    return {"accountId": THIRD, "displayName": "C", "memberAbilities": [], **more}


def joined() -> World:
    """Return a world in which a third account is invited, by agreement."""
    world = ready()
    answer(world, autoApprove=["ADD_MEMBER"])
    edit(world, partner(), third())
    world.settle()
    assert applied(world) == "Applied"
    return world


def statuses(world: World) -> dict[str, str]:
    return {m["accountId"]: m["status"] for m in world.resources[COLLABORATION].status["members"]}


def test_a_member_is_added_by_agreement() -> None:
    world = joined()
    assert statuses(world)[THIRD] == "INVITED"
    assert world.resources[COLLABORATION].status["membersJoined"] == "2/3"
    check_rest(world)


def test_r_14_who_has_not_joined_is_removed_at_once() -> None:
    world = joined()
    edit(world, partner())
    world.settle()
    assert statuses(world)[THIRD] == "REMOVED"
    assert applied(world) == "Applied"
    check_rest(world)


def test_r_14_who_has_joined_is_removed_by_word_only_and_payers_move_before() -> None:
    world = joined()
    shared = world.resources[COLLABORATION].status["identifier"]
    world.ask(
        THIRD,
        "cleanrooms",
        "CreateMembership",
        collaborationIdentifier=shared,
        queryLogStatus="DISABLED",
    )
    edit(world, partner(memberAbilities=["CAN_QUERY"]))
    world.settle()
    assert applied(world) == "AwaitingApproval"
    request = requests(world)[-1]["id"]
    world.annotate(COLLABORATION, remove_active_members=THIRD)
    act(world, THIRD, request, "APPROVE")
    world.rest(CYCLE)
    assert statuses(world)[THIRD] == "ACTIVE", "not before the request is committed"
    act(world, PARTNER, request, "APPROVE")
    world.annotate(COLLABORATION, remove_active_members=None)
    world.rest(CYCLE)
    assert applied(world) == "RemovalBlocked"
    assert THIRD in world.message(COLLABORATION, "ChangesApplied")
    check_rest(world)
    world.annotate(COLLABORATION, remove_active_members=f"{PARTNER}, {THIRD}")
    world.rest(CYCLE)
    assert statuses(world)[THIRD] == "REMOVED"
    assert applied(world) == "Applied"


@pytest.mark.parametrize("again", ["refuse", "invite"])
def test_r_14_a_removed_account_is_not_invited_again(again: Any) -> None:
    """ER-36: AWS refuses it, or would do it."""
    world = joined()
    world.aws.emulator.use_rules(Rules(readded_member=again))
    edit(world, partner())
    world.settle()
    edit(world, partner(), third())
    world.settle()
    assert applied(world) == "NotChangeable"
    assert f"members[{THIRD}]" in world.message(COLLABORATION, "ChangesApplied")
    assert world.told(COLLABORATION) == "Ready"
    check_rest(world)


def test_what_nobody_can_change_is_told_and_the_rest_is_asked_for() -> None:
    world = ready()
    edit(world, partner(displayName="Other", memberAbilities=["CAN_RECEIVE_RESULTS"]), third())
    world.settle()
    assert applied(world) == "AwaitingApproval"
    (request,) = requests(world)
    assert [c["types"] for c in request["changes"]] == [["ADD_MEMBER"]]
    act(world, PARTNER, request["id"], "APPROVE")
    world.rest(CYCLE)
    assert applied(world) == "NotChangeable"
    message = world.message(COLLABORATION, "ChangesApplied")
    assert "displayName" in message
    assert "CAN_QUERY" in message
    check_rest(world)


def test_what_aws_refuses_is_told_and_not_asked_again() -> None:
    """ER-35: the one who queries cannot be changed, by one reading."""
    world = ready(Rules(querier_changes="refuse"))
    world.mistaken.add(COLLABORATION)
    pay_training(world)
    world.settle()
    assert world.told(COLLABORATION) == "Ready"
    assert applied(world) == "ChangeRefused"
    world.rest(3 * CYCLE)
    assert world.aws.sent("CreateCollaborationChangeRequest") == 1
    check_rest(world)
    edit(world, partner())
    world.settle()
    assert applied(world) == "Applied"


def test_what_is_approved_beforehand_takes_effect_at_once() -> None:
    world = World()
    specs.accounts(world)
    specs.EXAMPLES["partner"].apply(world)
    edit(world, partner(), autoApprovedChangeRequestTypes=["ADD_MEMBER"])
    world.settle(seconds=10_000)
    edit(world, partner(), third(), autoApprovedChangeRequestTypes=["ADD_MEMBER"])
    world.settle()
    assert [r["status"] for r in requests(world)] == ["COMMITTED"]
    assert applied(world) == "Applied"
    edit(world, partner(), third(), autoApprovedChangeRequestTypes=[])
    world.settle()
    assert applied(world) == "AwaitingApproval"
    answer(world, autoApprove=["EDIT_AUTO_APPROVED_CHANGE_TYPES"])
    world.settle()
    assert applied(world) == "Applied"
    check_rest(world)


# -- lost answers --------------------------------------------------------------------------------

CREATE = "CreateCollaborationChangeRequest"


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        pytest.param(
            Fault(kind=FaultKind.LOSE_RESPONSE, operation=CREATE, count=1), 1, id="no answer"
        ),
        pytest.param(
            Fault(kind=FaultKind.LOSE_RESPONSE, operation=CREATE, count=1, status=500),
            1,
            id="a 500",
        ),
        pytest.param(
            Fault(kind=FaultKind.TRUNCATE, operation=CREATE, count=1), 1, id="half an answer"
        ),
        pytest.param(
            Fault(kind=FaultKind.LOSE_REQUEST, operation=CREATE, count=1), 2, id="never arrived"
        ),
        pytest.param(Fault(kind=FaultKind.THROTTLE, operation=CREATE, count=3), 4, id="throttled"),
    ],
)
@pytest.mark.parametrize("lists", ["true", "lagging"])
def test_r_6_a_request_whose_answer_is_lost_is_found_again(
    fault: Fault, sent: int, lists: str
) -> None:
    world = ready()
    if lists == "lagging":
        world.aws.faults.add(Fault(kind=FaultKind.LAG, operation="List*", seconds=90))
    world.aws.faults.add(fault)
    pay_training(world)
    world.rest(CYCLE)
    assert applied(world) == "AwaitingApproval"
    assert len(requests(world)) == 1
    assert world.aws.sent(CREATE) == sent


def test_r_6_the_same_may_be_asked_for_again_later() -> None:
    """A, B, A again: content alone does not tell one request from another."""
    world = ready()
    answer(world, autoApprove=["REVOKE_RECEIVE_RESULTS_ABILITY", "GRANT_RECEIVE_RESULTS_ABILITY"])
    for number in range(1, 5):
        world.aws.faults.add(Fault(kind=FaultKind.LOSE_RESPONSE, operation=CREATE, count=1))
        edit(world, partner(memberAbilities=["CAN_QUERY"]) if number % 2 else partner())
        world.rest(CYCLE)
        assert applied(world) == "Applied"
        assert len(requests(world)) == number
    check_rest(world)


@pytest.mark.parametrize("lag", ["List*", "Get*", "*"])
def test_nothing_is_asked_twice_while_reads_lag(lag: str) -> None:
    world = ready()
    answer(world, autoApprove=["REVOKE_RECEIVE_RESULTS_ABILITY", "GRANT_RECEIVE_RESULTS_ABILITY"])
    world.aws.faults.add(Fault(kind=FaultKind.LAG, operation=lag, seconds=90))
    for number in range(1, 5):
        edit(world, partner(memberAbilities=["CAN_QUERY"]) if number % 2 else partner())
        world.rest(2 * CYCLE)
        assert applied(world) == "Applied"
        assert len(requests(world)) == number
    world.aws.faults.clear()
    check_rest(world)
