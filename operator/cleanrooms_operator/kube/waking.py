"""Whom a change concerns: an index from what a resource is interested in to the resource.

A change is looked up, not searched for: what it costs does not grow with the number of resources
that it does not concern.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TypeAlias

from cleanrooms_operator.core import paying, plans, quotas, references
from cleanrooms_operator.core.conditions import RESOLVED
from cleanrooms_operator.core.kind import Lookup
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.kinds import BY_NAME

Topic: TypeAlias = tuple[str, ...]

_COLLABORATION = "Collaboration"
_MEMBERSHIP = "Membership"

_READ_BY_OTHERS = (
    "identifier",
    "arn",
    "versionIdentifier",
    "accountID",
    "collaborationIdentifier",
    "mlConfiguration",
    "changeRequest",
    "lastVote",
    "acceptedPayments",
    "payers",
)
"""The status fields that decisions about other resources read."""


class Waking:
    """Knows which resources are interested in what, and is told of every change."""

    def __init__(self, is_deleting: Callable[[Key], bool]) -> None:
        self._is_deleting = is_deleting
        self._interested: defaultdict[Topic, set[Key]] = defaultdict(set)
        self._collaborations: dict[str, str] = {}
        """By membership: what is under a membership is under its collaboration too."""

    def update(self, before: Resource | None, after: Resource | None) -> set[Key]:
        """Take a change into the index, and return the other resources that it concerns."""
        known = set(_interests(before)) if before is not None else set()
        wanted = set(_interests(after)) if after is not None else set()
        resource = _either(after, before)
        key, status = resource.key, resource.status
        if key.kind == _MEMBERSHIP and (parent := status.get("collaborationIdentifier")):
            self._collaborations[status.get("identifier", "")] = parent
            if after is None:
                del self._collaborations[status.get("identifier", "")]
        for topic in known - wanted:
            self._interested[topic].discard(key)
            if not self._interested[topic]:
                del self._interested[topic]
        for topic in wanted - known:
            self._interested[topic].add(key)
        above = self._above(resource) if after is None or not after.held else ()
        return {*self._concerned(before, after), *filter(self._is_deleting, above)} - {key}

    def _above(self, resource: Resource) -> Iterator[Key]:
        """Yield the Membership and the Collaboration under which a resource had its object."""
        membership = resource.status.get("membershipIdentifier", "")
        yield from self._interested.get(("under", membership), ())
        collaboration = self._collaborations.get(membership, "")
        yield from self._interested.get(("memberships", collaboration), ())

    def _concerned(self, before: Resource | None, after: Resource | None) -> Iterator[Key]:
        if before is not None and (after is None or (before.held and not after.held)):
            # Those that are kept while they are used may be free to go now.
            yield from filter(self._is_deleting, _used(before))
        if before is not None and quotas.may_block(before) and not _blocks(after):
            yield from self._interested.get(_line(before.key.kind), ())
        if _meaning(before) != _meaning(after):
            for topic in _topics(_either(after, before)):
                yield from self._interested.get(topic, ())


def _blocks(resource: Resource | None) -> bool:
    return resource is not None and quotas.may_block(resource)


def _line(kind: str) -> Topic:
    """Return the topic of a slot that is free for another run."""
    return ("line", kind)


def _either(one: Resource | None, other: Resource | None) -> Resource:
    resource = one or other
    if resource is None:
        message = "a change is of something"
        raise ValueError(message)
    return resource


def _meaning(resource: Resource | None) -> object:
    """Return what others may see of a resource: the rest of its changes concern nobody else."""
    if resource is None:
        return None
    return (
        resource.uid,
        resource.generation,
        resource.deleting,
        resource.is_true("Ready"),
        resource.is_true("Expired"),
        resource.annotations,
        *(resource.status.get(name) for name in _READ_BY_OTHERS),
    )


def _used(resource: Resource) -> tuple[Key, ...]:
    """Return what a resource names: its AWSAccount and its references."""
    kind = BY_NAME.get(resource.key.kind)
    if kind is None:
        return ()
    named = references.named(kind, resource)
    account = references.account_of(resource)
    return (*((account,) if account else ()), *(name.key for name in named))


def _interests(resource: Resource) -> Iterator[Topic]:
    """Yield what a resource wants to hear of."""
    for key in _used(resource):
        yield _itself(key)
    status = resource.status
    yield from _looked_for(resource)
    if quotas.is_queued(resource):
        yield _line(resource.key.kind)
    if plans.is_awaited(resource) or quotas.is_queued(resource):
        yield ("spending", resource.spec.get(references.MEMBERSHIP_IDENTIFIER, ""))
    if paying.is_held(resource) or _is_undeliverable(resource):
        yield ("payers", status.get("collaborationIdentifier", ""))
    if resource.key.kind == _MEMBERSHIP and (identifier := status.get("collaborationIdentifier")):
        yield ("collaboration", identifier)
        yield ("under", status.get("identifier", ""))
    if resource.key.kind == _COLLABORATION and (identifier := status.get("identifier")):
        yield ("memberships", identifier)


def _is_undeliverable(resource: Resource) -> bool:
    """Whether a run may wait for who is to receive its output, and for nothing that it names."""
    return resource.status.get("identifier") is None and resource.is_false(RESOLVED)


def _topics(resource: Resource) -> Iterator[Topic]:
    """Yield what a change of a resource is about."""
    yield _itself(resource.key)
    status = resource.status
    yield _shared(resource.key.kind, status.get("accountID", ""), _name(resource))
    if resource.key.kind == _COLLABORATION and (identifier := status.get("identifier")):
        yield from (("collaboration", identifier), ("payers", identifier))
    if resource.key.kind == _MEMBERSHIP and (identifier := status.get("collaborationIdentifier")):
        yield from (("memberships", identifier), ("payers", identifier))
        yield ("spending", status.get("identifier", ""))


def _itself(key: Key) -> Topic:
    return ("resource", key.kind, key.namespace, key.name)


def _looked_for(resource: Resource) -> Iterator[Topic]:
    """Yield what a resource that has no object yet looks for among what others have made."""
    kind = BY_NAME.get(resource.key.kind)
    if kind is None or resource.status.get("identifier") is not None:
        return
    for one in references.stand_ins(kind, resource):
        if isinstance(one.how, Lookup):
            yield _shared(one.how.kind, one.value["creatorAccountId"], one.value["name"])


def _shared(kind: str, creator: str, name: str) -> Topic:
    return ("shared", kind, creator, name)


def _name(resource: Resource) -> str:
    """Return the name in AWS."""
    name: str = resource.spec.get("name") or resource.key.name
    return name
