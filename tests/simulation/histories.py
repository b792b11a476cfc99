"""Moves of which histories are made: what people, AWS, the network and processes may do at all.

A move takes two small numbers: who it is about (a resource, a pass, a process), and what of it. It
makes of them what it can, and does nothing where that does not fit the world. So every list of
moves is a history, and a shorter list is one too.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeAlias

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.request import ServiceError
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.ownership import PREFIX
from cleanrooms_operator.core.resource import Resource
from simulation import specs
from simulation.invariants import check_rest
from simulation.specs import ALL, RUNS, VERSIONS, Example
from simulation.world import Pass, World

Move: TypeAlias = Callable[[World, int, int], None]

FAULTS = (
    Fault(kind=FaultKind.LOSE_RESPONSE, operation="Create*", count=1),
    Fault(kind=FaultKind.LOSE_RESPONSE, operation="[DUPT]*", count=1),
    Fault(kind=FaultKind.LOSE_REQUEST, operation="[CDUPT]*", count=1),
    Fault(kind=FaultKind.LOSE_RESPONSE, operation="[CDU]*", status=500, count=1),
    Fault(kind=FaultKind.GARBAGE, operation="Create*", count=1),
    Fault(kind=FaultKind.TRUNCATE, operation="[CDUPT]*", count=1),
    Fault(kind=FaultKind.LOSE_RESPONSE, operation="Start*", count=1),
    Fault(kind=FaultKind.GARBAGE, operation="[CS]*", count=1),
    Fault(kind=FaultKind.DENY, operation="Cancel*"),
    Fault(kind=FaultKind.HTML, count=2),
    Fault(kind=FaultKind.HTML, status=403, operation="[CDU]*", count=1),
    Fault(kind=FaultKind.THROTTLE, count=3),
    Fault(kind=FaultKind.THROTTLE, operation="Create*", status=400, count=4),
    Fault(kind=FaultKind.DENY, operation="Create*"),
    Fault(kind=FaultKind.DENY, operation="List*"),
    Fault(kind=FaultKind.DENY, operation="*Tag*"),
    Fault(kind=FaultKind.DENY),
    Fault(kind=FaultKind.LAG, operation="List*", seconds=90),
    Fault(kind=FaultKind.LAG, operation="Get*", seconds=60),
    Fault(kind=FaultKind.LAG, seconds=120),
)

PERIODS = (1.0, 9.0, 12.0, 60.0, 300.0, 430.0, 700.0, 4000.0)


BOUGHT = (*RUNS.values(), *VERSIONS.values())
"""What costs money."""


def beginnings() -> Mapping[str, World]:
    """Return worlds to begin with: all is ready, or all was just applied."""
    begun, running = World(), specs.settled()
    specs.walkthrough(begun)
    for example in BOUGHT:
        example.apply(running)
    running.rest(100.0)
    ready, finished = specs.settled(), specs.finished(runs=BOUGHT)
    for world in (begun, running, ready, finished):
        # AWS refuses a version that is wanted anew: it would go on from the deleted one (C-4).
        world.mistaken |= {example.key for example in VERSIONS.values()}
    return {"ready": ready, "applied": begun, "running": running, "finished": finished}


def _chosen(who: int) -> Example:
    return list(ALL.values())[who % len(ALL)]


def _running(world: World, who: int) -> Pass | None:
    return world.passes[who % len(world.passes)] if world.passes else None


def nothing(_world: World, _: int, __: int) -> None:
    """Be what other moves shrink to."""


# -- processes -----------------------------------------------------------------------------------


def work(world: World, process: int, period: int) -> None:
    """Let a process do what is due in some time."""
    world.process(process % 2).cache.catch_up()
    world.rest(PERIODS[period % len(PERIODS)], process % 2)


def begin(world: World, who: int, process: int) -> None:
    """Start a pass, which stays where it is until it is moved on."""
    keys = [example.key for example in ALL.values()] + sorted(world.resources)
    key = keys[who % len(keys)]
    if world.in_flight(key, process % 2) is None:
        world.start(key, process % 2)


def to_change(world: World, who: int, _: int) -> None:
    """Move a pass on to where it asks AWS to change something."""
    run = _running(world, who)
    while run is not None and run.request is not None and not run.request.mutates_aws:
        world.step(run)


def step(world: World, who: int, count: int) -> None:
    run = _running(world, who)
    for _ in range(count % 4 + 1):
        if run is not None and not run.over:
            world.step(run)


def finish(world: World, who: int, _: int) -> None:
    if (run := _running(world, who)) is not None:
        world.finish(run)


def lose(world: World, who: int, executed: int) -> None:
    """Let the answer to a request be lost, or the request itself."""
    run = _running(world, who)
    if run is not None:
        if executed % 2:
            world.execute(run)
        run.executed = True
        world.lose_answer(run)


def die(world: World, process: int, executed: int) -> None:
    """Let a process die, before or after what it asks for is done."""
    if executed % 2:
        for run in [run for run in world.passes if run.process == process % 2]:
            world.execute(run)
    world.crash(process % 2)


def lease(world: World, process: int, held: int) -> None:
    world.process(process % 2).leads = bool(held % 2)


def fall_behind(world: World, process: int, versions: int) -> None:
    """Let the watch of a process stand still, or have stood still for some changes."""
    cache = world.process(process % 2).cache
    cache.catch_up()
    cache.stands_at = world.kubernetes.version - versions


# -- time, network and AWS -----------------------------------------------------------------------


def wait(world: World, _: int, period: int) -> None:
    world.tick(PERIODS[period % len(PERIODS)])


def pace(world: World, _: int, count: int) -> None:
    world.paced = count


def fail(world: World, _: int, which: int) -> None:
    world.aws.faults.add(FAULTS[which % len(FAULTS)])


def heal(world: World, _: int, __: int) -> None:
    world.aws.faults.clear()


# -- people, in Kubernetes -----------------------------------------------------------------------


def apply(world: World, who: int, _: int) -> None:
    specs.accounts(world)
    _chosen(who).apply(world)


VARIANTS: tuple[Mapping[str, object], ...] = (
    {},
    {},
    {"deletionPolicy": "Retain"},
    {"managementPolicy": "ObserveOnly"},
    {"managementPolicy": "Full"},
    {"tags": {"team": "c", "cost": "1"}},
)


def edit(world: World, who: int, variant: int) -> None:
    example = _chosen(who)
    before = world.resources.get(example.key)
    if before is not None and not before.deleting:
        spec = {**example.edited, **VARIANTS[variant % len(VARIANTS)]}
        world.apply(example.key.kind, example.key.name, spec, example.key.namespace)


def delete(world: World, who: int, careful: int) -> None:
    """Delete a resource, with or without the word that lets its object go."""
    example = _chosen(who)
    if careful % 3 == 0:
        world.delete(example.key)
    else:
        example.delete(world)


def delete_all(world: World, _: int, __: int) -> None:
    specs.delete_all(world)


ANNOTATIONS: tuple[Mapping[str, str | None], ...] = (
    {"paused": "true"},
    {"paused": None},
    {"abandon": "true"},
    {"abandon": None},
    {"external_id": "none"},
    {"external_id": None},
    {"cancel": "true"},
    {"cancel": None},
    {"delete_collaboration": None, "delete_membership": None},
)


def annotate(world: World, who: int, which: int) -> None:
    key = _chosen(who).key
    if key not in world.resources:
        return
    told = (
        *ANNOTATIONS,
        {"external_id": world.resources[key].status.get("arn")},
        {"reconcile_requested_at": str(world.seconds)},
    )
    world.annotate(key, **told[which % len(told)])


def restore(world: World, who: int, everything: int) -> None:
    """Let statuses and finalizers be lost, of one resource or of all."""
    if everything % 2:
        world.restore()
    elif _chosen(who).key in world.resources:
        world.kubernetes.restore(_chosen(who).key)


# -- people, in AWS ------------------------------------------------------------------------------


def _recorded(world: World, who: int) -> tuple[Kind, Resource] | None:
    resource = world.resources.get(_chosen(who).key)
    if resource is None or resource.status.get("arn") is None:
        return None
    return world.kinds[resource.key.kind], resource


def change(world: World, who: int, _: int) -> None:
    """Change what AWS lets anybody change."""
    if (found := _recorded(world, who)) is None:
        return
    kind, resource = found
    edited = _chosen(who).edited if resource.spec != _chosen(who).edited else {}
    values = {n: v for n, v in {**resource.spec, **edited}.items() if n in kind.in_place}
    _as_person(world, kind, resource, kind.update or kind.read, **values)


def remove(world: World, who: int, _: int) -> None:
    """Delete an object behind the operator's back."""
    if (found := _recorded(world, who)) is not None:
        kind, resource = found
        # What needs it may have been asked for already.
        world.mistaken |= {example.key for example in BOUGHT}
        cancel = kind.cancel.operation if kind.cancel is not None else kind.read
        _as_person(world, kind, resource, kind.delete or cancel)


