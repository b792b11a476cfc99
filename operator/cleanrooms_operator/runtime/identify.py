"""Whose identity acts for a resource: its AWSAccount, or the reason why there is none."""

from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import absent, account_of, membership_of
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.core.step import Release, Stall, Step, Wait
from cleanrooms_operator.runtime.ports import Identity, Policy, Ports, Via


async def identify(resource: Resource, ports: Ports, *, is_new: bool) -> Identity | Step:
    """Return the identity that acts for a resource, or the step that follows from its lack."""
    key = await _account_key(resource, ports)
    if key is None:
        return _orphaned(resource, absent(membership_of(resource), by_new=is_new))
    account = await ports.cluster.read(key)
    if account is None:
        return _without(resource, absent(key, by_new=is_new))
    if (problem := _problem(account, resource)) is not None:
        return _without(resource, problem)
    identity = identity_of(account, ports.policy)
    recorded = (resource.status.get("accountID"), resource.status.get("region"))
    if recorded not in {(None, None), (identity.account, identity.region)}:
        return Stall(
            Reason.ACCOUNT_CHANGED,
            f"The object lives in account {recorded[0]}, {recorded[1]}; {key} is account "
            f"{identity.account}, {identity.region}",
        )
    return identity


async def _account_key(resource: Resource, ports: Ports) -> Key | None:
    """Return the AWSAccount that acts: its own, or that of the Membership it names."""
    membership = membership_of(resource)
    if membership is None:
        return account_of(resource)
    found = await ports.cluster.read(membership)
    return None if found is None else account_of(found)


def _problem(account: Resource, resource: Resource) -> str | None:
    """Return why an account cannot be used; one that is going still serves what is going too."""
    if account.deleting:
        going_too = resource.deleting and is_proved(account)
        return None if going_too else f"{account.key} is being deleted"
    if account.is_true("Ready"):
        return None
    ready = account.condition("Ready")
    if ready is not None and ready["status"] == "False":
        return f"{account.key} is not ready: {ready['reason']}"
    return absent(account.key, by_new=True)


def is_proved(account: Resource) -> bool:
    """Whether STS has ever answered for the account that an AWSAccount names."""
    return bool(account.status.get("accountID") == account.spec["accountID"])


def identity_of(account: Resource, policy: Policy) -> Identity:
    """Return the identity that an AWSAccount describes."""
    spec = account.spec
    role = spec.get("roleARN")
    default = f"{policy.owner.id}/{account.key.namespace}" if role else None
    return Identity(
        account=spec["accountID"],
        region=spec["region"],
        role_arn=role,
        external_id=spec.get("externalID", default),
        endpoint_profile=spec.get("endpointProfile"),
        via=tuple(
            Via(each["roleARN"], each.get("externalID", default))
            for each in spec.get("intermediateRoles") or ()
        ),
    )


def _orphaned(resource: Resource, problem: str) -> Step:
    status = resource.status
    recorded = status.get("attempt") is not None or status.get("identifier") is not None
    if resource.deleting and not recorded:
        # AWS keeps a membership while anything is under it: what is not recorded went before it.
        return Release()
    return _without(resource, problem)


def _without(resource: Resource, problem: str) -> Wait:
    if resource.deleting:
        # An empty status proves nothing: a backup brings resources back without theirs.
        return Wait(Reason.DELETION_BLOCKED, f"Nobody can look for its AWS object: {problem}")
    return Wait(Reason.DEPENDENCY_NOT_READY, problem)
