"""Seeing what is in AWS for one resource, with as few calls as the truth allows."""

from datetime import datetime

from cleanrooms_operator.core import looking, runs
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.kind import Reading
from cleanrooms_operator.core.ownership import Claim
from cleanrooms_operator.core.pace import next_turn
from cleanrooms_operator.core.resource import Document, ObjectId
from cleanrooms_operator.core.step import (
    Details,
    Hidden,
    Missing,
    Observed,
    Present,
)
from cleanrooms_operator.runtime import search
from cleanrooms_operator.runtime.memory import is_settled
from cleanrooms_operator.runtime.ports import Sighting
from cleanrooms_operator.runtime.tags import tags_of
from cleanrooms_operator.runtime.view import View


async def observe(view: View) -> Observed:
    """Return what there is of a resource in AWS."""
    try:
        return await _observe(view)
    except ServiceError as error:
        if error.failure is not Failure.DENIED:
            raise
        return Hidden(f"{error.code}: {error.message}", view.recall.deny(view.elapsed))


async def _observe(view: View) -> Observed:
    status = view.resource.status
    if status.get("attempt") is not None:
        return await search.resolve_attempt(view)
    if (name := view.kind.handle.recorded(status)) is not None:
        return await _look_at(view, name)
    if (external := view.resource.external_id) is not None:
        return await search.find_named(view, external)
    if (key := view.kind.natural_key) is not None:
        return await search.find_by_key(view, key)
    return await search.find_by_name(view)


async def _look_at(view: View, name: ObjectId) -> Observed:
    """Look at the recorded object: by the shared List, in detail where something calls for it."""
    if not _details_are_due(view):
        if await _is_cheaper_alone(view):
            return await _look_alone(view, name)
        shown = await view.sighting(view.elapsed - _freshness(view), name)
        known = view.recall.details
        if known is not None and shown.started < view.recall.taken:
            return _present(view, name, known.fields, known)
        item = _named(view, shown, name)
        if item is not None and not _has_moved(view, item):
            return await _at_rest(view, name, item)
    return await _in_detail(view, name, await read_object(view, name))


async def _is_cheaper_alone(view: View) -> bool:
    """Whether to read the object itself: nobody asks that while one page shows all."""
    if view.recall.pages == 1:
        return False
    line = await view.ports.cluster.list(view.kind.name)
    return looking.is_cheaper_alone(view.kind, view.resource, view.recall.pages, line)


async def _look_alone(view: View, name: ObjectId) -> Observed:
    fields = await read_object(view, name)
    if fields is not None and not _has_moved(view, fields):
        return await _at_rest(view, name, fields)
    return await _in_detail(view, name, fields)


async def _in_detail(view: View, name: ObjectId, fields: Document | None) -> Observed:
    if fields is None:
        return await _missed(view, name)
    view.recall.missed = None
    details = await _read_details(view, fields)
    return _present(view, name, fields, details)


def _details_are_due(view: View) -> bool:
    recall, resource = view.recall, view.resource
    return (
        recall.stale
        or resource.deleting
        or recall.generation != resource.generation
        or view.requested is not None
        or view.kind.is_outdated(resource, view.neighbours)
        or _is_turn(view)
        or _is_in_doubt(view)
        # Who looks at what is over wants to see all of it: there will be no other look.
        or view.kind.is_over(resource.status.get("state"))
    )


def _is_turn(view: View) -> bool:
    """Whether it is the resource's time to be read, in its hour or after the end of its run."""
    now, resource, kind = view.ports.clock.now(), view.resource, view.kind
    if kind.can_drift:
        interval = view.ports.policy.pace.detail_interval
        return view.elapsed >= next_turn(resource.uid, view.recall.taken, interval)
    due = runs.next_publication(kind, resource, view.recall.last_look(view.elapsed, now))
    return due is not None and now >= due


def _is_in_doubt(view: View) -> bool:
    """Whether only the details can tell that what stalls the resource is over."""
    state = view.resource.status.get("state")
    return view.resource.is_true("Stalled") and state not in view.kind.ends


def _freshness(view: View) -> float:
    """Return how old a sighting may be: what moves is looked at more often than what rests."""
    pace = view.ports.policy.pace
    return pace.list_interval if is_settled(view.resource) else pace.progress_interval


def _named(view: View, shown: Sighting, name: ObjectId) -> Document | None:
    return next((item for item in shown.items if view.kind.handle.of(item) == name), None)


