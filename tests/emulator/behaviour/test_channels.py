"""ML input channels: the query, its states, retention, budgets and synthetic data."""

from datetime import timedelta
from typing import Any

import pytest

from cleanrooms_emulator.behaviour.ml_objects import AccessBudget
from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.store import Failure
from lab import CHANNEL_SECONDS, ENDING_SECONDS, TRAINING_SECONDS, Lab, sql
from parties import Party, payment, refused

DAY_SECONDS = 86_400
MADE = {"numberOfRecords", "numberOfFiles", "sizeInGb"}
MAPPING = [
    {"columnName": f"c{n}", "columnType": "NUMERICAL", "isPredictiveValue": n == 0}
    for n in range(5)
]
SYNTHETIC = {
    "epsilon": 1.0,
    "maxMembershipInferenceAttackScore": 0.6,
    "columnClassification": {"columnMapping": MAPPING},
}


def channel_input(lab: Lab, source: Any) -> dict[str, Any]:
    return {"inputChannel": {"dataSource": source, "roleArn": lab.bob.role()}}


def template(lab: Lab, **changes: Any) -> str:
    """Let alice write a query down."""
    made = lab.alice.cleanrooms.create_analysis_template(
        membershipIdentifier=lab.shared.of(lab.alice),
        **{"name": "query", "format": "SQL", "source": {"text": "SELECT 1"}, **changes},
    )
    return str(made["analysisTemplate"]["arn"])


def test_a_channel_goes_through_its_states_and_shows_its_result(lab: Lab) -> None:
    arn = lab.start_channel(description="d", tags={"a": "b"})
    found = lab.see_channel(arn)
    assert not MADE & found.keys()
    assert "protectedQueryIdentifier" not in found
    states = lab.states(lab.see_channel, arn, CHANNEL_SECONDS)
    assert states == ["CREATE_PENDING", "CREATE_IN_PROGRESS", "ACTIVE"]
    found = lab.see_channel(arn)
    assert found.keys() >= MADE | {"protectedQueryIdentifier"}
    assert (found["description"], found["tags"]) == ("d", {"a": "b"})
    assert (found["updateTime"] - found["createTime"]).total_seconds() == CHANNEL_SECONDS
    assert "statusDetails" not in found


def test_the_service_fills_in_compute_and_result_format(lab: Lab) -> None:
    found = lab.see_channel(lab.start_channel())
    source = found["inputChannel"]["dataSource"]["protectedQueryInputParameters"]
    assert source["sqlParameters"] == {"queryString": "SELECT 1"}
    assert source["computeConfiguration"] == {"worker": {"type": "CR.1X", "number": 16}}
    assert source["resultFormat"] == "CSV"


def test_what_was_asked_for_is_kept(lab: Lab) -> None:
    source = sql(queryString="SELECT 2")
    query = source["protectedQueryInputParameters"]
    worker = {"type": "CR.4X", "number": 8, "properties": {"spark": {"k": "v"}}}
    query |= {"computeConfiguration": {"worker": worker}, "resultFormat": "PARQUET"}
    found = lab.see_channel(lab.start_channel(**channel_input(lab, source)))
    assert found["inputChannel"] == {"dataSource": source, "roleArn": lab.bob.role()}


def test_other_members_see_a_channel_without_its_query(lab: Lab) -> None:
    arn = lab.channel()
    found = lab.alice.ml.get_collaboration_ml_input_channel(
        collaborationIdentifier=lab.shared.id, mlInputChannelArn=arn
    )
    assert (found["creatorAccountId"], found["status"]) == (lab.bob.account, "ACTIVE")
    assert found["numberOfRecords"] == lab.see_channel(arn)["numberOfRecords"]
    hidden = {"inputChannel", "protectedQueryIdentifier", "numberOfFiles", "sizeInGb", "tags"}
    assert not hidden & found.keys()
    listed = lab.alice.ml.list_collaboration_ml_input_channels(
        collaborationIdentifier=lab.shared.id
    )["collaborationMLInputChannelsList"]
    assert [(each["name"], each["creatorAccountId"]) for each in listed] == [
        ("channel", lab.bob.account)
    ]
    with refused("AccessDeniedException"):
        lab.alice.ml.get_ml_input_channel(
            membershipIdentifier=lab.membership, mlInputChannelArn=arn
        )


