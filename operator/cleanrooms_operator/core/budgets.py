"""How many runs may start under a membership, as its Membership says (rule R-20).

What is told of them are quotas: they are counted, and waited for, as those of AWS are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cleanrooms_operator.core import runs, spending
from cleanrooms_operator.core.payments import Cost
from cleanrooms_operator.core.quotas import Need, Needs, Place, Pool, Quota
from cleanrooms_operator.core.resource import Document, Resource

SPENT = {"maxConcurrent": Quota.SPENT_AT_ONCE, "maxRunsPerDay": Quota.SPENT_TODAY}
"""What a Membership's `spending` limits, of each cost type."""

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent under one membership of AWS on runs of one kind."""

    costs: tuple[Cost, ...]
    place: Place
    limits: Mapping[Pool, int] = field(default_factory=dict)
    """What nothing is said of is not limited, and not counted."""
    now: datetime | None = None
    """The time by AWS's clock, or a little before; None: nobody knows, and all runs count."""

    def needs(self, *, synthetic: bool, under_way: bool = True, today: bool = True) -> Needs:
        """Return what a run takes; one that is about to start takes of both."""
        counted = [(Quota.SPENT_AT_ONCE, under_way), (Quota.SPENT_TODAY, today)]
        names = spending.costs_of(self.costs, synthetic=synthetic)
        pools = [
            _pool(quota, name, self.place) for quota, takes in counted if takes for name in names
        ]
        return tuple(Need(pool) for pool in pools if pool in self.limits)

    def held(self, resource: Resource, *, synthetic: bool) -> Needs:
        """Return what the run of a resource takes, from its attempt on."""
        status = resource.status
        if not self.limits or status.get("membershipIdentifier") != self.place.membership:
            return ()
        if status.get("attempt") is not None:
            return self.needs(synthetic=synthetic)
        if status.get("identifier") is None:
            return ()
        started = status.get("startTime")
        return self.needs(
            synthetic=synthetic,
            under_way=_is_under_way(status.get("state")),
            today=started is None or self._is_today(datetime.fromisoformat(started)),
        )

    def shown(self, run: Document, state: str | None) -> Needs:
        """Return what a run takes that a List shows; who pays tells whether data are synthetic."""
        if not self.limits:
            return ()
        is_silent = run.get("payerConfiguration") is None
        names = [cost.named(run) for cost in self.costs if cost.synthetic]
        return self.needs(
            synthetic=is_silent or any(name is not None for name in names),
            under_way=_is_under_way(state),
            today=self._is_today(run["createTime"]),
        )

    def _is_today(self, time: datetime) -> bool:
        """Whether a run started today, or tomorrow: AWS's clock has gone on since."""
        return self.now is None or time >= _midnight(self.now)

    def resumes(self, unmet: Iterable[Need]) -> float | None:
        """Return in how many seconds the day is over, if that is waited for."""
        if self.now is None or all(need.pool.quota is not Quota.SPENT_TODAY for need in unmet):
            return None
        return (_midnight(self.now) + DAY - self.now).total_seconds() + 1.0


def budget(
    memberships: Iterable[Resource], costs: tuple[Cost, ...], place: Place, now: datetime | None
) -> Budget:
    """Return what the Memberships that stand for one membership let be spent; the least counts."""
    limits: dict[Pool, int] = {}
    for each in memberships:
        given = (each.spec.get("spending") or {}) if spending.is_of(each, place.membership) else {}
        for name in spending.Spending.COSTS:
            for field_, quota in SPENT.items():
                most = (given.get(name) or {}).get(field_)
                if most is not None:
                    pool = _pool(quota, name, place)
                    limits[pool] = min(most, limits.get(pool, most))
    return Budget(costs, place, limits, now)


def _pool(quota: Quota, cost: str, place: Place) -> Pool:
    return Pool(quota, place.account, place.region, f"{cost} in membership {place.membership}")


def _is_under_way(state: str | None) -> bool:
    return state is None or state in runs.UNDER_WAY


def _midnight(time: datetime) -> datetime:
    return time.replace(hour=0, minute=0, second=0, microsecond=0)
