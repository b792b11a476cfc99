"""Before money is spent: whether somebody can pay for a run, by the members as they are now."""

from cleanrooms_operator.core import payers
from cleanrooms_operator.core.pace import patience
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import MEMBERSHIP_IDENTIFIER
from cleanrooms_operator.core.shared import COLLABORATION, MEMBERS
from cleanrooms_operator.core.step import Create, Step, Wait
from cleanrooms_operator.runtime.report import Reporter
from cleanrooms_operator.runtime.resolve import collaboration_of
from cleanrooms_operator.runtime.view import View


async def payable(view: View, step: Step, reporter: Reporter) -> Step:
    """Return the step, or a wait where it would start what nobody can pay for."""
    is_new = isinstance(step, Create) and view.resource.status.get("attempt") is None
    if not (is_new and view.kind.costs):
        return step
    ports, recall = view.ports, view.recall
    membership = view.parameters[MEMBERSHIP_IDENTIFIER]
    scope = {COLLABORATION: await collaboration_of(membership, view.identity, ports, recall)}
    since = max(recall.seen, view.elapsed - patience(recall.waits, ports.policy.pace) / 2)
    shown = await ports.service.sighting(view.identity, MEMBERS, scope, since)
    fact = payers.readiness(view.kind.costs, view.parameters, shown.items)
    reporter.facts = (*reporter.facts, fact)
    return step if fact.status == "True" else Wait(Reason.PAYER_NOT_READY, fact.message)
