"""Change requests: how tests put them together, and carry them through."""

from typing import Any

from parties import Party, Shared, paid, payment


def change(party: Party, abilities: list[str], **more: Any) -> dict[str, Any]:
    """Return a MEMBER change."""
    given = {"accountId": party.account, "memberAbilities": abilities, **more}
    return {"specificationType": "MEMBER", "specification": {"member": given}}


def approving(*types: str) -> dict[str, Any]:
    """Return a change of what is approved beforehand."""
    wanted = {"autoApprovedChangeTypes": list(types)}
    return {"specificationType": "COLLABORATION", "specification": {"collaboration": wanted}}


def ask(shared: Shared, *changes: dict[str, Any]) -> Any:
    return shared.creator.cleanrooms.create_collaboration_change_request(
        collaborationIdentifier=shared.id, changes=list(changes)
    )["collaborationChangeRequest"]


def act(party: Party, shared: Shared, request: Any, action: str) -> Any:
    return party.cleanrooms.update_collaboration_change_request(
        collaborationIdentifier=shared.id, changeRequestIdentifier=request["id"], action=action
    )["collaborationChangeRequest"]


def carry(shared: Shared, bob: Party, *changes: dict[str, Any]) -> Any:
    """Ask, let bob approve, and commit."""
    request = ask(shared, *changes)
    act(bob, shared, request, "APPROVE")
    return act(shared.creator, shared, request, "COMMIT")


def assigned(shared: Shared, party: Party) -> dict[str, bool]:
    return paid(shared.seen_by(shared.creator)[party.account]["paymentConfiguration"])


def accepted(shared: Shared, party: Party) -> dict[str, bool]:
    return paid(shared.show(party)["paymentConfiguration"])


def leaf(*costs: str, no: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"paymentConfiguration": payment(*costs, no=no)}
