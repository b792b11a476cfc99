"""From a step to the conditions that tell of it, in the way kstatus reads them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, Resource
from cleanrooms_operator.core.step import (
    Apply,
    Bind,
    Cancel,
    Create,
    Delete,
    Discard,
    Fact,
    Forget,
    InSync,
    Mark,
    Pause,
    Release,
    Resend,
    Stall,
    Step,
    Wait,
    Works,
)
from cleanrooms_operator.core.times import timestamp

RESOLVED = "ReferencesResolved"
"""False since when a resource waits for what it names: its deadline counts from there."""

TYPES: Mapping[str, str] = {
    "Ready": "AWS is as this generation of the spec asks. A run is Ready when it ended well.",
    "Reconciling": "Work is under way or waited for. Time, or somebody else, is enough.",
    "Stalled": "A person is needed, or a change in AWS. It goes on by itself once that came.",
    "Paused": "An annotation keeps the operator from doing anything.",
    RESOLVED: "What the spec names is there and ready.",
    "Synced": "The last look at AWS equals the spec; `status.drift` lists what differs.",
    "Succeeded": "The run ended well.",
    "Failed": "The run failed or was cancelled.",
    "Expired": "AWS has removed the data of the channel.",
    "MembersJoined": "All members that the collaboration names have joined.",
    "ChangesApplied": "Members, abilities and payers of the collaboration are as declared.",
    "ChangesAnswered": "No change request waits for the answer of this account.",
    "PaymentAccepted": "What is assigned to this account and what its spec accepts agree.",
    "PayerReady": "Who is to pay for the run is a candidate and, as far as can be seen, accepted.",
    "SpendingApproved": "The run may be started: its Membership asks for no approval, or has it.",
}
"""What the condition types say where they are true, in the order in which they are listed."""

ORDER = tuple(TYPES)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a step means for Ready, and which of Reconciling and Stalled explains it."""

    activity: Literal["Reconciling", "Stalled"] | None
    reason: Reason
    message: str

    @property
    def ready(self) -> bool:
        """Whether the resource is usable as asked for."""
        return self.activity is None


_SIMPLE: Mapping[type, Verdict] = {
    Works: Verdict(None, Reason.SUCCEEDED, "STS answers for this account"),
    Create: Verdict("Reconciling", Reason.PROGRESSING, "Creating the AWS object"),
    Resend: Verdict("Reconciling", Reason.PROGRESSING, "Creating the AWS object"),
    Bind: Verdict("Reconciling", Reason.PROGRESSING, "Recording what is in AWS"),
    Discard: Verdict("Reconciling", Reason.PROGRESSING, "Recording what is in AWS"),
    Forget: Verdict("Reconciling", Reason.PROGRESSING, "Recording what is in AWS"),
    Mark: Verdict("Reconciling", Reason.DELETING, "Deleting the AWS object"),
    Delete: Verdict("Reconciling", Reason.DELETING, "Deleting the AWS object"),
    Release: Verdict("Reconciling", Reason.DELETING, "Deleting the AWS object"),
}


_WELL = {Reason.SUCCEEDED: "AWS is as the spec asks"}
"""What is told of what is well, where the reason's own words would say too little."""


def verdict(step: Step) -> Verdict:
    """Return what a step means."""
    match step:
        case Wait(reason, message):
            return Verdict("Reconciling", reason, message)
        case Stall(reason, message):
            return Verdict("Stalled", reason, message)
        case Apply(change):
            return Verdict("Reconciling", Reason.PROGRESSING, f"Sending {change.operation}")
        case Cancel(_, operation, reason):
            return Verdict("Reconciling", reason, f"Sending {operation}")
        case InSync(_, reason):
            return Verdict(None, reason, _WELL.get(reason, reason.cause))
        case Pause(message):
            return Verdict(None, Reason.SUSPENDED, message)
        case _:
            return _SIMPLE[type(step)]


