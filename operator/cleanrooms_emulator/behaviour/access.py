"""Who may see and do what: collaborations by membership or invitation, memberships by account."""

from cleanrooms_emulator.behaviour.objects import Collaboration, Member, Membership
from cleanrooms_emulator.behaviour.world import COLLABORATION, MEMBERSHIP, World, denied, missing
from cleanrooms_emulator.request import Caller, ServiceError


def unentitled(world: World, kind: str, identifier: str) -> ServiceError:
    """Return what a caller is told of an object that is not its own (ER-3)."""
    if world.rules.unentitled == "not-found":
        return missing(kind, identifier)
    return denied(f"no access to {kind.lower()} {identifier}")


def members_of(world: World, collaboration: str) -> list[Member]:
    """Return the members of a collaboration, gone ones included, the creator first."""
    return list(world.store.list(Member, collaboration))


def seen_collaboration(world: World, caller: Caller, identifier: str) -> Collaboration | None:
    """Return the collaboration if the caller is invited to it or active in it, in its region."""
    found = world.store.get(Collaboration, identifier)
    member = world.store.get(Member, f"{identifier}/{caller.account}")
    if found is None or found.is_deleted or found.region != caller.region:
        return None
    return found if member is not None and member.is_present else None


def collaboration_or_denied(world: World, caller: Caller, identifier: str) -> Collaboration:
    """Return the collaboration, for operations that model no ResourceNotFoundException."""
    found = seen_collaboration(world, caller, identifier)
    if found is None:
        message = f"no access to collaboration {identifier}"
        raise denied(message)
    return found


def collaboration_or_unentitled(world: World, caller: Caller, identifier: str) -> Collaboration:
    """Return the collaboration, for operations that model ResourceNotFoundException (ER-3)."""
    found = seen_collaboration(world, caller, identifier)
    if found is None:
        raise unentitled(world, COLLABORATION, identifier)
    return found


def owned_collaboration(world: World, caller: Caller, identifier: str) -> Collaboration:
    """Return the collaboration that the caller has created."""
    found = collaboration_or_denied(world, caller, identifier)
    if found.creator != caller.account:
        message = f"collaboration {identifier} belongs to another account"
        raise denied(message)
    return found


def own_membership(
    world: World, caller: Caller, identifier: str, *, hide: bool = False
) -> Membership:
    """Return the caller's membership, in whatever state it is.

    `hide` is for operations that do not model ResourceNotFoundException.
    """
    found = world.store.get(Membership, identifier)
    if found is not None and found.region == caller.region and found.account == caller.account:
        return found
    if hide:
        message = f"no access to membership {identifier}"
        raise denied(message)
    if found is None or found.region != caller.region:
        raise missing(MEMBERSHIP, identifier)
    raise unentitled(world, MEMBERSHIP, identifier)


def ml_membership(
    world: World, caller: Caller, identifier: str, *, hide: bool = False
) -> Membership:
    """Return the caller's membership for reading or deleting ML objects under it (ER-26)."""
    found = own_membership(world, caller, identifier, hide=hide)
    if found.status != "ACTIVE" and world.rules.dead_membership == "denied":
        message = f"membership {identifier} is {found.status}"
        raise denied(message)
    return found


def living_membership(
    world: World, caller: Caller, identifier: str, *, hide: bool = False
) -> Membership:
    """Return the caller's membership for creating something under it: it must be ACTIVE."""
    found = own_membership(world, caller, identifier, hide=hide)
    if found.status != "ACTIVE":
        message = f"membership {identifier} is {found.status}"
        raise denied(message)
    return found


def querying_membership(world: World, caller: Caller, identifier: str) -> Membership:
    """Return the ACTIVE membership of the member that can query, and so train and infer."""
    found = living_membership(world, caller, identifier)
    member = world.store.get(Member, f"{found.collaboration}/{found.account}")
    if member is None or "CAN_QUERY" not in member.abilities:
        message = f"membership {identifier} does not have CAN_QUERY"
        raise denied(message)
    return found


def joined_collaboration(
    world: World, caller: Caller, identifier: str, *, hide: bool = False
) -> Collaboration:
    """Return the collaboration that the caller is ACTIVE in, for views of what others made."""
    found = seen_collaboration(world, caller, identifier)
    member = world.store.get(Member, f"{identifier}/{caller.account}")
    if found is not None and member is not None and member.status == "ACTIVE":
        return found
    if hide:
        message = f"no access to collaboration {identifier}"
        raise denied(message)
    raise unentitled(world, COLLABORATION, identifier)
