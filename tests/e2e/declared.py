"""The resources that the tests declare: one company's, or those of two that work together."""

from typing import Any

PAYS = {"isResponsible": True}
QUERY = ["CAN_QUERY", "CAN_RECEIVE_RESULTS"]

Spec = dict[str, Any]


def collaboration(*invited: str, **more: Any) -> Spec:
    """Return a Collaboration that invites these accounts; the last one to be named queries."""
    abilities = [QUERY if n == len(invited) else [] for n in range(1, len(invited) + 1)]
    return {
        "description": "as declared",
        "creatorDisplayName": "creator",
        "creatorMemberAbilities": [] if invited else QUERY,
        "creatorPaymentConfiguration": {"queryCompute": PAYS},
        "queryLogStatus": "ENABLED",
        "analyticsEngine": "SPARK",
        "members": [
            {"accountId": account, "displayName": account, "memberAbilities": given}
            for account, given in zip(invited, abilities, strict=True)
        ],
        **more,
    }


def membership(account: str, **more: Any) -> Spec:
    """Return a Membership of an account; `more` says of which collaboration."""
    return {"queryLogStatus": "ENABLED", "mlConfiguration": ml_configuration(account), **more}


def creators_membership(account: str, name: str, **more: Any) -> Spec:
    """Return the Membership of the creator of the Collaboration of that name, who pays."""
    payment = {"queryCompute": PAYS}
    reference = {"collaborationRef": {"name": name}, "paymentConfiguration": payment}
    return membership(account, **reference, **more)


def partners_membership(account: str, creator: str, name: str, **more: Any) -> Spec:
    """Return the Membership of an account that the creator has invited."""
    invitation = {"creatorAccountId": creator, "name": name}
    return membership(account, invitation=invitation, **more)


def ml_configuration(account: str, uri: str = "s3://models/out") -> Spec:
    """Return where an account receives ML output."""
    return {
        "defaultOutputLocation": {
            "destination": {"s3Destination": {"s3Uri": uri}},
            "roleArn": f"arn:aws:iam::{account}:role/ml",
        }
    }
