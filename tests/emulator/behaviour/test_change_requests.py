"""Change requests: what the creator asks for, who votes, and what a commit does."""

from typing import Any

import pytest

from asking import accepted, act, approving, ask, assigned, carry, change, leaf
from cleanrooms_emulator.virtual import VirtualTime
from parties import QUERY, Party, Shared, refused, update

RESULTS = ["CAN_RECEIVE_RESULTS"]
NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.mark.aws
def test_a_payer_is_added_when_all_have_approved_and_the_creator_commits(
    alice: Party, bob: Party, shared: Shared
) -> None:
    request = ask(shared, change(alice, [], **leaf("modelTraining")))
    assert (request["status"], request["isAutoApproved"]) == ("PENDING", False)
    assert request["approvals"] == {bob.account: {"status": "PENDING"}}
    assert [each["types"] for each in request["changes"]] == [["ADD_PAYER_CANDIDATE"]]
    assert assigned(shared, alice)["modelTraining"] is False

    assert act(bob, shared, request, "APPROVE")["status"] == "APPROVED"
    assert assigned(shared, alice)["modelTraining"] is False

    assert act(alice, shared, request, "COMMIT")["status"] == "COMMITTED"
    assert assigned(shared, alice)["modelTraining"] is True
    assert assigned(shared, bob)["modelTraining"] is False


def test_r_32_a_new_candidate_accepts_on_its_own(alice: Party, bob: Party, shared: Shared) -> None:
    carry(shared, bob, change(alice, [], **leaf("modelTraining")))
    assert accepted(shared, alice)["modelTraining"] is False
    alice.cleanrooms.update_membership(
        membershipIdentifier=shared.of(alice),
        membershipPaymentConfiguration=update("modelTraining"),
    )
    assert accepted(shared, alice)["modelTraining"] is True


def test_types_follow_from_the_differences(
    alice: Party, bob: Party, carol: Party, shared: Shared
) -> None:
    outputs = {"customMLMemberAbilities": ["CAN_RECEIVE_MODEL_OUTPUT"]}
    request = ask(
        shared,
        change(alice, ["CAN_EXPORT_QUERY_ANALYSIS_LOG"], mlMemberAbilities=outputs),
        change(bob, [], mlMemberAbilities=outputs),
        change(carol, RESULTS, displayName="carol", **leaf("queryCompute")),
        approving("ADD_MEMBER"),
    )
    assert [each["types"] for each in request["changes"]] == [
        ["GRANT_EXPORT_QUERY_ANALYSIS_LOG_ABILITY", "REVOKE_CAN_RECEIVE_INFERENCE_OUTPUT"],
        ["GRANT_CAN_RECEIVE_MODEL_OUTPUT", "REVOKE_RECEIVE_RESULTS_ABILITY"],
        ["ADD_MEMBER", "GRANT_RECEIVE_RESULTS_ABILITY", "ADD_PAYER_CANDIDATE"],
        ["EDIT_AUTO_APPROVED_CHANGE_TYPES"],
    ]


def test_a_commit_changes_all_that_was_asked_for_together(
    alice: Party, bob: Party, carol: Party, shared: Shared
) -> None:
    carry(
        shared,
        bob,
        change(alice, RESULTS),
        change(carol, [], displayName="carol"),
        approving("ADD_MEMBER"),
    )
    members = shared.seen_by(alice)
    assert members[alice.account]["abilities"] == RESULTS
    assert members[alice.account]["mlAbilities"]["customMLMemberAbilities"]
    assert (members[carol.account]["status"], members[carol.account]["displayName"]) == (
        "INVITED",
        "carol",
    )
    found = alice.cleanrooms.get_collaboration(collaborationIdentifier=shared.id)["collaboration"]
    assert found["autoApprovedChangeTypes"] == ["ADD_MEMBER"]
    shared.join(carol)


def test_what_is_approved_beforehand_takes_effect_at_once(
    alice: Party, bob: Party, carol: Party, shared: Shared
) -> None:
    carry(shared, bob, approving("ADD_MEMBER"))
    request = ask(shared, change(carol, [], displayName="carol"))
    assert (request["status"], request["isAutoApproved"]) == ("COMMITTED", True)
    assert "approvals" not in request
    assert carol.account in shared.seen_by(alice)


def test_every_type_must_be_approved_beforehand(bob: Party, carol: Party, shared: Shared) -> None:
    carry(shared, bob, approving("ADD_MEMBER"))
    request = ask(shared, change(carol, RESULTS, displayName="carol"))
    assert (request["status"], request["isAutoApproved"]) == ("PENDING", False)


