"""A pass over an AWSAccount: whether its namespace may use the identity, and whether it answers."""

from fnmatch import fnmatchcase

from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.pace import Pace, Urgency, patience
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import account_of
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.core.step import Release, Stall, Step, Wait, Works
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
    if account.deleting:
        step = await _let_go(reporter, kinds, ports, recall)
    else:
        if not account.held:
            reporter.resource = await ports.cluster.hold(account)
        step = await _prove(reporter, ports, recall)
    if isinstance(step, Release):
        await ports.cluster.release(reporter.resource)
    else:
        await reporter.write(step, {})
    recall.waits = 0 if isinstance(step, Works) else recall.waits + 1
    urgency = Urgency.DRIFT if isinstance(step, Works) else Urgency.PROGRESS
    again = _again(step, recall, ports.policy.pace)
    return Outcome(type(step).__name__, again, urgency, tuple(reporter.events))


def _again(step: Step, recall: Recall, pace: Pace) -> float | None:
    match step:
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
    namespace, spec = account.key.namespace, account.spec
    profile, role = spec.get("endpointProfile"), spec.get("roleARN")
    if profile is not None and profile not in policy.endpoint_profiles:
        known = ", ".join(sorted(policy.endpoint_profiles)) or "none"
        return f"endpointProfile {profile!r} is not one of the operator's settings: {known}"
    if role is None:
        if _any(policy.own_identity_namespaces, namespace):
            return None
        return (
            f"Namespace {namespace} may not use the operator's own identity: name a roleARN, or "
            "list the namespace in the operator's setting own_identity_namespaces"
        )
    allowed = (
        pattern
        for namespaces, roles in policy.role_patterns.items()
        if fnmatchcase(namespace, namespaces)
        for pattern in roles
    )
    if _any(tuple(allowed), role):
        return None
    return (
        f"Namespace {namespace} may not assume {role}: the operator's setting roles has no pattern "
        "for it"
    )


def _any(patterns: tuple[str, ...], text: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
