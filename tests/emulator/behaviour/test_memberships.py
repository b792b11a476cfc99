"""Memberships: joining, reading, changing, leaving."""

from typing import Any

import pytest

from cleanrooms_emulator.virtual import VirtualTime
from parties import Party, collaboration, member, refused

NOWHERE = "00000000-0000-0000-0000-000000000000"


def results(party: Party, bucket: str = "bucket") -> dict[str, Any]:
    s3 = {"resultFormat": "CSV", "bucket": bucket}
    return {"outputConfiguration": {"s3": s3}, "roleArn": party.role("results-of-all-our-queries")}


@pytest.mark.aws
def test_a_membership_shows_its_collaboration_and_what_was_assigned(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob)
    made = shared.join(bob)
    assert made["arn"].endswith(f":{bob.account}:membership/{made['id']}")
    assert (made["collaborationId"], made["collaborationArn"]) == (shared.id, shared.arn)
    assert made["collaborationCreatorAccountId"] == alice.account
    assert made["memberAbilities"] == ["CAN_QUERY", "CAN_RECEIVE_RESULTS"]
    assert (made["jobLogStatus"], made["isMetricsEnabled"]) == ("DISABLED", False)
    assert "mlMemberAbilities" not in made
    found = bob.cleanrooms.get_collaboration(collaborationIdentifier=shared.id)["collaboration"]
    assert (found["membershipId"], found["membershipArn"]) == (made["id"], made["arn"])
    assert found["memberStatus"] == "ACTIVE"


@pytest.mark.aws
def test_an_account_joins_once(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)
    made = shared.join(bob)
    with refused("ConflictException") as error:
        shared.join(bob)
    assert (error["resourceType"], error["reason"]) == ("MEMBERSHIP", "ALREADY_EXISTS")
    assert error["resourceId"] == made["id"]


def test_who_is_not_invited_cannot_join(alice: Party, bob: Party, carol: Party, share: Any) -> None:
    with refused("AccessDeniedException"):
        share(alice, bob).join(carol)


@pytest.mark.rules("ER-3=not-found")
def test_er_3_who_is_not_invited_finds_nothing_to_join(
    alice: Party, bob: Party, carol: Party, share: Any
) -> None:
    with refused("ResourceNotFoundException"):
        share(alice, bob).join(carol)


@pytest.mark.aws
def test_a_membership_that_does_not_exist_is_not_found(bob: Party) -> None:
    with refused("ResourceNotFoundException") as error:
        bob.cleanrooms.get_membership(membershipIdentifier=NOWHERE)
    assert (error["resourceId"], error["resourceType"]) == (NOWHERE, "MEMBERSHIP")


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("AccessDeniedException", id="denied"),
        pytest.param(
            "ResourceNotFoundException", id="missing", marks=pytest.mark.rules("ER-3=not-found")
        ),
    ],
)
def test_er_3_another_accounts_membership(code: str, alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)
    shared.join(bob)
    with refused(code):
        alice.cleanrooms.get_membership(membershipIdentifier=shared.of(bob))
    with refused(code):
        alice.cleanrooms.update_membership(
            membershipIdentifier=shared.of(bob), queryLogStatus="DISABLED"
        )
    with refused(code):
        alice.cleanrooms.delete_membership(membershipIdentifier=shared.of(bob))


@pytest.mark.aws
def test_logs_need_logging_in_the_collaboration(alice: Party, bob: Party, share: Any) -> None:
    with refused("ValidationException"):
        share(alice, bob).join(bob, queryLogStatus="ENABLED")


def test_logs_are_switched_where_the_collaboration_has_them(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob, queryLogStatus="ENABLED", jobLogStatus="ENABLED")
    shared.join(bob)
    bob.cleanrooms.update_membership(
        membershipIdentifier=shared.of(bob), queryLogStatus="ENABLED", jobLogStatus="ENABLED"
    )
    found = shared.show(bob)
    assert (found["queryLogStatus"], found["jobLogStatus"]) == ("ENABLED", "ENABLED")


def test_a_result_configuration_is_replaced_whole_and_stays_when_it_is_not_named(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob)
    shared.join(bob, defaultResultConfiguration=results(bob))
    bob.cleanrooms.update_membership(membershipIdentifier=shared.of(bob), queryLogStatus="DISABLED")
    assert shared.show(bob)["defaultResultConfiguration"] == results(bob)
    bare = {"outputConfiguration": {"s3": {"resultFormat": "PARQUET", "bucket": "other"}}}
    bob.cleanrooms.update_membership(
        membershipIdentifier=shared.of(bob), defaultResultConfiguration=bare
    )
    assert shared.show(bob)["defaultResultConfiguration"] == bare


def test_another_accounts_role_is_refused(alice: Party, bob: Party, share: Any) -> None:
    with refused("AccessDeniedException"):
        share(alice, bob).join(bob, defaultResultConfiguration=results(alice))


