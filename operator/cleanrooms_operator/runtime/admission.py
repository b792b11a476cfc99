"""Letting runs start, the oldest first, as far as the quotas of their account go (rule R-22)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cleanrooms_operator.core import budgets, quotas, references, templates
from cleanrooms_operator.core.budgets import Budget
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.quotas import Needs, Place, Pool, Shape
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, ObjectId, Resource
from cleanrooms_operator.core.step import Create, Discard, Resend, Step, Wait
from cleanrooms_operator.runtime.starts import Starts
from cleanrooms_operator.runtime.templates import templates_of
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
    budget: Budget

    def is_synthetic(self, resource: Resource) -> bool:
        """Tell whether a run is seen to be a channel of synthetic data: so quotas take it."""
        return bool(self._is_synthetic(resource))

    def may_be_synthetic(self, resource: Resource) -> bool:
        """Tell whether it is one for all that can be seen: so it is for what may be spent."""
        return self._is_synthetic(resource) is not False

    def _is_synthetic(self, resource: Resource) -> bool | None:
        of_channel = resource.key.kind == quotas.CHANNEL
        return of_channel and templates.is_synthetic(resource.spec, self.templates)


async def admitted(view: View, step: Step, starts: Starts) -> Step:
    """Return the step, or a wait instead of a create that AWS would refuse for a quota.

    What may start is reserved before anything else can decide, so that two passes never take the
    same last slot. An open attempt has its slot of AWS's quotas already; what a Membership lets be
    spent is AWS's no business, so that it is asked again before that is sent.
    """
    if not isinstance(step, Create | Resend) or view.kind.name not in quotas.KINDS:
        return step
    budget = await _budget(view)
    if _is_open(view) and not budget.limits:
        return step
    recently = view.elapsed - view.ports.policy.pace.progress_interval
    counted = await _count(view, starts, recently)
    if not counted.unmet and counted.budget.limits:
        # What a List showed a while ago is enough to wait by, not to spend by.
        counted = await _count(view, starts, view.elapsed)
    if not counted.unmet:
        starts.reserve(view.resource.key, counted.wanted)
        return step
    view.recall.resume = counted.budget.resumes(counted.unmet)
    return Discard() if _is_open(view) else _queued(view, counted)


def _is_open(view: View) -> bool:
    return view.resource.status.get("attempt") is not None


@dataclass(frozen=True, slots=True)
class _Count:
    """What a run takes, and which of that there is not."""

    budget: Budget
    wanted: Needs
    unmet: Needs
    messages: tuple[str, ...]
    """Which quota is full, in words, of each that is not met."""


async def _count(view: View, starts: Starts, since: float) -> _Count:
    """Count by Lists that are no older; nothing is awaited after the cluster was looked at."""
    shown = await templates_of(view) if view.kind.name == quotas.CHANNEL else ()
    seen = await _see(view, shown, {references.MEMBERSHIP})
    foreign = await _foreign(view, starts, seen, since)
    counted = _counted(view, starts, seen, foreign, ())
    if _told(view.resource) in counted.messages:
        # Those that wait too need not be looked through: they cannot but take still more.
        return counted
    seen = await _see(view, shown, _named(view, seen))
    older = () if _is_open(view) else _older(view, seen, starts)
    return _counted(view, starts, seen, foreign, older)


def _counted(
    view: View, starts: Starts, seen: _Seen, foreign: "_Foreign", older: Iterable[Needs]
) -> _Count:
    wanted = _wanted(view, seen)
    running = [*_own(view, seen, starts), *_others(view, seen, starts, foreign)]
    limit = _limits(view, starts, seen.budget)
    unmet = quotas.full(limit, running, older, wanted)
    messages = tuple(quotas.told(each, limit(each.pool)) for each in unmet)
    return _Count(seen.budget, wanted, unmet, messages)


def _limits(view: View, starts: Starts, budget: Budget) -> Callable[[Pool], int]:
    def limit(pool: Pool) -> int:
        known = budget.limits.get(pool)
        return starts.limit(view.ports.policy.quotas, pool) if known is None else known

    return limit


def _queued(view: View, counted: _Count) -> Wait:
    """Return the wait, told as before where that is true still: quotas may be full by turns."""
    spent = any(each.pool in counted.budget.limits for each in counted.unmet)
    reason = Reason.QUEUED_FOR_BUDGET if spent else Reason.QUEUED_FOR_QUOTA
    before = _told(view.resource)
    return Wait(reason, before if before in counted.messages else counted.messages[0])


def _told(resource: Resource) -> str:
    ready = resource.condition("Ready")
    return "" if ready is None else str(ready["message"])


async def _budget(view: View) -> Budget:
    """Return what may be spent under the membership, by the time that AWS told last."""
    now = await view.ports.service.aws_time(view.identity)
    listed = await view.ports.cluster.list(references.MEMBERSHIP)
    return budgets.budget(listed, view.kind.costs, _place(view), now)


def _place(view: View) -> Place:
    return Place(view.identity.account, view.identity.region, view.parameters[SCOPE])


# -- what takes slots ------------------------------------------------------------------------


async def _see(view: View, shown: tuple[Document, ...], kinds: set[str]) -> _Seen:
    """Return the resources of the kind and, to look up what they name, those of other kinds."""
    cluster, kind = view.ports.cluster, view.kind
    budget = await _budget(view)
    asked = view.elapsed
    line = sorted(await cluster.list(kind.name), key=quotas.order)
    others = [await cluster.list(name) for name in sorted(kinds)]
    found = {each.key: each for listed in others for each in listed}
    ours = frozenset(kind.handle.recorded(each.status) for each in line)
    return _Seen(asked, tuple(line), found, ours, shown, budget)


def _named(view: View, seen: _Seen) -> set[str]:
    """Return the kinds of what those name that wait."""
    waiting = [each for each in seen.line if each.status.get("identifier") is None]
    named = {one.key.kind for each in waiting for one in references.named(view.kind, each)}
    return {*named, references.MEMBERSHIP}


def _wanted(view: View, seen: _Seen) -> Needs:
    spent = seen.budget.needs(synthetic=seen.may_be_synthetic(view.resource))
    if _is_open(view):
        return spent
    shape = _shape(view, view.resource, seen)
    return (*quotas.needs(view.kind.name, shape, _place(view)), *spent)


def _shape(view: View, resource: Resource, seen: _Seen) -> Shape:
    return quotas.shape(view.kind.name, resource.spec, synthetic=seen.is_synthetic(resource))


def _own(view: View, seen: _Seen, starts: Starts) -> Iterator[Needs]:
    """Yield what the runs of resources take, and those that are about to start."""
    counted = set()
    for each in seen.line:
        if each.key == view.resource.key:
            continue
        spent = seen.budget.held(each, synthetic=seen.may_be_synthetic(each))
        if taken := (*quotas.held(each, synthetic=seen.is_synthetic(each)), *spent):
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
            taken = quotas.needs(view.kind.name, _shape(view, each, seen), place)
            ours = place == seen.budget.place
            spent = seen.budget.needs(synthetic=seen.may_be_synthetic(each)) if ours else ()
            yield (*taken, *spent)


# -- what AWS shows --------------------------------------------------------------------------

_Foreign = list[tuple[str, Document]]
"""(membership, summary of a run in it)."""


async def _foreign(view: View, starts: Starts, seen: _Seen, since: float) -> _Foreign:
    """Return the runs that AWS shows in memberships that are declared, with shapes learned."""
    identity, kind = view.identity, view.kind
    declared = quotas.memberships_of(identity.account, identity.region, seen.found)
    own = view.parameters[SCOPE]
    where = sorted({own, *(membership for membership, _ in declared)})
    shown = [(one, item) for one in where for item in await _listed(view, seen, one, since)]
    is_detailed = kind.name == quotas.MODEL or _shape(view, view.resource, seen).synthetic
    for membership, item in shown if is_detailed else ():
        name = kind.handle.of(item)
        if name not in starts.shapes and _is_strange(view, seen, item):
            starts.shapes[name] = await _shape_of(view, membership, name)
    return shown


async def _listed(view: View, seen: _Seen, membership: str, since: float) -> tuple[Document, ...]:
    """Return the summaries of a membership, which another role's may be closed to us."""
    if seen.budget.limits and membership == seen.budget.place.membership:
        # What cannot be counted is not spent; of a model all versions count.
        return (await view.sighting(since)).items
    recently = view.elapsed - view.ports.policy.pace.progress_interval
    scope = {SCOPE: membership}
    try:
        shown = await view.ports.service.sighting(view.identity, view.kind.listing, scope, recently)
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
        state = view.kind.state_of(item)
        if _is_strange(view, seen, item):
            shape = starts.shapes.get(view.kind.handle.of(item), Shape())
            place = Place(account, region, membership)
            yield quotas.needs(view.kind.name, shape, place, state)
        is_ours = view.kind.handle.of(item) in seen.ours
        if membership == seen.budget.place.membership and not is_ours:
            yield seen.budget.shown(item, state)
