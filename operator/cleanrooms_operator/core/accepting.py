"""What a member agrees to pay: what its spec accepts and the creator has assigned (rule R-17)."""

from cleanrooms_operator.core import payments, voting
from cleanrooms_operator.core.kind import Fitting, Reading
from cleanrooms_operator.core.payers import DEFAULT_PAYER
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import Change, Drift, Fact, Present


def _is_active(fields: Document) -> bool:
    return bool(fields["status"] == "ACTIVE")


def _agreed(fields: Document) -> set[str]:
    """Return the cost types that a member agreed to pay, and not merely for want of a payer.

    Who queries or runs jobs accepts by joining what it pays by default.
    """
    abilities = fields.get("memberAbilities") or ()
    accepted = payments.leaves(fields.get("paymentConfiguration"))
    return {
        path for path, true in accepted.items() if true and DEFAULT_PAYER.get(path) not in abilities
    }


def _collaboration_of_payments(parameters: Document) -> Document | None:
    """Return whose members tell what is assigned, where the create call accepts a payment."""
    accepts = any(payments.leaves(parameters.get("paymentConfiguration")).values())
    return {"collaborationId": parameters["collaborationIdentifier"]} if accepts else None


def _awaits_assignment(status: Document) -> bool:
    """Whether, by a membership's status, the spec accepts what is not assigned yet."""
    waiting = ("PaymentAccepted", Reason.AWAITING_ASSIGNMENT.value)
    return any((c["type"], c["reason"]) == waiting for c in status.get("conditions") or ())


MEMBERS = Reading(
    "members",
    "cleanrooms",
    "ListMembers",
    lambda fields: {"collaborationIdentifier": fields["collaborationId"]},
    "memberSummaries",
    paged=True,
    wanted=lambda resource, fields, before: (
        _is_active(fields)
        and (
            resource.spec.get("paymentConfiguration") is not None
            or voting.any_open(before)
            or bool(_agreed(fields))
        )
    ),
    awaited=lambda status: voting.is_pending(status) or _awaits_assignment(status),
)

FITTING = Fitting(MEMBERS, _collaboration_of_payments, payments.acceptable)


def accept_payments(situation: Situation, present: Present) -> Change | None:
    """Accept what the spec accepts and the collaboration assigns (rule R-17).

    What is accepted already is said again, for AWS may take an absent leaf for FALSE (ER-34).
    """
    declared = payments.leaves(situation.parameters.get("paymentConfiguration"))
    assigned, given = _assigned(situation, present), accepted(present)
    due = [path for path, true in declared.items() if true and assigned.get(path)]
    open_leaves = [path for path in due if not given.get(path)]
    if not open_leaves:
        return None
    kept = [path for path, true in given.items() if true and assigned.get(path)]
    return Change(
        "cleanrooms",
        "UpdateMembership",
        {
            "membershipIdentifier": present.identifier,
            "membershipPaymentConfiguration": payments.configuration(
                dict.fromkeys((*kept, *open_leaves), True)
            ),
        },
        tuple(
            Drift(f"paymentConfiguration.{p}", desired=True, observed=False) for p in open_leaves
        ),
    )


def _assigned(situation: Situation, present: Present) -> payments.Leaves:
    """Return what ListMembers shows as assigned to our own account."""
    shown = present.details.readings.get(MEMBERS.name) if present.details else None
    return payments.assigned(shown or (), situation.account)


def accepted(present: Present) -> payments.Leaves:
    """Return what GetMembership shows as accepted by our own account."""
    fields = present.details.fields if present.details else {}
    return payments.leaves(fields.get("paymentConfiguration"))


def facts(situation: Situation, present: Present) -> tuple[Fact, ...]:
    """Return PaymentAccepted, where there is an agreement to speak of and both sides were read.

    A spec that says nothing of payments says no to what was agreed to before.
    """
    details = present.details
    if details is None:
        return ()
    spoken = situation.parameters.get("paymentConfiguration") is not None
    agreed = _agreed(details.fields)
    if not (spoken or agreed):
        told_before = situation.resource.condition("PaymentAccepted") is not None
        return (_IN_FORCE,) if told_before else ()
    if details.readings.get(MEMBERS.name) is None:
        return ()
    assigned = {path for path, true in _assigned(situation, present).items() if true}
    return (_fact(situation, present, assigned, assigned if spoken else assigned & agreed),)


_IN_FORCE = Fact(
    "PaymentAccepted", "True", Reason.PAYMENTS_ACCEPTED, Reason.PAYMENTS_ACCEPTED.cause
)


def _fact(situation: Situation, present: Present, assigned: set[str], answerable: set[str]) -> Fact:
    declared = payments.leaves(situation.parameters.get("paymentConfiguration"))
    early = [path for path, true in declared.items() if true and path not in assigned]
    unwanted = sorted(path for path in answerable if not declared.get(path))
    if early:
        message = f"Accepted, and not assigned to this account: {', '.join(early)}"
        return Fact("PaymentAccepted", "False", Reason.AWAITING_ASSIGNMENT, message)
    if unwanted:
        message = f"Assigned to this account, and not accepted: {', '.join(unwanted)}"
        if standing := [path for path in unwanted if accepted(present).get(path)]:
            # AWS lets nobody take an acceptance back while the payment is assigned.
            message += f". Accepted before, so that it stands in AWS: {', '.join(standing)}"
        return Fact("PaymentAccepted", "False", Reason.PAYMENT_NOT_ACCEPTED, message)
    return _IN_FORCE
