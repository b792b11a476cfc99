"""Ports whose answers a test writes down: for one pass, or for one stage of it.

Where the simulation lets a whole world answer, here a table does: what AWS says to each operation,
what its Lists show, and which resources there are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import make
from cleanrooms_operator.core.kind import Kind, Listing
from cleanrooms_operator.core.ownership import Owner
from cleanrooms_operator.core.references import parameters
from cleanrooms_operator.core.resource import FINALIZER, Document, Key, Resource
from cleanrooms_operator.runtime.memory import Recall
from cleanrooms_operator.runtime.ports import (
    Identity,
    PacedError,
    Policy,
    Ports,
    Sighting,
    StaleError,
)
from cleanrooms_operator.runtime.view import View

IDENTITY = Identity(make.ACCOUNT, make.REGION)
START = 10_000.0
"""What `elapsed` says at first."""


@dataclass
class Clock:
    """A clock that stands still until it is told to go on."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return make.NOW + timedelta(seconds=self.seconds)

    def elapsed(self) -> float:
        return START + self.seconds


@dataclass
class Cluster:
    """The resources that there are, and what was done to them."""

    resources: dict[Key, Resource] = field(default_factory=dict)
    changes: list[Any] = field(default_factory=list)
    """In order: status changes as documents, `hold`, `release`, `confirm` as words."""
    stale: bool = False
    """Whether a write meets a newer version."""
    sources: dict[Key, Any] = field(default_factory=dict)
    """What ConfigMaps and Secrets hold, or the error that they raise."""

    async def read(self, key: Key) -> Resource | None:
        return self.resources.get(key)

    async def list(self, kind: str, namespace: str | None = None) -> tuple[Resource, ...]:
        return tuple(
            resource
            for key, resource in self.resources.items()
            if key.kind == kind and namespace in {None, key.namespace}
        )

    async def read_source(self, key: Key) -> Any:
        found = self.sources.get(key)
        if isinstance(found, Exception):
            raise found
        return found

    async def confirm(self, resource: Resource) -> None:
        self._check(resource)
        self.changes.append("confirm")

    async def write_status(self, resource: Resource, changes: Document) -> Resource:
        self._check(resource)
        self.changes.append(dict(changes))
        merged = {**resource.status, **changes}
        status = {name: value for name, value in merged.items() if value is not None}
        return self._put(replace(resource, status=status))

    async def hold(self, resource: Resource) -> Resource:
        self._check(resource)
        self.changes.append("hold")
        return self._put(replace(resource, finalizers=(FINALIZER,)))

    async def release(self, resource: Resource) -> None:
        self.changes.append("release")
        self._put(replace(resource, finalizers=()))

    def _check(self, resource: Resource) -> None:
        if self.stale or self.resources[resource.key].version != resource.version:
            raise StaleError

    def _put(self, resource: Resource) -> Resource:
        written = replace(resource, version=str(int(resource.version) + 1))
        self.resources[resource.key] = written
        return written


@dataclass
class AWS:
    """What AWS says to each operation; what is asked that nobody wrote down fails the test.

    An answer is a document, an error to raise, a function of the parameters, or a list of these,
    of which each call takes one.
    """

    clock: Clock
    answers: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, list[Document]] = field(default_factory=dict)
    """List operation -> the summaries that it shows."""
    age: float = 0.0
    """Seconds by which a sighting is older than now, where that is allowed."""
    time: datetime | None = None
    """What AWS's latest answer told of its clock."""
    pages: int = 1
    """Of each List."""
    paced: float = 0.0
    """Seconds for which no request may be reserved."""
    signed_before: float | None = None
    """When the last call had to be signed, if that mattered."""
    calls: list[tuple[str, Document]] = field(default_factory=list)
    sightings: list[tuple[str, float]] = field(default_factory=list)
    """(operation, since) of every sighting that was asked for."""

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    def sent(self, operation: str) -> list[Document]:
        """Return the parameters of the calls of an operation."""
        return [asked for called, asked in self.calls if called == operation]

    async def reserve(self, identity: Identity, service: str, operation: str) -> None:
        del identity, service
        self.calls.append(("reserve", {"operation": operation}))
        if self.paced:
            raise PacedError(operation, self.paced)

    async def call(  # noqa: PLR0913  the port's own signature
        self,
        identity: Identity,
        service: str,
        operation: str,
        parameters: Document,
        *,
        reserved: bool = False,
        not_after: float | None = None,
        background: bool = False,
    ) -> Document:
        del identity, service, background
        assert reserved is (not_after is not None), "creates alone are reserved and dated"
        self.calls.append((operation, dict(parameters)))
        self.signed_before = not_after
        answer: Any = self.answers[operation]
        if isinstance(answer, list):
            answer = answer.pop(0)
        return _given(answer, parameters)

    async def aws_time(self, _identity: Identity) -> datetime | None:
        return self.time

    async def sighting(
        self, identity: Identity, listing: Listing, scope: Document, since: float
    ) -> Sighting:
        del identity, scope
        now = self.clock.elapsed()
        assert since <= now, "nobody can ask for a List of the future"
        self.sightings.append((listing.operation, since))
        shown: Any = self.lists[listing.operation]
        if isinstance(shown, Exception):
            raise shown
        return Sighting(max(since, now - self.age), tuple(shown), self.pages)


def _given(answer: Any, parameters: Document) -> Document:
    if isinstance(answer, Exception):
        raise answer
    if isinstance(answer, Callable):  # type: ignore[arg-type]  the class of all that can be called
        answer = answer(parameters)
    given: Mapping[str, Any] = answer
    return given


@dataclass
class Ids:
    """Attempts are numbered."""

    count: int = 0

    def attempt(self) -> str:
        self.count += 1
        return f"attempt-{self.count:012d}"


@dataclass
class Desk:
    """All ports of a pass, and what they have been asked."""

    clock: Clock
    aws: AWS
    cluster: Cluster
    ports: Ports

    @property
    def written(self) -> dict[str, Any]:
        """The status fields that were written, the last value of each."""
        documents = [change for change in self.cluster.changes if isinstance(change, dict)]
        return {name: value for document in documents for name, value in document.items()}


def desk(*resources: Resource, **policy: Any) -> Desk:
    """Return ports over these resources, where AWS has no answers yet."""
    clock = Clock()
    aws, cluster = AWS(clock), Cluster({resource.key: resource for resource in resources})
    usual = {"owner": Owner("cluster-1"), "own_identity_namespaces": ("*",)}
    rules = Policy(**usual | {"hash_key": make.HASH_KEY} | policy)
    return Desk(clock, aws, cluster, Ports(cluster, aws, clock, Ids(), rules))


def recall(**over: Any) -> Recall:
    """Return a memory of a Thing that was looked at a minute ago."""
    made = Recall(
        uid="uid-1",
        seen=START - 600,
        stale=False,
        generation=make.GENERATION,
        taken=START - 60,
    )
    return replace(made, **over)


def view(at: Desk, resource: Resource, kind: Kind | None = None, **over: Any) -> View:
    """Return what the stages of a pass over a resource share; the desk knows the resource."""
    at.cluster.resources[resource.key] = resource
    looked_at = kind or make.kind()
    made = View(
        kind=looked_at,
        resource=resource,
        identity=IDENTITY,
        parameters=parameters(looked_at, resource, {}),
        ports=at.ports,
        recall=recall(),
        neighbours={},
    )
    return replace(made, **over)
