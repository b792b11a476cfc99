"""What a failed request means for a resource."""

from typing import Any

import pytest

import make
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.failures import (
    IAM_DELAY,
    Trouble,
    is_passing,
    may_succeed_unchanged,
    refusal,
    step_after,
)
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.step import Stall, Step, Wait

PASSING = (Failure.THROTTLED, Failure.UNAVAILABLE, Failure.NOT_FOUND)
IAM = make.error(Failure.REFUSED, members={"reason": IAM_DELAY})
QUOTA = make.error(Failure.QUOTA, members={"quotaName": "members", "quotaValue": 5})


def trouble(**over: Any) -> Trouble:
    return Trouble(**{"deleting": False, "denied_long": False} | over)


@pytest.mark.parametrize(
    ("error", "over", "expected", "reason"),
    [
        *(
            pytest.param(
                make.error(failure),
                {"deleting": deleting},
                Wait,
                Reason.PROGRESSING_WITH_RETRY,
                id=f"{failure.value} says nothing of the resource, deleting or not: {deleting}",
            )
            for failure in PASSING
            for deleting in (False, True)
        ),
        pytest.param(
            make.error(Failure.DENIED),
            {},
            Wait,
            Reason.ACCESS_DENIED,
            id="IAM takes minutes to spread",
        ),
        pytest.param(
            make.error(Failure.DENIED),
            {"denied_long": True},
            Stall,
            Reason.ACCESS_DENIED,
            id="a denial that lasts needs a person",
        ),
        pytest.param(
            make.error(Failure.QUOTA), {}, Stall, Reason.QUOTA_EXCEEDED, id="a quota is full"
        ),
        pytest.param(
            IAM, {}, Wait, Reason.PROGRESSING_WITH_RETRY, id="AWS itself says that IAM lags"
        ),
        pytest.param(
            make.error(Failure.REFUSED), {}, Stall, Reason.INVALID_SPEC, id="the spec is wrong"
        ),
        pytest.param(
            make.error(Failure.CONFLICT),
            {},
            Stall,
            Reason.AWS_CONFLICT,
            id="a conflict is not guessed at (R-11)",
        ),
        *(
            pytest.param(
                make.error(failure),
                {"deleting": True},
                Wait,
                Reason.DELETION_BLOCKED,
                id=f"{failure.value} blocks a deletion",
            )
            for failure in Failure
            if failure not in PASSING
        ),
    ],
)
def test_the_conditions_say_what_an_error_means(
    error: ServiceError, over: dict[str, Any], expected: type[Wait | Stall], reason: Reason
) -> None:
    step: Step = step_after(error, trouble(**over))
    assert isinstance(step, expected)
    assert step.reason is reason
    assert error.message in step.message


def test_r_11_a_name_is_called_taken_where_its_holder_is_known() -> None:
    step = step_after(make.error(Failure.CONFLICT), trouble(holder="arn:of-another"))
    assert isinstance(step, Stall)
    assert step.reason is Reason.NAME_TAKEN
    assert "arn:of-another" in step.message


@pytest.mark.parametrize("failure", Failure)
def test_an_error_is_passing_where_it_says_nothing_of_the_resource(failure: Failure) -> None:
    assert is_passing(make.error(failure)) is (failure in PASSING)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(make.error(Failure.THROTTLED), True, id="AWS was busy"),
        pytest.param(QUOTA, True, id="a quota was full"),
        pytest.param(make.error(Failure.UNAVAILABLE), True, id="AWS was out of reach"),
        pytest.param(IAM, True, id="IAM had not spread"),
        pytest.param(make.error(Failure.REFUSED), False, id="invalid stays invalid"),
        pytest.param(make.error(Failure.DENIED), False, id="denied"),
        pytest.param(make.error(Failure.CONFLICT), False, id="a conflict"),
    ],
)
def test_the_same_attempt_is_sent_again_only_where_that_may_help(
    error: ServiceError, *, expected: bool
) -> None:
    """R-8: throttles and 402 keep the attempt."""
    assert may_succeed_unchanged(error) is expected


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Failure.DENIED, Reason.ACCESS_DENIED),
        (Failure.CONFLICT, Reason.AWS_CONFLICT),
        (Failure.REFUSED, Reason.INVALID_SPEC),
    ],
)
def test_a_refused_create_is_remembered_with_its_reason(failure: Failure, reason: Reason) -> None:
    found = refusal(make.error(failure, "SomeException", message="bad"))
    assert (found.reason, found.message) == (reason, "SomeException: bad")


def test_a_quota_is_named_with_its_value_and_where_more_can_be_had() -> None:
    """R-22: a 402 of a quota that nothing frees by itself stalls."""
    step = step_after(QUOTA, trouble())
    assert isinstance(step, Stall)
    assert step.reason is Reason.QUOTA_EXCEEDED
    assert "'members' of 5" in step.message
    assert "Service Quotas" in step.message


def test_a_quota_of_runs_frees_itself() -> None:
    """R-22: a 402 because of runs of others is waited out."""
    members = {"quotaName": "Pending or in-progress training jobs per account", "quotaValue": 10.0}
    step = step_after(make.error(Failure.QUOTA, members=members), trouble())
    assert isinstance(step, Wait)
    assert step.reason is Reason.QUEUED_FOR_QUOTA


def test_an_error_reads_as_aws_says_it() -> None:
    assert str(make.error(code="ValidationException", message="bad")) == "ValidationException: bad"
