"""Trained models: training, cancelling, deleting."""

import pytest

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.store import Failure
from lab import (
    ENDING_SECONDS,
    PUBLISHING_SECONDS,
    SMALL,
    TRAINING_SECONDS,
    Lab,
    further,
    listed_models,
)
from parties import refused

LOGS = {
    "policies": {
        "trainedModels": {
            "containerLogs": [{"allowedAccountIds": ["111111111111", "222222222222"]}],
        }
    }
}


def test_a_training_goes_through_its_states(lab: Lab) -> None:
    made = lab.start_training(lab.channel())
    assert "versionIdentifier" not in made
    arn = made["trainedModelArn"]
    assert lab.states(lab.see_model, arn, TRAINING_SECONDS) == [
        "CREATE_PENDING",
        "CREATE_IN_PROGRESS",
        "ACTIVE",
    ]
    assert "versionIdentifier" not in lab.see_model(arn)


def test_a_model_shows_what_was_asked_for(lab: Lab) -> None:
    given = {
        "hyperparameters": {"depth": "3"},
        "environment": {"MODE": "fast"},
        "resourceConfig": {
            "instanceType": "ml.m5.4xlarge",
            "volumeSizeInGB": 7,
            "instanceCount": 2,
        },
        "stoppingCondition": {"maxRuntimeInSeconds": 3600},
        "trainingInputMode": "Pipe",
        "description": "d",
        "kmsKeyArn": "arn:aws:kms:us-east-1:222222222222:key/k",
        "tags": {"a": "b"},
    }
    found = lab.see_model(lab.train(lab.channel(), **given)["trainedModelArn"])
    assert {name: found[name] for name in given} == given
    assert found["trainingContainerImageDigest"].startswith("sha256:")


def test_the_service_fills_in_defaults(lab: Lab) -> None:
    channel = lab.channel()
    found = lab.see_model(lab.start_training(channel)["trainedModelArn"])
    assert found["resourceConfig"]["instanceCount"] == 1
    assert found["trainingInputMode"] == "File"
    assert found["stoppingCondition"] == {"maxRuntimeInSeconds": 86_400}
    assert found["dataChannels"] == [
        {
            "mlInputChannelArn": channel,
            "channelName": "c0",
            "s3DataDistributionType": "FullyReplicated",
        }
    ]


def test_other_members_see_a_model_without_its_parameters(lab: Lab) -> None:
    arn = lab.train(lab.channel(), hyperparameters={"a": "1"}, tags={"a": "b"})["trainedModelArn"]
    found = lab.alice.ml.get_collaboration_trained_model(
        collaborationIdentifier=lab.shared.id, trainedModelArn=arn
    )
    assert (found["creatorAccountId"], found["status"]) == (lab.bob.account, "ACTIVE")
    assert found["resourceConfig"]["instanceType"] == "ml.m5.2xlarge"
    hidden = {"hyperparameters", "environment", "dataChannels", "kmsKeyArn", "tags"}
    assert not hidden & found.keys()
    shown = lab.alice.ml.list_collaboration_trained_models(collaborationIdentifier=lab.shared.id)
    (summary,) = shown["collaborationTrainedModels"]
    assert summary["mlModelTrainingPayerAccountId"] == lab.bob.account


def test_only_the_querying_member_trains(lab: Lab) -> None:
    with refused("AccessDeniedException"):
        lab.alice.ml.create_trained_model(
            membershipIdentifier=lab.shared.of(lab.alice),
            name="m",
            configuredModelAlgorithmAssociationArn=lab.association,
            resourceConfig=SMALL,
            dataChannels=[{"mlInputChannelArn": lab.channel(), "channelName": "c"}],
        )


def test_an_algorithm_without_a_training_container_cannot_be_trained(lab: Lab) -> None:
    image = {"imageUri": "111111111111.dkr.ecr.us-east-1.amazonaws.com/image:1"}
    bare = lab.alice.ml.create_configured_model_algorithm(
        name="bare", roleArn=lab.alice.role(), inferenceContainerConfig=image
    )
    lab.algorithm = bare["configuredModelAlgorithmArn"]
    lab.association = lab.associate("bare")
    with refused("ValidationException"):
        lab.start_training(lab.channel())


