"""Inference jobs: a model applied to a channel, for a member that may receive the output."""

from typing import Any

import pytest

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.store import Failure
from lab import ENDING_SECONDS, INFERENCE_SECONDS, PUBLISHING_SECONDS, Lab
from parties import refused


@pytest.fixture
def channel(lab: Lab) -> str:
    """Have a channel that is ACTIVE."""
    return lab.channel()


@pytest.fixture
def model(lab: Lab, channel: str) -> str:
    """Have a model that is ACTIVE."""
    return str(lab.train(channel)["trainedModelArn"])


def to(account: str) -> dict[str, Any]:
    return {"outputConfiguration": {"members": [{"accountId": account}]}}


def test_op_21_a_finished_job_is_active(lab: Lab, model: str, channel: str) -> None:
    arn = lab.infer(model, channel)
    assert lab.states(lab.see_job, arn, INFERENCE_SECONDS) == [
        "CREATE_PENDING",
        "CREATE_IN_PROGRESS",
        "ACTIVE",
    ]
    with refused("ConflictException"):
        lab.cancel_job(arn)


def test_a_job_shows_what_was_asked_for(lab: Lab, model: str, channel: str) -> None:
    given = {
        "outputConfiguration": {
            "accept": "text/csv",
            "members": [{"accountId": lab.alice.account}],
        },
        "resourceConfig": {"instanceType": "ml.m5.4xlarge", "instanceCount": 3},
        "containerExecutionParameters": {"maxPayloadInMB": 6},
        "environment": {"MODE": "fast"},
        "description": "d",
        "kmsKeyArn": "arn:aws:kms:us-east-1:222222222222:key/k",
        "tags": {"a": "b"},
    }
    arn = lab.infer(model, channel, **given)
    lab.time.elapse(INFERENCE_SECONDS)
    found = lab.see_job(arn)
    assert {name: found[name] for name in given} == given
    assert (found["trainedModelArn"], found["dataSource"]["mlInputChannelArn"]) == (model, channel)
    assert found["inferenceContainerImageDigest"].startswith("sha256:")
    assert "collaborationIdentifier" not in found


def test_the_service_fills_in_association_count_and_payer(
    lab: Lab, model: str, channel: str
) -> None:
    found = lab.see_job(lab.infer(model, channel))
    assert found["configuredModelAlgorithmAssociationArn"] == lab.association
    assert found["resourceConfig"]["instanceCount"] == 1
    assert found["mlModelInferencePayerAccountId"] == lab.bob.account
    assert "trainedModelVersionIdentifier" not in found


def test_another_association_can_be_named(lab: Lab, model: str, channel: str) -> None:
    other = lab.associate("other")
    arn = lab.infer(model, channel, configuredModelAlgorithmAssociationArn=other)
    assert lab.see_job(arn)["configuredModelAlgorithmAssociationArn"] == other


def test_a_version_can_be_named(lab: Lab, model: str, channel: str) -> None:
    base = [{"trainedModelArn": model, "channelName": "i"}]
    version = lab.train(channel, incrementalTrainingDataChannels=base)["versionIdentifier"]
    lab.infer(model, channel, "base")
    lab.infer(model, channel, "version", trainedModelVersionIdentifier=version)

    def listed(**filters: str) -> list[str]:
        found = lab.bob.ml.list_trained_model_inference_jobs(
            membershipIdentifier=lab.membership, **filters
        )
        return [each["name"] for each in found["trainedModelInferenceJobs"]]

    assert listed() == ["base", "version"]
    assert listed(trainedModelArn=model) == ["base", "version"]
    assert listed(trainedModelVersionIdentifier=version) == ["version"]
    assert listed(trainedModelArn=f"{model}0") == []


