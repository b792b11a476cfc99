"""What every status that is ever written must keep, and every world that has come to rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.ownership import NAME, NAMESPACE, OWNER, RELEASED
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, Key, Resource
from cleanrooms_operator.kinds import DEFINITIONS
from simulation.guard import ended_memberships, is_same

if TYPE_CHECKING:
    from simulation.world import World

STATUS = {definition.name: definition.status for definition in DEFINITIONS}

FOR_GOOD = {
    Reason.DELETION_BLOCKED.value,
    Reason.DEPENDENCY_NOT_READY.value,
    Reason.PAYER_NOT_READY.value,
}
"""Reasons of waiting that last as long as a person or another resource wants."""


def check_status(before: Resource, after: Resource) -> None:
    """Assert what kstatus and Flux rely on: a status neither lies nor contradicts itself."""
    status = after.status
    check_secrets(status, SECRETS)
    STATUS[after.key.kind].model_validate(status)
    conditions = {c["type"]: c for c in status.get("conditions", ())}
    assert len(conditions) == len(status.get("conditions", ())), "a condition comes twice"
    true = {name for name, c in conditions.items() if c["status"] == "True"}
    assert "Ready" in conditions
    assert not {"Reconciling", "Stalled"} <= conditions.keys(), "both Reconciling and Stalled"
    assert {"Reconciling", "Stalled"} & conditions.keys() <= true, "abnormal ones are removed"
    assert status["observedGeneration"] <= after.generation
    if "Ready" in true:
        _check_ready(after, conditions)
    for name in true & {"Reconciling", "Stalled"}:
        _check_repeated(conditions["Ready"], conditions[name])
    for condition in conditions.values():
        _check_transition(before.condition(condition["type"]), condition)


SECRETS = ("canary",)
"""What specs of the simulation say that nobody but AWS may be told."""


def check_secrets(told: object, secrets: Iterable[str]) -> None:
    """Assert that nothing of what is told holds a value that stands in a ConfigMap or Secret."""
    text = repr(told)
    for secret in secrets:
        assert secret not in text, f"a secret is told: {text}"


def _check_ready(resource: Resource, conditions: dict[str, Any]) -> None:
    status = resource.status
    assert not conditions.keys() & {"Reconciling", "Stalled"}
    generations = {c["observedGeneration"] for c in conditions.values()}
    assert generations == {status["observedGeneration"]}
    assert "Paused" in conditions or status["observedGeneration"] == resource.generation
    assert "attempt" not in status, "ready while an attempt is open"


def _check_repeated(ready: Any, explaining: Any) -> None:
    assert ready["status"] == "False"
    told = (explaining["reason"], explaining["message"])
    assert (ready["reason"], ready["message"]) == told


def _check_transition(before: Any, after: Any) -> None:
    """Assert that the time of a transition moves with the status, and only then."""
    if before is not None and before["status"] == after["status"]:
        assert before["lastTransitionTime"] == after["lastTransitionTime"]


# -- a world at rest -----------------------------------------------------------------------------


def check_rest(world: World, process: int = 0) -> None:
    """Assert what holds when faults have stopped and all that moved has been seen."""
    world.rest(world.pace.list_interval, process)
    for key, resource in world.resources.items():
        _check_concluded(key, resource)
    check_truth(world)
    check_orphans(world)
    check_quiet(world, process)


def _check_concluded(key: Key, resource: Resource) -> None:
    """Assert that a resource is ready or stalled, or waits for what a person or another holds."""
    status = resource.status
    assert "attempt" not in status, f"{key}: an attempt stays open: {status}"
    if resource.condition("Paused") is not None:
        return
    if resource.is_true("Ready") or resource.is_true("Stalled"):
        return
    waiting = resource.condition("Reconciling")
    assert waiting is not None, f"{key}: neither ready, stalled nor reconciling: {status}"
    assert waiting["reason"] in FOR_GOOD, f"{key} waits for ever: {waiting}"
    assert waiting["observedGeneration"] == resource.generation


def check_truth(world: World) -> None:
    """Assert that what is said to be ready is in AWS as its spec asks."""
    for key, resource in world.resources.items():
        kind = world.kinds.get(key.kind)
        is_read_only = resource.spec.get("managementPolicy") == "ObserveOnly"
        paused = resource.condition("Paused") is not None
        if kind is None or is_read_only or paused or not resource.is_true("Ready"):
            continue
        world.guard.looked["truth"] += 1
        _check_object(world, kind, resource)


def _check_object(world: World, kind: Kind, resource: Resource) -> None:
    account, status = resource.status["accountID"], resource.status
    scope = {name: status[name] for name in kind.scope}
    recorded = kind.handle.recorded(status)
    assert recorded is not None
    named = {**scope, **kind.handle.naming(recorded)}
    answer = world.ask(account, kind.service, kind.read, **named)
    shown = answer if kind.envelope is None else answer[kind.envelope]
    for name in kind.in_place & resource.spec.keys():
        assert shown.get(name) == resource.spec[name], f"{resource.key}: {name} is not true"
    if kind.versions is None and resource.key not in world.untagged:
        tags = world.aws.tags(account, kind.service, status["arn"])
        assert (resource.spec.get("tags") or {}).items() <= tags.items()
        owner = (tags.get(OWNER), tags.get(NAMESPACE), tags.get(NAME))
        assert owner == (world.owner.id, resource.key.namespace, resource.key.name)


def check_orphans(world: World) -> None:
    """Assert that every object that the operator made is known to a resource, or left by word."""
    bound = {
        str(world.kinds[key.kind].handle.recorded(resource.status))
        for key, resource in world.resources.items()
        if key.kind in world.kinds
    }
    for account, kind, item in objects(world):
        arn = item[kind.handle.arn]
        tags = world.aws.signed(account, kind, item)
        if str(kind.handle.of(item)) in bound or OWNER not in tags:
            continue
        if kind.versions is not None:
            _check_version(world, kind, item)
            continue
        world.guard.looked["stray"] += 1
        key = Key(kind.name, tags[NAMESPACE], tags[NAME])
        resource = world.resources.get(key)
        if resource is None:
            assert key in world.guard.left, f"{arn} of {key} is an orphan"
        elif ((resource.beside or key in world.guard.twofold) and key in world.guard.left) or (
            item.get("membershipIdentifier") in ended_memberships(world, account)
        ):
            continue
        elif is_same(kind, item, resource.status) and RELEASED not in tags:
            assert not resource.is_true("Ready") or resource.condition("Paused") is not None, (
                f"{key} is ready beside {arn}"
            )
        else:
            # Its resource was replaced in the middle of its deletion, or made for something else.
            assert key in world.guard.left, f"{arn} of {key} is an orphan"


def _check_version(world: World, kind: Kind, item: Any) -> None:
    """Assert that a version that nobody records was left by word; its tags need not be its own."""
    name = str(kind.handle.of(item))
    makers = {key for key, names in world.guard.bought.items() if name in names}
    assert makers <= world.guard.left, f"{name} of {makers} is an orphan"


def objects(world: World) -> list[tuple[str, Kind, Any]]:
    """Return (account, kind, summary) of every object of every account that was named."""
    return [
        (account, kind, item)
        for account in sorted(world.accounts)
        for kind in world.kinds.values()
        for item in world.aws.objects(account, kind)
    ]


def _changed(before: Document, after: Document) -> set[str]:
    """Return what differs; what others run at a member's expense moves on while that rests."""
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


BLOCKED = f"Reconciling {Reason.DELETION_BLOCKED.value}"


def check_quiet(world: World, process: int = 0) -> None:
    """Assert that one more pass of each resource changes nothing, here or in AWS."""
    for key in sorted(world.resources):
        patches, calls = world.kubernetes.patches.total(), world.guard.looked.total()
        before = world.resources[key].status
        run = world.run(key, process)
        if world.kubernetes.patches.total() != patches:
            told = _changed(before, world.resources[key].status)
            assert told == {"charges"}, f"{key} is written at rest: {told}"
        # A deletion that AWS refuses is tried again for as long as it is wanted.
        refused = run.seen is not None and run.seen.deleting and world.told(key) == BLOCKED
        assert refused or world.guard.looked.total() == calls, f"{key} changes AWS at rest: {run}"
