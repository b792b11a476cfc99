"""What can go wrong between a client and the service, on demand.

A fault names the calls that it strikes and what happens to them. Whether the request was applied
is the point of each: a client must tell apart what proves that nothing happened from what proves
nothing at all.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cleanrooms_emulator.model import Operation
from cleanrooms_emulator.request import Request, ServiceError


class FaultKind(StrEnum):
    """What happens to a call."""

    THROTTLE = "throttle"
    """Refused with ThrottlingException, status 429 or 400."""
    DENY = "deny"
    """Refused with AccessDeniedException."""
    LOSE_REQUEST = "lose-request"
    """Not applied: the connection is cut, or a 5xx comes."""
    LOSE_RESPONSE = "lose-response"
    """Applied: the connection is cut, or a 5xx comes."""
    GARBAGE = "garbage"
    """Applied: a 200 comes whose body is no JSON at all."""
    TRUNCATE = "truncate"
    """Applied: a 200 comes with half of its body."""
    HTML = "html"
    """Not applied: a page of a proxy comes, status 403 or 503, without an error header."""
    DELAY = "delay"
    """Applied only after some seconds, also if the client has gone meanwhile."""
    DELAY_RESPONSE = "delay-response"
    """Applied at once, answered after some seconds."""
    LAG = "lag"
    """A read that shows what was there some seconds ago."""


_STATUSES: Mapping[FaultKind, tuple[int | None, ...]] = {
    FaultKind.THROTTLE: (429, 400),
    FaultKind.LOSE_REQUEST: (None, 500, 503),
    FaultKind.LOSE_RESPONSE: (None, 500, 503),
    FaultKind.HTML: (403, 503),
}
"""The statuses that a kind can have, the default first."""

_TIMED = {FaultKind.DELAY, FaultKind.DELAY_RESPONSE, FaultKind.LAG}
_CUTTING = {FaultKind.LOSE_REQUEST, FaultKind.LOSE_RESPONSE}

BEFORE = (FaultKind.THROTTLE, FaultKind.DENY, FaultKind.LOSE_REQUEST, FaultKind.HTML)
AFTER = (FaultKind.LOSE_RESPONSE, FaultKind.GARBAGE, FaultKind.TRUNCATE)
DURING = (*BEFORE, *AFTER, FaultKind.LAG)


class Fault(BaseModel):
    """One fault: which calls it strikes, from which on, how many, and how.

    `operation` is a name or a pattern such as `List*`. Of the calls that match, the `first`-th and
    the `count - 1` after it are struck; without `count`, all that follow. `seconds`, of wall time,
    is how long a delay or lag is, or how long a lost answer keeps the connection open.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    operation: str = "*"
    service: Literal["cleanrooms", "cleanroomsml", "sts"] | None = None
    account: str | None = None
    first: Annotated[int, Field(ge=1)] = 1
    count: Annotated[int, Field(ge=1)] | None = None
    status: int | None = None
    seconds: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        statuses = _STATUSES.get(self.kind, (None,))
        if self.status not in (None, *statuses):
            message = f"{self.kind} cannot have status {self.status}"
            raise ValueError(message)
        if bool(self.seconds) and self.kind not in _TIMED | _CUTTING:
            message = f"{self.kind} takes no seconds"
            raise ValueError(message)
        if not self.seconds and self.kind in _TIMED:
            message = f"{self.kind} needs seconds"
            raise ValueError(message)
        return self

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the fault that `kind=throttle,operation=List*,count=2` describes.

        Raises pydantic.ValidationError (a ValueError) on anything else.
        """
        pairs = (part.partition("=") for part in text.split(","))
        return cls.model_validate({name.strip(): value.strip() for name, _, value in pairs})

    def matches(self, request: Request) -> bool:
        """Tell whether the fault is meant for such calls."""
        return (
            fnmatchcase(request.operation, self.operation)
            and self.service in (None, request.service)
            and self.account in (None, request.caller.account)
        )

    @property
    def answer_status(self) -> int | None:
        """Return the status of the answer, None where none comes."""
        return self.status or _STATUSES.get(self.kind, (None,))[0]


class AnswerLostError(Exception):
    """The client gets no answer that it can read; `applied` says what it cannot know."""

    def __init__(self, *, applied: bool) -> None:
        """Say whether the request took effect."""
        super().__init__("applied" if applied else "not applied")
        self.applied = applied


class ConnectionCutError(AnswerLostError):
    """The connection ends without an answer, after being silent for some seconds."""

    def __init__(self, *, applied: bool, silent_seconds: float) -> None:
        """Say how long the client is kept waiting."""
        super().__init__(applied=applied)
        self.silent_seconds = silent_seconds


class DamagedAnswerError(AnswerLostError):
    """An answer comes that is not the service's, or not all of it."""

    def __init__(self, kind: FaultKind, status: int, result: Mapping[str, Any] | None) -> None:
        """Keep what the answer would have been; None if the request was not applied."""
        super().__init__(applied=result is not None)
        self.kind = kind
        self.status = status
        self.result = result


