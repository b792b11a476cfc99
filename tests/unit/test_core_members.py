"""Who has joined a collaboration, and whether all is as its creator declared."""

from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core import members
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import parameters
from cleanrooms_operator.core.resource import Document, Key, Resource
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import Present
from cleanrooms_operator.kinds import BY_NAME
from simulation import specs

CREATOR, PARTNER, THIRD = specs.CREATOR, specs.PARTNER, "333333333333"
COLLABORATION = BY_NAME["Collaboration"]
ML = {"customMLMemberAbilities": ["CAN_RECEIVE_INFERENCE_OUTPUT", "CAN_RECEIVE_MODEL_OUTPUT"]}
PAYS = {
    "queryCompute": {"isResponsible": True},
    "machineLearning": {
        "modelTraining": {"isResponsible": True},
        "modelInference": {"isResponsible": True},
    },
}


def member(account: str, status: str = "ACTIVE", **more: Any) -> dict[str, Any]:
    """Return a member as ListMembers shows it."""
    return {"accountId": account, "status": status, "displayName": "B", "abilities": [], **more}


def creator(**more: Any) -> dict[str, Any]:
    shown = {"displayName": "A", "mlAbilities": ML, "paymentConfiguration": PAYS, **more}
    return member(CREATOR, **shown)


def partner(**more: Any) -> dict[str, Any]:
    abilities = ["CAN_RECEIVE_RESULTS", "CAN_QUERY"]
    return member(PARTNER, **{"status": "INVITED", "abilities": abilities, **more})


def shown(*listed: Document | None, **fields: Any) -> Present:
    """Return a collaboration with these members; None: they were not read."""
    readings = {} if None in listed else {"members": list(listed)}
    return make.present(
        identifier="c-1", details=make.details(fields=fields or {"id": "c-1"}, readings=readings)
    )


def situation(found: Present, **over: Any) -> Situation:
    """Return the situation of the collaboration that the examples declare."""
    spec = over.pop("spec", specs.collaboration())
    subject = make.bound(key=Key("Collaboration", "a", "ads"), spec=spec, **over)
    made = make.situation(found, resource=subject)
    return replace(made, parameters=parameters(COLLABORATION, subject, {}))


class TestJoining:
    def test_an_invited_member_is_awaited_and_named(self) -> None:
        found = shown(creator(), partner(), member(THIRD, "INVITED"))
        (joined,) = members.facts(situation(found), found)
        assert (joined.type, joined.status) == ("MembersJoined", "False")
        assert joined.reason is Reason.AWAITING_MEMBERS
        assert f"{PARTNER}, {THIRD}" in joined.message

    @pytest.mark.parametrize("status", ["ACTIVE", "LEFT", "REMOVED"])
    def test_nobody_else_is_awaited(self, status: str) -> None:
        found = shown(creator(), partner(status=status))
        (joined,) = members.facts(situation(found), found)
        assert (joined.type, joined.status) == ("MembersJoined", "True")

    @pytest.mark.parametrize(
        ("listed", "expected"),
        [
            pytest.param([creator(), partner()], "1/2", id="the creator counts"),
            pytest.param([creator(), partner(status="ACTIVE")], "2/2", id="all"),
            pytest.param(
                [creator(), partner(status="LEFT"), member(THIRD, "REMOVED")],
                "1/1",
                id="who has gone does not count",
            ),
        ],
    )
    def test_the_column_counts_who_is_there(self, listed: list[Document], expected: str) -> None:
        """R-39: JSONPath cannot count."""
        found = shown(*listed)
        assert members.report(situation(found), found)["membersJoined"] == expected

    def test_members_are_listed_with_what_is_known_of_them(self) -> None:
        found = shown(creator(membershipId="m-1", membershipArn="x", createTime=1), partner())
        assert members.report(situation(found), found)["members"] == [
            {"accountId": CREATOR, "status": "ACTIVE", "displayName": "A", "membershipId": "m-1"},
            {"accountId": PARTNER, "status": "INVITED", "displayName": "B"},
        ]

    @pytest.mark.parametrize(
        "found",
        [
            pytest.param(shown(None), id="members were not read"),
            pytest.param(make.present(details=None), id="nothing was read"),
        ],
    )
    def test_nothing_is_said_of_what_was_not_read(self, found: Present) -> None:
        about = situation(found)
        assert members.facts(about, found) == ()
        assert members.report(about, found) == {}
        assert members.blockers(about, found) == ()

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            ({}, False),
            ({"members": []}, False),
            ({"members": [{"status": "ACTIVE"}, {"status": "LEFT"}]}, False),
            ({"members": [{"status": "ACTIVE"}, {"status": "INVITED"}]}, True),
        ],
    )
    def test_members_are_listed_often_only_while_somebody_is_invited(
        self, status: Document, *, expected: bool
    ) -> None:
        """R-21: ListMembers only while somebody is INVITED."""
        assert members.are_awaited(status) is expected


