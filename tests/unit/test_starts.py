"""What a process remembers of runs that are about to start (rule R-22)."""

from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.quotas import Limits, Need, Pool, Quota
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.core.step import Create, Wait
from cleanrooms_operator.runtime.ports import Identity
from cleanrooms_operator.runtime.starts import Starts

ONE = Key("TrainedModel", "a", "one")
TRAININGS = Pool(Quota.TRAININGS, "1" * 12, "us-east-1")
HERE = Pool(Quota.MEMBERSHIP_TRAININGS, "1" * 12, "us-east-1", "m-1")
OF_TYPE = Pool(Quota.TYPE_INSTANCES, "1" * 12, "us-east-1", "ml.m5.2xlarge")
NEEDS = (Need(TRAININGS),)
QUEUED = Wait(Reason.QUEUED_FOR_QUOTA, "full")


def reserved(starts: Starts, asked: float) -> list[Key]:
    return [key for key, _ in starts.taken(asked)]


def test_a_reservation_holds_until_what_is_read_can_show_the_attempt() -> None:
    starts = Starts()
    starts.reserve(ONE, NEEDS)
    assert reserved(starts, 5.0) == [ONE]
    starts.concluded(ONE, Create(), 3.0)
    assert reserved(starts, 2.0) == [ONE]
    assert reserved(starts, 4.0) == []


def test_a_pass_that_starts_nothing_lets_go_of_what_it_reserved() -> None:
    starts = Starts()
    starts.reserve(ONE, NEEDS)
    starts.concluded(ONE, Wait(Reason.PROGRESSING, "x"), 1.0)
    assert reserved(starts, 0.0) == []
    starts.concluded(ONE, Create(), 1.0)
    starts.failed(ONE, 1.0)
    assert reserved(starts, 0.0) == []


def test_an_error_of_aws_ends_a_reservation_once_its_attempt_shows() -> None:
    starts = Starts()
    starts.reserve(ONE, NEEDS)
    starts.failed(ONE, 3.0)
    assert (reserved(starts, 3.0), reserved(starts, 3.5)) == ([ONE], [])


def test_who_was_turned_away_holds_back_nobody_until_he_queues() -> None:
    starts = Starts()
    starts.concluded(ONE, Wait(Reason.ACCESS_DENIED, "x"), 1.0)
    assert starts.turned_away == {ONE}
    starts.concluded(ONE, QUEUED, 2.0)
    assert starts.turned_away == set()


def error(name: str | None, value: float | None) -> ServiceError:
    members = {"quotaName": name, "quotaValue": value}
    told = {k: v for k, v in members.items() if v is not None}
    return ServiceError(Failure.QUOTA, "ServiceQuotaExceededException", "x", members=told)


def test_what_aws_says_of_a_quota_counts_more_than_what_is_set() -> None:
    starts, identity = Starts(), Identity("1" * 12, "us-east-1")
    assert starts.limit(Limits(), TRAININGS) == 10
    for name, value in (
        (None, 1.0),
        ("Members", 1.0),
        ("Training jobs per account", None),
        ("Training jobs per account", 2.0),
        ("Training jobs per membership", 1.0),
        ("ml.m5.2xlarge for training", 7.0),
    ):
        starts.learn(identity, error(name, value))
    assert [starts.limit(Limits(), pool) for pool in (TRAININGS, HERE, OF_TYPE)] == [2, 1, 7]
    elsewhere = Pool(Quota.TRAININGS, "2" * 12, "us-east-1")
    assert starts.limit(Limits(), elsewhere) == 10
