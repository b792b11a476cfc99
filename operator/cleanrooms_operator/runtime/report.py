"""Telling what a pass concluded: the status, written only when it says something new."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cleanrooms_operator.core import conditions, converge, sources
from cleanrooms_operator.core.failure import ServiceError
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, Resource
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import (
    Apply,
    Cancel,
    Create,
    Delete,
    Discard,
    Drift,
    Fact,
    InSync,
    Pause,
    Present,
    Stall,
    Step,
    Wait,
    Works,
)
from cleanrooms_operator.runtime.outcome import Event
from cleanrooms_operator.runtime.ports import Ports
from cleanrooms_operator.runtime.supply import Supplied
from cleanrooms_operator.runtime.view import unanswered_request

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What makes two messages of AWS differ though they say the same."""


@dataclass(slots=True)
class Reporter:
    """Writes the status of one resource during one pass."""

    ports: Ports
    resource: Resource
    """As it was written last."""
    facts: tuple[Fact, ...] = ()
    fields: Document = field(default_factory=dict)
    """Status fields that hold whatever the step is."""
    drift: tuple[Drift, ...] = ()
    events: list[Event] = field(default_factory=list)
    error: ServiceError | None = None
    caveat: str | None = None
    """What could not be made certain of before a create."""
    began: datetime = field(init=False)
    """When the pass began: what it tells of a wait does not depend on how long it takes."""

    def __post_init__(self) -> None:
        """Note the time."""
        self.began = self.ports.clock.now()

    def observe(self, kind: Kind, situation: Situation, present: Present) -> None:
        """Take over what a present object tells, besides what the step will say."""
        self.fields = {**_shown(kind, present), **kind.report(situation, present)}
        if present.details is None:
            self.drift = _drift_before(self.resource)
            return
        tag_keys = converge.tag_keys(self.resource, present.details)
        self.fields = {**self.fields, "tagKeys": tag_keys or None}
        self.drift = converge.drift(kind, situation, present)
        self.facts = (*self.facts, *kind.facts(situation, present), _synced(self.drift))

    def compare(self, supplied: Supplied) -> None:
        """Tell whether what the spec takes from elsewhere is what the object was made with."""
        before = self.resource.status.get("sourcesHash")
        told = self.resource.condition("Synced")
        changed = (
            told is not None
            and told["reason"] == Reason.SOURCE_CHANGED.value
            and told["observedGeneration"] == self.resource.generation
        )
        if supplied.hash is not None:
            # An object that was adopted is compared with what there was at the first look.
            self.fields = {**self.fields, "sourcesHash": before or supplied.hash}
            differs = before is not None and before != supplied.hash
            if changed and not differs:
                self.facts = (*self.facts, _synced(self.drift))
            changed = differs
        if changed:
            fact = Fact("Synced", "False", Reason.SOURCE_CHANGED, Reason.SOURCE_CHANGED.cause)
            self.facts = (*self.facts, fact)

    async def write(self, step: Step, changes: Document) -> None:
        """Write what a step means, with further status fields, if that is anything new."""
        # Of what AWS tries again to delete, only the outcome is news.
        fields = {} if _is_given_up(self.resource) else self.fields
        status = {**self._concluded(step), **self._answered(step), **fields, **changes}
        current = self.resource.status
        differing = {k: v for k, v in status.items() if not _says_the_same(current.get(k), v)}
        if differing:
            self.resource = await self.ports.cluster.write_status(self.resource, differing)

    async def before(self, step: Apply) -> None:
        """Write what must stand before a change is sent: its record, and drift from what was well.

        A change that a person asked for needs no word before it is made.
        """
        recorded = any(
            self.resource.status.get(name) != value for name, value in step.change.record.items()
        )
        if recorded or self.resource.is_true("Ready"):
            self.fields = {**self.fields, **step.change.record}
            await self.write(step, {})

    def tell(self, reason: Reason, message: str, *, warning: bool = False) -> None:
        """Post an event when the pass is over."""
        self.events.append(Event("Warning" if warning else "Normal", reason.value, message))

    def _concluded(self, step: Step) -> dict[str, Any]:
        now, resource = self.ports.clock.now(), self.resource
        if isinstance(step, Pause):
            if resource.condition("Paused") is None:
                self.tell(Reason.SUSPENDED, step.message)
            return {"conditions": conditions.pause(resource, step.message, now)}
        refused = isinstance(step, Create | Discard) and resource.is_true("Stalled")
        blocked = isinstance(step, Cancel | Delete) and resource.says(Reason.DELETION_BLOCKED.value)
        if refused or blocked or (_is_at_work(step) and _is_given_up(resource)):
            # What AWS refused is given up or tried again: that is no news before it works.
            return {}
        found, facts = self._verdict(step), self.facts
        if isinstance(step, Wait) and step.reason is Reason.DEPENDENCY_NOT_READY:
            facts = (*facts, Fact(conditions.RESOLVED, "False", step.reason, step.message))
        return {
            "observedGeneration": resource.generation,
            "conditions": conditions.conclude(resource, found, facts, now),
            "drift": [_leaf(leaf) for leaf in self.drift] or None,
            "lastAWSError": self._last_error(step),
        }

    def _last_error(self, step: Step) -> Document | None:
        """Return what AWS said last, as long as it is why the resource is stalled."""
        if self.error is not None:
            return _error(self.error)
        same = isinstance(step, Stall) and self.resource.is_stalled(step.reason.value)
        told: Document | None = self.resource.status.get("lastAWSError")
        return told if same else None

    def _answered(self, step: Step) -> dict[str, str]:
        """Echo a request for a look, once the look has come to a conclusion."""
        asked = unanswered_request(self.resource)
        concluded = isinstance(step, InSync | Stall | Wait | Works)
        return {"lastHandledReconcileAt": asked} if asked is not None and concluded else {}

    def _verdict(self, step: Step) -> conditions.Verdict:
        if isinstance(step, Apply) and self.resource.is_true("Ready"):
            # Drift is being mended: what was ready is still usable.
            return conditions.verdict(InSync(step.present))
        return conditions.overdue(conditions.verdict(step), self.resource, self.began)


