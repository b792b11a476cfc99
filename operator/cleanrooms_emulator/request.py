"""What the wire and the behaviour of the emulator tell each other.

A request comes in as a value, is answered by the method of a backend that has its name in snake
case, and goes out as a value or as a `ServiceError`. The method takes the caller and validated
parameters, and returns Python values as the model's output shape wants them, absent members
omitted; None never stands for absence. Nothing here knows HTTP, and nothing here waits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

Document = dict[str, Any]
"""A result or a structure within it, keyed as the model names its members."""

Wall = Callable[[], float]
"""Seconds since the epoch that never go back: what rates, delays, lags and expiry run in."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and in which region; `principal` is the ARN that GetCallerIdentity shows."""

    account: str
    principal: str
    region: str


@dataclass(frozen=True, slots=True)
class Request:
    """One call of an operation.

    `service` is the name of its boto3 client ("cleanrooms", "cleanroomsml", "sts").
    `parameters` are Python values under the model's names: timestamps are aware datetimes, ARNs
    are decoded. `invocation_id` and `attempt` are the headers amz-sdk-invocation-id and
    amz-sdk-request.
    """

    caller: Caller
    service: str
    operation: str
    parameters: Mapping[str, Any]
    invocation_id: str | None = None
    attempt: str | None = None


class ServiceError(Exception):
    """An error answer: a code, a message, and the members that its shape has besides.

    `status` is given only where it differs from the one that the model states for the code.
    """

    def __init__(
        self, code: str, message: str, *, status: int | None = None, **members: object
    ) -> None:
        """Keep the answer; `members` are named as in the model (resourceId, quotaName ...)."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members: Mapping[str, object] = members


class Clock(Protocol):
    """Emulated time."""

    def now(self) -> datetime:
        """Return the emulated moment, aware, in UTC."""
        ...


class Ids(Protocol):
    """A source of identifiers, the same in every run of a test."""

    def uuid(self) -> str:
        """Return a lower-case UUID that was never returned before."""
        ...


Answer = Callable[[Caller, Mapping[str, Any]], Mapping[str, Any]]
"""One operation of a backend, found as `getattr(backend, "create_collaboration")`."""
