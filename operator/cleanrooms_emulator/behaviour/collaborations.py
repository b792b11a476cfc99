"""Collaborations: an account creates one, and invites others into it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cleanrooms_emulator.behaviour import payments
from cleanrooms_emulator.behaviour.access import (
    collaboration_or_denied,
    members_of,
    owned_collaboration,
    seen_collaboration,
)
from cleanrooms_emulator.behaviour.lists import Listing
from cleanrooms_emulator.behaviour.objects import Collaboration, Member, Membership, Tags
from cleanrooms_emulator.behaviour.progress import end_with
from cleanrooms_emulator.behaviour.tags import store_tags
from cleanrooms_emulator.behaviour.world import World, check_quota, invalid
from cleanrooms_emulator.request import Caller, Document


def create_collaboration(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Create a collaboration; its creator is its first member, invited as the others are."""
    specifications = [_creator(caller, parameters), *parameters["members"]]
    _check_engine(parameters)
    _check_members(specifications)
    check_quota(world, "collaborations", _created(world, caller))
    check_quota(world, "members", len(parameters["members"]) - 1)
    collaboration = _collaboration(world, caller, parameters)
    store_tags(world, collaboration.arn, parameters)
    world.store.put(collaboration)
    for specification in specifications:
        world.store.put(invited(world, collaboration, specification))
    return {"collaboration": _show(world, caller, collaboration)}


