"""One pass over one resource: observe, decide, perform one step, report, say when to look again."""

from math import inf

from cleanrooms_operator.core import failures, references, runs, teardown
from cleanrooms_operator.core.conditions import RESOLVED
from cleanrooms_operator.core.decide import next_step, paused
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.own_request import ATTEMPT as ATTEMPT_OF_CHANGE
from cleanrooms_operator.core.own_request import CHANGE_REQUESTS
from cleanrooms_operator.core.pace import Pace, Urgency, next_turn, patience, reluctance
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.core.situation import Refusal, Situation
from cleanrooms_operator.core.step import (
    Apply,
    Bind,
    Cancel,
    Create,
    Discard,
    Disproved,
    Fact,
    Hidden,
    InSync,
    Observed,
    Pause,
    Present,
    Release,
    Resend,
    Stall,
    Step,
    Wait,
)
from cleanrooms_operator.runtime import refusals
from cleanrooms_operator.runtime.admission import admitted
from cleanrooms_operator.runtime.closing import look_at_membership
from cleanrooms_operator.runtime.glances import with_glances
from cleanrooms_operator.runtime.identify import identify
from cleanrooms_operator.runtime.memory import Memories, Recall, is_settled
from cleanrooms_operator.runtime.observe import observe
from cleanrooms_operator.runtime.outcome import GONE, Outcome
from cleanrooms_operator.runtime.paying import payable
from cleanrooms_operator.runtime.perform import perform, trouble
from cleanrooms_operator.runtime.ports import Identity, Ports
from cleanrooms_operator.runtime.report import Reporter
from cleanrooms_operator.runtime.resolve import Lack, Search, resolve
from cleanrooms_operator.runtime.spending import approved
from cleanrooms_operator.runtime.starts import Starts
from cleanrooms_operator.runtime.supply import supply
from cleanrooms_operator.runtime.view import View, unanswered_request

LONGEST_QUEUEING = 4
"""After how many intervals of progress at the latest those look again that wait for a quota."""


async def reconcile(kind: Kind, key: Key, ports: Ports, memories: Memories) -> Outcome:
    """Bring one resource one step closer to what is asked for.

    Raises what says nothing of the resource itself (`ServiceError` of a passing kind,
    `PacedError`, `NotSentError`, `StaleError`): the caller looks again, with growing delay.
    """
    resource = await ports.cluster.read(key)
    if resource is None or (resource.deleting and not resource.held):
        memories.forget(key)
        return GONE
    recall = memories.of(resource, ports.clock.elapsed())
    if (rest := _rest(kind, resource, ports, recall)) is not None:
        return rest
    reporter = Reporter(ports, await _held(resource, ports))
    step = await _take_step(kind, reporter, ports, memories)
    recall.waits = recall.waits + 1 if isinstance(step, Wait) else 0
    recall.remember(_deed(step))
    _remember_record(kind, step, resource, memories)
    _tell(step, resource, reporter)
    for reason, message in kind.news(resource.status, reporter.resource.status):
        reporter.tell(reason, message)
    rest = _rest(kind, reporter.resource, ports, recall)
    return Outcome(
        step=type(step).__name__,
        again=_again(kind, step, reporter, recall) if rest is None else rest.again,
        urgency=_urgency(step, resource),
        events=tuple(reporter.events),
        drifted=len(reporter.drift) if resource.is_true("Ready") else 0,
    )


def _rest(kind: Kind, resource: Resource, ports: Ports, recall: Recall) -> Outcome | None:
    """Return the end of a pass for which nothing need be asked, for the run is over; else None."""
    now = ports.clock.now()
    wanted = unanswered_request(resource) is not None or paused(resource, now) is not None
    held = resource.held or resource.observe_only
    if wanted or not held or not runs.is_at_rest(kind, resource):
        return None
    due = runs.next_publication(kind, resource, recall.last_look(ports.clock.elapsed(), now))
    if due is not None and due <= now:
        return None
    again = None if due is None else (due - now).total_seconds()
    return Outcome("Rest", again, Urgency.DRIFT)


