"""Members of a collaboration: who has joined, and whether all is as the creator declared."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import Field

from cleanrooms_operator.core import cel, change_requests, changes, keeping, own_request, payers
from cleanrooms_operator.core.change_status import ChangeAttempt, ChangeRequestStatus, PastRequest
from cleanrooms_operator.core.kind import Reading, Rule
from cleanrooms_operator.core.own_request import look
from cleanrooms_operator.core.payers import Payers
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Annotation, Document, Resource
from cleanrooms_operator.core.situation import Neighbours, Situation
from cleanrooms_operator.core.status import Status
from cleanrooms_operator.core.step import Blocker, Fact, Present
from cleanrooms_operator.core.values import Value

BY_REQUEST = frozenset(
    {
        "members",
        "creatorMemberAbilities",
        "creatorMLMemberAbilities",
        "creatorPaymentConfiguration",
        "autoApprovedChangeRequestTypes",
    }
)
"""Parameters of CreateCollaboration that the members must agree to change (change requests)."""

_SAME_MEMBER = (
    "self.spec.members.all(m, oldSelf.spec.members.all(o, o.accountId != m.accountId || ({same})))"
)


def _fixed(same: str, message: str) -> Rule:
    """Return the rule that something of each member stays once a create may be out."""
    rule = f"!({cel.RECORDED}) || {_SAME_MEMBER.format(same=same)}"
    return Rule(rule, message, ".spec.members", root=True)


def _keeps(ability: str) -> str:
    return f"('{ability}' in m.memberAbilities) == ('{ability}' in o.memberAbilities)"


RULES = (
    _fixed("m.displayName == o.displayName", "AWS lets nobody change a member's displayName"),
    _fixed(
        f"{_keeps('CAN_QUERY')} && {_keeps('CAN_RUN_JOB')}",
        "CAN_QUERY and CAN_RUN_JOB stay with the member that had them at creation",
    ),
    Rule(
        f"!({cel.RECORDED}) || ["
        "self.spec.members.filter(m, !oldSelf.spec.members.exists(o, o == m)).size(), "
        "self.spec.creatorMemberAbilities == oldSelf.spec.creatorMemberAbilities ? 0 : 1, "
        "has(self.spec.autoApprovedChangeRequestTypes) ? 1 : 0].sum() <= 10",
        "one change request carries at most 10 changes: make them in two edits",
        ".spec.members",
        root=True,
    ),
)
"""What an edit may not ask for: AWS would refuse it for good, or as too much at once."""


class MemberStatus(Value):
    """One member, as ListMembers shows it."""

    account_id: Annotated[str, Field(description="The member's account.")]
    status: Annotated[str, Field(description="INVITED, ACTIVE, LEFT or REMOVED.")]
    display_name: Annotated[str | None, Field(description="The member's display name.")] = None
    membership_id: Annotated[
        str | None, Field(description="Identifier of its membership, once it has joined.")
    ] = None


class CollaborationStatus(Status):
    """What is seen of a collaboration."""

    members: Annotated[
        list[MemberStatus] | None, Field(description="The members, the creator first.")
    ] = None
    members_joined: Annotated[
        str | None, Field(description="How many of the members have joined, such as `1/2`.")
    ] = None
    payers: Annotated[
        list[Payers] | None, Field(description="For each cost type, who may pay for it.")
    ] = None
    change_request: Annotated[
        ChangeRequestStatus | None,
        Field(description="The latest change request that was made for this resource."),
    ] = None
    change_requests: Annotated[
        list[PastRequest] | None,
        Field(description="The last ten change requests of the collaboration, the oldest first."),
    ] = None
    change_attempt: Annotated[
        ChangeAttempt | None,
        Field(description="The change request under way, written before it is sent."),
    ] = None


def are_awaited(status: Document) -> bool:
    """Whether, by a collaboration's status, somebody is invited and has not joined."""
    return any(member["status"] == "INVITED" for member in status.get("members") or ())


MEMBERS = Reading(
    "members",
    "cleanrooms",
    "ListMembers",
    lambda fields: {"collaborationIdentifier": fields["id"]},
    "memberSummaries",
    paged=True,
    awaited=lambda status: are_awaited(status) or own_request.is_waiting(status),
)


