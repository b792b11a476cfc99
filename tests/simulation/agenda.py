"""What a process looks at when: the rules of its queue, without workers, chance or priorities."""

from collections import Counter
from dataclasses import dataclass, field

from cleanrooms_operator.core.pace import Pace, Urgency, spread
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.runtime.memory import is_settled
from cleanrooms_operator.runtime.outcome import Outcome
from cleanrooms_operator.runtime.ports import PacedError

LONGEST_BACK_OFF = 300.0


@dataclass
class Agenda:
    """When each key is due, and whether its last pass found nothing left to do."""

    pace: Pace
    due: dict[Key, float] = field(default_factory=dict)
    failures: Counter[Key] = field(default_factory=Counter)
    calm: set[Key] = field(default_factory=set)

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

    def next(self) -> tuple[float, Key] | None:
        """Return the earliest (time, key)."""
        return min(((when, key) for key, when in self.due.items()), default=None)

    def finished(self, key: Key, now: float, result: Outcome | Exception | None) -> None:
        """Plan the next look at a key after a pass; None: the pass was cut off by an error."""
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

    def is_at_rest(self, keys: set[Key], now: float) -> bool:
        """Whether no key is due, and each was left in peace by its last pass."""
        return keys <= self.calm and all(when > now for when in self.due.values())
