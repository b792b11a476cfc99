"""Memberships: what an account makes of an invitation to a collaboration."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cleanrooms_emulator.behaviour import payments
from cleanrooms_emulator.behaviour.access import members_of, own_membership, unentitled
from cleanrooms_emulator.behaviour.lists import Listing
from cleanrooms_emulator.behaviour.members import ml_abilities
from cleanrooms_emulator.behaviour.objects import Collaboration, Member, Membership, Tags
from cleanrooms_emulator.behaviour.roles import check_role
from cleanrooms_emulator.behaviour.subresources import blockers
from cleanrooms_emulator.behaviour.tags import store_tags, touch
from cleanrooms_emulator.behaviour.votes import forget_voter
from cleanrooms_emulator.behaviour.world import (
    COLLABORATION,
    MEMBERSHIP,
    World,
    check_quota,
    conflict,
    denied,
    invalid,
)
from cleanrooms_emulator.request import Caller, Document

_RESULTS = ("defaultResultConfiguration", "defaultJobResultConfiguration")


def create_membership(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Join a collaboration, accepting the payments that the creator assigned."""
    collaboration, member = _invitation(world, caller, parameters["collaborationIdentifier"])
    _check_logging(collaboration, parameters)
    _check_roles(world, caller, parameters)
    members = members_of(world, collaboration.id)
    configuration = parameters.get("paymentConfiguration")
    accepted = payments.accept_on_join(world, members, member, configuration)
    check_quota(world, "memberships", _active(world, caller))
    membership = _membership(world, caller, parameters, accepted)
    store_tags(world, membership.arn, parameters)
    world.store.put(membership)
    world.store.put(
        replace(member, status="ACTIVE", membership=membership.id, updated=membership.created)
    )
    touch(world, collaboration.id)
    return {"membership": _show(world, membership)}