def test_other_members_see_a_job_in_the_list_alone(lab: Lab, model: str, channel: str) -> None:
    lab.infer(model, channel)
    found = lab.alice.ml.list_collaboration_trained_model_inference_jobs(
        collaborationIdentifier=lab.shared.id
    )["collaborationTrainedModelInferenceJobs"]
    (job,) = found
    assert (job["creatorAccountId"], job["name"]) == (lab.bob.account, "job")
    assert job["mlModelInferencePayerAccountId"] == lab.bob.account


def test_only_the_querying_member_infers(lab: Lab, model: str, channel: str) -> None:
    with refused("AccessDeniedException"):
        lab.alice.ml.start_trained_model_inference_job(
            membershipIdentifier=lab.shared.of(lab.alice),
            name="job",
            trainedModelArn=model,
            resourceConfig={"instanceType": "ml.m5.2xlarge"},
            dataSource={"mlInputChannelArn": channel},
            **to(lab.alice.account),
        )


def test_model_and_channel_must_be_active(lab: Lab, model: str, channel: str) -> None:
    with refused("ValidationException"):
        lab.infer(model, lab.start_channel())
    unfinished = lab.start_training(channel)["trainedModelArn"]
    with refused("ValidationException"):
        lab.infer(unfinished, channel)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("ValidationException", id="invalid"),
        pytest.param("AccessDeniedException", id="denied", marks=pytest.mark.rules("ER-25=denied")),
    ],
)
def test_er_25_the_receiver_needs_the_ability(
    code: str, lab: Lab, model: str, channel: str
) -> None:
    with refused(code):
        lab.infer(model, channel, **to(lab.bob.account))


@pytest.mark.rules("ER-25=fail")
def test_er_25_a_job_for_a_receiver_without_the_ability_fails(
    lab: Lab, model: str, channel: str
) -> None:
    arn = lab.infer(model, channel, **to(lab.bob.account))
    lab.time.elapse(INFERENCE_SECONDS)
    found = lab.see_job(arn)
    assert (found["status"], found["statusDetails"]["statusCode"]) == (
        "CREATE_FAILED",
        "RECEIVER_NOT_ENTITLED",
    )


def test_er_16_without_a_configuration_at_its_end_a_job_fails(
    lab: Lab, model: str, channel: str
) -> None:
    arn = lab.infer(model, channel)
    lab.alice.ml.delete_ml_configuration(membershipIdentifier=lab.shared.of(lab.alice))
    lab.time.elapse(INFERENCE_SECONDS)
    found = lab.see_job(arn)
    assert found["status"] == "CREATE_FAILED"
    assert lab.alice.account in found["statusDetails"]["message"]


def test_r_25_a_configuration_without_a_bucket_receives_nothing(
    lab: Lab, model: str, channel: str
) -> None:
    lab.alice.ml.put_ml_configuration(
        membershipIdentifier=lab.shared.of(lab.alice),
        defaultOutputLocation={"roleArn": lab.alice.role()},
    )
    arn = lab.infer(model, channel)
    lab.time.elapse(INFERENCE_SECONDS)
    assert lab.see_job(arn)["status"] == "CREATE_FAILED"


@pytest.mark.rules("ER-16=refuse")
def test_er_16_a_configuration_that_jobs_deliver_to_stays(
    lab: Lab, model: str, channel: str
) -> None:
    arn = lab.infer(model, channel)
    with refused("ValidationException"):
        lab.alice.ml.delete_ml_configuration(membershipIdentifier=lab.shared.of(lab.alice))
    lab.cancel_job(arn)
    lab.alice.ml.delete_ml_configuration(membershipIdentifier=lab.shared.of(lab.alice))


def test_op_21_a_cancelled_job_is_inactive(lab: Lab, model: str, channel: str) -> None:
    arn = lab.infer(model, channel)
    lab.cancel_job(arn)
    states = lab.states(lab.see_job, arn, ENDING_SECONDS)
    assert states == ["CANCEL_PENDING", "CANCEL_IN_PROGRESS", "INACTIVE"]
    with refused("ConflictException"):
        lab.cancel_job(arn)


