"""What AWS will not make: who has the name, and for how long a refusal is taken as its word."""

from dataclasses import replace

from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.pace import patience
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import MEMBERSHIP_IDENTIFIER
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.core.shared import COLLABORATION
from cleanrooms_operator.core.situation import Refusal
from cleanrooms_operator.runtime.memory import Holder, Refused
from cleanrooms_operator.runtime.resolve import collaboration_of
from cleanrooms_operator.runtime.view import View

_DEAD = frozenset({"CREATE_FAILED", "INACTIVE"})
"""States of what is only a record."""


LONGEST = 86_400.0
"""Seconds after which a name is tried again though what has it is as it was."""


async def standing(view: View) -> Refusal | None:
    """Return AWS's refusal of these very parameters, until it is time to ask again."""
    refused = view.recall.refused
    if refused is None or view.requested is not None:
        return None
    same = refused.parameters == view.parameters_hash
    if not same or view.elapsed - refused.last > await _rest(view, refused):
        return None
    return replace(refused.refusal, lasted=refused.lasted)


async def _rest(view: View, refused: Refused) -> float:
    """Return for how many seconds a refusal is not put to the test: each test is two writes.

    What conflicts is left alone for as long as it has lasted.
    """
    reason, pace = refused.refusal.reason, view.ports.policy.pace
    if reason is Reason.NAME_TAKEN and await _is_free(view):
        return 0.0
    if reason is Reason.NAME_TAKEN:
        return min(max(pace.detail_interval, refused.lasted), LONGEST)
    if reason is Reason.AWS_CONFLICT:
        return min(max(patience(view.recall.waits, pace), refused.lasted), pace.detail_interval)
    doubted = view.recall.doubt is not None and refused.lasted > pace.denied_grace
    lasting = reason is Reason.INVALID_SPEC or doubted
    return pace.detail_interval if lasting else patience(view.recall.waits, pace)


async def _is_free(view: View) -> bool:
    """Whether a name may be free since it was refused."""
    before = view.recall.holder
    now = await holder(view, view.elapsed - view.ports.policy.pace.list_interval)
    return now is None or (before is not None and before.is_alive and not now.is_alive)


async def holder(view: View, since: float) -> Holder | None:
    """Return what has the name that an object is to have, by Lists that are no older (rule R-11).

    What is alive comes first, and what this account has comes before what other members have.
    """
    if (name := view.parameters.get("name")) is None:
        return None
    found = [
        Holder(str(view.kind.handle.of(item)), _is_alive(view, item))
        for item in (await view.sighting(since)).items
        if item["name"] == name
    ]
    if not any(each.is_alive for each in found):
        found += await _others(view, name, since)
    return next((each for each in found if each.is_alive), found[0] if found else None)


def _is_alive(view: View, item: Document) -> bool:
    return view.kind.state_of(item) not in _DEAD


async def _others(view: View, name: str, since: float) -> list[Holder]:
    """Return what all members of the collaboration have of that name, where that can be seen."""
    listing = view.kind.everybodys
    if listing is None:
        return []
    membership = view.parameters[MEMBERSHIP_IDENTIFIER]
    try:
        where = await collaboration_of(membership, view.identity, view.ports, view.recall)
        scope = {COLLABORATION: where}
        shown = await view.ports.service.sighting(view.identity, listing, scope, since)
    except ServiceError as error:
        if error.failure in {Failure.DENIED, Failure.NOT_FOUND}:
            return []
        raise
    [arn] = listing.handle
    return [
        Holder(f"{item[arn]} of account {item['creatorAccountId']}", _is_alive(view, item))
        for item in shown.items
        if item["name"] == name
    ]
