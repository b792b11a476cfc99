"""What the stages of one pass share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cleanrooms_operator.core.attempt import parameters_hash
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.kind import Kind, Listing
from cleanrooms_operator.core.ownership import SharedSignature, Signature
from cleanrooms_operator.core.resource import Annotation, Document, ObjectId, Resource
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
    sources_hash: str | None = None
    """Of the values that come from ConfigMaps and Secrets; None where there are none."""

    @property
    def elapsed(self) -> float:
        """The clock that never goes back."""
        return self.ports.clock.elapsed()

    @property
    def parameters_hash(self) -> str:
        """The hash of the parameters."""
        return parameters_hash(self.parameters, self.ports.policy.hash_key)

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

    @property
    def signature(self) -> Signature:
        """How the resource signs what it makes."""
        signed = Signature if self.kind.versions is None else SharedSignature
        return signed(self.ports.policy.owner, self.resource.key)

    def naming(self, name: ObjectId) -> dict[str, str]:
        """Return the parameters that name one object."""
        return {**self.scope, **self.kind.handle.naming(name)}

    async def sighting(self, since: float, of: ObjectId | None = None) -> Sighting:
        """Return what the kind's List showed at `since` or later.

        Where it shows one version of what has several (rule R-1), it is asked for the others too:
        those of `of` if it does not show that, else those of every ARN that it shows a version of.
        """
        service, kind = self.ports.service, self.kind
        listed = await service.sighting(self.identity, kind.listing, self.scope, since)
        sightings = [listed]
        if (versions := kind.versions) is not None:
            arns = _arns_of_several([kind.handle.of(item) for item in listed.items], of)
            sightings += [await self._versions(versions, arn, since) for arn in arns]
        items = {kind.handle.of(item): item for shown in sightings for item in shown.items}
        self.recall.pages = sum(shown.pages for shown in sightings)
        started = min(shown.started for shown in sightings)
        return Sighting(started, tuple(items.values()), self.recall.pages)

    async def _versions(self, listing: Listing, arn: str, since: float) -> Sighting:
        scope = {**self.scope, self.kind.handle.parameter: arn}
        return await self.ports.service.sighting(self.identity, listing, scope, since)

    async def read(self, name: ObjectId) -> Document:
        """Return an object's own fields.

        A base that has versions is read from the List of them: a Get that names no version
        answers for the latest (rule R-1). Raises ServiceError, as where it does not exist.
        """
        kind = self.kind
        shown = self.unwrapped(await self.call(kind.service, kind.read, self.naming(name)))
        if kind.versions is None or kind.handle.of(shown) == name:
            return shown
        listed = await self._versions(kind.versions, name.identifier, self.elapsed)
        found = next((item for item in listed.items if kind.handle.of(item) == name), None)
        if found is None:
            message = f"{kind.versions.operation} does not show {name}"
            raise ServiceError(Failure.NOT_FOUND, "ResourceNotFoundException", message)
        return found

    def unwrapped(self, answer: Document) -> Document:
        """Return the object in an answer of Create, Get or Update."""
        envelope = self.kind.envelope
        found: Mapping[str, object] = answer if envelope is None else answer[envelope]
        return found


def _arns_of_several(listed: Iterable[ObjectId], of: ObjectId | None) -> list[str]:
    """Return the ARNs whose versions have to be asked for besides what is listed."""
    names = set(listed)
    if of is None:
        return sorted({name.identifier for name in names if name.version is not None})
    is_beside = of not in names and any(name.identifier == of.identifier for name in names)
    return [of.identifier] if is_beside else []


def unanswered_request(resource: Resource) -> str | None:
    """Return the value of `reconcile-requested-at` that status does not echo yet."""
    asked = resource.annotations.get(Annotation.RECONCILE_REQUESTED_AT)
    return asked if asked != resource.status.get("lastHandledReconcileAt") else None
