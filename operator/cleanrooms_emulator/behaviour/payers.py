"""Who pays for a run, decided when it is submitted (ER-11, ER-12)."""

from dataclasses import dataclass
from typing import TypeVar

from cleanrooms_emulator.behaviour import payments
from cleanrooms_emulator.behaviour.access import members_of
from cleanrooms_emulator.behaviour.objects import Member, Membership
from cleanrooms_emulator.behaviour.world import World, denied, invalid
from cleanrooms_emulator.request import Document
from cleanrooms_emulator.store import Failure


@dataclass(frozen=True, slots=True)
class Payer:
    """The account that pays, and how the run fails if it does not."""

    account: str
    failure: Failure | None = None


Shown = TypeVar("Shown")


def shown_payer(world: World, member: str, pays: Shown, named: Shown | None) -> Document:
    """Return what the views of a run say of who pays, under the name `member` (ER-39)."""
    told = pays if world.rules.shown_payer == "always" else named
    return {member: told} if told else {}


def payer_of(
    world: World, membership: Membership, cost: payments.CostType, named: str | None
) -> Payer:
    """Return who pays for a run of `membership` that names this payer, or none."""
    members = members_of(world, membership.collaboration)
    candidates = payments.candidates(members, cost)
    account = named or _implied(world, membership, cost, candidates)
    if account in candidates and _has_accepted(world, membership.collaboration, account, cost):
        return Payer(account)
    message = f"account {account} is no candidate to pay for {cost}, or has not accepted to"
    match world.rules.wrong_payer:
        case "invalid":
            raise invalid(message)
        case "denied":
            raise denied(message)
        case "fail":
            return Payer(account, Failure(cost, "PAYER_NOT_ACCEPTED", message))


def _implied(
    world: World, membership: Membership, cost: payments.CostType, candidates: list[str]
) -> str:
    """Return who pays where nobody is named: the only candidate, or by one reading who queries."""
    if len(candidates) == 1:
        return candidates[0]
    # Only the member that can query submits runs.
    if candidates and world.rules.unnamed_payer == "querier" and membership.account in candidates:
        return membership.account
    message = f"of {len(candidates)} candidates to pay for {cost} one must be named"
    raise invalid(message)


def _has_accepted(world: World, collaboration: str, account: str, cost: str) -> bool:
    """Return whether the account has joined, and accepted what the creator assigned to it.

    A payer by default has nothing to accept, but may have declined.
    """
    member = world.store.get(Member, f"{collaboration}/{account}")
    if member is None or member.status != "ACTIVE":
        return False
    membership = world.store.get(Membership, member.membership or "")
    is_assigned = bool(member.assigned.get(cost))
    return membership is not None and membership.accepted.get(cost, not is_assigned)
