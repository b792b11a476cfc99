"""ML objects by their ARN, names that are taken, and what their records have in common."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from cleanrooms_emulator.behaviour.ml_objects import Algorithm, Association, Run
from cleanrooms_emulator.behaviour.objects import Membership, Tags
from cleanrooms_emulator.behaviour.world import World, conflict, missing
from cleanrooms_emulator.request import Document

Shared = TypeVar("Shared", bound=Run | Association)


def under_membership(world: World, table: type[Shared], membership: Membership, key: str) -> Shared:
    """Return the object of a membership; `key` is its ARN."""
    found = world.store.get(table, key)
    if found is None or found.membership != membership.id:
        raise missing(table.__name__, key)
    return found


def in_collaboration(world: World, table: type[Shared], collaboration: str, key: str) -> Shared:
    """Return the object that some member has in the collaboration."""
    found = world.store.get(table, key)
    if found is None or found.collaboration != collaboration:
        raise missing(table.__name__, key)
    return found


def check_name(world: World, name: str, others: Iterable[Algorithm | Association | Run]) -> None:
    """Refuse a name that is taken, under two readings of ER-1."""
    rule = world.rules.duplicate_names
    if rule == "allowed":
        return
    for other in others:
        is_past = isinstance(other, Run) and other.is_over
        if other.name == name and (rule == "refused" or not is_past):
            message = f"{type(other).__name__} {name!r} exists"
            raise conflict(message, type(other).__name__, other.arn, "ALREADY_EXISTS")


def ml_arn(membership: Membership, kind: str, identifier: str) -> str:
    """Return the ARN of an ML object of that kind under a membership."""
    owner = f"arn:aws:cleanrooms-ml:{membership.region}:{membership.account}"
    return f"{owner}:membership/{membership.id}/{kind}/{identifier}"


def pick(document: Mapping[str, Any], *names: str) -> Document:
    """Return the members of `document` of these names that it has."""
    return {name: document[name] for name in names if name in document}


def tags_of(world: World, key: str) -> Document:
    """Return the tags of an object as its owner's Get shows them."""
    held = world.store.get(Tags, key)
    return {"tags": dict(held.tags)} if held and held.tags else {}


def summary_of(run: Run) -> Document:
    """Return what every view of a run has."""
    return {
        "createTime": run.created,
        "updateTime": run.updated,
        "membershipIdentifier": run.membership,
        "collaborationIdentifier": run.collaboration,
        "name": run.name,
        "status": run.status,
        **pick(run.given, "description"),
    }


def details_of(run: Run) -> Document:
    """Return the statusDetails of a run that failed."""
    return {} if run.details is None else {"statusDetails": dict(run.details)}
