"""All that a decision sees of one resource."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cleanrooms_operator.core.resource import Document, Resource
from cleanrooms_operator.core.step import Observed


@dataclass(frozen=True, slots=True)
class Situation:
    """One resource, what is desired of it, and what was observed."""

    resource: Resource
    parameters: Document
    """The create call's parameters by the spec, references resolved, without our own tags."""
    observed: Observed
    account: str
    now: datetime
    since_generation: float = 0.0
    """Seconds since this process first saw the current generation."""
    neighbours: Mapping[str, tuple[Resource, ...]] = field(default_factory=dict)
    """By kind: the resources of other kinds that this kind's decisions look at."""

    @property
    def policy(self) -> Document:
        """The spec, whose policies are read by their YAML names."""
        return self.resource.spec

    @property
    def observe_only(self) -> bool:
        """Whether nothing may be changed in AWS."""
        return self.resource.spec.get("managementPolicy") == "ObserveOnly"

    @property
    def retain(self) -> bool:
        """Whether the object outlives the resource."""
        return self.resource.spec.get("deletionPolicy") == "Retain"
