"""The whole decision of the operator, as a pure function of what was seen."""

from datetime import UTC, datetime
from typing import assert_never

from cleanrooms_operator.core import converge, runs, teardown
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.ownership import ITS_OWN, NOT_OURS, Claim
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Annotation, Resource
from cleanrooms_operator.core.situation import Refusal, Situation
from cleanrooms_operator.core.step import (
    Absent,
    Bind,
    Cancel,
    Clash,
    Create,
    Discard,
    Disproved,
    Forget,
    Hidden,
    InSync,
    Lifecycle,
    Missing,
    Pause,
    Present,
    Resend,
    Stall,
    Step,
    Uncertain,
    Wait,
)


def next_step(kind: Kind, situation: Situation) -> Step:
    """Return the one step that brings a resource closer to what is asked for.

    The answer depends on the arguments alone, never on the event that woke us: a missed,
    repeated or reordered event cannot change it.
    """
    observed = situation.observed
    if isinstance(observed, Uncertain | Disproved):
        return _resolve(kind, situation, observed)
    if situation.resource.deleting:
        return teardown.next_step(kind, situation)
    is_open = situation.resource.status.get("attempt") is not None
    if not is_open and (pause := paused(situation.resource, situation.now)) is not None:
        return pause
    return _settle(kind, situation, observed)


def _settle(
    kind: Kind, situation: Situation, observed: Absent | Missing | Present | Hidden | Clash
) -> Step:
    match observed:
        case Absent():
            return _make(kind, situation)
        case Present():
            return _keep(kind, situation, observed)
        case Missing():
            return _replace(situation, observed)
        case Hidden():
            return denied(observed, situation)
        case Clash(reason, message):
            return Stall(reason, message)
        case _:
            assert_never(observed)


def _is_wanted(kind: Kind, situation: Situation) -> bool:
    resource = situation.resource
    quiet = resource.deleting or paused(resource, situation.now) is not None
    return not (quiet or situation.observe_only or runs.is_called_off(kind, resource))


_CONFLICTS = frozenset({Reason.NAME_TAKEN, Reason.AWS_CONFLICT})
"""Refusals that do not prove by themselves that nothing was made (rule R-8)."""


def _resolve(kind: Kind, situation: Situation, observed: Uncertain | Disproved) -> Step:
    """Send the same attempt again where it certainly did nothing, else record a new one."""
    refusal = situation.refusal
    if isinstance(observed, Uncertain):
        if refusal is not None and refusal.reason in _CONFLICTS and _is_wanted(kind, situation):
            return Stall(refusal.reason, refusal.message)
        message = "A create call got no answer: looking for what it may have made"
        return Wait(Reason.CONFIRMING_ABSENCE, message)
    refused = situation.lack is not None or refusal is not None
    if refused or not _is_wanted(kind, situation):
        return Discard()
    attempt = situation.resource.status["attempt"]
    same = attempt["parametersHash"] == situation.parameters_hash
    return Resend() if observed.unsent and same else Create()


def paused(resource: Resource, now: datetime) -> Pause | None:
    """Return the pause that a person asked for, or None."""
    if resource.annotations.get(Annotation.PAUSED) == "true":
        return Pause("Paused until the annotation is removed")
    asked = resource.annotations.get(Annotation.PAUSED_UNTIL)
    if asked is None:
        return None
    until = _time(asked)
    if until is None:
        # Whoever wrote it wanted quiet: better too much of it than a run that nobody wanted.
        return Pause(f"Paused: {Annotation.PAUSED_UNTIL} is {asked!r}, which is not a time")
    return Pause(f"Paused until {asked}", until) if until > now else None


