"""Members of a collaboration: what all of them see, and how one is removed."""

from typing import Any

import pytest

from cleanrooms_emulator.virtual import VirtualTime
from parties import OUTPUTS, QUERY, Party, refused


@pytest.mark.aws
def test_the_creator_is_listed_before_it_has_joined(alice: Party, bob: Party, share: Any) -> None:
    members = share(alice, bob).seen_by(bob)
    assert set(members) == {alice.account, bob.account}
    creator = members[alice.account]
    assert (creator["status"], creator["abilities"]) == ("INVITED", [])
    assert creator["mlAbilities"] == OUTPUTS
    assert "membershipId" not in creator
    assert "mlAbilities" not in members[bob.account]
    assert members[bob.account]["abilities"] == QUERY


@pytest.mark.aws
def test_joining_shows_a_membership(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)
    made = shared.join(bob)
    found = shared.seen_by(alice)[bob.account]
    assert found["status"] == "ACTIVE"
    assert (found["membershipId"], found["membershipArn"]) == (made["id"], made["arn"])


@pytest.mark.aws
def test_a_removed_member_is_out_at_once_and_for_good(alice: Party, bob: Party, share: Any) -> None:
    """R-14: no approval is asked for, and nothing takes it back."""
    shared = share(alice, bob)
    shared.join(alice)
    shared.join(bob)
    alice.cleanrooms.delete_member(collaborationIdentifier=shared.id, accountId=bob.account)
    assert shared.seen_by(alice)[bob.account]["status"] == "REMOVED"
    assert shared.show(bob)["status"] == "REMOVED"
    with refused("AccessDeniedException"):
        bob.cleanrooms.get_collaboration(collaborationIdentifier=shared.id)
    assert shared.id not in {
        each["id"] for each in bob.cleanrooms.list_collaborations()["collaborationList"]
    }
    with refused("AccessDeniedException"):
        shared.join(bob)


def test_an_invited_member_can_be_removed(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)
    alice.cleanrooms.delete_member(collaborationIdentifier=shared.id, accountId=bob.account)
    assert shared.seen_by(alice)[bob.account]["status"] == "REMOVED"


@pytest.mark.rules("ER-3=not-found")
def test_er_3_a_removed_member_that_joins_is_a_conflict(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob)
    alice.cleanrooms.delete_member(collaborationIdentifier=shared.id, accountId=bob.account)
    with refused("ConflictException") as error:
        shared.join(bob)
    assert error["reason"] == "INVALID_STATE"


@pytest.mark.aws
def test_only_the_creator_removes_and_not_itself(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)
    with refused("AccessDeniedException"):
        bob.cleanrooms.delete_member(collaborationIdentifier=shared.id, accountId=alice.account)
    with refused("ValidationException"):
        alice.cleanrooms.delete_member(collaborationIdentifier=shared.id, accountId=alice.account)


def test_er_6_removing_twice_is_no_error(
    alice: Party, bob: Party, carol: Party, share: Any
) -> None:
    shared = share(alice, bob)
    for _ in range(2):
        alice.cleanrooms.delete_member(collaborationIdentifier=shared.id, accountId=bob.account)
    with refused("ResourceNotFoundException"):
        alice.cleanrooms.delete_member(collaborationIdentifier=shared.id, accountId=carol.account)


@pytest.mark.rules("ER-6=not-found")
def test_er_6_removing_twice_finds_nothing(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)
    alice.cleanrooms.delete_member(collaborationIdentifier=shared.id, accountId=bob.account)
    with refused("ResourceNotFoundException"):
        alice.cleanrooms.delete_member(collaborationIdentifier=shared.id, accountId=bob.account)


@pytest.mark.parametrize(
    "moves",
    [
        pytest.param(False, id="no"),
        pytest.param(True, id="yes", marks=pytest.mark.rules("ER-37=yes")),
    ],
)
def test_er_37_members_tags_and_configuration_move_the_update_time_or_not(
    moves: bool,  # noqa: FBT001 - a reading
    alice: Party,
    bob: Party,
    share: Any,
    time: VirtualTime,
) -> None:
    shared = share(alice, bob)

    def collaboration_moves() -> bool:
        found = bob.cleanrooms.get_collaboration(collaborationIdentifier=shared.id)
        return bool(found["collaboration"]["updateTime"].timestamp() == time.now().timestamp())

    time.elapse(60)
    joined = shared.join(bob)
    assert collaboration_moves() is moves
    time.elapse(60)
    alice.cleanrooms.tag_resource(resourceArn=shared.arn, tags={"a": "b"})
    assert collaboration_moves() is moves
    time.elapse(60)
    location = {"roleArn": bob.role()}
    bob.ml.put_ml_configuration(membershipIdentifier=joined["id"], defaultOutputLocation=location)
    moved = shared.show(bob)["updateTime"]
    assert (moved.timestamp() == time.now().timestamp()) is moves
