"""The operations that behave, by service: what is not here, the emulator does not do yet.

A backend has one method for each, named like boto3's, which takes the caller and validated
parameters and returns the members of the output. A List answers one page.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

from cleanrooms_emulator.behaviour import (
    collaborations,
    members,
    memberships,
    ml_configuration,
    tags,
)
from cleanrooms_emulator.behaviour.world import World
from cleanrooms_emulator.request import Caller, Clock, Document, Ids
from cleanrooms_emulator.rules import Rules
from cleanrooms_emulator.store import Store

Operation = Callable[[World, Caller, Mapping[str, Any]], Document]

_TAGGING: tuple[Operation, ...] = (
    tags.list_tags_for_resource,
    tags.tag_resource,
    tags.untag_resource,
)
OPERATIONS: Mapping[str, tuple[Operation, ...]] = {
    "cleanrooms": (
        collaborations.create_collaboration,
        collaborations.get_collaboration,
        collaborations.update_collaboration,
        collaborations.delete_collaboration,
        collaborations.list_collaborations,
        members.list_members,
        members.delete_member,
        memberships.create_membership,
        memberships.get_membership,
        memberships.update_membership,
        memberships.delete_membership,
        memberships.list_memberships,
        *_TAGGING,
    ),
    "cleanroomsml": (
        ml_configuration.put_ml_configuration,
        ml_configuration.get_ml_configuration,
        ml_configuration.delete_ml_configuration,
        *_TAGGING,
    ),
}


def backends(clock: Clock, rules: Rules, ids: Ids, store: Store) -> Mapping[str, SimpleNamespace]:
    """Return what answers the operations of each service, over one store."""
    world = World(clock, rules, ids, store)
    return {
        service: SimpleNamespace(**{each.__name__: partial(each, world) for each in operations})
        for service, operations in OPERATIONS.items()
    }
