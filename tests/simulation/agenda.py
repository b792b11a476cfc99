"""What a process looks at when: the rules of its queue, without workers, chance or priorities."""

from collections import Counter, deque
from dataclasses import dataclass, field

from cleanrooms_operator.core.pace import Pace, Urgency, spread
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.runtime.memory import is_settled
from cleanrooms_operator.runtime.outcome import Outcome
from cleanrooms_operator.runtime.ports import PacedError

LONGEST_BACK_OFF = 300.0

WINDOW, MOST = 10.0, 40
"""How many passes over one resource in so many seconds are no busy loop yet."""


@dataclass
class Agenda:
    """When each key is due, and whether its last pass found nothing left to do."""

    pace: Pace
    due: dict[Key, float] = field(default_factory=dict)
    failures: Counter[Key] = field(default_factory=Counter)
    calm: set[Key] = field(default_factory=set)
    ended: dict[Key, deque[float]] = field(default_factory=dict)
    """When the last passes of each key ended."""

    def fork(self) -> "Agenda":
        return Agenda(self.pace, dict(self.due), self.failures.copy(), set(self.calm))

    def begin(self, resources: dict[Key, Resource], now: float) -> None:
        """Plan what a new process does: what is at rest is spread over a list interval."""
        for key, resource in resources.items():
            rests = is_settled(resource) and resource.is_true("Ready")
            self.add(key, now + rests * spread(resource.uid) * self.pace.list_interval)

    def add(self, key: Key, when: float) -> None:
        """Look at a key then, if not before."""
        self.due[key] = min(when, self.due.get(key, when))

    def next(self, running: set[Key]) -> tuple[float, Key] | None:
        """Return the earliest (time, key) of those that no pass is under way for."""
        waiting = ((when, key) for key, when in self.due.items() if key not in running)
        return min(waiting, default=None)

    def finished(self, key: Key, now: float, result: Outcome | Exception | None) -> None:
        """Plan the next look at a key after a pass; None: the pass was cut off by an error."""
        self._check_pace(key, now)
        self.calm.discard(key)
        if not isinstance(result, Outcome):
            self.failures[key] += 1
            delay = min(LONGEST_BACK_OFF, 2.0 ** (self.failures[key] - 1))
            self.add(key, now + (result.seconds if isinstance(result, PacedError) else delay))
            return
        self.failures.pop(key, None)
        again = result.again
        is_long = again is None or again >= 0.9 * self.pace.list_interval
        if is_long or result.urgency is Urgency.DRIFT:
            self.calm.add(key)
        if again is not None:
            self.add(key, now + again)

    def _check_pace(self, key: Key, now: float) -> None:
        ended = self.ended.setdefault(key, deque(maxlen=MOST))
        ended.append(now)
        assert len(ended) < MOST or now - ended[0] > WINDOW, f"{key} is in a busy loop"

    def is_at_rest(self, keys: set[Key], now: float) -> bool:
        """Whether no key is due, and each was left in peace by its last pass."""
        return keys <= self.calm and all(when > now for when in self.due.values())