def test_r_34_channel_names_are_unique_and_twenty_at_most(lab: Lab) -> None:
    channel = lab.channel()
    base = lab.train(channel)
    twins = [{"mlInputChannelArn": channel, "channelName": "same"}] * 2
    with refused("ValidationException"):
        lab.start_training(dataChannels=twins)
    with refused("ValidationException"):
        lab.start_training(channel, **further(base, "c0"))
    with refused("ValidationException"):
        lab.start_training(*[channel] * 20, **further(base))
    lab.start_training(*[channel] * 19, **further(base))


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("ValidationException", id="invalid"),
        pytest.param("ConflictException", id="conflict", marks=pytest.mark.rules("ER-23=conflict")),
    ],
)
def test_er_23_a_training_needs_active_inputs(code: str, lab: Lab) -> None:
    with refused(code):
        lab.start_training(lab.start_channel())


@pytest.mark.rules("ER-23=fail")
def test_er_23_a_training_on_an_inactive_input_fails(lab: Lab) -> None:
    found = lab.see_model(lab.train(lab.start_channel())["trainedModelArn"])
    assert found["status"] == "CREATE_FAILED"
    assert found["statusDetails"]["statusCode"] == "INPUT_NOT_ACTIVE"


def test_op_18_a_training_is_cancelled_through_its_states(lab: Lab) -> None:
    arn = lab.start_training(lab.channel())["trainedModelArn"]
    with refused("ConflictException"):
        lab.delete_model(arn)
    lab.cancel_model(arn)
    with refused("ConflictException"):
        lab.cancel_model(arn)
    states = lab.states(lab.see_model, arn, ENDING_SECONDS)
    assert states == ["CANCEL_PENDING", "CANCEL_IN_PROGRESS", "INACTIVE"]
    lab.time.elapse(TRAINING_SECONDS)
    assert lab.see_model(arn)["status"] == "INACTIVE"


@pytest.mark.rules("ER-31=fail")
def test_er_31_a_cancel_that_comes_too_late_fails(lab: Lab) -> None:
    arn = lab.start_training(lab.channel())["trainedModelArn"]
    lab.cancel_model(arn)
    lab.time.elapse(ENDING_SECONDS)
    found = lab.see_model(arn)
    assert (found["status"], found["statusDetails"]["statusCode"]) == ("CANCEL_FAILED", "FINISHED")
    lab.delete_model(arn)


@pytest.mark.rules("ER-31=conflict")
def test_er_31_a_cancel_that_comes_too_late_is_a_conflict(lab: Lab) -> None:
    arn = lab.start_training(lab.channel())["trainedModelArn"]
    with refused("ConflictException"):
        lab.cancel_model(arn)
    assert lab.see_model(arn)["status"] == "ACTIVE"
    lab.time.elapse(TRAINING_SECONDS)
    assert lab.see_model(arn)["status"] == "ACTIVE"


def test_a_deleted_model_leaves_its_record(lab: Lab) -> None:
    arn = lab.train(lab.channel())["trainedModelArn"]
    with refused("ConflictException"):
        lab.cancel_model(arn)
    lab.delete_model(arn)
    states = lab.states(lab.see_model, arn, ENDING_SECONDS)
    assert states == ["DELETE_PENDING", "DELETE_IN_PROGRESS", "INACTIVE"]
    with refused("ConflictException"):
        lab.delete_model(arn)
    assert listed_models(lab) == [("model", None)]


def test_a_model_in_use_cannot_be_deleted(lab: Lab) -> None:
    channel = lab.channel()
    arn = lab.train(channel)["trainedModelArn"]
    job = lab.infer(arn, channel)
    with refused("ConflictException"):
        lab.delete_model(arn)
    lab.cancel_job(job)
    lab.time.elapse(ENDING_SECONDS)
    lab.delete_model(arn)


def failed_model(lab: Lab, emulator: Emulator) -> str:
    failure = Failure("TrainedModel", "ALGORITHM_ERROR", "Traceback: no such column")
    emulator.store.fail_next(failure)
    return str(lab.train(lab.channel())["trainedModelArn"])


def test_a_failed_training_says_what_the_container_wrote(lab: Lab, emulator: Emulator) -> None:
    found = lab.see_model(failed_model(lab, emulator))
    assert found["status"] == "CREATE_FAILED"
    assert found["statusDetails"]["message"] == "Traceback: no such column"


