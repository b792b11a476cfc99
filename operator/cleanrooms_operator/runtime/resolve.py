"""References of a spec, resolved against the cluster and against what others made in AWS."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from cleanrooms_operator.core import references
from cleanrooms_operator.core.conditions import RESOLVED, becomes_overdue
from cleanrooms_operator.core.kind import Kind, Lookup
from cleanrooms_operator.core.ownership import ITS_OWN
from cleanrooms_operator.core.pace import patience
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import MEMBERSHIP, MEMBERSHIP_IDENTIFIER, Filled, StandIn
from cleanrooms_operator.core.resource import Document, Resource
from cleanrooms_operator.core.shared import COLLABORATION
from cleanrooms_operator.core.step import Stall, Wait
from cleanrooms_operator.runtime.memory import Recall
from cleanrooms_operator.runtime.ports import Identity, Ports
from cleanrooms_operator.runtime.tags import read_tags

Lack: TypeAlias = Wait | Stall


@dataclass(frozen=True, slots=True)
class Search:
    """Who looks for what a spec names, and what is known already."""

    kind: Kind
    resource: Resource
    identity: Identity
    ports: Ports
    recall: Recall
    began: datetime
    """When the pass began, by which it is told whether the resource has waited for too long."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a spec names, as far as it could be found."""

    filled: Filled = field(default_factory=dict)
    lack: Lack | None = None
    """What follows from what could not be found."""


async def resolve(search: Search) -> Resolution:
    """Find what a spec names, as far as the status does not tell.

    Of what is made, and of what is going, only that is asked for without which it cannot be seen.
    """
    kind, resource = search.kind, search.resource
    unknown = references.unrecorded(kind, resource)
    if resource.deleting or resource.status.get("identifier") is not None:
        unknown = tuple(one for one in unknown if _tells_where(kind, one))
    named = references.among(unknown, resource)
    found = {name.key: await search.ports.cluster.read(name.key) for name in named}
    if resource.deleting:
        filled, missing = references.left(named, found)
    else:
        by_new = search.recall.is_new(search.ports.clock.elapsed())
        filled, missing = references.resolved(named, found, by_new=by_new)
    if missing:
        # Who is there may yet tell where the object of what is going lives.
        held = resource.deleting and any(found.values())
        reason = Reason.DELETION_BLOCKED if held else Reason.DEPENDENCY_NOT_READY
        message = references.told(missing, _told(resource, search.began))
        return Resolution(filled, Wait(reason, message))
    return await _look_up(search, filled, unknown)


def _told(resource: Resource, now: datetime) -> str:
    """Return what is told to be missing; "" where nothing is, or the write that stalls is due."""
    told = resource.condition(RESOLVED)
    if told is None or not resource.is_false(RESOLVED) or becomes_overdue(resource, now):
        return ""
    return str(told["message"])


def _tells_where(kind: Kind, one: StandIn) -> bool:
    return len(one.path) == 1 and bool(one.how.fills.keys() & references.whereabouts(kind))


async def _look_up(search: Search, filled: Filled, unknown: tuple[StandIn, ...]) -> Resolution:
    """Find what others have made and the spec names by account and name."""
    made = dict(filled)
    parameters = references.parameters(search.kind, search.resource, filled)
    for one in unknown:
        if not isinstance(one.how, Lookup):
            continue
        matches = await _matches(search, one.how, one.value, parameters)
        chosen = await _choose(search, one.how, matches)
        if chosen is None:
            return Resolution(made, _unclear(one, one.how, matches))
        if not one.how.is_ready(chosen):
            message = f"{one.how.kind} {chosen['name']} is {chosen['status']}"
            return Resolution(made, Wait(Reason.DEPENDENCY_NOT_READY, message))
        made[one.path] = references.taken(one.how, chosen)
    return Resolution(made)


async def _matches(
    search: Search, lookup: Lookup, value: Document, parameters: Document
) -> tuple[Document, ...]:
    """Return the summaries that are meant, from a List that is fresh where one is expected."""
    ports, recall = search.ports, search.recall
    now = ports.clock.elapsed()
    patient = max(recall.seen, now - patience(recall.waits, ports.policy.pace) / 2)
    resources = await ports.cluster.list(lookup.kind)
    since = now if any(_makes(one, value) for one in resources) else patient
    scope = await _scope(search, lookup, parameters)
    shown = await ports.service.sighting(search.identity, lookup.listing, scope, since)
    return tuple(item for item in shown.items if lookup.matches(value, item))


def _makes(resource: Resource, value: Document) -> bool:
    """Tell whether a resource of this very cluster manages what is looked for."""
    return (
        resource.status.get("accountID") == value["creatorAccountId"]
        and resource.spec.get("name", resource.key.name) == value["name"]
        and resource.status.get("identifier") is not None
    )


async def _scope(search: Search, lookup: Lookup, parameters: Document) -> Document:
    if COLLABORATION not in lookup.listing.scope:
        return {}
    membership = parameters[MEMBERSHIP_IDENTIFIER]
    found = await collaboration_of(membership, search.identity, search.ports, search.recall)
    return {COLLABORATION: found}


async def collaboration_of(
    membership: str, identity: Identity, ports: Ports, recall: Recall
) -> str:
    """Return the collaboration of a membership, which its resource knows if there is one."""
    for resource in await ports.cluster.list(MEMBERSHIP):
        known: str | None = resource.status.get(COLLABORATION)
        if resource.status.get("identifier") == membership and known is not None:
            return known
    if membership not in recall.collaborations:
        named = {MEMBERSHIP_IDENTIFIER: membership}
        answer = await ports.service.call(identity, "cleanrooms", "GetMembership", named)
        recall.collaborations[membership] = answer["membership"]["collaborationId"]
    return recall.collaborations[membership]


async def _choose(search: Search, lookup: Lookup, matches: tuple[Document, ...]) -> Document | None:
    """Return the only match, or of several the one that we are in already (rule R-4)."""
    if len(matches) == 1:
        return matches[0]
    ours, ports = [], search.ports
    for match in matches:
        if lookup.ours is not None and (arn := match.get(lookup.ours)) is not None:
            tags = await read_tags(ports.service, search.identity, lookup.listing.service, arn)
            if ports.policy.owner.claim(search.resource.key, tags) in ITS_OWN:
                ours.append(match)
    return ours[0] if len(ours) == 1 else None


def _unclear(one: StandIn, lookup: Lookup, matches: tuple[Document, ...]) -> Lack:
    if not matches:
        return Wait(Reason.DEPENDENCY_NOT_READY, lookup.missing(one.value))
    filled = (references.taken(lookup, match).values() for match in matches)
    listed = ", ".join(sorted("#".join(values) for values in filled))
    instead = " and ".join(f"`{parameter}`" for parameter in lookup.fills)
    return Stall(Reason.AMBIGUOUS, f"`{one}` matches several: {listed}. Name one by {instead}")
