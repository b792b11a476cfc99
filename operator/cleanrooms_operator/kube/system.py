"""Time and chance of the real world: what passes know as `Clock` and `Ids`."""

import asyncio
import time
import uuid
from datetime import UTC, datetime


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Return the wall clock's time, in UTC."""
        return datetime.now(UTC)  # noqa: TID251  the edge: this is the clock that others ask

    def elapsed(self) -> float:
        """Return seconds since the machine started, those that it was suspended included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)


class RandomIds:
    """Ids that nobody had before."""

    def attempt(self) -> str:
        """Return 32 hexadecimal digits."""
        return uuid.uuid4().hex  # noqa: TID251  the edge: this is where ids come from


async def pause(seconds: float) -> None:
    """Do nothing for a while; only loops that have no event to wait for need it."""
    await asyncio.sleep(seconds)  # noqa: TID251  the one place that sleeps
