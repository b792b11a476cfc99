"""What was asked and what was answered: how a test counts calls."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

CAPACITY = 100_000

ANSWERED_OK = "OK"
ANSWERED_CUT = "cut"


@dataclass(frozen=True, slots=True)
class Record:
    """One request.

    `emulated` is the emulated moment and `wall` the wall's, in seconds since the epoch.
    `applied` says whether it took effect, or was read, whatever the client saw of it; `created` is
    the ARN or identifier of what a create made. `answered` is "OK", an error code, "cut", or None
    for a connection that was left silent.
    """

    sequence: int
    emulated: datetime
    wall: float
    account: str
    principal: str
    region: str
    service: str
    operation: str
    parameters: Mapping[str, Any]
    applied: bool
    created: str | None
    answered: str | None
    invocation_id: str | None
    attempt: str | None


class RequestLog:
    """The last requests, oldest first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Start empty; the oldest records go when there are more than `capacity`."""
        self._records: deque[Record] = deque(maxlen=capacity)
        self._sequence = 0

    def next_sequence(self) -> int:
        """Return the number of the next record; the first is 1."""
        self._sequence += 1
        return self._sequence

    def append(self, record: Record) -> None:
        """Add a record, whose sequence is the latest."""
        self._records.append(record)

    def since(self, sequence: int = 0) -> list[Record]:
        """Return the records after that one, of those that are still held."""
        return [record for record in self._records if record.sequence > sequence]
