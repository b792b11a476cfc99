"""Wait for a condition, never for a while."""

import time
from collections.abc import Callable
from typing import TypeVar

from cleanrooms_playground.errors import NotInTimeError

T = TypeVar("T")

POLL_SECONDS = 0.1


def wait_for(
    what: str,
    condition: Callable[[], T],
    timeout_seconds: float = 60,
    poll_seconds: float = POLL_SECONDS,
) -> T:
    """Return the first truthy answer of `condition`, which is asked every `poll_seconds`.

    It is asked at least once. `what` completes the sentence "waited 60 s for …" of the
    `NotInTimeError` that is raised when the time is over.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            message = f"waited {timeout_seconds:g} s for {what}; last seen: {answer!r}"
            raise NotInTimeError(message)
        time.sleep(poll_seconds)
