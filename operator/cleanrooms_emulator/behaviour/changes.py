"""What a change request would change, of which types that is, and the change itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cleanrooms_emulator.behaviour import payments
from cleanrooms_emulator.behaviour.access import members_of
from cleanrooms_emulator.behaviour.collaborations import invited
from cleanrooms_emulator.behaviour.objects import Collaboration, Leaves, Member, Membership
from cleanrooms_emulator.behaviour.tags import touch
from cleanrooms_emulator.behaviour.world import World, check_quota, invalid

_IMMUTABLE = ("CAN_QUERY", "CAN_RUN_JOB")
_TYPES = {
    "CAN_RECEIVE_RESULTS": "RECEIVE_RESULTS_ABILITY",
    "CAN_EXPORT_QUERY_ANALYSIS_LOG": "EXPORT_QUERY_ANALYSIS_LOG_ABILITY",
    "CAN_RECEIVE_MODEL_OUTPUT": "CAN_RECEIVE_MODEL_OUTPUT",
    "CAN_RECEIVE_INFERENCE_OUTPUT": "CAN_RECEIVE_INFERENCE_OUTPUT",
}
"""What GRANT_ and REVOKE_ of an ability are called."""
_EDIT = "EDIT_AUTO_APPROVED_CHANGE_TYPES"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a request: what a member, or the auto-approved types, are to become.

    `types` are empty where that is what they are.
    """

    types: tuple[str, ...]
    member: Member | None = None
    auto_approved: tuple[str, ...] | None = None

    @property
    def shown_types(self) -> tuple[str, ...]:
        """The types that a request shows, which needs one also where nothing changes (ER-14)."""
        if self.types or self.member is None:
            return self.types or (_EDIT,)
        return _ability_types(frozenset(), _abilities(self.member)) or (
            "GRANT_RECEIVE_RESULTS_ABILITY",
        )


def planned(
    world: World, collaboration: Collaboration, changes: Sequence[Mapping[str, Any]]
) -> list[Change]:
    """Return what the changes come to in the present state; refuse what cannot be changed.

    Assumption: types follow from the difference that a change makes.
    """
    accounts = [each["specification"].get("member", {}).get("accountId") for each in changes]
    if len(set(accounts)) < len(accounts):
        message = "a request can change a member, or the collaboration, once"
        raise invalid(message)
    plan = [_planned(world, collaboration, each) for each in changes]
    after = _members_after(world, collaboration, plan)
    check_quota(world, "members", sum(each.is_present for each in after) - 2)
    if world.rules.last_candidate == "refuse":
        _check_last_candidates(world, collaboration, after)
    return plan


def apply(world: World, collaboration: Collaboration, plan: Iterable[Change]) -> None:
    """Let the changes take effect."""
    before = members_of(world, collaboration.id)
    for change in plan:
        if change.member is not None and change.types:
            world.store.put(replace(change.member, updated=world.now))
        if change.auto_approved is not None:
            world.store.put(
                replace(collaboration, auto_approved=change.auto_approved, updated=world.now)
            )
    touch(world, collaboration.id)
    if world.rules.acceptance_after_removal == "withdrawn":
        _withdraw(world, before, members_of(world, collaboration.id))


def _planned(world: World, collaboration: Collaboration, change: Mapping[str, Any]) -> Change:
    specification = change["specification"]
    if change["specificationType"].lower() not in specification:
        message = f"the specification is not one of type {change['specificationType']}"
        raise invalid(message)
    if "member" in specification:
        return _member_change(world, collaboration, specification["member"])
    wanted = specification["collaboration"].get("autoApprovedChangeTypes")
    if wanted is None or set(wanted) == set(collaboration.auto_approved or ()):
        return Change(())
    return Change((_EDIT,), auto_approved=tuple(wanted))


def _member_change(
    world: World, collaboration: Collaboration, specification: Mapping[str, Any]
) -> Change:
    if set(_IMMUTABLE) & set(specification["memberAbilities"]):
        message = f"{' and '.join(_IMMUTABLE)} cannot be changed"
        raise invalid(message)
    before = world.store.get(Member, f"{collaboration.id}/{specification['accountId']}")
    if before is None or not before.is_present:
        return _addition(world, collaboration, specification, before)
    if world.rules.querier_changes == "refuse" and set(_IMMUTABLE) & set(before.abilities):
        message = f"account {before.account} has an ability that cannot be changed"
        raise invalid(message)
    return _edit(world, before, specification)


