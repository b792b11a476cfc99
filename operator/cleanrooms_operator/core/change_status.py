"""What a collaboration's status says of its change requests."""

from typing import Annotated, Literal

from pydantic import Field

from cleanrooms_operator.core.values import Value


class Approval(Value):
    """A member's vote on a change request."""

    account_id: Annotated[str, Field(description="The member's account.")]
    status: Annotated[str, Field(description="PENDING, APPROVED or DENIED.")]


class ChangeRequestStatus(Value):
    """The latest change request of this resource."""

    id: Annotated[str | None, Field(description="Its identifier; none where AWS refused it.")] = (
        None
    )
    status: Annotated[
        str,
        Field(
            description="PENDING, APPROVED, COMMITTED, DENIED or CANCELLED, in AWS's word; REFUSED "
            "where AWS did not take the request."
        ),
    ]
    types: Annotated[
        list[str] | None, Field(description="What AWS makes of it, such as ADD_MEMBER.")
    ] = None
    requested_at: Annotated[
        str | None, Field(description="When AWS says that it was asked for.")
    ] = None
    approvals: Annotated[list[Approval] | None, Field(description="Who votes on it, and how.")] = (
        None
    )
    generation: Annotated[
        int, Field(ge=0, description="The generation of the spec that asked for it.")
    ]
    asked: Annotated[
        str | None,
        Field(description="The annotation `reconcile-requested-at` when it was asked for."),
    ] = None
    withdrawn: Annotated[
        Literal["Replaced", "Unexpected"] | None,
        Field(description="Why the operator cancels it."),
    ] = None
    message: Annotated[str | None, Field(description="Why AWS refused it.")] = None


class PastRequest(Value):
    """A change request of the collaboration, whoever asked for it."""

    id: Annotated[str, Field(description="Its identifier.")]
    status: Annotated[str, Field(description="Its status in AWS.")]
    types: Annotated[list[str], Field(description="What AWS makes of it.")]
    requested_at: Annotated[str, Field(description="When AWS says that it was asked for.")]


class ChangeAttempt(Value):
    """What is written down before a change request is sent, so that it can be found again."""

    started_at: Annotated[str, Field(description="When it was written.")]
    generation: Annotated[int, Field(ge=0, description="The generation of the spec that asks.")]
    asked: Annotated[
        str | None, Field(description="The annotation `reconcile-requested-at` at that time.")
    ] = None
    content: Annotated[str, Field(description="A hash of what is asked for.")]
    listed: Annotated[
        list[str], Field(description="The latest requests that AWS listed before it.")
    ]