def _has_moved(view: View, item: Document) -> bool:
    """Whether a summary says that the object changed since its details were read."""
    status = view.resource.status
    moved = _text(item.get("updateTime")) != status.get("updateTime")
    return moved or view.kind.state_of(item) != status.get("state")


def _text(time: object) -> str | None:
    return time.isoformat() if isinstance(time, datetime) else None


async def _at_rest(view: View, name: ObjectId, item: Document) -> Present:
    """Read again only what tells of people who are awaited."""
    recall, status = view.recall, view.resource.status
    awaited = [reading for reading in view.kind.readings if reading.awaited(status)]
    if not awaited:
        return _present(view, name, item, None)
    if recall.details is None:
        fields = await read_object(view, name)
        details = None if fields is None else await _read_details(view, fields)
        return _present(view, name, item, details)
    fresh = {
        reading.name: await _read_of(view, reading, recall.details.fields) for reading in awaited
    }
    readings = {**recall.details.readings, **fresh}
    recall.details = Details(recall.details.fields, recall.details.tags, readings)
    return _present(view, name, item, recall.details)


async def read_object(view: View, name: ObjectId) -> Document | None:
    """Return the object's own fields, or None where AWS says that there is no such object."""
    try:
        return await view.read(name)
    except ServiceError as error:
        denied = view.kind.denied_is_missing and error.failure is Failure.DENIED
        if error.failure is Failure.NOT_FOUND or denied:
            return None
        raise


async def _read_details(view: View, fields: Document) -> Details:
    kind, recall = view.kind, view.recall
    readings: dict[str, object] = {}
    for reading in kind.readings:
        if reading.wanted(view.resource, fields, readings):
            readings[reading.name] = await _read_of(view, reading, fields)
    recall.details = Details(fields, await tags_of(view, fields), readings)
    recall.taken = view.elapsed
    recall.generation = view.resource.generation
    recall.stale = False
    return recall.details


async def _read_of(view: View, reading: Reading, fields: Document) -> object:
    """Return the result of a reading; None where AWS shows nothing more of what is over (ER-26)."""
    try:
        return await read_further(view, reading, fields)
    except ServiceError as error:
        if error.failure is Failure.DENIED and view.kind.state_of(fields) in view.kind.ends:
            return None
        raise


async def read_further(view: View, reading: Reading, fields: Document) -> object:
    """Return the result of one reading: all pages, or None where there is no such thing."""
    parameters = dict(reading.parameters(fields))
    view.recall.read_at = {**view.recall.read_at, reading.name: view.elapsed}
    pages: list[Document] = []
    try:
        while True:
            answer = await view.call(reading.service, reading.operation, parameters)
            if reading.result is None:
                return answer
            if not reading.paged:
                return answer[reading.result]
            pages.extend(answer[reading.result])
            if not answer.get("nextToken"):
                return pages
            parameters["nextToken"] = answer["nextToken"]
    except ServiceError as error:
        if reading.optional and error.failure is Failure.NOT_FOUND:
            return None
        raise


def _present(view: View, name: ObjectId, shown: Document, details: Details | None) -> Present:
    """Describe the recorded object; it is ours unless its tags name somebody else."""
    state, claim = view.kind.state_of(shown), Claim.OURS
    if details is not None:
        claim = view.signature.claim_recorded(details.tags)
    return Present(
        identifier=name.identifier,
        version=name.version,
        arn=shown[view.kind.handle.arn],
        state=state,
        lifecycle=view.kind.lifecycle_of(state),
        claim=claim,
        details=details,
        update_time=_text(shown.get("updateTime")),
    )


async def _missed(view: View, name: ObjectId) -> Observed:
    """Prove that an object is gone: every complete List lacks it too, for long enough (R-9)."""
    recall, pace = view.recall, view.ports.policy.pace
    if recall.missed is None:
        recall.missed = view.elapsed
    certain_at = recall.missed + pace.settle if recall.ended is None else recall.ended
    since = certain_at if view.elapsed >= certain_at else recall.missed
    # A List that still showed the object, because it lags, must not be asked for ever.
    shown = await view.sighting(max(since, view.elapsed - pace.progress_interval / 2), name)
    if _named(view, shown, name) is not None:
        recall.missed = None
        return Missing(str(name), proved=False)
    return Missing(str(name), proved=shown.started >= certain_at)
