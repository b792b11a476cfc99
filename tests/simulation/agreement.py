"""What may be asked of partners, and agreed to for them: looked at before every such call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanrooms_emulator.behaviour.objects import ChangeRequest
from cleanrooms_operator.core.resource import Document, Resource

if TYPE_CHECKING:
    from simulation.world import Pass, World

CREATE, UPDATE = "CreateCollaborationChangeRequest", "UpdateCollaborationChangeRequest"
OPEN = {"PENDING", "APPROVED"}


def allow(world: World, run: Pass, operation: str, parameters: Document) -> None:
    """Assert that a change request may be made, or that this answer to one may be given."""
    assert run.seen is not None
    if operation == CREATE:
        _allow_create(world, run, parameters)
    elif operation == UPDATE:
        request = world.aws.emulator.store.get(ChangeRequest, parameters["changeRequestIdentifier"])
        assert request is not None, "an answer to what was never asked"
        if parameters["action"] in {"APPROVE", "DENY"}:
            _allow_vote(run.seen, request, parameters["action"])
        else:
            recorded = world.resources[run.key].status.get("changeRequest") or {}
            known = {recorded.get("id"), (run.seen.status.get("changeRequest") or {}).get("id")}
            assert request.id in known or run.seen.status.get("changeAttempt"), "not ours"


def _allow_create(world: World, run: Pass, parameters: Document) -> None:
    """Assert the write-ahead record, and that no request of the operator is open."""
    stored = world.resources[run.key]
    attempt = stored.status.get("changeAttempt")
    assert attempt is not None, "asked without a record"
    open_ = [
        request.id
        for request in world.aws.emulator.store.list(
            ChangeRequest, parameters["collaborationIdentifier"]
        )
        if request.status in OPEN and request.id in world.guard.asked
    ]
    assert not open_, f"asked again beside {open_}"


def _allow_vote(seen: Resource, request: Any, action: str) -> None:
    """Assert that the spec asks for this vote."""
    declared = seen.spec.get("changeRequests") or {}
    if action == "DENY":
        assert request.id in declared["deny"]
        return
    types = {type_ for change in request.changes for type_ in change["types"]}
    named = request.id in declared.get("approve", ())
    assert named or types <= set(declared.get("autoApprove", ())), "approved unasked"
    if not named:
        for change in request.changes:
            member = change["specification"].get("member", {})
            paying = "ADD_PAYER_CANDIDATE" in change["types"]
            own = member.get("accountId") == seen.status.get("accountID")
            assert not (own and paying), "made to pay unasked"
