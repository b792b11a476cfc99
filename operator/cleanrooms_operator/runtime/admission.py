"""Letting runs start, the oldest first, as far as the quotas of their account go (rule R-22)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from cleanrooms_operator.core import quotas, references
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.quotas import Needs, Place, Shape
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, ObjectId, Resource
from cleanrooms_operator.core.shared import COLLABORATION, template
from cleanrooms_operator.core.step import Create, Step, Wait
from cleanrooms_operator.runtime.starts import Starts
from cleanrooms_operator.runtime.view import View

SCOPE = references.MEMBERSHIP_IDENTIFIER


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the cluster shows at one moment."""

    asked: float
    line: tuple[Resource, ...]
    """All resources of the kind, the oldest first."""
    found: quotas.Found
    ours: frozenset[ObjectId | None]
    """The objects that resources of the kind manage."""
    templates: tuple[Document, ...]

    def is_synthetic(self, resource: Resource) -> bool:
        """Tell whether a channel is of synthetic data."""
        return quotas.is_synthetic(resource.spec, self.templates)


async def admitted(view: View, step: Step, starts: Starts) -> Step:
    """Return the step, or a wait instead of a create that AWS would refuse for a quota.

    What may start is reserved before anything else can decide, so that two passes never take the
    same last slot. An open attempt has its slot already.
    """
    is_open = view.resource.status.get("attempt") is not None
    if not isinstance(step, Create) or is_open or view.kind.name not in quotas.KINDS:
        return step
    templates = await _templates(view)
    foreign = await _foreign(view, starts, await _see(view, templates))
    seen = await _see(view, templates)
    wanted = _wanted(view, seen)
    limit = partial(starts.limit, view.ports.policy.quotas)
    running = [*_own(view, seen, starts), *_others(view, seen, starts, foreign)]
    unmet = quotas.full(limit, running, _older(view, seen, starts), wanted)
    if not unmet:
        starts.reserve(view.resource.key, wanted)
        return step
    messages = [quotas.told(each, limit(each.pool)) for each in unmet]
    return Wait(Reason.QUEUED_FOR_QUOTA, _steady(view.resource, messages))


def _steady(resource: Resource, messages: list[str]) -> str:
    """Return what was told before where it is true still: several quotas may be full by turns."""
    ready = resource.condition("Ready")
    before = "" if ready is None else str(ready["message"])
    return before if before in messages else messages[0]


# -- what takes slots ------------------------------------------------------------------------


async def _see(view: View, templates: tuple[Document, ...]) -> _Seen:
    cluster, kind = view.ports.cluster, view.kind
    asked = view.elapsed
    line = sorted(await cluster.list(kind.name), key=quotas.order)
    waiting = [each for each in line if each.status.get("identifier") is None]
    named = {one.key.kind for each in waiting for one in references.named(kind, each)}
    others = [await cluster.list(name) for name in sorted(named | {references.MEMBERSHIP})]
    found = {each.key: each for listed in others for each in listed}
    ours = frozenset(kind.handle.recorded(each.status) for each in line)
    return _Seen(asked, tuple(line), found, ours, templates)


def _wanted(view: View, seen: _Seen) -> Needs:
    place = Place(view.identity.account, view.identity.region, view.parameters[SCOPE])
    return quotas.needs(view.kind.name, _shape(view, view.resource, seen), place)


def _shape(view: View, resource: Resource, seen: _Seen) -> Shape:
    of_channel = view.kind.name == quotas.CHANNEL
    synthetic = of_channel and seen.is_synthetic(resource)
    return quotas.shape(view.kind.name, resource.spec, synthetic=synthetic)


def _own(view: View, seen: _Seen, starts: Starts) -> Iterator[Needs]:
    """Yield what the runs of resources take, and those that are about to start."""
    counted = set()
    for each in seen.line:
        synthetic = view.kind.name == quotas.CHANNEL and seen.is_synthetic(each)
        if each.key != view.resource.key and (taken := quotas.held(each, synthetic=synthetic)):
            counted.add(each.key)
            yield taken
    for key, needs in starts.taken(seen.asked):
        if key not in counted | {view.resource.key}:
            yield needs


