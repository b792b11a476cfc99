"""Whose turn it is to start, by what is under way (rule R-22)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import make
from cleanrooms_operator.core import quotas
from cleanrooms_operator.core.quotas import (
    CHANNEL,
    JOB,
    MODEL,
    Limits,
    Need,
    Needs,
    Place,
    Pool,
    Quota,
    Shape,
)
from cleanrooms_operator.core.resource import Annotation, Key, Resource
from cleanrooms_operator.kinds import BY_NAME

HERE, THERE = Place("1" * 12, "us-east-1", "m-1"), Place("1" * 12, "us-east-1", "m-2")
M5, M5_BIG, OTHER = "ml.m5.2xlarge", "ml.m5.4xlarge", "ml.g5.2xlarge"


def training(kind: str = M5, count: int = 1, place: Place = HERE) -> Needs:
    return quotas.needs(MODEL, Shape(kind, count), place)


def job(place: Place = HERE) -> Needs:
    return quotas.needs(JOB, Shape(), place)


def channel(place: Place = HERE, *, synthetic: bool = False) -> Needs:
    return quotas.needs(CHANNEL, Shape(synthetic=synthetic), place)


def full(running: list[Needs], wanted: Needs, older: list[Needs] | None = None) -> set[Quota]:
    unmet = quotas.full(Limits().of, running, older or [], wanted)
    return {each.pool.quota for each in unmet}


@pytest.mark.parametrize(
    ("running", "wanted", "expected"),
    [
        pytest.param([], training(), set(), id="nothing runs"),
        pytest.param([training()] * 2, training(), set(), id="the third of a type fits"),
        pytest.param(
            [training()] * 3, training(), {Quota.TYPE_INSTANCES}, id="a type has its own count"
        ),
        pytest.param([training()] * 3, training(M5_BIG), set(), id="another type is free"),
        pytest.param([training(count=2)], training(), set(), id="instances are weighed: it fits"),
        pytest.param(
            [training(count=2)],
            training(count=2),
            {Quota.TYPE_INSTANCES},
            id="instances are weighed: it does not",
        ),
        pytest.param([], training(OTHER), {Quota.TYPE_INSTANCES}, id="others have no instance"),
        pytest.param(
            [training(M5), training(M5), training(M5), training(M5_BIG), training(M5_BIG)],
            training("ml.m5.12xlarge"),
            {Quota.MEMBERSHIP_TRAININGS},
            id="a membership has five",
        ),
        pytest.param(
            [training(OTHER, 9, THERE)],
            training(count=2),
            {Quota.INSTANCES},
            id="an account has ten instances of all types",
        ),
        pytest.param(
            [training(OTHER, 0, THERE)] * 10,
            training(),
            {Quota.TRAININGS},
            id="an account has ten trainings",
        ),
        pytest.param([job()] * 5, job(), {Quota.MEMBERSHIP_JOBS}, id="five jobs of a membership"),
        pytest.param([job()] * 5, job(THERE), set(), id="another membership has its own"),
        pytest.param(
            [job()] * 5 + [job(THERE)] * 5,
            job(Place("1" * 12, "us-east-1", "m-3")),
            {Quota.JOBS},
            id="ten jobs of an account",
        ),
        pytest.param(
            [job()] * 10, job(replace(HERE, region="eu-west-1")), set(), id="regions are apart"
        ),
        pytest.param(
            [channel()] * 100, channel(), {Quota.MEMBERSHIP_CHANNELS}, id="a hundred channels"
        ),
        pytest.param(
            [channel(THERE, synthetic=True)] * 2,
            channel(synthetic=True),
            {Quota.SYNTHETIC_CHANNELS},
            id="two of synthetic data in the account",
        ),
        pytest.param([channel(synthetic=True)] * 2, channel(), set(), id="others are no such"),
    ],
)
def test_a_run_starts_where_no_quota_is_full(
    running: list[Needs], wanted: Needs, expected: set[Quota]
) -> None:
    assert full(running, wanted) == expected


def test_what_an_older_run_can_take_is_its_own() -> None:
    assert full([training()] * 2, training(), [training()]) == {Quota.TYPE_INSTANCES}
    assert full([training()], training(), [training()]) == set()


def test_a_full_type_or_membership_holds_back_no_other() -> None:
    waiting = [training(OTHER), training(count=9)]
    assert full([training()] * 2, training(), waiting) == set()
    assert full([job()] * 5, job(THERE), [job()] * 5) == set()


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [
        (MODEL, "CREATE_IN_PROGRESS", 4),
        (MODEL, "CANCEL_IN_PROGRESS", 4),
        (MODEL, "ACTIVE", 0),
        (JOB, "CREATE_PENDING", 2),
        (JOB, "INACTIVE", 0),
        (CHANNEL, "CREATE_PENDING", 2),
        (CHANNEL, "ACTIVE", 1),
        (CHANNEL, "INACTIVE", 0),
        (CHANNEL, "CREATE_FAILED", 0),
        ("Membership", None, 0),
    ],
)
def test_a_run_is_counted_until_it_is_over(kind: str, state: str | None, expected: int) -> None:
    shape = Shape(M5 if kind == MODEL else None, synthetic=kind == CHANNEL)
    assert len(quotas.needs(kind, shape, HERE, state)) == expected


def test_a_training_whose_instances_cannot_be_seen_is_one() -> None:
    taken = {each.pool.quota: each.amount for each in quotas.needs(MODEL, Shape(), HERE)}
    expected = {Quota.MEMBERSHIP_TRAININGS: 1, Quota.TRAININGS: 1, Quota.INSTANCES: 1}
    assert taken == expected


def test_the_message_says_which_quota_is_full_and_no_position() -> None:
    need = Need(Pool(Quota.TYPE_INSTANCES, "1" * 12, "us-east-1", M5), 4)
    assert quotas.told(need, 3) == (
        f"It needs 4 of training instances of type {M5}, but the quota is 3"
    )
    assert quotas.told(replace(need, amount=1), 3) == (
        f"The quota of 3 training instances of type {M5} is full"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Pending or in-progress training jobs per membership", Quota.MEMBERSHIP_TRAININGS),
        ("Pending or in-progress training jobs per account", Quota.TRAININGS),
        ("Active training instances per account", Quota.INSTANCES),
        ("ml.m5.4xlarge for training per account", Quota.TYPE_INSTANCES),
        ("Pending or in-progress inference jobs per account", Quota.JOBS),
        ("Pending or in-progress inference jobs per membership", Quota.MEMBERSHIP_JOBS),
        ("Active ML input channels per membership", Quota.MEMBERSHIP_CHANNELS),
        ("Pending or in-progress synthetic ML input channels", Quota.SYNTHETIC_CHANNELS),
        ("Members invited per collaboration", None),
        ("Versions per trained model", None),
    ],
)
def test_the_quota_that_a_402_names_is_known(name: str, expected: Quota | None) -> None:
    meant = quotas.meant(name)
    assert (None if meant is None else meant[0]) is expected
    assert expected is not Quota.TYPE_INSTANCES or meant == (expected, "ml.m5.4xlarge")


# -- resources -------------------------------------------------------------------------------

STATUS = {"accountID": "1" * 12, "region": "us-east-1", "membershipIdentifier": "m-1"}
MEMBERSHIP = replace(
    make.resource(),
    key=Key("Membership", "a", "member"),
    spec={},
    status={
        "accountID": "1" * 12,
        "region": "us-east-1",
        "identifier": "m-1",
        "conditions": [{"type": "Ready", "status": "True", "observedGeneration": 3}],
    },
    generation=3,
)
FOUND = {MEMBERSHIP.key: MEMBERSHIP}


def model(status: dict[str, Any] | None = None, **spec: Any) -> Resource:
    given = {
        "membershipRef": {"name": "member"},
        "resourceConfig": {"instanceType": M5, "volumeSizeInGB": 1},
        "dataChannels": [],
        **spec,
    }
    key = Key(MODEL, "a", "one")
    return replace(make.resource(), key=key, spec=given, status=status or {}, annotations={})


def said(reason: str, type_: str = "Ready") -> dict[str, Any]:
    condition = {"type": type_, "status": "True", "reason": reason, "message": ""}
    return {"conditions": [{**condition, "observedGeneration": make.GENERATION}]}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param({}, 0, id="it has not begun"),
        pytest.param({**STATUS, "attempt": {"id": "a-1"}}, 4, id="its attempt is open"),
        pytest.param({**STATUS, "identifier": "x"}, 4, id="its state is not known yet"),
        pytest.param({**STATUS, "identifier": "x", "state": "ACTIVE"}, 0, id="it is over"),
    ],
)
def test_the_run_of_a_resource_is_counted_from_its_attempt_on(
    status: dict[str, Any], expected: int
) -> None:
    assert len(quotas.held(model(status))) == expected
    began = status != {}
    assert quotas.may_block(model(status)) is (expected > 0 or not began)


def is_in_line(resource: Resource) -> bool:
    return quotas.is_in_line(BY_NAME[MODEL], resource, FOUND)


def test_those_are_in_line_whose_references_are_ready() -> None:
    assert is_in_line(model())
    assert is_in_line(model(said("DependencyNotReady")))
    assert not is_in_line(model(membershipRef={"name": "another"}))


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param(model({"identifier": "x"}), id="it was started"),
        pytest.param(model({"attempt": {"id": "x"}}), id="it is being started"),
        pytest.param(replace(model(), deleted=make.NOW), id="it goes"),
        pytest.param(model(managementPolicy="ObserveOnly"), id="it only observes"),
        pytest.param(model(said("InvalidSpec", "Stalled")), id="AWS does not want it"),
        pytest.param(replace(model(), annotations={Annotation.CANCEL: "true"}), id="cancelled"),
        pytest.param(replace(model(), annotations={Annotation.PAUSED: "true"}), id="paused"),
        pytest.param(replace(model(), annotations={Annotation.EXTERNAL_ID: "x"}), id="adopting"),
    ],
)
def test_those_are_not_in_line_that_will_not_start(resource: Resource) -> None:
    assert not is_in_line(resource)


def test_what_others_have_published_is_known_to_be_ready_once_it_is_queued() -> None:
    shared = {"sharedConfiguredModelAlgorithmAssociation": {"creatorAccountId": "2", "name": "x"}}
    assert not is_in_line(model(**shared))
    assert is_in_line(model(said("QueuedForQuota"), **shared))


def test_runs_are_ordered_by_age_then_by_name() -> None:
    first = model()
    second = replace(first, key=Key(MODEL, "a", "two"))
    older = replace(second, created=first.created - timedelta(seconds=1))
    assert sorted([second, first, older], key=quotas.order) == [older, first, second]


def test_those_who_wait_concern_others_until_they_are_given_up() -> None:
    assert not quotas.may_block(MEMBERSHIP)
    assert not quotas.may_block(model(said("InvalidSpec", "Stalled")))
    assert not quotas.may_block(replace(model(), deleted=make.NOW))
    active = replace(model({**STATUS, "identifier": "x", "state": "ACTIVE"}))
    assert quotas.may_block(replace(active, key=Key(CHANNEL, "a", "one")))


def test_a_run_is_counted_where_its_membership_is() -> None:
    place = Place("1" * 12, "us-east-1", "m-1")
    literal = model(membershipIdentifier="m-1")
    del literal.spec["membershipRef"]  # type: ignore[attr-defined]  # a dict of this test's own
    assert quotas.place_of(model(), FOUND) == place
    assert quotas.place_of(literal, FOUND) == place
    assert quotas.place_of(literal, {}) is None
    bare = replace(MEMBERSHIP, status={})
    assert quotas.place_of(model(), {bare.key: bare}) is None
    assert quotas.memberships_of("1" * 12, "us-east-1", FOUND) == (("m-1", None),)
    assert quotas.memberships_of("1" * 12, "us-east-1", {bare.key: bare}) == ()


def test_the_shape_of_a_run_comes_from_its_spec_or_from_aws() -> None:
    assert quotas.shape(MODEL, {"resourceConfig": {"instanceType": M5}}) == Shape(M5)
    assert quotas.shape(MODEL, {}) == Shape()
    assert quotas.shape(CHANNEL, {"syntheticDataConfiguration": {}}) == Shape(synthetic=True)
    assert quotas.shape(CHANNEL, {}, synthetic=True) == Shape(synthetic=True)
    assert quotas.shape(JOB, {}) == Shape()
