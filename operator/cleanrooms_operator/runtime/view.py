"""What the stages of one pass share."""

from collections.abc import Mapping
from dataclasses import dataclass

from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.resource import Annotation, Document, Resource
from cleanrooms_operator.core.situation import Neighbours
from cleanrooms_operator.runtime.memory import Recall, is_settled
from cleanrooms_operator.runtime.ports import Identity, Ports, Sighting


@dataclass(frozen=True, slots=True)
class View:
    """One resource, as one pass looks at it."""

    kind: Kind
    resource: Resource
    identity: Identity
    parameters: Document
    """The create call's parameters, as far as references could be resolved."""
    ports: Ports
    recall: Recall
    neighbours: Neighbours

    @property
    def elapsed(self) -> float:
        """The clock that never goes back."""
        return self.ports.clock.elapsed()

    @property
    def requested(self) -> str | None:
        """The request for a look that has not been answered yet."""
        return unanswered_request(self.resource)

    async def call(self, service: str, operation: str, parameters: Document) -> Document:
        """Send one request as this resource's account."""
        calm = is_settled(self.resource) and self.requested is None
        return await self.ports.service.call(
            self.identity, service, operation, parameters, background=calm
        )

    @property
    def scope(self) -> dict[str, str]:
        """What the object lives under, as every call of its kind names it."""
        return {name: self.parameters[name] for name in self.kind.scope}

    def naming(self, identifier: str) -> dict[str, str]:
        """Return the parameters that name one object."""
        return {**self.scope, self.kind.handle.parameter: identifier}

    async def sighting(self, since: float) -> Sighting:
        """Return what the kind's List showed at `since` or later."""
        listing = self.kind.listing
        return await self.ports.service.sighting(self.identity, listing, self.scope, since)

    def unwrapped(self, answer: Document) -> Document:
        """Return the object in an answer of Create, Get or Update."""
        envelope = self.kind.envelope
        found: Mapping[str, object] = answer if envelope is None else answer[envelope]
        return found


def unanswered_request(resource: Resource) -> str | None:
    """Return the value of `reconcile-requested-at` that status does not echo yet."""
    asked = resource.annotations.get(Annotation.RECONCILE_REQUESTED_AT)
    return asked if asked != resource.status.get("lastHandledReconcileAt") else None
