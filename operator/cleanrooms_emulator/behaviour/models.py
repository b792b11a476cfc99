"""Trained models and their versions: seen, cancelled, and their output deleted."""

from collections.abc import Iterable, Mapping
from typing import Any

from cleanrooms_emulator.behaviour import progress
from cleanrooms_emulator.behaviour.access import joined_collaboration, ml_membership
from cleanrooms_emulator.behaviour.containers import publication_of
from cleanrooms_emulator.behaviour.lists import ML_PAGE, Listing
from cleanrooms_emulator.behaviour.ml_access import (
    details_of,
    in_collaboration,
    pick,
    summary_of,
    tags_of,
    under_membership,
)
from cleanrooms_emulator.behaviour.ml_objects import (
    CANCELLING,
    ExportJob,
    InferenceJob,
    TrainedModel,
)
from cleanrooms_emulator.behaviour.tags import tags_key
from cleanrooms_emulator.behaviour.versions import (
    version_or_base,
    version_or_latest,
    versions_of,
)
from cleanrooms_emulator.behaviour.world import World, conflict
from cleanrooms_emulator.request import Caller, Document

_KIND = "TrainedModel"
_DIGEST = "trainingContainerImageDigest"
_SHARED = ("resourceConfig", "trainingInputMode", "stoppingCondition")
_OWN = ("hyperparameters", "environment", "kmsKeyArn", "dataChannels")


def get_trained_model(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Return a model of one of the caller's memberships, without a version the latest."""
    membership = ml_membership(world, caller, parameters["membershipIdentifier"])
    key = version_or_latest(world, parameters).key
    found = under_membership(world, TrainedModel, membership, key)
    return {
        **_details(world, found, caller.account),
        **pick(found.given, *_OWN),
        **tags_of(world, tags_key(world, found.arn, found.version)),
    }


def list_trained_models(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """List the models of one of the caller's memberships, each by its latest version."""
    membership = ml_membership(world, caller, parameters["membershipIdentifier"], hide=True)
    found = _latest(world.store.list(TrainedModel, membership.id))
    return Listing("trainedModels", found, _summary, ML_PAGE).answer(world, caller, parameters)


def list_trained_model_versions(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """List the versions of a model, the base included."""
    membership = ml_membership(world, caller, parameters["membershipIdentifier"])
    wanted = parameters.get("status")
    found = [
        each
        for each in versions_of(world, parameters["trainedModelArn"])
        if under_membership(world, TrainedModel, membership, each.key).status == wanted
        or wanted is None
    ]
    return Listing("trainedModels", found, _summary, ML_PAGE).answer(world, caller, parameters)


def get_collaboration_trained_model(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Return a model that any member has in the collaboration."""
    collaboration = joined_collaboration(world, caller, parameters["collaborationIdentifier"])
    key = version_or_latest(world, parameters).key
    found = in_collaboration(world, TrainedModel, collaboration.id, key)
    return {**_details(world, found, caller.account), "creatorAccountId": found.account}


def list_collaboration_trained_models(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """List the models of all members of a collaboration, each by its latest version."""
    identifier = parameters["collaborationIdentifier"]
    collaboration = joined_collaboration(world, caller, identifier, hide=True)
    listing = Listing(
        "collaborationTrainedModels",
        _latest(world.store.list(TrainedModel, collaboration.id)),
        lambda each: {**_summary(each), "creatorAccountId": each.account},
        ML_PAGE,
    )
    return listing.answer(world, caller, parameters)


def cancel_trained_model(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Cancel a training, without a version that of the base."""
    membership = ml_membership(world, caller, parameters["membershipIdentifier"])
    key = version_or_base(world, parameters).key
    progress.cancel(world, under_membership(world, TrainedModel, membership, key), _KIND)
    return {}


def delete_trained_model_output(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Delete what a training has made, without a version the base's; the record stays."""
    membership = ml_membership(world, caller, parameters["membershipIdentifier"])
    key = version_or_base(world, parameters).key
    found = under_membership(world, TrainedModel, membership, key)
    failed = {"CREATE_FAILED"} if world.rules.deleting_failed == "accept" else set()
    if found.status not in {"ACTIVE", "DELETE_FAILED", "CANCEL_FAILED"} | failed:
        message = f"{found.arn} is {found.status}"
        raise conflict(message, _KIND, found.arn, "INVALID_STATE")
    if _is_used(world, found):
        message = f"{found.arn} is used by an inference or export job"
        raise conflict(message, _KIND, found.arn, "SUBRESOURCES_EXIST")
    progress.delete(world, found, _KIND)
    return {}


def _latest(models: Iterable[TrainedModel]) -> list[TrainedModel]:
    return list({each.arn: each for each in models}.values())


def _is_used(world: World, model: TrainedModel) -> bool:
    jobs: tuple[InferenceJob | ExportJob, ...] = (
        *world.store.list(InferenceJob, model.collaboration),
        *world.store.list(ExportJob, model.collaboration),
    )
    return any(
        (each.model, each.version) == (model.arn, model.version)
        and (each.is_unfinished or each.status in CANCELLING)
        for each in jobs
    )


def _details(world: World, found: TrainedModel, viewer: str) -> Document:
    """Return what the Gets have in common."""
    digest = {} if found.status == "CREATE_PENDING" else {_DIGEST: found.digest}
    return {
        **_summary(found),
        **details_of(found),
        **pick(found.given, *_SHARED),
        **digest,
        **publication_of(world, found, viewer),
    }


def _summary(found: TrainedModel) -> Document:
    version = {} if found.version is None else {"versionIdentifier": found.version}
    return {
        **summary_of(found),
        "trainedModelArn": found.arn,
        **version,
        **pick(found.given, "incrementalTrainingDataChannels"),
        "configuredModelAlgorithmAssociationArn": found.association,
        **found.shown_payer,
    }