def _addition(
    world: World,
    collaboration: Collaboration,
    specification: Mapping[str, Any],
    before: Member | None,
) -> Change:
    """Return the invitation of an account, also of one that was removed (ER-36)."""
    account = specification["accountId"]
    if "displayName" not in specification:
        message = f"a new member needs a displayName: {account}"
        raise invalid(message)
    if before is not None and (before.status == "LEFT" or world.rules.readded_member == "refuse"):
        message = f"account {account} has {before.status} and cannot be a member again"
        raise invalid(message)
    after = invited(world, collaboration, specification)
    pays = ("ADD_PAYER_CANDIDATE",) if any(after.assigned.values()) else ()
    types = ("ADD_MEMBER", *_ability_types(frozenset(), _abilities(after)), *pays)
    return Change(types, after)


def _edit(world: World, before: Member, specification: Mapping[str, Any]) -> Change:
    """Return the change of a member: abilities are replaced, what is left out of them lost.

    ML abilities and payments that are absent stay; a displayName is not looked at.
    """
    kept = [ability for ability in before.abilities if ability in _IMMUTABLE]
    ml_abilities = specification.get("mlMemberAbilities")
    leaves = _leaves(world, before, specification)
    payments.check_assignment(before.abilities, leaves)
    after = replace(
        before,
        abilities=tuple(dict.fromkeys([*kept, *specification["memberAbilities"]])),
        ml_abilities=before.ml_abilities
        if ml_abilities is None
        else tuple(dict.fromkeys(ml_abilities["customMLMemberAbilities"])),
        assigned={**before.assigned, **leaves},
    )
    shown = payments.assigned(world, members_of(world, before.collaboration), before)
    turned = {on for cost, on in leaves.items() if on != shown.get(cost, False)}
    types = (
        *_ability_types(_abilities(before), _abilities(after)),
        *(["ADD_PAYER_CANDIDATE"] if True in turned else []),
        *(["REMOVE_PAYER_CANDIDATE"] if False in turned else []),
    )
    return Change(types, after)


def _leaves(world: World, before: Member, specification: Mapping[str, Any]) -> Leaves:
    """Return the payments that a change sets (ER-34)."""
    if "paymentConfiguration" not in specification:
        return {}
    given = payments.parse(specification["paymentConfiguration"])
    if world.rules.absent_leaf == "unchanged":
        return given
    runs_jobs = "CAN_RUN_JOB" in before.abilities
    absent = {cost for cost in before.assigned if not (runs_jobs and cost == "jobCompute")}
    return {**dict.fromkeys(absent, False), **given}


def _abilities(member: Member) -> frozenset[str]:
    return frozenset([*member.abilities, *(member.ml_abilities or ())])


def _ability_types(before: frozenset[str], after: frozenset[str]) -> tuple[str, ...]:
    granted = [f"GRANT_{kind}" for ability, kind in _TYPES.items() if ability in after - before]
    revoked = [f"REVOKE_{kind}" for ability, kind in _TYPES.items() if ability in before - after]
    return (*granted, *revoked)


def _members_after(
    world: World, collaboration: Collaboration, plan: Iterable[Change]
) -> list[Member]:
    members = {each.account: each for each in members_of(world, collaboration.id)}
    members |= {change.member.account: change.member for change in plan if change.member}
    return list(members.values())


def _check_last_candidates(
    world: World, collaboration: Collaboration, after: Iterable[Member]
) -> None:
    """Refuse to take the last payer of a cost type away (ER-10)."""
    before = members_of(world, collaboration.id)
    paid = {each.account: payments.assigned(world, before, each) for each in before}
    present = [each for each in after if each.is_present]
    for cost in payments.COST_TYPES:
        ended = [each for each in present if each.assigned.get(cost) is False]
        is_taken = any(paid.get(each.account, {}).get(cost) for each in ended)
        if is_taken and not any(each.assigned.get(cost) for each in present):
            message = f"the last candidate to pay for {cost} cannot be removed"
            raise invalid(message)


def _withdraw(world: World, before: list[Member], after: list[Member]) -> None:
    """Let those who are no longer to pay no longer accept to (ER-33)."""
    for cost in payments.COST_TYPES:
        gone = set(payments.candidates(before, cost)).difference(payments.candidates(after, cost))
        for member in after:
            membership = world.store.get(Membership, member.membership or "")
            if membership and member.account in gone and membership.accepted.get(cost):
                accepted = {**membership.accepted, cost: False}
                world.store.put(replace(membership, accepted=accepted))