def untag(world: World, who: int, which: int) -> None:
    """Take tags away: those of people, or now and then all."""
    if (found := _recorded(world, who)) is None:
        return
    kind, resource = found
    account, arn = resource.status["accountID"], resource.status["arn"]
    if not kind.can_drift:
        world.untagged.add(resource.key)
    with suppress(ServiceError):
        keys = world.aws.tags(account, kind.service, arn)
        if which % 4 == 0 and kind.name == "Collaboration":
            world.guard.nameless.add(arn)
        gone = [key for key in keys if which % 4 == 0 or not key.startswith(PREFIX)]
        world.ask(account, kind.service, "UntagResource", resourceArn=arn, tagKeys=gone)


def _as_person(
    world: World, kind: Kind, resource: Resource, operation: str, **parameters: object
) -> None:
    """Ask AWS as the account's people, who may be refused."""
    name = kind.handle.recorded(resource.status)
    assert name is not None
    scope = {parameter: resource.status[parameter] for parameter in kind.scope}
    handle = {**scope, **kind.handle.naming(name)}
    with suppress(ServiceError):
        world.ask(resource.status["accountID"], kind.service, operation, **handle, **parameters)


MOVES: tuple[Move, ...] = (
    nothing,
    work,
    begin,
    to_change,
    step,
    finish,
    lose,
    die,
    lease,
    fall_behind,
    wait,
    pace,
    fail,
    heal,
    apply,
    edit,
    delete,
    delete_all,
    annotate,
    restore,
    change,
    remove,
    untag,
)


def end(world: World) -> None:
    """Stop the faults, let one process go on for long enough, and check what must hold then."""
    world.aws.faults.clear()
    world.paced = 0
    for run in list(world.passes):
        world.finish(run)
    world.crash(1)
    survivor = world.process(0)
    survivor.cache.catch_up()
    survivor.leads = True
    world.settle(0, 10_000.0)
    world.rest(world.pace.detail_interval)
    world.settle(0, 10_000.0)
    check_rest(world)
