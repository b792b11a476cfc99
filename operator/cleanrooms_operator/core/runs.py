"""What runs and ends: its times, how it ended, and when nothing more is asked about it."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from cleanrooms_operator.core import plans
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.redaction import redacted, sensitive_values
from cleanrooms_operator.core.resource import Annotation, Document, Resource
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.status import Status
from cleanrooms_operator.core.step import Details, Fact, Lifecycle, Present, Stall
from cleanrooms_operator.core.times import timestamp
from cleanrooms_operator.core.values import AccountId

PUBLISHING = tuple(timedelta(minutes=minutes) for minutes in (2, 6, 15))
"""When, after the end was seen, metrics and logs are looked for; not again after (rule R-24)."""

LONGEST_MESSAGE = 1024
"""Characters of AWS's text about a failure that are told."""


UNDER_WAY = dict.fromkeys(
    (f"{act}_{stage}" for act in ("CREATE", "CANCEL") for stage in ("PENDING", "IN_PROGRESS")),
    Lifecycle.CHANGING,
)
"""The states of making a run, and of cancelling it."""

BEING_DELETED = dict.fromkeys(("DELETE_PENDING", "DELETE_IN_PROGRESS"), Lifecycle.CHANGING)

CREATING = frozenset({"CREATE_PENDING", "CREATE_IN_PROGRESS"})

JOB_ENDS = {
    "CREATE_FAILED": Reason.INFERENCE_FAILED,
    "INACTIVE": Reason.CANCELLED,
    "CANCEL_FAILED": Reason.CANCEL_FAILED,
}
"""What it means that an inference job ends otherwise than well."""

CHANNEL_ENDS = {
    "CREATE_FAILED": Reason.INPUT_CHANNEL_FAILED,
    "INACTIVE": Reason.EXPIRED,
    "DELETE_FAILED": Reason.DELETE_FAILED,
}
"""What it means that a channel is not, or not any more, there to be read."""

NEVER_STARTED = Stall(Reason.CANCELLED, "Never started: cancelled by annotation before that")

Publication = Annotated[
    Literal["PUBLISH_SUCCEEDED", "PUBLISH_FAILED"] | None,
    Field(description="Whether AWS could publish it; absent until AWS says so."),
]


class RunStatus(Status):
    """What the status of a kind that runs and ends has."""

    membership_identifier: Annotated[
        str | None, Field(description="Identifier of the membership that it runs under.")
    ] = None
    collaboration_identifier: Annotated[
        str | None, Field(description="Identifier of the collaboration whose members may pay.")
    ] = None
    payer: Annotated[
        AccountId | None, Field(description="The account that pays for it, as AWS says.")
    ] = None
    plan: Annotated[
        plans.Plan | None,
        Field(description="What would be started, while it waits to be approved."),
    ] = None
    start_time: Annotated[
        datetime | None, Field(description="When AWS took the order; by AWS's clock.")
    ] = None
    completion_time: Annotated[
        datetime | None,
        Field(
            description="When AWS last changed it before it was first seen ended; by AWS's clock."
        ),
    ] = None


class ComputationStatus(RunStatus):
    """What the status of a training or inference has."""

    metrics_status: Publication = None
    metrics_status_details: Annotated[
        str | None, Field(description="What AWS says of the metrics.")
    ] = None
    logs_status: Publication = None
    logs_status_details: Annotated[str | None, Field(description="What AWS says of the logs.")] = (
        None
    )


# -- what a person asks for ------------------------------------------------------------------


def is_called_off(kind: Kind, resource: Resource) -> bool:
    """Whether a run is not to be started, or to be ended: once said, that stands (rule R-36)."""
    asked = resource.annotations.get(Annotation.CANCEL) == "true"
    return kind.is_run and (asked or _never_started(resource))


def was_never_started(kind: Kind, resource: Resource) -> bool:
    """Whether a run was called off before its start, so that AWS need not be asked for it."""
    named = Annotation.EXTERNAL_ID in resource.annotations
    return kind.is_run and not resource.deleting and not named and _never_started(resource)


def _never_started(resource: Resource) -> bool:
    status = resource.status
    unmade = status.get("identifier") is None and status.get("attempt") is None
    return unmade and resource.is_stalled(Reason.CANCELLED.value)


def cancelled_by(kind: Kind, present: Present) -> str | None:
    """Return the operation that ends a run in its state before its time, or None."""
    if kind.cancel is None or present.state not in kind.cancel.states:
        return None
    return kind.cancel.operation