def test_only_the_querying_member_makes_channels(lab: Lab) -> None:
    with refused("AccessDeniedException"):
        lab.alice.ml.create_ml_input_channel(
            membershipIdentifier=lab.shared.of(lab.alice),
            configuredModelAlgorithmAssociations=[lab.association],
            inputChannel={"dataSource": sql(), "roleArn": lab.alice.role()},
            name="channel",
            retentionInDays=1,
        )


def test_the_role_must_be_the_callers(lab: Lab) -> None:
    given = {"dataSource": sql(), "roleArn": lab.alice.role()}
    with refused("AccessDeniedException"):
        lab.start_channel(inputChannel=given)


def test_an_association_of_elsewhere_is_not_found(lab: Lab) -> None:
    with refused("ResourceNotFoundException"):
        lab.start_channel(configuredModelAlgorithmAssociations=[f"{lab.association}0"])


def test_a_query_is_inline_or_a_template(lab: Lab) -> None:
    arn = template(lab)
    for parameters in ({"parameters": {}}, {"queryString": "", "analysisTemplateArn": arn}):
        with refused("ValidationException"):
            lab.start_channel(**channel_input(lab, sql(**parameters)))
    lab.start_channel(**channel_input(lab, sql(analysisTemplateArn=arn)))


def test_the_parameters_of_a_template_must_fit(lab: Lab) -> None:
    declared = [
        {"name": "needed", "type": "VARCHAR"},
        {"name": "free", "type": "VARCHAR", "defaultValue": "x"},
    ]
    arn = template(lab, analysisParameters=declared)
    for wrong in ({}, {"needed": "1", "unknown": "2"}):
        with refused("ValidationException"):
            query = sql(analysisTemplateArn=arn, parameters=wrong)
            lab.start_channel(**channel_input(lab, query))
    query = sql(analysisTemplateArn=arn, parameters={"needed": "1"})
    lab.start_channel(**channel_input(lab, query))


def test_a_failure_on_demand_has_its_details_and_happens_once(lab: Lab, emulator: Emulator) -> None:
    failure = Failure("MLInputChannel", "QUERY_FAILED", "column not found", name="bad")
    emulator.store.fail_next(failure)
    bad = lab.start_channel("bad")
    assert lab.states(lab.see_channel, bad, CHANNEL_SECONDS)[-1] == "CREATE_FAILED"
    details = {"statusCode": "QUERY_FAILED", "message": "column not found"}
    assert lab.see_channel(bad)["statusDetails"] == details
    assert not MADE & lab.see_channel(bad).keys()
    assert lab.see_channel(lab.channel("bad"))["status"] == "ACTIVE"


def test_op_15_deleted_data_leave_an_inactive_record(lab: Lab) -> None:
    arn = lab.channel()
    lab.delete_channel(arn)
    states = lab.states(lab.see_channel, arn, ENDING_SECONDS)
    assert states == ["DELETE_PENDING", "DELETE_IN_PROGRESS", "INACTIVE"]
    listed = lab.bob.ml.list_ml_input_channels(membershipIdentifier=lab.membership)
    assert [each["status"] for each in listed["mlInputChannelsList"]] == ["INACTIVE"]
    with refused("ConflictException"):
        lab.delete_channel(arn)


def test_a_deletion_that_failed_can_be_tried_again(lab: Lab, emulator: Emulator) -> None:
    arn = lab.channel()
    emulator.store.fail_next(Failure("MLInputChannel", "ROLE", "no role", action="delete"))
    lab.delete_channel(arn)
    lab.time.elapse(ENDING_SECONDS)
    assert lab.see_channel(arn)["status"] == "DELETE_FAILED"
    lab.delete_channel(arn)
    lab.time.elapse(ENDING_SECONDS)
    assert lab.see_channel(arn)["status"] == "INACTIVE"


def test_er_20_an_unfinished_channel_cannot_be_deleted(lab: Lab) -> None:
    arn = lab.start_channel()
    with refused("ConflictException"):
        lab.delete_channel(arn)


@pytest.mark.rules("ER-20=accept")
def test_er_20_an_unfinished_channel_can_be_deleted(lab: Lab) -> None:
    arn = lab.start_channel()
    lab.delete_channel(arn)
    lab.time.elapse(CHANNEL_SECONDS)
    assert lab.see_channel(arn)["status"] == "INACTIVE"
    assert not MADE & lab.see_channel(arn).keys()


def failed_channel(lab: Lab, emulator: Emulator) -> str:
    emulator.store.fail_next(Failure("MLInputChannel", "QUERY_FAILED", "no"))
    return lab.channel()


