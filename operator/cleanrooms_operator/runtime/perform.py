"""Doing one step: at most one mutating call to AWS, with what must be written down before it."""

from typing import assert_never

from cleanrooms_operator.core import attempt, failures, ownership, references
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, Resource
from cleanrooms_operator.core.step import (
    Apply,
    Bind,
    Cancel,
    Create,
    Delete,
    Discard,
    Forget,
    Mark,
    Once,
    Present,
    Release,
    Resend,
    Step,
)
from cleanrooms_operator.runtime import paying, refusals, search
from cleanrooms_operator.runtime.memory import Recall
from cleanrooms_operator.runtime.observe import read_further
from cleanrooms_operator.runtime.ports import NotSentError, Ports
from cleanrooms_operator.runtime.report import Reporter
from cleanrooms_operator.runtime.view import View

UNBOUND = ("identifier", "arn", "state", "updateTime")

FASTER = 16
"""How often in a row somebody else may have been faster, or Lists may lag, with growing delay."""


async def perform(view: View, step: Step, reporter: Reporter) -> None:
    """Do what a step says; steps that only tell something are the reporter's alone."""
    match step:
        case Create():
            await _create(view, reporter)
        case Resend():
            await _resend(view, reporter)
        case Discard():
            await reporter.write(step, _unmade(view))
        case Forget():
            await reporter.write(step, {**_unmade(view), **_unbound(view)})
        case Bind(found):
            await reporter.write(step, _binding(view, found))
        case Apply():
            await _apply(view, step, reporter)
        case Mark() | Cancel() | Delete() | Release():
            await _end(view, step, reporter)
        case _:
            await reporter.write(step, {})


# -- creating --------------------------------------------------------------------------------


async def _create(view: View, reporter: Reporter) -> None:
    """Write the attempt down, then send the call that it stands for."""
    kind, ports, recall = view.kind, view.ports, view.recall
    parameters = await _fitted(view)
    baseline = await search.baseline(view)
    await ports.service.reserve(view.identity, kind.service, kind.create)
    written = ports.clock.elapsed()
    named = ports.ids.attempt() + (ownership.BESIDE if view.resource.beside else "")
    record = attempt.record(kind, view.parameters, named, ports.clock.now(), baseline)
    noted = {"attempt": {**record, "parametersHash": view.parameters_hash}}
    await reporter.write(Create(), {**noted, **_supplied(view), **_whereabouts(view)})
    recall.attempt, recall.attempt_since, recall.unsent = record["id"], written, False
    await _send(view, parameters, record["id"], written, reporter)


async def _resend(view: View, reporter: Reporter) -> None:
    """Send the recorded attempt again, without a write, once it is certain to stand."""
    kind, ports = view.kind, view.ports
    parameters = await _fitted(view)
    await ports.service.reserve(view.identity, kind.service, kind.create)
    confirmed = ports.clock.elapsed()
    await ports.cluster.confirm(reporter.resource)
    view.recall.attempt_since, view.recall.unsent = confirmed, False
    attempt_id = reporter.resource.status["attempt"]["id"]
    await _send(view, parameters, attempt_id, confirmed, reporter)


async def _fitted(view: View) -> Document:
    """Return the parameters to send: without what AWS says that it would refuse just now."""
    fitting = view.kind.fitting
    fields = None if fitting is None else fitting.fields(view.parameters)
    if fitting is None or fields is None:
        return view.parameters
    read = await read_further(view, fitting.reading, fields)
    return fitting.fit(view.parameters, read, view.identity.account)


async def _send(
    view: View, parameters: Document, attempt_id: str, written: float, reporter: Reporter
) -> None:
    kind, policy, recall = view.kind, view.ports.policy, view.recall
    user_tags = view.resource.spec.get("tags") or {}
    tags = {**user_tags, **view.signature.tags(attempt_id)}
    try:
        answer = await view.ports.service.call(
            view.identity,
            kind.service,
            kind.create,
            {**parameters, "tags": tags},
            reserved=True,
            not_after=written + policy.pace.send_window,
        )
    except NotSentError:
        recall.unsent = True
        raise
    except ServiceError as error:
        await _on_refusal(view, error, reporter)
        raise
    made = view.unwrapped(answer)
    recall.stale = True
    await reporter.write(Create(), {"attempt": None, **_made(view, made)})


async def _on_refusal(view: View, error: ServiceError, reporter: Reporter) -> None:
    """Keep the attempt where the same call may succeed later, else clear it (rule R-8).

    A conflict may be with what an earlier call of the attempt has made: that is looked for first.
    """
    recall = view.recall
    recall.unsent = error.harmless
    conflicts = error.failure is Failure.CONFLICT
    recall.holder = await refusals.holder(view, view.elapsed) if conflicts else None
    what = None if recall.holder is None else recall.holder.what
    refused = conflicts or error.harmless
    if failures.may_succeed_unchanged(error) or not refused:
        return
    recall.refuse(view.parameters_hash, failures.refusal(error, what), view.elapsed)
    if not error.harmless:
        return
    reporter.error = error
    paying.refused(view, error, reporter)
    told = failures.step_after(error, trouble(error, view.resource, view.ports, recall))
    await reporter.write(told, _unmade(view))


def trouble(
    error: ServiceError, resource: Resource, ports: Ports, recall: Recall
) -> failures.Trouble:
    """Return what besides an error decides what it means."""
    denied_long = False
    if error.failure is Failure.DENIED:
        lasted = recall.deny(ports.clock.elapsed())
        stalled_before = resource.is_stalled(Reason.ACCESS_DENIED.value)
        denied_long = stalled_before or lasted > ports.policy.pace.denied_grace
    unmade = resource.status.get("identifier") is None
    holder = recall.holder.what if unmade and recall.holder is not None else None
    return failures.Trouble(resource.deleting, denied_long, holder)


