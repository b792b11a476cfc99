"""Before money is spent: whether a run is approved, where its Membership asks for that (R-41)."""

from dataclasses import dataclass

from cleanrooms_operator.core import paying, plans, spending
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import MEMBERSHIP, MEMBERSHIP_IDENTIFIER
from cleanrooms_operator.core.spending import PLAN, Guard
from cleanrooms_operator.core.step import Create, Discard, Resend, Stall, Step, Wait
from cleanrooms_operator.runtime.paying import known_of
from cleanrooms_operator.runtime.report import Reporter
from cleanrooms_operator.runtime.view import View


@dataclass(frozen=True, slots=True)
class _Asked:
    """A run that waits for an approval, of the first Membership that asks for it."""

    guard: Guard
    known: paying.Known


async def approved(view: View, step: Step, reporter: Reporter) -> Step:
    """Return the step, or a wait where it would start what nobody has approved.

    What is approved is the very parameters: an edit, of a source too, needs another word.
    """
    if PLAN in view.resource.status:
        reporter.fields = {**reporter.fields, PLAN: None}
    if not (view.kind.costs and isinstance(step, Create | Resend)):
        return step
    listed = await view.ports.cluster.list(MEMBERSHIP)
    guards = spending.guards(listed, view.parameters[MEMBERSHIP_IDENTIFIER])
    elsewhere = [one.membership for one in guards if not _is_beside(view, one)]
    if elsewhere:
        message = f"{elsewhere[0].namespace}/{elsewhere[0].name} guards what is spent under it"
        return _held(view, Stall(Reason.GUARDED_ELSEWHERE, message))
    if (asked := await _asked(view, guards, reporter)) is None:
        return step
    fact = spending.awaited(asked.guard, view.resource, view.parameters_hash)
    costs = paying.charged(view.kind.costs, view.parameters, asked.known)
    plan = plans.plan(view.parameters, costs, view.parameters_hash)
    reporter.facts = (*reporter.facts, fact)
    reporter.fields = {**reporter.fields, PLAN: plan}
    return _held(view, Wait(Reason.NOT_APPROVED, fact.message))


async def _asked(view: View, guards: tuple[Guard, ...], reporter: Reporter) -> _Asked | None:
    """Return the first Membership that has yet to approve the run, and who would pay for it."""
    if any(guard.to_approve for guard in guards):
        known = await known_of(view, reporter)
        costs = spending.costs_of(view.kind.costs, synthetic=known.synthetic is not False)
        key, hashed = view.resource.key, view.parameters_hash
        for guard in guards:
            if not guard.lets(key, costs, hashed):
                return _Asked(guard, known)
    if view.resource.condition(plans.APPROVED) is not None:
        reporter.facts = (*reporter.facts, spending.SETTLED)
    return None


def _is_beside(view: View, guard: Guard) -> bool:
    return guard.membership.namespace == view.resource.key.namespace


def _held(view: View, instead: Wait | Stall) -> Step:
    """Return what is told instead of a start; an attempt that made nothing goes first."""
    return Discard() if view.resource.status.get("attempt") is not None else instead
