"""The Kubernetes of a simulated world, as far as it matters here.

The store keeps versions, generations, finalizers, the status subresource and the past; what a
process sees of it is its cache, which may lag behind.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

from cleanrooms_operator.core.resource import FINALIZER, GROUP, Key, Resource
from cleanrooms_operator.runtime.ports import StaleError
from simulation.invariants import check_secrets, check_status

Listener: TypeAlias = Callable[[Resource | None, Resource | None], None]
"""Hears of every change: (before, after)."""


@dataclass
class Kubernetes:
    """The resources of one cluster, as its API server has them."""

    now: Callable[[], datetime]
    listener: Listener
    resources: dict[Key, Resource] = field(default_factory=dict)
    past: dict[Key, list[tuple[int, Resource | None]]] = field(default_factory=dict)
    version: int = 0
    uids: int = 0
    patches: Counter[Key] = field(default_factory=Counter)
    """How often the operator wrote each resource."""
    sources: dict[Key, Mapping[str, str]] = field(default_factory=dict)
    """ConfigMaps and Secrets, which nobody watches."""

    # -- what people do ------------------------------------------------------------------------

    def apply(self, key: Key, spec: Mapping[str, Any], annotations: Mapping[str, str]) -> None:
        """Create a resource, or change its spec and annotations."""
        before = self.resources.get(key)
        if before is None:
            self.uids += 1
            uid, status = f"uid-{self.uids}", {"observedGeneration": -1}
            self._store(
                Resource(key, uid, "", 1, self.now(), dict(spec), status, annotations=annotations)
            )
        elif (before.spec, before.annotations) != (spec, annotations):
            generation = before.generation + (before.spec != spec)
            changed = replace(before, spec=dict(spec), annotations=annotations)
            self._store(replace(changed, generation=generation))

    def annotate(self, key: Key, changes: Mapping[str, str | None]) -> None:
        """Set annotations of our group; None takes one away. Underscores stand for dashes."""
        named = {f"{GROUP}/{name.replace('_', '-')}": value for name, value in changes.items()}
        before = self.resources[key]
        kept = {k: v for k, v in {**before.annotations, **named}.items() if v is not None}
        if kept != before.annotations:
            self._store(replace(before, annotations=kept))

    def delete(self, key: Key) -> None:
        before = self.resources.get(key)
        if before is None or before.deleting:
            return
        if before.finalizers:
            grown = before.generation + 1
            self._store(replace(before, deleted=self.now(), generation=grown))
        else:
            self._remove(key)

    def restore(self, *keys: Key) -> None:
        """Bring resources back without status or finalizers, as a backup would."""
        for key in keys:
            before = self.resources[key]
            self._remove(key)
            self.apply(key, before.spec, before.annotations)

    @property
    def secrets(self) -> Iterator[str]:
        """Yield the values that must not be told, which are written so as to be unlike others."""
        for entries in self.sources.values():
            yield from entries.values()

    # -- what the operator does ----------------------------------------------------------------

    def current(self, resource: Resource) -> Resource:
        """Return what is stored, where it is this very version."""
        current = self.resources.get(resource.key)
        if current is None or (current.uid, current.version) != (resource.uid, resource.version):
            raise StaleError
        return current

    def write_status(self, resource: Resource, changes: Mapping[str, Any]) -> Resource:
        current = self.current(resource)
        status = merged(current.status, changes)
        assert status != current.status, "a write that says nothing new"
        written = replace(current, status=status)
        check_status(current, written)
        check_secrets(status, self.secrets)
        self.patches[resource.key] += 1
        return self._store(written)

    def hold(self, resource: Resource) -> Resource:
        current = self.current(resource)
        assert not current.deleting, "Kubernetes refuses new finalizers on what is being deleted"
        self.patches[resource.key] += 1
        return self._store(replace(current, finalizers=(*current.finalizers, FINALIZER)))

    def release(self, resource: Resource) -> None:
        current = self.resources.get(resource.key)
        if current is None or current.uid != resource.uid or not current.held:
            return
        self.patches[resource.key] += 1
        kept = tuple(name for name in current.finalizers if name != FINALIZER)
        if current.deleting and not kept:
            self._remove(resource.key)
        else:
            self._store(replace(current, finalizers=kept))

    # -- inside --------------------------------------------------------------------------------

    def as_of(self, key: Key, version: int) -> tuple[int, Resource | None]:
        """Return (version, what a resource was) at a version of the store."""
        known = self.past.get(key, ())
        return next((entry for entry in reversed(known) if entry[0] <= version), (0, None))

    def fork(self, now: Callable[[], datetime], listener: Listener) -> "Kubernetes":
        """Return a store that goes its own way from here."""
        past = {key: list(entries) for key, entries in self.past.items()}
        counters = (self.version, self.uids, self.patches.copy(), dict(self.sources))
        return Kubernetes(now, listener, dict(self.resources), past, *counters)

    def _store(self, resource: Resource) -> Resource:
        key, before = resource.key, self.resources.get(resource.key)
        self.version += 1
        stored = replace(resource, version=str(self.version))
        self.resources[key] = stored
        self.past.setdefault(key, []).append((self.version, stored))
        self.listener(before, stored)
        return stored

    def _remove(self, key: Key) -> None:
        self.version += 1
        self.past[key].append((self.version, None))
        self.listener(self.resources.pop(key), None)


@dataclass
class Cache:
    """What a process sees of the store: its watch may lag, but not behind its own writes."""

    store: Kubernetes
    stands_at: int | None = None
    """The version of the store that its watch has got to; None: it keeps up."""
    own: dict[Key, tuple[int, Resource | None]] = field(default_factory=dict)

    def get(self, key: Key) -> Resource | None:
        if self.stands_at is None:
            return self.store.resources.get(key)
        seen = self.store.as_of(key, self.stands_at)
        return max(seen, self.own.get(key, seen), key=lambda entry: entry[0])[1]

    def list(self, kind: str, namespace: str | None) -> tuple[Resource, ...]:
        keys = self.store.resources if self.stands_at is None else self.store.past
        chosen = (k for k in keys if k.kind == kind and namespace in {None, k.namespace})
        return tuple(found for key in chosen if (found := self.get(key)) is not None)

    def wrote(self, key: Key) -> None:
        """Take what the process's own write made of a resource."""
        if self.stands_at is not None:
            self.own[key] = self.store.as_of(key, self.store.version)

    def catch_up(self) -> None:
        self.stands_at = None
        self.own.clear()


def merged(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON merge patch's result (RFC 7386)."""
    result = dict(before)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            known = result.get(name)
            result[name] = merged(known if isinstance(known, Mapping) else {}, value)
        else:
            result[name] = value
    return result
