"""Inference jobs: a trained model applied to a channel, its output delivered to a member."""

from collections.abc import Mapping
from typing import Any

from cleanrooms_emulator.behaviour import progress
from cleanrooms_emulator.behaviour.access import (
    joined_collaboration,
    ml_membership,
    querying_membership,
)
from cleanrooms_emulator.behaviour.containers import (
    check_channel,
    check_model,
    check_receiver,
    digest_of,
    log_readers,
    publication_of,
)
from cleanrooms_emulator.behaviour.lists import ML_PAGE, Listing
from cleanrooms_emulator.behaviour.ml_access import (
    check_name,
    details_of,
    in_collaboration,
    ml_arn,
    pick,
    summary_of,
    tags_of,
    under_membership,
)
from cleanrooms_emulator.behaviour.ml_objects import Association, InferenceJob, TrainedModel
from cleanrooms_emulator.behaviour.objects import Membership
from cleanrooms_emulator.behaviour.payers import payer_of, shown_payer
from cleanrooms_emulator.behaviour.tags import store_tags
from cleanrooms_emulator.behaviour.versions import version_or_base
from cleanrooms_emulator.behaviour.world import World, check_quota
from cleanrooms_emulator.request import Caller, Document

_KIND = "TrainedModelInferenceJob"
_ARN = "trainedModelInferenceJobArn"
_ASSOCIATION = "configuredModelAlgorithmAssociationArn"
_PAYER = "mlModelInferencePayerAccountId"
_VERSION = "trainedModelVersionIdentifier"
_DIGEST = "inferenceContainerImageDigest"


def start_trained_model_inference_job(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Start a job; it is ACTIVE when its output is delivered.

    Assumption: without a version it uses the base, as cancel and delete do.
    """
    membership = querying_membership(world, caller, parameters["membershipIdentifier"])
    model = _model(world, membership, parameters)
    named = parameters.get(_ASSOCIATION, model.association)
    association = in_collaboration(world, Association, membership.collaboration, named)
    digest = digest_of(world, association, "inferenceContainerConfig")
    channel = parameters["dataSource"]["mlInputChannelArn"]
    unready = check_model(world, model) or check_channel(world, membership, channel)
    barred = check_receiver(world, membership, parameters, "CAN_RECEIVE_INFERENCE_OUTPUT")
    submitted = parameters.get(_PAYER)
    payer = payer_of(world, membership, "modelInference", submitted)
    check_name(world, parameters["name"], world.store.list(InferenceJob, membership.id))
    _check_quotas(world, membership)
    arn = ml_arn(membership, "trained-model-inference-job", world.ids.uuid())
    store_tags(world, arn, parameters)
    ordered = world.store.failure_of(_KIND, parameters["name"])
    failure = unready or barred or payer.failure or ordered
    now = world.now
    world.store.put(
        InferenceJob(
            arn=arn,
            account=caller.account,
            region=caller.region,
            membership=membership.id,
            collaboration=membership.collaboration,
            name=parameters["name"],
            given=_given(parameters),
            created=now,
            updated=now,
            steps=progress.creating(now, progress.INFERENCE, failure),
            association=association.arn,
            shown_payer=shown_payer(world, _PAYER, payer.account, submitted),
            digest=digest,
            readers=log_readers(association, "trainedModelInferenceJobs"),
            model=model.arn,
            version=model.version,
            channel=channel,
        )
    )
    return {_ARN: arn}


def get_trained_model_inference_job(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Return a job of one of the caller's memberships."""
    membership = ml_membership(world, caller, parameters["membershipIdentifier"])
    found = under_membership(world, InferenceJob, membership, parameters[_ARN])
    digest = {} if found.status == "CREATE_PENDING" else {_DIGEST: found.digest}
    shown = {
        **_summary(world, found, caller.account),
        **details_of(found),
        **found.given,
        "dataSource": {"mlInputChannelArn": found.channel},
        **digest,
        **tags_of(world, found.arn),
    }
    del shown["collaborationIdentifier"]
    return shown


def list_trained_model_inference_jobs(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """List the jobs of one of the caller's memberships, of one model or version if asked to."""
    membership = ml_membership(world, caller, parameters["membershipIdentifier"], hide=True)
    found = _wanted(world, membership.id, parameters)
    listing = Listing(
        "trainedModelInferenceJobs",
        found,
        lambda each: _summary(world, each, caller.account),
        ML_PAGE,
    )
    return listing.answer(world, caller, parameters)


def list_collaboration_trained_model_inference_jobs(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """List the jobs of all members of a collaboration."""
    identifier = parameters["collaborationIdentifier"]
    collaboration = joined_collaboration(world, caller, identifier, hide=True)
    found = _wanted(world, collaboration.id, parameters)
    listing = Listing(
        "collaborationTrainedModelInferenceJobs",
        found,
        lambda each: {
            **_summary(world, each, caller.account),
            "creatorAccountId": each.account,
        },
        ML_PAGE,
    )
    return listing.answer(world, caller, parameters)


def cancel_trained_model_inference_job(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Cancel a job that is not finished; its record stays, INACTIVE."""
    membership = ml_membership(world, caller, parameters["membershipIdentifier"])
    found = under_membership(world, InferenceJob, membership, parameters[_ARN])
    progress.cancel(world, found, _KIND)
    return {}


def _model(world: World, membership: Membership, parameters: Mapping[str, Any]) -> TrainedModel:
    names = {"trainedModelArn": "trainedModelArn", _VERSION: "versionIdentifier"}
    asked = {names[name]: value for name, value in pick(parameters, *names).items()}
    found = version_or_base(world, asked)
    return in_collaboration(world, TrainedModel, membership.collaboration, found.key)


def _check_quotas(world: World, membership: Membership) -> None:
    jobs = world.store.list(InferenceJob, f"{membership.region}/{membership.account}")
    running = [each for each in jobs if each.is_unfinished]
    check_quota(world, "inference_jobs", len(running))
    here = sum(each.membership == membership.id for each in running)
    check_quota(world, "inference_jobs_per_membership", here)


def _given(parameters: Mapping[str, Any]) -> Document:
    kept = ("description", "containerExecutionParameters", "environment", "kmsKeyArn")
    return {
        "outputConfiguration": parameters["outputConfiguration"],
        "resourceConfig": {"instanceCount": 1, **parameters["resourceConfig"]},
        **pick(parameters, *kept),
    }


def _wanted(world: World, scope: str, parameters: Mapping[str, Any]) -> list[InferenceJob]:
    model, version = parameters.get("trainedModelArn"), parameters.get(_VERSION)
    return [
        each
        for each in world.store.list(InferenceJob, scope)
        if model in {None, each.model} and version in {None, each.version}
    ]


def _summary(world: World, found: InferenceJob, viewer: str) -> Document:
    version = {} if found.version is None else {_VERSION: found.version}
    return {
        **summary_of(found),
        _ARN: found.arn,
        _ASSOCIATION: found.association,
        "trainedModelArn": found.model,
        **version,
        **pick(found.given, "outputConfiguration"),
        **found.shown_payer,
        **publication_of(world, found, viewer),
    }
