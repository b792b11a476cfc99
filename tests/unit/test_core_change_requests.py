"""What the creator does about a change of members, case by case."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

import make
from cleanrooms_operator.core import change_requests, changes, own_request
from cleanrooms_operator.core.own_request import ours
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import parameters
from cleanrooms_operator.core.resource import Document, Key
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import Present
from cleanrooms_operator.kinds import BY_NAME
from simulation import specs

CREATOR, PARTNER, THIRD = specs.CREATOR, specs.PARTNER, "333333333333"
NO = {"queryCompute": {"isResponsible": False}}
SPEC = specs.collaboration(
    creatorMLMemberAbilities=None,
    creatorPaymentConfiguration=None,
    members=[
        {"accountId": PARTNER, "displayName": "B", "memberAbilities": ["CAN_RECEIVE_RESULTS"]},
    ],
)
ASKS = [
    {
        "specificationType": "MEMBER",
        "specification": {
            "member": {
                "accountId": PARTNER,
                "memberAbilities": ["CAN_RECEIVE_RESULTS"],
                "paymentConfiguration": NO,
            }
        },
    }
]
TYPES = ["GRANT_RECEIVE_RESULTS_ABILITY"]
TIME = datetime(2026, 1, 1, tzinfo=UTC)


def member(account: str, *abilities: str, status: str = "ACTIVE", name: str = "B") -> Document:
    """Return a member as ListMembers shows it."""
    return {
        "accountId": account,
        "status": status,
        "displayName": name,
        "abilities": list(abilities),
        "paymentConfiguration": NO,
    }


DIFFERS = (member(CREATOR, name="A"), member(PARTNER))
SAME = (member(CREATOR, name="A"), member(PARTNER, "CAN_RECEIVE_RESULTS"))


def request(name: str, status: str = "PENDING", **more: Any) -> dict[str, Any]:
    """Return a request for what the spec asks, as AWS lists it; `name` is one character."""
    return {
        "id": name * 36,
        "status": status,
        "createTime": TIME,
        "updateTime": TIME,
        "isAutoApproved": False,
        "changes": [{**change, "types": TYPES} for change in ASKS],
        "approvals": {PARTNER: {"status": "PENDING"}},
        **more,
    }


def other(name: str, status: str = "PENDING") -> dict[str, Any]:
    """Return a request for something else."""
    specification = {"collaboration": {"autoApprovedChangeTypes": ["ADD_MEMBER"]}}
    change = {"specificationType": "COLLABORATION", "specification": specification}
    return request(name, status, changes=[{**change, "types": ["EDIT_AUTO_APPROVED_CHANGE_TYPES"]}])


def recorded(name: str, status: str = "PENDING", **more: Any) -> Document:
    """Return the status of a collaboration that has recorded a request."""
    known = {"id": name * 36, "status": status, "generation": make.GENERATION, "types": TYPES}
    return {"changeRequest": {**known, **more}}


def attempt(*listed: str) -> Document:
    """Return the status of a collaboration with an open attempt at what the spec asks."""
    baseline = [name * 36 for name in listed]
    content = changes.fingerprint(ASKS)
    known = {"startedAt": "x", "generation": 2, "content": content, "listed": baseline}
    return {"changeAttempt": known}


def seen(
    *listed: Document, members: tuple[Document, ...] = DIFFERS, **over: Any
) -> own_request.Seen:
    about, found = situation(listed, members, **over)
    looked = own_request.look(about, found)
    assert looked is not None
    return looked


def situation(
    listed: tuple[Document, ...] | None, members: tuple[Document, ...], **over: Any
) -> tuple[Situation, Present]:
    certain = over.pop("certain", False)
    given = {"spec": SPEC, **over}
    subject = make.bound(key=Key("Collaboration", "a", "ads"), **given)
    readings = {"members": list(members)} | (
        {} if listed is None else {"changeRequests": list(listed)}
    )
    details = make.details(fields={"id": "c-1"}, readings=readings)
    found = make.present(identifier="c-1", details=details)
    made = replace(make.situation(found, resource=subject), certain=certain)
    spec = {k: v for k, v in parameters(BY_NAME["Collaboration"], subject, {}).items() if v}
    return replace(made, parameters={"creatorMemberAbilities": [], **spec}), found


def stand(*listed: Document, **over: Any) -> change_requests.Standing:
    return change_requests.standing(seen(*listed, **over))


def action(standing: change_requests.Standing) -> str | None:
    """Return the call that is due, in a word."""
    if standing.change is None:
        return None
    return str(standing.change.parameters.get("action", standing.change.operation))


MORE = specs.collaboration(
    creatorMLMemberAbilities=None,
    creatorPaymentConfiguration=None,
    creatorMemberAbilities=["CAN_RECEIVE_RESULTS"],
    autoApprovedChangeRequestTypes=["ADD_MEMBER"],
    members=[
        {"accountId": f"{n:012d}", "displayName": "C", "memberAbilities": []} for n in range(9)
    ],
)
CREATE = "CreateCollaborationChangeRequest"


@pytest.mark.parametrize(
    ("found", "reason", "due"),
    [
        pytest.param(stand(members=SAME), Reason.CHANGES_APPLIED, None, id="nothing to do"),
        pytest.param(stand(), Reason.PROGRESSING, CREATE, id="it is asked for"),
        pytest.param(
            stand(request("a"), status=recorded("a")), Reason.AWAITING_APPROVAL, None, id="waiting"
        ),
        pytest.param(
            stand(request("a", "APPROVED"), status=recorded("a")),
            Reason.PROGRESSING, "COMMIT", id="approved",
        ),
        pytest.param(
            stand(request("a", "COMMITTED"), status=recorded("a"), members=SAME),
            Reason.CHANGES_APPLIED, None, id="committed",
        ),
        pytest.param(
            stand(request("a", "COMMITTED"), status=recorded("a", "COMMITTED")),
            Reason.PROGRESSING, None, id="committed, and not to be seen yet",
        ),
        pytest.param(
            stand(request("a", "COMMITTED"), other("b", "COMMITTED"), status=recorded("a")),
            Reason.PROGRESSING, None, id="what is committed last counts",
        ),
        pytest.param(
            stand(request("a"), status=recorded("a"), members=SAME),
            Reason.PROGRESSING, "CANCEL", id="it is not wanted any more",
        ),
        pytest.param(
            stand(other("a"), status=recorded("a")),
            Reason.PROGRESSING, "CANCEL", id="something else is wanted now",
        ),
        pytest.param(
            stand(status=recorded("a")), Reason.PROGRESSING, None, id="it is not listed yet"
        ),
        pytest.param(stand(other("b")), Reason.OTHER_REQUEST_OPEN, None, id="somebody else asks"),
        pytest.param(
            stand(other("b"), members=SAME), Reason.CHANGES_APPLIED, None, id="not our business"
        ),
        pytest.param(stand(request("b")), Reason.AWAITING_APPROVAL, None, id="adopted"),
        pytest.param(stand(request("b"), request("c")), Reason.AMBIGUOUS, None, id="two of a kind"),
        pytest.param(
            stand(status=attempt()), Reason.CONFIRMING_ABSENCE, None, id="an open attempt"
        ),
        pytest.param(
            stand(request("a"), status=attempt()), Reason.AWAITING_APPROVAL, None, id="found"
        ),
        pytest.param(
            stand(request("a"), request("b"), status=attempt()),
            Reason.AMBIGUOUS, None, id="found twice",
        ),
        pytest.param(
            stand(request("a", "DENIED"), status=attempt("a")),
            Reason.CONFIRMING_ABSENCE, None, id="what was there before is not it",
        ),
        pytest.param(
            stand(request("a", "DENIED"), request("b"), status=attempt("a")),
            Reason.AWAITING_APPROVAL, None, id="but what came after",
        ),
        pytest.param(
            stand(request("b"), status=attempt("a")),
            Reason.CONFIRMING_ABSENCE, None, id="a List that is older than the attempt",
        ),
        pytest.param(
            stand(status=attempt(), certain=True), Reason.PROGRESSING, CREATE, id="never arrived"
        ),
        pytest.param(
            stand(status=attempt(), certain=True, members=SAME),
            Reason.CHANGES_APPLIED, None, id="nor is it wanted any more",
        ),
        pytest.param(stand(spec=MORE), Reason.NOT_CHANGEABLE, None, id="too much at once"),
        pytest.param(
            stand(spec={**SPEC, "managementPolicy": "ObserveOnly"}),
            Reason.CHANGES_NOT_APPLIED, None, id="only observed",
        ),
        pytest.param(
            stand(spec={**SPEC, "managementPolicy": "ObserveOnly"}, members=SAME),
            Reason.CHANGES_APPLIED, None, id="only observed, and the same",
        ),
    ],
)  # fmt: skip
def test_what_is_done(found: change_requests.Standing, reason: Reason, due: str | None) -> None:
    """R-6: one request for all, found again by the ids that were listed before it."""
    assert (found.reason, action(found)) == (reason, due)


ASKED = make.annotations(reconcile_requested_at="now")


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        pytest.param(
            stand(request("a", "DENIED"), status=recorded("a")), Reason.CHANGE_DENIED, id="denied"
        ),
        pytest.param(
            stand(request("a", "CANCELLED"), status=recorded("a")),
            Reason.CHANGE_CANCELLED, id="cancelled by somebody",
        ),
        pytest.param(
            stand(request("a", "CANCELLED"), status=recorded("a", withdrawn="Unexpected")),
            Reason.UNEXPECTED_CHANGE, id="cancelled for its types",
        ),
        pytest.param(
            stand(request("a", "CANCELLED"), status=recorded("a", withdrawn="Replaced")),
            Reason.PROGRESSING, id="cancelled by us, and wanted again",
        ),
        pytest.param(
            stand(request("a", "DENIED"), status=recorded("a", generation=1)),
            Reason.PROGRESSING, id="denied to an older spec",
        ),
        pytest.param(
            stand(request("a", "DENIED"), status=recorded("a"), annotations=ASKED),
            Reason.PROGRESSING, id="denied, and a person wants it asked again",
        ),
        pytest.param(
            stand(request("a", "DENIED"), status=recorded("a", asked="now"), annotations=ASKED),
            Reason.CHANGE_DENIED, id="and that was denied too",
        ),
        pytest.param(
            stand(status=recorded("a", "REFUSED", id=None, message="No such thing")),
            Reason.CHANGE_REFUSED, id="refused by AWS",
        ),
    ],
)  # fmt: skip
def test_r_6_an_answer_holds_for_the_generation_that_asked(
    found: change_requests.Standing, reason: Reason
) -> None:
    assert found.reason is reason
    assert (action(found) == CREATE) == (reason is Reason.PROGRESSING)


def test_r_18_what_aws_makes_more_of_than_it_asks_is_cancelled() -> None:
    made = [{**change, "types": [*TYPES, "ADD_PAYER_CANDIDATE"]} for change in ASKS]
    found = stand(request("a", "APPROVED", changes=made), status=recorded("a"))
    assert (found.reason, action(found)) == (Reason.UNEXPECTED_CHANGE, "CANCEL")
    assert "ADD_PAYER_CANDIDATE" in found.message
    assert found.change is not None
    assert found.change.record["changeRequest"]["withdrawn"] == "Unexpected"


def test_an_open_request_tells_who_has_agreed_and_since_when() -> None:
    votes = {
        PARTNER: {"status": "PENDING"},
        THIRD: {"status": "APPROVED"},
        CREATOR: {"status": "APPROVED"},
    }
    found = stand(request("a", approvals=votes), status=recorded("a"))
    assert f"approved by {CREATOR}, {THIRD}, not yet by {PARTNER}" in found.message
    assert "2026-01-01" in found.message


def test_r_6_what_is_sent_is_written_down_with_what_is_listed() -> None:
    found = stand(*(other(name, "CANCELLED") for name in "abc"))
    assert found.change is not None
    record = found.change.record["changeAttempt"]
    assert record["listed"] == [name * 36 for name in "abc"]
    assert record["content"] == changes.fingerprint(ASKS)
    assert found.change.once is not None
    assert found.change.once.unsent == {"changeAttempt": None}
    refused = found.change.once.refused("No")
    assert refused["changeAttempt"] is None
    assert refused["changeRequest"]["status"] == "REFUSED"
    assert refused["changeRequest"]["message"] == "No"


class TestRemoving:
    """R-14: immediate, unapproved and for good."""

    JOINED, INVITED = member(THIRD), member(THIRD, status="INVITED")

    @pytest.mark.parametrize(
        ("third", "annotated", "reason"),
        [
            (INVITED, None, Reason.PROGRESSING),
            (JOINED, None, Reason.REMOVAL_BLOCKED),
            (JOINED, PARTNER, Reason.REMOVAL_BLOCKED),
            (JOINED, f"{PARTNER}, {THIRD}", Reason.PROGRESSING),
        ],
    )
    def test_who_has_joined_goes_by_word_only(
        self, third: Document, annotated: str | None, reason: Reason
    ) -> None:
        told = make.annotations(remove_active_members=annotated) if annotated else {}
        found = stand(members=(*SAME, third), annotations=told)
        assert found.reason is reason
        assert action(found) == ("DeleteMember" if reason is Reason.PROGRESSING else None)

    def test_payers_and_abilities_move_first(self) -> None:
        assert action(stand(members=(*DIFFERS, self.INVITED))) == CREATE


class TestReport:
    def test_what_was_not_read_is_not_told(self) -> None:
        about, found = situation(None, DIFFERS)
        assert own_request.report(about, found) == {}
        assert change_requests.next_change(about, found) is None
        assert own_request.look(about, make.present(details=None)) is None

    def test_the_last_ten_requests_are_told(self) -> None:
        about, found = situation(tuple(other(n, "DENIED") for n in "abcdefghijkl"), SAME)
        told = own_request.report(about, found)
        assert [item["id"][0] for item in told["changeRequests"]] == list("cdefghijkl")

    @pytest.mark.parametrize(
        ("status", "kept"), [(attempt(), True), (attempt("a"), True), (recorded("a"), False)]
    )
    def test_an_attempt_stays_until_it_is_known_what_became_of_it(
        self, status: Document, *, kept: bool
    ) -> None:
        about, found = situation((), DIFFERS, status=status)
        assert (own_request.report(about, found)["changeAttempt"] is not None) is kept

    def test_why_it_was_withdrawn_is_forgotten_while_it_lives(self) -> None:
        known = recorded("a", withdrawn="Replaced")
        assert ours(seen(request("a"), status=known)).record["withdrawn"] is None  # type: ignore[index]  # it is found

    @pytest.mark.parametrize(
        ("reason", "expected"),
        [
            (Reason.AWAITING_APPROVAL, True),
            (Reason.CONFIRMING_ABSENCE, True),
            (Reason.CHANGE_DENIED, False),
            (Reason.CHANGES_APPLIED, False),
        ],
    )
    def test_r_21_it_is_listed_often_only_while_one_is_open(
        self, reason: Reason, *, expected: bool
    ) -> None:
        status = {"conditions": [make.condition("ChangesApplied", reason=reason.value)]}
        assert own_request.is_waiting(status) is expected
        assert not own_request.is_waiting({})
