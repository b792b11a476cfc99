"""Time and identifiers that a program turns by hand: nothing moves by itself, nothing is chance."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""When virtual time begins, unless it is told otherwise."""


class VirtualTime:
    """An emulated clock and the wall beside it; the emulated one runs `speed` times as fast."""

    def __init__(self, start: datetime = EPOCH, speed: float = 1.0) -> None:
        """Begin with both at `start`."""
        self._now = start
        self._wall = start.timestamp()
        self._speed = speed

    def now(self) -> datetime:
        """Return the emulated moment."""
        return self._now

    def wall(self) -> float:
        """Return the wall's seconds since the epoch."""
        return self._wall

    def elapse(self, seconds: float) -> None:
        """Let `seconds` of wall time pass, and the emulated clock run on as long."""
        self._wall += seconds
        self._now += timedelta(seconds=seconds * self._speed)

    def step(self, delta: timedelta) -> None:
        """Put the emulated clock forward while the wall stands still."""
        self._now += delta


class CountedIds:
    """UUIDs that count up, so that two runs of one history give the same names."""

    def __init__(self) -> None:
        """Begin at one."""
        self._count = 0

    def uuid(self) -> str:
        """Return the next UUID."""
        self._count += 1
        return f"{self._count:08x}-0000-4000-8000-{self._count:012x}"