def get_membership(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Return one of the caller's own memberships, also when it is no longer ACTIVE."""
    found = own_membership(world, caller, parameters["membershipIdentifier"])
    return {"membership": _show(world, found)}


def list_memberships(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """List the caller's memberships."""
    wanted = parameters.get("status")
    found = [
        membership
        for membership in world.store.list(Membership, f"{caller.region}/{caller.account}")
        if wanted in {None, membership.status}
    ]
    listing = Listing("membershipSummaries", found, lambda each: _summary(world, each))
    return listing.answer(world, caller, parameters)


def update_membership(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Change logging, result configurations and accepted payments; what is absent stays."""
    found = own_membership(world, caller, parameters["membershipIdentifier"])
    if found.status != "ACTIVE":
        message = f"membership {found.id} is {found.status}"
        raise conflict(message, MEMBERSHIP, found.id, "INVALID_STATE")
    collaboration, member = _belonging(world, found)
    _check_logging(collaboration, parameters)
    _check_roles(world, caller, parameters)
    accepted = found.accepted
    if configuration := parameters.get("membershipPaymentConfiguration"):
        members = members_of(world, collaboration.id)
        accepted = payments.accept_on_update(world, members, member, (accepted, configuration))
    changed = replace(
        found,
        query_log_status=parameters.get("queryLogStatus", found.query_log_status),
        job_log_status=parameters.get("jobLogStatus", found.job_log_status),
        results={**found.results, **_results(parameters)},
        accepted=accepted,
        updated=world.now,
    )
    return {"membership": _show(world, world.store.put(changed))}


def delete_membership(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Leave a collaboration for good, or clear away a membership that has ended."""
    found = own_membership(world, caller, parameters["membershipIdentifier"])
    collaboration, member = _belonging(world, found)
    if found.status == "ACTIVE" and collaboration.creator == caller.account:
        message = "the collaboration creator's membership is still ACTIVE"
        raise conflict(message, MEMBERSHIP, found.id, "INVALID_STATE")
    if held := blockers(world, found):
        message = f"membership {found.id} still has {', '.join(held)}"
        raise conflict(message, MEMBERSHIP, found.id, "SUBRESOURCES_EXIST")
    world.store.remove(found)
    if tags := world.store.get(Tags, found.arn):
        world.store.remove(tags)
    if member.membership == found.id:
        status = "LEFT" if found.status == "ACTIVE" else member.status
        world.store.put(replace(member, status=status, membership=None, updated=world.now))
    forget_voter(world, collaboration.id, caller.account)
    touch(world, collaboration.id)
    return {}


def _invitation(world: World, caller: Caller, identifier: str) -> tuple[Collaboration, Member]:
    """Return the collaboration, and the caller as the invited member of it that it must be.

    A member that is gone gets AccessDenied, under the other reading of ER-3 a Conflict.
    """
    collaboration = world.store.get(Collaboration, identifier)
    member = world.store.get(Member, f"{identifier}/{caller.account}")
    if (
        collaboration is None
        or member is None
        or collaboration.is_deleted
        or collaboration.region != caller.region
    ):
        raise unentitled(world, COLLABORATION, identifier)
    if member.status == "ACTIVE":
        held = str(member.membership)
        message = f"there is a membership in collaboration {identifier}"
        raise conflict(message, MEMBERSHIP, held, "ALREADY_EXISTS")
    if member.status != "INVITED":
        message = f"{member.status} member cannot join collaboration {identifier}"
        if world.rules.unentitled == "denied":
            raise denied(message)
        raise conflict(message, COLLABORATION, identifier, "INVALID_STATE")
    return collaboration, member


def _belonging(world: World, membership: Membership) -> tuple[Collaboration, Member]:
    """Return what outlives every membership: its collaboration, and the account's place there."""
    collaboration = world.store.get(Collaboration, membership.collaboration)
    member = world.store.get(Member, f"{membership.collaboration}/{membership.account}")
    if collaboration is None or member is None:
        message = f"membership {membership.id} belongs to nothing"
        raise LookupError(message)
    return collaboration, member


def _check_logging(collaboration: Collaboration, parameters: Mapping[str, Any]) -> None:
    """Refuse logs that the collaboration does not have.

    Assumption: as a ValidationException, since the console does not offer them.
    """
    for name in ("queryLogStatus", "jobLogStatus"):
        if parameters.get(name) == "ENABLED" and collaboration.fixed[name] == "DISABLED":
            message = f"{name} cannot be ENABLED: the collaboration has it DISABLED"
            raise invalid(message)


def _check_roles(world: World, caller: Caller, parameters: Mapping[str, Any]) -> None:
    for configuration in _results(parameters).values():
        if "roleArn" in configuration:
            check_role(world, caller, configuration["roleArn"], is_ml=False)


def _active(world: World, caller: Caller) -> int:
    held = world.store.list(Membership, f"{caller.region}/{caller.account}")
    return sum(membership.status == "ACTIVE" for membership in held)


def _results(parameters: Mapping[str, Any]) -> Document:
    return {name: parameters[name] for name in _RESULTS if name in parameters}


def _membership(
    world: World, caller: Caller, parameters: Mapping[str, Any], accepted: Mapping[str, bool]
) -> Membership:
    now = world.now
    return Membership(
        id=world.ids.uuid(),
        region=caller.region,
        account=caller.account,
        collaboration=parameters["collaborationIdentifier"],
        query_log_status=parameters["queryLogStatus"],
        job_log_status=parameters.get("jobLogStatus", "DISABLED"),
        is_metrics_enabled=parameters.get("isMetricsEnabled", False),
        results=_results(parameters),
        accepted=accepted,
        created=now,
        updated=now,
    )


def _show(world: World, membership: Membership) -> Document:
    return {
        **_summary(world, membership),
        "queryLogStatus": membership.query_log_status,
        "jobLogStatus": membership.job_log_status,
        "isMetricsEnabled": membership.is_metrics_enabled,
        **membership.results,
    }


def _summary(world: World, membership: Membership) -> Document:
    collaboration, member = _belonging(world, membership)
    accepted = payments.accepted(
        world, members_of(world, collaboration.id), member, membership.accepted
    )
    return {
        "id": membership.id,
        "arn": membership.arn,
        "collaborationArn": collaboration.arn,
        "collaborationId": collaboration.id,
        "collaborationCreatorAccountId": collaboration.creator,
        "collaborationCreatorDisplayName": collaboration.creator_display_name,
        "collaborationName": collaboration.name,
        "createTime": membership.created,
        "updateTime": membership.updated,
        "status": membership.status,
        "memberAbilities": list(member.abilities),
        "paymentConfiguration": payments.show(accepted),
        **ml_abilities("mlMemberAbilities", member),
    }
