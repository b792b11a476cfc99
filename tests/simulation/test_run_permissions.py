"""R-42: every call that a kind of run lists is made by it; the guard refuses all others."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.rules import Rules
from cleanrooms_operator.core import permissions
from cleanrooms_operator.core.permissions import Call
from cleanrooms_operator.core.resource import Document
from simulation import specs
from simulation.specs import CREATOR, CREATORS, PARTNER, PARTNERS, RUNS
from simulation.trainings import of_template, trained
from simulation.world import World

Called = set[tuple[str, Call]]

UNUSED = Fault(kind=FaultKind.LAG, operation="GetSchema", seconds=86_400.0)
"""What makes the emulator remember how all was, and changes nothing."""
OWN = {"creatorAccountId": PARTNER}


def lived() -> Called:
    """Let each run, be tagged and not any more, be found again after a restore, and go."""
    world = specs.finished()
    for change in ("edit", "apply"):
        for example in RUNS.values():
            getattr(example, change)(world)
        world.settle()
    world.restore()
    world.settle()
    specs.delete_all(world)
    world.settle(seconds=20_000.0)
    assert list(world.resources) == []
    return world.guard.called


def called_off() -> Called:
    """Let what runs be deleted."""
    world = World()
    specs.walkthrough(world)
    for example in RUNS.values():
        example.apply(world)
        while world.resources[example.key].status.get("state") != "CREATE_IN_PROGRESS":
            assert world.run_next()
        if world.kinds[example.key.kind].cancel is not None:
            world.delete(example.key)
            world.settle(seconds=20_000.0)
            example.apply(world)
        world.settle(seconds=20_000.0)
    return world.guard.called


def went_on() -> Called:
    """Let a training go on from another."""
    return trained().guard.called


def literal(spec: Document, membership: str, **more: Any) -> Document:
    kept = {name: value for name, value in spec.items() if name != "membershipRef"}
    return {**kept, "membershipIdentifier": membership, **more}


def strangers(world: World) -> dict[str, Document]:
    """Return runs under a membership that nobody declares, made of what is known by its name."""
    membership = world.resources[PARTNERS].status["identifier"]
    shared = {"sharedMLInputChannel": {**OWN, "name": RUNS["channel"].key.name}}
    algorithm = {"creatorAccountId": CREATOR, "name": "churn"}
    job = specs.job(
        sharedTrainedModel={**OWN, "name": RUNS["model"].key.name},
        sharedConfiguredModelAlgorithmAssociation=algorithm,
        dataSource=shared,
    )
    del job["trainedModelRef"]
    channels = [{**shared, "channelName": "customers"}]
    return {
        "channel": literal(specs.channel(), membership, inputChannel=of_template(world)),
        "model": literal(specs.model(), membership, dataChannels=channels),
        "job": literal(job, membership),
    }


def made_by_strangers() -> World:
    """Return a world in which all that a run names was looked for in the collaboration."""
    world = World(rules=Rules.parse(("ER-1=refused-while-live",)))
    specs.walkthrough(world)
    bare = {k: v for k, v in specs.creators_membership().items() if k != "mlConfiguration"}
    world.apply(CREATORS.kind, CREATORS.name, bare, CREATORS.namespace)
    world.settle()
    where = {"membershipIdentifier": world.resources[CREATORS].status["identifier"]}
    given = {**where, **specs.ml_configuration(CREATOR)}
    world.ask(CREATOR, "cleanroomsml", "PutMLConfiguration", **given)
    world.aws.faults.add(UNUSED)
    declared = strangers(world)
    world.kubernetes._remove(PARTNERS)
    for name, spec in declared.items():
        key = RUNS[name].key
        world.apply(key.kind, key.name, spec, key.namespace)
        world.settle(seconds=6000.0)
        assert world.told(key) == "Ready"
    return world


def was_refused() -> Called:
    """Let each name be refused for what only the collaboration shows has it."""
    world = made_by_strangers()
    for example in RUNS.values():
        listing = world.kinds[example.key.kind].listing
        world.aws.faults.add(UNUSED.model_copy(update={"operation": listing.operation}))
    world.crash()
    for example in RUNS.values():
        key, again = example.key, replace(example.key, name=f"{example.key.name}-again")
        named = {**world.resources[key].spec, "name": key.name}
        world.apply(again.kind, again.name, named, again.namespace)
        world.rest(2000.0)
        assert world.told(again) == "Stalled NameTaken"
        assert f"of account {PARTNER}" in world.message(again)
    return world.guard.called


LIVES: tuple[Callable[[], Called], ...] = (lived, called_off, went_on, was_refused)


def test_r_42_what_is_called_is_what_is_listed() -> None:
    kinds = {example.key.kind: World().kinds[example.key.kind] for example in RUNS.values()}
    listed = {
        (name, call)
        for name, kind in kinds.items()
        for call in permissions.reads(kind) | permissions.changes(kind)
    }
    called = {each for live in LIVES for each in live() if each[0] in kinds}
    assert called == listed
