"""When to look again, and how urgent that is."""

import hashlib
from dataclasses import dataclass
from enum import IntEnum


class Urgency(IntEnum):
    """What comes first when there is more to do than may be done."""

    CHANGE = 0
    """Somebody changed or deleted the resource."""
    PROGRESS = 1
    """Something is under way."""
    DRIFT = 2
    """All is well; look whether it still is."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The intervals of observation and proof, in seconds."""

    list_interval: float = 600.0
    detail_interval: float = 3600.0
    settle: float = 420.0
    """How long a lost create may still appear: signature life + read timeout + list lag."""
    send_window: float = 10.0
    """How long after an attempt was written its request may be signed."""
    progress_interval: float = 15.0
    """How often what is under way in AWS is looked at."""
    denied_grace: float = 300.0
    """How long AccessDenied is taken for IAM that has not spread yet."""
    release_limit: float = 3600.0
    """How long a deletion waits under a membership that is not active (rule R-38)."""


def spread(uid: str) -> float:
    """Return a resource's place in an interval, in [0, 1): always the same one."""
    return int.from_bytes(hashlib.sha256(uid.encode()).digest()[:4]) / 2**32


def next_turn(uid: str, after: float, interval: float) -> float:
    """Return a resource's first turn later than `after`: it has one in every interval."""
    place = spread(uid) * interval
    return after + interval - (after - place) % interval


def reluctance(times: int, pace: Pace) -> float:
    """Return seconds after which is tried again what AWS began `times` times and gave up."""
    return min(pace.list_interval * 2.0 ** min(max(times - 1, 0), 64), pace.detail_interval)


def patience(waits: int, pace: Pace) -> float:
    """Return seconds until the next look after `waits` looks in vain: growing, and bounded."""
    return min(pace.progress_interval * 1.5 ** min(waits, 64), pace.list_interval)
