"""Associations of algorithms: what a member lets a collaboration train and infer with."""

from collections.abc import Mapping
from typing import Any

from cleanrooms_emulator.behaviour.access import (
    joined_collaboration,
    living_membership,
    ml_membership,
)
from cleanrooms_emulator.behaviour.algorithms import own_algorithm
from cleanrooms_emulator.behaviour.lists import ML_PAGE, Listing
from cleanrooms_emulator.behaviour.ml_access import (
    check_name,
    in_collaboration,
    ml_arn,
    pick,
    tags_of,
    under_membership,
)
from cleanrooms_emulator.behaviour.ml_objects import (
    CANCELLING,
    Association,
    Channel,
    TrainedModel,
)
from cleanrooms_emulator.behaviour.objects import Tags
from cleanrooms_emulator.behaviour.tags import store_tags
from cleanrooms_emulator.behaviour.world import World, check_quota, conflict
from cleanrooms_emulator.request import Caller, Document

_KIND = "CONFIGURED_MODEL_ALGORITHM_ASSOCIATION"
_ARN = "configuredModelAlgorithmAssociationArn"


def create_configured_model_algorithm_association(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Associate one of the caller's algorithms; only its tags can be changed."""
    membership = living_membership(world, caller, parameters["membershipIdentifier"])
    algorithm = own_algorithm(world, caller, parameters["configuredModelAlgorithmArn"])
    held = list(world.store.list(Association, membership.id))
    check_name(world, parameters["name"], held)
    check_quota(world, "associations_per_membership", len(held))
    arn = ml_arn(membership, "configured-model-algorithm-association", world.ids.uuid())
    store_tags(world, arn, parameters)
    world.store.put(
        Association(
            arn=arn,
            account=caller.account,
            membership=membership.id,
            collaboration=membership.collaboration,
            algorithm=algorithm.arn,
            name=parameters["name"],
            given=pick(parameters, "description", "privacyConfiguration"),
            created=world.now,
        )
    )
    return {_ARN: arn}


def get_configured_model_algorithm_association(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Return an association of one of the caller's memberships."""
    membership = ml_membership(world, caller, parameters["membershipIdentifier"])
    found = under_membership(world, Association, membership, parameters[_ARN])
    return {**_summary(found), **found.given, **tags_of(world, found.arn)}


def list_configured_model_algorithm_associations(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """List the associations of one of the caller's memberships."""
    membership = ml_membership(world, caller, parameters["membershipIdentifier"], hide=True)
    found = world.store.list(Association, membership.id)
    listing = Listing("configuredModelAlgorithmAssociations", found, _summary, ML_PAGE)
    return listing.answer(world, caller, parameters)


def delete_configured_model_algorithm_association(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Delete an association that nothing is made with (ER-18)."""
    membership = ml_membership(world, caller, parameters["membershipIdentifier"])
    found = under_membership(world, Association, membership, parameters[_ARN])
    if _is_used(world, found):
        message = f"{found.arn} is used"
        raise conflict(message, _KIND, found.arn, "SUBRESOURCES_EXIST")
    world.store.remove(found)
    if tags := world.store.get(Tags, found.arn):
        world.store.remove(tags)
    return {}


def get_collaboration_configured_model_algorithm_association(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Return an association that any member has in the collaboration."""
    collaboration = joined_collaboration(world, caller, parameters["collaborationIdentifier"])
    found = in_collaboration(world, Association, collaboration.id, parameters[_ARN])
    return {**_shared_summary(found), **found.given}


def list_collaboration_configured_model_algorithm_associations(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """List the associations of all members of a collaboration."""
    identifier = parameters["collaborationIdentifier"]
    collaboration = joined_collaboration(world, caller, identifier, hide=True)
    found = world.store.list(Association, collaboration.id)
    name = "collaborationConfiguredModelAlgorithmAssociations"
    listing = Listing(name, found, _shared_summary, ML_PAGE)
    return listing.answer(world, caller, parameters)


def _is_used(world: World, association: Association) -> bool:
    channels = world.store.list(Channel, association.collaboration)
    if any(each.association == association.arn and not each.is_over for each in channels):
        return True
    models = [
        each
        for each in world.store.list(TrainedModel, association.collaboration)
        if each.association == association.arn
    ]
    if world.rules.association_blockers == "any":
        return any(not each.is_over for each in models)
    return any(each.is_unfinished or each.status in CANCELLING for each in models)


def _summary(found: Association) -> Document:
    return {
        "createTime": found.created,
        "updateTime": found.created,
        _ARN: found.arn,
        "configuredModelAlgorithmArn": found.algorithm,
        "name": found.name,
        "membershipIdentifier": found.membership,
        "collaborationIdentifier": found.collaboration,
        **pick(found.given, "description"),
    }


def _shared_summary(found: Association) -> Document:
    return {**_summary(found), "creatorAccountId": found.account}
