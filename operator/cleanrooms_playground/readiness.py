"""How far the resources of some manifests are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cleanrooms_playground.cluster import GROUP, Cluster, condition_of, is_true
from cleanrooms_playground.documents import Document

WAITED_FOR = "Ready"


@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """Names a resource of our group."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """What a resource says of itself; `ready` is true of the current generation only.

    `state` is AWS's word for its object.
    """

    resource: Resource
    ready: bool
    status: str
    reason: str
    message: str
    state: str = ""


def ours(documents: Iterable[Document]) -> tuple[Resource, ...]:
    """Return those resources of a list of manifests that belong to our group, in its order."""
    return tuple(
        Resource(
            document["kind"],
            document["metadata"].get("namespace", "default"),
            document["metadata"]["name"],
        )
        for document in documents
        if document["apiVersion"].startswith(f"{GROUP}/")
    )


def observe(cluster: Cluster, resources: Sequence[Resource]) -> tuple[Row, ...]:
    """Read the resources, one list a kind, and return a row for each, in the given order."""
    found = {
        Resource(kind, document["metadata"]["namespace"], document["metadata"]["name"]): document
        for kind in sorted({resource.kind for resource in resources})
        for document in cluster.list(kind)
    }
    return tuple(_row(resource, found.get(resource)) for resource in resources)


def _row(resource: Resource, document: Document | None) -> Row:
    if document is None:
        return Row(resource, ready=False, status="", reason="NotThere", message="it was deleted")
    condition = condition_of(document, WAITED_FOR)
    if condition is None:
        return Row(resource, ready=False, status="", reason="", message="not looked at yet")
    return Row(
        resource,
        ready=is_true(document, WAITED_FOR),
        status=condition["status"],
        reason=condition.get("reason", ""),
        message=condition.get("message", ""),
        state=document["status"].get("state", ""),
    )