def are_outdated(collaboration: Resource, neighbours: Neighbours) -> bool:
    """Whether a Membership of this cluster has joined, voted or accepted, and status lacks that."""
    status = collaboration.status
    return any(
        membership.status.get("collaborationIdentifier") == status.get("identifier")
        and (
            _has_joined(membership, status)
            or _has_voted(membership, status)
            or payers.is_outdated(status, membership)
        )
        for membership in neighbours.get("Membership", ())
    )


def _has_joined(membership: Resource, status: Document) -> bool:
    invited = {m["accountId"] for m in status.get("members") or () if m["status"] == "INVITED"}
    has_account = membership.status.get("accountID") in invited
    return has_account and membership.status.get("state") == "ACTIVE"


def _has_voted(membership: Resource, status: Document) -> bool:
    request, given = status.get("changeRequest") or {}, membership.status.get("lastVote") or {}
    account = membership.status.get("accountID")
    recorded = {a["accountId"]: a["status"] for a in request.get("approvals") or ()}
    is_about_it = given.get("id") is not None and given["id"] == request.get("id")
    return is_about_it and recorded.get(account) == "PENDING"


def report(situation: Situation, present: Present) -> Document:
    """Return the status fields that tell of members; nothing when they were not read."""
    shown = _shown(present)
    if shown is None:
        return {}
    fields = ("accountId", "status", "displayName", "membershipId")
    counted = [m for m in shown if m["status"] in changes.PRESENT]
    joined = [m for m in counted if m["status"] == "ACTIVE"]
    return {
        "members": [{f: m[f] for f in fields if m.get(f) is not None} for m in shown],
        "membersJoined": f"{len(joined)}/{len(counted)}",
        "payers": payers.report(situation, present.identifier, shown),
        **own_request.report(situation, present),
    }


def facts(situation: Situation, present: Present) -> tuple[Fact, ...]:
    """Return MembersJoined and ChangesApplied; nothing when members were not read."""
    shown = _shown(present)
    if shown is None:
        return ()
    return (_joined(shown), *_applied(situation, present))


def _joined(shown: list[Document]) -> Fact:
    invited = sorted(m["accountId"] for m in shown if m["status"] == "INVITED")
    if invited:
        message = f"Invited and not joined yet: {', '.join(invited)}"
        return Fact("MembersJoined", "False", Reason.AWAITING_MEMBERS, message)
    return Fact("MembersJoined", "True", Reason.ALL_JOINED, "Every invited member has joined")


def _applied(situation: Situation, present: Present) -> Iterator[Fact]:
    seen = look(situation, present)
    if seen is not None:
        stands = change_requests.standing(seen)
        done: Literal["True", "False"] = (
            "True" if stands.reason is Reason.CHANGES_APPLIED else "False"
        )
        yield Fact("ChangesApplied", done, stands.reason, stands.message)


def _account(member: Document) -> str:
    return str(member["accountId"])


def blockers(situation: Situation, present: Present) -> tuple[Blocker, ...]:
    """Return what a collaboration's deletion waits for: its members, and what hangs under it."""
    return (*_active_members(situation, present), *keeping.under_collaboration(situation, present))


def _active_members(situation: Situation, present: Present) -> Iterator[Blocker]:
    told = farewell(situation.resource, situation.account, _shown(present) or ())
    if told is not None:
        yield Blocker(told)


def farewell(collaboration: Resource, creator: str, listed: Iterable[Document]) -> str | None:
    """Return whom of its members a collaboration's deletion waits for, and what a person can do.

    `listed` are the members by their `accountId` and `status`, `creator` is the creator's account.
    """
    if collaboration.annotations.get(Annotation.DELETE_COLLABORATION) == "true":
        return None
    active = sorted(_account(m) for m in listed if m["status"] == "ACTIVE")
    others = [account for account in active if account != creator]
    if not others:
        return None
    return (
        f"Active members would lose the collaboration: {', '.join(others)}. Wait until they "
        f'leave, or annotate the Collaboration {Annotation.DELETE_COLLABORATION}: "true"'
    )


def _shown(present: Present) -> list[Document] | None:
    if present.details is None:
        return None
    shown: list[Document] | None = present.details.readings.get(MEMBERS.name)
    return shown