def test_er_19_a_failed_model_can_be_deleted(lab: Lab, emulator: Emulator) -> None:
    arn = failed_model(lab, emulator)
    lab.delete_model(arn)
    lab.time.elapse(ENDING_SECONDS)
    assert lab.see_model(arn)["status"] == "INACTIVE"


@pytest.mark.rules("ER-19=refuse")
def test_er_19_a_failed_model_cannot_be_deleted(lab: Lab, emulator: Emulator) -> None:
    with refused("ConflictException"):
        lab.delete_model(failed_model(lab, emulator))


def test_er_5_trainings_outlive_their_collaboration(lab: Lab) -> None:
    arn = lab.start_training(lab.channel())["trainedModelArn"]
    lab.alice.cleanrooms.delete_collaboration(collaborationIdentifier=lab.shared.id)
    lab.time.elapse(TRAINING_SECONDS)
    assert lab.see_model(arn)["status"] == "ACTIVE"


@pytest.mark.rules("ER-5=fail")
def test_er_5_trainings_fail_with_their_collaboration(lab: Lab) -> None:
    arn = lab.start_training(lab.channel())["trainedModelArn"]
    lab.alice.cleanrooms.delete_collaboration(collaborationIdentifier=lab.shared.id)
    found = lab.see_model(arn)
    assert (found["status"], found["statusDetails"]["statusCode"]) == (
        "CREATE_FAILED",
        "COLLABORATION_DELETED",
    )


def test_op_12_each_account_sees_its_own_metrics_and_logs(lab: Lab) -> None:
    """Alice has an ML configuration, bob has none; both are named to read the logs."""
    lab.association = lab.associate("logged", privacyConfiguration=LOGS)
    arn = lab.train(lab.channel())["trainedModelArn"]
    assert not {"metricsStatus", "logsStatus"} & lab.see_model(arn).keys()
    lab.time.elapse(PUBLISHING_SECONDS)
    own = lab.see_model(arn)
    assert (own["metricsStatus"], own["logsStatus"]) == ("PUBLISH_FAILED", "PUBLISH_FAILED")
    assert "ML configuration" in own["logsStatusDetails"]
    shared = lab.alice.ml.get_collaboration_trained_model(
        collaborationIdentifier=lab.shared.id, trainedModelArn=arn
    )
    assert (shared["metricsStatus"], shared["logsStatus"]) == (
        "PUBLISH_SUCCEEDED",
        "PUBLISH_SUCCEEDED",
    )
    assert "logsStatusDetails" not in shared


@pytest.mark.rules("quota.trainings_per_membership=1")
def test_trainings_have_a_quota(lab: Lab) -> None:
    channel = lab.channel()
    lab.start_training(channel)
    with refused("ServiceQuotaExceededException") as error:
        lab.start_training(channel)
    assert error["quotaValue"] == 1.0
    lab.time.elapse(TRAINING_SECONDS)
    lab.start_training(channel)


def test_r_22_instances_are_weighed_by_count_and_by_type(lab: Lab) -> None:
    channel = lab.channel()
    with refused("ServiceQuotaExceededException") as error:
        lab.start_training(
            channel, resourceConfig={"instanceType": "ml.g5.xlarge", "volumeSizeInGB": 1}
        )
    assert (error["quotaName"], error["quotaValue"]) == ("ml.g5.xlarge for training per account", 0)
    lab.start_training(channel, resourceConfig={**SMALL, "instanceCount": 2})
    with refused("ServiceQuotaExceededException") as error:
        lab.start_training(channel, resourceConfig={**SMALL, "instanceCount": 2})
    assert error["quotaValue"] == 3.0
    for kind in ("ml.m5.4xlarge", "ml.m5.12xlarge"):
        lab.start_training(
            channel, resourceConfig={**SMALL, "instanceType": kind, "instanceCount": 3}
        )
    lab.start_training(channel)


@pytest.mark.rules("quota.training_instances=4")
def test_r_22_instances_of_all_types_count_together(lab: Lab) -> None:
    channel = lab.channel()
    lab.start_training(channel, resourceConfig={**SMALL, "instanceCount": 3})
    big = {**SMALL, "instanceType": "ml.m5.4xlarge", "instanceCount": 2}
    with refused("ServiceQuotaExceededException") as error:
        lab.start_training(channel, resourceConfig=big)
    assert error["quotaName"] == "Active training instances per account"
