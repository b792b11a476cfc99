"""What is known of the cluster: the newest version of each resource that any answer showed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cleanrooms_operator.core.resource import GROUP, Key, Resource

REMEMBERED_DEAD = 10_000
"""How many uids of deleted resources are kept, so that a late answer does not revive one."""


def parse(kind: str, document: Mapping[str, Any]) -> Resource:
    """Return a resource as the engine sees it, without what nobody reads and what is bulky.

    Annotations of others (`last-applied-configuration` holds the whole spec once more) and
    `managedFields` are left out.
    """
    metadata = document["metadata"]
    deleted = metadata.get("deletionTimestamp")
    annotations = metadata.get("annotations") or {}
    return Resource(
        key=Key(kind, metadata["namespace"], metadata["name"]),
        uid=metadata["uid"],
        version=metadata["resourceVersion"],
        generation=metadata.get("generation", 0),
        created=datetime.fromisoformat(metadata["creationTimestamp"]),
        spec=document.get("spec") or {},
        status=document.get("status") or {},
        deleted=None if deleted is None else datetime.fromisoformat(deleted),
        finalizers=tuple(metadata.get("finalizers") or ()),
        annotations={k: v for k, v in annotations.items() if k.startswith(f"{GROUP}/")},
    )


def is_newer(one: Resource, other: Resource) -> bool:
    """Whether `one` is a later version; versions of one kind can be compared as numbers."""
    return int(one.version) > int(other.version)


class Cache:
    """Resources by kind, namespace and name. It never goes back to an older version."""

    def __init__(self) -> None:
        self._resources: dict[str, dict[str, dict[str, Resource]]] = defaultdict(
            lambda: defaultdict(dict)
        )
        self._lists: dict[tuple[str, str | None], tuple[Resource, ...]] = {}
        self._dead: dict[str, None] = {}

    def get(self, key: Key) -> Resource | None:
        """Return a resource, or None when there is none."""
        return self._resources[key.kind][key.namespace].get(key.name)

    def list(self, kind: str, namespace: str | None = None) -> tuple[Resource, ...]:
        """Return the resources of a kind, of one namespace or of all."""
        known = self._lists.get((kind, namespace))
        if known is None:
            known = tuple(self._iterate(kind, namespace))
            self._lists[kind, namespace] = known
        return known

    def put(self, resource: Resource) -> bool:
        """Keep a resource; False when this version, or a later one, or its end is known already."""
        known = self.get(resource.key)
        if resource.uid in self._dead or (known is not None and not is_newer(resource, known)):
            return False
        key = resource.key
        self._resources[key.kind][key.namespace][key.name] = resource
        self._changed(key)
        return True

    def remove(self, resource: Resource) -> Resource | None:
        """Forget a resource for good; return what was known of it, None when nothing was."""
        self._bury(resource.uid)
        key, known = resource.key, self.get(resource.key)
        if known is None or known.uid != resource.uid:
            return None
        del self._resources[key.kind][key.namespace][key.name]
        self._changed(key)
        return known

    def _iterate(self, kind: str, namespace: str | None) -> Iterator[Resource]:
        if namespace is not None:
            yield from self._resources[kind][namespace].values()
            return
        for resources in self._resources[kind].values():
            yield from resources.values()

    def _changed(self, key: Key) -> None:
        self._lists.pop((key.kind, key.namespace), None)
        self._lists.pop((key.kind, None), None)

    def _bury(self, uid: str) -> None:
        self._dead[uid] = None
        if len(self._dead) > REMEMBERED_DEAD:
            del self._dead[next(iter(self._dead))]
