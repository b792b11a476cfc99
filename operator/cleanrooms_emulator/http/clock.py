"""The wall, an emulated clock that runs faster than it, and identifiers by chance."""

import time
import uuid
from datetime import UTC, datetime, timedelta


class WallClock:
    """The time of day as of the start, carried on by a clock that never goes back."""

    def __init__(self) -> None:
        """Read the time of day, this once."""
        self._offset = time.time() - time.monotonic()  # noqa: TID251 - this is the clock

    def __call__(self) -> float:
        """Return the seconds since the epoch."""
        return time.monotonic() + self._offset


class ScaledClock:
    """Emulated time: `speed` times as fast as the wall's, from `start` on or the present."""

    def __init__(self, wall: WallClock, speed: float, start: datetime | None = None) -> None:
        """Start at once."""
        self._wall = wall
        self._speed = speed
        self._since = wall()
        self._then = start or datetime.fromtimestamp(self._since, UTC)

    def now(self) -> datetime:
        """Return the emulated moment."""
        return self._then + timedelta(seconds=(self._wall() - self._since) * self._speed)

    @property
    def speed(self) -> float:
        """How many emulated seconds a second of the wall has; 0 while the clock is stopped."""
        return self._speed

    def run(self, speed: float) -> None:
        """Go on at another speed; 0 stops the clock."""
        self.set(self.now())
        self._speed = speed

    def set(self, moment: datetime) -> None:
        """Go on from another moment."""
        self._then, self._since = moment, self._wall()

    def step(self, delta: timedelta) -> None:
        """Put the clock forward."""
        self.set(self.now() + delta)


class RandomIds:
    """UUIDs as everybody makes them."""

    def uuid(self) -> str:
        """Return a UUID."""
        return str(uuid.uuid4())  # noqa: TID251 - this is where ids come from
