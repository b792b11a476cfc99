"""Before money is spent: whether somebody can pay for a run, by the members as they are now."""

from dataclasses import replace

from cleanrooms_operator.core import paying, templates
from cleanrooms_operator.core.delivering import Receivers
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.paying import Known
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import MEMBERSHIP, MEMBERSHIP_IDENTIFIER
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.core.shared import COLLABORATION, MEMBERS
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import (
    Absent,
    Create,
    Discard,
    Fact,
    Resend,
    Stall,
    Step,
    Wait,
)
from cleanrooms_operator.runtime.delivering import undelivered
from cleanrooms_operator.runtime.memory import Doubt
from cleanrooms_operator.runtime.report import Reporter
from cleanrooms_operator.runtime.resolve import collaboration_of
from cleanrooms_operator.runtime.templates import templates_of
from cleanrooms_operator.runtime.view import View


async def payable(view: View, situation: Situation, step: Step, reporter: Reporter) -> Step:
    """Return the step, or a wait where it would start what nobody can pay for (rule R-16).

    What AWS refused while it was unknown whether the payer had agreed is started again when more
    is known.
    """
    if not view.kind.costs:
        return step
    if view.resource.status.get("identifier") is not None:
        if view.resource.is_false(paying.READY):
            reporter.facts = (*reporter.facts, paying.SETTLED)
        return step
    again = _was_refused(view, situation, step)
    if not (again or isinstance(step, Create | Resend)):
        return step
    known = await known_of(view, reporter)
    if again and view.recall.doubt is not None and view.recall.doubt.known == known:
        return step
    return await _start(view, Create() if again else step, known, reporter)


async def _start(view: View, step: Step, known: Known, reporter: Reporter) -> Step:
    kind, recall = view.kind, view.recall
    recall.doubt = None
    fact = paying.readiness(kind.costs, view.parameters, known)
    if fact.status == "True":
        if accounts := paying.unsure(kind.costs, view.parameters, known):
            recall.doubt = Doubt(accounts, known)
        if recall.refused is None:
            reporter.facts = (*reporter.facts, fact)
        return await _delivered(view, step, known, reporter)
    recall.refused = None
    return _held(view, Wait(Reason.PAYER_NOT_READY, fact.message), fact, reporter)


async def _delivered(view: View, step: Step, known: Known, reporter: Reporter) -> Step:
    receivers = Receivers(
        reporter.fields[COLLABORATION], known.members, view.neighbours[MEMBERSHIP]
    )
    fact = await undelivered(view, receivers, reporter)
    if fact is None:
        return step
    return _held(view, Wait(Reason.DEPENDENCY_NOT_READY, fact.message), fact, reporter)


def _held(view: View, wait: Wait, fact: Fact, reporter: Reporter) -> Step:
    """Tell why a run is not started; of an open attempt it is certain that nothing came."""
    reporter.facts = (*reporter.facts, fact)
    return Discard() if view.resource.status.get("attempt") is not None else wait


def refused(view: View, error: ServiceError, reporter: Reporter) -> None:
    """Tell that AWS may have refused a run for its payer, where nobody could know better."""
    doubt = view.recall.doubt
    if doubt is not None and error.failure in {Failure.REFUSED, Failure.DENIED}:
        fact = paying.refused(doubt.accounts, f"{error.code}: {error.message}")
        reporter.facts = (*reporter.facts, fact)


def _was_refused(view: View, situation: Situation, step: Step) -> bool:
    """Whether the step only says that AWS refused a run whose payer was in doubt."""
    if view.recall.doubt is None or situation.refusal is None:
        return False
    told = step.reason if isinstance(step, Stall | Wait) else None
    return isinstance(situation.observed, Absent) and told is situation.refusal.reason


# -- what is known ---------------------------------------------------------------------------


async def known_of(view: View, reporter: Reporter) -> Known:
    """Return what is known of the payers, from Lists that all who wait for them share."""
    cluster, membership = view.ports.cluster, view.parameters[MEMBERSHIP_IDENTIFIER]
    where = await collaboration_of(membership, view.identity, view.ports, view.recall)
    reporter.fields = {**reporter.fields, COLLABORATION: where}
    joined = paying.joined(await cluster.list(MEMBERSHIP), where)
    known = Known((), joined, await _synthetic(view))
    seen = replace(known, members=await _members(view, where, _patience(view)))
    if view.resource.is_false(paying.READY) and _is_ready(view, seen):
        # What others saw a while ago is enough to wait by, not to spend by.
        seen = replace(known, members=await _members(view, where, _recently(view)))
    managing = (
        each
        for each in await cluster.list("Collaboration")
        if each.status.get("identifier") == where
    )
    if any(paying.is_behind(view.kind.costs, seen, each) for each in managing):
        seen = replace(known, members=await _members(view, where, view.elapsed))
    return seen


def _is_ready(view: View, known: Known) -> bool:
    return paying.readiness(view.kind.costs, view.parameters, known).status == "True"


def _recently(view: View) -> float:
    return view.elapsed - view.ports.policy.pace.progress_interval


def _patience(view: View) -> float:
    """Return since when a List must have been made; those who wait share one for longer."""
    if view.resource.is_false(paying.READY) and view.requested is None:
        return view.elapsed - view.ports.policy.pace.list_interval / 2
    return max(view.recall.seen, _recently(view))


async def _members(view: View, collaboration: str, since: float) -> tuple[Document, ...]:
    scope = {COLLABORATION: collaboration}
    shown = await view.ports.service.sighting(view.identity, MEMBERS, scope, since)
    return shown.items


async def _synthetic(view: View) -> bool | None:
    """Tell whether the run makes synthetic data; None where its template cannot be seen."""
    if not any(cost.synthetic for cost in view.kind.costs):
        return False
    return templates.is_synthetic(view.parameters, await templates_of(view))