def _time(text: str) -> datetime | None:
    """Return the time that a person wrote, of UTC where no zone is given; None if it is none."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _make(kind: Kind, situation: Situation) -> Step:
    if situation.observe_only:
        return Wait(
            Reason.DEPENDENCY_NOT_READY,
            f"There is no object to observe; name it by the annotation {Annotation.EXTERNAL_ID}",
        )
    if runs.is_called_off(kind, situation.resource):
        return runs.NEVER_STARTED
    if situation.lack is not None:
        return situation.lack
    if situation.refusal is not None:
        return _refused(situation.refusal, situation)
    return Create()


def _refused(refusal: Refusal, situation: Situation) -> Step:
    if refusal.reason is Reason.ACCESS_DENIED:
        return denied(Hidden(refusal.message, refusal.lasted), situation)
    return Stall(refusal.reason, refusal.message)


def _replace(situation: Situation, observed: Missing) -> Step:
    if not observed.proved:
        message = f"{observed.identifier} is not shown any more: making certain that it is gone"
        return Wait(Reason.CONFIRMING_ABSENCE, message)
    if situation.resource.spec.get("onMissing") == "Recreate" and not situation.observe_only:
        return Forget()
    return Stall(Reason.MISSING, f"{observed.identifier} was deleted behind the operator's back")


def denied(observed: Hidden, situation: Situation) -> Step:
    """Take AccessDenied for IAM that has not spread yet, but not for ever."""
    if observed.reason is not Reason.ACCESS_DENIED:
        return Wait(observed.reason, observed.message)
    stalled_before = situation.resource.is_stalled(Reason.ACCESS_DENIED.value)
    if stalled_before or observed.since > situation.denied_grace:
        return Stall(Reason.ACCESS_DENIED, observed.message)
    return Wait(Reason.ACCESS_DENIED, observed.message)


def _keep(kind: Kind, situation: Situation, present: Present) -> Step:
    if not present.bound:
        return _already_ran(kind, situation, present) or bind(situation, present)
    if present.claim in NOT_OURS and not situation.observe_only:
        return _taken(present)
    match present.lifecycle:
        case Lifecycle.CHANGING:
            return _go_on(kind, situation, present)
        case Lifecycle.FAILED | Lifecycle.GONE:
            reason = kind.ends.get(present.state or "", Reason.MISSING)
            return Stall(reason, f"{reason.cause} {runs.words(present)}", present)
        case Lifecycle.READY | Lifecycle.DONE:
            if situation.observe_only:
                return InSync(present, converge.well(kind, present))
            return converge.next_step(kind, situation, present)
        case _:
            assert_never(present.lifecycle)


def _go_on(kind: Kind, situation: Situation, present: Present) -> Step:
    """Wait for what is under way, or cancel it where a person asks for that."""
    asked = runs.is_called_off(kind, situation.resource) and not situation.observe_only
    if asked and (operation := runs.cancelled_by(kind, present)) is not None:
        return Cancel(present, operation, Reason.CANCELLING)
    return Wait(Reason.PROGRESSING, f"AWS says {present.state}", present)


def _already_ran(kind: Kind, situation: Situation, present: Present) -> Stall | None:
    """Return why the record of a former run is left alone, or None where it is to be adopted.

    Where nothing tells, it is adopted, as after a restore: that starts nothing either (rule R-3).
    """
    resource = situation.resource
    is_meant = resource.external_id is not None or resource.status.get("attempt") is not None
    is_record = kind.is_over(present.state) and present.claim in ITS_OWN
    if is_meant or not is_record or situation.observe_only:
        return None
    is_left = present.name == situation.let_go or resource.is_stalled(Reason.ALREADY_RAN.value)
    if not (is_left or (present.details and converge.fixed(kind, situation, present))):
        return None
    message = f"{present.name} is {present.state}. {Reason.ALREADY_RAN.remedy}"
    return Stall(Reason.ALREADY_RAN, message)


def bind(situation: Situation, present: Present) -> Step:
    """Record the found object, once its own tags say whose it is (rule R-35)."""
    if situation.observe_only:
        return Bind(present)
    if present.claim not in {Claim.OURS, Claim.RELEASED} and not situation.untaggable:
        # Before the mark goes: it is what lets us take the object from another resource.
        return converge.claim(situation, present)
    if present.released:
        return converge.revive(situation, present)
    return Bind(present)


def _taken(present: Present) -> Stall:
    """Say that the recorded object carries another's tags, as after a copy of a whole cluster."""
    if present.claim is Claim.ELSEWHERE:
        message = f"{present.arn} carries the tags of another cluster"
        return Stall(Reason.OWNED_ELSEWHERE, f"{message}. {Reason.OWNED_ELSEWHERE.remedy}", present)
    message = f"{present.arn} carries the tags of another resource"
    return Stall(Reason.ADOPTION_CONFLICT, message, present)
