"""What every kind's spec understands besides AWS's own parameters."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cleanrooms_operator.core.values import NameRef, Reference, Value


class Spec(Value):
    """What every kind with an object in AWS understands besides AWS's own parameters."""

    OWN: ClassVar[frozenset[str]] = frozenset(
        {
            "accountRef",
            "deletionPolicy",
            "managementPolicy",
            "onMissing",
            "progressDeadlineSeconds",
        }
    )
    """Names of the fields that are the operator's, not AWS's; a kind adds its own."""

    tags: Annotated[
        dict[str, str] | None,
        Field(description="Tags of the AWS object. Mutable. Tags set by others are left alone."),
    ] = None
    account_ref: Annotated[
        NameRef | None,
        Field(
            description="The AWSAccount, in this namespace, whose identity acts. Default: the "
            "AWSAccount named `default`. Immutable."
        ),
    ] = None
    deletion_policy: Annotated[
        Literal["Delete", "Retain"],
        Field(
            description="What happens to the AWS object when this resource is deleted: `Delete` "
            "deletes it too, `Retain` leaves it, with its tags."
        ),
    ] = "Delete"
    management_policy: Annotated[
        Literal["Full", "ObserveOnly"] | None,
        Field(
            description="`Full` creates, changes and deletes the AWS object. `ObserveOnly` only "
            "reports on one that exists and changes nothing. Default: `Full`."
        ),
    ] = None
    on_missing: Annotated[
        Literal["Report", "Recreate"],
        Field(
            description="What to do when the AWS object vanished: `Report` says so in the "
            "conditions, `Recreate` makes another, with another ARN."
        ),
    ] = "Report"
    progress_deadline_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=2_419_200,
            description="How long to wait for what this resource depends on, in seconds, before "
            "it counts as stalled; the wait goes on all the same.",
        ),
    ] = 600


class NamedSpec(Spec):
    """What kinds with a name in AWS understand."""

    name: Annotated[str | None, Field(description="Name in AWS. Default: `metadata.name`.")] = None


class MemberSpec(NamedSpec):
    """What kinds understand whose object lives under a membership."""

    membership_identifier: str | None = None
    membership_ref: Annotated[
        NameRef | None,
        Reference("Membership", {"membershipIdentifier": "identifier"}),
        Field(description="The Membership, in this namespace, whose account acts."),
    ] = None


class KeptSpec(Spec):
    """What kinds understand whose object cannot be made anew: too much hangs on it (rule R-12)."""

    on_missing: Annotated[
        Literal["Report"],
        Field(
            description="What to do when the AWS object vanished: `Report` says so in the "
            "conditions. This kind cannot be created anew by itself."
        ),
    ] = "Report"