def membership(**status: Any) -> Resource:
    known = {"accountID": PARTNER, "state": "ACTIVE", "collaborationIdentifier": "c-1", **status}
    return make.resource(key=Key("Membership", "b", "member"), status=known)


class TestNeighbours:
    @pytest.mark.parametrize(
        ("request_id", "recorded", "expected"),
        [
            pytest.param("r-1", "PENDING", True, id="it has voted"),
            pytest.param("r-1", "APPROVED", False, id="which is known"),
            pytest.param("r-2", "PENDING", False, id="on another request"),
        ],
    )
    def test_a_vote_of_a_neighbour_is_looked_at(
        self, request_id: str, recorded: str, *, expected: bool
    ) -> None:
        approvals = [{"accountId": PARTNER, "status": recorded}]
        status = {"identifier": "c-1", "changeRequest": {"id": "r-1", "approvals": approvals}}
        neighbour = membership(lastVote={"id": request_id, "vote": "APPROVED"})
        found = members.are_outdated(make.bound(status=status), {"Membership": (neighbour,)})
        assert found is expected

    @pytest.mark.parametrize(
        ("neighbour", "invited", "expected"),
        [
            pytest.param(membership(), PARTNER, True, id="the invited account has joined here"),
            pytest.param(membership(), THIRD, False, id="somebody else has"),
            pytest.param(membership(state="REMOVED"), PARTNER, False, id="it is a member no more"),
            pytest.param(
                membership(collaborationIdentifier="c-2"), PARTNER, False, id="of another one"
            ),
        ],
    )
    def test_what_this_cluster_knows_better_is_looked_at_again(
        self, neighbour: Resource, invited: str, *, expected: bool
    ) -> None:
        status = {
            "identifier": "c-1",
            "members": [
                {"accountId": CREATOR, "status": "ACTIVE"},
                {"accountId": invited, "status": "INVITED"},
            ],
        }
        subject = make.bound(status=status)
        assert members.are_outdated(subject, {"Membership": (neighbour,)}) is expected

    def test_without_neighbours_nothing_is_known_better(self) -> None:
        status = {"members": [{"accountId": PARTNER, "status": "INVITED"}]}
        assert not members.are_outdated(make.bound(status=status), {})
        assert not members.are_outdated(make.bound(), {"Membership": (membership(),)})


class TestLeaving:
    def test_active_members_are_not_turned_out_without_a_word(self) -> None:
        """R-15: held until annotated, with the remedy named."""
        found = shown(creator(), partner(status="ACTIVE"), member(THIRD, "INVITED"))
        [blocker] = members.blockers(situation(found), found)
        assert PARTNER in blocker.message
        assert THIRD not in blocker.message
        assert "delete-collaboration" in blocker.message

    @pytest.mark.parametrize("status", ["INVITED", "LEFT", "REMOVED"])
    def test_who_has_not_joined_blocks_nothing(self, status: str) -> None:
        found = shown(creator(), partner(status=status))
        assert members.blockers(situation(found), found) == ()

    def test_a_person_may_decide_otherwise(self) -> None:
        found = shown(creator(), partner(status="ACTIVE"))
        agreed = make.annotations(delete_collaboration="true")
        assert members.blockers(situation(found, annotations=agreed), found) == ()

    @pytest.mark.parametrize(
        ("status", "blocks"),
        [
            pytest.param({}, True, id="ours, with an ML configuration of ours"),
            pytest.param({"mlConfiguration": None}, False, id="it is deleted already"),
            pytest.param({"mlConfiguration": {"putBy": None}}, False, id="it is not ours"),
            pytest.param({"accountID": PARTNER}, False, id="another account's membership"),
            pytest.param({"collaborationIdentifier": "c-2"}, False, id="of another collaboration"),
        ],
    )
    def test_the_creators_ml_configuration_goes_first(
        self, status: dict[str, Any], *, blocks: bool
    ) -> None:
        """R-38: the order of deletion in a namespace that goes all at once."""
        known = {"accountID": CREATOR, "mlConfiguration": {"putBy": "a/member"}, **status}
        found = shown(creator())
        about = replace(situation(found), neighbours={"Membership": (membership(**known),)})
        told = members.blockers(about, found)
        assert len(told) == blocks
        assert all("Membership/member in namespace b" in blocker.message for blocker in told)
