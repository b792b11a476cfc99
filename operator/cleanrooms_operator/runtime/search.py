"""Finding the object of a resource that has none recorded: by attempt, by name, by key, by word."""

from collections.abc import Mapping
from dataclasses import dataclass

from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.kind import NaturalKey
from cleanrooms_operator.core.ownership import ATTEMPT, ITS_OWN, OWNER, RELEASED, Claim
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Annotation, Document
from cleanrooms_operator.core.step import (
    Absent,
    Clash,
    Disproved,
    Hidden,
    Observed,
    Present,
    Uncertain,
)
from cleanrooms_operator.runtime.tags import read_tags
from cleanrooms_operator.runtime.view import View

NONE = "none"
"""The word of `external-id` that says: create another beside what exists."""


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
    named = [item for item in shown.items if item.get("name") == attempt["name"]]
    candidates = await _candidates(view, named)
    for candidate in candidates:
        if candidate.tags.get(ATTEMPT) == attempt["id"] or candidate.claim is Claim.OURS:
            return _found(view, candidate)
    _raise_unread(candidates)
    return None


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
    return _judge(view, await _candidates(view, named))


async def _candidates(view: View, items: list[Document]) -> list[Candidate]:
    """Read the tags of those own objects that no other resource has recorded."""
    if not items:
        return []
    handle = view.kind.handle
    resources = await view.ports.cluster.list(view.kind.name)
    bound = {r.status.get("arn") for r in resources if r.key != view.resource.key}
    own = [item for item in items if _is_own(view, item) and item[handle.arn] not in bound]
    return [await _candidate(view, item) for item in own]


def _is_own(view: View, item: Document) -> bool:
    creator: str = item.get("creatorAccountId", view.identity.account)
    return creator == view.identity.account


async def _candidate(view: View, item: Document) -> Candidate:
    arn = item[view.kind.handle.arn]
    try:
        tags = await read_tags(view.ports.service, view.identity, view.kind.service, arn)
    except ServiceError as error:
        if error.failure not in {Failure.DENIED, Failure.NOT_FOUND}:
            raise
        return Candidate(item, {}, Claim.NOBODY, error)
    return Candidate(item, tags, view.ports.policy.owner.claim(view.resource.key, tags))


def _judge(view: View, candidates: list[Candidate]) -> Observed:
    ours = [c for c in candidates if c.claim in ITS_OWN]
    if len(ours) > 1:
        arns = ", ".join(sorted(c.shown[view.kind.handle.arn] for c in ours))
        message = f"Several objects carry this resource's tags: {arns}"
        return Clash(Reason.ADOPTION_CONFLICT, message, ours=True)
    if ours:
        return _found(view, ours[0])
    return _beside(view, candidates)


def _beside(view: View, candidates: list[Candidate]) -> Observed:
    """Judge objects of the same name that are not ours, but might keep us from creating one."""
    _raise_unread(candidates)
    elsewhere = [c for c in candidates if c.claim is Claim.ELSEWHERE]
    beside = view.resource.annotations.get(Annotation.EXTERNAL_ID) == NONE
    if elsewhere and not beside:
        return _owned_elsewhere(view, elsewhere[0])
    return Absent()


def _raise_unread(candidates: list[Candidate]) -> None:
    """Raise why the tags of one of them cannot be read: it is perhaps ours, so nothing is made."""
    for candidate in candidates:
        if candidate.unread is not None:
            raise candidate.unread


def _owned_elsewhere(view: View, candidate: Candidate) -> Clash:
    owner = candidate.tags.get(OWNER)
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
        arn=shown[handle.arn],
        state=state,
        lifecycle=view.kind.lifecycle_of(state),
        claim=candidate.claim,
        bound=False,
        released=RELEASED in candidate.tags,
    )


# -- by natural key, and by a person's word --------------------------------------------------


async def find_by_key(view: View, key: NaturalKey) -> Observed:
    """Look for the one object that can exist for these parameters (rule R-4)."""
    identifier = await _identifier_by_key(view, key)
    if identifier is None:
        return Absent()
    found = await _read_named(view, identifier)
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
    found = await _read_named(view, external_id.rpartition("/")[2])
    if not isinstance(found, Candidate):
        return found
    arn = found.shown[view.kind.handle.arn]
    resources = await view.ports.cluster.list(view.kind.name)
    holder = next(
        (r for r in resources if r.status.get("arn") == arn and r.key != view.resource.key), None
    )
    if holder is not None:
        where = f"{holder.key} in namespace {holder.key.namespace}"
        return Clash(Reason.ADOPTION_CONFLICT, f"{arn} is managed by {where}")
    if view.resource.observe_only:
        return _found(view, found)
    _raise_unread([found])
    if found.claim in {Claim.OTHER, Claim.ELSEWHERE} and RELEASED not in found.tags:
        return Clash(
            Reason.ADOPTION_CONFLICT, f"{arn} carries the tags of another resource, not released"
        )
    return _found(view, found)


async def _read_named(view: View, identifier: str) -> Candidate | Observed:
    kind = view.kind
    try:
        answer = await view.call(kind.service, kind.read, view.naming(identifier))
    except ServiceError as error:
        if error.failure is Failure.NOT_FOUND:
            message = f"AWS does not show the {kind.name} {identifier}"
            return Hidden(message, 0.0, Reason.DEPENDENCY_NOT_READY)
        raise
    shown = view.unwrapped(answer)
    return await _candidate(view, shown)
