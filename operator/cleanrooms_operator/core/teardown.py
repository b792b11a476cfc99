"""The way out: what has to happen before the finalizer may go."""

from math import inf
from typing import assert_never

from cleanrooms_operator.core import keeping, runs
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.ownership import ITS_OWN, NOT_OURS
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Annotation, Resource
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import (
    Absent,
    Apply,
    Bind,
    Cancel,
    Clash,
    Delete,
    Disproved,
    Hidden,
    Lifecycle,
    Mark,
    Missing,
    Present,
    Release,
    Stall,
    Step,
    Uncertain,
    Wait,
)

TRIED_AGAIN = (
    "Mend what AWS names: the deletion is tried again by itself, ever more seldom, and at once "
    'where `reconcile-requested-at` asks for it. Or annotate `abandon: "true"` to leave the object '
    "in AWS, where it may go on costing money"
)
"""What to do about a deletion that AWS began and gave up."""

RUNS_ON = (
    "Nothing can end it before its own end. It is let go when it has ended, or an hour after its "
    'deletion; annotate `abandon: "true"` to let go of it at once'
)
"""What to do about a run that AWS could not cancel and that leaves nothing to delete."""


def next_step(kind: Kind, situation: Situation) -> Step:
    """Return the next step of a deletion; open attempts are resolved before this is asked."""
    resource = situation.resource
    if resource.observe_only or resource.retained:
        return _let_go(resource)
    if _is_hopeless(kind, situation):
        return Release(Reason.GIVEN_UP, f"Not deleted: {resource.status.get('arn')}")
    match situation.observed:
        case Present() as present:
            return _take_down(kind, situation, present)
        case Missing() as missing:
            return _gone(missing)
        case Hidden() as hidden:
            return _unseen(kind, situation, hidden)
        case Clash(message=message, ours=True):
            return _unless_abandoned(resource, message)
        case Clash() | Absent() | Uncertain() | Disproved():
            return Release()
        case _:
            assert_never(situation.observed)


def _gone(missing: Missing) -> Step:
    if missing.proved:
        return Release(Reason.DELETED, f"{missing.identifier} is gone")
    return Wait(Reason.DELETING, f"Making certain that {missing.identifier} is gone")


def without_aws(resource: Resource) -> Release | None:
    """Return the end of a deletion for which AWS cannot be asked, where that is not needed."""
    if not resource.deleting:
        return None
    if _is_abandoned(resource):
        return _abandon(resource)
    stays = resource.observe_only or resource.retained
    return _let_go(resource) if stays and resource.status.get("attempt") is None else None


def unplaced(resource: Resource, lack: Wait | Stall) -> Release | None:
    """Return the end of a deletion for which nobody knows where the object would be, or None.

    None: who is still there may yet tell. AWS keeps a membership while anything is under it.
    """
    end = without_aws(resource)
    return Release() if end is None and lack.reason is not Reason.DELETION_BLOCKED else end


def _let_go(resource: Resource) -> Release:
    arn = resource.status.get("arn")
    if arn is None or resource.observe_only:
        return Release()
    return Release(Reason.RETAINED, f"{arn} stays in AWS, as deletionPolicy says")


def _is_hopeless(kind: Kind, situation: Situation) -> bool:
    """Whether what is over by AWS's word has withstood its deletion for too long (rule R-38)."""
    deleted, over = situation.resource.deleted, _over_for(kind, situation)
    if deleted is None or over is None:
        return False
    # A process that was down has not tried.
    waited = min((situation.now - deleted).total_seconds(), situation.watched, over)
    return waited > situation.release_limit


def _over_for(kind: Kind, situation: Situation) -> float | None:
    """Return for how many seconds an object, or its membership, has been over, if it is."""
    state = situation.resource.status.get("state")
    # What a run has left can cost money, so that a person has to decide.
    leaves = kind.is_run and kind.delete is not None
    if state in kind.ends and not leaves and not keeping.is_needed(situation):
        return inf
    return keeping.closed_for(situation)


def _unseen(kind: Kind, situation: Situation, hidden: Hidden) -> Step:
    """Hold what AWS does not show, but for a run that was over: of that nothing is left."""
    status = situation.resource.status
    if hidden.since > situation.denied_grace and kind.is_over(status.get("state")):
        return Release(Reason.RELEASE_NOT_MARKED, f"{status.get('arn')}: {hidden.message}")
    message = f"AWS does not let us see the object: {hidden.message}"
    return _unless_abandoned(situation.resource, message)


def _is_abandoned(resource: Resource) -> bool:
    """Whether a person wants the resource gone, whatever becomes of the object."""
    return resource.annotations.get(Annotation.ABANDON) == "true"


def _unless_abandoned(resource: Resource, message: str) -> Step:
    if _is_abandoned(resource):
        return _abandon(resource)
    return Stall(Reason.DELETION_BLOCKED, message)


def _abandon(resource: Resource) -> Release:
    what = resource.status.get("arn") or "an object that could not be seen"
    return Release(Reason.ABANDONED, f"Left in AWS, where it may go on costing money: {what}")


def _take_down(kind: Kind, situation: Situation, present: Present) -> Step:
    if _is_abandoned(situation.resource):
        return _abandon(situation.resource)
    if not present.bound:
        made = present.claim in ITS_OWN or situation.resource.status.get("attempt") is not None
        # What a person named and nobody has adopted yet is not ours to delete.
        return Bind(present) if made else Release()
    if present.claim in NOT_OURS:
        return Release(Reason.RETAINED, f"{present.arn} carries the tags of another resource")
    blockers = (*kind.blockers(situation, present), *keeping.blockers(kind, situation, present))
    change = kind.dismantle(situation, present)
    if change is not None and not any(blocker.first for blocker in blockers):
        return Apply(change, present)
    if any(blocker.retains for blocker in blockers):
        return Release(Reason.RETAINED, f"{present.arn} stays in AWS. {blockers[0].message}")
    if blockers:
        reasons = "; ".join(blocker.message for blocker in blockers)
        return Wait(Reason.DELETION_BLOCKED, reasons, present)
    return _end(kind, situation, present)


def _end(kind: Kind, situation: Situation, present: Present) -> Step:
    """Mark the object as released first, while it can certainly be tagged (rule R-3)."""
    tags = present.details.tags if present.details is not None else {}
    marked = situation.signature.is_released(tags)
    if not marked and not situation.unmarkable:
        return Mark(present)
    if (operation := runs.cancelled_by(kind, present)) is not None:
        return Cancel(present, operation, Reason.DELETING)
    match present.lifecycle:
        case Lifecycle.GONE | Lifecycle.DONE:
            return Release(Reason.DELETED, f"{present.arn} is over")
        case Lifecycle.CHANGING:
            return Wait(Reason.DELETING, runs.waiting(kind, present), present)
        case Lifecycle.READY | Lifecycle.FAILED:
            return _delete(kind, situation, present)
        case _:
            assert_never(present.lifecycle)


def _delete(kind: Kind, situation: Situation, present: Present) -> Step:
    """Delete the object, but not at once again where AWS began to and gave up."""
    if kind.delete is None:
        return _stuck(present, RUNS_ON)
    tried = situation.deleted_for
    gave_up = kind.is_run and present.lifecycle is Lifecycle.FAILED
    if gave_up and tried is not None and tried < situation.delete_again:
        return _stuck(present, TRIED_AGAIN)
    return Delete(present, kind.delete)


def _stuck(present: Present, remedy: str) -> Stall:
    said = runs.words(present).removesuffix(".")
    return Stall(Reason.DELETION_BLOCKED, f"{said}. {remedy}", present)
