"""Token buckets, in time that the test turns."""

from itertools import pairwise

import pytest

from cleanrooms_operator.aws.rates import (
    BACKGROUND_SHARE,
    FLOOR_SHARE,
    RECOVERY_SECONDS,
    Bucket,
    Metered,
    Rate,
    Rates,
    rate_of,
)
from cleanrooms_operator.runtime.ports import PacedError

LIST = Metered("111111111111", "us-east-1", "cleanrooms", "ListMembers")
TRAIN = Metered("111111111111", "us-east-1", "cleanroomsml", "CreateTrainedModel")
PATIENT = 1e9


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        pytest.param("cleanrooms.CreateCollaboration", Rate(5, 5), id="5-for-everything"),
        pytest.param("cleanrooms.ListTagsForResource", Rate(5, 5), id="tagging-too"),
        pytest.param("cleanrooms.GetConfiguredTable", Rate(20, 20), id="but-this"),
        pytest.param("cleanrooms.GetProtectedQuery", Rate(20, 20), id="and-this"),
        pytest.param("cleanroomsml.CreateTrainedModel", Rate(1, 3), id="burst-3"),
        pytest.param("cleanroomsml.StartTrainedModelInferenceJob", Rate(1, 3), id="burst-3-too"),
        pytest.param("cleanroomsml.StartTrainedModelExportJob", Rate(10, 10), id="exports"),
        pytest.param("cleanroomsml.PutMLConfiguration", Rate(10, 10), id="puts"),
        pytest.param("cleanroomsml.GetTrainedModel", Rate(50, 50), id="reads"),
        pytest.param("cleanroomsml.ListCollaborationTrainedModels", Rate(50, 50), id="views"),
        pytest.param("cleanroomsml.DeleteMLConfiguration", Rate(2, 10), id="deletes"),
        pytest.param("cleanroomsml.CancelTrainedModel", Rate(2, 10), id="cancels"),
        pytest.param("cleanroomsml.TagResource", Rate(10, 10), id="tags"),
        pytest.param("cleanroomsml.UntagResource", Rate(50, 50), id="untags"),
        pytest.param("sts.GetCallerIdentity", Rate(20, 20), id="sts"),
    ],
)
def test_rates_are_those_of_the_user_guides(name: str, rate: Rate) -> None:
    assert rate_of(*name.split("."), {}) == rate


def test_a_setting_overrides_what_it_matches() -> None:
    overrides = {"cleanrooms.List*": Rate(2, 2)}
    assert rate_of("cleanrooms", "ListMembers", overrides) == Rate(2, 2)
    assert rate_of("cleanrooms", "GetMembership", overrides) == Rate(5, 5)


def sent_within(rates: Rates, seconds: float, *, background: bool = False) -> list[float]:
    """Return when each of a queue of requests goes out, for a caller that never stops asking."""
    moments = []
    now = 0.0
    while True:
        wait = rates.take(LIST, now, patience=PATIENT, background=background)
        now += wait
        if now > seconds:
            return moments
        moments.append(now)


def test_a_burst_goes_at_once_and_then_the_rate_holds() -> None:
    moments = sent_within(Rates(), 60.0)
    assert moments.count(0.0) == 4
    pauses = [later - earlier for earlier, later in pairwise(moments[3:])]
    assert pauses == pytest.approx([0.2] * len(pauses))


def test_no_window_of_time_sees_more_than_aws_grants() -> None:
    """A bucket of AWS's size, in step with ours, never runs dry."""
    left, at = 5.0, 0.0
    for moment in sent_within(Rates(), 60.0):
        left = min(5.0, left + (moment - at) * 5.0) - 1.0
        at = moment
        assert left >= 0


def test_drift_detection_leaves_a_fifth_of_the_rate_free() -> None:
    """R-21."""
    long_run = len(sent_within(Rates(), 1000.0, background=True)) / 1000.0
    assert long_run == pytest.approx(BACKGROUND_SHARE * 5, rel=0.01)


