"""Payers changed by request: candidates, the default payer, and what members still accept."""

from typing import Any

import pytest

from asking import accepted, ask, assigned, carry, change, leaf
from parties import Party, Shared, member, payment, refused

RESULTS = ["CAN_RECEIVE_RESULTS"]


def contested(alice: Party, bob: Party, share: Any) -> Shared:
    """Let both be assigned to pay for queries."""
    pays = payment("queryCompute")
    invited = [member(bob, paymentConfiguration=pays)]
    made: Shared = share(alice, members=invited, creatorPaymentConfiguration=pays)
    made.join(alice, paymentConfiguration=pays)
    made.join(bob)
    return made


def test_er_33_a_removed_candidate_no_longer_accepts(alice: Party, bob: Party, share: Any) -> None:
    shared = contested(alice, bob, share)
    request = carry(shared, bob, change(alice, [], **leaf(no=("queryCompute",))))
    assert request["changes"][0]["types"] == ["REMOVE_PAYER_CANDIDATE"]
    assert assigned(shared, alice)["queryCompute"] is False
    assert accepted(shared, alice)["queryCompute"] is False


@pytest.mark.rules("ER-33=kept")
def test_er_33_a_removed_candidate_still_accepts(alice: Party, bob: Party, share: Any) -> None:
    shared = contested(alice, bob, share)
    carry(shared, bob, change(alice, [], **leaf(no=("queryCompute",))))
    assert assigned(shared, alice)["queryCompute"] is False
    assert accepted(shared, alice)["queryCompute"] is True


def test_er_33_a_default_payer_that_is_relieved_no_longer_accepts(
    alice: Party, bob: Party, shared: Shared
) -> None:
    assert accepted(shared, bob)["queryCompute"] is True
    carry(shared, bob, change(alice, [], **leaf("queryCompute")))
    assert accepted(shared, bob)["queryCompute"] is False


def alone(alice: Party, bob: Party, share: Any) -> Shared:
    """Let alice alone be assigned to pay for queries."""
    pays = payment("queryCompute")
    made: Shared = share(alice, bob, creatorPaymentConfiguration=pays)
    made.join(alice, paymentConfiguration=pays)
    made.join(bob)
    return made


def test_er_10_the_last_candidate_cannot_be_removed(alice: Party, bob: Party, share: Any) -> None:
    shared = alone(alice, bob, share)
    without = change(alice, [], **leaf(no=("queryCompute",)))
    with refused("ValidationException"):
        ask(shared, without)
    ask(shared, without, change(bob, RESULTS, **leaf("queryCompute")))


def test_er_10_who_was_never_to_pay_is_not_the_last_candidate(
    alice: Party, bob: Party, shared: Shared
) -> None:
    """A payment configuration must say something of queryCompute."""
    carry(shared, bob, change(alice, [], **leaf("modelTraining", no=("queryCompute",))))
    assert assigned(shared, bob)["queryCompute"] is True


@pytest.mark.rules("ER-10=fallback")
def test_er_10_the_last_candidates_place_falls_to_who_queries(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = alone(alice, bob, share)
    carry(shared, bob, change(alice, [], **leaf(no=("queryCompute",))))
    assert assigned(shared, alice)["queryCompute"] is False
    assert assigned(shared, bob)["queryCompute"] is True


def test_er_34_what_is_left_out_of_a_change_stays(alice: Party, bob: Party, shared: Shared) -> None:
    carry(shared, bob, change(alice, [], **leaf("queryCompute", "modelTraining")))
    carry(shared, bob, change(alice, [], **leaf("queryCompute", "modelInference")))
    assert assigned(shared, alice) == dict.fromkeys(
        {"queryCompute", "modelTraining", "modelInference"}, True
    )


@pytest.mark.rules("ER-34=false", "ER-10=fallback")
def test_er_34_what_is_left_out_of_a_change_is_false(
    alice: Party, bob: Party, shared: Shared
) -> None:
    carry(shared, bob, change(alice, [], **leaf("queryCompute", "modelTraining")))
    request = carry(shared, bob, change(alice, [], **leaf("queryCompute", "modelInference")))
    assert request["changes"][0]["types"] == ["ADD_PAYER_CANDIDATE", "REMOVE_PAYER_CANDIDATE"]
    assert assigned(shared, alice) == {
        "queryCompute": True,
        "modelTraining": False,
        "modelInference": True,
    }
