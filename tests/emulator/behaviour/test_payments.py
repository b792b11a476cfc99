"""Who is assigned to pay, who accepts, and what both see of it."""

from typing import Any

import pytest

from parties import QUERY, Party, collaboration, member, paid, payment, refused, update

ML = {"modelTraining": False, "modelInference": False}


def assigned(shared: Any, party: Party) -> dict[str, bool]:
    return paid(shared.seen_by(party)[party.account]["paymentConfiguration"])


def accepted(shared: Any, party: Party) -> dict[str, bool]:
    return paid(shared.show(party)["paymentConfiguration"])


@pytest.mark.aws
def test_er_8_the_querying_member_pays_where_nobody_is_named(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob)
    assert assigned(shared, bob) == dict.fromkeys({"queryCompute", *ML}, True)
    assert assigned(shared, alice) == {"queryCompute": False, **ML}


@pytest.mark.aws
def test_er_8_ml_leaves_are_shown_only_where_ml_is_used(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob, creatorMLMemberAbilities={"customMLMemberAbilities": []})
    assert assigned(shared, bob) == {"queryCompute": True}


@pytest.mark.rules("ER-8=all")
def test_er_8_every_leaf_is_shown(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)
    unpaid = {"jobCompute": False, "syntheticDataGeneration": False}
    assert assigned(shared, bob) == {"queryCompute": True, **dict.fromkeys(ML, True), **unpaid}
    assert assigned(shared, alice) == {"queryCompute": False, **ML, **unpaid}


def test_several_members_can_be_candidates(alice: Party, bob: Party) -> None:
    both = payment("queryCompute", "modelTraining")
    made = alice.cleanrooms.create_collaboration(
        **collaboration(member(bob, paymentConfiguration=both), creatorPaymentConfiguration=both)
    )["collaboration"]
    members = alice.cleanrooms.list_members(collaborationIdentifier=made["id"])["memberSummaries"]
    for each in members:
        found = paid(each["paymentConfiguration"])
        assert (found["queryCompute"], found["modelTraining"]) == (True, True)


def test_a_named_payer_takes_the_place_of_the_default_one(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob, creatorPaymentConfiguration=payment("queryCompute"))
    assert assigned(shared, alice)["queryCompute"] is True
    assert assigned(shared, bob)["queryCompute"] is False


def test_jobs_are_always_paid_by_who_runs_them(alice: Party, bob: Party) -> None:
    runs = [*QUERY, "CAN_RUN_JOB"]
    with refused("ValidationException"):
        no = payment("queryCompute", no=("jobCompute",))
        alice.cleanrooms.create_collaboration(
            **collaboration(member(bob, runs, paymentConfiguration=no))
        )
    made = alice.cleanrooms.create_collaboration(**collaboration(member(bob, runs)))
    identifier = made["collaboration"]["id"]
    members = alice.cleanrooms.list_members(collaborationIdentifier=identifier)["memberSummaries"]
    leaves = {each["accountId"]: paid(each["paymentConfiguration"]) for each in members}
    assert leaves[bob.account]["jobCompute"] is True
    assert "jobCompute" not in leaves[alice.account]


@pytest.mark.aws
def test_the_querying_member_need_not_accept(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)
    shared.join(bob)
    assert accepted(shared, bob) == {"queryCompute": True, **dict.fromkeys(ML, True)}


@pytest.mark.aws
def test_another_payer_accepts_by_joining_and_must(alice: Party, bob: Party, share: Any) -> None:
    pays = payment("queryCompute", "modelTraining")
    shared = share(alice, bob, creatorPaymentConfiguration=pays)
    with refused("ValidationException") as error:
        shared.join(alice)
    assert error["reason"] == "INVALID_CONFIGURATION"
    with refused("ValidationException"):
        shared.join(alice, paymentConfiguration=payment("queryCompute", no=("modelTraining",)))
    shared.join(alice, paymentConfiguration=pays)
    assert accepted(shared, alice) == {"queryCompute": True, **ML, "modelTraining": True}


@pytest.mark.aws
def test_a_member_that_pays_for_nothing_need_not_say_so(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob)
    shared.join(alice)
    assert accepted(shared, alice) == {"queryCompute": False, **ML}