def test_er_19_a_failed_channel_can_be_deleted(lab: Lab, emulator: Emulator) -> None:
    arn = failed_channel(lab, emulator)
    lab.delete_channel(arn)
    lab.time.elapse(ENDING_SECONDS)
    assert lab.see_channel(arn)["status"] == "INACTIVE"


@pytest.mark.rules("ER-19=refuse")
def test_er_19_a_failed_channel_cannot_be_deleted(lab: Lab, emulator: Emulator) -> None:
    arn = failed_channel(lab, emulator)
    with refused("ConflictException"):
        lab.delete_channel(arn)


def test_a_channel_in_use_cannot_be_deleted(lab: Lab) -> None:
    arn = lab.channel()
    model = lab.train(arn)["trainedModelArn"]
    lab.start_training(arn)
    with refused("ConflictException"):
        lab.delete_channel(arn)
    lab.time.elapse(TRAINING_SECONDS)
    job = lab.infer(model, arn)
    with refused("ConflictException"):
        lab.delete_channel(arn)
    lab.cancel_job(job)
    lab.delete_channel(arn)


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(CHANNEL_SECONDS, id="from ACTIVE"),
        pytest.param(0, id="from creation", marks=pytest.mark.rules("ER-21=create")),
    ],
)
def test_er_21_op_14_retention_ends_in_inactive(late: int, lab: Lab) -> None:
    arn = lab.start_channel(retentionInDays=2)
    lab.time.elapse(2 * DAY_SECONDS + late - 1)
    assert lab.see_channel(arn)["status"] == "ACTIVE"
    lab.time.elapse(1)
    assert lab.see_channel(arn)["status"] == "INACTIVE"


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


@pytest.mark.rules("quota.channels_per_membership=1")
def test_channels_without_data_do_not_count_against_the_quota(lab: Lab) -> None:
    arn = lab.channel()
    with refused("ServiceQuotaExceededException"):
        lab.start_channel()
    lab.delete_channel(arn)
    lab.time.elapse(ENDING_SECONDS)
    lab.start_channel()


def test_er_1_names_are_not_unique(lab: Lab) -> None:
    assert lab.start_channel("twin") != lab.start_channel("twin")


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(
            True, id="among the living", marks=pytest.mark.rules("ER-1=refused-while-live")
        ),
        pytest.param(False, id="for ever", marks=pytest.mark.rules("ER-1=refused")),
    ],
)
def test_er_1_names_are_unique(again: bool, lab: Lab) -> None:  # noqa: FBT001 - a reading
    arn = lab.channel("twin")
    with refused("ConflictException"):
        lab.start_channel("twin")
    lab.delete_channel(arn)
    lab.time.elapse(ENDING_SECONDS)
    if again:
        lab.start_channel("twin")
    else:
        with refused("ConflictException"):
            lab.start_channel("twin")


def test_er_38_what_is_over_can_be_tagged(lab: Lab, emulator: Emulator) -> None:
    arn = failed_channel(lab, emulator)
    lab.bob.ml.tag_resource(resourceArn=arn, tags={"a": "b"})
    assert lab.see_channel(arn)["tags"] == {"a": "b"}


@pytest.mark.rules("ER-38=refuse")
def test_er_38_what_is_over_cannot_be_tagged(lab: Lab, emulator: Emulator) -> None:
    arn = failed_channel(lab, emulator)
    with refused("ResourceNotFoundException"):
        lab.bob.ml.tag_resource(resourceArn=arn, tags={"a": "b"})
    assert lab.bob.ml.list_tags_for_resource(resourceArn=arn)["tags"] == {}


def test_er_26_under_an_ended_membership_channels_are_read_and_deleted(lab: Lab) -> None:
    arn = lab.channel()
    lab.alice.cleanrooms.delete_collaboration(collaborationIdentifier=lab.shared.id)
    assert lab.see_channel(arn)["status"] == "ACTIVE"
    with refused("AccessDeniedException"):
        lab.start_channel("late")
    lab.delete_channel(arn)


@pytest.mark.rules("ER-26=denied")
def test_er_26_under_an_ended_membership_all_is_denied(lab: Lab) -> None:
    arn = lab.channel()
    lab.alice.cleanrooms.delete_collaboration(collaborationIdentifier=lab.shared.id)
    with refused("AccessDeniedException"):
        lab.see_channel(arn)
    with refused("AccessDeniedException"):
        lab.delete_channel(arn)
