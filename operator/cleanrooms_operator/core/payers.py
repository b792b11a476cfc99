"""Who pays for what in a collaboration: whom the creator named, and who has agreed.

ListMembers shows what the creator assigned, not who accepted; a membership shows its own account
alone. So of others it is often unknown whether they accepted (rule R-16).
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from cleanrooms_operator.core import changes, payments
from cleanrooms_operator.core.resource import Document, Resource
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.values import Value


class Candidate(Value):
    """An account that may be named as payer."""

    account_id: Annotated[str, Field(description="The account.")]
    assigned: Annotated[bool, Field(description="Whether the creator named it.")]
    accepted: Annotated[
        Literal["True", "False", "Unknown"],
        Field(
            description="Whether it agreed to pay. AWS shows this to the account alone: Unknown "
            "where this cluster does not manage its Membership and did not see it join."
        ),
    ]
    joined: Annotated[bool, Field(description="Whether it is an active member.")]
    effective_default: Annotated[
        bool | None,
        Field(description="Whether it pays because nobody is named, as the one who may query."),
    ] = None


class Payers(Value):
    """The candidates to pay for one cost type."""

    cost_type: Annotated[str, Field(description="Such as `queryCompute` or `modelTraining`.")]
    candidates: Annotated[list[Candidate], Field(description="Who may pay.")]


DEFAULT_PAYER = {
    "queryCompute": "CAN_QUERY",
    "machineLearning.modelTraining": "CAN_QUERY",
    "machineLearning.modelInference": "CAN_QUERY",
    "jobCompute": "CAN_RUN_JOB",
}
"""Cost type -> the ability of the member that pays where nobody is named.

SOURCE: the model of PaymentConfiguration; for synthetic data there is no default.
"""


def candidates(members: Iterable[Document], cost: str) -> tuple[list[Document], bool]:
    """Return (the members that may pay for a cost type, whether only by default)."""
    there = [member for member in members if member["status"] in changes.PRESENT]
    named = [member for member in there if cost in changes.pays(member)]
    if named:
        return named, False
    ability = DEFAULT_PAYER.get(cost)
    return [member for member in there if ability in member["abilities"]], True


def report(situation: Situation, identifier: str, members: Sequence[Document]) -> list[Document]:
    """Return `status.payers`: for each cost type the candidates, where there are any."""
    told: list[Document] = []
    for cost in payments.COST_TYPES:
        found, by_default = candidates(members, cost)
        listed = [
            _candidate(situation, identifier, cost, member) | _default(by_default=by_default)
            for member in found
        ]
        if listed:
            told.append({"costType": payments.name_of(cost), "candidates": listed})
    return told


def _default(*, by_default: bool) -> dict[str, Any]:
    return {"effectiveDefault": True} if by_default else {}


def _candidate(
    situation: Situation, identifier: str, cost: str, member: Document
) -> dict[str, Any]:
    account, joined = member["accountId"], member["status"] == "ACTIVE"
    own = _membership(situation, identifier, account)
    told = None if own is None else own.status.get("acceptedPayments")
    if told is not None:
        accepted = "True" if payments.name_of(cost) in told else "False"
    else:
        accepted = _accepted(situation.resource.status, cost, account) if joined else "False"
    return {
        "accountId": account,
        "assigned": cost in changes.pays(member),
        "accepted": accepted,
        "joined": joined,
    }


def _membership(situation: Situation, identifier: str, account: str) -> Resource | None:
    """Return the Membership of this cluster that is the account's in this collaboration."""
    return next(
        (
            membership
            for membership in situation.neighbours.get("Membership", ())
            if membership.status.get("accountID") == account
            and membership.status.get("collaborationIdentifier") == identifier
            and membership.status.get("state") == "ACTIVE"
        ),
        None,
    )


def _accepted(status: Document, cost: str, account: str) -> str:
    """Return whether another's acceptance is known: it joined while it was assigned already."""
    of_cost = (
        p["candidates"]
        for p in status.get("payers") or ()
        if p["costType"] == payments.name_of(cost)
    )
    before = next((c for each in of_cost for c in each if c["accountId"] == account), None)
    if before is None or not before["assigned"]:
        return "Unknown"
    return "Unknown" if before["joined"] and before["accepted"] != "True" else "True"


def is_outdated(status: Document, membership: Resource) -> bool:
    """Whether a Membership of this cluster shows another acceptance than a Collaboration's status.

    `status` is that of the Collaboration.
    """
    told = membership.status.get("acceptedPayments")
    account = membership.status.get("accountID")
    return told is not None and any(
        candidate["accepted"] != ("True" if payer["costType"] in told else "False")
        for payer in status.get("payers") or ()
        for candidate in payer["candidates"]
        if candidate["accountId"] == account and candidate["joined"]
    )
