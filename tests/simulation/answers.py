"""What Kubernetes and AWS answer to the requests of passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cleanrooms_operator.aws.sightings import PAGE_SIZE
from cleanrooms_operator.core.kind import Listing
from cleanrooms_operator.core.resource import Document, Key, Resource
from cleanrooms_operator.runtime.ports import Identity, NotSentError, PacedError, Sighting

if TYPE_CHECKING:
    from simulation.world import Pass, World


def answer(world: World, run: Pass) -> Any:
    """Do what a pass asks for, and return or raise what the port answers."""
    assert run.request is not None
    return _PORTS[run.request.port](world, run, *run.request.arguments)


# -- Kubernetes ----------------------------------------------------------------------------------


def _read(world: World, run: Pass, key: Key) -> Resource | None:
    return world.process(run.process).cache.get(key)


def _list(world: World, run: Pass, kind: str, namespace: str | None) -> tuple[Resource, ...]:
    return world.process(run.process).cache.list(kind, namespace)


def _read_source(world: World, _run: Pass, key: Key) -> Mapping[str, str] | None:
    return world.kubernetes.sources.get(key)


def _confirm(world: World, _run: Pass, resource: Resource) -> None:
    world.kubernetes.current(resource)


def _write_status(world: World, run: Pass, resource: Resource, changes: Document) -> Resource:
    written = world.kubernetes.write_status(resource, changes)
    world.process(run.process).cache.wrote(resource.key)
    return written


def _hold(world: World, run: Pass, resource: Resource) -> Resource:
    held = world.kubernetes.hold(resource)
    world.process(run.process).cache.wrote(resource.key)
    return held


def _release(world: World, run: Pass, resource: Resource) -> None:
    world.kubernetes.release(resource)
    world.process(run.process).cache.wrote(resource.key)
    world.guard.released(run)


# -- AWS -----------------------------------------------------------------------------------------


def _reserve(world: World, _run: Pass, _identity: Identity, _service: str, operation: str) -> None:
    if world.paced:
        world.paced -= 1
        raise PacedError(operation, 5.0)


def _call(world: World, run: Pass, *arguments: Any) -> Any:
    identity, service, operation, parameters, _reserved, not_after = arguments
    if not_after is not None and world.seconds > not_after:
        raise NotSentError
    assert run.request is not None
    world.guard.permit(world, run, service, operation)
    if not run.request.mutates_aws:
        return world.aws.call(identity, service, operation, parameters)
    if not world.process(run.process).leads:
        raise NotSentError
    world.guard.allow(world, run)
    try:
        return world.aws.call(identity, service, operation, parameters)
    finally:
        world.guard.note(world, run)


def _sighting(world: World, run: Pass, *arguments: Any) -> Sighting:
    """Answer from the process's last List where it is new enough, as the gateway does."""
    identity, listing, scope, since = arguments
    assert isinstance(listing, Listing)
    world.guard.permit(world, run, listing.service, listing.operation)
    assert since <= world.seconds, "nobody can ask for a List of the future"
    known = world.process(run.process).sightings
    sight = (identity, listing, tuple(sorted(scope.items())))
    if sight not in known or known[sight].started < since:
        items = tuple(world.aws.pages(identity, listing, scope))
        known[sight] = Sighting(world.seconds, items, -(-len(items) // PAGE_SIZE) or 1)
    return known[sight]


_PORTS: Mapping[str, Callable[..., Any]] = {
    "read": _read,
    "list": _list,
    "read_source": _read_source,
    "confirm": _confirm,
    "write_status": _write_status,
    "hold": _hold,
    "release": _release,
    "reserve": _reserve,
    "call": _call,
    "sighting": _sighting,
}
