"""All that a decision sees of one resource."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from cleanrooms_operator.core.ownership import Signature
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, ObjectId, Resource
from cleanrooms_operator.core.step import Observed, Stall, Wait

Neighbours: TypeAlias = Mapping[str, tuple[Resource, ...]]
"""By kind: the resources of other kinds that a kind's decisions look at."""

Glances: TypeAlias = Mapping[str, tuple[Document, ...] | None]
"""By operation: what Lists showed; None where AWS lets nobody look, absent where none answered."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A create call that AWS will not do."""

    reason: Reason
    message: str
    lasted: float = 0.0
    """Seconds from the first such answer to the last."""


@dataclass(frozen=True, slots=True)
class Situation:
    """One resource, what is desired of it, and what was observed."""

    resource: Resource
    parameters: Document
    """The create call's parameters by the spec, references resolved, without our own tags."""
    parameters_hash: str
    observed: Observed
    account: str
    now: datetime
    service: str
    """The AWS service that the kind lives in."""
    signature: Signature
    """How the tags of this resource's object tell that it is its own."""
    denied_grace: float
    """Seconds for which AccessDenied is taken for IAM that has not spread yet."""
    release_limit: float
    """Seconds for which a deletion waits for an object that is of no use any more (rule R-38)."""
    watched: float
    """Seconds since this process first saw the resource."""
    refusal: Refusal | None = None
    """AWS's answer to a create call with these very parameters, a short while ago."""
    deleted_for: float | None = None
    """Seconds since AWS last took the object's deletion; None: this process has not asked."""
    delete_again: float = 600.0
    """Seconds after which a deletion that came to nothing is asked for again."""
    lack: Wait | Stall | None = None
    """What follows from it that parameters are missing, for what the spec names is not ready."""
    unmarkable: bool = False
    """Whether AWS did not let the object be marked as released."""
    untaggable: bool = False
    """Whether AWS did not find the object when it was to be tagged, for it is over (ER-38)."""
    let_go: ObjectId | None = None
    """The record that an earlier resource of this name left for good, without the mark (R-3)."""
    closed: float | None = None
    """Seconds since the membership that the object is under was seen to be over, where that is no
    resource of the cluster."""
    neighbours: Neighbours = field(default_factory=dict)
    glances: Glances = field(default_factory=dict)
    """What was seen beside the object."""
    certain: bool = False
    """Whether what was read began late enough to show what an open change attempt made."""

    @property
    def observe_only(self) -> bool:
        """Whether nothing may be changed in AWS."""
        return self.resource.observe_only
