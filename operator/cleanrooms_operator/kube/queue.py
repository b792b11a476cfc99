"""What to look at next: each key once, one run at a time, the urgent first, to each its share.

The semantics are those of client-go's work queue: a key that is added while it runs is run once
more afterwards, with whatever the world looks like then. There is no wall time here: the clock
and chance are given.
"""

import asyncio
import contextlib
import heapq
import itertools
import random
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from cleanrooms_operator.core.pace import Urgency
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.kube.shares import Shares

FAIR_TURN = 8
"""Every so many picks the longest waiting key is taken, whatever its urgency."""

CHECK_SECONDS = 30.0
"""How long a wait may rely on the loop's own clock, which stands still while suspended."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A key whose turn it is."""

    key: Key
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class Backoff:
    """Growing delays for a key that fails, in seconds."""

    first: float = 1.0
    longest: float = 300.0

    def delay(self, failures: int, chance: random.Random) -> float:
        """Return the delay after that many failures in a row: half of it is chance."""
        full = min(self.longest, self.first * 2.0 ** min(failures - 1, 32))
        return full * chance.uniform(0.5, 1.0)


class Monitor(Protocol):
    """Who counts what the queue does."""

    def added(self, urgency: Urgency) -> None:
        """Count a key that was not queued before."""
        ...

    def picked(self, urgency: Urgency, waited: float) -> None:
        """Count a turn, and the seconds that its key was queued."""
        ...

    def finished(self, urgency: Urgency, worked: float) -> None:
        """Count the end of a turn, and its seconds."""
        ...

    def retried(self, urgency: Urgency) -> None:
        """Count a failure that is tried again."""
        ...


@dataclass(frozen=True, slots=True)
class _Ready:
    key: Key
    urgency: Urgency
    since: float
    number: int
    """Its place among all keys by the time of their adding."""


@dataclass(frozen=True, slots=True)
class _Delayed:
    at: float
    urgency: Urgency


_Parked: TypeAlias = tuple[Urgency, int, _Ready]


