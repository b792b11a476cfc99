"""Finding the object of a resource that has none recorded: by attempt, by name, by key, by word."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.kind import NaturalKey
from cleanrooms_operator.core.ownership import ITS_OWN, NOT_OURS, OWNER, Claim
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Annotation, Document, ObjectId
from cleanrooms_operator.core.step import (
    Absent,
    Clash,
    Details,
    Disproved,
    Hidden,
    Observed,
    Present,
    Uncertain,
)
from cleanrooms_operator.runtime.tags import tags_of
from cleanrooms_operator.runtime.view import View

# -- an open attempt -------------------------------------------------------------------------


async def resolve_attempt(view: View) -> Observed:
    """Return what became of the recorded attempt, by reads only.

    It made nothing where every List that started a settle time after this process first saw it,
    or last sent it, lacks an object of it.
    """
    attempt, recall = view.resource.status["attempt"], view.recall
    if recall.attempt != attempt["id"]:
        recall.attempt, recall.attempt_since, recall.unsent = attempt["id"], view.elapsed, False
    if recall.unsent:
        return Disproved(unsent=True)
    certain_at = recall.attempt_since + view.ports.policy.pace.settle
    certain = view.elapsed > certain_at
    found = await _made_by_attempt(view, attempt, certain_at if certain else recall.attempt_since)
    if found is not None:
        return found
    return Disproved(unsent=False) if certain else Uncertain()


async def _made_by_attempt(view: View, attempt: Document, since: float) -> Observed | None:
    key = view.kind.natural_key
    if key is not None:
        found = await find_by_key(view, key)
        if isinstance(found, Hidden):
            return Uncertain()
        return None if isinstance(found, Absent) else found
    recent = view.elapsed - view.ports.policy.pace.progress_interval / 2
    shown = await view.sighting(max(since, recent))
    before = set(attempt.get("baseline", ()))
    named = [item for item in shown.items if item.get("name") == attempt["name"]]
    fresh = [item for item in named if str(view.kind.handle.of(item)) not in before]
    candidates = await _candidates(view, fresh)
    for candidate in candidates:
        if view.signature.is_of(candidate.tags, attempt["id"]) or candidate.claim in _PERHAPS:
            return _found(view, candidate)
    _raise_unread(candidates)
    return None


_PERHAPS = frozenset({Claim.OURS, Claim.SIBLING})
"""Claims on an object of the attempt's name that was not there before: it has made that."""


async def baseline(view: View) -> list[str]:
    """Return the objects of a resource's AWS name, where a tag alone may not tell them apart."""
    if view.kind.versions is None:
        return []
    shown = await view.sighting(view.recall.seen)
    named = [item for item in shown.items if item["name"] == view.parameters["name"]]
    return [str(view.kind.handle.of(item)) for item in named]


# -- by name ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object that no resource has recorded and that might be this one's."""

    shown: Document
    tags: Mapping[str, str]
    claim: Claim
    unread: ServiceError | None = None
    """Why its tags cannot be read, so that it is perhaps ours; None: they were."""


async def find_by_name(view: View) -> Observed:
    """Look for an object of this resource before anything is created."""
    shown = await view.sighting(view.recall.seen)
    named = [item for item in shown.items if item.get("name") == view.parameters["name"]]
    found = await _candidates(view, named)
    sharing = Counter(item[view.kind.handle.arn] for item in shown.items) if found else Counter()
    suspected = [_suspected(view, candidate, sharing) for candidate in found]
    return await _recorded(view, _judge(view, _later(view, suspected)))


def _later(view: View, candidates: list[Candidate]) -> list[Candidate]:
    """Leave out the records of runs that a person wanted, or wants, another run beside (R-3)."""
    own = [candidate for candidate in candidates if candidate.claim in ITS_OWN]
    beside = [c for c in own if view.signature.is_beside(c.tags)]
    if not (beside or view.resource.beside):
        return candidates
    left = view.recall.let_go if view.resource.beside else None
    past = [c for c in own if _is_over(view, c) and (c not in beside or _name(view, c) == left)]
    return [candidate for candidate in candidates if candidate not in past]


def _is_over(view: View, candidate: Candidate) -> bool:
    return view.kind.is_over(view.kind.state_of(candidate.shown))


