"""Access budgets of tables: each channel over a budgeted table takes one unit.

Assumption: every channel of a collaboration reads all the budgeted tables in it, as the
emulator does not parse SQL; trainings and inference take nothing more.
"""

from dataclasses import replace

from cleanrooms_emulator.behaviour.ml_objects import AccessBudget
from cleanrooms_emulator.behaviour.world import World, invalid
from cleanrooms_emulator.request import Document
from cleanrooms_emulator.store import Failure


def spend(world: World, collaboration: str) -> Failure | None:
    """Take one unit of each budget; return how the channel fails where one is spent (ER-22)."""
    budgets = list(world.store.list(AccessBudget, collaboration))
    spent = [each.resource for each in budgets if each.remaining == 0]
    if spent:
        message = f"the access budget of {', '.join(spent)} is spent"
        if world.rules.exhausted_budget == "refuse":
            raise invalid(message)
        return Failure("MLInputChannel", "ACCESS_BUDGET_EXCEEDED", message)
    for each in budgets:
        world.store.put(replace(each, remaining=each.remaining - 1))
    return None


def show_budgets(world: World, collaboration: str) -> Document:
    """Return the privacyBudgets of a channel: what is left of each budget now."""
    budgets = [_show(each) for each in world.store.list(AccessBudget, collaboration)]
    return {"privacyBudgets": {"accessBudgets": budgets}} if budgets else {}


def _show(budget: AccessBudget) -> Document:
    details: Document = {
        "startTime": budget.starts,
        "remainingBudget": budget.remaining,
        "budget": budget.budget,
        "budgetType": budget.kind,
        "autoRefresh": "ENABLED" if budget.renews else "DISABLED",
    }
    if budget.renews:
        details["endTime"] = budget.renews
    return {
        "resourceArn": budget.resource,
        "details": [details],
        "aggregateRemainingBudget": budget.remaining,
    }
