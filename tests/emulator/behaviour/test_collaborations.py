"""Collaborations, as two accounts see them."""

from typing import Any

import pytest

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.virtual import VirtualTime
from parties import QUERY, Party, collaboration, member, payment, refused

NOWHERE = "00000000-0000-0000-0000-000000000000"


def create(party: Party, **parameters: Any) -> Any:
    return party.cleanrooms.create_collaboration(**parameters)["collaboration"]


@pytest.mark.aws
def test_a_collaboration_shows_what_was_asked_for_and_what_the_service_fills_in(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob, description="d", dataEncryptionMetadata=ENCRYPTED)
    found = alice.cleanrooms.get_collaboration(collaborationIdentifier=shared.id)["collaboration"]
    assert found["arn"].endswith(f":{alice.account}:collaboration/{shared.id}")
    assert found["description"] == "d"
    assert found["dataEncryptionMetadata"] == ENCRYPTED
    assert (found["analyticsEngine"], found["jobLogStatus"]) == ("SPARK", "DISABLED")
    assert found["isMetricsEnabled"] is False
    assert found["memberStatus"] == "INVITED"
    assert not {"membershipId", "autoApprovedChangeTypes", "tags", "members"} & found.keys()


ENCRYPTED = {
    "allowCleartext": True,
    "allowDuplicates": True,
    "allowJoinsOnColumnsWithDifferentNames": False,
    "preserveNulls": False,
}


@pytest.mark.aws
def test_names_are_not_unique(alice: Party, bob: Party, share: Any) -> None:
    assert share(alice, bob).id != share(alice, bob).id


def test_auto_approved_types_have_another_name_in_the_answer(alice: Party, bob: Party) -> None:
    made = create(
        alice, **collaboration(member(bob), autoApprovedChangeRequestTypes=["ADD_MEMBER"])
    )
    assert made["autoApprovedChangeTypes"] == ["ADD_MEMBER"]


@pytest.mark.aws
def test_what_does_not_exist_is_access_denied(alice: Party) -> None:
    """GetCollaboration models no ResourceNotFoundException."""
    with refused("AccessDeniedException") as error:
        alice.cleanrooms.get_collaboration(collaborationIdentifier=NOWHERE)
    assert error["reason"] == "INSUFFICIENT_PERMISSIONS"
    with refused("AccessDeniedException"):
        alice.cleanrooms.delete_collaboration(collaborationIdentifier=NOWHERE)


def test_outsiders_see_nothing(alice: Party, bob: Party, carol: Party, share: Any) -> None:
    shared = share(alice, bob)
    with refused("AccessDeniedException"):
        carol.cleanrooms.get_collaboration(collaborationIdentifier=shared.id)
    assert carol.cleanrooms.list_collaborations()["collaborationList"] == []
    with refused("AccessDeniedException"):
        carol.cleanrooms.list_members(collaborationIdentifier=shared.id)


@pytest.mark.rules("ER-3=not-found")
def test_er_3_outsiders_find_nothing_where_that_is_modelled(
    alice: Party, bob: Party, carol: Party, share: Any
) -> None:
    shared = share(alice, bob)
    with refused("AccessDeniedException"):
        carol.cleanrooms.get_collaboration(collaborationIdentifier=shared.id)
    with refused("ResourceNotFoundException") as error:
        carol.cleanrooms.list_members(collaborationIdentifier=shared.id)
    assert (error["resourceId"], error["resourceType"]) == (shared.id, "COLLABORATION")


@pytest.mark.aws
def test_the_invited_account_sees_the_creators_arn_and_its_own_status(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob)
    found = bob.cleanrooms.get_collaboration(collaborationIdentifier=shared.id)["collaboration"]
    assert (found["arn"], found["memberStatus"]) == (shared.arn, "INVITED")
    assert found["creatorAccountId"] == alice.account


@pytest.mark.aws
def test_lists_filter_by_the_callers_own_status(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)

    def listed(party: Party, **filters: str) -> set[str]:
        pages = party.cleanrooms.get_paginator("list_collaborations").paginate(**filters)
        return {each["id"] for page in pages for each in page["collaborationList"]}

    assert shared.id in listed(bob)
    assert shared.id in listed(bob, memberStatus="INVITED")
    assert shared.id not in listed(bob, memberStatus="ACTIVE")
    shared.join(bob)
    assert shared.id in listed(bob, memberStatus="ACTIVE")
    assert shared.id in listed(alice, memberStatus="INVITED")


def test_a_collaboration_lives_in_its_region(
    alice: Party, bob: Party, party: Any, share: Any
) -> None:
    shared = share(alice, bob)
    for account in (alice.account, bob.account):
        abroad = party(account, region="eu-west-1")
        assert abroad.cleanrooms.list_collaborations()["collaborationList"] == []
        with refused("AccessDeniedException"):
            abroad.cleanrooms.get_collaboration(collaborationIdentifier=shared.id)


