"""The Kubernetes side of the vocabulary: a resource as one pass sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

GROUP = "cleanrooms-operator.dev"
VERSION = "v1alpha1"
FINALIZER = f"{GROUP}/aws-object"

Document: TypeAlias = Mapping[str, Any]


class Annotation:
    """The annotations that people set on a resource; each is prefixed with the group."""

    EXTERNAL_ID = f"{GROUP}/external-id"
    PAUSED = f"{GROUP}/paused"
    PAUSED_UNTIL = f"{GROUP}/paused-until"
    RECONCILE_REQUESTED_AT = f"{GROUP}/reconcile-requested-at"
    CANCEL = f"{GROUP}/cancel"
    ABANDON = f"{GROUP}/abandon"
    DELETE_COLLABORATION = f"{GROUP}/delete-collaboration"
    DELETE_MEMBERSHIP = f"{GROUP}/delete-membership"
    REMOVE_ACTIVE_MEMBERS = f"{GROUP}/remove-active-members"


NONE = "none"
"""The word of `external-id` that says: create another beside what exists."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The name of a resource: kind, namespace, name."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class ObjectId:
    """What names one object in AWS."""

    identifier: str
    """As calls take it; the ARN where a service names objects by it."""
    version: str | None = None
    """Of what several objects share the identifier of (rule R-1); None: the base."""

    def __str__(self) -> str:
        return self.identifier if self.version is None else f"{self.identifier}#{self.version}"


@dataclass(frozen=True, slots=True)
class Resource:
    """A Kubernetes resource of ours, as it was read."""

    key: Key
    uid: str
    version: str
    """`metadata.resourceVersion`: opaque, the precondition of every write."""
    generation: int
    created: datetime
    spec: Document
    status: Document = field(default_factory=dict)
    deleted: datetime | None = None
    """When its deletion was asked for; None while it is wanted."""
    finalizers: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def deleting(self) -> bool:
        """Whether its deletion was asked for."""
        return self.deleted is not None

    @property
    def held(self) -> bool:
        """Whether our finalizer is on it."""
        return FINALIZER in self.finalizers

    @property
    def observe_only(self) -> bool:
        """Whether nothing may be changed in AWS for it."""
        return self.spec.get("managementPolicy") == "ObserveOnly"

    @property
    def external_id(self) -> str | None:
        """What a person names as its object; None where nobody does."""
        named = self.annotations.get(Annotation.EXTERNAL_ID)
        return None if named == NONE else named

    @property
    def beside(self) -> bool:
        """Whether a person wants an object of its own beside what exists."""
        return self.annotations.get(Annotation.EXTERNAL_ID) == NONE

    @property
    def retained(self) -> bool:
        """Whether its object outlives it."""
        return self.spec.get("deletionPolicy") == "Retain"

    def condition(self, type_: str) -> Document | None:
        """Return its condition of that type, or None."""
        conditions = self.status.get("conditions") or ()
        return next((c for c in conditions if c["type"] == type_), None)

    def says(self, reason: str) -> bool:
        """Whether that was what its Ready condition came from when it was looked at last."""
        ready = self.condition("Ready")
        return ready is not None and bool(ready["reason"] == reason)

    def is_stalled(self, reason: str) -> bool:
        """Whether it was stalled for that reason when it was looked at last."""
        stalled = self.condition("Stalled")
        return stalled is not None and bool(stalled["reason"] == reason)

    def is_true(self, type_: str) -> bool:
        """Whether its condition of that type is True for the generation that is asked for."""
        return self._says(type_, "True")

    def is_false(self, type_: str) -> bool:
        """Whether its condition of that type is False for the generation that is asked for."""
        return self._says(type_, "False")

    def _says(self, type_: str, status: str) -> bool:
        condition = self.condition(type_)
        return (
            condition is not None
            and condition["status"] == status
            and condition.get("observedGeneration") == self.generation
        )