async def _held(resource: Resource, ports: Ports) -> Resource:
    """Put the finalizer on before anything is looked for or made."""
    quiet = resource.deleting or paused(resource, ports.clock.now()) is not None
    if resource.held or resource.observe_only or quiet:
        return resource
    return await ports.cluster.hold(resource)


async def _take_step(kind: Kind, reporter: Reporter, ports: Ports, memories: Memories) -> Step:
    resource = reporter.resource
    pause = paused(resource, ports.clock.now())
    if pause is not None and not resource.deleting and resource.status.get("attempt") is None:
        memories.starts.forget(resource.key)
        await reporter.write(pause, {})
        return pause
    if runs.was_never_started(kind, resource):
        memories.starts.forget(resource.key)
        await reporter.write(runs.NEVER_STARTED, {})
        return runs.NEVER_STARTED
    is_new = memories.recalls[resource.key].is_new(ports.clock.elapsed())
    identity = await identify(resource, ports, is_new=is_new)
    if not isinstance(identity, Identity):
        memories.starts.failed(resource.key, ports.clock.elapsed())
        return await _without_identity(identity, reporter)
    try:
        return await _look_and_act(kind, reporter, identity, ports, memories)
    except ServiceError as error:
        memories.starts.failed(resource.key, ports.clock.elapsed())
        if error.failure is Failure.QUOTA:
            memories.starts.learn(identity, error)
        return await _after(error, reporter, ports, memories.recalls[resource.key])


async def _without_identity(step: Step, reporter: Reporter) -> Step:
    resource = reporter.resource
    step = teardown.without_aws(resource) or step
    if isinstance(step, Release):
        await reporter.ports.cluster.release(resource)
    elif isinstance(step, Stall) or not resource.is_true("Ready"):
        await reporter.write(step, {})
    return step


async def _look_and_act(
    kind: Kind, reporter: Reporter, identity: Identity, ports: Ports, memories: Memories
) -> Step:
    resource, starts = reporter.resource, memories.starts
    recall = memories.recalls[resource.key]
    neighbours = {name: await ports.cluster.list(name) for name in kind.neighbours}
    found = await resolve(Search(kind, resource, identity, ports, recall, reporter.began))
    supplied = await supply(kind, resource, ports, recall)
    parameters = references.parameters(kind, supplied.resource, found.filled)
    unmade = resource.status.get("identifier") is None
    lack = (found.lack or supplied.lack) if unmade else None
    if lack is not None and not references.whereabouts(kind) <= parameters.keys():
        # It cannot even be looked for.
        starts.forget(resource.key)
        return await _unresolved(kind, lack, reporter)
    if references.names_anything(kind) or resource.condition(RESOLVED) is not None:
        reporter.facts = (_resolved(lack),)
    view = View(kind, resource, identity, parameters, ports, recall, neighbours, supplied.hash)
    recall.ask(resource.status.get(ATTEMPT_OF_CHANGE), view.elapsed)
    observed = await observe(view)
    await look_at_membership(view)
    refusal = await refusals.standing(view)
    situation = _situation(view, observed, lack, refusal)
    if isinstance(observed, Present) and observed.bound:
        situation = await with_glances(view, situation, observed)
        reporter.observe(kind, situation, observed)
        reporter.compare(supplied)
    step = await _act(view, situation, reporter, starts)
    if found.lack is not None:
        # The cluster itself shows when that is over.
        starts.forget(resource.key)
    return step


async def _act(view: View, situation: Situation, reporter: Reporter, starts: Starts) -> Step:
    resource, recall = view.resource, view.recall
    step = await _considered(view, situation, reporter, starts)
    await perform(view, step, reporter)
    starts.concluded(resource.key, step, view.elapsed)
    if not isinstance(situation.observed, Hidden) and situation.refusal is None:
        recall.denied = None
    if situation.observe_only and resource.held and resource.status.get("attempt") is None:
        await view.ports.cluster.release(reporter.resource)
    return step


