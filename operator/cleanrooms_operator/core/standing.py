"""Who waits for a quota, and at which place: for metrics, as both change often (rule R-23)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cleanrooms_operator.core import quotas
from cleanrooms_operator.core.quotas import Quota
from cleanrooms_operator.core.resource import Key, Resource


@dataclass(frozen=True, slots=True)
class Standing:
    """A run that waits for a quota."""

    key: Key
    account: str
    """Empty where its membership is not known any more."""
    quota: Quota | None
    """The one that is told to be full."""
    place: int
    """1 for the oldest of its kind that waits in an account and region."""


def standings(resources: Iterable[Resource]) -> Iterator[Standing]:
    """Yield those of the resources that wait for a quota, the oldest of each kind first.

    Among `resources` are the memberships, too, which tell the account.
    """
    found = {each.key: each for each in resources}
    ahead: Counter[tuple[str, str, str]] = Counter()
    for each in sorted(filter(quotas.is_queued, found.values()), key=quotas.order):
        place = quotas.place_of(each, found)
        account, region = ("", "") if place is None else (place.account, place.region)
        line = (each.key.kind, account, region)
        ahead[line] += 1
        yield Standing(each.key, account, _told(each), ahead[line])


def _told(resource: Resource) -> Quota | None:
    ready = resource.condition("Ready") or {}
    return quotas.recognised(ready.get("message", ""))
