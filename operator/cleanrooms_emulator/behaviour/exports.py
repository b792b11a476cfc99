"""Export jobs: a trained model's files delivered to a member; only the collaboration sees them."""

from collections.abc import Mapping
from typing import Any

from cleanrooms_emulator.behaviour import progress
from cleanrooms_emulator.behaviour.access import joined_collaboration, living_membership
from cleanrooms_emulator.behaviour.containers import check_model, check_receiver
from cleanrooms_emulator.behaviour.lists import ML_PAGE, Listing
from cleanrooms_emulator.behaviour.ml_access import (
    check_name,
    details_of,
    pick,
    summary_of,
    under_membership,
)
from cleanrooms_emulator.behaviour.ml_objects import Association, ExportJob, TrainedModel
from cleanrooms_emulator.behaviour.versions import version_or_base
from cleanrooms_emulator.behaviour.world import World, invalid
from cleanrooms_emulator.request import Caller, Document

_KIND = "TrainedModelExportJob"
_VERSION = "trainedModelVersionIdentifier"


def start_trained_model_export_job(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Start an export of one of the caller's own models; nothing names it but its name."""
    membership = living_membership(world, caller, parameters["membershipIdentifier"])
    asked = pick(parameters, "trainedModelArn")
    if _VERSION in parameters:
        asked["versionIdentifier"] = parameters[_VERSION]
    key = version_or_base(world, asked).key
    model = under_membership(world, TrainedModel, membership, key)
    association = world.store.get(Association, model.association)
    if association is None or "trainedModelExports" not in association.policies:
        message = f"the association of model {model.name} does not let it be exported"
        raise invalid(message)
    unready = check_model(world, model)
    barred = check_receiver(world, membership, parameters, "CAN_RECEIVE_MODEL_OUTPUT")
    check_name(world, parameters["name"], world.store.list(ExportJob, membership.id))
    failure = unready or barred or world.store.failure_of(_KIND, parameters["name"])
    now = world.now
    world.store.put(
        ExportJob(
            arn=f"{model.arn}/export-jobs/{world.ids.uuid()}",
            account=caller.account,
            region=caller.region,
            membership=membership.id,
            collaboration=membership.collaboration,
            name=parameters["name"],
            given=pick(parameters, "description", "outputConfiguration"),
            created=now,
            updated=now,
            steps=progress.creating(now, progress.EXPORT, failure),
            model=model.arn,
            version=model.version,
        )
    )
    return {}


def list_collaboration_trained_model_export_jobs(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """List the exports of a model, of one version if asked to."""
    identifier = parameters["collaborationIdentifier"]
    collaboration = joined_collaboration(world, caller, identifier, hide=True)
    version = parameters.get(_VERSION)
    found = [
        each
        for each in world.store.list(ExportJob, collaboration.id)
        if each.model == parameters["trainedModelArn"] and version in {None, each.version}
    ]
    listing = Listing("collaborationTrainedModelExportJobs", found, _summary, ML_PAGE)
    return listing.answer(world, caller, parameters)


def _summary(found: ExportJob) -> Document:
    version = {} if found.version is None else {_VERSION: found.version}
    return {
        **summary_of(found),
        **details_of(found),
        "creatorAccountId": found.account,
        "trainedModelArn": found.model,
        **version,
        **pick(found.given, "outputConfiguration"),
    }
