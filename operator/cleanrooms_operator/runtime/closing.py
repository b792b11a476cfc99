"""Whether the membership that an object is under is over, where no resource tells (rule R-38)."""

from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.keeping import OVER
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import MEMBERSHIP, MEMBERSHIP_IDENTIFIER
from cleanrooms_operator.runtime.view import View


async def look_at_membership(view: View) -> None:
    """Remember since when the membership has been over, where that may be why nothing goes."""
    if await _may_be_why(view):
        is_over = await _state(view) in OVER
        view.recall.closed = (view.recall.closed or view.elapsed) if is_over else None


async def _may_be_why(view: View) -> bool:
    resource = view.resource
    if not (resource.deleting and resource.says(Reason.DELETION_BLOCKED.value)):
        return False
    under = resource.status.get(MEMBERSHIP_IDENTIFIER)
    declared = await view.ports.cluster.list(MEMBERSHIP)
    return under is not None and all(each.status.get("identifier") != under for each in declared)


async def _state(view: View) -> str | None:
    """Return AWS's word for the membership; None where it cannot be seen."""
    named = {MEMBERSHIP_IDENTIFIER: view.resource.status[MEMBERSHIP_IDENTIFIER]}
    try:
        shown = await view.call("cleanrooms", "GetMembership", named)
    except ServiceError as error:
        if error.failure in {Failure.DENIED, Failure.NOT_FOUND}:
            return None
        raise
    state: str = shown["membership"]["status"]
    return state
