"""Whether a run can be paid for, by what is known before it is started."""

from typing import Any

import pytest

import make
from cleanrooms_operator.core import paying
from cleanrooms_operator.core.channels import COSTS
from cleanrooms_operator.core.paying import Known
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, Key, Resource
from simulation.specs import CREATOR, PARTNER

YES = {"isResponsible": True}
QUERIES = {"paymentConfiguration": {"queryCompute": YES}}
SYNTHESIZES = {
    "paymentConfiguration": {
        "queryCompute": YES,
        "machineLearning": {"syntheticDataGeneration": YES},
    }
}
QUERIER = {"abilities": ["CAN_QUERY"]}


def member(account: str, status: str = "ACTIVE", **more: Any) -> dict[str, Any]:
    return {"accountId": account, "status": status, "abilities": [], **more}


PAYER = member(PARTNER, **QUERIES)
BOTH = (PAYER, member(CREATOR, **QUERIES))
COMPUTE, SYNTHETIC = "computePayerAccountId", "syntheticDataPayerAccountId"


def known(*members: Document, synthetic: bool | None = False, **joined: Any) -> Known:
    """Return what is known; accounts of this cluster are given as `a222222222222`."""
    of_cluster = {account[1:]: costs and frozenset(costs) for account, costs in joined.items()}
    return Known(members, of_cluster, synthetic)


def readiness(named: Document, about: Known) -> tuple[str, Reason]:
    fact = paying.readiness(COSTS, {"payerConfiguration": named}, about)
    assert fact.type == "PayerReady"
    return fact.status, fact.reason


@pytest.mark.parametrize(
    ("named", "about"),
    [
        pytest.param({}, known(PAYER), id="there is one"),
        pytest.param({}, known(member(PARTNER, **QUERIER)), id="the default"),
        pytest.param({COMPUTE: CREATOR}, known(*BOTH), id="one of several is named"),
        pytest.param({}, known(PAYER, a222222222222=["queryCompute"]), id="it has agreed"),
        pytest.param({}, known(PAYER, a222222222222=None), id="nobody knows whether it has"),
        pytest.param(
            {}, known(member(PARTNER, **QUERIES, **QUERIER), a222222222222=[]), id="by default"
        ),
        pytest.param(
            {},
            known(member(PARTNER, "INVITED", **QUERIES), a222222222222=None),
            id="our own cluster knows that it has joined",
        ),
        pytest.param({}, known(PAYER, synthetic=None), id="a template that cannot be seen (R-26)"),
        pytest.param(
            {SYNTHETIC: PARTNER},
            known(member(PARTNER, **SYNTHESIZES), synthetic=None),
            id="nor is its payer refused",
        ),
        pytest.param(
            {}, known(member(PARTNER, **SYNTHESIZES), synthetic=True), id="for synthetic data"
        ),
    ],
)
def test_r_16_a_run_starts_that_somebody_can_pay_for(named: Document, about: Known) -> None:
    assert readiness(named, about) == ("True", Reason.PAYER_READY)


@pytest.mark.parametrize(
    ("named", "about", "reason"),
    [
        pytest.param({}, known(member(PARTNER)), Reason.NO_PAYER, id="nobody"),
        pytest.param(
            {}, known(member(PARTNER, "INVITED", **QUERIES)), Reason.PAYER_NOT_JOINED, id="not yet"
        ),
        pytest.param({}, known(*BOTH), Reason.PAYER_NOT_NAMED, id="several"),
        pytest.param(
            {COMPUTE: CREATOR},
            known(PAYER, member(CREATOR)),
            Reason.PAYER_NOT_CANDIDATE,
            id="one who may not",
        ),
        pytest.param(
            {}, known(PAYER, a222222222222=[]), Reason.PAYER_NOT_ACCEPTED, id="one who has not"
        ),
        pytest.param(
            {COMPUTE: PARTNER},
            known(member(PARTNER, **QUERIES, **QUERIER), BOTH[1], a222222222222=[]),
            Reason.PAYER_NOT_ACCEPTED,
            id="nor the one who queries, where that is not by default",
        ),
        pytest.param(
            {}, known(PAYER, synthetic=True), Reason.NO_PAYER, id="nobody for synthetic data"
        ),
        pytest.param(
            {SYNTHETIC: PARTNER},
            known(member(PARTNER, **SYNTHESIZES)),
            Reason.PAYER_NOT_NEEDED,
            id="there are no synthetic data",
        ),
        pytest.param(
            {SYNTHETIC: PARTNER},
            known(PAYER, synthetic=None),
            Reason.NO_PAYER,
            id="nobody for what may be synthetic",
        ),
    ],
)
def test_r_16_a_run_waits_that_nobody_can_pay_for(
    named: Document, about: Known, reason: Reason
) -> None:
    assert readiness(named, about) == ("False", reason)


@pytest.mark.parametrize(
    ("named", "about", "accounts"),
    [
        pytest.param({}, known(PAYER), (PARTNER,), id="another's"),
        pytest.param({}, known(PAYER, a222222222222=["queryCompute"]), (), id="our own"),
        pytest.param({}, known(*BOTH), (), id="no payer at all"),
        pytest.param(
            {},
            known(member(PARTNER, **SYNTHESIZES), synthetic=True),
            (PARTNER, PARTNER),
            id="for both costs",
        ),
    ],
)
def test_r_16_it_is_known_whose_agreement_is_not(
    named: Document, about: Known, accounts: tuple[str, ...]
) -> None:
    assert paying.unsure(COSTS, {"payerConfiguration": named}, about) == accounts


def membership(account: str, **status: Any) -> Resource:
    shown = {"accountID": account, "collaborationIdentifier": "c-1", "state": "ACTIVE"}
    return make.bound(key=Key("Membership", "b", account), status={**shown, **status})


def test_memberships_of_the_cluster_tell_who_has_joined_and_agreed() -> None:
    found = paying.joined(
        [
            membership(CREATOR, acceptedPayments=["queryCompute"]),
            membership(PARTNER),
            membership("333333333333", state="REMOVED"),
            membership("444444444444", collaborationIdentifier="c-2"),
        ],
        "c-1",
    )
    assert found == {CREATOR: frozenset({"queryCompute"}), PARTNER: None}


@pytest.mark.parametrize(
    ("accounts", "expected"),
    [
        pytest.param([PARTNER], False, id="it knows the same"),
        pytest.param([PARTNER, CREATOR], True, id="it knows another"),
        pytest.param([], True, id="it knows none"),
    ],
)
def test_a_list_is_behind_what_a_collaboration_of_the_cluster_knows(
    accounts: list[str], *, expected: bool
) -> None:
    listed = [{"accountId": account} for account in accounts]
    payers = [{"costType": "queryCompute", "candidates": listed}]
    collaboration = make.bound(status={"identifier": "c-1", "payers": payers})
    assert paying.is_behind(COSTS, known(PAYER), collaboration) is expected


@pytest.mark.parametrize(
    ("status", "generation", "identifier", "expected"),
    [
        pytest.param("False", 3, None, True, id="it was told so"),
        pytest.param("True", 3, None, False, id="it can be"),
        pytest.param("False", 2, None, False, id="of an earlier spec"),
        pytest.param("False", 3, "id-1", False, id="it runs"),
    ],
)
def test_a_run_is_held_until_it_can_be_paid_for(
    status: str, generation: int, identifier: str | None, *, expected: bool
) -> None:
    told = make.condition("PayerReady", status, observedGeneration=generation)
    resource = make.resource(status={"conditions": [told], "identifier": identifier})
    assert paying.is_held(resource) is expected