@pytest.mark.aws
def test_one_denial_is_enough_and_is_the_end(alice: Party, bob: Party, shared: Shared) -> None:
    request = ask(shared, change(alice, RESULTS))
    assert act(bob, shared, request, "DENY")["status"] == "DENIED"
    for party, action in ((bob, "APPROVE"), (alice, "CANCEL"), (alice, "COMMIT")):
        with refused("ConflictException") as error:
            act(party, shared, request, action)
        assert error["reason"] == "INVALID_STATE"


@pytest.mark.aws
def test_the_creator_cancels_what_is_pending_or_approved(
    alice: Party, bob: Party, shared: Shared
) -> None:
    pending, approved = (ask(shared, change(alice, RESULTS)) for _ in range(2))
    act(bob, shared, approved, "APPROVE")
    for request in (pending, approved):
        assert act(alice, shared, request, "CANCEL")["status"] == "CANCELLED"
    with refused("ConflictException"):
        act(alice, shared, pending, "COMMIT")


@pytest.mark.aws
def test_each_side_has_its_own_actions(alice: Party, bob: Party, shared: Shared) -> None:
    request = ask(shared, change(alice, RESULTS))
    with refused("AccessDeniedException"):
        act(alice, shared, request, "APPROVE")
    for action in ("CANCEL", "COMMIT"):
        with refused("AccessDeniedException"):
            act(bob, shared, request, action)
    with refused("ConflictException"):
        act(alice, shared, request, "COMMIT")
    with refused("AccessDeniedException"):
        bob.cleanrooms.create_collaboration_change_request(
            collaborationIdentifier=shared.id, changes=[change(bob, [])]
        )


def test_all_voters_must_approve_and_each_votes_once(
    alice: Party, bob: Party, carol: Party, shared: Shared
) -> None:
    carry(shared, bob, change(carol, [], displayName="carol"))
    shared.join(carol)
    request = ask(shared, change(alice, RESULTS))
    assert act(bob, shared, request, "APPROVE")["status"] == "PENDING"
    with refused("ConflictException"):
        act(bob, shared, request, "DENY")
    assert act(carol, shared, request, "APPROVE")["status"] == "APPROVED"


def test_a_voter_that_is_gone_is_not_waited_for(
    alice: Party, bob: Party, carol: Party, shared: Shared
) -> None:
    carry(shared, bob, change(carol, [], displayName="carol"))
    shared.join(carol)
    request = ask(shared, change(alice, RESULTS))
    act(bob, shared, request, "APPROVE")
    alice.cleanrooms.delete_member(collaborationIdentifier=shared.id, accountId=carol.account)
    found = bob.cleanrooms.get_collaboration_change_request(
        collaborationIdentifier=shared.id, changeRequestIdentifier=request["id"]
    )["collaborationChangeRequest"]
    assert found["status"] == "APPROVED"
    assert found["approvals"] == {bob.account: {"status": "APPROVED"}}


def test_er_15_op_10_without_voters_a_request_is_approved_and_waits_for_its_commit(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob)
    request = ask(shared, change(alice, RESULTS))
    assert (request["status"], request["isAutoApproved"]) == ("APPROVED", False)
    assert "approvals" not in request
    assert shared.seen_by(alice)[alice.account]["abilities"] == []
    act(alice, shared, request, "COMMIT")
    assert shared.seen_by(alice)[alice.account]["abilities"] == RESULTS
    with refused("AccessDeniedException"):
        bob.cleanrooms.list_collaboration_change_requests(collaborationIdentifier=shared.id)


@pytest.mark.rules("ER-15=all")
def test_er_15_invited_members_vote_too(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)
    request = ask(shared, change(alice, RESULTS))
    assert request["approvals"] == {bob.account: {"status": "PENDING"}}
    assert act(bob, shared, request, "APPROVE")["status"] == "APPROVED"


@pytest.mark.rules("ER-15=creator")
def test_er_15_the_creator_counts_as_approved(alice: Party, bob: Party, shared: Shared) -> None:
    request = ask(shared, change(alice, RESULTS))
    assert request["approvals"] == {
        alice.account: {"status": "APPROVED"},
        bob.account: {"status": "PENDING"},
    }


def test_requests_are_listed_by_age_and_status(
    alice: Party, bob: Party, shared: Shared, time: VirtualTime
) -> None:
    made = []
    for abilities in (RESULTS, ["CAN_EXPORT_QUERY_ANALYSIS_LOG"]):
        made.append(ask(shared, change(alice, abilities)))
        time.elapse(1)
    act(alice, shared, made[0], "CANCEL")

    def listed(**filters: str) -> list[str]:
        found = bob.cleanrooms.list_collaboration_change_requests(
            collaborationIdentifier=shared.id, **filters
        )
        return [each["id"] for each in found["collaborationChangeRequestSummaries"]]

    assert listed() == [each["id"] for each in made]
    assert listed(status="PENDING") == [made[1]["id"]]


