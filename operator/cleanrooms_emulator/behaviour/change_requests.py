"""Change requests: what the creator wants of the others, and what they say to it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cleanrooms_emulator.behaviour.access import collaboration_or_unentitled
from cleanrooms_emulator.behaviour.changes import apply, planned
from cleanrooms_emulator.behaviour.lists import Listing
from cleanrooms_emulator.behaviour.objects import ChangeRequest, Collaboration, Member
from cleanrooms_emulator.behaviour.votes import ballot, outcome
from cleanrooms_emulator.behaviour.world import (
    COLLABORATION,
    World,
    conflict,
    denied,
    invalid,
    missing,
)
from cleanrooms_emulator.request import Caller, Document, ServiceError

_NAME = "collaborationChangeRequest"


def create_collaboration_change_request(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Ask for changes; they take effect at once where all their types are approved beforehand."""
    collaboration = _seen(world, caller, parameters)
    _check_creator(collaboration, caller)
    plan = planned(world, collaboration, parameters["changes"])
    types = {name for change in plan for name in change.types}
    if not types and world.rules.empty_change == "refuse":
        message = "the request changes nothing"
        raise invalid(message)
    is_auto = bool(types) and types <= set(collaboration.auto_approved or ())
    votes = {} if is_auto else ballot(world, collaboration)
    changes = zip(parameters["changes"], plan, strict=True)
    request = ChangeRequest(
        id=world.ids.uuid(),
        collaboration=collaboration.id,
        status="COMMITTED" if is_auto else outcome(votes),
        is_auto_approved=is_auto,
        changes=tuple({**sent, "types": list(change.shown_types)} for sent, change in changes),
        approvals=votes,
        created=world.now,
        updated=world.now,
    )
    if is_auto:
        apply(world, collaboration, plan)
    return {_NAME: _show(world.store.put(request))}


def get_collaboration_change_request(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Return a request of the collaboration."""
    collaboration = _seen(world, caller, parameters)
    return {_NAME: _show(_request(world, collaboration, parameters))}


def list_collaboration_change_requests(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """List the requests of the collaboration, the oldest first."""
    collaboration = _seen(world, caller, parameters)
    wanted = parameters.get("status")
    found = [
        each
        for each in world.store.list(ChangeRequest, collaboration.id)
        if wanted in {None, each.status}
    ]
    listing = Listing("collaborationChangeRequestSummaries", found, _show)
    return listing.answer(world, caller, parameters)


def update_collaboration_change_request(
    world: World, caller: Caller, parameters: Mapping[str, Any]
) -> Document:
    """Approve or deny as a member, cancel or commit as the creator."""
    collaboration = _seen(world, caller, parameters)
    request = _request(world, collaboration, parameters)
    match parameters["action"]:
        case "APPROVE":
            changed = _voted(request, caller, "APPROVED")
        case "DENY":
            changed = _voted(request, caller, "DENIED")
        case "CANCEL":
            _check_creator(collaboration, caller)
            changed = _cancelled(request)
        case _:
            _check_creator(collaboration, caller)
            changed = _committed(world, collaboration, request)
    return {_NAME: _show(world.store.put(replace(changed, updated=world.now)))}


def _seen(world: World, caller: Caller, parameters: Mapping[str, Any]) -> Collaboration:
    """Return the collaboration for its creator and its ACTIVE members.

    INVITED ones see requests where they vote on them (ER-15).
    """
    found = collaboration_or_unentitled(world, caller, parameters["collaborationIdentifier"])
    member = world.store.get(Member, f"{found.id}/{caller.account}")
    has_joined = member is not None and member.status == "ACTIVE"
    if has_joined or caller.account == found.creator or world.rules.voters == "all":
        return found
    message = f"account {caller.account} has not joined collaboration {found.id}"
    raise denied(message)


def _check_creator(collaboration: Collaboration, caller: Caller) -> None:
    if caller.account != collaboration.creator:
        message = f"collaboration {collaboration.id} belongs to another account"
        raise denied(message)


def _request(
    world: World, collaboration: Collaboration, parameters: Mapping[str, Any]
) -> ChangeRequest:
    identifier = parameters["changeRequestIdentifier"]
    found = world.store.get(ChangeRequest, identifier)
    if found is None or found.collaboration != collaboration.id:
        raise missing(COLLABORATION, identifier)
    return found


def _voted(request: ChangeRequest, caller: Caller, vote: str) -> ChangeRequest:
    """Return the request with the caller's vote, which is cast once."""
    if request.status != "PENDING":
        raise _out_of_turn(request, request.status)
    if caller.account not in request.approvals:
        message = f"account {caller.account} has no vote on change request {request.id}"
        raise denied(message)
    if request.approvals[caller.account] != "PENDING":
        raise _out_of_turn(request, f"{request.approvals[caller.account]} already")
    votes = {**request.approvals, caller.account: vote}
    return replace(request, approvals=votes, status=outcome(votes))


def _cancelled(request: ChangeRequest) -> ChangeRequest:
    if request.status not in {"PENDING", "APPROVED"}:
        raise _out_of_turn(request, request.status)
    return replace(request, status="CANCELLED")


def _committed(world: World, collaboration: Collaboration, request: ChangeRequest) -> ChangeRequest:
    """Let an approved request take effect, unless the collaboration has moved on since."""
    if request.status != "APPROVED":
        raise _out_of_turn(request, request.status)
    try:
        plan = planned(world, collaboration, request.changes)
    except ServiceError as error:
        raise _out_of_turn(request, error.message) from None
    apply(world, collaboration, plan)
    return replace(request, status="COMMITTED")


def _out_of_turn(request: ChangeRequest, why: str) -> ServiceError:
    message = f"change request {request.id}: {why}"
    return conflict(message, COLLABORATION, request.collaboration, "INVALID_STATE")


def _show(request: ChangeRequest) -> Document:
    votes = {voter: {"status": vote} for voter, vote in request.approvals.items()}
    return {
        "id": request.id,
        "collaborationId": request.collaboration,
        "createTime": request.created,
        "updateTime": request.updated,
        "status": request.status,
        "isAutoApproved": request.is_auto_approved,
        "changes": [dict(change) for change in request.changes],
        **({"approvals": votes} if votes else {}),
    }