def _unmade(view: View) -> dict[str, None]:
    """Return what is cleared with an attempt that made nothing: the spec may be edited again."""
    scope = references.recordable(view.kind)
    return dict.fromkeys(("attempt", "accountID", "region", "sourcesHash", *scope))


def _supplied(view: View) -> dict[str, str]:
    """Return what tells later whether the object was made with other values than there are."""
    return {} if view.sources_hash is None else {"sourcesHash": view.sources_hash}


def _unbound(view: View) -> dict[str, None]:
    version = view.kind.handle.version
    return dict.fromkeys((*UNBOUND, version) if version else UNBOUND)


def _whereabouts(view: View) -> dict[str, str]:
    """Return where the object lives, which is never asked again: referents may go first."""
    scope = {
        name: view.parameters[name]
        for name in references.recordable(view.kind)
        if name in view.parameters
    }
    return {"accountID": view.identity.account, "region": view.identity.region, **scope}


def _made(view: View, made: Document) -> dict[str, object]:
    handle = view.kind.handle
    return {
        **handle.recording(handle.of(made)),
        "arn": made[handle.arn],
        "state": None if view.kind.state is None else made.get(view.kind.state),
        "tagKeys": sorted(view.resource.spec.get("tags") or ()) or None,
        **_whereabouts(view),
    }


def _binding(view: View, found: Present) -> dict[str, object]:
    view.recall.stale = True
    name = view.kind.handle.recording(found.name)
    bound = {**name, "arn": found.arn, "state": found.state}
    # What an attempt was sent with is known; of what is adopted, what there is now is all to go by.
    supplied = {} if "sourcesHash" in view.resource.status else _supplied(view)
    return {"attempt": None, **bound, **supplied, **_whereabouts(view)}


# -- changing and ending ---------------------------------------------------------------------


async def _apply(view: View, step: Apply, reporter: Reporter) -> None:
    change = step.change
    if change.once is not None:
        await _apply_once(view, step, change.once, reporter)
        return
    await reporter.before(step)
    view.recall.stale = True
    try:
        await view.call(change.service, change.operation, change.parameters)
    except ServiceError as error:
        lagging = view.recall.repeats < FASTER
        faster = change.contested and error.failure is Failure.CONFLICT and lagging
        if not faster and not _is_untaggable(view, step, error):
            raise


def _is_untaggable(view: View, step: Apply, error: ServiceError) -> bool:
    """Whether AWS does not find, to tag it, the record of what is over (rule ER-38)."""
    tagging = step.change.operation in {"TagResource", "UntagResource"}
    is_over = view.kind.is_over(step.present.state)
    if not (tagging and is_over and error.failure is Failure.NOT_FOUND):
        return False
    view.recall.untaggable = True
    return True


async def _apply_once(view: View, step: Apply, once: Once, reporter: Reporter) -> None:
    """Record a call, then send it inside its window; take the record back where it did nothing."""
    change, ports = step.change, view.ports
    await ports.service.reserve(view.identity, change.service, change.operation)
    written = ports.clock.elapsed()
    await reporter.before(step)
    view.recall.stale = True
    try:
        await ports.service.call(
            view.identity,
            change.service,
            change.operation,
            change.parameters,
            reserved=True,
            not_after=written + ports.policy.pace.send_window,
        )
    except ServiceError as error:
        if not error.harmless:
            raise
        passing = error.failure in {Failure.THROTTLED, Failure.DENIED}
        told = once.unsent if passing else once.refused(f"{error.code}: {error.message}")
        await reporter.write(step, told)
        if passing:
            raise


async def _end(view: View, step: Mark | Cancel | Delete | Release, reporter: Reporter) -> None:
    match step:
        case Mark(present):
            await reporter.write(step, {})
            await _mark(view, present, reporter)
        case Cancel(present, operation):
            await reporter.write(step, {})
            await _cancel(view, present, operation)
        case Delete(present, operation):
            await reporter.write(step, {})
            await _delete(view, present, operation)
        case Release():
            await view.ports.cluster.release(reporter.resource)
        case _:
            assert_never(step)


async def _mark(view: View, present: Present, reporter: Reporter) -> None:
    """Say on the object that it is released; that AWS will not have it never holds anything."""
    tags = present.details.tags if present.details is not None else {}
    view.recall.stale = True
    parameters = {"resourceArn": present.arn, "tags": view.signature.release(tags)}
    try:
        await view.call(view.kind.service, "TagResource", parameters)
    except ServiceError as error:
        if error.failure in {Failure.THROTTLED, Failure.UNAVAILABLE}:
            raise
        view.recall.unmarkable = True
        reporter.tell(Reason.RELEASE_NOT_MARKED, f"{present.arn}: {error.code}")


async def _cancel(view: View, present: Present, operation: str) -> None:
    """End a run; where AWS says that it cannot be ended, the next look tells what became of it."""
    view.recall.stale = True
    try:
        await view.call(view.kind.service, operation, view.naming(present.name))
    except ServiceError as error:
        if error.failure not in {Failure.CONFLICT, Failure.NOT_FOUND}:
            raise


async def _delete(view: View, present: Present, operation: str) -> None:
    view.recall.stale = True
    try:
        await view.call(view.kind.service, operation, view.naming(present.name))
    except ServiceError as error:
        if error.failure is not Failure.NOT_FOUND:
            raise
    else:
        view.recall.ended = view.elapsed
        view.recall.endings += 1
