"""The versions of a trained model, which share its ARN; the base has no version identifier."""

from collections.abc import Mapping
from typing import Any

from cleanrooms_emulator.behaviour.ml_objects import TrainedModel, version_key
from cleanrooms_emulator.behaviour.world import World, missing

_KIND = "TRAINED_MODEL"


def versions_of(world: World, arn: str) -> list[TrainedModel]:
    """Return all versions of an ARN, the oldest first: it is the base, where there is one."""
    found = list(world.store.list(TrainedModel, arn))
    if not found:
        raise missing(_KIND, arn)
    return found


def version_or_latest(world: World, parameters: Mapping[str, Any]) -> TrainedModel:
    """Return the version that is asked for, the latest where none is, as Get does."""
    return _version(world, parameters, -1)


def version_or_base(world: World, parameters: Mapping[str, Any]) -> TrainedModel:
    """Return the version that is asked for, the base where none is, as cancel and delete do."""
    return _version(world, parameters, 0)


def _version(world: World, parameters: Mapping[str, Any], default: int) -> TrainedModel:
    arn, version = parameters["trainedModelArn"], parameters.get("versionIdentifier")
    if version is None:
        return versions_of(world, arn)[default]
    found = world.store.get(TrainedModel, version_key(arn, version))
    if found is None:
        raise missing(_KIND, arn)
    return found
