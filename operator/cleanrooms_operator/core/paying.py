"""Whether a run can be paid for, as far as that can be seen before it is started (rule R-16)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cleanrooms_operator.core import payments
from cleanrooms_operator.core.payers import DEFAULT_PAYER, candidates
from cleanrooms_operator.core.payments import Cost
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, Resource
from cleanrooms_operator.core.shared import COLLABORATION
from cleanrooms_operator.core.step import Fact

READY = "PayerReady"
"""False while a run is not started, because it cannot be paid for."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of those who may pay for a run."""

    members: Sequence[Document]
    """Of the collaboration, as ListMembers shows them."""
    joined: Mapping[str, frozenset[str] | None]
    """Account of an active Membership of this cluster -> names of the costs that it accepted."""
    synthetic: bool | None = None
    """Whether the run makes synthetic data; None: its template cannot be seen (rule R-26)."""

    def has_joined(self, member: Document) -> bool:
        """Whether a member is active, which our own cluster may know before a List shows it."""
        return member["status"] == "ACTIVE" or member["accountId"] in self.joined

    def has_accepted(self, member: Document, cost: str) -> bool | None:
        """Whether a member agreed to pay; None where nobody here can tell.

        Who pays because nobody else was named may have nothing to accept.
        """
        accepted = self.joined.get(member["accountId"])
        alone = len(candidates(self.members, cost)[0]) == 1
        if accepted is None or (alone and DEFAULT_PAYER.get(cost) in member["abilities"]):
            return None
        return payments.name_of(cost) in accepted


def readiness(costs: Iterable[Cost], parameters: Document, known: Known) -> Fact:
    """Return PayerReady: whether each cost of a run has one payer, who has joined and agreed.

    Where it is unknown whether somebody agreed, that holds nothing back.
    """
    judged = (_problem(cost, cost.named(parameters), known) for cost in costs)
    return next(filter(None, judged), SETTLED)


SETTLED = Fact(READY, "True", Reason.PAYER_READY, Reason.PAYER_READY.cause)


def unsure(costs: Iterable[Cost], parameters: Document, known: Known) -> tuple[str, ...]:
    """Return the accounts that are to pay and of which nobody here knows whether they agreed."""
    return tuple(
        payer["accountId"]
        for cost, payer in _payers(costs, parameters, known)
        if known.has_accepted(payer, cost.path) is None
    )


def charged(
    costs: Iterable[Cost], parameters: Document, known: Known
) -> tuple[tuple[str, str], ...]:
    """Return (name, account that is to pay) of each cost of a run."""
    return tuple(
        (payments.name_of(cost.path), payer["accountId"])
        for cost, payer in _payers(costs, parameters, known)
    )


def _payers(
    costs: Iterable[Cost], parameters: Document, known: Known
) -> Iterator[tuple[Cost, Document]]:
    for cost in costs:
        named = cost.named(parameters)
        if named is not None or not cost.synthetic or known.synthetic:
            payer = _chosen(named, _may_pay(cost, known))
            if payer is not None:
                yield cost, payer


def refused(accounts: Iterable[str], said: str) -> Fact:
    """Return that AWS would not start a run, perhaps for whom it was told to bill."""
    who = ", ".join(accounts)
    message = f"AWS refused the run, perhaps because {who} has not agreed to pay: {said}"
    return Fact(READY, "False", Reason.PAYER_REFUSED, message)


def _problem(cost: Cost, named: str | None, known: Known) -> Fact | None:
    """Say why a cost cannot be paid, and what to do about it."""
    if cost.synthetic and not known.synthetic:
        if named is None:
            return None
        if known.synthetic is False:
            message = f"No synthetic data are made: remove `{cost.parameter}`"
            return _no(Reason.PAYER_NOT_NEEDED, message)
    found, what = _may_pay(cost, known), payments.name_of(cost.path)
    may_pay = ", ".join(member["accountId"] for member in found)
    payer = _chosen(named, found)
    if payer is not None:
        return _unable(payer, cost.path, known)
    if not found:
        return _no(Reason.NO_PAYER, f"Nobody may pay for {what}: the creator has to name somebody")
    if named is None:
        message = f"Several may pay for {what}: {may_pay}. Name one by `{cost.parameter}`"
        return _no(Reason.PAYER_NOT_NAMED, message)
    message = f"{named} is no candidate to pay for {what}, but: {may_pay}"
    return _no(Reason.PAYER_NOT_CANDIDATE, message)


def _unable(payer: Document, cost: str, known: Known) -> Fact | None:
    who = f"{payer['accountId']}, who is to pay for {payments.name_of(cost)},"
    if not known.has_joined(payer):
        return _no(Reason.PAYER_NOT_JOINED, f"{who} has not joined")
    if known.has_accepted(payer, cost) is False:
        return _no(Reason.PAYER_NOT_ACCEPTED, f"{who} has not accepted that in its Membership")
    return None


def _may_pay(cost: Cost, known: Known) -> list[Document]:
    return candidates(known.members, cost.path)[0]


def _chosen(named: str | None, found: Sequence[Document]) -> Document | None:
    """Return who is to pay: the one that is named, else the only one."""
    if named is None:
        return found[0] if len(found) == 1 else None
    return next((member for member in found if member["accountId"] == named), None)


def _no(reason: Reason, message: str) -> Fact:
    return Fact(READY, "False", reason, message)


# -- what the cluster knows ------------------------------------------------------------------


def joined(memberships: Iterable[Resource], collaboration: str) -> dict[str, frozenset[str] | None]:
    """Return the accounts of active Memberships -> the costs they accepted; None: not read yet."""
    found: dict[str, frozenset[str] | None] = {}
    for each in memberships:
        status = each.status
        if (status.get(COLLABORATION), status.get("state")) == (collaboration, "ACTIVE"):
            accepted = status.get("acceptedPayments")
            found[status["accountID"]] = None if accepted is None else frozenset(accepted)
    return found


def is_behind(costs: Iterable[Cost], known: Known, collaboration: Resource) -> bool:
    """Whether a Collaboration of this cluster knows other candidates than a List showed."""
    told = {
        payer["costType"]: {candidate["accountId"] for candidate in payer["candidates"]}
        for payer in collaboration.status.get("payers") or ()
    }
    shown = {
        payments.name_of(cost.path): {member["accountId"] for member in _may_pay(cost, known)}
        for cost in costs
    }
    return any(told.get(name, set()) != accounts for name, accounts in shown.items())


def is_held(resource: Resource) -> bool:
    """Whether a run is not started because it cannot be paid for."""
    return resource.status.get("identifier") is None and resource.is_false(READY)
