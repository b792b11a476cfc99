"""A pass over an AWSAccount: whether its namespace may use the identity, and whether it answers."""

from fnmatch import fnmatchcase

from cleanrooms_operator.core.decide import paused
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.pace import Urgency, patience
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import account_of
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.core.step import Pause, Release, Stall, Step, Wait, Works
from cleanrooms_operator.runtime.identify import identity_of, is_proved
from cleanrooms_operator.runtime.memory import Memories, Recall
from cleanrooms_operator.runtime.outcome import GONE, Outcome
from cleanrooms_operator.runtime.ports import Policy, Ports
from cleanrooms_operator.runtime.report import Reporter


async def reconcile_account(
    key: Key, kinds: tuple[str, ...], ports: Ports, memories: Memories
) -> Outcome:
    """Prove that an AWSAccount works, or say why not; keep it while a resource uses it.

    `kinds` are the names of the kinds whose resources use accounts.
    """
    account = await ports.cluster.read(key)
    if account is None or (account.deleting and not account.held):
        memories.forget(key)
        return GONE
    recall = memories.of(account, ports.clock.elapsed())
    reporter = Reporter(ports, account)
    pause = paused(account, ports.clock.now())
    step: Step
    if account.deleting:
        step = await _let_go(reporter, kinds, ports, recall)
    elif pause is not None:
        step = pause
    else:
        if not account.held:
            reporter.resource = await ports.cluster.hold(account)
        step = await _prove(reporter, ports, recall)
    if isinstance(step, Release):
        await ports.cluster.release(reporter.resource)
    else:
        await reporter.write(step, {})
    rests = isinstance(step, Works | Pause)
    recall.waits = 0 if rests else recall.waits + 1
    urgency = Urgency.DRIFT if rests else Urgency.PROGRESS
    again = _again(step, recall, ports)
    return Outcome(type(step).__name__, again, urgency, tuple(reporter.events))


def _again(step: Step, recall: Recall, ports: Ports) -> float | None:
    pace = ports.policy.pace
    match step:
        case Pause(_, until):
            return None if until is None else (until - ports.clock.now()).total_seconds()
        case Release():
            return None
        case Works():
            return pace.detail_interval
        case _:
            return patience(recall.waits, pace)


async def _let_go(reporter: Reporter, kinds: tuple[str, ...], ports: Ports, recall: Recall) -> Step:
    account, namespace = reporter.resource, reporter.resource.key.namespace
    users = [
        str(resource.key)
        for kind in kinds
        for resource in await ports.cluster.list(kind, namespace)
        if account_of(resource) == account.key and resource.held
    ]
    if users:
        if not is_proved(account):
            # What uses it still has to clean up with it.
            await _prove(reporter, ports, recall)
        return Wait(Reason.DELETION_BLOCKED, f"Used by {', '.join(sorted(users))}: delete them too")
    return Release()


async def _prove(reporter: Reporter, ports: Ports, recall: Recall) -> Step:
    account = reporter.resource
    if (problem := forbidden(account, ports.policy)) is not None:
        return Stall(Reason.NOT_ALLOWED, problem)
    identity = identity_of(account, ports.policy)
    try:
        answer = await ports.service.call(identity, "sts", "GetCallerIdentity", {})
    except ServiceError as error:
        if error.failure in {Failure.THROTTLED, Failure.UNAVAILABLE}:
            raise
        reporter.error = error
        return _denied(error, recall, ports)
    recall.denied = None
    if answer["Account"] != account.spec["accountID"]:
        message = f"The credentials belong to account {answer['Account']}"
        return Stall(Reason.ACCESS_DENIED, message)
    reporter.fields = {"accountID": answer["Account"], "arn": answer["Arn"]}
    return Works()


def _denied(error: ServiceError, recall: Recall, ports: Ports) -> Step:
    if recall.deny(ports.clock.elapsed()) > ports.policy.pace.denied_grace:
        return Stall(Reason.ACCESS_DENIED, str(error))
    return Wait(Reason.ACCESS_DENIED, str(error))


def forbidden(account: Resource, policy: Policy) -> str | None:
    """Return why the operator's settings do not let a namespace use this identity, or None."""
    namespace, profile = account.key.namespace, account.spec.get("endpointProfile")
    roles = _roles(account)
    if profile is not None and profile not in policy.endpoint_profiles:
        known = ", ".join(sorted(policy.endpoint_profiles)) or "none"
        return f"endpointProfile {profile!r} is not one of the operator's settings: {known}"
    if not roles:
        if _any(policy.own_identity_namespaces, namespace):
            return None
        return (
            f"Namespace {namespace} may not use the operator's own identity: name a roleARN, or "
            "list the namespace in the operator's setting own_identity_namespaces"
        )
    allowed = tuple(
        pattern
        for namespaces, patterns in policy.role_patterns.items()
        if fnmatchcase(namespace, namespaces)
        for pattern in patterns
    )
    refused = [role for role in roles if not _any(allowed, role)]
    if not refused:
        return None
    return (
        f"Namespace {namespace} may not assume {' nor '.join(refused)}: the operator's setting "
        "roles has no pattern for it"
    )


def _roles(account: Resource) -> list[str]:
    """Return the ARNs of all roles that are assumed, one after the other."""
    spec = account.spec
    through = [each["roleARN"] for each in spec.get("intermediateRoles") or ()]
    return [*through, *([spec["roleARN"]] if "roleARN" in spec else ())]


def _any(patterns: tuple[str, ...], text: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