@pytest.mark.rules("ER-30=invalid")
def test_er_30_a_new_role_is_unknown_for_a_while(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)
    for _ in range(2):
        with refused("ValidationException") as error:
            shared.join(bob, defaultResultConfiguration=results(bob))
        assert error["reason"] == "IAM_SYNCHRONIZATION_DELAY"
    shared.join(bob, defaultResultConfiguration=results(bob))


def test_lists_show_own_memberships_by_status(alice: Party, bob: Party, share: Any) -> None:
    first, second = share(alice, bob), share(alice, bob)
    for shared in (first, second):
        shared.join(bob)
    alice.cleanrooms.delete_collaboration(collaborationIdentifier=first.id)

    def listed(**filters: str) -> list[str]:
        found = bob.cleanrooms.list_memberships(**filters)["membershipSummaries"]
        return [each["id"] for each in found]

    assert listed() == [first.of(bob), second.of(bob)]
    assert listed(status="ACTIVE") == [second.of(bob)]
    assert listed(status="COLLABORATION_DELETED") == [first.of(bob)]
    assert alice.cleanrooms.list_memberships()["membershipSummaries"] == []


@pytest.mark.rules("quota.memberships=1")
def test_memberships_have_a_quota(alice: Party, bob: Party, share: Any) -> None:
    share(alice, bob).join(bob)
    with refused("ServiceQuotaExceededException") as error:
        share(alice, bob).join(bob)
    assert (error["quotaName"], error["quotaValue"]) == ("Memberships per account", 1.0)


@pytest.mark.aws
def test_who_leaves_is_gone_and_cannot_come_back(alice: Party, bob: Party, share: Any) -> None:
    """R-13: LEFT is for good."""
    shared = share(alice, bob)
    shared.join(bob)
    bob.cleanrooms.delete_membership(membershipIdentifier=shared.of(bob))
    with refused("ResourceNotFoundException"):
        shared.show(bob)
    left = shared.seen_by(alice)[bob.account]
    assert left["status"] == "LEFT"
    assert "membershipId" not in left
    with refused("AccessDeniedException"):
        shared.join(bob)


@pytest.mark.aws
def test_op_8_the_creators_membership_goes_after_the_collaboration(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob)
    shared.join(alice)
    with refused("ConflictException") as error:
        alice.cleanrooms.delete_membership(membershipIdentifier=shared.of(alice))
    assert (error["resourceType"], error["reason"]) == ("MEMBERSHIP", "INVALID_STATE")
    alice.cleanrooms.delete_collaboration(collaborationIdentifier=shared.id)
    alice.cleanrooms.delete_membership(membershipIdentifier=shared.of(alice))
    with refused("ResourceNotFoundException"):
        shared.show(alice)


def test_what_has_ended_is_read_and_cleared_away_but_not_changed(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob)
    shared.join(bob)
    alice.cleanrooms.delete_member(collaborationIdentifier=shared.id, accountId=bob.account)
    with refused("ConflictException"):
        bob.cleanrooms.update_membership(
            membershipIdentifier=shared.of(bob), queryLogStatus="DISABLED"
        )
    bob.cleanrooms.delete_membership(membershipIdentifier=shared.of(bob))
    assert shared.seen_by(alice)[bob.account]["status"] == "REMOVED"


def test_er_7_an_ml_configuration_holds_a_membership(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)
    shared.join(bob)
    bob.ml.put_ml_configuration(
        membershipIdentifier=shared.of(bob), defaultOutputLocation={"roleArn": bob.role()}
    )
    with refused("ConflictException") as error:
        bob.cleanrooms.delete_membership(membershipIdentifier=shared.of(bob))
    assert error["reason"] == "SUBRESOURCES_EXIST"
    bob.ml.delete_ml_configuration(membershipIdentifier=shared.of(bob))
    bob.cleanrooms.delete_membership(membershipIdentifier=shared.of(bob))


@pytest.mark.rules("ER-7=associations")
def test_er_7_an_ml_configuration_does_not_hold_it(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)
    shared.join(bob)
    bob.ml.put_ml_configuration(
        membershipIdentifier=shared.of(bob), defaultOutputLocation={"roleArn": bob.role()}
    )
    bob.cleanrooms.delete_membership(membershipIdentifier=shared.of(bob))


def test_the_members_age_is_its_own(
    alice: Party, bob: Party, share: Any, time: VirtualTime
) -> None:
    shared = share(alice, bob)
    time.elapse(60)
    made = shared.join(bob)
    found = shared.seen_by(alice)[bob.account]
    assert found["updateTime"] == made["createTime"]
    assert (found["updateTime"] - found["createTime"]).total_seconds() == 60


def test_ml_abilities_are_shown_as_they_were_given(alice: Party, bob: Party) -> None:
    made = alice.cleanrooms.create_collaboration(**collaboration(member(bob)))["collaboration"]
    joined = alice.cleanrooms.create_membership(
        collaborationIdentifier=made["id"], queryLogStatus="DISABLED"
    )["membership"]
    assert joined["mlMemberAbilities"] == {
        "customMLMemberAbilities": ["CAN_RECEIVE_MODEL_OUTPUT", "CAN_RECEIVE_INFERENCE_OUTPUT"]
    }
