"""Metrics of the runs that wait for a quota of AWS."""

from collections import Counter as Tally
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from cleanrooms_operator.core.resource import Resource
from cleanrooms_operator.core.standing import Standing, standings

OTHER = "other"
"""The label of a quota whose name AWS has changed."""


def families(resources: tuple[Resource, ...], *, each: bool) -> Iterator[Metric]:
    """Yield how many wait for each quota and, with `each`, at which place every one stands."""
    waiting = tuple(standings(resources))
    yield _by_quota(waiting)
    if each:
        yield _places(waiting)


def _by_quota(waiting: tuple[Standing, ...]) -> Metric:
    family = GaugeMetricFamily(
        "cleanrooms_queued_for_quota",
        "Runs that wait for a quota of AWS, by the one that is told to be full",
        labels=("kind", "account", "quota"),
    )
    counted = Tally((one.key.kind, one.account, _label(one)) for one in waiting)
    for labels, number in sorted(counted.items()):
        family.add_metric(labels, number)
    return family


def _places(waiting: tuple[Standing, ...]) -> Metric:
    family = GaugeMetricFamily(
        "cleanrooms_resource_queue_place",
        "At which place a run waits for a quota: 1 is the oldest of its kind in its account",
        labels=("kind", "namespace", "name"),
    )
    for one in waiting:
        family.add_metric((one.key.kind, one.key.namespace, one.key.name), one.place)
    return family


def _label(standing: Standing) -> str:
    return OTHER if standing.quota is None else standing.quota.name.lower()