@dataclass(slots=True)
class ArmedFault:
    """A fault in force, and how many calls it has matched and struck."""

    number: int
    fault: Fault
    matched: int = 0
    struck: int = 0

    def strikes(self, request: Request) -> bool:
        """Count the call, and tell whether the fault strikes it."""
        if not self.fault.matches(request):
            return False
        self.matched += 1
        turn = self.matched - self.fault.first
        if turn < 0 or (self.fault.count is not None and turn >= self.fault.count):
            return False
        self.struck += 1
        return True


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        """Start with none."""
        self._armed: dict[int, ArmedFault] = {}
        self._last = 0

    def add(self, fault: Fault) -> ArmedFault:
        """Put a fault in force, and return it with its number."""
        self._last += 1
        armed = self._armed[self._last] = ArmedFault(self._last, fault)
        return armed

    def remove(self, number: int) -> bool:
        """Lift the fault of that number; False if there is none."""
        return self._armed.pop(number, None) is not None

    def clear(self) -> None:
        """Lift all faults."""
        self._armed.clear()

    def armed(self) -> list[ArmedFault]:
        """Return the faults in force."""
        return list(self._armed.values())

    def strike(self, request: Request, kinds: Collection[FaultKind]) -> list[Fault]:
        """Return the faults of these kinds that strike this call, and count it for each."""
        candidates = [armed for armed in self._armed.values() if armed.fault.kind in kinds]
        return [armed.fault for armed in candidates if armed.strikes(request)]

    @property
    def longest_lag(self) -> float:
        """Return how many seconds of the past are shown to somebody."""
        return max(
            (a.fault.seconds for a in self.armed() if a.fault.kind is FaultKind.LAG), default=0
        )


def seconds_of(faults: Collection[Fault], kind: FaultKind) -> float:
    """Return the seconds of the faults of that kind, added up."""
    return sum(fault.seconds for fault in faults if fault.kind is kind)


def prevent(faults: Collection[Fault], request: Request, operation: Operation) -> None:
    """Raise what the first of `faults` makes of a request before it is applied, if any does."""
    for fault in faults:
        match fault.kind:
            case FaultKind.THROTTLE:
                raise throttling(fault.answer_status)
            case FaultKind.DENY:
                raise denial(request, operation)
            case FaultKind.LOSE_REQUEST:
                raise _loss(fault, applied=False)
            case FaultKind.HTML:
                raise DamagedAnswerError(fault.kind, fault.answer_status or 503, None)
            case _:
                pass


def lose(faults: Collection[Fault], result: Mapping[str, Any] | None) -> None:
    """Raise what the first of `faults` makes of an answer, if any does.

    `result` is None where the request was refused: then nothing was applied, and a damaged
    success would be a lie.
    """
    for fault in faults:
        match fault.kind:
            case FaultKind.LOSE_RESPONSE:
                raise _loss(fault, applied=result is not None)
            case FaultKind.GARBAGE | FaultKind.TRUNCATE if result is not None:
                raise DamagedAnswerError(fault.kind, 200, result)
            case _:
                pass


def throttling(status: int | None) -> ServiceError:
    """Return the refusal of a call over its rate; status None is the model's."""
    return ServiceError("ThrottlingException", "Rate exceeded", status=status)


def denial(request: Request, operation: Operation) -> ServiceError:
    """Return the refusal of a call that the caller's policies do not allow."""
    message = f"User: {request.caller.principal} is not authorized to perform: {operation.name}"
    shape = operation.errors.get("AccessDeniedException")
    if shape is not None and "reason" in shape.members:
        return ServiceError("AccessDeniedException", message, reason="INSUFFICIENT_PERMISSIONS")
    return ServiceError("AccessDeniedException", message)


def _loss(fault: Fault, *, applied: bool) -> Exception:
    match fault.answer_status:
        case 500:
            return ServiceError("InternalFailure", "The request processing has failed.")
        case 503:
            return ServiceError("ServiceUnavailable", "The service is not available.")
        case _:
            return ConnectionCutError(applied=applied, silent_seconds=fault.seconds)
