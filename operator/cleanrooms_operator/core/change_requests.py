"""What the creator does about a change of members: ask once, follow, commit or withdraw, remove."""

from dataclasses import dataclass
from typing import Any

from cleanrooms_operator.core import changes
from cleanrooms_operator.core.changes import OPEN
from cleanrooms_operator.core.own_request import ATTEMPT, LATEST, Ours, Seen, look, ours
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Annotation, Document, Resource
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import Change, Once, Present
from cleanrooms_operator.core.times import timestamp

CALLS = (
    ("cleanrooms", "CreateCollaborationChangeRequest"),
    ("cleanrooms", "DeleteMember"),
    ("cleanrooms", "UpdateCollaborationChangeRequest"),
)
"""What is sent for a change of members, as (service, operation)."""

BASELINE = 20
"""How many ids are written down before a request is sent: more cannot be in flight."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the wish has got, and the next call towards it."""

    reason: Reason
    message: str
    change: Change | None = None


def standing(seen: Seen) -> Standing:
    """Return how things stand, and what is to be done; a pure function of what was seen."""
    found = ours(seen)
    if seen.situation.observe_only:
        return _observed(seen)
    if found.rivals:
        message = f"Several change requests may be ours: {', '.join(found.rivals)}. Cancel one"
        return Standing(Reason.AMBIGUOUS, message)
    if found.attempt:
        message = "A change request got no answer: looking for what became of it"
        return Standing(Reason.CONFIRMING_ABSENCE, message)
    if found.status in OPEN:
        return _follow(seen, found)
    if seen.wish.changes:
        return _ask(seen, found)
    if seen.wish.removals:
        return _remove(seen)
    return _rest(seen)


def _observed(seen: Seen) -> Standing:
    found = seen.wish
    if not (found.changes or found.removals or found.obstacles):
        return _rest(seen)
    message = "AWS differs, and managementPolicy is ObserveOnly"
    return Standing(Reason.CHANGES_NOT_APPLIED, message)


def _rest(seen: Seen) -> Standing:
    if seen.wish.obstacles:
        message = f"Cannot be changed: {'; '.join(seen.wish.obstacles)}. Put the spec back"
        return Standing(Reason.NOT_CHANGEABLE, message)
    return Standing(Reason.CHANGES_APPLIED, "Members, abilities and payers are as declared")


def _follow(seen: Seen, found: Ours) -> Standing:
    """Commit an open request once all agree, or cancel it where it is not what is wanted."""
    record, request = found.record or {}, found.request
    if request is None:
        return Standing(Reason.PROGRESSING, f"Change request {record['id']} is not listed yet")
    if changes.fingerprint(request["changes"]) != seen.content:
        message = f"Change request {request['id']} is not what the spec asks for any more"
        return Standing(Reason.PROGRESSING, message, _cancel(seen, record, "Replaced"))
    if unexpected := changes.unexpected_types(request, seen.members):
        message = _unexpected(request["id"], unexpected)
        return Standing(Reason.UNEXPECTED_CHANGE, message, _cancel(seen, record, "Unexpected"))
    if request["status"] == "APPROVED":
        message = f"Change request {request['id']} is approved by all"
        return Standing(Reason.PROGRESSING, message, _update(seen, request["id"], "COMMIT"))
    return Standing(Reason.AWAITING_APPROVAL, _awaiting(record))


def _awaiting(record: Document) -> str:
    votes: dict[str, list[str]] = {"APPROVED": [], "PENDING": []}
    for approval in record["approvals"] or ():
        votes.setdefault(approval["status"], []).append(approval["accountId"])
    agreed = f"approved by {', '.join(votes['APPROVED'])}, " if votes["APPROVED"] else ""
    return (
        f"Change request {record['id']} ({', '.join(record['types'])}), open since "
        f"{record['requestedAt']}: {agreed}not yet by {', '.join(votes['PENDING'])}"
    )


def _unexpected(identifier: str, types: frozenset[str]) -> str:
    return (
        f"AWS makes of change request {identifier} what its changes do not say: "
        f"{', '.join(sorted(types))}. It is not committed"
    )


def _ask(seen: Seen, found: Ours) -> Standing:
    """Ask for what is wished, unless somebody else is asking, or has answered."""
    others = [r["id"] for r in seen.requests if r["status"] in OPEN]
    if others:
        message = f"Another change request is open: {', '.join(others)}. Commit it or cancel it"
        return Standing(Reason.OTHER_REQUEST_OPEN, message)
    if len(seen.wish.changes) > changes.MOST:
        message = f"More than {changes.MOST} changes at once: make them in two edits"
        return Standing(Reason.NOT_CHANGEABLE, message)
    if _is_behind(seen):
        message = "AWS has committed a change request and does not show what it changed yet"
        return Standing(Reason.PROGRESSING, message)
    if (answered := _answered(seen, found)) is not None:
        return answered
    return Standing(Reason.PROGRESSING, "Asking the members to agree", _create(seen))


