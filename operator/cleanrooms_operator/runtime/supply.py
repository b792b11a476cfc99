"""Reading what a spec takes from ConfigMaps and Secrets: when the object is made, and now and then.

Nothing watches them: whoever may watch Secrets has all of them in memory.
"""

from dataclasses import dataclass

from cleanrooms_operator.core import sources
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.pace import next_turn
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Resource
from cleanrooms_operator.core.step import Stall, Wait
from cleanrooms_operator.runtime.memory import Recall
from cleanrooms_operator.runtime.ports import Ports, UnreadableError
from cleanrooms_operator.runtime.resolve import Lack
from cleanrooms_operator.runtime.view import unanswered_request


@dataclass(frozen=True, slots=True)
class Supplied:
    """A resource with what its sources hold, or without them."""

    resource: Resource
    hash: str | None = None
    """What tells these values from others; None: nothing was read."""
    lack: Lack | None = None
    """What follows from what is missing or wrong."""


async def supply(kind: Kind, resource: Resource, ports: Ports, recall: Recall) -> Supplied:
    """Fill in what stands elsewhere.

    An object that is made already needs none of it: there it is only compared, when it is due.
    """
    named = sources.named(kind, resource)
    if not named:
        return Supplied(resource)
    without = sources.leave_out(kind, resource)
    made = resource.status.get("identifier") is not None
    if resource.deleting or (made and not _is_due(resource, ports, recall)):
        return Supplied(without)
    recall.supplied = ports.clock.elapsed()
    try:
        contents = {key: await ports.cluster.read_source(key) for key in named}
    except UnreadableError as error:
        return Supplied(without, lack=Wait(Reason.DEPENDENCY_NOT_READY, str(error)))
    found = sources.fill(kind, resource, contents)
    hashed = found.hash(ports.policy.hash_key)
    if made:
        return Supplied(without, hashed)
    if (lack := _lack(found)) is not None:
        return Supplied(without, hashed, lack)
    return Supplied(found.resource, hashed)


def _is_due(resource: Resource, ports: Ports, recall: Recall) -> bool:
    """Tell whether it is time to compare what an object was made with."""
    last = recall.seen if recall.supplied is None else recall.supplied
    turn = next_turn(resource.uid, last, ports.policy.pace.detail_interval)
    concluded = resource.status.get("observedGeneration") == resource.generation
    asked = unanswered_request(resource) is not None
    return not concluded or asked or ports.clock.elapsed() >= turn


def _lack(found: sources.Supply) -> Lack | None:
    if found.missing:
        return Wait(Reason.DEPENDENCY_NOT_READY, "; ".join(found.missing))
    return Stall(Reason.INVALID_SPEC, "; ".join(found.wrong)) if found.wrong else None