def test_while_drift_detection_waits_a_users_change_does_not() -> None:
    """R-21."""
    rates = Rates()
    now = 100.0
    sent_within(rates, now, background=True)
    assert rates.take(LIST, now, patience=0.0) == 0.0


def test_requests_in_line_wait_longer_and_longer() -> None:
    rates = Rates()
    waits = [rates.take(LIST, 0.0, patience=PATIENT) for _ in range(7)]
    assert waits == pytest.approx([0, 0, 0, 0, 0.2, 0.4, 0.6])


def test_a_long_wait_is_refused_and_takes_nothing() -> None:
    rates = Rates()
    for _ in range(2):
        assert rates.take(TRAIN, 0.0, patience=2.0) == 0
    assert rates.take(TRAIN, 0.0, patience=2.0) == pytest.approx(1.0)
    assert rates.take(TRAIN, 0.0, patience=2.0) == pytest.approx(2.0)
    for _ in range(3):
        with pytest.raises(PacedError) as paced:
            rates.take(TRAIN, 0.0, patience=2.0)
        assert paced.value.seconds == pytest.approx(3.0)


def test_accounts_regions_and_operations_do_not_share_a_rate() -> None:
    rates = Rates()
    sent_within(rates, 10.0)
    for other in (
        Metered("222222222222", "us-east-1", "cleanrooms", "ListMembers"),
        Metered("111111111111", "eu-west-1", "cleanrooms", "ListMembers"),
        Metered("111111111111", "us-east-1", "cleanrooms", "GetMembership"),
    ):
        assert rates.take(other, 10.0, patience=0.0) == 0.0


class TestThrottles:
    def test_a_throttle_halves_the_speed_and_ends_the_burst(self) -> None:
        rates = Rates()
        rates.throttled(LIST, sent=0.0, now=0.0)
        assert rates.take(LIST, 0.0, patience=PATIENT) == pytest.approx(1 / 2.5)

    def test_one_that_comes_late_leaves_nothing_that_was_saved_up(self) -> None:
        rates = Rates()
        assert rates.take(LIST, 0.0, patience=0.0) == 0.0
        rates.throttled(LIST, sent=0.0, now=10.0)
        assert rates.take(LIST, 10.0, patience=PATIENT) == pytest.approx(1 / 2.5)

    def test_requests_under_way_together_halve_it_once(self) -> None:
        bucket = Bucket(Rate(5, 5), 0.0)
        for _ in range(16):
            bucket.throttled(sent=0.5, now=1.0)
        assert bucket.speed(1.0) == pytest.approx(2.5)

    def test_one_that_was_sent_after_the_cut_halves_it_again(self) -> None:
        bucket = Bucket(Rate(5, 5), 0.0)
        bucket.throttled(sent=0.5, now=1.0)
        bucket.throttled(sent=1.1, now=1.2)
        assert bucket.speed(1.2) == pytest.approx(1.25, rel=0.01)

    def test_it_never_falls_below_the_floor(self) -> None:
        bucket = Bucket(Rate(5, 5), 0.0)
        for second in range(1, 100):
            bucket.throttled(sent=second, now=second)
            assert bucket.speed(second) >= FLOOR_SHARE * 5

    def test_it_recovers_steadily_and_never_above_the_quota(self) -> None:
        bucket = Bucket(Rate(5, 5), 0.0)
        bucket.throttled(sent=1.0, now=1.0)
        speeds = [bucket.speed(1.0 + second) for second in (0, 10, 20, 30, 300)]
        assert speeds == pytest.approx([2.5, 2.5 + 50 / 60, 2.5 + 100 / 60, 5.0, 5.0])
        assert bucket.speed(1.0 + RECOVERY_SECONDS / 2) == 5.0

    def test_drift_detection_slows_down_as_well(self) -> None:
        """R-21."""
        rates = Rates()
        rates.throttled(LIST, sent=0.0, now=0.0)
        wait = rates.take(LIST, 0.0, patience=PATIENT, background=True)
        assert wait == pytest.approx(1 / (2.5 * BACKGROUND_SHARE))
