"""The `Cluster` of a pass: reads from a cache that watches fill, writes with a precondition.

What a write answers enters the cache at once, so the watch's echo of it is no news. Events that
arrive while a write of the same resource is under way wait for its answer: which of them are
echoes is known only then.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from cleanrooms_operator.core.kind import Definition
from cleanrooms_operator.core.resource import FINALIZER, Document, Key, Resource
from cleanrooms_operator.core.sources import Contents
from cleanrooms_operator.kinds import DEFINITIONS
from cleanrooms_operator.kube.api import (
    CONFLICT,
    JSON_PATCH,
    MERGE_PATCH,
    NOT_FOUND,
    UNPROCESSABLE,
    Api,
    ApiError,
    Request,
    collection_path,
    json_patch,
)
from cleanrooms_operator.kube.cache import Cache, is_newer, parse
from cleanrooms_operator.kube.sources import Sources
from cleanrooms_operator.runtime.ports import StaleError

RELEASE_TRIES = 5
"""How often the place of our finalizer may change under our hands."""


class Listener(Protocol):
    """Who wants to know what changed."""

    def changed(self, before: Resource | None, after: Resource | None, *, own: bool) -> None:
        """Hear of a resource that is new, newer or gone; `own`: this process wrote it."""
        ...

    def wrote(self, key: Key, verb: str) -> None:
        """Hear of a write that the API server accepted."""
        ...


@dataclass(slots=True)
class Audit:
    """What a complete list showed that the watch had not, by kind."""

    ghosts: Counter[str]
    """Resources that are no more."""
    unknown: Counter[str]
    differing: Counter[str]

    @property
    def is_clean(self) -> bool:
        """Whether the watch had missed nothing."""
        return not (self.ghosts or self.unknown or self.differing)


class CachedCluster:
    """The resources of our kinds, in one cluster."""

    def __init__(
        self, api: Api, cache: Cache, listener: Listener, *, secret_sources: bool = True
    ) -> None:
        self.cache = cache
        self._api = api
        self._sources = Sources(api, secrets=secret_sources)
        self._listener = listener
        self._definitions = {definition.name: definition for definition in DEFINITIONS}
        self._held_back: dict[Key, list[Callable[[], None]]] = {}

    # -- the port --------------------------------------------------------------------------------

    async def read(self, key: Key) -> Resource | None:
        """Return the resource as the cache holds it."""
        return self.cache.get(key)

    async def list(self, kind: str, namespace: str | None = None) -> tuple[Resource, ...]:
        """Return the cached resources of a kind."""
        return self.cache.list(kind, namespace)

    async def read_source(self, key: Key) -> Contents | None:
        """Ask the API server for the entries of a ConfigMap or Secret."""
        return await self._sources.read(key)

    async def confirm(self, resource: Resource) -> None:
        """Ask the API server whether this is still the resource's version."""
        try:
            document = await self._api.get(self._path(resource.key))
        except ApiError as error:
            raise _judged(error, resource) from error
        current = parse(resource.key.kind, document)
        if (current.uid, current.version) != (resource.uid, resource.version):
            self.saw(current)
            message = f"{resource.key} is at version {current.version}, not {resource.version}"
            raise StaleError(message)

    async def write_status(self, resource: Resource, changes: Document) -> Resource:
        """Merge `changes` into `.status`, if the resource is still this version."""
        body = {"metadata": {"resourceVersion": resource.version}, "status": changes}
        path = f"{self._path(resource.key)}/status"
        return await self._write(resource, "status", Request("PATCH", path, {}, body, MERGE_PATCH))

    async def hold(self, resource: Resource) -> Resource:
        """Put our finalizer on, if the resource is still this version."""
        finalizers = [*resource.finalizers, FINALIZER]
        body = {"metadata": {"resourceVersion": resource.version, "finalizers": finalizers}}
        path = self._path(resource.key)
        return await self._write(resource, "hold", Request("PATCH", path, {}, body, MERGE_PATCH))

    async def release(self, resource: Resource) -> None:
        """Take our finalizer off, whatever else changed; not from another resource of its name."""
        path, current = self._path(resource.key), resource
        for _ in range(RELEASE_TRIES):
            if not current.held or current.uid != resource.uid:
                return
            place = f"/metadata/finalizers/{current.finalizers.index(FINALIZER)}"
            patch = [
                json_patch("test", "/metadata/uid", resource.uid),
                json_patch("test", place, FINALIZER),
                json_patch("remove", place),
            ]
            request = Request("PATCH", path, {}, patch, JSON_PATCH)
            try:
                await self._send(resource.key, "release", request)
            except ApiError as error:
                if error.status == NOT_FOUND:
                    return
                if error.status != UNPROCESSABLE:
                    raise
                current = parse(resource.key.kind, await self._api.get(path))
            else:
                return
        message = f"the finalizers of {resource.key} keep changing"
        raise StaleError(message)

    # -- what fills the cache --------------------------------------------------------------------

    def saw(self, resource: Resource) -> None:
        """Take notice of a version of a resource."""
        held_back = self._held_back.get(resource.key)
        if held_back is None:
            self._take(resource, own=False)
        else:
            held_back.append(lambda: self.saw(resource))

    def saw_deleted(self, resource: Resource) -> None:
        """Take notice of the end of a resource."""
        held_back = self._held_back.get(resource.key)
        if held_back is None:
            self._drop(resource)
        else:
            held_back.append(lambda: self.saw_deleted(resource))

    async def audit(self, namespaces: tuple[str | None, ...] = (None,)) -> Audit:
        """Compare the cache with complete lists, of those namespaces or of all, and mend it."""
        found = Audit(Counter(), Counter(), Counter())
        for definition in DEFINITIONS:
            for namespace in namespaces:
                await self._audit_one(definition, namespace, found)
        return found

    async def _audit_one(self, definition: Definition, namespace: str | None, found: Audit) -> None:
        kind, live, version = definition.name, set(), 0
        async for page in self._api.pages(collection_path(definition, namespace)):
            version = int(page["metadata"]["resourceVersion"])
            for document in page["items"]:
                resource = parse(kind, document)
                live.add(resource.uid)
                known = self.cache.get(resource.key)
                if known is None:
                    found.unknown[kind] += 1
                elif is_newer(resource, known):
                    found.differing[kind] += 1
                self.saw(resource)
        for resource in self.cache.list(kind, namespace):
            if resource.uid not in live and int(resource.version) <= version:
                found.ghosts[kind] += 1
                self.saw_deleted(resource)

    # -- inside ----------------------------------------------------------------------------------

    async def _write(self, resource: Resource, verb: str, request: Request) -> Resource:
        try:
            return await self._send(resource.key, verb, request)
        except ApiError as error:
            raise _judged(error, resource) from error

    async def _send(self, key: Key, verb: str, request: Request) -> Resource:
        with self._holding_back(key):
            written = parse(key.kind, await self._api.send(request))
            self._listener.wrote(key, verb)
            if written.deleting and not written.finalizers:
                self._drop(written)  # that was what kept it
            else:
                self._take(written, own=True)
            return written

    @contextlib.contextmanager
    def _holding_back(self, key: Key) -> Iterator[None]:
        """Let events of a resource wait while one of its writes is under way."""
        held_back = self._held_back[key] = []
        try:
            yield
        finally:
            del self._held_back[key]
            for take_notice in held_back:
                take_notice()

    def _take(self, resource: Resource, *, own: bool) -> None:
        before = self.cache.get(resource.key)
        if not self.cache.put(resource):
            return
        if before is not None and before.uid != resource.uid:
            self._listener.changed(before, None, own=False)
            before = None
        self._listener.changed(before, resource, own=own)

    def _drop(self, resource: Resource) -> None:
        before = self.cache.remove(resource)
        if before is not None:
            self._listener.changed(before, None, own=False)

    def _path(self, key: Key) -> str:
        return f"{collection_path(self._definitions[key.kind], key.namespace)}/{key.name}"


def _judged(error: ApiError, resource: Resource) -> Exception:
    # NotFound does not prove the resource's end: the API may just not be served. A list does.
    if error.status in {CONFLICT, NOT_FOUND}:
        return StaleError(f"{resource.key}: {error}")
    return error