@pytest.mark.aws
def test_nobody_accepts_what_is_not_assigned(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)
    with refused("ValidationException"):
        shared.join(alice, paymentConfiguration=payment("queryCompute"))
    shared.join(alice)
    with refused("ValidationException"):
        alice.cleanrooms.update_membership(
            membershipIdentifier=shared.of(alice),
            membershipPaymentConfiguration=update("modelTraining"),
        )


def test_synthetic_data_is_accepted_like_the_rest(alice: Party, bob: Party, share: Any) -> None:
    pays = payment("syntheticDataGeneration")
    shared = share(alice, bob, creatorPaymentConfiguration=pays)
    with refused("ValidationException"):
        shared.join(alice)
    with refused("ValidationException"):
        shared.join(alice, paymentConfiguration=payment(no=("syntheticDataGeneration",)))
    shared.join(alice, paymentConfiguration=pays)
    assert accepted(shared, alice)["syntheticDataGeneration"] is True


def test_er_9_a_candidate_cannot_decline(alice: Party, bob: Party, share: Any) -> None:
    pays = payment("queryCompute")
    shared = share(alice, bob, creatorPaymentConfiguration=pays)
    shared.join(alice, paymentConfiguration=pays)
    with refused("ValidationException"):
        alice.cleanrooms.update_membership(
            membershipIdentifier=shared.of(alice),
            membershipPaymentConfiguration=update(no=("queryCompute",)),
        )
    assert accepted(shared, alice)["queryCompute"] is True


@pytest.mark.rules("ER-9=accept")
def test_er_9_a_candidate_declines_and_stays_assigned(alice: Party, bob: Party, share: Any) -> None:
    """R-32: what is assigned and what is accepted are stored apart."""
    pays = payment("queryCompute")
    shared = share(alice, bob, creatorPaymentConfiguration=pays)
    shared.join(alice, paymentConfiguration=pays)
    alice.cleanrooms.update_membership(
        membershipIdentifier=shared.of(alice),
        membershipPaymentConfiguration=update(no=("queryCompute",)),
    )
    assert accepted(shared, alice)["queryCompute"] is False
    assert assigned(shared, alice)["queryCompute"] is True
    alice.cleanrooms.update_membership(
        membershipIdentifier=shared.of(alice),
        membershipPaymentConfiguration=update("queryCompute"),
    )
    assert accepted(shared, alice)["queryCompute"] is True


def test_er_34_what_is_left_out_is_not_accepted_and_not_refused(
    alice: Party, bob: Party, share: Any
) -> None:
    pays = payment("queryCompute", "modelTraining")
    shared = share(alice, bob, creatorPaymentConfiguration=pays)
    shared.join(alice, paymentConfiguration=payment("queryCompute"))
    assert accepted(shared, alice) == {"queryCompute": True, **ML}
    alice.cleanrooms.update_membership(
        membershipIdentifier=shared.of(alice),
        membershipPaymentConfiguration=update("modelTraining"),
    )
    assert accepted(shared, alice) == {"queryCompute": True, **ML, "modelTraining": True}


@pytest.mark.rules("ER-34=false")
def test_er_34_what_is_left_out_is_refused_like_false(alice: Party, bob: Party, share: Any) -> None:
    pays = payment("queryCompute", "modelTraining")
    shared = share(alice, bob, creatorPaymentConfiguration=pays)
    with refused("ValidationException"):
        shared.join(alice, paymentConfiguration=payment("queryCompute"))
    shared.join(alice, paymentConfiguration=pays)
    with refused("ValidationException"):
        alice.cleanrooms.update_membership(
            membershipIdentifier=shared.of(alice),
            membershipPaymentConfiguration=update("modelTraining"),
        )


@pytest.mark.rules("ER-34=false", "ER-9=accept")
def test_er_34_what_is_left_out_is_declined(alice: Party, bob: Party, share: Any) -> None:
    pays = payment("queryCompute", "modelTraining")
    shared = share(alice, bob, creatorPaymentConfiguration=pays)
    shared.join(alice, paymentConfiguration=pays)
    alice.cleanrooms.update_membership(
        membershipIdentifier=shared.of(alice),
        membershipPaymentConfiguration=update("modelTraining"),
    )
    assert accepted(shared, alice) == {"queryCompute": False, **ML, "modelTraining": True}
