"""What a failed request means for a resource."""

from dataclasses import dataclass

from cleanrooms_operator.core import quotas
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.situation import Refusal
from cleanrooms_operator.core.step import Stall, Step, Wait

IAM_DELAY = "IAM_SYNCHRONIZATION_DELAY"
"""The reason of a ValidationException for a role that has not spread yet (cleanrooms' model)."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What besides the error decides what it means."""

    deleting: bool
    denied_long: bool
    """Whether AWS has denied something for longer than IAM takes to spread."""
    holder: str | None = None
    """What has the name that a create call asked for."""


def may_succeed_unchanged(error: ServiceError) -> bool:
    """Whether the very same request, of which nothing came, may succeed a while later."""
    retryable = error.failure in {Failure.THROTTLED, Failure.QUOTA, Failure.UNAVAILABLE}
    return retryable or error.members.get("reason") == IAM_DELAY


def refusal(error: ServiceError, holder: str | None = None) -> Refusal:
    """Return what to remember of a create call that AWS would not do.

    `holder` is what has the name that it asked for, where AWS says that something conflicts.
    """
    if error.failure is Failure.CONFLICT and holder is not None:
        return Refusal(Reason.NAME_TAKEN, f"{holder} has it. {Reason.NAME_TAKEN.remedy}")
    return Refusal(_REASONS.get(error.failure, Reason.INVALID_SPEC), _text(error))


_REASONS = {
    Failure.DENIED: Reason.ACCESS_DENIED,
    Failure.CONFLICT: Reason.AWS_CONFLICT,
}


def step_after(error: ServiceError, trouble: Trouble) -> Step:
    """Return what the conditions say after an error."""
    if error.failure in {Failure.THROTTLED, Failure.UNAVAILABLE, Failure.NOT_FOUND}:
        return Wait(Reason.PROGRESSING_WITH_RETRY, _text(error))
    if trouble.deleting:
        return Wait(Reason.DELETION_BLOCKED, _text(error))
    if error.failure is Failure.DENIED and not trouble.denied_long:
        return Wait(Reason.ACCESS_DENIED, _text(error))
    if error.failure is Failure.QUOTA:
        return _quota(error)
    if may_succeed_unchanged(error):
        return Wait(Reason.PROGRESSING_WITH_RETRY, _text(error))
    refused = refusal(error, trouble.holder)
    return Stall(refused.reason, refused.message)


def is_passing(error: ServiceError) -> bool:
    """Whether the error says nothing of the resource, only that AWS cannot be asked just now."""
    return error.failure in {Failure.THROTTLED, Failure.UNAVAILABLE, Failure.NOT_FOUND}


def _text(error: ServiceError) -> str:
    return f"{error.code}: {error.message}"


def _quota(error: ServiceError) -> Wait | Stall:
    """Wait for what ends by itself; other quotas need a person (rule R-22)."""
    name, value = error.members.get("quotaName"), error.members.get("quotaValue")
    if name is None:
        return Stall(Reason.QUOTA_EXCEEDED, f"{_text(error)}. {Reason.QUOTA_EXCEEDED.remedy}")
    full = f"The quota {name!r} of {value} is full"
    if quotas.meant(name) is not None:
        return Wait(Reason.QUEUED_FOR_QUOTA, full)
    return Stall(Reason.QUOTA_EXCEEDED, f"{full}. {Reason.QUOTA_EXCEEDED.remedy}")
