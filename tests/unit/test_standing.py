"""Who waits for a quota, and at which place; and the metrics that tell it (rules R-22, R-23)."""

from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core import quotas
from cleanrooms_operator.core.quotas import JOB, MODEL, Need, Pool, Quota
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.core.standing import Standing, standings
from cleanrooms_operator.kube.metrics import new_metrics
from kube_world import value

FULL = "The quota of 5 inference jobs under way in membership m-1 is full"
MEMBERSHIP = make.resource(
    key=Key("Membership", "a", "member"),
    status={"identifier": "m-1", "accountID": "1" * 12, "region": "us-east-1"},
)


def queued(name: str, kind: str = JOB, message: str = FULL, seconds: float = 0) -> Resource:
    told = make.condition("Ready", "False", reason="QueuedForQuota", message=message)
    return make.resource(
        key=Key(kind, "a", name),
        created=make.after(seconds),
        spec={"membershipRef": {"name": "member"}},
        status={"conditions": [told]},
    )


def standing(name: str, place: int, **over: Any) -> Standing:
    one = Standing(Key(JOB, "a", name), "1" * 12, Quota.MEMBERSHIP_JOBS, place)
    return replace(one, **over)


def test_the_oldest_of_a_kind_and_account_is_the_first() -> None:
    other = queued("model", MODEL, "The quota of 10 training instances of the account is full")
    given = [queued("young", seconds=2), queued("old", seconds=1), MEMBERSHIP, other]
    assert list(standings(given)) == [
        standing("model", 1, key=other.key, quota=Quota.INSTANCES),
        standing("old", 1),
        standing("young", 2),
    ]


def test_one_whose_membership_is_gone_stands_in_no_account() -> None:
    assert list(standings([queued("one")])) == [standing("one", 1, account="")]


@pytest.mark.parametrize("quota", Quota)
@pytest.mark.parametrize("limit", [0, 5])
def test_what_is_told_names_the_quota(quota: Quota, limit: int) -> None:
    subject = "ml.m5.2xlarge" if quota is Quota.TYPE_INSTANCES else "m-1"
    message = quotas.told(Need(Pool(quota, "1" * 12, "us-east-1", subject)), limit)
    (found,) = standings([queued("one", message=message)])
    assert found.quota is quota


def test_those_that_wait_are_counted_by_quota_and_each_has_a_place() -> None:
    counted = new_metrics("host", 1)
    unknown = queued("later", message="The quota 'Things' of 1 is full", seconds=5)
    counted.resources.sample((queued("one"), queued("two"), unknown, MEMBERSHIP), 0)
    by_quota = {"kind": JOB, "account": "1" * 12}
    waiting = "cleanrooms_queued_for_quota"
    assert value(counted, waiting, **by_quota, quota="membership_jobs") == 2
    assert value(counted, waiting, **by_quota, quota="other") == 1
    place = "cleanrooms_resource_queue_place"
    assert value(counted, place, kind=JOB, namespace="a", name="two") == 2


def test_places_are_series_of_each_resource() -> None:
    counted = new_metrics("host", 1, each_resource=False)
    counted.resources.sample((queued("one"), MEMBERSHIP), 0)
    names = {sample.name for family in counted.registry.collect() for sample in family.samples}
    assert "cleanrooms_queued_for_quota" in names
    assert "cleanrooms_resource_queue_place" not in names
