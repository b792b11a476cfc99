"""Before money is spent: whether somebody can receive what a run makes (rule R-25)."""

from cleanrooms_operator.core import delivering
from cleanrooms_operator.core.conditions import RESOLVED
from cleanrooms_operator.core.delivering import Receivers
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import MEMBERSHIP_IDENTIFIER
from cleanrooms_operator.core.resource import Document, Resource
from cleanrooms_operator.core.step import Fact, Wait
from cleanrooms_operator.runtime.identify import identify
from cleanrooms_operator.runtime.ports import Identity
from cleanrooms_operator.runtime.report import Reporter
from cleanrooms_operator.runtime.view import View


async def undelivered(view: View, receivers: Receivers, reporter: Reporter) -> Fact | None:
    """Return what a run waits for whose output nobody could receive; None where all is well."""
    delivery = view.kind.delivery
    if delivery is None:
        return None
    lack = delivering.lack(delivery, view.parameters, receivers)
    if lack is None and not view.recall.deliverable:
        account = delivery.receiver(view.parameters)
        lack = await _unconfigured(view, account, receivers.joined(account), reporter)
        view.recall.deliverable = lack is None
    return None if lack is None else Fact(RESOLVED, "False", Reason.DEPENDENCY_NOT_READY, lack)


async def _unconfigured(
    view: View, account: str, joined: Resource | None, reporter: Reporter
) -> str | None:
    """Say that an account has no place for the output; what is declared is there by now."""
    if joined is not None and joined.spec.get("mlConfiguration") is not None:
        return None
    whose = await _whose(view, account, joined)
    if isinstance(whose, Wait):
        return whose.message
    shown = None if whose is None else await _configuration(view, *whose)
    if shown is None:
        reporter.caveat = delivering.unseen(account)
        return None
    return delivering.unconfigured(account, joined, shown)


async def _whose(
    view: View, account: str, joined: Resource | None
) -> tuple[Identity, str] | Wait | None:
    """Return who can see an account's ML configuration, and of which membership it is."""
    if joined is not None:
        found = await identify(joined, view.ports, is_new=False)
        if isinstance(found, Identity):
            return found, joined.status["identifier"]
        return found if isinstance(found, Wait) else None
    if account == view.identity.account:
        return view.identity, view.parameters[MEMBERSHIP_IDENTIFIER]
    return None


async def _configuration(view: View, identity: Identity, membership: str) -> Document | None:
    """Return an ML configuration, empty where there is none; None where it cannot be seen."""
    asked = {MEMBERSHIP_IDENTIFIER: membership}
    try:
        return await view.ports.service.call(identity, *delivering.CONFIGURATION, asked)
    except ServiceError as error:
        if error.failure is Failure.NOT_FOUND:
            return {}
        if error.failure is Failure.DENIED:
            return None
        raise