def _name(view: View, candidate: Candidate) -> ObjectId:
    return view.kind.handle.of(candidate.shown)


async def _recorded(view: View, found: Observed) -> Observed:
    """Add to what is over what it was made with: what is wanted may be something else."""
    is_record = isinstance(found, Present) and view.kind.is_over(found.state)
    # Values that come from elsewhere may have changed since, which is no other run.
    if not isinstance(found, Present) or not is_record or view.sources_hash is not None:
        return found
    return replace(found, details=Details(await view.read(found.name), {}))


def _suspected(view: View, candidate: Candidate, sharing: Mapping[str, int]) -> Candidate:
    """Say of a namesake that may have lost its mark what those of its siblings say (rule R-1).

    A version that was made later may have taken the place of its tags (rule ER-4).
    """
    objects = sharing[candidate.shown[view.kind.handle.arn]]
    lost = view.signature.may_be_lost(candidate.tags, objects)
    if candidate.claim is Claim.SIBLING and not lost:
        return replace(candidate, claim=Claim.OTHER)
    if candidate.claim is Claim.OTHER and lost:
        return replace(candidate, claim=Claim.ELSEWHERE)
    return candidate


async def _candidates(view: View, items: list[Document]) -> list[Candidate]:
    """Read the tags of those own objects that no other resource has recorded."""
    if not items:
        return []
    handle = view.kind.handle
    resources = await view.ports.cluster.list(view.kind.name)
    bound = {handle.recorded(r.status) for r in resources if r.key != view.resource.key}
    own = [item for item in items if _is_own(view, item) and handle.of(item) not in bound]
    return [await _candidate(view, item) for item in own]


def _is_own(view: View, item: Document) -> bool:
    creator: str = item.get("creatorAccountId", view.identity.account)
    return creator == view.identity.account


async def _candidate(view: View, item: Document) -> Candidate:
    name = view.kind.handle.of(item)
    try:
        # A version may have tags of its own, which its Get alone shows (rule ER-4).
        tags = await tags_of(view, item if name.version is None else await view.read(name))
    except ServiceError as error:
        if error.failure not in {Failure.DENIED, Failure.NOT_FOUND}:
            raise
        return Candidate(item, {}, Claim.NOBODY, error)
    return Candidate(item, tags, view.signature.claim(tags))


def _judge(view: View, candidates: list[Candidate]) -> Observed:
    ours = _latest(view, candidates, ITS_OWN)
    if ours:
        return _only(view, ours)
    _raise_unread(candidates)
    if view.resource.beside:
        return Absent()
    if siblings := _latest(view, candidates, {Claim.SIBLING}):
        return _only(view, [replace(sibling, claim=Claim.INHERITED) for sibling in siblings])
    elsewhere = [c for c in candidates if c.claim is Claim.ELSEWHERE]
    return _owned_elsewhere(view, elsewhere[0]) if elsewhere else Absent()


def _only(view: View, candidates: list[Candidate]) -> Observed:
    if len(candidates) == 1:
        return _found(view, candidates[0])
    arns = ", ".join(sorted(c.shown[view.kind.handle.arn] for c in candidates))
    message = f"Several objects carry this resource's tags: {arns}"
    return Clash(Reason.ADOPTION_CONFLICT, message, ours=True)


def _latest(view: View, candidates: list[Candidate], claims: Collection[Claim]) -> list[Candidate]:
    """Return of each ARN the last made: a tag does not tell a resource's versions of it apart."""
    chosen = [candidate for candidate in candidates if candidate.claim in claims]
    latest: dict[str, Candidate] = {}
    for candidate in sorted(chosen, key=lambda c: c.shown.get("createTime", _EARLY)):
        latest[candidate.shown[view.kind.handle.arn]] = candidate
    return list(latest.values())


_EARLY = datetime.min.replace(tzinfo=UTC)


def _raise_unread(candidates: list[Candidate]) -> None:
    """Raise why the tags of one of them cannot be read: it is perhaps ours, so nothing is made."""
    for candidate in candidates:
        if candidate.unread is not None:
            raise candidate.unread