async def _considered(view: View, situation: Situation, reporter: Reporter, starts: Starts) -> Step:
    """Return the step, after all has been asked that is to be known before money is spent."""
    try:
        step = await payable(view, situation, next_step(view.kind, situation), reporter)
        step = await approved(view, step, reporter)
        return await admitted(view, step, starts)
    except ServiceError as error:
        if isinstance(situation.observed, Disproved) and not failures.is_passing(error):
            # An attempt that made nothing is not kept open for what may never be shown.
            return Discard()
        raise


def _resolved(lack: Lack | None) -> Fact:
    if lack is None:
        return Fact(RESOLVED, "True", Reason.RESOLVED, "All that it names is there")
    return Fact(RESOLVED, "False", lack.reason, lack.message)


async def _unresolved(kind: Kind, step: Wait | Stall, reporter: Reporter) -> Step:
    resource = reporter.resource
    if resource.deleting:
        end = teardown.unplaced(resource, step)
        if end is None:
            await reporter.write(step, {})
            return step
        await reporter.ports.cluster.release(resource)
        return end
    reporter.facts = (_resolved(step),)
    unmade = resource.status.get("attempt") is None and not resource.observe_only
    if unmade and runs.is_called_off(kind, resource):
        step = runs.NEVER_STARTED
    await reporter.write(step, {})
    return step


def _situation(
    view: View, observed: Observed, lack: Lack | None, refusal: Refusal | None
) -> Situation:
    kind, ports, resource = view.kind, view.ports, view.resource
    return Situation(
        resource=resource,
        parameters=view.parameters,
        parameters_hash=view.parameters_hash,
        observed=observed,
        account=view.identity.account,
        now=ports.clock.now(),
        service=kind.service,
        signature=view.signature,
        denied_grace=ports.policy.pace.denied_grace,
        release_limit=ports.policy.pace.release_limit,
        watched=view.elapsed - view.recall.seen,
        refusal=refusal,
        deleted_for=None if view.recall.ended is None else view.elapsed - view.recall.ended,
        delete_again=_delete_again(view),
        lack=lack,
        closed=None if view.recall.closed is None else view.elapsed - view.recall.closed,
        unmarkable=view.recall.unmarkable,
        untaggable=view.recall.untaggable,
        let_go=view.recall.let_go,
        neighbours=view.neighbours,
        certain=_is_certain(view),
    )


def _delete_again(view: View) -> float:
    """Return seconds after which a deletion that came to nothing is asked for again."""
    # Who asks for a look has mended what AWS named.
    asked = view.requested is not None
    return 0.0 if asked else reluctance(view.recall.endings, view.ports.policy.pace)


def _is_certain(view: View) -> bool:
    """Whether requests were read late enough to show what an open change attempt made (R-6)."""
    recall = view.recall
    read_at = recall.read_at.get(CHANGE_REQUESTS.name, recall.asking_since)
    return read_at > recall.asking_since + view.ports.policy.pace.settle


async def _after(error: ServiceError, reporter: Reporter, ports: Ports, recall: Recall) -> Step:
    """Say what an error means for the resource; raise it where it means nothing for it."""
    resource = reporter.resource
    if (end := teardown.without_aws(resource)) is not None:
        await ports.cluster.release(resource)
        return end
    if failures.is_passing(error) and is_settled(resource):
        raise error
    step = failures.step_after(error, trouble(error, resource, ports, recall))
    reporter.error = error
    await reporter.write(step, {})
    if failures.is_passing(error):
        raise error
    return step


def _again(kind: Kind, step: Step, reporter: Reporter, recall: Recall) -> float | None:
    """Return seconds until the next look; None where only a change can matter."""
    ports = reporter.ports
    pace = ports.policy.pace
    match step:
        case Release():
            return None
        case Pause(_, until):
            return None if until is None else (until - ports.clock.now()).total_seconds()
        case Wait(Reason.NOT_APPROVED):
            return None
        case Wait(reason):
            return _patience(reason, recall, pace)
        case Stall():
            return _recheck(reporter.resource, pace)
        case InSync():
            return max(min(pace.list_interval, _turn(kind, reporter, recall)), 0.0)
        case _:
            return 0.0 if recall.repeats == 0 else _soon(recall.repeats, pace)