class WorkQueue:
    """Keys to work on, now or later. Used from one event loop."""

    def __init__(
        self,
        elapsed: Callable[[], float],
        chance: random.Random,
        monitor: Monitor,
        backoff: Backoff | None = None,
        shares: Shares | None = None,
    ) -> None:
        self._elapsed = elapsed
        self._chance = chance
        self._monitor = monitor
        self._backoff = backoff or Backoff()
        self._shares = shares or Shares(lambda key: key, 1)
        self._ready: dict[Key, _Ready] = {}
        self._lanes: tuple[deque[_Ready], ...] = tuple(deque() for _ in Urgency)
        self._parked: defaultdict[Hashable, list[_Parked]] = defaultdict(list)
        """Heaps of what could go now if its owner did not have all the turns that it may have."""
        self._delayed: dict[Key, _Delayed] = {}
        self._alarms: list[tuple[float, int, Key]] = []
        self._numbers = itertools.count()
        self._running: dict[Key, _Ready] = {}
        self._dirty: dict[Key, Urgency] = {}
        self._failures: Counter[Key] = Counter()
        self._picks = itertools.count(1)
        self._changed = asyncio.Event()
        self._closed = False

    def add(self, key: Key, urgency: Urgency) -> None:
        """Queue a key for now; an urgency that it has already can only rise."""
        delayed = self._delayed.pop(key, None)
        if delayed is not None:
            urgency = min(urgency, delayed.urgency)
        if key in self._running:
            self._dirty[key] = min(urgency, self._dirty.get(key, urgency))
            return
        known = self._ready.get(key)
        if known is not None and known.urgency <= urgency:
            return
        if known is None:
            self._monitor.added(urgency)
            ready = _Ready(key, urgency, self._elapsed(), next(self._numbers))
        else:
            ready = replace(known, urgency=urgency)
        self._ready[key] = ready
        self._lanes[urgency].append(ready)
        self._changed.set()

    def add_after(self, key: Key, seconds: float, urgency: Urgency) -> None:
        """Queue a key for later; of several delays the earliest holds, and the highest urgency."""
        if seconds <= 0:
            self.add(key, urgency)
            return
        ready, known = self._ready.get(key), self._delayed.get(key)
        if ready is not None and ready.urgency <= urgency:
            return
        delayed = _Delayed(self._elapsed() + seconds, urgency)
        if known is not None:
            delayed = _Delayed(min(delayed.at, known.at), min(urgency, known.urgency))
        if delayed != known:
            self._delayed[key] = delayed
            heapq.heappush(self._alarms, (delayed.at, next(self._numbers), key))
            self._changed.set()

    def back_off(self, key: Key, urgency: Urgency) -> float:
        """Queue a key that failed for later, and return the seconds."""
        self._failures[key] += 1
        self._shares.failed(key)
        delay = self._backoff.delay(self._failures[key], self._chance)
        self._monitor.retried(urgency)
        self.add_after(key, delay, urgency)
        return delay

    def succeeded(self, key: Key) -> None:
        """Start again with short delays when this key fails next."""
        self._shares.succeeded(key)
        self._failures.pop(key, None)

    def forget(self, key: Key) -> None:
        """Let go of what is planned and remembered for a key that does not exist any more."""
        self._failures.pop(key, None)
        self._delayed.pop(key, None)

    async def get(self) -> Turn | None:
        """Wait for the next turn, which ends with `done`; None once the queue is closed."""
        while not self._closed:
            self._wake_delayed()
            ready = self._pick()
            if ready is not None:
                now = self._elapsed()
                self._monitor.picked(ready.urgency, now - ready.since)
                self._running[ready.key] = replace(ready, since=now)
                return Turn(ready.key, ready.urgency)
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._until_next_alarm()):
                    await self._changed.wait()
        return None

    def done(self, key: Key) -> None:
        """End a turn; a key that was added meanwhile is queued again."""
        ran = self._running.pop(key)
        self._monitor.finished(ran.urgency, self._elapsed() - ran.since)
        if key in self._dirty:
            self.add(key, self._dirty.pop(key))
        self._unpark(self._shares.give_back(key))

    def close(self) -> None:
        """Give no more turns; those that were given may go on."""
        self._closed = True
        self._changed.set()

    def depth(self, urgency: Urgency) -> int:
        """Return how many keys of that urgency wait for their turn."""
        return sum(1 for ready in self._ready.values() if ready.urgency is urgency)

    @property
    def running(self) -> Mapping[Key, float]:
        """The keys whose turn it is, and since when."""
        return {key: ran.since for key, ran in self._running.items()}

    def _wake_delayed(self) -> None:
        now = self._elapsed()
        while self._alarms and self._alarms[0][0] <= now:
            at, _, key = heapq.heappop(self._alarms)
            delayed = self._delayed.get(key)
            if delayed is not None and delayed.at == at:
                self.add(key, delayed.urgency)

    def _until_next_alarm(self) -> float | None:
        if not self._alarms:
            return None
        return min(max(self._alarms[0][0] - self._elapsed(), 0.0), CHECK_SECONDS)

    def _pick(self) -> _Ready | None:
        """Take the first whose owner may have another turn; park those before it."""
        while (head := self._head()) is not None:
            self._lanes[head.urgency].popleft()
            if self._shares.take(head.key):
                del self._ready[head.key]
                return head
            parked = self._parked[self._shares.owner(head.key)]
            heapq.heappush(parked, (head.urgency, head.number, head))
        return None

    def _unpark(self, owner: Hashable) -> None:
        """Put as many back as the owner may have turns, before all who came after them."""
        parked, back = self._parked[owner], list[_Ready]()
        while parked and len(back) < self._shares.left(owner):
            ready = heapq.heappop(parked)[-1]
            if self._ready.get(ready.key) is ready:
                back.append(ready)
        for ready in reversed(back):
            self._lanes[ready.urgency].appendleft(ready)
        if not parked:
            del self._parked[owner]
        self._changed.set()

    def _head(self) -> _Ready | None:
        """Return the head of the most urgent lane, or now and then the oldest of all heads."""
        for lane in self._lanes:
            while lane and self._ready.get(lane[0].key) is not lane[0]:
                lane.popleft()  # it was queued again with a higher urgency
        heads = [lane[0] for lane in self._lanes if lane]
        if not heads:
            return None
        fair = next(self._picks) % FAIR_TURN == 0
        return min(heads, key=lambda ready: ready.number) if fair else heads[0]