def _shown(kind: Kind, present: Present) -> dict[str, Any]:
    shown = {"state": present.state, "arn": present.arn, **kind.handle.recording(present.name)}
    if present.update_time is not None:
        shown["updateTime"] = present.update_time
    return shown


def _is_at_work(step: Step) -> bool:
    return isinstance(step, Wait) and step.reason is Reason.DELETING


def _is_given_up(resource: Resource) -> bool:
    """Whether it is told that AWS gave up the object's deletion."""
    is_stalled = resource.is_stalled(Reason.DELETION_BLOCKED.value)
    return is_stalled and resource.status.get("state") == "DELETE_FAILED"


def _synced(drift: tuple[Drift, ...]) -> Fact:
    if not drift:
        return Fact("Synced", "True", Reason.SUCCEEDED, "The last look at AWS equals the spec")
    paths = ", ".join(leaf.path for leaf in drift)
    return Fact("Synced", "False", Reason.DRIFTED, f"AWS differs in: {paths}")


def _drift_before(resource: Resource) -> tuple[Drift, ...]:
    shown = resource.status.get("drift") or ()
    return tuple(Drift(d["path"], d.get("desired"), d.get("observed")) for d in shown)


def _leaf(leaf: Drift) -> dict[str, str]:
    values: dict[str, str | None] = {"path": leaf.path}
    if not sources.is_sensitive(leaf.path):
        values |= {"desired": _text(leaf.desired), "observed": _text(leaf.observed)}
    return {name: value for name, value in values.items() if value is not None}


def _text(value: object) -> str | None:
    return None if value is None else str(value)[:256]


def _error(error: ServiceError) -> dict[str, str]:
    told = {"code": error.code, "message": error.message[:1024]}
    return told if error.request_id is None else {**told, "requestID": error.request_id}


def _says_the_same(before: object, after: object) -> bool:
    return before == after or _plain(before) == _plain(after)


def _plain(value: object) -> object:
    """Return a status value without what may differ between two reports of the same thing."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items() if k != "requestID" and v is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return _ID.sub("*", value) if isinstance(value, str) and " " in value else value
