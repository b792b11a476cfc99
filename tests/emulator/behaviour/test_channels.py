"""ML input channels: the query, its states, and retention."""

import pytest

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.store import Failure
from lab import CHANNEL_SECONDS, ENDING_SECONDS, TRAINING_SECONDS, Lab, channel_input, sql, template
from parties import refused

DAY_SECONDS = 86_400
MADE = {"numberOfRecords", "numberOfFiles", "sizeInGb"}


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
