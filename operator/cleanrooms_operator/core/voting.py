"""A member's side of change requests: what they would change, what they would cost us, our vote."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from cleanrooms_operator.core import changes, payers, payments
from cleanrooms_operator.core.changes import OPEN
from cleanrooms_operator.core.kind import Reading, Rule
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, Resource
from cleanrooms_operator.core.situation import Neighbours, Situation
from cleanrooms_operator.core.step import Change, Fact, Present
from cleanrooms_operator.core.times import timestamp
from cleanrooms_operator.core.values import Value

ChangeType = Literal[
    "ADD_MEMBER",
    "GRANT_RECEIVE_RESULTS_ABILITY",
    "REVOKE_RECEIVE_RESULTS_ABILITY",
    "EDIT_AUTO_APPROVED_CHANGE_TYPES",
    "ADD_PAYER_CANDIDATE",
    "REMOVE_PAYER_CANDIDATE",
    "GRANT_CAN_RECEIVE_MODEL_OUTPUT",
    "GRANT_CAN_RECEIVE_INFERENCE_OUTPUT",
    "REVOKE_CAN_RECEIVE_MODEL_OUTPUT",
    "REVOKE_CAN_RECEIVE_INFERENCE_OUTPUT",
    "GRANT_EXPORT_QUERY_ANALYSIS_LOG_ABILITY",
    "REVOKE_EXPORT_QUERY_ANALYSIS_LOG_ABILITY",
]

CALLS = (("cleanrooms", "UpdateCollaborationChangeRequest"),)
"""What is sent to vote, as (service, operation)."""

RequestId = Annotated[str, Field(min_length=36, max_length=36, pattern=r"^[0-9a-f-]{36}$")]

# -- what is declared, and what the status says ------------------------------------------------


class Answers(Value):
    """How this account answers change requests; what is not named here is not answered."""

    approve: Annotated[
        list[RequestId] | None,
        Field(max_length=50, description="Identifiers of the change requests to approve."),
    ] = None
    deny: Annotated[
        list[RequestId] | None,
        Field(max_length=50, description="Identifiers of the change requests to deny."),
    ] = None
    auto_approve: Annotated[
        list[ChangeType] | None,
        Field(
            max_length=12,
            description="Requests of these types alone are approved without being named, but none "
            "that makes this account a candidate to pay.",
        ),
    ] = None


OWN = frozenset({"changeRequests"})
"""The field of a Membership's spec that holds them."""

ANSWERS_TEXT = (
    "How this account answers the creator's change requests, which `status.pendingChangeRequests` "
    "shows. A vote cannot be taken back."
)

ONE_ANSWER = Rule(
    "!has(self.changeRequests) || !has(self.changeRequests.approve) || "
    "!has(self.changeRequests.deny) || "
    "!self.changeRequests.deny.exists(id, id in self.changeRequests.approve)",
    "a change request can be approved or denied, not both",
    ".changeRequests",
)


class PendingRequest(Value):
    """A change request that is open."""

    id: Annotated[str, Field(description="Its identifier, for `spec.changeRequests`.")]
    status: Annotated[str, Field(description="PENDING or APPROVED.")]
    vote: Annotated[str | None, Field(description="Our own vote: PENDING, APPROVED or DENIED.")] = (
        None
    )
    types: Annotated[list[str], Field(description="What AWS makes of it.")]
    changes: Annotated[list[str], Field(description="What would change, in plain words.")]
    cost: Annotated[
        str | None, Field(description="What it would cost this account; absent: nothing.")
    ] = None
    requested_at: Annotated[str, Field(description="When AWS says that it was asked for.")]


class Vote(Value):
    """The latest answer of this account."""

    id: Annotated[str, Field(description="The change request.")]
    vote: Annotated[str, Field(description="APPROVED or DENIED.")]


# -- what is read ------------------------------------------------------------------------------


def _is_ours_to_answer(_resource: Resource, fields: Document, _before: Document) -> bool:
    """Whether the account is an active member other than the creator, who alone have a vote."""
    own = fields["arn"].split(":")[4]
    return bool(fields["status"] == "ACTIVE" and fields["collaborationCreatorAccountId"] != own)


def is_pending(status: Document) -> bool:
    """Whether, by a membership's status, a change request is open."""
    return bool(status.get("pendingChangeRequests"))


