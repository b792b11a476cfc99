"""Analysis templates: queries that a member has written down for the collaboration to run."""

from collections.abc import Mapping
from typing import Any

from cleanrooms_emulator.behaviour.access import (
    collaboration_or_unentitled,
    living_membership,
    own_membership,
)
from cleanrooms_emulator.behaviour.lists import Listing
from cleanrooms_emulator.behaviour.ml_access import pick
from cleanrooms_emulator.behaviour.objects import (
    AnalysisTemplate,
    Collaboration,
    Membership,
)
from cleanrooms_emulator.behaviour.tags import LIMIT, check_tags
from cleanrooms_emulator.behaviour.world import (
    MEMBERSHIP,
    World,
    check_quota,
    invalid,
    missing,
)
from cleanrooms_emulator.request import Caller, Document

_GIVEN = (
    "description",
    "format",
    "source",
    "analysisParameters",
    "errorMessageConfiguration",
    "syntheticDataParameters",
)


def create_analysis_template(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Write down a query; what it says cannot be changed."""
    membership = living_membership(world, caller, parameters["membershipIdentifier"])
    wanted = "text" if parameters["format"] == "SQL" else "artifacts"
    if wanted not in parameters["source"]:
        message = f"the source of a {parameters['format']} template is {wanted}"
        raise invalid(message)
    held = sum(1 for _ in world.store.list(AnalysisTemplate, membership.id))
    check_quota(world, "analysis_templates_per_membership", held)
    # Nobody can read them: the ARN of a template is longer than what ListTagsForResource takes.
    check_tags(parameters.get("tags", {}), LIMIT)
    identifier = world.ids.uuid()
    template = AnalysisTemplate(
        id=identifier,
        arn=f"{membership.arn}/analysistemplate/{identifier}",
        account=caller.account,
        membership=membership.id,
        collaboration=membership.collaboration,
        name=parameters["name"],
        given={"schema": parameters.get("schema", {}), **pick(parameters, *_GIVEN)},
        created=world.now,
    )
    world.store.put(template)
    return {"analysisTemplate": _show(world, membership, template)}


def get_analysis_template(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Return a template of one of the caller's memberships."""
    membership, template = _own(world, caller, parameters)
    return {"analysisTemplate": _show(world, membership, template)}


def list_analysis_templates(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """List the templates of one of the caller's memberships."""
    membership = own_membership(world, caller, parameters["membershipIdentifier"])
    found = world.store.list(AnalysisTemplate, membership.id)
    listing = Listing(
        "analysisTemplateSummaries", found, lambda each: _summary(world, membership, each)
    )
    return listing.answer(world, caller, parameters)


def delete_analysis_template(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Forget a template; what was made with it stays."""
    _, template = _own(world, caller, parameters)
    world.store.remove(template)
    return {}


def get_collaboration_analysis_template(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Return a template that any member has in the collaboration."""
    collaboration = collaboration_or_unentitled(
        world, caller, parameters["collaborationIdentifier"]
    )
    template = template_in(world, collaboration.id, parameters["analysisTemplateArn"])
    shown = {**_shared_summary(collaboration, template), **template.given}
    shown.pop("isSyntheticData")
    return {"collaborationAnalysisTemplate": shown}


def list_collaboration_analysis_templates(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """List the templates of all members of a collaboration."""
    collaboration = collaboration_or_unentitled(
        world, caller, parameters["collaborationIdentifier"]
    )
    listing = Listing(
        "collaborationAnalysisTemplateSummaries",
        world.store.list(AnalysisTemplate, collaboration.id),
        lambda each: _shared_summary(collaboration, each),
    )
    return listing.answer(world, caller, parameters)


def template_in(world: World, collaboration: str, arn: str) -> AnalysisTemplate:
    """Return the template of that ARN, which some member has in the collaboration."""
    found = world.store.get(AnalysisTemplate, arn)
    if found is None or found.collaboration != collaboration:
        raise missing(MEMBERSHIP, arn)
    return found


def _own(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> tuple[Membership, AnalysisTemplate]:
    membership = own_membership(world, caller, parameters["membershipIdentifier"])
    identifier = parameters["analysisTemplateIdentifier"]
    found = world.store.get(AnalysisTemplate, f"{membership.arn}/analysistemplate/{identifier}")
    if found is None:
        raise missing(MEMBERSHIP, identifier)
    return membership, found


def _show(world: World, membership: Membership, template: AnalysisTemplate) -> Document:
    shown = {**_summary(world, membership, template), **template.given}
    shown.pop("isSyntheticData")
    return shown


def _summary(world: World, membership: Membership, template: AnalysisTemplate) -> Document:
    collaboration = world.store.get(Collaboration, template.collaboration)
    return {
        **_common(template),
        "membershipArn": membership.arn,
        "membershipId": membership.id,
        "collaborationArn": collaboration.arn if collaboration else "",
    }


def _shared_summary(collaboration: Collaboration, template: AnalysisTemplate) -> Document:
    return {
        **_common(template),
        "collaborationArn": collaboration.arn,
        "creatorAccountId": template.account,
    }


def _common(template: AnalysisTemplate) -> Document:
    return {
        "arn": template.arn,
        "id": template.id,
        "name": template.name,
        "createTime": template.created,
        "updateTime": template.created,
        "collaborationId": template.collaboration,
        "isSyntheticData": template.is_synthetic,
        **pick(template.given, "description"),
    }
