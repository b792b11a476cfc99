"""How often an operation may be called: one token bucket for each, that yields when AWS throttles.

Pure: the moment is an argument. Source of the rates: the quota pages of both services' user
guides, 2026; they hold per account and region. A burst is stated for few operations; elsewhere it
is assumed to be one second's worth.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType

from cleanrooms_operator.runtime.ports import PacedError

BACKGROUND_SHARE = 0.8
"""The part of a rate that drift detection may use (rule R-21)."""
FLOOR_SHARE = 0.1
"""The part of a rate below which throttles do not push it."""
RECOVERY_SECONDS = 60.0
"""How long a rate takes from nothing back to its quota."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests a second in the long run, and how many may go at once."""

    per_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class Metered:
    """What has a rate of its own."""

    account: str
    region: str
    service: str
    operation: str


_CLEANROOMS = Rate(5, 5)
_CLEANROOMS_FASTER = Rate(20, 20)
_FAST = Rate(50, 50)
_MODERATE = Rate(10, 10)
_ENDING = Rate(2, 10)
_RUNNING = Rate(1, 3)
_STS = Rate(20, 20)
"""Assumption: well below what STS allows."""

_LISTED: Mapping[str, Rate] = MappingProxyType(
    {
        "cleanrooms.GetConfiguredTable": _CLEANROOMS_FASTER,
        "cleanrooms.GetProtectedQuery": _CLEANROOMS_FASTER,
        "cleanrooms.*": _CLEANROOMS,
        "cleanroomsml.CreateTrainedModel": _RUNNING,
        "cleanroomsml.StartTrainedModelInferenceJob": _RUNNING,
        "cleanroomsml.Get*": _FAST,
        "cleanroomsml.List*": _FAST,
        "cleanroomsml.UntagResource": _FAST,
        # Assumption: the rates of DeleteMLInputChannelData and Cancel* are not listed.
        "cleanroomsml.Delete*": _ENDING,
        "cleanroomsml.Cancel*": _ENDING,
        # Assumption: that of CreateMLInputChannel is not listed.
        "cleanroomsml.*": _MODERATE,
        "sts.*": _STS,
    }
)


def rate_of(service: str, operation: str, overrides: Mapping[str, Rate]) -> Rate:
    """Return the rate of an operation; the first pattern that matches decides."""
    name = f"{service}.{operation}"
    patterns = (*overrides.items(), *_LISTED.items())
    return next(rate for pattern, rate in patterns if fnmatchcase(name, pattern))


class _Tokens:
    """Requests that may go now; below zero, those that wait already."""

    def __init__(self, capacity: float, share: float, now: float) -> None:
        self._capacity = max(1.0, capacity * share)
        self._share = share
        self._at = now
        self.left = self._capacity

    def refill(self, now: float, speed: float) -> None:
        earned = (now - self._at) * speed * self._share
        self.left = min(self._capacity, self.left + earned)
        self._at = now

    def wait(self, speed: float) -> float:
        return max(0.0, (1.0 - self.left) / (speed * self._share))


class Bucket:
    """The requests of one operation: additive increase, multiplicative decrease."""

    def __init__(self, rate: Rate, now: float) -> None:
        self._quota = rate.per_second
        # One less than AWS grants: a request that overtakes another still finds a token there.
        capacity = max(1.0, rate.burst - 1.0)
        self._all = _Tokens(capacity, 1.0, now)
        self._background = _Tokens(capacity, BACKGROUND_SHARE, now)
        self._cut_to = self._quota
        self._cut_at = -math.inf

    def speed(self, now: float) -> float:
        """Return the requests a second that are tried at that moment."""
        if self._cut_at == -math.inf:
            return self._quota
        recovered = self._quota * (now - self._cut_at) / RECOVERY_SECONDS
        return min(self._quota, self._cut_to + recovered)

    def wait(self, now: float, *, background: bool) -> float:
        """Return the seconds until a request taken now may be sent."""
        speed = self.speed(now)
        self._all.refill(now, speed)
        self._background.refill(now, speed)
        wait = self._all.wait(speed)
        return max(wait, self._background.wait(speed)) if background else wait

    def take(self, *, background: bool) -> None:
        """Take the request that `wait` was asked for."""
        self._all.left -= 1
        if background:
            self._background.left -= 1

    def throttled(self, sent: float, now: float) -> None:
        """Halve the speed, once for all requests that were under way together."""
        if sent <= self._cut_at:
            return
        speed = self.speed(now)
        for tokens in (self._all, self._background):
            tokens.refill(now, speed)
            tokens.left = min(tokens.left, 0.0)
        self._cut_to = max(self._quota * FLOOR_SHARE, speed / 2)
        self._cut_at = now


class Rates:
    """The buckets of all operations that were ever called."""

    def __init__(self, overrides: Mapping[str, Rate] | None = None) -> None:
        self._overrides = overrides or {}
        self._buckets: dict[Metered, Bucket] = {}

    def take(
        self, metered: Metered, now: float, *, patience: float, background: bool = False
    ) -> float:
        """Take one request, and return the seconds to wait before it is sent.

        Raises PacedError, and takes nothing, where that is more than `patience`.
        """
        bucket = self._bucket(metered, now)
        wait = bucket.wait(now, background=background)
        if wait > patience:
            raise PacedError(metered.operation, wait)
        bucket.take(background=background)
        return wait

    def throttled(self, metered: Metered, *, sent: float, now: float) -> None:
        """Slow down: a request that was sent at `sent` has been throttled."""
        self._bucket(metered, now).throttled(sent, now)

    def _bucket(self, metered: Metered, now: float) -> Bucket:
        if metered not in self._buckets:
            rate = rate_of(metered.service, metered.operation, self._overrides)
            self._buckets[metered] = Bucket(rate, now)
        return self._buckets[metered]