CHANGE_REQUESTS = Reading(
    "changeRequests",
    "cleanrooms",
    "ListCollaborationChangeRequests",
    lambda fields: {"collaborationIdentifier": fields["collaborationId"]},
    "collaborationChangeRequestSummaries",
    paged=True,
    wanted=_is_ours_to_answer,
    awaited=is_pending,
)


def any_open(before: Document) -> bool:
    """Whether the requests that were just read include an open one."""
    return any(request["status"] in OPEN for request in before.get(CHANGE_REQUESTS.name) or ())


def is_outdated(membership: Resource, neighbours: Neighbours) -> bool:
    """Whether a Collaboration of this cluster shows a request that is open here alone, or there."""
    status = membership.status
    pending = {request["id"] for request in status.get("pendingChangeRequests") or ()}
    for collaboration in neighbours.get("Collaboration", ()):
        request = collaboration.status.get("changeRequest") or {}
        same = collaboration.status.get("identifier") == status.get("collaborationIdentifier")
        if not same or request.get("id") is None:
            continue
        voters = {approval["accountId"] for approval in request.get("approvals") or ()}
        is_open = request["status"] in OPEN
        if is_open and status.get("accountID") in voters and request["id"] not in pending:
            return True
        if not is_open and request["id"] in pending:
            return True
    return False


# -- the vote ----------------------------------------------------------------------------------


def _read(present: Present) -> tuple[list[Document], list[Document]] | None:
    """Return (all requests, members); None where either was not read, as when none is open."""
    readings = present.details.readings if present.details is not None else {}
    requests, members = readings.get(CHANGE_REQUESTS.name), readings.get("members")
    if requests is None or members is None:
        return None
    return requests, members


def _own_vote(request: Document, account: str) -> str | None:
    vote = (request.get("approvals") or {}).get(account)
    return None if vote is None else str(vote["status"])


def costs(request: Document, members: Sequence[Document], account: str) -> list[str]:
    """Return the cost types that an account would become a candidate to pay for."""
    then = changes.after(request["changes"], members)
    return [
        cost
        for cost in payments.COST_TYPES
        if _is_candidate(then, cost, account) and not _is_candidate(members, cost, account)
    ]


def _is_candidate(members: Sequence[Document], cost: str, account: str) -> bool:
    found, _ = payers.candidates(members, cost)
    return any(member["accountId"] == account for member in found)


def _answer(situation: Situation, request: Document, members: list[Document]) -> str | None:
    """Return the action that the spec asks for on a request; None: none (rule R-18)."""
    declared = situation.resource.spec.get("changeRequests") or {}
    if request["id"] in (declared.get("deny") or ()):
        return "DENY"
    if changes.unexpected_types(request, members):
        return None
    if request["id"] in (declared.get("approve") or ()):
        return "APPROVE"
    automatic = set(changes.types_of(request)) <= set(declared.get("autoApprove") or ())
    return "APPROVE" if automatic and not costs(request, members, situation.account) else None


def vote(situation: Situation, present: Present) -> Change | None:
    """Return the vote that is due: only of requests that the spec names, or their types."""
    read = _read(present)
    if read is None or present.details is None:
        return None
    requests, members = read
    for request in requests:
        if not _awaits(request, situation.account):
            continue
        if (action := _answer(situation, request, members)) is not None:
            parameters = {
                "collaborationIdentifier": present.details.fields["collaborationId"],
                "changeRequestIdentifier": request["id"],
                "action": action,
            }
            operation = "UpdateCollaborationChangeRequest"
            return Change("cleanrooms", operation, parameters, contested=True)
    return None


def _awaits(request: Document, account: str) -> bool:
    """Whether our vote on a request is open."""
    return request["status"] == "PENDING" and _own_vote(request, account) == "PENDING"


# -- what is told ------------------------------------------------------------------------------


