"""Whether what a run makes can be delivered, as far as that can be seen (rule R-25)."""

from collections.abc import Sequence
from dataclasses import dataclass

from cleanrooms_operator.core.kind import Delivery
from cleanrooms_operator.core.resource import Document, Resource
from cleanrooms_operator.core.shared import COLLABORATION

CONFIGURATION = ("cleanroomsml", "GetMLConfiguration")
"""What tells an account where its output goes; it is shown to that account alone."""


@dataclass(frozen=True, slots=True)
class Receivers:
    """What is known of those who may receive what a run makes."""

    collaboration: str
    members: Sequence[Document]
    """As ListMembers shows them."""
    memberships: Sequence[Resource]
    """Those of this cluster, of whatever collaboration."""

    def joined(self, account: str) -> Resource | None:
        """Return the Membership of this cluster by which an account has joined."""
        wanted = (self.collaboration, account, "ACTIVE")
        told = (COLLABORATION, "accountID", "state")
        found = (each for each in self.memberships if tuple(map(each.status.get, told)) == wanted)
        return next(found, None)


def lack(delivery: Delivery, parameters: Document, receivers: Receivers) -> str | None:
    """Say why the output would not be delivered, by what cluster and collaboration show."""
    account = delivery.receiver(parameters)
    who = f"{account}, who is to receive the output,"
    member = next((each for each in receivers.members if each["accountId"] == account), None)
    if member is None:
        return f"{who} is no member of the collaboration"
    if delivery.ability not in (member.get("mlAbilities") or {}).get("customMLMemberAbilities", ()):
        return f"{who} does not have {delivery.ability}"
    joined = receivers.joined(account)
    if joined is None:
        return None if member["status"] == "ACTIVE" else f"{who} has not joined"
    declared = joined.spec.get("mlConfiguration")
    if declared is None or (_has_destination(declared) and joined.is_true("Ready")):
        return None
    lacks = "is not ready" if _has_destination(declared) else "declares no destination for it"
    return f"{_where(joined)}, whose account is to receive the output, {lacks}"


def unconfigured(account: str, joined: Resource | None, shown: Document) -> str | None:
    """Say that an account's ML configuration, as AWS shows it, has no place for the output."""
    if _has_destination(shown):
        return None
    declared_by = "its Membership" if joined is None else _where(joined)
    return (
        f"{account}, who is to receive the output, has no ML configuration with a destination for "
        f"it: declare `mlConfiguration` in {declared_by}, or put one"
    )


def unseen(account: str) -> str:
    """Say what could not be made certain of."""
    return f"whether {account} has an ML configuration to receive the output cannot be seen here"


def _has_destination(configuration: Document) -> bool:
    return "destination" in (configuration.get("defaultOutputLocation") or {})


def _where(joined: Resource) -> str:
    return f"{joined.key} in namespace {joined.key.namespace}"
