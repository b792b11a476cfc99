"""What a pass needs from the world. The edges implement these; a simulation drives them by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.kind import Listing
from cleanrooms_operator.core.ownership import Owner
from cleanrooms_operator.core.pace import Pace
from cleanrooms_operator.core.quotas import Limits
from cleanrooms_operator.core.resource import Document, Key, Resource
from cleanrooms_operator.core.sources import Contents


@dataclass(frozen=True, slots=True)
class Via:
    """A role that is assumed on the way to another."""

    role_arn: str
    external_id: str | None


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose credentials sign a request, and where it goes."""

    account: str
    """The 12-digit account that the credentials must belong to, which the gateway proves."""
    region: str
    role_arn: str | None = None
    """None: the operator's own identity."""
    external_id: str | None = None
    endpoint_profile: str | None = None
    """Name of a set of endpoints in the operator's settings; None: AWS's own."""
    via: tuple[Via, ...] = ()
    """The roles that are assumed before `role_arn`, each with the keys of the one before."""


class NotSentError(Exception):
    """The request was dropped before it was signed: its send window or the lease was over."""


class PacedError(Exception):
    """No request may be sent to this operation yet: look again after `seconds`."""

    def __init__(self, operation: str, seconds: float) -> None:
        super().__init__(f"{operation} is paced for {seconds:.1f} s")
        self.seconds = seconds


class StaleError(Exception):
    """The Kubernetes resource changed since it was read, or is gone: start a new pass."""


class UnreadableError(Exception):
    """The operator may not read a ConfigMap or Secret; the text says so, and tells no value."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a complete, successful List of one scope showed."""

    started: float
    """`Clock.elapsed()` before its first page was asked for."""
    items: tuple[Document, ...]
    pages: int = 1
    """How many requests it took."""


class Service(Protocol):
    """The AWS side. Every method may raise `ServiceError` and `PacedError`."""

    async def reserve(self, identity: Identity, service: str, operation: str) -> None:
        """Take one request of that operation from the rate, for a `call` with `reserved`.

        Raises `PacedError` at once when that would take long.
        """
        ...

    async def call(  # noqa: PLR0913  one request, flat
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
        """Send one request, once if it is not a read, and return its answer.

        With `not_after` (of `Clock.elapsed()`), the request is signed before that moment
        and with the lease held, or `NotSentError` is raised and nothing is sent. A `background`
        request leaves a fifth of its rate to those that people wait for.
        """
        ...

    async def sighting(
        self, identity: Identity, listing: Listing, scope: Document, since: float
    ) -> Sighting:
        """Return a sighting that started at `since` or later; shared, one flight at a time."""
        ...

    async def aws_time(self, identity: Identity) -> datetime | None:
        """Return the time that AWS told with its latest answer in the identity's region."""
        ...


class Cluster(Protocol):
    """The Kubernetes side. Every write may raise `StaleError`."""

    async def read(self, key: Key) -> Resource | None:
        """Return the resource as the cache holds it, or None when it does not exist."""
        ...

    async def read_source(self, key: Key) -> Contents | None:
        """Ask the API server for the entries of a ConfigMap or Secret; None if there is none.

        Raises `UnreadableError` where the operator may not read it.
        """
        ...

    async def confirm(self, resource: Resource) -> None:
        """Ask the API server itself (a quorum read) that `resource` is still this version."""
        ...

    async def list(self, kind: str, namespace: str | None = None) -> tuple[Resource, ...]:
        """Return the cached resources of a kind, of one namespace or of all that are watched."""
        ...

    async def write_status(self, resource: Resource, changes: Document) -> Resource:
        """Merge `changes` into `.status` (None removes), with the version as precondition."""
        ...

    async def hold(self, resource: Resource) -> Resource:
        """Put our finalizer on, with the version as precondition."""
        ...

    async def release(self, resource: Resource) -> None:
        """Take our finalizer off."""
        ...


class Clock(Protocol):
    """Time, in two kinds that are never mixed."""

    def now(self) -> datetime:
        """Return the wall clock's time, with a time zone: for status, never compared with AWS's."""
        ...

    def elapsed(self) -> float:
        """Return seconds of a clock that never goes back and runs on while suspended."""
        ...


class Ids(Protocol):
    """Chance, as a port."""

    def attempt(self) -> str:
        """Return a new id for an attempt: 20 to 36 characters of [a-z0-9-]."""
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """What whoever runs the operator decided; the same for all passes."""

    owner: Owner
    pace: Pace = field(default_factory=Pace)
    own_identity_namespaces: tuple[str, ...] = ()
    """Patterns of namespaces whose AWSAccounts may use the operator's own identity."""
    role_patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Pattern of namespaces -> patterns of role ARNs that their AWSAccounts may assume."""
    endpoint_profiles: frozenset[str] = frozenset()
    hash_key: bytes = field(default=b"", repr=False)
    """The key of the hashes in status: without it nobody can try out what was hashed."""
    quotas: Limits = field(default_factory=Limits)
    """How many runs an account may have at once, until AWS says otherwise."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The whole world, as a pass sees it."""

    cluster: Cluster
    service: Service
    clock: Clock
    ids: Ids
    policy: Policy


__all__ = [
    "Clock",
    "Cluster",
    "Failure",
    "Identity",
    "Ids",
    "NotSentError",
    "Pace",
    "PacedError",
    "Policy",
    "Ports",
    "Service",
    "ServiceError",
    "Sighting",
    "StaleError",
    "UnreadableError",
]
