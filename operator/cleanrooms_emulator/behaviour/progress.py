"""How long runs take, and through which states they go.

Assumption: the durations are magnitudes that were seen, not promised; each state is gone
through.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from cleanrooms_emulator.behaviour.ml_objects import (
    Channel,
    ExportJob,
    InferenceJob,
    Run,
    Step,
    TrainedModel,
)
from cleanrooms_emulator.behaviour.world import World, conflict
from cleanrooms_emulator.store import Failure

CHANNEL = timedelta(minutes=3)
TRAINING = timedelta(minutes=10)
INFERENCE = timedelta(minutes=8)
EXPORT = timedelta(minutes=2)
ENDING = timedelta(seconds=30)
"""How long cancelling and deleting take."""

_PENDING = timedelta(minutes=1)
_PENDING_END = timedelta(seconds=10)


def creating(now: datetime, duration: timedelta, failure: Failure | None) -> tuple[Step, ...]:
    """Return the steps from CREATE_PENDING on, to ACTIVE or, with a failure, to CREATE_FAILED."""
    return (
        Step(now + _PENDING, "CREATE_IN_PROGRESS"),
        _end(now + duration, "ACTIVE", "CREATE_FAILED", failure),
    )


def delete(world: World, run: Run, kind: str) -> None:
    """Begin to delete what a run has made."""
    world.store.put(_ending(world, run, kind, "DELETE"))


def cancel(world: World, run: Run, kind: str) -> None:
    """Begin to cancel a run that is not finished; it may finish first (ER-31)."""
    if run.is_unfinished and world.rules.cancel_race == "conflict":
        last = replace(run.steps[-1], at=world.now)
        run = world.store.put(replace(run, steps=(last,)).advanced(world.store))
    if not run.is_unfinished:
        message = f"{run.arn} is {run.status}"
        raise conflict(message, kind, run.arn, "INVALID_STATE")
    world.store.put(_ending(world, run, kind, "CANCEL"))


def _ending(world: World, run: Run, kind: str, action: str) -> Run:
    now = world.now
    failure = world.store.failure_of(kind, run.name, action.lower())
    if action == "CANCEL" and world.rules.cancel_race == "fail" and failure is None:
        failure = Failure(kind, "FINISHED", "The job finished before it could be cancelled.")
    steps = (
        Step(now + _PENDING_END, f"{action}_IN_PROGRESS"),
        _end(now + ENDING, "INACTIVE", f"{action}_FAILED", failure),
    )
    return run.entering(now, f"{action}_PENDING", steps=steps)


def _end(at: datetime, good: str, bad: str, failure: Failure | None) -> Step:
    if failure is None:
        return Step(at, good)
    return Step(at, bad, {"statusCode": failure.status_code, "message": failure.message})


def end_with(world: World, collaboration: str) -> None:
    """Let what is unfinished in a deleted collaboration run on, or fail (ER-5)."""
    if world.rules.trainings_of_deleted == "run":
        return
    details = {"statusCode": "COLLABORATION_DELETED", "message": "The collaboration was deleted."}
    runs = (
        *world.store.list(Channel, collaboration),
        *world.store.list(TrainedModel, collaboration),
        *world.store.list(InferenceJob, collaboration),
        *world.store.list(ExportJob, collaboration),
    )
    for run in runs:
        if run.is_unfinished:
            failing = (Step(world.now, "CREATE_FAILED", details),)
            world.store.put(replace(run, steps=failing).advanced(world.store))