def _owned_elsewhere(view: View, candidate: Candidate) -> Clash:
    owner = view.signature.maker(candidate.tags) or candidate.tags.get(OWNER)
    arn = candidate.shown[view.kind.handle.arn]
    return Clash(
        Reason.OWNED_ELSEWHERE,
        f"{arn} was made for this namespace and name by the cluster with the owner id {owner}. "
        f"{Reason.OWNED_ELSEWHERE.remedy}",
    )


def _found(view: View, candidate: Candidate) -> Present:
    handle, shown = view.kind.handle, candidate.shown
    state = view.kind.state_of(shown)
    return Present(
        identifier=shown[handle.field],
        version=handle.of(shown).version,
        arn=shown[handle.arn],
        state=state,
        lifecycle=view.kind.lifecycle_of(state),
        claim=candidate.claim,
        bound=False,
        released=view.signature.is_released(candidate.tags),
    )


# -- by natural key, and by a person's word --------------------------------------------------


async def find_by_key(view: View, key: NaturalKey) -> Observed:
    """Look for the one object that can exist for these parameters (rule R-4)."""
    identifier = await _identifier_by_key(view, key)
    if identifier is None:
        return Absent()
    found = await _read_named(view, ObjectId(identifier))
    if not isinstance(found, Candidate):
        return found
    if found.claim in ITS_OWN or view.resource.observe_only:
        return _found(view, found)
    _raise_unread([found])
    if found.claim is Claim.ELSEWHERE:
        return _owned_elsewhere(view, found)
    return _not_ours(view, found)


async def _identifier_by_key(view: View, key: NaturalKey) -> str | None:
    value = view.parameters[key.parameter]
    try:
        answer = await view.call(key.service, key.operation, {key.parameter: value})
    except ServiceError as error:
        if error.failure is not Failure.DENIED:
            raise
        # What the key belongs to may be gone while the object is still listed.
        listed = await _listed_by_key(view, key, value)
        over = view.resource.deleting or view.resource.status.get("attempt") is not None
        if listed is None and not over:
            raise
        return listed
    identifier: str | None = answer[key.envelope].get(key.identifier)
    return identifier


async def _listed_by_key(view: View, key: NaturalKey, value: str) -> str | None:
    shown = await view.sighting(view.elapsed)
    field = view.kind.handle.field
    return next((item[field] for item in shown.items if item[key.listed_as] == value), None)


def _not_ours(view: View, found: Candidate) -> Clash:
    arn = found.shown[view.kind.handle.arn]
    return Clash(
        Reason.ADOPTION_CONFLICT,
        f"{arn} exists and does not carry this resource's tags. To manage it here, annotate "
        f"{Annotation.EXTERNAL_ID}: {arn}",
    )


async def find_named(view: View, external_id: str) -> Observed:
    """Look at the object that a person names by ARN or identifier (rule R-35)."""
    handle = view.kind.handle
    found = await _read_named(view, _name_in(view, external_id))
    if not isinstance(found, Candidate):
        return found
    arn, name = found.shown[handle.arn], handle.of(found.shown)
    others = [
        r for r in await view.ports.cluster.list(view.kind.name) if r.key != view.resource.key
    ]
    holder = next((r for r in others if handle.recorded(r.status) == name), None)
    if holder is not None:
        where = f"{holder.key} in namespace {holder.key.namespace}"
        return Clash(Reason.ADOPTION_CONFLICT, f"{arn} is managed by {where}")
    if view.resource.observe_only:
        return _found(view, found)
    _raise_unread([found])
    if found.claim in NOT_OURS and not view.signature.is_released(found.tags):
        return Clash(
            Reason.ADOPTION_CONFLICT, f"{arn} carries the tags of another resource, not released"
        )
    return _found(view, found)


def _name_in(view: View, external_id: str) -> ObjectId:
    """Return what `<ARN or identifier>[#<version>]` names."""
    handle = view.kind.handle
    text, _, version = external_id.partition("#")
    identifier = text if handle.field == handle.arn else text.rpartition("/")[2]
    return ObjectId(identifier, version or None)


async def _read_named(view: View, name: ObjectId) -> Candidate | Observed:
    try:
        shown = await view.read(name)
    except ServiceError as error:
        if error.failure is Failure.NOT_FOUND:
            message = f"AWS does not show the {view.kind.name} {name}"
            return Hidden(message, 0.0, Reason.DEPENDENCY_NOT_READY)
        raise
    return await _candidate(view, shown)
