"""Votes on change requests: who has one, and what they come to (ER-15)."""

from collections.abc import Mapping
from dataclasses import replace

from cleanrooms_emulator.behaviour.access import members_of
from cleanrooms_emulator.behaviour.objects import ChangeRequest, Collaboration
from cleanrooms_emulator.behaviour.world import World


def ballot(world: World, collaboration: Collaboration) -> dict[str, str]:
    """Return the votes with which a request begins."""
    statuses = {"ACTIVE", "INVITED"} if world.rules.voters == "all" else {"ACTIVE"}
    voters = [
        each.account
        for each in members_of(world, collaboration.id)
        if each.status in statuses and each.account != collaboration.creator
    ]
    own = {collaboration.creator: "APPROVED"} if world.rules.voters == "creator" else {}
    return {**own, **dict.fromkeys(voters, "PENDING")}


def outcome(votes: Mapping[str, str]) -> str:
    """Return the status that the votes give a request: one denial is enough."""
    if "DENIED" in votes.values():
        return "DENIED"
    return "PENDING" if "PENDING" in votes.values() else "APPROVED"


def forget_voter(world: World, collaboration: str, account: str) -> None:
    """Go on without the open vote of a member that is gone. Assumption."""
    for request in world.store.list(ChangeRequest, collaboration):
        if request.status == "PENDING" and request.approvals.get(account) == "PENDING":
            votes = {voter: vote for voter, vote in request.approvals.items() if voter != account}
            world.store.put(
                replace(request, approvals=votes, status=outcome(votes), updated=world.now)
            )
