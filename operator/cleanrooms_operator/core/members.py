"""Members of a collaboration: who has joined, and whether all is as the creator declared."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from pydantic import Field

from cleanrooms_operator.core.difference import differences
from cleanrooms_operator.core.kind import Reading
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Annotation, Document, Resource
from cleanrooms_operator.core.situation import Neighbours, Situation
from cleanrooms_operator.core.status import Status
from cleanrooms_operator.core.step import Blocker, Drift, Fact, Present
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

UNORDERED = frozenset({"abilities", "customMLMemberAbilities"})


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
    awaited=are_awaited,
)


def are_outdated(collaboration: Resource, neighbours: Neighbours) -> bool:
    """Whether a Membership of this cluster has joined that the status still shows as invited."""
    invited = {
        member["accountId"]
        for member in collaboration.status.get("members") or ()
        if member["status"] == "INVITED"
    }
    return any(
        membership.status.get("accountID") in invited
        and membership.status.get("state") == "ACTIVE"
        and membership.status.get("collaborationIdentifier")
        == collaboration.status.get("identifier")
        for membership in neighbours.get("Membership", ())
    )


def report(_situation: Situation, present: Present) -> Document:
    """Return the status fields that tell of members; nothing when they were not read."""
    shown = _shown(present)
    if shown is None:
        return {}
    fields = ("accountId", "status", "displayName", "membershipId")
    counted = [m for m in shown if m["status"] in {"INVITED", "ACTIVE"}]
    joined = [m for m in counted if m["status"] == "ACTIVE"]
    return {
        "members": [{f: m[f] for f in fields if m.get(f) is not None} for m in shown],
        "membersJoined": f"{len(joined)}/{len(counted)}",
    }


def facts(situation: Situation, present: Present) -> tuple[Fact, ...]:
    """Return MembersJoined and ChangesApplied; nothing when members were not read."""
    shown = _shown(present)
    if shown is None:
        return ()
    return (_joined(shown), _applied(unapplied(situation, present)))


def _joined(shown: list[Document]) -> Fact:
    invited = sorted(m["accountId"] for m in shown if m["status"] == "INVITED")
    if invited:
        message = f"Invited and not joined yet: {', '.join(invited)}"
        return Fact("MembersJoined", "False", Reason.AWAITING_MEMBERS, message)
    return Fact("MembersJoined", "True", Reason.ALL_JOINED, "Every invited member has joined")


def _applied(open_changes: tuple[Drift, ...]) -> Fact:
    if not open_changes:
        message = "Members, abilities and payers are as declared"
        return Fact("ChangesApplied", "True", Reason.CHANGES_APPLIED, message)
    paths = ", ".join(change.path for change in open_changes)
    message = (
        f"Not applied, AWS differs: {paths}. Members, abilities and payers of an existing "
        "collaboration are not changed by this version: change them in AWS or put the spec back"
    )
    return Fact("ChangesApplied", "False", Reason.CHANGES_NOT_APPLIED, message)


def unapplied(situation: Situation, present: Present) -> tuple[Drift, ...]:
    """Return where members, abilities, payers or auto-approved types differ from the spec."""
    shown = _shown(present)
    if shown is None or present.details is None:
        return ()
    return (
        *_member_differences(situation, shown),
        *_type_differences(situation.parameters, present.details.fields),
    )


def _member_differences(situation: Situation, shown: list[Document]) -> Iterator[Drift]:
    declared = {_account(m): m for m in _declared(situation)}
    current = {_account(m): m for m in shown if m["status"] in {"INVITED", "ACTIVE"}}
    for account, member in declared.items():
        path = f"members[{account}]"
        if account not in current:
            yield Drift(path, "member", None)
            continue
        for drift in differences(member, current[account], UNORDERED):
            yield Drift(f"{path}.{drift.path}", drift.desired, drift.observed)
    for account in current.keys() - declared.keys():
        yield Drift(f"members[{account}]", None, "member")


def _account(member: Document) -> str:
    return str(member["accountId"])


def _declared(situation: Situation) -> Iterator[dict[str, Any]]:
    """Yield the declared members in the words of ListMembers, the creator first."""
    parameters = situation.parameters
    creator = {
        "accountId": situation.account,
        "memberAbilities": parameters["creatorMemberAbilities"],
        "mlMemberAbilities": parameters.get("creatorMLMemberAbilities"),
        "paymentConfiguration": parameters.get("creatorPaymentConfiguration"),
    }
    for member in (creator, *parameters["members"]):
        words = {
            "accountId": member["accountId"],
            "displayName": member.get("displayName"),
            "abilities": member["memberAbilities"],
            "mlAbilities": member.get("mlMemberAbilities"),
            "paymentConfiguration": member.get("paymentConfiguration"),
        }
        yield {name: value for name, value in words.items() if value is not None}


def _type_differences(parameters: Document, fields: Document) -> Iterator[Drift]:
    wanted = parameters.get("autoApprovedChangeRequestTypes")
    shown = fields.get("autoApprovedChangeTypes")
    if wanted is not None and sorted(wanted) != sorted(shown or ()):
        yield Drift("autoApprovedChangeRequestTypes", wanted, shown)


def blockers(situation: Situation, present: Present) -> tuple[Blocker, ...]:
    """Return what a collaboration's deletion waits for: its members, and what hangs under it."""
    return (*_active_members(situation, present), *_unfinished_memberships(situation, present))


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


def _unfinished_memberships(situation: Situation, present: Present) -> Iterator[Blocker]:
    for membership in situation.neighbours.get("Membership", ()):
        status = membership.status
        ours = status.get("accountID") == situation.account
        under_it = status.get("collaborationIdentifier") == present.identifier
        if ours and under_it and (status.get("mlConfiguration") or {}).get("putBy"):
            yield Blocker(
                f"{membership.key} in namespace {membership.key.namespace} still has its ML "
                "configuration: it is deleted with that Membership"
            )


def _shown(present: Present) -> list[Document] | None:
    if present.details is None:
        return None
    shown: list[Document] | None = present.details.readings.get(MEMBERS.name)
    return shown
