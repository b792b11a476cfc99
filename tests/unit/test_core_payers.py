"""Who may pay for what, and what is known of it."""

from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core import payers
from cleanrooms_operator.core.resource import Document, Key, Resource
from simulation.specs import CREATOR, PARTNER

YES, NO = {"isResponsible": True}, {"isResponsible": False}
TRAINS = {"machineLearning": {"modelTraining": YES}}


def member(account: str, status: str = "ACTIVE", **more: Any) -> dict[str, Any]:
    return {"accountId": account, "status": status, "abilities": [], **more}


def told(
    *listed: Document, neighbour: Resource | None = None, **status: Any
) -> dict[str, list[Document]]:
    """Return cost type -> the candidates that the status shows."""
    about = make.situation(make.present(), resource=make.bound(status=status))
    if neighbour is not None:
        about = replace(about, neighbours={"Membership": (neighbour,)})
    found = payers.report(about, "c-1", listed)
    return {item["costType"]: item["candidates"] for item in found}


def membership(*accepted: str, **status: Any) -> Resource:
    known = {
        "accountID": PARTNER,
        "collaborationIdentifier": "c-1",
        "state": "ACTIVE",
        "acceptedPayments": list(accepted),
    }
    return make.bound(key=Key("Membership", "b", "member"), status={**known, **status})


def before(accepted: str, *, joined: bool, assigned: bool = True) -> Document:
    """Return what the status said of the partner as a payer of trainings."""
    known = {"accountId": PARTNER, "assigned": assigned, "accepted": accepted, "joined": joined}
    return {"payers": [{"costType": "modelTraining", "candidates": [known]}]}


TRAINER = member(PARTNER, paymentConfiguration=TRAINS)


def test_who_queries_pays_where_nobody_is_named() -> None:
    querier = member(PARTNER, abilities=["CAN_QUERY"], paymentConfiguration=TRAINS)
    found = told(member(CREATOR), querier)
    assert found.keys() == {"queryCompute", "modelTraining", "modelInference"}
    assert found["queryCompute"][0]["effectiveDefault"] is True
    assert found["queryCompute"][0]["assigned"] is False
    assert "effectiveDefault" not in found["modelTraining"][0]


def test_who_is_gone_pays_nothing() -> None:
    assert told(member(PARTNER, "LEFT", paymentConfiguration=TRAINS)) == {}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(told(member(PARTNER, "INVITED", paymentConfiguration=TRAINS)), "False",
                     id="it has not joined"),
        pytest.param(told(TRAINER), "Unknown", id="it had joined when we came"),
        pytest.param(told(TRAINER, **before("False", joined=False)), "True",
                     id="it was named when it joined"),
        pytest.param(told(TRAINER, **before("True", joined=True)), "True", id="which stays known"),
        pytest.param(told(TRAINER, **before("Unknown", joined=True)), "Unknown", id="as the rest"),
        pytest.param(told(TRAINER, **before("False", joined=False, assigned=False)), "Unknown",
                     id="it joined before it was named"),
        pytest.param(told(TRAINER, neighbour=membership("modelTraining")), "True",
                     id="its Membership is in this cluster"),
        pytest.param(told(TRAINER, neighbour=membership()), "False", id="and has not accepted"),
        pytest.param(told(TRAINER, neighbour=membership(acceptedPayments=None)), "Unknown",
                     id="or has not been read"),
        pytest.param(told(TRAINER, neighbour=membership(collaborationIdentifier="c-2")), "Unknown",
                     id="of another collaboration"),
    ],
)  # fmt: skip
def test_r_16_acceptance_is_told_where_it_can_be_known(
    found: dict[str, list[Document]], expected: str
) -> None:
    [candidate] = found["modelTraining"]
    assert candidate["accepted"] == expected


@pytest.mark.parametrize(
    ("status", "neighbour", "expected"),
    [
        (before("Unknown", joined=True), membership("modelTraining"), True),
        (before("True", joined=True), membership(), True),
        (before("True", joined=True), membership("modelTraining"), False),
        (before("False", joined=False), membership("modelTraining"), False),
        (before("Unknown", joined=True), membership(acceptedPayments=None), False),
        (before("Unknown", joined=True), membership(accountID=CREATOR), False),
        ({}, membership("modelTraining"), False),
    ],
)
def test_r_16_what_a_membership_of_this_cluster_shows_is_taken_over(
    status: Document, neighbour: Resource, *, expected: bool
) -> None:
    assert payers.is_outdated(status, neighbour) is expected