def test_a_missing_request_is_not_found(bob: Party, shared: Shared) -> None:
    with refused("ResourceNotFoundException"):
        act(bob, shared, {"id": NOWHERE}, "APPROVE")


def test_who_queries_and_runs_jobs_cannot_be_asked_for(
    alice: Party, bob: Party, shared: Shared
) -> None:
    for abilities in (QUERY, ["CAN_RUN_JOB"]):
        with refused("ValidationException"):
            ask(shared, change(alice, abilities))
    with refused("ValidationException"):
        ask(shared, change(bob, []), change(bob, RESULTS))


def test_a_change_is_of_the_type_that_it_says(alice: Party, shared: Shared) -> None:
    wrong = {**change(alice, RESULTS), "specificationType": "COLLABORATION"}
    with refused("ValidationException"):
        ask(shared, wrong)


def test_a_new_member_needs_a_name_and_a_place(
    bob: Party, carol: Party, shared: Shared, party: Any
) -> None:
    with refused("ValidationException"):
        ask(shared, change(carol, []))
    many = [change(party(f"{n:012}"), [], displayName=str(n)) for n in range(5, 9)]
    carry(shared, bob, *many)
    with refused("ServiceQuotaExceededException"):
        ask(shared, change(carol, [], displayName="carol"))


def test_r_18_er_35_the_querying_member_keeps_that_ability(bob: Party, shared: Shared) -> None:
    carry(shared, bob, change(bob, []))
    assert shared.show(bob)["memberAbilities"] == ["CAN_QUERY"]


@pytest.mark.rules("ER-35=refuse")
def test_er_35_the_querying_member_cannot_be_changed(bob: Party, shared: Shared) -> None:
    with refused("ValidationException"):
        ask(shared, change(bob, []))


def test_er_14_a_request_must_change_something(alice: Party, shared: Shared) -> None:
    with refused("ValidationException"):
        ask(shared, change(alice, []))
    with refused("ValidationException"):
        ask(shared, approving())


@pytest.mark.rules("ER-14=accept")
def test_er_14_a_request_need_not_change_anything(alice: Party, bob: Party, shared: Shared) -> None:
    request = ask(shared, change(alice, []), approving())
    assert request["status"] == "PENDING"
    assert all(each["types"] for each in request["changes"])
    act(bob, shared, request, "APPROVE")
    assert act(alice, shared, request, "COMMIT")["status"] == "COMMITTED"


def removed(shared: Shared, bob: Party) -> dict[str, Any]:
    """Remove bob, and return the change that would add him again."""
    shared.creator.cleanrooms.delete_member(
        collaborationIdentifier=shared.id, accountId=bob.account
    )
    return change(bob, [], displayName="again")


def test_er_36_a_removed_account_cannot_be_added(bob: Party, shared: Shared) -> None:
    with refused("ValidationException"):
        ask(shared, removed(shared, bob))


@pytest.mark.rules("ER-36=invite")
def test_er_36_a_removed_account_is_invited_again(alice: Party, bob: Party, shared: Shared) -> None:
    first = shared.of(bob)
    request = ask(shared, removed(shared, bob))
    assert request["status"] == "APPROVED"
    act(alice, shared, request, "COMMIT")
    assert shared.seen_by(alice)[bob.account]["status"] == "INVITED"
    second = shared.join(bob)["id"]
    bob.cleanrooms.delete_membership(membershipIdentifier=first)
    assert shared.seen_by(alice)[bob.account]["membershipId"] == second


@pytest.mark.rules("ER-36=invite")
def test_er_36_who_left_cannot_be_added(bob: Party, shared: Shared) -> None:
    bob.cleanrooms.delete_membership(membershipIdentifier=shared.of(bob))
    with refused("ValidationException"):
        ask(shared, change(bob, [], displayName="again"))


def test_a_commit_that_no_longer_fits_is_a_conflict(
    alice: Party, bob: Party, carol: Party, shared: Shared
) -> None:
    carry(shared, bob, change(carol, [], displayName="carol"))
    shared.join(carol)
    request = ask(shared, change(carol, RESULTS))
    for voter in (bob, carol):
        act(voter, shared, request, "APPROVE")
    alice.cleanrooms.delete_member(collaborationIdentifier=shared.id, accountId=carol.account)
    with refused("ConflictException"):
        act(alice, shared, request, "COMMIT")


def test_requests_vanish_with_their_collaboration(alice: Party, shared: Shared) -> None:
    ask(shared, change(alice, RESULTS))
    alice.cleanrooms.delete_collaboration(collaborationIdentifier=shared.id)
    with refused("AccessDeniedException"):
        alice.cleanrooms.list_collaboration_change_requests(collaborationIdentifier=shared.id)