@pytest.mark.aws
def test_an_update_leaves_alone_what_it_does_not_name(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob, description="d")
    changed = alice.cleanrooms.update_collaboration(collaborationIdentifier=shared.id, name="n2")
    assert changed["collaboration"]["name"] == "n2"
    assert changed["collaboration"]["description"] == "d"


def test_a_description_can_be_emptied(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob, description="d")
    alice.cleanrooms.update_collaboration(collaborationIdentifier=shared.id, description="")
    found = alice.cleanrooms.get_collaboration(collaborationIdentifier=shared.id)
    assert found["collaboration"]["description"] == ""


def test_an_update_moves_the_update_time(
    alice: Party, bob: Party, share: Any, time: VirtualTime
) -> None:
    shared = share(alice, bob)
    time.elapse(60)
    changed = alice.cleanrooms.update_collaboration(collaborationIdentifier=shared.id, name="n2")
    found = changed["collaboration"]
    assert (found["updateTime"] - found["createTime"]).total_seconds() == 60


@pytest.mark.aws
def test_only_the_owner_updates_and_deletes(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)
    with refused("AccessDeniedException"):
        bob.cleanrooms.update_collaboration(collaborationIdentifier=shared.id, name="mine")
    with refused("AccessDeniedException"):
        bob.cleanrooms.delete_collaboration(collaborationIdentifier=shared.id)


def test_the_ended_engine_is_refused(alice: Party, bob: Party, share: Any) -> None:
    with refused("ValidationException"):
        create(alice, **collaboration(member(bob), analyticsEngine="CLEAN_ROOMS_SQL"))
    shared = share(alice, bob)
    with refused("ValidationException"):
        alice.cleanrooms.update_collaboration(
            collaborationIdentifier=shared.id, analyticsEngine="CLEAN_ROOMS_SQL"
        )


@pytest.mark.parametrize(
    ("creator", "invited"),
    [
        pytest.param([], [], id="nobody can query"),
        pytest.param(QUERY, QUERY, id="two can query"),
        pytest.param(["CAN_RUN_JOB"], QUERY, id="one queries and another runs jobs"),
    ],
)
def test_exactly_one_member_queries_and_only_it_runs_jobs(
    alice: Party, bob: Party, creator: list[str], invited: list[str]
) -> None:
    parameters = collaboration(member(bob, invited), creatorMemberAbilities=creator)
    with refused("ValidationException") as error:
        create(alice, **parameters)
    assert error["reason"] == "INVALID_CONFIGURATION"


def test_an_account_is_a_member_once(alice: Party, bob: Party) -> None:
    with refused("ValidationException"):
        create(alice, **collaboration(member(bob), member(bob, [])))
    with refused("ValidationException"):
        create(alice, **collaboration(member(bob), member(alice, [])))


def test_five_members_can_be_invited(alice: Party, party: Any) -> None:
    five = [member(party(f"{n:012}"), QUERY if n == 1 else []) for n in range(1, 6)]
    create(alice, **collaboration(*five))
    with refused("ServiceQuotaExceededException") as error:
        create(alice, **collaboration(*five, member(party("000000000006"), [])))
    assert error["quotaValue"] == 5.0
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 402


@pytest.mark.rules("quota.collaborations=2")
def test_a_deleted_collaboration_does_not_count_against_the_quota(
    alice: Party, bob: Party, share: Any
) -> None:
    share(alice, bob)
    shared = share(alice, bob)
    share(bob, alice)
    with refused("ServiceQuotaExceededException") as error:
        share(alice, bob)
    assert (error["quotaName"], error["quotaValue"]) == ("Collaborations created per account", 2.0)
    alice.cleanrooms.delete_collaboration(collaborationIdentifier=shared.id)
    share(alice, bob)


@pytest.mark.aws
def test_deletion_ends_every_membership_and_hides_the_collaboration(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob)
    shared.join(alice)
    shared.join(bob)
    alice.cleanrooms.delete_collaboration(collaborationIdentifier=shared.id)
    for each in (alice, bob):
        assert shared.show(each)["status"] == "COLLABORATION_DELETED"
        with refused("AccessDeniedException"):
            each.cleanrooms.get_collaboration(collaborationIdentifier=shared.id)
    with refused("AccessDeniedException"):
        alice.cleanrooms.delete_collaboration(collaborationIdentifier=shared.id)


def test_identifiers_are_the_same_in_every_run(
    alice: Party, bob: Party, share: Any, emulator: Emulator
) -> None:
    assert share(alice, bob, creatorPaymentConfiguration=payment()).id.startswith("00000001-")
    assert emulator.log.since(0)[0].operation == "CreateCollaboration"
