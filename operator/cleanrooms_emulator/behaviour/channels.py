"""ML input channels: the result of a query, kept for some days to train and infer with."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cleanrooms_emulator.behaviour import progress
from cleanrooms_emulator.behaviour.access import (
    joined_collaboration,
    ml_membership,
    querying_membership,
)
from cleanrooms_emulator.behaviour.budgets import show_budgets, spend
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
from cleanrooms_emulator.behaviour.ml_objects import (
    Association,
    Channel,
    InferenceJob,
    Step,
    TrainedModel,
)
from cleanrooms_emulator.behaviour.objects import AnalysisTemplate, Membership
from cleanrooms_emulator.behaviour.payers import payer_of, shown_payer
from cleanrooms_emulator.behaviour.roles import check_role
from cleanrooms_emulator.behaviour.tags import store_tags
from cleanrooms_emulator.behaviour.templates import template_in
from cleanrooms_emulator.behaviour.world import World, check_quota, conflict, invalid
from cleanrooms_emulator.request import Caller, Document
from cleanrooms_emulator.store import Failure

_KIND = "MLInputChannel"
_ARN = "mlInputChannelArn"
_ASSOCIATIONS = "configuredModelAlgorithmAssociations"
_PAYERS = "payerConfiguration"
_COMPUTE = "computePayerAccountId"
_SYNTHETIC = "syntheticDataPayerAccountId"
_RESULT = {"numberOfRecords": 120_000, "numberOfFiles": 16.0, "sizeInGb": 0.25}
"""What every query yields here."""
_SCORES = {
    "dataPrivacyScores": {
        "membershipInferenceAttackScores": [
            {"attackVersion": "DISTANCE_TO_CLOSEST_RECORD_V1", "score": 0.5}
        ]
    }
}
"""How well synthetic data can be told from what it was made of: here no better than by chance."""


def create_ml_input_channel(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Start the query whose result becomes the channel."""
    membership = querying_membership(world, caller, parameters["membershipIdentifier"])
    association = in_collaboration(
        world, Association, membership.collaboration, parameters[_ASSOCIATIONS][0]
    )
    check_role(world, caller, parameters["inputChannel"]["roleArn"], is_ml=True)
    template = _template(world, membership, parameters)
    payers, refusal = _payers(world, membership, parameters, template)
    check_name(world, parameters["name"], world.store.list(Channel, membership.id))
    _check_quotas(world, membership, template)
    spent = spend(world, membership.collaboration)
    failure = refusal or spent or world.store.failure_of(_KIND, parameters["name"])
    arn = ml_arn(membership, "ml-input-channel", world.ids.uuid())
    store_tags(world, arn, parameters)
    now = world.now
    world.store.put(
        Channel(
            arn=arn,
            account=caller.account,
            region=caller.region,
            membership=membership.id,
            collaboration=membership.collaboration,
            name=parameters["name"],
            given=_given(parameters),
            created=now,
            updated=now,
            steps=_steps(world, parameters["retentionInDays"], failure),
            association=association.arn,
            shown_payer=shown_payer(world, _PAYERS, payers, parameters.get(_PAYERS)),
            query=world.ids.uuid(),
            synthetic=_synthetic_parameters(template),
        )
    )
    return {_ARN: arn}


