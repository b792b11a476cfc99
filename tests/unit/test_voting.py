"""A member's side of change requests: what it is told, and what it answers."""

from datetime import UTC, datetime
from typing import Any

import pytest

import make
from cleanrooms_operator.core import voting
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, Key, Resource
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import Change, Present
from simulation.specs import CREATOR

OWN, THIRD = make.ACCOUNT, "333333333333"
YES, NO = {"isResponsible": True}, {"isResponsible": False}
TRAINS = {"machineLearning": {"modelTraining": YES}}
TIME = datetime(2026, 1, 1, tzinfo=UTC)
ID = "a" * 36
RESULTS = "GRANT_RECEIVE_RESULTS_ABILITY"


def member(account: str, *abilities: str, **more: Any) -> dict[str, Any]:
    return {"accountId": account, "status": "ACTIVE", "abilities": list(abilities), **more}


def change(account: str, *abilities: str, types: tuple[str, ...] = (), **more: Any) -> Document:
    given = {"accountId": account, "memberAbilities": list(abilities), **more}
    specification = {"member": given}
    return {"specificationType": "MEMBER", "specification": specification, "types": list(types)}


def request(*changes: Document, vote: str | None = "PENDING", **more: Any) -> dict[str, Any]:
    approvals = {} if vote is None else {OWN: {"status": vote}}
    return {
        "id": ID,
        "status": "PENDING",
        "createTime": TIME,
        "changes": list(changes),
        "approvals": approvals,
        **more,
    }


GIVES = change(THIRD, "CAN_RECEIVE_RESULTS", types=(RESULTS,))
CHARGES = change(OWN, types=("ADD_PAYER_CANDIDATE",), paymentConfiguration=TRAINS)
MEMBERS = (member(CREATOR), member(OWN), member(THIRD))


def shown(*requests: Document, members: Any = MEMBERS) -> Present:
    readings = {"changeRequests": list(requests)}
    if members is not None:
        readings["members"] = list(members)
    details = make.details(fields={"collaborationId": "c-1"}, readings=readings)
    return make.present(details=details)


def situation(found: Present, **answers: Any) -> Situation:
    spec = {"changeRequests": answers} if answers else {}
    subject = make.bound(key=Key("Membership", "b", "member"), spec=spec)
    return make.situation(found, resource=subject)


def vote(asked: Document, **answers: Any) -> str | None:
    found = shown(asked)
    made: Change | None = voting.vote(situation(found, **answers), found)
    return None if made is None else str(made.parameters["action"])


class TestVote:
    @pytest.mark.parametrize(
        ("asked", "answers", "expected"),
        [
            pytest.param(request(GIVES), {}, None, id="nothing is said"),
            pytest.param(request(GIVES), {"approve": [ID]}, "APPROVE", id="it is named"),
            pytest.param(request(CHARGES), {"approve": [ID]}, "APPROVE", id="whatever it costs"),
            pytest.param(request(GIVES), {"approve": ["b"]}, None, id="another is named"),
            pytest.param(request(GIVES), {"deny": [ID]}, "DENY", id="it is denied"),
            pytest.param(request(GIVES), {"autoApprove": [RESULTS]}, "APPROVE", id="by its type"),
            pytest.param(
                request(GIVES, CHARGES), {"autoApprove": [RESULTS]}, None, id="not all its types"
            ),
            pytest.param(
                request(CHARGES), {"autoApprove": ["ADD_PAYER_CANDIDATE"]}, None, id="it costs us"
            ),
            pytest.param(request(GIVES, vote="APPROVED"), {"deny": [ID]}, None, id="once only"),
            pytest.param(request(GIVES, vote=None), {"deny": [ID]}, None, id="without a vote"),
            pytest.param(
                request(GIVES, status="APPROVED"), {"deny": [ID]}, None, id="when it is decided"
            ),
        ],
    )
    def test_r_18_only_what_the_spec_names_is_answered(
        self, asked: Document, answers: Document, expected: str | None
    ) -> None:
        assert vote(asked, **answers) == expected

    def test_r_18_what_aws_makes_more_of_is_not_approved_but_can_be_denied(self) -> None:
        asked = request(change(THIRD, types=("ADD_PAYER_CANDIDATE",)))
        assert vote(asked, approve=[ID]) is None
        assert vote(asked, autoApprove=["ADD_PAYER_CANDIDATE"]) is None
        assert vote(asked, deny=[ID]) == "DENY"

    def test_r_18_becoming_the_payer_by_default_is_a_cost_too(self) -> None:
        """ER-10: without any candidate the one who queries pays."""
        listed = [member(OWN, "CAN_QUERY"), member(THIRD, paymentConfiguration=TRAINS)]
        gone = {"machineLearning": {"modelTraining": NO}}
        asked = request(change(THIRD, paymentConfiguration=gone))
        assert voting.costs(asked, listed, OWN) == ["machineLearning.modelTraining"]
        assert voting.costs(asked, listed, THIRD) == []

    def test_nothing_is_answered_that_was_not_read(self) -> None:
        for found in (shown(request(GIVES), members=None), make.present(details=None)):
            about = situation(found, approve=[ID])
            assert voting.vote(about, found) is None


