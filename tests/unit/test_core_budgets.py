"""How many runs a Membership lets start (rule R-20)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

import make
from cleanrooms_operator.core import quotas
from cleanrooms_operator.core.budgets import Budget, budget
from cleanrooms_operator.core.channels import COSTS
from cleanrooms_operator.core.quotas import Place, Pool, Quota
from cleanrooms_operator.core.resource import Key, Resource

PLACE = Place("1" * 12, "us-east-1", "m-1")
NOW = datetime(2026, 5, 2, 23, 59, 50, tzinfo=UTC)
BOTH = {"maxConcurrent": 2, "maxRunsPerDay": 3}


def membership(declared: Any, identifier: str = "m-1") -> Resource:
    spec = {} if declared is None else {"spending": declared}
    key = Key("Membership", "a", identifier)
    return replace(make.resource(), key=key, spec=spec, status={"identifier": identifier})


def of(*memberships: Resource, now: datetime | None = NOW) -> Budget:
    return budget(memberships, COSTS, PLACE, now)


QUERIES = of(membership({"queryCompute": BOTH}))


def taken(needs: quotas.Needs) -> set[Quota]:
    return {need.pool.quota for need in needs}


def test_only_what_is_limited_is_counted() -> None:
    assert of(membership(None)).limits == {}
    assert of(membership({"queryCompute": BOTH}, "m-2")).limits == {}
    assert of(membership({"queryCompute": {"start": "Approve"}})).limits == {}
    assert of().shown(run(2), "ACTIVE") == ()
    assert sorted(QUERIES.limits.values()) == [2, 3]
    once = of(membership({"queryCompute": {"maxConcurrent": 1}}))
    assert taken(once.needs(synthetic=True)) == {Quota.SPENT_AT_ONCE}


def test_of_two_memberships_the_lower_limit_counts() -> None:
    first, second = ({"queryCompute": {"maxConcurrent": number}} for number in (4, 2))
    assert [*of(membership(first), membership(second)).limits.values()] == [2]
    assert [*of(membership(second), membership(first)).limits.values()] == [2]


def test_synthetic_data_are_counted_apart_and_as_queries() -> None:
    declared = {"queryCompute": BOTH, "syntheticDataGeneration": BOTH}
    assert len(of(membership(declared)).needs(synthetic=True)) == 4
    assert len(of(membership(declared)).needs(synthetic=False)) == 2


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"attempt": {"id": "x"}}, {Quota.SPENT_AT_ONCE, Quota.SPENT_TODAY}),
        ({}, set()),
        ({"identifier": "x"}, {Quota.SPENT_AT_ONCE, Quota.SPENT_TODAY}),
        ({"identifier": "x", "state": "ACTIVE"}, {Quota.SPENT_TODAY}),
        (
            {"identifier": "x", "state": "ACTIVE", "startTime": "2026-05-02T00:00:00Z"},
            {Quota.SPENT_TODAY},
        ),
        ({"identifier": "x", "state": "ACTIVE", "startTime": "2026-05-01T23:59:59Z"}, set()),
        (
            {"identifier": "x", "state": "CREATE_PENDING", "startTime": "2026-05-01T23:59:59Z"},
            {Quota.SPENT_AT_ONCE},
        ),
        ({"identifier": "x", "membershipIdentifier": "m-2"}, set()),
    ],
)
def test_a_resource_takes_from_its_attempt_on(status: Any, expected: set[Quota]) -> None:
    known = {"membershipIdentifier": "m-1", **status}
    resource = replace(make.resource(), status=known)
    assert taken(QUERIES.held(resource, synthetic=False)) == expected


def run(day: int, **more: Any) -> dict[str, Any]:
    return {"createTime": datetime(2026, 5, day, 12, tzinfo=UTC), **more}


def test_what_a_list_shows_takes_too() -> None:
    assert taken(QUERIES.shown(run(2), "CREATE_FAILED")) == {Quota.SPENT_TODAY}
    assert taken(QUERIES.shown(run(1), "CANCEL_PENDING")) == {Quota.SPENT_AT_ONCE}
    assert QUERIES.shown(run(1), "INACTIVE") == ()
    assert taken(QUERIES.shown(run(3), "ACTIVE")) == {Quota.SPENT_TODAY}, "AWS's clock went on"
    unknown = of(membership({"queryCompute": BOTH}), now=None)
    assert taken(unknown.shown(run(1), "ACTIVE")) == {Quota.SPENT_TODAY}


@pytest.mark.parametrize(
    ("payers", "number"),
    [
        (None, 1),
        ({"computePayerAccountId": "1" * 12}, 0),
        ({"syntheticDataPayerAccountId": "1" * 12}, 1),
    ],
)
def test_a_channel_by_hand_is_of_synthetic_data_unless_its_payers_say_no(
    payers: Any, number: int
) -> None:
    synthetic = of(membership({"syntheticDataGeneration": {"maxRunsPerDay": 1}}))
    assert len(synthetic.shown(run(2, payerConfiguration=payers), "ACTIVE")) == number


def test_who_waits_for_another_day_looks_again_when_it_begins() -> None:
    needs = QUERIES.needs(synthetic=False)
    assert QUERIES.resumes(needs) == 11.0
    assert QUERIES.resumes(needs[:1]) is None
    assert replace(QUERIES, now=None).resumes(needs) is None


def test_what_is_told_is_known_again() -> None:
    for need, quota in zip(
        QUERIES.needs(synthetic=False), (Quota.SPENT_AT_ONCE, Quota.SPENT_TODAY), strict=True
    ):
        assert quotas.recognised(quotas.told(need, 2)) is quota
    pool = Pool(Quota.SPENT_TODAY, PLACE.account, PLACE.region, "modelTraining in membership m")
    assert quotas.recognised(str(pool)) is Quota.SPENT_TODAY