def get_ml_input_channel(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Return a channel of one of the caller's memberships."""
    membership = ml_membership(world, caller, parameters["membershipIdentifier"])
    found = under_membership(world, Channel, membership, parameters[_ARN])
    own = pick(_RESULT, "numberOfFiles", "sizeInGb") if found.has_succeeded else {}
    return {
        **_summary(found),
        **_details(world, found),
        **pick(found.given, "inputChannel", "kmsKeyArn"),
        **own,
        **tags_of(world, found.arn),
    }


def list_ml_input_channels(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """List the channels of one of the caller's memberships, those without data included."""
    membership = ml_membership(world, caller, parameters["membershipIdentifier"], hide=True)
    found = world.store.list(Channel, membership.id)
    listing = Listing("mlInputChannelsList", found, _summary, ML_PAGE)
    return listing.answer(world, caller, parameters)


def get_collaboration_ml_input_channel(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Return a channel that any member has in the collaboration."""
    collaboration = joined_collaboration(world, caller, parameters["collaborationIdentifier"])
    found = in_collaboration(world, Channel, collaboration.id, parameters[_ARN])
    return {**_shared_summary(found), **_details(world, found)}


def list_collaboration_ml_input_channels(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """List the channels of all members of a collaboration."""
    identifier = parameters["collaborationIdentifier"]
    collaboration = joined_collaboration(world, caller, identifier, hide=True)
    found = world.store.list(Channel, collaboration.id)
    listing = Listing("collaborationMLInputChannelsList", found, _shared_summary, ML_PAGE)
    return listing.answer(world, caller, parameters)


def delete_ml_input_channel_data(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Delete the data of a channel; its record stays, INACTIVE."""
    membership = ml_membership(world, caller, parameters["membershipIdentifier"])
    found = under_membership(world, Channel, membership, parameters[_ARN])
    if not _is_deletable(world, found):
        message = f"{found.arn} is {found.status}"
        raise conflict(message, _KIND, found.arn, "INVALID_STATE")
    if _is_used(world, found):
        message = f"{found.arn} is used by a training or an inference job"
        raise conflict(message, _KIND, found.arn, "SUBRESOURCES_EXIST")
    progress.delete(world, found, _KIND)
    return {}


def _template(
    world: World, membership: Membership, parameters: Mapping[str, Any]
) -> AnalysisTemplate | None:
    """Return the template that the query is, None for one in the request itself.

    Assumption: both or neither, and parameters that do not fit the template, are invalid.
    """
    source = parameters["inputChannel"]["dataSource"]["protectedQueryInputParameters"]
    sql = source["sqlParameters"]
    if ("queryString" in sql) == ("analysisTemplateArn" in sql):
        message = "sqlParameters needs either queryString or analysisTemplateArn"
        raise invalid(message)
    if "queryString" in sql:
        return None
    template = template_in(world, membership.collaboration, sql["analysisTemplateArn"])
    declared = template.given.get("analysisParameters", ())
    given = set(sql.get("parameters", ()))
    needed = {each["name"] for each in declared if "defaultValue" not in each}
    if given - {each["name"] for each in declared} or needed - given:
        message = f"parameters do not fit those of template {template.name}"
        raise invalid(message)
    return template


def _payers(
    world: World,
    membership: Membership,
    parameters: Mapping[str, Any],
    template: AnalysisTemplate | None,
) -> tuple[dict[str, str], Failure | None]:
    """Return who pays for compute and synthetic data, and how the channel fails if they do not."""
    named = parameters.get(_PAYERS, {})
    compute = payer_of(world, membership, "queryCompute", named.get(_COMPUTE))
    if template is None or not template.is_synthetic:
        if _SYNTHETIC in named and world.rules.needless_synthetic_payer == "refuse":
            message = f"{_SYNTHETIC} is for synthetic data only"
            raise invalid(message)
        return {_COMPUTE: compute.account}, compute.failure
    synthetic = payer_of(world, membership, "syntheticDataGeneration", named.get(_SYNTHETIC))
    payers = {_COMPUTE: compute.account, _SYNTHETIC: synthetic.account}
    return payers, compute.failure or synthetic.failure


def _check_quotas(world: World, membership: Membership, template: AnalysisTemplate | None) -> None:
    held = world.store.list(Channel, membership.id)
    check_quota(world, "channels_per_membership", sum(not each.is_over for each in held))
    if template is not None and template.is_synthetic:
        mine = world.store.list(Channel, f"{membership.region}/{membership.account}")
        pending = sum(each.synthetic is not None and each.is_unfinished for each in mine)
        check_quota(world, "synthetic_channels", pending)


def _steps(world: World, days: int, failure: Failure | None) -> tuple[Step, ...]:
    steps = progress.creating(world.now, progress.CHANNEL, failure)
    if failure is not None:
        return steps
    start = steps[-1].at if world.rules.retention_start == "active" else world.now
    return (*steps, Step(start + timedelta(days=days), "INACTIVE"))


def _given(parameters: Mapping[str, Any]) -> Document:
    """Return what is shown of the request, filled in where the service has defaults."""
    channel = parameters["inputChannel"]
    source = channel["dataSource"]["protectedQueryInputParameters"]
    worker = source.get("computeConfiguration", {}).get("worker", {})
    filled = {
        "resultFormat": "CSV",
        **source,
        "computeConfiguration": {"worker": {"type": "CR.1X", "number": 16, **worker}},
    }
    return {
        **pick(parameters, "description", "retentionInDays", _ASSOCIATIONS, "kmsKeyArn"),
        "inputChannel": {**channel, "dataSource": {"protectedQueryInputParameters": filled}},
    }


def _synthetic_parameters(template: AnalysisTemplate | None) -> Mapping[str, Any] | None:
    if template is None or not template.is_synthetic:
        return None
    parameters: Mapping[str, Any] = template.given["syntheticDataParameters"][
        "mlSyntheticDataParameters"
    ]
    return parameters


def _is_deletable(world: World, channel: Channel) -> bool:
    if channel.is_unfinished:
        return world.rules.deleting_unfinished_channel == "accept"
    if channel.status == "CREATE_FAILED":
        return world.rules.deleting_failed == "accept"
    return channel.status in {"ACTIVE", "DELETE_FAILED"}


def _is_used(world: World, channel: Channel) -> bool:
    models = world.store.list(TrainedModel, channel.collaboration)
    jobs = world.store.list(InferenceJob, channel.collaboration)
    return any(each.is_unfinished and channel.arn in each.channels for each in models) or any(
        each.is_unfinished and channel.arn == each.channel for each in jobs
    )


def _summary(found: Channel) -> Document:
    query = {} if found.status == "CREATE_PENDING" else {"protectedQueryIdentifier": found.query}
    return {
        **_common(found),
        **query,
    }


def _shared_summary(found: Channel) -> Document:
    return {**_common(found), "creatorAccountId": found.account}


def _common(found: Channel) -> Document:
    return {
        **summary_of(found),
        _ARN: found.arn,
        _ASSOCIATIONS: [found.association],
        **found.shown_payer,
    }


def _details(world: World, found: Channel) -> Document:
    """Return what the Gets have and the Lists have not."""
    shown = {
        **details_of(found),
        **pick(found.given, "retentionInDays"),
        **show_budgets(world, found.collaboration),
    }
    if found.has_succeeded:
        shown |= pick(_RESULT, "numberOfRecords")
    if found.synthetic is not None:
        scores = {"syntheticDataEvaluationScores": _SCORES} if found.has_succeeded else {}
        shown["syntheticDataConfiguration"] = {"syntheticDataParameters": found.synthetic, **scores}
    return shown
