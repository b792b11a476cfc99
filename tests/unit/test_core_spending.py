"""What a Membership guards, and what is shown of what it holds (rule R-41)."""

from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core import plans, quotas, spending
from cleanrooms_operator.core.channels import COSTS
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Key, Resource

HASH, OTHER = "a" * 64, "b" * 64
APPROVE = {"start": "Approve"}
RUN = Key("MLInputChannel", "a", "one")


def membership(declared: Any, identifier: str | None = "m-1", **annotations: str) -> Resource:
    """Return a Membership with this `spending`."""
    return replace(
        make.resource(),
        key=Key("Membership", "a", "member"),
        spec={} if declared is None else {"spending": declared},
        status={} if identifier is None else {"identifier": identifier},
        annotations=make.annotations(**annotations),
    )


def lets(declared: Any, *costs: str, hashed: str = HASH) -> bool:
    (guard,) = spending.guards([membership(declared)], "m-1")
    return guard.lets(RUN, costs, hashed)


def test_what_is_not_declared_is_not_held() -> None:
    assert spending.guards([membership(None)], "m-1") == ()
    assert spending.guards([membership({})], "m-2") == ()
    assert lets({}, "queryCompute")
    assert lets({"queryCompute": {"start": "Allow"}}, "queryCompute")
    assert lets({"modelTraining": APPROVE}, "queryCompute")


def test_a_run_is_held_by_any_of_its_costs() -> None:
    declared = {"syntheticDataGeneration": APPROVE}
    assert not lets(declared, "queryCompute", "syntheticDataGeneration")
    assert lets(declared, *spending.costs_of(COSTS, synthetic=False))
    assert not lets(declared, *spending.costs_of(COSTS, synthetic=True))


def test_an_approval_names_kind_name_and_hash() -> None:
    good = {"kind": RUN.kind, "name": RUN.name, "hash": HASH}
    for each, is_let in [
        (good, True),
        ({**good, "kind": "TrainedModel"}, False),
        ({**good, "name": "two"}, False),
        ({**good, "hash": OTHER}, False),
    ]:
        declared = {"queryCompute": APPROVE, "approvals": [each]}
        assert lets(declared, "queryCompute") is is_let


def test_a_membership_that_is_still_to_be_adopted_guards_already() -> None:
    named = membership({"queryCompute": APPROVE}, None, external_id="m-1")
    assert [guard.membership for guard in spending.guards([named], "m-1")] == [named.key]
    assert spending.guards([named], "m-2") == ()


@pytest.mark.parametrize(
    ("approved", "begins"), [(OTHER, "What was approved is not"), (None, "To start it, add")]
)
def test_what_is_to_be_done_is_told(approved: str | None, begins: str) -> None:
    given = {"kind": RUN.kind, "name": RUN.name, "hash": approved}
    declared = {"approvals": [given]} if approved else {}
    (guard,) = spending.guards([membership(declared)], "m-1")
    fact = spending.awaited(guard, replace(make.resource(), key=RUN), HASH)
    assert (fact.status, fact.reason) == ("False", Reason.NOT_APPROVED)
    assert fact.message.startswith(begins)
    assert f"{{kind: MLInputChannel, name: one, hash: {HASH}}}" in fact.message
    assert fact.message.endswith("of Membership a/member")


def held(generation: int = make.GENERATION, **status: Any) -> Resource:
    told = make.condition(plans.APPROVED, "False", observedGeneration=generation)
    return replace(make.resource(), key=RUN, status={"conditions": [told], **status})


def test_it_is_held_while_it_is_told_so_of_this_generation() -> None:
    assert plans.is_awaited(held())
    assert not plans.is_awaited(held(make.GENERATION - 1))
    assert not plans.is_awaited(held(identifier="x"))
    assert not plans.is_awaited(replace(make.resource(), key=RUN, status={}))


def test_r_22_what_is_held_holds_back_no_other() -> None:
    assert not quotas.may_block(held())
    assert quotas.may_block(held(make.GENERATION - 1))


def test_a_plan_shows_all_but_what_nobody_may_read() -> None:
    parameters = {
        "name": "one",
        "environment": {"TOKEN": "secret"},
        "resourceConfig": {"instanceCount": 2},
        "dataChannels": [{"channelName": "x" * 300}],
    }
    plan = plans.plan(parameters, [("modelTraining", "1" * 12)], HASH)
    assert plan == {
        "hash": HASH,
        "costs": [{"costType": "modelTraining", "payer": "1" * 12}],
        "parameters": [
            {"path": "dataChannels[0].channelName", "value": "x" * 256},
            {"path": "environment"},
            {"path": "name", "value": "one"},
            {"path": "resourceConfig.instanceCount", "value": "2"},
        ],
    }
