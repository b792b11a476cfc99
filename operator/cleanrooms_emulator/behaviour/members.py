"""Members of a collaboration: seen by all of them, removed by the creator."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cleanrooms_emulator.behaviour import payments
from cleanrooms_emulator.behaviour.access import collaboration_or_unentitled, members_of
from cleanrooms_emulator.behaviour.lists import Listing
from cleanrooms_emulator.behaviour.objects import Member, Membership
from cleanrooms_emulator.behaviour.tags import touch
from cleanrooms_emulator.behaviour.votes import forget_voter
from cleanrooms_emulator.behaviour.world import COLLABORATION, World, denied, invalid, missing
from cleanrooms_emulator.request import Caller, Document


def list_members(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """List the members, the creator and gone ones included, with what they are to pay."""
    found = collaboration_or_unentitled(world, caller, parameters["collaborationIdentifier"])
    members = members_of(world, found.id)
    listing = Listing("memberSummaries", members, lambda each: _summary(world, members, each))
    return listing.answer(world, caller, parameters)


def delete_member(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
    """Remove a member at once and for good, and its membership with it."""
    found = collaboration_or_unentitled(world, caller, parameters["collaborationIdentifier"])
    account = parameters["accountId"]
    if found.creator != caller.account:
        message = f"collaboration {found.id} belongs to another account"
        raise denied(message)
    if account == caller.account:
        message = "the creator cannot be removed from its collaboration"
        raise invalid(message)
    member = world.store.get(Member, f"{found.id}/{account}")
    if member is None or (not member.is_present and world.rules.repeated_removal == "not-found"):
        raise missing(COLLABORATION, found.id)
    if member.is_present:
        _remove(world, member)
        forget_voter(world, found.id, account)
        touch(world, found.id)
    return {}


def _remove(world: World, member: Member) -> None:
    world.store.put(replace(member, status="REMOVED", updated=world.now))
    membership = world.store.get(Membership, member.membership or "")
    if membership is not None:
        world.store.put(replace(membership, status="REMOVED", updated=world.now))


def _summary(world: World, members: list[Member], member: Member) -> Document:
    membership = world.store.get(Membership, member.membership or "")
    own = {"membershipId": membership.id, "membershipArn": membership.arn} if membership else {}
    return {
        "accountId": member.account,
        "status": member.status,
        "displayName": member.display_name,
        "abilities": list(member.abilities),
        "createTime": member.created,
        "updateTime": member.updated,
        "paymentConfiguration": payments.show(payments.assigned(world, members, member)),
        **ml_abilities("mlAbilities", member),
        **own,
    }


def ml_abilities(name: str, member: Member) -> Document:
    """Return the member's ML abilities under `name`, nothing where it was given none."""
    if member.ml_abilities is None:
        return {}
    return {name: {"customMLMemberAbilities": list(member.ml_abilities)}}