# -- when to look ----------------------------------------------------------------------------


def is_at_rest(kind: Kind, resource: Resource) -> bool:
    """Whether all is told of a run that is over, so that it costs no call (rules R-21, R-36).

    Status alone decides that, so it holds in a new process too.
    """
    status = resource.status
    open_ = resource.deleting or status.get("attempt") is not None
    state = status.get("state")
    if open_ or state is None or not kind.is_over(state) or resource.condition("Paused"):
        return False
    ready = resource.condition("Ready")
    reason = kind.ends.get(state, Reason.SUCCEEDED).value
    return (
        ready is not None
        and ready["reason"] == reason
        and ready["observedGeneration"] == resource.generation == status["observedGeneration"]
    )


def next_publication(kind: Kind, resource: Resource, since: datetime) -> datetime | None:
    """Return the first turn after `since` to look for what AWS publishes of an ended run."""
    succeeded = resource.condition("Succeeded")
    missing = any(resource.status.get(name) is None for name in kind.published)
    if not missing or succeeded is None or succeeded["status"] == "Unknown":
        return None
    ended = datetime.fromisoformat(succeeded["lastTransitionTime"])
    return next((ended + delay for delay in PUBLISHING if ended + delay > since), None)


# -- what is told ----------------------------------------------------------------------------


def report(situation: Situation, present: Present) -> Document:
    """Return where a run belongs, and its times (rule R-24)."""
    if present.details is None:
        return {}
    fields, status = present.details.fields, situation.resource.status
    ended = status.get("completionTime")
    if ended is None and has_ended(present.state):
        ended = timestamp(fields["updateTime"])
    return {
        "collaborationIdentifier": fields.get("collaborationIdentifier"),
        "startTime": timestamp(fields["createTime"]),
        "completionTime": ended,
    }


def publications(details: Details | None) -> Document:
    """Return what AWS says of the metrics and logs of a run."""
    names = ("metricsStatus", "metricsStatusDetails", "logsStatus", "logsStatusDetails")
    shown = {} if details is None else details.fields
    return {name: shown[name] for name in names if shown.get(name) is not None}


def has_ended(state: str | None) -> bool:
    """Whether a run in that state runs no more; a failed cancellation leaves that open."""
    open_ = state is None or state.startswith(("CREATE_", "CANCEL_"))
    return not open_ or _failed(state)


def _failed(state: str | None) -> bool:
    return state == "CREATE_FAILED"


def facts(situation: Situation, present: Present, failure: Reason) -> tuple[Fact, ...]:
    """Return how a run ended: Succeeded, which is unknown until then, and Failed, once it is."""
    before = situation.resource.condition("Succeeded")
    succeeded = before is not None and before["status"] == "True"
    if not has_ended(present.state):
        message = f"AWS says {present.state}"
        return (Fact("Succeeded", "Unknown", Reason.PROGRESSING, message),)
    if _failed(present.state):
        return _ended_badly(failure, words(present))
    if present.state == "INACTIVE" and not succeeded:
        return _ended_badly(Reason.CANCELLED, words(present))
    message = "It ran to its end"
    return (
        Fact("Succeeded", "True", Reason.SUCCEEDED, message),
        Fact("Failed", "False", Reason.SUCCEEDED, message),
    )


def _ended_badly(reason: Reason, message: str) -> tuple[Fact, ...]:
    return (Fact("Succeeded", "False", reason, message), failed(reason, message))


def failed(reason: Reason, message: str) -> Fact:
    """Return that a run ended badly."""
    return Fact("Failed", "True", reason, message)


def words(present: Present) -> str:
    """Return AWS's word for the state, with what it says of a failure.

    That may be a container's own words, which may hold what the container was started with.
    """
    said = f"AWS says {present.state}"
    shown = present.details.fields if present.details else {}
    details = shown.get("statusDetails") or {}
    message = redacted(details.get("message") or "", sensitive_values(shown))
    return ": ".join(filter(None, (said, details.get("statusCode"), message)))[:LONGEST_MESSAGE]


def waiting(kind: Kind, present: Present) -> str:
    """Return what a deletion waits for."""
    if kind.is_run and str(present.state).startswith("CREATE_"):
        return f"AWS says {present.state}, in which nothing can end it: waiting for its end"
    return f"AWS says {present.state}"
