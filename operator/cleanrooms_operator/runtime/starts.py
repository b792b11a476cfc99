"""What one process knows of runs that are about to start, and of the quotas they need."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from cleanrooms_operator.core import quotas
from cleanrooms_operator.core.failure import ServiceError
from cleanrooms_operator.core.quotas import Limits, Needs, Pool, Shape
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Key, ObjectId
from cleanrooms_operator.core.step import Create, Step, Wait
from cleanrooms_operator.runtime.ports import Identity

_QUEUED = {Reason.QUEUED_FOR_QUOTA, Reason.QUEUED_FOR_BUDGET}


@dataclass(slots=True)
class Reservation:
    """What a run that is about to start takes, though its attempt does not show yet."""

    needs: Needs
    done: float | None = None
    """`Clock.elapsed()` when its attempt was there to be seen."""


@dataclass(slots=True)
class Starts:
    """What one process knows of runs that start; lost with it, and never relied on."""

    reserved: dict[Key, Reservation] = field(default_factory=dict)
    turned_away: set[Key] = field(default_factory=set)
    """Those for whose start more is missing than the cluster shows."""
    learned: dict[Pool, int] = field(default_factory=dict)
    """What AWS said a quota is, over what is set."""
    shapes: dict[ObjectId, Shape] = field(default_factory=dict)
    """What is counted of runs that no resource manages: it never changes."""

    def reserve(self, key: Key, needs: Needs) -> None:
        """Keep what a run takes from others, until its attempt is there to be seen."""
        self.reserved[key] = Reservation(needs)

    def taken(self, asked: float) -> Iterator[tuple[Key, Needs]]:
        """Yield what is reserved and what may not show yet in what was asked for at that time."""
        for key, each in self.reserved.items():
            if each.done is None or each.done >= asked:
                yield key, each.needs

    def concluded(self, key: Key, step: Step, now: float) -> None:
        """Take over what came of a pass that knew all that its resource names."""
        if isinstance(step, Wait) and step.reason in _QUEUED:
            self.forget(key)
            return
        self.turned_away.add(key)
        if not isinstance(step, Create):
            self.reserved.pop(key, None)
        elif (reserved := self.reserved.get(key)) is not None:
            reserved.done = now

    def failed(self, key: Key, now: float) -> None:
        """Take over that AWS did not do what a pass asked for."""
        self.turned_away.add(key)
        if (reserved := self.reserved.get(key)) is not None:
            reserved.done = now

    def forget(self, key: Key) -> None:
        """Let go of what is known of a resource: the cluster tells all there is to know."""
        self.reserved.pop(key, None)
        self.turned_away.discard(key)

    def learn(self, identity: Identity, error: ServiceError) -> None:
        """Remember what AWS says of a quota, for as long as this process lives."""
        name, value = error.members.get("quotaName"), error.members.get("quotaValue")
        quota = None if name is None else quotas.meant(name)
        if quota is not None and value is not None:
            self.learned[Pool(quota[0], identity.account, identity.region, quota[1])] = int(value)

    def limit(self, limits: Limits, pool: Pool) -> int:
        """Return how much a pool holds."""
        of_each = pool.quota is quotas.Quota.TYPE_INSTANCES
        known = pool if of_each else replace(pool, subject=None)
        return self.learned.get(known, limits.of(pool))
