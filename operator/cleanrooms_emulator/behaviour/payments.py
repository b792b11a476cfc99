"""Who is a candidate to pay for what, who has accepted, and how the services show it.

What the creator assigned and what a member accepted are stored apart: the one is of the
collaboration, the other of the membership. Both are leaves by cost type; a leaf that nobody
set is absent, and is filled in only where it is shown.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from cleanrooms_emulator.behaviour.objects import Leaves, Member
from cleanrooms_emulator.behaviour.world import World, invalid
from cleanrooms_emulator.request import Document

CostType = Literal[
    "queryCompute", "jobCompute", "modelTraining", "modelInference", "syntheticDataGeneration"
]
COST_TYPES: tuple[CostType, ...] = get_args(CostType)
_ML = frozenset({"modelTraining", "modelInference", "syntheticDataGeneration"})
_DEFAULT_PAYER: Mapping[str, str] = {
    "queryCompute": "CAN_QUERY",
    "modelTraining": "CAN_QUERY",
    "modelInference": "CAN_QUERY",
    "jobCompute": "CAN_RUN_JOB",
}
"""The ability of the member that pays where nobody is named; for synthetic data there is none."""


def parse(configuration: Mapping[str, Any] | None) -> Leaves:
    """Return the leaves of a payment configuration as a request carries it."""
    flat = {**(configuration or {})}
    flat.update(flat.pop("machineLearning", {}))
    return {name: bool(flat[name]["isResponsible"]) for name in COST_TYPES if name in flat}


def show(leaves: Leaves) -> Document:
    """Return the payment configuration that has these leaves."""
    top = {name: {"isResponsible": on} for name, on in leaves.items() if name not in _ML}
    learning = {name: {"isResponsible": on} for name, on in leaves.items() if name in _ML}
    return {**top, **({"machineLearning": learning} if learning else {})}


def check_assignment(abilities: Iterable[str], leaves: Leaves) -> None:
    """Refuse a creator's assignment that takes job costs from the member who runs jobs."""
    if "CAN_RUN_JOB" in abilities and leaves.get("jobCompute") is False:
        message = "jobCompute cannot be FALSE for the member who can run queries and jobs"
        raise invalid(message)


def candidates(members: Iterable[Member], cost: str) -> list[str]:
    """Return the accounts that may pay for `cost`: those assigned, else the default payer.

    Who was assigned and is gone leaves nobody to pay. The member who runs jobs is always one for
    jobs, since it cannot be told not to be.
    """
    everybody = list(members)
    named = [member for member in everybody if member.assigned.get(cost)]
    default = _DEFAULT_PAYER.get(cost)
    if cost == "jobCompute" or not named:
        named += [each for each in everybody if default in each.abilities and each not in named]
    return [member.account for member in named if member.is_present]


def assigned(world: World, members: list[Member], member: Member) -> Leaves:
    """Return what ListMembers shows of `member`: set leaves, and those that the service fills."""
    return {
        cost: member.assigned.get(cost, member.account in candidates(members, cost))
        for cost in _shown(world, members, member.abilities, member.assigned)
    }


def accepted(world: World, members: list[Member], member: Member, leaves: Leaves) -> Leaves:
    """Return what GetMembership shows of a member that has accepted `leaves`."""
    return {
        cost: bool(leaves.get(cost)) for cost in _shown(world, members, member.abilities, leaves)
    }


def _shown(
    world: World, members: list[Member], abilities: Iterable[str], leaves: Leaves
) -> list[str]:
    """Return the cost types that are shown (ER-8)."""
    if world.rules.payment_fill == "all":
        return list(COST_TYPES)
    uses_ml = any(member.ml_abilities or _ML & member.assigned.keys() for member in members)
    filled = {"queryCompute"} | ({"modelTraining", "modelInference"} if uses_ml else set())
    if "CAN_RUN_JOB" in abilities:
        filled.add("jobCompute")
    return [cost for cost in COST_TYPES if cost in filled or cost in leaves]


def accept_on_join(
    world: World, members: list[Member], member: Member, configuration: Mapping[str, Any] | None
) -> Leaves:
    """Return what a member accepts by joining; refuse what it may not say, or must.

    The member who can query accepts all that it does not mention.
    """
    wanted = parse(configuration)
    responsible = _responsible(members, member)
    queries = "CAN_QUERY" in member.abilities
    if configuration is None and responsible and not queries:
        message = f"paymentConfiguration is required: you are to pay for {_names(responsible)}"
        raise invalid(message)
    if configuration is not None and world.rules.absent_leaf == "false":
        wanted = {**dict.fromkeys(responsible, False), **wanted}
    _refuse_unassigned(wanted, responsible)
    if refused := {cost for cost in responsible if wanted.get(cost) is False}:
        message = f"you are responsible to pay for {_names(refused)}"
        raise invalid(message)
    implied: Leaves = dict.fromkeys(responsible, True) if queries else {}
    return {**implied, **wanted}


def accept_on_update(
    world: World, members: list[Member], member: Member, change: tuple[Leaves, Mapping[str, Any]]
) -> Leaves:
    """Return what a member has accepted after `change`: what it had, and what it sends."""
    before, configuration = change
    wanted = parse(configuration)
    if world.rules.absent_leaf == "false":
        wanted = {**dict.fromkeys(before, False), **wanted}
    responsible = _responsible(members, member)
    _refuse_unassigned(wanted, responsible)
    refused = {cost for cost in responsible if wanted.get(cost) is False}
    if refused and world.rules.declining == "refuse":
        message = f"you are responsible to pay for {_names(refused)}"
        raise invalid(message)
    return {**before, **wanted}


def _responsible(members: list[Member], member: Member) -> set[str]:
    return {cost for cost in COST_TYPES if member.account in candidates(members, cost)}


def _refuse_unassigned(wanted: Leaves, responsible: set[str]) -> None:
    if extra := {cost for cost, on in wanted.items() if on and cost not in responsible}:
        message = f"you are not responsible to pay for {_names(extra)}"
        raise invalid(message)


def _names(costs: Iterable[str]) -> str:
    return ", ".join(sorted(costs))