def _recheck(resource: Resource, pace: Pace) -> float:
    """Return seconds until a stalled resource is looked at: its spec is frozen by an attempt."""
    if resource.status.get("attempt") is None:
        return pace.list_interval
    return min(pace.settle + 1.0, pace.list_interval)


def _patience(reason: Reason, recall: Recall, pace: Pace) -> float:
    """Return seconds until what is waited for is looked for again."""
    match reason:
        case Reason.DELETING | Reason.CONFIRMING_ABSENCE:
            return _soon(recall.waits, pace)
        case Reason.PROGRESSING:
            return pace.progress_interval
        case Reason.PAYER_NOT_READY:
            # Whoever it waits for wakes it, or the List that all who wait share.
            return pace.list_interval
        case Reason.QUEUED_FOR_BUDGET:
            return pace.list_interval if recall.resume is None else recall.resume
        case Reason.QUEUED_FOR_QUOTA:
            return min(patience(recall.waits, pace), LONGEST_QUEUEING * pace.progress_interval)
        case _:
            return patience(recall.waits, pace)


def _turn(kind: Kind, reporter: Reporter, recall: Recall) -> float:
    """Return seconds until the details of what is well are read again by themselves."""
    clock = reporter.ports.clock
    elapsed, now = clock.elapsed(), clock.now()
    if kind.can_drift:
        interval = reporter.ports.policy.pace.detail_interval
        return next_turn(recall.uid, recall.taken, interval) - elapsed
    due = runs.next_publication(kind, reporter.resource, recall.last_look(elapsed, now))
    return inf if due is None else (due - now).total_seconds()


def _soon(times: int, pace: Pace) -> float:
    """Return seconds until what should be seen at once is looked for again."""
    return min(1.5 ** min(times, 64), pace.progress_interval)


def _deed(step: Step) -> str:
    if isinstance(step, Apply):
        return f"{step.change.operation} {step.change.parameters}"
    return type(step).__name__


def _urgency(step: Step, resource: Resource) -> Urgency:
    if resource.deleting or resource.status.get("observedGeneration") != resource.generation:
        return Urgency.CHANGE
    return Urgency.DRIFT if isinstance(step, InSync | Stall | Pause) else Urgency.PROGRESS


_DONE = {Create: Reason.CREATED, Resend: Reason.CREATED, Bind: Reason.ADOPTED}


def _remember_record(kind: Kind, step: Step, before: Resource, memories: Memories) -> None:
    """Remember what a deletion left unmarked, so that the next of its name is told (rule R-3)."""
    if isinstance(step, Bind):
        memories.take_over(before.key)
    elif isinstance(step, Release) and kind.is_run:
        unmarked = memories.recalls[before.key].unmarkable and step.reason is Reason.DELETED
        record = kind.handle.recorded(before.status)
        is_left = unmarked or step.reason is Reason.RELEASE_NOT_MARKED
        if record is not None and is_left:
            memories.leave(before.key, record)


def _tell(step: Step, before: Resource, reporter: Reporter) -> None:
    """Post what changed: what was done, and what stalls or blocks that did not before."""
    arn = reporter.resource.status.get("arn", "")
    match step:
        case Create() | Resend() | Bind():
            reporter.tell(_DONE[type(step)], "; ".join(filter(None, (arn, reporter.caveat))))
        case Apply(change):
            reporter.tell(Reason.UPDATED, f"{change.operation} {arn}")
        case Release(reason, message) if reason is not None:
            reporter.tell(reason, message, warning=reason is Reason.ABANDONED)
        case Cancel(_, operation, Reason.CANCELLING as reason) if not before.says(reason.value):
            reporter.tell(reason, f"{operation} {arn}")
        case Stall(reason, message) | Wait(Reason.DELETION_BLOCKED as reason, message):
            if not before.says(reason.value):
                reporter.tell(reason, message, warning=True)
        case _:
            pass
