"""Talk to a cluster in plain documents: apply files, read, change, and wait.

A thin layer over lightkube for the demo and the tests. A kind is given as `Collaboration`,
which means our own group and version, or in full as `v1/Secret` or `apps/v1/Deployment`.
"""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import lightkube
from lightkube.codecs import resource_registry
from lightkube.config.kubeconfig import KubeConfig
from lightkube.core.exceptions import LoadResourceError
from lightkube.core.resource import NamespacedResource
from lightkube.exceptions import ApiError
from lightkube.generic_resource import load_in_cluster_generic_resources
from lightkube.types import PatchType

from cleanrooms_playground.documents import Document, read_documents
from cleanrooms_playground.errors import NotInTimeError, PlaygroundError
from cleanrooms_playground.waiting import wait_for

GROUP = "cleanrooms-operator.dev"
VERSION = "v1alpha1"
FIELD_MANAGER = "cleanrooms-playground"
CRD = "apiextensions.k8s.io/v1/CustomResourceDefinition"
NAMESPACE = "v1/Namespace"
APPLY_FIRST = (NAMESPACE, CRD)

NOT_FOUND = 404


class _Resource(Protocol):
    """What lightkube's typed and generic resources have in common."""

    def to_dict(self) -> Document: ...


class Cluster:
    """The resources of one cluster, as seen by the user of a kubeconfig.

    Errors of the API server come as lightkube's `ApiError`. Namespaced kinds take the
    namespace as a keyword; without it `get`, `patch` and `delete` mean `default`.
    """

    def __init__(self, kubeconfig: Path, context: str | None = None) -> None:
        config = KubeConfig.from_file(kubeconfig).get(context)
        self.client = lightkube.Client(config=config, field_manager=FIELD_MANAGER, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def apply(self, document: Mapping[str, Any]) -> Document:
        """Create the resource or change it to what `document` says (server-side apply, forced)."""
        metadata = document["metadata"]
        return _document(
            self.client.patch(
                self._class(kind_of(document)),
                metadata["name"],
                dict(document),
                namespace=metadata.get("namespace"),
                patch_type=PatchType.APPLY,
                force=True,
            )
        )

    def apply_files(self, *paths: Path) -> list[Document]:
        """Apply all YAML files of these files and folders, in the order of their names.

        Namespaces come first, then custom resource definitions, which are waited for until
        they are served, then the rest.
        """
        documents = [document for path in paths for document in read_documents(path)]
        applied: list[Document] = []
        for kind in (*APPLY_FIRST, None):
            together = [each for each in documents if _stage(each) == kind]
            applied += map(self.apply, together)
            for definition in together if kind == CRD else ():
                self.wait_until_served(definition["metadata"]["name"])
        return applied

    def create(self, document: Mapping[str, Any]) -> Document:
        """Create a resource; an `ApiError` with code 409 if there is one of that name."""
        resource = self._class(kind_of(document)).from_dict(dict(document))
        return _document(self.client.create(resource))

    def create_namespace(self, name: str) -> None:
        """Create a namespace."""
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def get(self, kind: str, name: str, *, namespace: str | None = None) -> Document | None:
        """Return a resource, or None if there is none."""
        try:
            return _document(self.client.get(self._class(kind), name, namespace=namespace))
        except ApiError as error:
            if error.status.code == NOT_FOUND:
                return None
            raise

    def list(self, kind: str, *, namespace: str | None = None) -> list[Document]:
        """Return the resources of a kind in a namespace, or in all of them."""
        resource_class = self._class(kind)
        everywhere = "*" if issubclass(resource_class, NamespacedResource) else None
        found = self.client.list(resource_class, namespace=namespace or everywhere)
        return [_document(one) for one in found]

    def patch(
        self, kind: str, name: str, change: Mapping[str, Any], *, namespace: str | None = None
    ) -> Document:
        """Merge `change` into a resource (RFC 7386: None removes a key, lists are replaced)."""
        return self._merge(self._class(kind), name, change, namespace)

    def patch_status(
        self, kind: str, name: str, status: Mapping[str, Any], *, namespace: str | None = None
    ) -> Document:
        """Merge `status` into the status of a custom resource."""
        return self._merge(self._class(kind).Status, name, {"status": status}, namespace)

    def delete(self, kind: str, name: str, *, namespace: str | None = None) -> None:
        """Ask for the deletion of a resource; finalizers may hold it. None there: no error."""
        try:
            self.client.delete(self._class(kind), name, namespace=namespace)
        except ApiError as error:
            if error.status.code != NOT_FOUND:
                raise

    def our_kinds(self) -> tuple[str, ...]:
        """Return the kinds of our group that this cluster serves."""
        specs = (definition["spec"] for definition in self.list(CRD))
        return tuple(sorted(spec["names"]["kind"] for spec in specs if spec["group"] == GROUP))

    def delete_namespace_contents(self, namespace: str) -> None:
        """Delete a namespace as far as its finalizers allow without a controller manager.

        As in a real cluster the namespace is marked first, so that nothing new is created in
        it, then everything of our kinds is deleted, in no particular order. What the absent
        controller would do last, removing the namespace object, is not done: it stays
        Terminating for ever.
        """
        self.delete(NAMESPACE, namespace)
        for kind in self.our_kinds():
            for resource in self.list(kind, namespace=namespace):
                self.delete(kind, resource["metadata"]["name"], namespace=namespace)

    def wait_for_condition(
        self,
        kind: str,
        name: str,
        condition: str = "Ready",
        *,
        namespace: str | None = None,
        timeout_seconds: float = 60,
    ) -> Document:
        """Wait until a condition is True of the current generation; return the resource."""
        seen: Document = {}

        def holds() -> bool:
            seen.clear()
            seen.update(self.get(kind, name, namespace=namespace) or {})
            return is_true(seen, condition)

        try:
            wait_for(f"{kind} {name} to be {condition}", holds, timeout_seconds)
        except NotInTimeError as error:
            message = f"{error}; its status is {seen.get('status')}"
            raise NotInTimeError(message) from error
        return seen

    def wait_until_gone(
        self, kind: str, name: str, *, namespace: str | None = None, timeout_seconds: float = 60
    ) -> None:
        """Wait until a resource is no more."""
        wait_for(
            f"{kind} {namespace or 'default'}/{name} to be gone",
            lambda: self.get(kind, name, namespace=namespace) is None,
            timeout_seconds,
        )

    def _merge(
        self,
        resource_class: type[Any],
        name: str,
        change: Mapping[str, Any],
        namespace: str | None,
    ) -> Document:
        return _document(
            self.client.patch(
                resource_class,
                name,
                dict(change),
                namespace=namespace,
                patch_type=PatchType.MERGE,
            )
        )

    def _class(self, kind: str) -> type[Any]:
        """Return lightkube's class for a kind, which it may first have to learn of the cluster."""
        version, _, name = kind.rpartition("/")
        version = version or f"{GROUP}/{VERSION}"
        with contextlib.suppress(LoadResourceError):
            return _loaded(version, name)
        load_in_cluster_generic_resources(self.client)
        try:
            return _loaded(version, name)
        except LoadResourceError as error:
            message = f"the cluster serves no {version} {name}; are its definitions applied?"
            raise PlaygroundError(message) from error

    def wait_until_served(self, name: str) -> None:
        """Wait until a definition is established and its storage answers, which comes later."""

        def served() -> bool:
            found = self.get(CRD, name) or {}
            if not is_true(found, "Established"):
                return False
            spec = found["spec"]
            version, kind = spec["versions"][0]["name"], spec["names"]["kind"]
            try:
                self.list(f"{spec['group']}/{version}/{kind}")
            except (ApiError, PlaygroundError):
                return False
            return True

        wait_for(f"the definition {name} to be served", served)


def kind_of(document: Mapping[str, Any]) -> str:
    """Return the kind of a document in full: `v1/Secret`."""
    return f"{document['apiVersion']}/{document['kind']}"


def _stage(document: Mapping[str, Any]) -> str | None:
    """Return the kind if it is one of those that are applied first."""
    kind = kind_of(document)
    return kind if kind in APPLY_FIRST else None


def condition_of(document: Mapping[str, Any], name: str) -> Document | None:
    """Return one condition of a resource's status, if it has it."""
    conditions: Sequence[Document] = document.get("status", {}).get("conditions", [])
    return next((one for one in conditions if one["type"] == name), None)


def is_true(document: Mapping[str, Any], name: str) -> bool:
    """Tell whether a condition is True, and said of the generation that is asked for now."""
    condition = condition_of(document, name)
    if condition is None or condition["status"] != "True":
        return False
    generation = document["metadata"].get("generation")
    return bool(condition.get("observedGeneration", generation) == generation)


def _loaded(version: str, kind: str) -> type[Any]:
    loaded: type[Any] = resource_registry.load(version, kind)
    return loaded


def _document(resource: _Resource) -> Document:
    return resource.to_dict()
