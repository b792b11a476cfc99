"""What whoever runs the operator can set about its requests to AWS."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cleanrooms_operator.aws.rates import Rate


@dataclass(frozen=True, slots=True)
class Settings:
    """How requests are sent; times in seconds."""

    endpoint_profiles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Profile -> service ("cleanrooms", "cleanroomsml", "sts") -> URL; without one, AWS's own."""
    rates: Mapping[str, Rate] = field(default_factory=dict)
    """Pattern such as "cleanrooms.List*" -> rate; the first that matches overrides the default."""
    threads: int = 32
    threads_per_identity: int = 8
    """How many of the threads one identity may keep busy, so that one that hangs stops no other."""
    connect_timeout: float = 5.0
    read_timeout: float = 20.0
    patience: float = 2.0
    """How long a call waits for its turn before it is put off with PacedError."""
    sighting_patience: float = 5.0
    """How long a pass waits for a List before it is put off; the List itself goes on."""
    failure_memory: float = 5.0
    """How long a failed List, or failed credentials, answer for the next who ask the same."""


def _ignore(*_: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Observer:
    """Who wants to know about requests. Both are called from any thread."""

    on_request: Callable[[str, str, str, str, float], None] = _ignore
    """(account, service, operation, "OK" or the error's code, seconds)."""
    on_wait: Callable[[str, str, str, float], None] = _ignore
    """(account, service, operation, seconds that its rate made it wait)."""


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the gateway needs from the process that it runs in. All are called from any thread."""

    elapsed: Callable[[], float]
    """`Clock.elapsed()`."""
    lease_held: Callable[[], bool] = _always
    """Whether this process still leads; always, where there is no election."""
    observer: Observer = Observer()