def get_collaboration(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Return a collaboration that the caller is invited to or active in."""
    found = collaboration_or_denied(world, caller, parameters["collaborationIdentifier"])
    return {"collaboration": _show(world, caller, found)}


def list_collaborations(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """List the collaborations that the caller is invited to or active in."""
    wanted = parameters.get("memberStatus")
    found = [
        collaboration
        for member in world.store.list(Member, f"{caller.region}/{caller.account}")
        if wanted in {None, member.status}
        and (collaboration := seen_collaboration(world, caller, member.collaboration))
    ]
    listing = Listing("collaborationList", found, lambda each: _summary(world, caller, each))
    return listing.answer(world, caller, parameters)


def update_collaboration(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Change name, description or engine; what is absent stays."""
    found = owned_collaboration(world, caller, parameters["collaborationIdentifier"])
    _check_engine(parameters)
    changed = replace(
        found,
        name=parameters.get("name", found.name),
        description=parameters.get("description", found.description),
        analytics_engine=parameters.get("analyticsEngine", found.analytics_engine),
        updated=world.now,
    )
    return {"collaboration": _show(world, caller, world.store.put(changed))}


def delete_collaboration(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Delete a collaboration, whatever its memberships still hold; they outlive it."""
    found = owned_collaboration(world, caller, parameters["collaborationIdentifier"])
    world.store.put(replace(found, is_deleted=True))
    if tags := world.store.get(Tags, found.arn):
        world.store.remove(tags)
    for member in members_of(world, found.id):
        membership = world.store.get(Membership, member.membership or "")
        if membership is not None and membership.status == "ACTIVE":
            ended = replace(membership, status="COLLABORATION_DELETED", updated=world.now)
            world.store.put(ended)
    end_with(world, found.id)
    return {}


def invited(world: World, collaboration: Collaboration, specification: Mapping[str, Any]) -> Member:
    """Return the member that `specification` (a MemberSpecification) invites."""
    ml_abilities = specification.get("mlMemberAbilities")
    return Member(
        collaboration=collaboration.id,
        account=specification["accountId"],
        region=collaboration.region,
        display_name=specification["displayName"],
        abilities=tuple(dict.fromkeys(specification["memberAbilities"])),
        ml_abilities=ml_abilities and tuple(dict.fromkeys(ml_abilities["customMLMemberAbilities"])),
        assigned=payments.parse(specification.get("paymentConfiguration")),
        created=world.now,
        updated=world.now,
    )


def _creator(caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Return the creator as a MemberSpecification, like those of the others."""
    names = {
        "displayName": "creatorDisplayName",
        "memberAbilities": "creatorMemberAbilities",
        "mlMemberAbilities": "creatorMLMemberAbilities",
        "paymentConfiguration": "creatorPaymentConfiguration",
    }
    given = {name: parameters[source] for name, source in names.items() if source in parameters}
    return {"accountId": caller.account, **given}


def _check_engine(parameters: Mapping[str, Any]) -> None:
    """Refuse the engine that AWS ended on 2025-12-17. Assumption: as a ValidationException."""
    if parameters.get("analyticsEngine") == "CLEAN_ROOMS_SQL":
        message = "analyticsEngine CLEAN_ROOMS_SQL is no longer supported"
        raise invalid(message)


def _check_members(specifications: Sequence[Mapping[str, Any]]) -> None:
    """Refuse an account named twice, and abilities that exactly one member can have.

    Assumption: no member with CAN_QUERY is refused as two are.
    """
    accounts = Counter(each["accountId"] for each in specifications)
    if repeated := sorted(account for account, count in accounts.items() if count > 1):
        message = f"an account can be a member once: {', '.join(repeated)}"
        raise invalid(message)
    queriers = [each for each in specifications if "CAN_QUERY" in each["memberAbilities"]]
    if len(queriers) != 1:
        message = f"exactly one member must have CAN_QUERY, not {len(queriers)}"
        raise invalid(message)
    for each in specifications:
        if "CAN_RUN_JOB" in each["memberAbilities"] and each is not queriers[0]:
            message = "only the member with CAN_QUERY can have CAN_RUN_JOB"
            raise invalid(message)
        assigned = payments.parse(each.get("paymentConfiguration"))
        payments.check_assignment(each["memberAbilities"], assigned)


def _created(world: World, caller: Caller) -> int:
    """Return how many collaborations the caller has created and not deleted."""
    members = world.store.list(Member, f"{caller.region}/{caller.account}")
    found = (seen_collaboration(world, caller, member.collaboration) for member in members)
    return sum(each is not None and each.creator == caller.account for each in found)


def _collaboration(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Collaboration:
    kept = ("dataEncryptionMetadata", "queryLogStatus", "allowedResultRegions")
    auto_approved = parameters.get("autoApprovedChangeRequestTypes")
    now = world.now
    return Collaboration(
        id=world.ids.uuid(),
        region=caller.region,
        creator=caller.account,
        creator_display_name=parameters["creatorDisplayName"],
        name=parameters["name"],
        description=parameters.get("description"),
        analytics_engine=parameters.get("analyticsEngine", "SPARK"),
        auto_approved=None if auto_approved is None else tuple(auto_approved),
        fixed={
            "jobLogStatus": parameters.get("jobLogStatus", "DISABLED"),
            "isMetricsEnabled": parameters.get("isMetricsEnabled", False),
            **{name: parameters[name] for name in kept if name in parameters},
        },
        created=now,
        updated=now,
    )


def _show(world: World, caller: Caller, found: Collaboration) -> Document:
    """Return the collaboration as its member `caller` sees it."""
    shown = {**_summary(world, caller, found), **found.fixed}
    if found.description is not None:
        shown["description"] = found.description
    if found.auto_approved is not None:
        shown["autoApprovedChangeTypes"] = list(found.auto_approved)
    return shown


def _summary(world: World, caller: Caller, found: Collaboration) -> Document:
    member = world.store.get(Member, f"{found.id}/{caller.account}")
    membership = member and world.store.get(Membership, member.membership or "")
    own = {"membershipId": membership.id, "membershipArn": membership.arn} if membership else {}
    return {
        "id": found.id,
        "arn": found.arn,
        "name": found.name,
        "creatorAccountId": found.creator,
        "creatorDisplayName": found.creator_display_name,
        "createTime": found.created,
        "updateTime": found.updated,
        "memberStatus": member.status if member else "INVITED",
        "analyticsEngine": found.analytics_engine,
        **own,
    }
