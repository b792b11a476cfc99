"""Trainings: what CreateTrainedModel checks, and what it starts."""

from collections.abc import Mapping
from typing import Any

from cleanrooms_emulator.behaviour import progress
from cleanrooms_emulator.behaviour.access import querying_membership
from cleanrooms_emulator.behaviour.containers import (
    check_channel,
    check_model,
    digest_of,
    log_readers,
)
from cleanrooms_emulator.behaviour.ml_access import (
    check_name,
    in_collaboration,
    ml_arn,
    pick,
    under_membership,
)
from cleanrooms_emulator.behaviour.ml_objects import CANCELLING, Association, TrainedModel
from cleanrooms_emulator.behaviour.objects import Membership
from cleanrooms_emulator.behaviour.payers import payer_of, shown_payer
from cleanrooms_emulator.behaviour.tags import store_version_tags
from cleanrooms_emulator.behaviour.versions import version_or_latest, versions_of
from cleanrooms_emulator.behaviour.world import World, check_quota, invalid
from cleanrooms_emulator.request import Caller, Document
from cleanrooms_emulator.store import Failure

_ASSOCIATION = "configuredModelAlgorithmAssociationArn"
_INCREMENTAL = "incrementalTrainingDataChannels"
_PAYER = "mlModelTrainingPayerAccountId"
_CHANNELS_AT_MOST = 20
_COMMON_TYPES = frozenset({"ml.m5.2xlarge", "ml.m5.4xlarge", "ml.m5.12xlarge"})
"""The instance types that an account may use without asking for more."""


def create_trained_model(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Start a training: of a new model, or of a version where it goes on from another one."""
    membership = querying_membership(world, caller, parameters["membershipIdentifier"])
    association = in_collaboration(
        world, Association, membership.collaboration, parameters[_ASSOCIATION]
    )
    digest = digest_of(world, association, "trainingContainerConfig")
    base = _base(world, membership, parameters)
    _check_channels(parameters)
    unready = _unready(world, membership, parameters, base)
    named = parameters.get(_PAYER)
    payer = payer_of(world, membership, "modelTraining", named)
    check_name(world, parameters["name"], world.store.list(TrainedModel, membership.id))
    given = _given(parameters, base)
    _check_quotas(world, membership, given["resourceConfig"], base)
    arn, version = _identity(world, membership, base)
    store_version_tags(world, arn, version, parameters)
    ordered = world.store.failure_of("TrainedModel", parameters["name"])
    now = world.now
    world.store.put(
        TrainedModel(
            arn=arn,
            account=caller.account,
            region=caller.region,
            membership=membership.id,
            collaboration=membership.collaboration,
            name=parameters["name"],
            given=given,
            created=now,
            updated=now,
            steps=progress.creating(now, progress.TRAINING, unready or payer.failure or ordered),
            association=association.arn,
            shown_payer=shown_payer(world, _PAYER, payer.account, named),
            digest=digest,
            readers=log_readers(association, "trainedModels"),
            version=version,
            channels=tuple(each["mlInputChannelArn"] for each in parameters["dataChannels"]),
        )
    )
    return {"trainedModelArn": arn, **({} if version is None else {"versionIdentifier": version})}


def _base(
    world: World, membership: Membership, parameters: Mapping[str, Any]
) -> TrainedModel | None:
    """Return the model that an incremental training goes on from: by default its latest version.

    Assumption: the API model says the latest, the user guide the base.
    """
    for incremental in parameters.get(_INCREMENTAL, ()):
        found = version_or_latest(world, incremental)
        return under_membership(world, TrainedModel, membership, found.key)
    return None


def _check_channels(parameters: Mapping[str, Any]) -> None:
    """Refuse channels of one name, and more channels than a training can have."""
    channels = [*parameters["dataChannels"], *parameters.get(_INCREMENTAL, ())]
    if len(channels) > _CHANNELS_AT_MOST:
        message = f"a training can have {_CHANNELS_AT_MOST} channels, incremental ones included"
        raise invalid(message)
    if len({each["channelName"] for each in channels}) < len(channels):
        message = "the channels of a training must have different names"
        raise invalid(message)


def _unready(
    world: World,
    membership: Membership,
    parameters: Mapping[str, Any],
    base: TrainedModel | None,
) -> Failure | None:
    """Return how the training fails for an input that is not ACTIVE, if it is not refused."""
    failures = [
        check_channel(world, membership, each["mlInputChannelArn"])
        for each in parameters["dataChannels"]
    ]
    if base is not None:
        failures.append(check_model(world, base))
    return next((failure for failure in failures if failure is not None), None)


def _given(parameters: Mapping[str, Any], base: TrainedModel | None) -> Document:
    """Return what is shown of the request, filled in where the service has defaults."""
    kept = ("description", "hyperparameters", "environment", "kmsKeyArn")
    channels = [
        {"s3DataDistributionType": "FullyReplicated", **each} for each in parameters["dataChannels"]
    ]
    given = {
        "trainingInputMode": parameters.get("trainingInputMode", "File"),
        "stoppingCondition": {"maxRuntimeInSeconds": 86_400}
        | parameters.get("stoppingCondition", {}),
        "resourceConfig": {"instanceCount": 1, **parameters["resourceConfig"]},
        "dataChannels": channels,
        **pick(parameters, *kept),
    }
    for incremental in parameters.get(_INCREMENTAL, ()):
        version = {"versionIdentifier": base.version} if base and base.version else {}
        name = {"modelName": base.name} if base else {}
        given[_INCREMENTAL] = [{**pick(incremental, "channelName"), **version, **name}]
    return given


def _check_quotas(
    world: World,
    membership: Membership,
    resources: Mapping[str, Any],
    base: TrainedModel | None,
) -> None:
    """Refuse what exceeds a quota: of trainings, of their instances, or of versions."""
    models = list(world.store.list(TrainedModel, f"{membership.region}/{membership.account}"))
    running = [each for each in models if each.is_unfinished]
    check_quota(world, "trainings", len(running))
    here = sum(each.membership == membership.id for each in running)
    check_quota(world, "trainings_per_membership", here)
    kind, count = resources["instanceType"], resources["instanceCount"]
    busy = [
        each.given["resourceConfig"]
        for each in models
        if each.is_unfinished or each.status in CANCELLING
    ]
    used = sum(each["instanceCount"] for each in busy)
    check_quota(world, "training_instances", used + count - 1)
    alike = sum(each["instanceCount"] for each in busy if each["instanceType"] == kind)
    by_type = "common" if kind in _COMMON_TYPES else "other"
    check_quota(world, f"{by_type}_instances_per_type", alike + count - 1, kind)
    if base is not None:
        living = sum(not each.is_over for each in versions_of(world, base.arn))
        check_quota(world, "versions_per_model", living)


def _identity(
    world: World, membership: Membership, base: TrainedModel | None
) -> tuple[str, str | None]:
    """Return the ARN and the version of a new model (ER-24)."""
    new = ml_arn(membership, "trained-model", world.ids.uuid())
    if base is None:
        return new, None
    return (base.arn if world.rules.version_arn == "same" else new), world.ids.uuid()