def overdue(found: Verdict, resource: Resource, now: datetime) -> Verdict:
    """Turn a wait for something else into Stalled once its deadline has passed."""
    if found.reason is not Reason.DEPENDENCY_NOT_READY:
        return found
    stalled = resource.condition("Stalled")
    was_overdue = (
        stalled is not None
        and stalled["reason"] == Reason.PROGRESS_DEADLINE_EXCEEDED.value
        and stalled["observedGeneration"] == resource.generation
    )
    if was_overdue or becomes_overdue(resource, now):
        message = f"{found.message}, for more than {_deadline(resource)} s"
        return Verdict("Stalled", Reason.PROGRESS_DEADLINE_EXCEEDED, message)
    return found


def becomes_overdue(resource: Resource, now: datetime) -> bool:
    """Tell whether a wait for something else has passed its deadline and is not Stalled yet."""
    return _waited(resource, now) > _deadline(resource)


def _deadline(resource: Resource) -> int:
    """Return for how many seconds a resource may wait for what it names."""
    seconds: int = resource.spec.get("progressDeadlineSeconds", 600)
    return seconds


def _waited(resource: Resource, now: datetime) -> float:
    """Return for how many seconds a resource has waited for what it names; 0: it only begins."""
    reconciling, resolved = resource.condition("Reconciling"), resource.condition(RESOLVED)
    if reconciling is None or resolved is None or resolved["status"] == "True":
        return 0.0
    return min(_age(reconciling, now), _age(resolved, now))


def _age(condition: Document, now: datetime) -> float:
    since = datetime.fromisoformat(condition["lastTransitionTime"])
    return (now - since).total_seconds()


def conclude(
    resource: Resource, found: Verdict, facts: Iterable[Fact], now: datetime
) -> list[Document]:
    """Return the conditions of a resource after a verdict.

    A condition that was not observed anew is kept only while it speaks of this generation.
    """
    main = [_condition("Ready", "True" if found.ready else "False", found.reason, found.message)]
    if found.activity is not None:
        main.append(_condition(found.activity, "True", found.reason, found.message))
    observed = [_condition(f.type, f.status, f.reason, f.message) for f in facts]
    return _stamped(resource, _kept(resource) | {c["type"]: c for c in (*main, *observed)}, now)


def pause(resource: Resource, message: str, now: datetime) -> list[Document]:
    """Return the conditions of a resource as they were, and that it is paused."""
    before = {c["type"]: c for c in resource.status.get("conditions") or ()}
    told = _condition("Paused", "True", Reason.SUSPENDED, message)
    if "Ready" not in before:
        before["Ready"] = _condition("Ready", "False", Reason.SUSPENDED, message)
    generation = max(resource.status.get("observedGeneration", -1), 0) or resource.generation
    return _ordered(
        [_stamp(c, resource, generation, now) for c in (before | {"Paused": told}).values()]
    )


def _condition(type_: str, status: str, reason: Reason, message: str) -> dict[str, str]:
    return {"type": type_, "status": status, "reason": reason.value, "message": message}


def _kept(resource: Resource) -> dict[str, Document]:
    return {
        c["type"]: c
        for c in resource.status.get("conditions") or ()
        if c["type"] not in {"Ready", "Reconciling", "Stalled", "Paused"}
        and c["observedGeneration"] == resource.generation
    }


def _stamped(
    resource: Resource, conditions: Mapping[str, Document], now: datetime
) -> list[Document]:
    return _ordered([_stamp(c, resource, resource.generation, now) for c in conditions.values()])


def _stamp(condition: Document, resource: Resource, generation: int, now: datetime) -> Document:
    before = resource.condition(condition["type"])
    same = before is not None and before["status"] == condition["status"]
    since = before["lastTransitionTime"] if before is not None and same else timestamp(now)
    return {
        **condition,
        "observedGeneration": generation,
        "lastTransitionTime": since,
        "message": condition["message"][:32768],
    }


def _ordered(conditions: list[Document]) -> list[Document]:
    return sorted(conditions, key=_rank)


def _rank(condition: Document) -> int:
    """Return a condition's place; what a later version may have written comes last."""
    return ORDER.index(condition["type"]) if condition["type"] in ORDER else len(ORDER)