def test_a_failed_cancel_says_why(lab: Lab, model: str, channel: str, emulator: Emulator) -> None:
    kind = "TrainedModelInferenceJob"
    emulator.store.fail_next(Failure(kind, "INTERNAL", "try later", action="cancel"))
    arn = lab.infer(model, channel)
    lab.cancel_job(arn)
    lab.time.elapse(ENDING_SECONDS)
    found = lab.see_job(arn)
    assert (found["status"], found["statusDetails"]["message"]) == ("CANCEL_FAILED", "try later")


def test_a_failure_on_demand_has_its_details(
    lab: Lab, model: str, channel: str, emulator: Emulator
) -> None:
    emulator.store.fail_next(Failure("TrainedModelInferenceJob", "CLIENT_ERROR", "bad payload"))
    arn = lab.infer(model, channel)
    lab.time.elapse(INFERENCE_SECONDS)
    assert lab.see_job(arn)["statusDetails"] == {
        "statusCode": "CLIENT_ERROR",
        "message": "bad payload",
    }


def test_op_12_metrics_are_published_to_who_has_a_configuration(
    lab: Lab, model: str, channel: str
) -> None:
    lab.receive(lab.bob)
    arn = lab.infer(model, channel)
    lab.time.elapse(INFERENCE_SECONDS + PUBLISHING_SECONDS)
    assert lab.see_job(arn)["metricsStatus"] == "PUBLISH_SUCCEEDED"
    assert "logsStatus" not in lab.see_job(arn)


@pytest.mark.rules("quota.inference_jobs_per_membership=2", "quota.inference_jobs=3")
def test_jobs_have_a_quota(lab: Lab, model: str, channel: str) -> None:
    arn = lab.infer(model, channel)
    lab.infer(model, channel)
    with refused("ServiceQuotaExceededException") as error:
        lab.infer(model, channel)
    assert error["quotaValue"] == 2.0
    lab.cancel_job(arn)
    lab.infer(model, channel)


def test_er_1_names_are_not_unique(lab: Lab, model: str, channel: str) -> None:
    assert lab.infer(model, channel, "twin") != lab.infer(model, channel, "twin")


@pytest.mark.rules("ER-1=refused-while-live")
def test_er_1_a_finished_job_keeps_its_name_and_a_cancelled_one_does_not(
    lab: Lab, model: str, channel: str
) -> None:
    first = lab.infer(model, channel, "twin")
    lab.infer(model, channel, "other")
    lab.cancel_job(first)
    lab.time.elapse(INFERENCE_SECONDS)
    lab.infer(model, channel, "twin")
    with refused("ConflictException"):
        lab.infer(model, channel, "other")
    with refused("ConflictException"):
        lab.start_training(channel, name="model")


def test_er_7_what_lives_holds_a_membership(lab: Lab, model: str, channel: str) -> None:
    def leave() -> None:
        lab.bob.cleanrooms.delete_membership(membershipIdentifier=lab.membership)

    job = lab.infer(model, channel)
    with refused("ConflictException") as error:
        leave()
    for held in ("ML input channels", "trained models", "inference jobs"):
        assert held in error["Error"]["Message"]
    lab.cancel_job(job)
    lab.time.elapse(ENDING_SECONDS)
    lab.delete_model(model)
    with refused("ConflictException"):
        leave()
    lab.delete_channel(channel)
    lab.time.elapse(ENDING_SECONDS)
    leave()


@pytest.mark.rules("ER-7=associations")
def test_er_7_of_ml_objects_associations_alone_hold_a_membership(
    lab: Lab, model: str, channel: str
) -> None:
    lab.infer(model, channel)
    lab.bob.cleanrooms.delete_membership(membershipIdentifier=lab.membership)
    lab.alice.cleanrooms.delete_collaboration(collaborationIdentifier=lab.shared.id)
    with refused("ConflictException"):
        lab.alice.cleanrooms.delete_membership(membershipIdentifier=lab.shared.of(lab.alice))