class TestTelling:
    @pytest.mark.parametrize(
        ("made", "before", "expected"),
        [
            pytest.param(
                change(
                    THIRD, "CAN_RECEIVE_RESULTS", displayName="C", paymentConfiguration=TRAINS
                ),
                None,
                f"account {THIRD} would be invited as 'C' and be able to receive results and "
                "become a candidate to pay for modelTraining",
                id="an invitation",
            ),
            pytest.param(
                change(THIRD), None, f"account {THIRD} would be invited", id="without a name"
            ),
            pytest.param(
                change(THIRD, "CAN_EXPORT_QUERY_ANALYSIS_LOG", paymentConfiguration={
                    "queryCompute": NO}),
                member(THIRD, "CAN_RECEIVE_RESULTS", "CAN_QUERY",
                       paymentConfiguration={"queryCompute": YES}),
                f"account {THIRD} would be able to export query analysis logs and no longer be "
                "able to receive results and no longer be a candidate to pay for queryCompute",
                id="a change",
            ),
            pytest.param(
                change(THIRD), member(THIRD), f"account {THIRD} would stay as it is", id="nothing"
            ),
            pytest.param(
                change(THIRD), member(THIRD, status="LEFT"), f"account {THIRD} would be invited",
                id="one who has left",
            ),
            pytest.param(
                {"specification": {"collaboration": {"autoApprovedChangeTypes": ["B", "A"]}}},
                None, "changes of these types would be approved beforehand: A, B", id="types",
            ),
            pytest.param(
                {"specification": {"collaboration": {}}},
                None, "changes of these types would be approved beforehand: none", id="no types",
            ),
        ],
    )  # fmt: skip
    def test_changes_are_told_in_plain_words(
        self, made: Document, before: Document | None, expected: str
    ) -> None:
        assert voting.words(made, before) == expected

    def test_what_is_open_is_shown_with_what_it_would_cost(self) -> None:
        found = shown(request(CHARGES), request(GIVES, id="b" * 36, status="DENIED", vote="DENIED"))
        told = voting.report(situation(found), found)
        assert told["pendingChangeRequests"] == [
            {
                "id": ID,
                "status": "PENDING",
                "vote": "PENDING",
                "types": ["ADD_PAYER_CANDIDATE"],
                "changes": [f"account {OWN} would become a candidate to pay for modelTraining"],
                "cost": "you would become a candidate to pay for modelTraining",
                "requestedAt": "2026-01-01T00:00:00Z",
            }
        ]
        assert told["lastVote"] == {"id": "b" * 36, "vote": "DENIED"}

    def test_a_change_of_the_collaboration_is_of_no_member(self) -> None:
        made = {
            "specification": {"collaboration": {"autoApprovedChangeTypes": []}},
            "types": ["EDIT_AUTO_APPROVED_CHANGE_TYPES"],
        }
        found = shown(request(made, vote=None))
        [told] = voting.report(situation(found), found)["pendingChangeRequests"]
        assert "vote" not in told
        assert "cost" not in told

    @pytest.mark.parametrize(
        ("found", "answers", "expected"),
        [
            (shown(), {}, Reason.ALL_ANSWERED),
            (shown(request(GIVES, vote="APPROVED")), {}, Reason.ALL_ANSWERED),
            (shown(request(GIVES)), {}, Reason.AWAITING_ANSWER),
            (
                shown(request(change(THIRD, types=("ADD_MEMBER",)))),
                {"approve": [ID]},
                Reason.UNEXPECTED_CHANGE,
            ),
            (shown(request(change(THIRD, types=("X",)))), {}, Reason.AWAITING_ANSWER),
        ],
    )
    def test_whether_something_waits_for_us_is_a_condition(
        self, found: Present, answers: Document, expected: Reason
    ) -> None:
        [fact] = voting.facts(situation(found, **answers), found)
        assert (fact.type, fact.reason) == ("ChangesAnswered", expected)
        assert (fact.status == "True") is (expected is Reason.ALL_ANSWERED)

    def test_what_was_not_read_is_not_told(self) -> None:
        found = make.present(details=None)
        assert voting.facts(situation(found), found) == ()
        assert voting.report(situation(found), found) == {}


class TestReading:
    @pytest.mark.parametrize(
        ("status", "creator", "expected"),
        [("ACTIVE", CREATOR, False), ("ACTIVE", THIRD, True), ("REMOVED", THIRD, False)],
    )
    def test_requests_are_listed_for_who_has_a_vote(
        self, status: str, creator: str, *, expected: bool
    ) -> None:
        arn = f"arn:aws:cleanrooms:us-east-1:{CREATOR}:membership/m-1"
        fields = {"arn": arn, "status": status, "collaborationCreatorAccountId": creator}
        assert voting.CHANGE_REQUESTS.wanted(make.bound(), fields, {}) is expected

    @pytest.mark.parametrize(
        ("request_status", "voter", "pending", "expected"),
        [
            pytest.param("PENDING", OWN, [], True, id="it is new"),
            pytest.param("PENDING", OWN, [ID], False, id="it is known"),
            pytest.param("PENDING", THIRD, [], False, id="we have no vote"),
            pytest.param("COMMITTED", OWN, [ID], True, id="it is over"),
            pytest.param("COMMITTED", OWN, [], False, id="which is known"),
        ],
    )
    def test_what_a_collaboration_of_this_cluster_shows_is_looked_at(
        self, request_status: str, voter: str, pending: list[str], *, expected: bool
    ) -> None:
        approvals = [{"accountId": voter, "status": "PENDING"}]
        asked = {"id": ID, "status": request_status, "approvals": approvals}
        subject = make.bound(
            status={
                "collaborationIdentifier": "c-1",
                "pendingChangeRequests": [{"id": id_} for id_ in pending],
            }
        )

        def collaboration(identifier: str, **status: Any) -> Resource:
            known = {"identifier": identifier, **status}
            return make.bound(key=Key("Collaboration", "a", "ads"), status=known)

        others = (
            collaboration("c-2", changeRequest=asked),
            collaboration("c-1"),
            collaboration("c-1", changeRequest=asked),
        )
        assert voting.is_outdated(subject, {"Collaboration": others}) is expected
        assert not voting.is_outdated(subject, {})
