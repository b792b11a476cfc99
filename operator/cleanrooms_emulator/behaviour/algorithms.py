"""Configured model algorithms: containers that an account can train and infer with."""

from collections.abc import Mapping
from typing import Any

from cleanrooms_emulator.behaviour.access import unentitled
from cleanrooms_emulator.behaviour.lists import ML_PAGE, Listing
from cleanrooms_emulator.behaviour.ml_access import check_name, pick, tags_of
from cleanrooms_emulator.behaviour.ml_objects import Algorithm, Association
from cleanrooms_emulator.behaviour.objects import Tags
from cleanrooms_emulator.behaviour.roles import check_role
from cleanrooms_emulator.behaviour.tags import store_tags
from cleanrooms_emulator.behaviour.world import World, check_quota, conflict, invalid, missing
from cleanrooms_emulator.request import Caller, Document

_KIND = "CONFIGURED_MODEL_ALGORITHM"
_CONTAINERS = ("trainingContainerConfig", "inferenceContainerConfig")


def create_configured_model_algorithm(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Create an algorithm; it is there at once, and only its tags can be changed."""
    if not any(name in parameters for name in _CONTAINERS) and world.rules.no_container == "refuse":
        message = "an algorithm needs a container for training or for inference"
        raise invalid(message)
    check_role(world, caller, parameters["roleArn"], is_ml=True)
    owner = f"{caller.region}/{caller.account}"
    held = list(world.store.list(Algorithm, owner))
    check_name(world, parameters["name"], held)
    check_quota(world, "algorithms", len(held))
    prefix = f"arn:aws:cleanrooms-ml:{caller.region}:{caller.account}"
    arn = f"{prefix}:configured-model-algorithm/{world.ids.uuid()}"
    given = pick(parameters, "description", "roleArn", *_CONTAINERS, "kmsKeyArn")
    store_tags(world, arn, parameters)
    world.store.put(
        Algorithm(arn=arn, owner=owner, name=parameters["name"], given=given, created=world.now)
    )
    return {"configuredModelAlgorithmArn": arn}


def get_configured_model_algorithm(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Return one of the caller's algorithms."""
    found = own_algorithm(world, caller, parameters["configuredModelAlgorithmArn"])
    return {**_summary(found), **found.given, **tags_of(world, found.arn)}


def list_configured_model_algorithms(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """List the caller's algorithms."""
    found = world.store.list(Algorithm, f"{caller.region}/{caller.account}")
    listing = Listing("configuredModelAlgorithms", found, _summary, ML_PAGE)
    return listing.answer(world, caller, parameters)


def delete_configured_model_algorithm(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Delete an algorithm that nothing is associated with."""
    found = own_algorithm(world, caller, parameters["configuredModelAlgorithmArn"])
    if any(world.store.list(Association, found.arn)):
        message = f"{found.arn} has associations"
        raise conflict(message, _KIND, found.arn, "SUBRESOURCES_EXIST")
    world.store.remove(found)
    if tags := world.store.get(Tags, found.arn):
        world.store.remove(tags)
    return {}


def own_algorithm(world: World, caller: Caller, arn: str) -> Algorithm:
    """Return the caller's algorithm of that ARN."""
    region, account = arn.split(":")[3:5]
    if account != caller.account:
        raise unentitled(world, _KIND, arn)
    found = world.store.get(Algorithm, arn)
    if found is None or region != caller.region:
        raise missing(_KIND, arn)
    return found


def _summary(found: Algorithm) -> Document:
    return {
        "createTime": found.created,
        "updateTime": found.created,
        "configuredModelAlgorithmArn": found.arn,
        "name": found.name,
        **pick(found.given, "description"),
    }
