"""What keeps an object from being deleted because others are still made of it, or under it."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.references import stand_ins
from cleanrooms_operator.core.resource import Document, Resource
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import Blocker, Lifecycle, Present
from cleanrooms_operator.core.values import Reference

# -- what is made of it ----------------------------------------------------------------------


def blockers(kind: Kind, situation: Situation, present: Present) -> tuple[Blocker, ...]:
    """Return the resources for which AWS refuses the deletion of what they were made of.

    Whatever they name it by counts: a reference, the ARN, or the account and name. One that is
    perhaps wrong, as of another version of the same ARN, holds it no longer than its run lasts.
    What is going or over already is kept by nobody.
    """
    if present.lifecycle not in {Lifecycle.READY, Lifecycle.FAILED}:
        return ()
    return tuple(
        Blocker(f"{user.key} in namespace {user.key.namespace} still uses it")
        for users in kind.users
        for user in situation.neighbours.get(users.name, ())
        if user.key != situation.resource.key  # a version names its own ARN
        and user.held
        and _needs(kind, users, user)
        and _is_named(users, user, situation, present)
    )


def _needs(kind: Kind, users: Kind, user: Resource) -> bool:
    """Whether the user's own object is being made, or needs what it was made of afterwards too."""
    status = user.status
    if status.get("identifier") is None:
        return status.get("attempt") is not None
    lifecycle = users.lifecycle_of(status.get("state"))
    is_live = lifecycle in {Lifecycle.READY, Lifecycle.FAILED}
    return lifecycle is Lifecycle.CHANGING or (is_live and users.name in kind.kept_by_live)


def _is_named(users: Kind, user: Resource, situation: Situation, present: Present) -> bool:
    if present.arn in _texts(user.spec):
        return True
    key, name = situation.resource.key, situation.parameters.get("name")
    shared = {"creatorAccountId": situation.account, "name": name}
    return any(
        (user.key.namespace, one.value["name"]) == (key.namespace, key.name)
        if isinstance(one.how, Reference)
        else one.value == shared
        for one in stand_ins(users, user)
        if one.how.kind == key.kind
    )


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a document."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


# -- what is under it ------------------------------------------------------------------------

UNDER_MEMBERSHIPS = (
    "ConfiguredModelAlgorithmAssociation",
    "MLInputChannel",
    "TrainedModel",
    "InferenceJob",
)
"""The kinds whose objects live under a membership."""

OVER = frozenset({"REMOVED", "COLLABORATION_DELETED"})
"""States of a membership in which AWS may let nobody do anything under it (rule ER-26)."""

_NOTHING_LEFT = frozenset(
    {
        *((kind, state) for kind in UNDER_MEMBERSHIPS for state in ("INACTIVE", "CREATE_FAILED")),
        ("InferenceJob", "ACTIVE"),
    }
)
"""(kind, state) of objects of which only the record is left."""


def under_membership(situation: Situation, present: Present) -> Iterator[Blocker]:
    """Yield the resources that still have an object under a membership."""
    for user in _users(situation):
        if user.status.get("membershipIdentifier") == present.identifier and user.held:
            message = f"{_where(user)} has an object under this membership{_going(user)}"
            yield Blocker(message, first=True)


def is_needed(situation: Situation) -> bool:
    """Whether resources still have an object under a membership, seen or not."""
    identifier = situation.resource.status.get("identifier")
    return any(
        user.status.get("membershipIdentifier") == identifier and user.held
        for user in _users(situation)
    )


def closed_for(situation: Situation) -> float | None:
    """Return for how many seconds the membership that an object is under has been over, if it is.

    By its resource, which is not Ready from then on; without one, by what was seen in AWS.
    """
    identifier = situation.resource.status.get("membershipIdentifier")
    for each in situation.neighbours.get("Membership", ()):
        ready = each.condition("Ready")
        is_it = each.status.get("identifier") == identifier
        if is_it and each.status.get("state") in OVER and ready is not None:
            since = datetime.fromisoformat(ready["lastTransitionTime"])
            return (situation.now - since).total_seconds()
    return situation.closed


def under_collaboration(situation: Situation, present: Present) -> Iterator[Blocker]:
    """Yield what has to be deleted while the collaboration still exists.

    AWS deletes a collaboration whatever is under it, and may then let nobody delete that. What
    is not being deleted in another namespace is its owners' concern: they have been asked for.
    """
    memberships = [
        membership
        for membership in situation.neighbours.get("Membership", ())
        if membership.status.get("collaborationIdentifier") == present.identifier
    ]
    identifiers = {membership.status.get("identifier") for membership in memberships}
    for user in _users(situation):
        under = user.status.get("membershipIdentifier") in identifiers
        if under and user.held and _has_to_go(user, situation.resource):
            yield Blocker(f"{_where(user)} has an object under this collaboration{_going(user)}")
    for membership in memberships:
        ours = membership.status.get("accountID") == situation.account
        if ours and _puts(membership):
            yield Blocker(
                f"{_where(membership)} still has its ML configuration: it is deleted with that "
                "Membership"
            )


def _users(situation: Situation) -> Iterator[Resource]:
    for kind in UNDER_MEMBERSHIPS:
        yield from situation.neighbours.get(kind, ())


def _has_to_go(user: Resource, collaboration: Resource) -> bool:
    if user.deleting:
        return True
    left = (user.key.kind, user.status.get("state")) not in _NOTHING_LEFT and not user.retained
    return left and user.key.namespace == collaboration.key.namespace


def _puts(membership: Resource) -> bool:
    configuration: Document = membership.status.get("mlConfiguration") or {}
    return bool(configuration.get("putBy"))


def _where(resource: Resource) -> str:
    return f"{resource.key} in namespace {resource.key.namespace}"


def _going(user: Resource) -> str:
    return "" if user.deleting else ": delete it too"
