"""Which change request of a collaboration is ours: that of the open attempt, or the recorded one.

A request has neither tags nor a token, and its content does not identify it: the same may be
asked for again. So before one is asked for, the newest ids that are listed are written down with
what will be asked for; ours is the one that is listed after them (rule R-6).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cleanrooms_operator.core import changes
from cleanrooms_operator.core.changes import OPEN, Wish
from cleanrooms_operator.core.kind import Reading
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Annotation, Document
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import Present
from cleanrooms_operator.core.times import timestamp

LISTED = 10
"""How many of the latest requests the status shows."""

ATTEMPT, LATEST = "changeAttempt", "changeRequest"
"""Status fields."""

# -- what is read ------------------------------------------------------------------------------

WAITING = frozenset(
    reason.value
    for reason in (
        Reason.AWAITING_APPROVAL,
        Reason.OTHER_REQUEST_OPEN,
        Reason.CONFIRMING_ABSENCE,
        Reason.PROGRESSING,
    )
)
"""Reasons of ChangesApplied that end by themselves, or by others."""


def is_waiting(status: Document) -> bool:
    """Whether, by a collaboration's status, a change request is open or looked for."""
    conditions = status.get("conditions") or ()
    applied = next((c for c in conditions if c["type"] == "ChangesApplied"), None)
    return applied is not None and applied["reason"] in WAITING


CHANGE_REQUESTS = Reading(
    "changeRequests",
    "cleanrooms",
    "ListCollaborationChangeRequests",
    lambda fields: {"collaborationIdentifier": fields["id"]},
    "collaborationChangeRequestSummaries",
    paged=True,
    awaited=is_waiting,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of a collaboration, with what its spec wishes."""

    situation: Situation
    identifier: str
    members: Sequence[Document]
    auto_approved: object
    requests: Sequence[Document]
    """The oldest first."""
    wish: Wish

    @property
    def content(self) -> str:
        """What a request for the wish comes to."""
        return changes.fingerprint(self.wish.changes)

    @property
    def asked(self) -> str | None:
        """The latest request of a person for a look."""
        return self.situation.resource.annotations.get(Annotation.RECONCILE_REQUESTED_AT)


def look(situation: Situation, present: Present) -> Seen | None:
    """Return what was read; None where members or requests were not."""
    readings = present.details.readings if present.details is not None else {}
    listed, members = readings.get(CHANGE_REQUESTS.name), readings.get("members")
    if present.details is None or listed is None or members is None:
        return None
    auto = present.details.fields.get("autoApprovedChangeTypes")
    found = changes.wish(situation, members, auto)
    return Seen(situation, present.identifier, members, auto, listed, found)


# -- which request is ours ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ours:
    """What is known of our latest request."""

    record: Document | None = None
    """What the status says of it from now on."""
    request: Document | None = None
    """As AWS lists it."""
    attempt: bool = False
    """Whether one was sent, or not, that cannot be found yet."""
    rivals: tuple[str, ...] = ()
    """Several that might be ours."""

    @property
    def status(self) -> str | None:
        """Its status; None where there was never a request."""
        return None if self.record is None else str(self.record["status"])


def ours(seen: Seen) -> Ours:
    """Find our latest request: that of the open attempt, the recorded one, or one as wished."""
    status = seen.situation.resource.status
    attempt, before = status.get(ATTEMPT), status.get(LATEST)
    if attempt is not None:
        made = _made_by(seen, attempt)
        if len(made) > 1:
            return Ours(before, rivals=_ids(made))
        if made:
            return Ours(_record(made[0], attempt), made[0])
        if not seen.situation.certain:
            return Ours(before, attempt=True)
    known = _recorded(seen, before)
    return known if known.status in OPEN else _adopted(seen, known)


def _made_by(seen: Seen, attempt: Document) -> list[Document]:
    """Return the requests listed after the attempt's baseline that ask for the same."""
    places = [n for n, request in enumerate(seen.requests) if request["id"] in attempt["listed"]]
    if attempt["listed"] and not places:
        return []
    later = seen.requests[places[-1] + 1 :] if places else seen.requests
    return [r for r in later if changes.fingerprint(r["changes"]) == attempt["content"]]


def _recorded(seen: Seen, before: Document | None) -> Ours:
    if before is None:
        return Ours()
    found = next((r for r in seen.requests if r["id"] == before.get("id")), None)
    return Ours(before) if found is None else Ours(_record(found, before), found)


def _adopted(seen: Seen, known: Ours) -> Ours:
    """Take an open request that asks for just what is wished, whoever made it."""
    same = [
        request
        for request in seen.requests
        if request["status"] in OPEN
        and changes.fingerprint(request["changes"]) == seen.content
        and not changes.unexpected_types(request, seen.members)
    ]
    if len(same) > 1:
        return Ours(known.record, rivals=_ids(same))
    if not same:
        return known
    now = {"generation": seen.situation.resource.generation, "asked": seen.asked}
    return Ours(_record(same[0], now), same[0])


def _ids(requests: Sequence[Document]) -> tuple[str, ...]:
    return tuple(request["id"] for request in requests)


def _record(request: Document, origin: Document) -> Document:
    """Return what the status says of a listed request; None removes what it said before."""
    over = request["status"] == "CANCELLED"
    approvals = request.get("approvals") or {}
    votes = [{"accountId": a, "status": approvals[a]["status"]} for a in sorted(approvals)]
    return {
        "id": request["id"],
        "status": request["status"],
        "types": changes.types_of(request),
        "requestedAt": timestamp(request["createTime"]),
        "approvals": votes or None,
        "generation": origin["generation"],
        "asked": origin.get("asked"),
        "withdrawn": origin.get("withdrawn") if over else None,
        "message": None,
    }


def report(situation: Situation, present: Present) -> dict[str, Any]:
    """Return the status fields that tell of change requests; nothing when they were not read."""
    seen = look(situation, present)
    if seen is None:
        return {}
    found = ours(seen)
    latest = [
        {
            "id": request["id"],
            "status": request["status"],
            "types": changes.types_of(request),
            "requestedAt": timestamp(request["createTime"]),
        }
        for request in seen.requests[-LISTED:]
    ]
    keeps = found.attempt or bool(found.rivals)
    attempt = situation.resource.status.get(ATTEMPT) if keeps else None
    return {LATEST: found.record, "changeRequests": latest or None, ATTEMPT: attempt}