def _older(view: View, seen: _Seen, starts: Starts) -> Iterator[Needs]:
    """Yield what those take that wait for a slot too, and whose turn comes first."""
    turn = quotas.order(view.resource)
    for each in (other for other in seen.line if quotas.order(other) < turn):
        if each.key in starts.reserved or each.key in starts.turned_away:
            continue
        place = quotas.place_of(each, seen.found)
        if place is not None and quotas.is_in_line(view.kind, each, seen.found):
            yield quotas.needs(view.kind.name, _shape(view, each, seen), place)


# -- what AWS shows --------------------------------------------------------------------------

_Foreign = list[tuple[str, Document]]
"""(membership, summary of a run in it)."""


async def _foreign(view: View, starts: Starts, seen: _Seen) -> _Foreign:
    """Return the runs that AWS shows in memberships that are declared, with shapes learned."""
    identity, kind = view.identity, view.kind
    declared = quotas.memberships_of(identity.account, identity.region, seen.found)
    own = view.parameters[SCOPE]
    where = sorted({own, *(membership for membership, _ in declared)})
    shown = [(one, item) for one in where for item in await _listed(view, one)]
    is_detailed = kind.name == quotas.MODEL or _shape(view, view.resource, seen).synthetic
    for membership, item in shown if is_detailed else ():
        name = kind.handle.of(item)
        if name not in starts.shapes and _is_strange(view, seen, item):
            starts.shapes[name] = await _shape_of(view, membership, name)
    return shown


async def _listed(view: View, membership: str) -> tuple[Document, ...]:
    """Return the summaries of a membership, which another role's may be closed to us."""
    since = view.elapsed - view.ports.policy.pace.progress_interval
    scope = {SCOPE: membership}
    try:
        shown = await view.ports.service.sighting(view.identity, view.kind.listing, scope, since)
    except ServiceError as error:
        if error.failure in {Failure.DENIED, Failure.NOT_FOUND}:
            return ()
        raise
    return shown.items


def _is_strange(view: View, seen: _Seen, item: Document) -> bool:
    """Whether a run takes slots and no resource manages it."""
    handle, place = view.kind.handle, Place("", "", "")
    takes = quotas.needs(view.kind.name, Shape(), place, view.kind.state_of(item))
    return bool(takes) and handle.of(item) not in seen.ours


async def _shape_of(view: View, membership: str, name: ObjectId) -> Shape:
    """Return what is counted of one run; of one that cannot be read, that it is one."""
    parameters = {SCOPE: membership, **view.kind.handle.naming(name)}
    try:
        shown = await view.call(view.kind.service, view.kind.read, parameters)
    except ServiceError as error:
        if error.failure in {Failure.DENIED, Failure.NOT_FOUND}:
            return Shape()
        raise
    return quotas.shape(view.kind.name, view.unwrapped(shown))


def _others(view: View, seen: _Seen, starts: Starts, foreign: _Foreign) -> Iterator[Needs]:
    """Yield what the runs take that no resource manages."""
    account, region = view.identity.account, view.identity.region
    for membership, item in foreign:
        if _is_strange(view, seen, item):
            shape = starts.shapes.get(view.kind.handle.of(item), Shape())
            place = Place(account, region, membership)
            yield quotas.needs(view.kind.name, shape, place, view.kind.state_of(item))


async def _templates(view: View) -> tuple[Document, ...]:
    """Return the analysis templates of the channel's collaboration, one List for all (R-26)."""
    if view.kind.name != quotas.CHANNEL or not quotas.names_template(view.resource.spec):
        return ()
    for each in await view.ports.cluster.list(references.MEMBERSHIP):
        known = each.status.get(COLLABORATION)
        if known is not None and each.status.get("identifier") == view.parameters[SCOPE]:
            since = view.elapsed - view.ports.policy.pace.list_interval
            scope = {COLLABORATION: known}
            listing = template().listing
            shown = await view.ports.service.sighting(view.identity, listing, scope, since)
            return shown.items
    return ()
