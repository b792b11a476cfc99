"""The ML configuration of a membership."""

from typing import Any

import pytest

from cleanrooms_emulator.virtual import VirtualTime
from parties import Party, refused

NOWHERE = "00000000-0000-0000-0000-000000000000"


def put(party: Party, membership: str, **location: Any) -> None:
    given = {"roleArn": party.role(), **location}
    party.ml.put_ml_configuration(membershipIdentifier=membership, defaultOutputLocation=given)


def get(party: Party, membership: str) -> Any:
    return party.ml.get_ml_configuration(membershipIdentifier=membership)


@pytest.fixture
def membership(alice: Party, bob: Party, share: Any) -> str:
    """Let bob join, and name his membership."""
    return str(share(alice, bob).join(bob)["id"])


def test_a_put_replaces_the_whole(bob: Party, membership: str, time: VirtualTime) -> None:
    bucket = {"s3Destination": {"s3Uri": "s3://bucket/prefix"}}
    put(bob, membership, destination=bucket)
    first = get(bob, membership)
    assert first["defaultOutputLocation"] == {"roleArn": bob.role(), "destination": bucket}
    time.elapse(60)
    put(bob, membership)
    second = get(bob, membership)
    assert second["defaultOutputLocation"] == {"roleArn": bob.role()}
    assert second["createTime"] == first["createTime"] == first["updateTime"]
    assert (second["updateTime"] - second["createTime"]).total_seconds() == 60


def test_a_missing_one_is_not_found_and_a_deleted_one_is_missing(
    bob: Party, membership: str
) -> None:
    with refused("ResourceNotFoundException"):
        get(bob, membership)
    with refused("ResourceNotFoundException"):
        bob.ml.delete_ml_configuration(membershipIdentifier=membership)
    put(bob, membership)
    bob.ml.delete_ml_configuration(membershipIdentifier=membership)
    with refused("ResourceNotFoundException"):
        get(bob, membership)


def test_it_is_its_owners_alone(alice: Party, bob: Party, membership: str) -> None:
    put(bob, membership)
    with refused("AccessDeniedException"):
        get(alice, membership)
    with refused("AccessDeniedException"):
        put(alice, membership)


@pytest.mark.rules("ER-3=not-found")
def test_er_3_a_put_is_denied_also_where_others_find_nothing(
    alice: Party, bob: Party, membership: str
) -> None:
    """PutMLConfiguration models no ResourceNotFoundException."""
    put(bob, membership)
    with refused("ResourceNotFoundException"):
        get(alice, membership)
    for identifier in (membership, NOWHERE):
        with refused("AccessDeniedException"):
            put(alice, identifier)


def test_another_accounts_role_is_denied(alice: Party, bob: Party, membership: str) -> None:
    with refused("AccessDeniedException"):
        put(bob, membership, roleArn=alice.role())


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("ValidationException", marks=pytest.mark.rules("ER-30=invalid")),
        pytest.param("AccessDeniedException", marks=pytest.mark.rules("ER-30=denied")),
    ],
)
def test_er_30_a_new_role_is_unknown_for_a_while(code: str, bob: Party, membership: str) -> None:
    for _ in range(2):
        with refused(code) as error:
            put(bob, membership)
        assert "reason" not in error
    put(bob, membership)


def test_er_26_under_an_ended_membership_it_is_read_and_deleted_but_not_put(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob)
    membership = shared.join(bob)["id"]
    put(bob, membership)
    alice.cleanrooms.delete_collaboration(collaborationIdentifier=shared.id)
    with refused("AccessDeniedException"):
        put(bob, membership)
    get(bob, membership)
    bob.ml.delete_ml_configuration(membershipIdentifier=membership)


@pytest.mark.rules("ER-26=denied")
def test_er_26_under_an_ended_membership_nothing_works(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob)
    membership = shared.join(bob)["id"]
    put(bob, membership)
    alice.cleanrooms.delete_collaboration(collaborationIdentifier=shared.id)
    with refused("AccessDeniedException"):
        get(bob, membership)
    with refused("AccessDeniedException"):
        bob.ml.delete_ml_configuration(membershipIdentifier=membership)
