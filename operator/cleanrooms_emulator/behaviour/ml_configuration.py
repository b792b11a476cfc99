"""The ML configuration of a membership: an upsert without identity, state or tags."""

from collections.abc import Mapping
from typing import Any

from cleanrooms_emulator.behaviour.access import living_membership, ml_membership
from cleanrooms_emulator.behaviour.ml_objects import ExportJob, InferenceJob, MLConfiguration
from cleanrooms_emulator.behaviour.roles import check_role
from cleanrooms_emulator.behaviour.tags import touch
from cleanrooms_emulator.behaviour.world import World, invalid, missing
from cleanrooms_emulator.request import Caller, Document

_KIND = "ML_CONFIGURATION"


def put_ml_configuration(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Create or replace the whole configuration."""
    membership = living_membership(world, caller, parameters["membershipIdentifier"], hide=True)
    location = parameters["defaultOutputLocation"]
    check_role(world, caller, location["roleArn"], is_ml=True)
    held = world.store.get(MLConfiguration, membership.id)
    now = world.now
    world.store.put(
        MLConfiguration(
            membership=membership.id,
            collaboration=membership.collaboration,
            account=membership.account,
            location=location,
            created=held.created if held else now,
            updated=now,
        )
    )
    touch(world, membership.id)
    return {}


def get_ml_configuration(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Return the configuration of one of the caller's memberships."""
    held = _held(world, caller, parameters["membershipIdentifier"])
    return {
        "membershipIdentifier": held.membership,
        "defaultOutputLocation": held.location,
        "createTime": held.created,
        "updateTime": held.updated,
    }


def delete_ml_configuration(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Forget the configuration; what is under way then has nowhere to deliver to (ER-16)."""
    held = _held(world, caller, parameters["membershipIdentifier"])
    if world.rules.configuration_in_use == "refuse" and _is_awaited(world, held):
        message = f"jobs deliver to the ML configuration of membership {held.membership}"
        raise invalid(message)
    world.store.remove(held)
    touch(world, held.membership)
    return {}


def _held(world: World, caller: Caller, identifier: str) -> MLConfiguration:
    membership = ml_membership(world, caller, identifier)
    held = world.store.get(MLConfiguration, membership.id)
    if held is None:
        raise missing(_KIND, identifier)
    return held


def _is_awaited(world: World, held: MLConfiguration) -> bool:
    jobs = (
        *world.store.list(InferenceJob, held.collaboration),
        *world.store.list(ExportJob, held.collaboration),
    )
    return any(each.is_unfinished and each.receiver == held.account for each in jobs)
