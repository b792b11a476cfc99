"""ML input channels: access budgets, and synthetic data."""

from datetime import timedelta
from typing import Any

import pytest

from cleanrooms_emulator.behaviour.ml_objects import AccessBudget
from cleanrooms_emulator.emulator import Emulator
from lab import CHANNEL_SECONDS, Lab, channel_input, sql, template
from parties import Party, payment, refused

DAY_SECONDS = 86_400
MAPPING = [
    {"columnName": f"c{n}", "columnType": "NUMERICAL", "isPredictiveValue": n == 0}
    for n in range(5)
]
SYNTHETIC = {
    "epsilon": 1.0,
    "maxMembershipInferenceAttackScore": 0.6,
    "columnClassification": {"columnMapping": MAPPING},
}


def budget(lab: Lab, emulator: Emulator, remaining: int, **changes: Any) -> None:
    """Let a table of the collaboration have an access budget."""
    arn = f"arn:aws:cleanrooms:us-east-1:{lab.alice.account}:membership/m"
    emulator.store.put(
        AccessBudget(
            collaboration=lab.shared.id,
            resource=f"{arn}/configuredtableassociation/t",
            budget=10,
            remaining=remaining,
            starts=lab.time.now(),
            **changes,
        )
    )


def test_each_channel_takes_a_unit_of_a_budget_and_shows_what_is_left(
    lab: Lab, emulator: Emulator
) -> None:
    budget(lab, emulator, 2)
    found = lab.see_channel(lab.start_channel())
    (shown,) = found["privacyBudgets"]["accessBudgets"]
    assert shown["aggregateRemainingBudget"] == 1
    (details,) = shown["details"]
    assert (details["budget"], details["remainingBudget"]) == (10, 1)
    assert (details["budgetType"], details["autoRefresh"]) == ("LIFETIME", "DISABLED")
    assert "endTime" not in details


def test_er_22_a_spent_budget_fails_the_channel(lab: Lab, emulator: Emulator) -> None:
    budget(lab, emulator, 0)
    found = lab.see_channel(lab.channel())
    assert found["status"] == "CREATE_FAILED"
    assert found["statusDetails"]["statusCode"] == "ACCESS_BUDGET_EXCEEDED"


@pytest.mark.rules("ER-22=refuse")
def test_er_22_a_spent_budget_refuses_the_channel(lab: Lab, emulator: Emulator) -> None:
    budget(lab, emulator, 0)
    with refused("ValidationException"):
        lab.start_channel()


def test_a_budget_refills_at_the_end_of_its_period(lab: Lab, emulator: Emulator) -> None:
    renews = lab.time.now() + timedelta(days=1)
    budget(lab, emulator, 0, kind="CALENDAR_DAY", renews=renews)
    lab.time.elapse(DAY_SECONDS)
    found = lab.see_channel(lab.start_channel())
    (shown,) = found["privacyBudgets"]["accessBudgets"]
    assert shown["aggregateRemainingBudget"] == 9
    assert shown["details"][0]["startTime"] == renews
    assert shown["details"][0]["endTime"] == renews + timedelta(days=1)


def synthetic(lab: Lab) -> dict[str, Any]:
    """Return the input of a channel that holds synthetic data."""
    arn = template(lab, syntheticDataParameters={"mlSyntheticDataParameters": SYNTHETIC})
    return channel_input(lab, sql(analysisTemplateArn=arn))


@pytest.fixture
def paying_lab(alice: Party, bob: Party, share: Any, lab: Lab) -> Lab:
    """Set up a lab in which alice pays for synthetic data."""
    pays = payment("syntheticDataGeneration")
    lab.shared = share(alice, bob, creatorPaymentConfiguration=pays)
    lab.shared.join(alice, paymentConfiguration=pays)
    lab.shared.join(bob)
    lab.association = lab.associate()
    return lab


def test_synthetic_data_have_parameters_scores_and_a_payer(paying_lab: Lab) -> None:
    arn = paying_lab.start_channel(**synthetic(paying_lab))
    found = paying_lab.see_channel(arn)["syntheticDataConfiguration"]
    assert found == {"syntheticDataParameters": SYNTHETIC}
    paying_lab.time.elapse(CHANNEL_SECONDS)
    found = paying_lab.see_channel(arn)
    scores = found["syntheticDataConfiguration"]["syntheticDataEvaluationScores"]
    (score,) = scores["dataPrivacyScores"]["membershipInferenceAttackScores"]
    assert score["score"] <= 0.6
    assert found["payerConfiguration"] == {
        "computePayerAccountId": paying_lab.bob.account,
        "syntheticDataPayerAccountId": paying_lab.alice.account,
    }


def test_synthetic_data_need_a_configured_payer(lab: Lab) -> None:
    with refused("ValidationException"):
        lab.start_channel(**synthetic(lab))


def test_two_synthetic_channels_are_made_at_once(paying_lab: Lab) -> None:
    given = synthetic(paying_lab)
    for _ in range(2):
        paying_lab.start_channel(**given)
    with refused("ServiceQuotaExceededException") as error:
        paying_lab.start_channel(**given)
    assert error["quotaValue"] == 2.0
    paying_lab.start_channel()
    paying_lab.time.elapse(CHANNEL_SECONDS)
    paying_lab.start_channel(**given)


def test_er_13_a_synthetic_payer_needs_synthetic_data(lab: Lab) -> None:
    with refused("ValidationException"):
        lab.start_channel(payerConfiguration={"syntheticDataPayerAccountId": lab.bob.account})


@pytest.mark.rules("ER-13=ignore")
def test_er_13_a_needless_synthetic_payer_is_ignored(lab: Lab) -> None:
    named = {"syntheticDataPayerAccountId": lab.bob.account}
    found = lab.see_channel(lab.start_channel(payerConfiguration=named))
    assert found["payerConfiguration"] == {"computePayerAccountId": lab.bob.account}
