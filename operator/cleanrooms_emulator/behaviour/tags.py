"""Tags: stored in the call that creates an object, seen and changed by its account alone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cleanrooms_emulator.behaviour.access import unentitled
from cleanrooms_emulator.behaviour.ml_objects import (
    Channel,
    InferenceJob,
    Run,
    TrainedModel,
    version_key,
)
from cleanrooms_emulator.behaviour.objects import Collaboration, Membership, Tags
from cleanrooms_emulator.behaviour.world import World, invalid, missing
from cleanrooms_emulator.request import Caller, Document

LIMIT = 200
"""How many tags an object of Clean Rooms may have."""
_ML_LIMIT = 50
_RESERVED = "aws:"


def store_tags(world: World, arn: str, parameters: Mapping[str, Any]) -> None:
    """Keep the tags that the create of the object `arn` carries; none is an empty set."""
    tags = dict(parameters.get("tags", {}))
    check_tags(tags, _limit(arn))
    world.store.put(Tags(arn=arn, tags=tags))


def store_version_tags(
    world: World, arn: str, version: str | None, parameters: Mapping[str, Any]
) -> None:
    """Keep the tags that the create of a model or of a version of it carries (ER-4)."""
    tags = dict(parameters.get("tags", {}))
    key = tags_key(world, arn, version)
    held = world.store.get(Tags, key)
    if held is not None and world.rules.version_tags == "shared":
        tags = {**held.tags, **tags}
    check_tags(tags)
    world.store.put(Tags(arn=key, tags=tags))


def tags_key(world: World, arn: str, version: str | None) -> str:
    """Return what the tags of a version of a model are kept under."""
    return version_key(arn, version) if world.rules.version_tags == "separate" else arn


def check_tags(tags: Mapping[str, str], limit: int = _ML_LIMIT) -> None:
    """Refuse reserved keys, and more tags than an object may have."""
    if any(key.lower().startswith(_RESERVED) for key in tags):
        message = f"tag keys that begin with {_RESERVED} are reserved"
        raise invalid(message, "FIELD_VALIDATION_FAILED")
    if len(tags) > limit:
        message = f"an object may have {limit} tags"
        raise invalid(message, "FIELD_VALIDATION_FAILED")


def tag_resource(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Add tags, overwriting those of the same keys."""
    held = _writable_tags(world, caller, parameters["resourceArn"])
    tags = {**held.tags, **parameters["tags"]}
    check_tags(tags, _limit(held.arn))
    return _write(world, held, tags)


def untag_resource(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Remove the tags of these keys; keys that are not there are no error."""
    held = _writable_tags(world, caller, parameters["resourceArn"])
    check_tags(dict.fromkeys(parameters["tagKeys"], ""))
    gone = set(parameters["tagKeys"])
    return _write(world, held, {key: value for key, value in held.tags.items() if key not in gone})


def list_tags_for_resource(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Return the tags of one of the caller's own objects."""
    return {"tags": dict(_own_tags(world, caller, parameters["resourceArn"]).tags)}


def _own_tags(world: World, caller: Caller, arn: str) -> Tags:
    """Return the tags of the caller's object; only Clean Rooms ML models AccessDenied here."""
    service, region, account, name = arn.split(":", 5)[2:]
    kind = name.split("/")[0].upper().replace("-", "_")
    held = world.store.get(Tags, arn) or _oldest_version_tags(world, arn)
    if account != caller.account and service == "cleanrooms-ml":
        raise unentitled(world, kind, arn)
    if held is None or account != caller.account or region != caller.region:
        raise missing(kind, arn)
    return held


def _oldest_version_tags(world: World, arn: str) -> Tags | None:
    """Return the tags of the ARN of a model whose versions all have their own."""
    oldest = next(world.store.list(TrainedModel, arn), None)
    return world.store.get(Tags, oldest.key) if oldest else None


def _writable_tags(world: World, caller: Caller, arn: str) -> Tags:
    """Return the tags of the caller's object, unless it is over and done with (ER-38)."""
    held = _own_tags(world, caller, arn)
    runs = [
        world.store.get(Channel, arn),
        world.store.get(InferenceJob, arn),
        *world.store.list(TrainedModel, arn),
    ]
    there = [run for run in runs if run is not None]
    is_over = bool(there) and all(_has_ended(run) for run in there)
    if is_over and world.rules.terminal_tags == "refuse":
        raise missing(type(there[0]).__name__, arn)
    return held


def _has_ended(run: Run) -> bool:
    """Whether a run never changes again, as a job that has finished well."""
    return run.is_over or (isinstance(run, InferenceJob) and run.status == "ACTIVE")


def _write(world: World, held: Tags, tags: Mapping[str, str]) -> Document:
    world.store.put(replace(held, tags=tags))
    touch(world, held.arn.rsplit("/", 1)[-1])
    return {}


def touch(world: World, identifier: str) -> None:
    """Move the updateTime of a collaboration or membership, under one reading of ER-37."""
    if world.rules.touching == "no":
        return
    if collaboration := world.store.get(Collaboration, identifier):
        world.store.put(replace(collaboration, updated=world.now))
    if membership := world.store.get(Membership, identifier):
        world.store.put(replace(membership, updated=world.now))


def _limit(arn: str) -> int:
    return _ML_LIMIT if arn.startswith("arn:aws:cleanrooms-ml:") else LIMIT