def _is_behind(seen: Seen) -> bool:
    """Whether the latest commit cannot be seen: to ask again would be to ask twice."""
    committed = [r for r in seen.requests if r["status"] == "COMMITTED"]
    if not committed:
        return False
    # Of two at the same moment the younger: we have one open at a time.
    newest = max(reversed(committed), key=lambda request: request["updateTime"])
    latest: list[Any] = newest["changes"]
    is_same = changes.fingerprint(latest) == seen.content
    return is_same or not changes.is_shown(latest, seen.members, seen.auto_approved)


_ANSWERS = {
    "DENIED": (Reason.CHANGE_DENIED, "was denied by {deniers}"),
    "CANCELLED": (Reason.CHANGE_CANCELLED, "was cancelled"),
    "REFUSED": (Reason.CHANGE_REFUSED, "was refused by AWS: {message}"),
}


def _answered(seen: Seen, found: Ours) -> Standing | None:
    """Return what keeps us from asking: an answer to this very generation (rule R-6)."""
    record = found.record
    if record is None or record["status"] not in _ANSWERS or record.get("withdrawn") == "Replaced":
        return None
    generation = seen.situation.resource.generation
    if (record["generation"], record.get("asked")) != (generation, seen.asked):
        return None
    if record.get("withdrawn") == "Unexpected":
        message = _unexpected(record["id"], frozenset(record["types"]))
        return Standing(Reason.UNEXPECTED_CHANGE, message)
    return _told(record)


def _told(record: Document) -> Standing:
    reason, text = _ANSWERS[record["status"]]
    votes = record.get("approvals") or ()
    deniers = ", ".join(v["accountId"] for v in votes if v["status"] == "DENIED")
    told = text.format(deniers=deniers or "a member", message=record.get("message"))
    name = f"Change request {record['id']}" if record.get("id") else "The change request"
    return Standing(
        reason,
        f"{name} {told}. It is not asked for again before the spec changes, or "
        f"{Annotation.RECONCILE_REQUESTED_AT} does",
    )


def _create(seen: Seen) -> Change:
    resource = seen.situation.resource
    origin = {"generation": resource.generation, "asked": seen.asked}
    attempt = {
        "startedAt": timestamp(seen.situation.now),
        **origin,
        "content": seen.content,
        "listed": [request["id"] for request in seen.requests[-BASELINE:]],
    }

    def refused(message: str) -> Document:
        return {ATTEMPT: None, LATEST: {**_NOTHING, **origin, "message": message}}

    return Change(
        "cleanrooms",
        "CreateCollaborationChangeRequest",
        {"collaborationIdentifier": seen.identifier, "changes": list(seen.wish.changes)},
        record={ATTEMPT: attempt},
        once=Once({ATTEMPT: None}, refused),
    )


_NOTHING: Document = {
    "id": None,
    "status": "REFUSED",
    "types": None,
    "requestedAt": None,
    "approvals": None,
    "withdrawn": None,
}


def _update(seen: Seen, identifier: str, action: str, record: Document | None = None) -> Change:
    parameters = {
        "collaborationIdentifier": seen.identifier,
        "changeRequestIdentifier": identifier,
        "action": action,
    }
    operation = "UpdateCollaborationChangeRequest"
    return Change("cleanrooms", operation, parameters, record=record or {}, contested=True)


def _cancel(seen: Seen, record: Document, why: str) -> Change:
    """Cancel our request, and note before that it was us."""
    return _update(seen, record["id"], "CANCEL", {LATEST: {**record, "withdrawn": why}})


def _remove(seen: Seen) -> Standing:
    """Remove who is not declared any more: at once for who has not joined (rule R-14)."""
    statuses = {member["accountId"]: member["status"] for member in seen.members}
    allowed = allowed_removals(seen.situation.resource)
    for account in seen.wish.removals:
        if statuses[account] == "INVITED" or account in allowed:
            parameters = {"collaborationIdentifier": seen.identifier, "accountId": account}
            change = Change("cleanrooms", "DeleteMember", parameters)
            return Standing(Reason.PROGRESSING, f"Removing {account}", change)
    accounts = ",".join(seen.wish.removals)
    message = (
        f"Removing an active member is immediate and for good: {accounts}. Annotate "
        f'{Annotation.REMOVE_ACTIVE_MEMBERS}: "{accounts}" to do it'
    )
    return Standing(Reason.REMOVAL_BLOCKED, message)


def allowed_removals(resource: Resource) -> frozenset[str]:
    """Return the accounts that a person lets us remove although they have joined."""
    told = resource.annotations.get(Annotation.REMOVE_ACTIVE_MEMBERS, "")
    return frozenset(account.strip() for account in told.split(","))


def next_change(situation: Situation, present: Present) -> Change | None:
    """Return the next call towards what the spec declares of members."""
    seen = look(situation, present)
    return None if seen is None else standing(seen).change
