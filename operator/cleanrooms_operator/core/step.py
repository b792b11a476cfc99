"""The vocabulary of a decision: what was observed, and what to do next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any, Literal, TypeAlias

from cleanrooms_operator.core.ownership import Claim
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, ObjectId


class Lifecycle(Enum):
    """The states of an AWS object that call for different decisions."""

    CHANGING = auto()
    READY = auto()
    FAILED = auto()
    """Of no use, but still to be deleted."""
    DONE = auto()
    """Ended well: it never changes again, and nothing of it is left to be deleted."""
    GONE = auto()
    """Over and of no use: nothing of it is left but its record."""


# -- what was observed ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Details:
    """All that AWS says of one object, from several reads."""

    fields: Document
    """The answer of its Get."""
    tags: Mapping[str, str]
    readings: Mapping[str, Any] = field(default_factory=dict)
    """The further reads of its kind, by name; None where there is no such thing."""


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no object of this resource, and none was ever recorded."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The recorded object is not shown any more."""

    identifier: str
    proved: bool
    """Whether that is certain by now (rule R-9)."""


@dataclass(frozen=True, slots=True)
class Present:
    """AWS shows this object."""

    identifier: str
    arn: str
    state: str | None
    lifecycle: Lifecycle
    claim: Claim
    bound: bool = True
    """Whether the resource's status records it already."""
    released: bool = False
    """Whether its tags say that an earlier deletion had begun."""
    details: Details | None = None
    """None: not read in this pass, for nothing called for it."""
    update_time: str | None = None
    version: str | None = None
    """What tells it from others of its ARN (rule R-1)."""

    @property
    def name(self) -> ObjectId:
        """What names it in calls."""
        return ObjectId(self.identifier, self.version)


@dataclass(frozen=True, slots=True)
class Hidden:
    """AWS does not let us see whether there is an object."""

    message: str
    since: float
    """Seconds since the first such answer."""
    reason: Reason = Reason.ACCESS_DENIED


@dataclass(frozen=True, slots=True)
class Clash:
    """What was found may not be touched without a word from a person."""

    reason: Reason
    message: str
    ours: bool = False
    """Whether some of it is the resource's own, by its tags."""


@dataclass(frozen=True, slots=True)
class Uncertain:
    """An attempt is open, and whether it made an object is not known yet."""


@dataclass(frozen=True, slots=True)
class Disproved:
    """An attempt is open, and it is certain that it made nothing."""

    unsent: bool
    """Whether this process knows that from AWS's answer, rather than from looking for long."""


Observed: TypeAlias = Absent | Missing | Present | Hidden | Clash | Uncertain | Disproved


# -- what a kind says ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Drift:
    """One leaf in which AWS differs from the spec."""

    path: str
    desired: Any
    observed: Any


@dataclass(frozen=True, slots=True)
class Once:
    """What becomes of the record of a call that would do twice what is sent twice."""

    unsent: Document
    """Status fields where it is certain that nothing happened."""
    refused: Callable[[str], Document]
    """Status fields where AWS will not do it, from AWS's text."""


@dataclass(frozen=True, slots=True)
class Change:
    """One mutating call that brings an object in line, or takes a part of it away."""

    service: str
    operation: str
    parameters: Document
    drift: tuple[Drift, ...] = ()
    record: Document = field(default_factory=dict)
    """Status fields that must stand before the call is sent."""
    once: Once | None = None
    """Where it must never be sent twice: it is signed soon after its record was written."""
    contested: bool = False
    """Whether others may have been faster, so that a Conflict means to look again."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A condition besides Ready, Reconciling and Stalled."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Blocker:
    """What keeps an object from being deleted, and what a person can do about it."""

    message: str
    first: bool = False
    """Whether nothing at all may be taken down before it is gone."""
    retains: bool = False
    """Whether it means that the object stays in AWS for good: the resource is let go."""


# -- what to do next ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Create:
    """Record an attempt, then send the create call with its tags."""


@dataclass(frozen=True, slots=True)
class Resend:
    """Send the recorded attempt again: nothing came of it, which is certain."""


@dataclass(frozen=True, slots=True)
class Discard:
    """Clear the recorded attempt, which made nothing."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Clear the recorded object, which is gone, so that another can be made."""


@dataclass(frozen=True, slots=True)
class Bind:
    """Record the found object as this resource's, after its tags say so."""

    found: Present


@dataclass(frozen=True, slots=True)
class Apply:
    """Send this change."""

    change: Change
    present: Present


@dataclass(frozen=True, slots=True)
class Mark:
    """Say on the object itself that it is released, before the first call that ends it."""

    present: Present


@dataclass(frozen=True, slots=True)
class Cancel:
    """End a run before its time."""

    present: Present
    operation: str
    reason: Reason
    """Why: a person asked for it, or the run is being deleted."""


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the object."""

    present: Present
    operation: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again later."""

    reason: Reason
    message: str
    present: Present | None = None


@dataclass(frozen=True, slots=True)
class Stall:
    """Only a person or a change in AWS can help; looked at again, slowly."""

    reason: Reason
    message: str
    present: Present | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A person asked for quiet."""

    message: str
    until: datetime | None = None
    """When it ends by itself; None: when the annotation changes."""


@dataclass(frozen=True, slots=True)
class InSync:
    """The object is as desired."""

    present: Present
    reason: Reason = Reason.SUCCEEDED


@dataclass(frozen=True, slots=True)
class Works:
    """The identity answers, and is whose it should be."""


@dataclass(frozen=True, slots=True)
class Release:
    """Nothing is left to clean up: let Kubernetes forget the resource."""

    reason: Reason | None = None
    """What to tell in an event, where something stays behind."""
    message: str = ""


Step: TypeAlias = (
    Create
    | Resend
    | Discard
    | Forget
    | Bind
    | Apply
    | Mark
    | Cancel
    | Delete
    | Wait
    | Stall
    | Pause
    | InSync
    | Works
    | Release
)