def facts(situation: Situation, present: Present) -> tuple[Fact, ...]:
    """Return ChangesAnswered, where this account may have a vote."""
    readings = present.details.readings if present.details is not None else {}
    if readings.get(CHANGE_REQUESTS.name) is None:
        return ()
    requests, members = _read(present) or ([], [])
    waiting = [r for r in requests if _awaits(r, situation.account)]
    if not waiting:
        message = "No change request waits for this account"
        return (Fact("ChangesAnswered", "True", Reason.ALL_ANSWERED, message),)
    named = (situation.resource.spec.get("changeRequests") or {}).get("approve") or ()
    for request in waiting:
        unexpected = changes.unexpected_types(request, members)
        if unexpected and request["id"] in named:
            message = (
                f"Not approved: AWS makes of change request {request['id']} what its changes do "
                f"not say: {', '.join(sorted(unexpected))}"
            )
            return (Fact("ChangesAnswered", "False", Reason.UNEXPECTED_CHANGE, message),)
    message = f"Approve or deny under spec.changeRequests: {_named(waiting)}"
    return (Fact("ChangesAnswered", "False", Reason.AWAITING_ANSWER, message),)


def _named(requests: list[Document]) -> str:
    return ", ".join(request["id"] for request in requests)


def report(situation: Situation, present: Present) -> dict[str, Any]:
    """Return the status fields that tell of change requests; nothing when they were not read."""
    readings = present.details.readings if present.details is not None else {}
    listed = readings.get(CHANGE_REQUESTS.name)
    if listed is None:
        return {}
    requests, members = _read(present) or ([], [])
    account = situation.account
    pending = [_pending(r, members, account) for r in requests if r["status"] in OPEN]
    votes = [(r["id"], _own_vote(r, account)) for r in listed]
    given = [{"id": id_, "vote": vote} for id_, vote in votes if vote in {"APPROVED", "DENIED"}]
    return {"pendingChangeRequests": pending or None, "lastVote": given[-1] if given else None}


def _pending(request: Document, members: list[Document], account: str) -> Document:
    found = {member["accountId"]: member for member in members}
    charged = [payments.name_of(cost) for cost in costs(request, members, account)]
    told = {
        "id": request["id"],
        "status": request["status"],
        "vote": _own_vote(request, account),
        "types": changes.types_of(request),
        "changes": [words(change, found.get(_account(change))) for change in request["changes"]],
        "cost": f"you would become a candidate to pay for {', '.join(charged)}"
        if charged
        else None,
        "requestedAt": timestamp(request["createTime"]),
    }
    return {name: value for name, value in told.items() if value is not None}


def _account(change: Document) -> str:
    member = changes.member_of(change)
    return "" if member is None else str(member["accountId"])


_ABILITIES = {
    "CAN_RECEIVE_RESULTS": "receive results",
    "CAN_EXPORT_QUERY_ANALYSIS_LOG": "export query analysis logs",
    "CAN_RECEIVE_MODEL_OUTPUT": "receive trained models' output",
    "CAN_RECEIVE_INFERENCE_OUTPUT": "receive inference output",
}


def words(change: Document, before: Document | None) -> str:
    """Return one change in plain words, against the member as it is now."""
    member = changes.member_of(change)
    if member is None:
        types = change["specification"]["collaboration"].get("autoApprovedChangeTypes") or ()
        listed = ", ".join(sorted(types)) or "none"
        return f"changes of these types would be approved beforehand: {listed}"
    there = before if before is not None and before["status"] in changes.PRESENT else None
    (then,) = changes.after([change], [there] if there is not None else [])
    told = [*_abilities_told(there or {}, then), *_payments_told(there or {}, then)]
    if there is None:
        name = member.get("displayName", "")
        told.insert(0, f"be invited as {name!r}" if name else "be invited")
    return f"account {member['accountId']} would {' and '.join(told) or 'stay as it is'}"


def _abilities_told(before: Document, then: Document) -> list[str]:
    had, has = changes.abilities(before), changes.abilities(then)
    given = [_ABILITIES.get(ability, ability) for ability in sorted(has - had)]
    taken = [_ABILITIES.get(ability, ability) for ability in sorted(had - has)]
    return [*(f"be able to {a}" for a in given), *(f"no longer be able to {a}" for a in taken)]


def _payments_told(before: Document, then: Document) -> list[str]:
    paid, pays = changes.pays(before), changes.pays(then)
    told = []
    if given := [payments.name_of(cost) for cost in payments.COST_TYPES if cost in pays - paid]:
        told.append(f"become a candidate to pay for {', '.join(given)}")
    if taken := [payments.name_of(cost) for cost in payments.COST_TYPES if cost in paid - pays]:
        told.append(f"no longer be a candidate to pay for {', '.join(taken)}")
    return told
