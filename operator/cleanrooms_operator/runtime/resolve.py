"""References of a spec, resolved against the cluster and against what others made in AWS."""

from dataclasses import dataclass

from cleanrooms_operator.core import references
from cleanrooms_operator.core.kind import Kind, Lookup
from cleanrooms_operator.core.ownership import ITS_OWN
from cleanrooms_operator.core.pace import patience
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, Resource
from cleanrooms_operator.core.situation import Neighbours
from cleanrooms_operator.core.step import Stall, Wait
from cleanrooms_operator.runtime.memory import Recall
from cleanrooms_operator.runtime.ports import Identity, Ports
from cleanrooms_operator.runtime.tags import read_tags


@dataclass(frozen=True, slots=True)
class Search:
    """Who looks for what a spec names, and what is known already."""

    kind: Kind
    resource: Resource
    identity: Identity
    ports: Ports
    recall: Recall
    neighbours: Neighbours


async def resolve(search: Search) -> dict[str, str] | Wait | Stall:
    """Return the parameters that references stand for, or the step that follows from a lack."""
    kind, resource = search.kind, search.resource
    recorded = references.recorded(kind, resource)
    if recorded.keys() == references.filled_parameters(kind):
        return recorded
    named = references.named(kind, resource)
    found = {name.key: await search.ports.cluster.read(name.key) for name in named}
    filled, missing = references.resolved(named, found)
    if missing:
        return Wait(Reason.DEPENDENCY_NOT_READY, "; ".join(missing))
    for lookup in kind.lookups:
        if (value := resource.spec.get(lookup.field)) is not None:
            matches = await _matches(search, lookup, value)
            chosen = await _choose(search, lookup, matches)
            if chosen is None:
                return _unclear(lookup, value, matches)
            filled[lookup.fills] = chosen[lookup.source]
    return filled


async def _matches(search: Search, lookup: Lookup, value: Document) -> tuple[Document, ...]:
    """Return the summaries that are meant, from a List that is fresh where one is expected."""
    ports, recall = search.ports, search.recall
    now = ports.clock.elapsed()
    patient = max(recall.seen, now - patience(recall.waits, ports.policy.pace) / 2)
    since = now if lookup.is_expected(value, search.neighbours) else patient
    shown = await ports.service.sighting(search.identity, lookup.listing, {}, since)
    return tuple(item for item in shown.items if lookup.matches(value, item))


async def _choose(search: Search, lookup: Lookup, matches: tuple[Document, ...]) -> Document | None:
    """Return the only match, or of several the one that we are in already (rule R-4)."""
    if len(matches) == 1:
        return matches[0]
    ours, ports = [], search.ports
    for match in matches:
        if (arn := match.get(lookup.ours)) is not None:
            tags = await read_tags(ports.service, search.identity, lookup.listing.service, arn)
            if ports.policy.owner.claim(search.resource.key, tags) in ITS_OWN:
                ours.append(match)
    return ours[0] if len(ours) == 1 else None


def _unclear(lookup: Lookup, value: Document, matches: tuple[Document, ...]) -> Wait | Stall:
    if not matches:
        return Wait(Reason.DEPENDENCY_NOT_READY, lookup.missing(value))
    listed = ", ".join(sorted(str(match[lookup.source]) for match in matches))
    return Stall(
        Reason.AMBIGUOUS,
        f"`{lookup.field}` matches several: {listed}. Name one by `{lookup.fills}`",
    )
