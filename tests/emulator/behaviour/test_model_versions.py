"""Versions of trained models: further trainings, and what names them."""

import pytest

from lab import (
    ENDING_SECONDS,
    Lab,
    further,
    listed_models,
)
from parties import refused


def versions(lab: Lab, arn: str, **filters: str) -> list[tuple[str | None, str]]:
    found = lab.bob.ml.list_trained_model_versions(
        membershipIdentifier=lab.membership, trainedModelArn=arn, **filters
    )["trainedModels"]
    return [(each.get("versionIdentifier"), each["status"]) for each in found]


def test_er_24_a_further_training_makes_a_version_of_the_same_arn(lab: Lab) -> None:
    channel = lab.channel()
    base = lab.train(channel, name="base")
    second = lab.train(channel, name="second", **further(base))
    assert second["trainedModelArn"] == base["trainedModelArn"]
    version = second["versionIdentifier"]
    arn = base["trainedModelArn"]
    assert versions(lab, arn) == [(None, "ACTIVE"), (version, "ACTIVE")]
    assert listed_models(lab) == [("second", version)]
    found = lab.see_model(arn, versionIdentifier=version)
    assert found["incrementalTrainingDataChannels"] == [
        {"channelName": "incremental", "modelName": "base"}
    ]
    third = lab.train(channel, name="third", **further(second))
    found = lab.see_model(arn, versionIdentifier=third["versionIdentifier"])
    assert found["incrementalTrainingDataChannels"] == [
        {"channelName": "incremental", "modelName": "second", "versionIdentifier": version}
    ]


@pytest.mark.rules("ER-24=new")
def test_er_24_a_further_training_makes_a_version_of_a_new_arn(lab: Lab) -> None:
    channel = lab.channel()
    base = lab.train(channel, name="base")
    second = lab.train(channel, name="second", **further(base))
    assert second["trainedModelArn"] != base["trainedModelArn"]
    version = second["versionIdentifier"]
    assert versions(lab, second["trainedModelArn"]) == [(version, "ACTIVE")]
    assert listed_models(lab) == [("base", None), ("second", version)]


def test_c_4_without_a_version_get_means_the_latest_and_delete_the_base(lab: Lab) -> None:
    channel = lab.channel()
    base = lab.train(channel, name="base")
    second = lab.train(channel, name="second", **further(base))
    arn, version = base["trainedModelArn"], second["versionIdentifier"]
    assert lab.see_model(arn)["versionIdentifier"] == version
    third = lab.train(channel, name="third", **further({"trainedModelArn": arn}))
    found = lab.see_model(arn, versionIdentifier=third["versionIdentifier"])
    assert found["incrementalTrainingDataChannels"][0]["modelName"] == "second"
    lab.delete_model(arn)
    lab.time.elapse(ENDING_SECONDS)
    assert versions(lab, arn, status="INACTIVE") == [(None, "INACTIVE")]


def test_op_17_a_version_is_cancelled_and_deleted_by_its_identifier(lab: Lab) -> None:
    channel = lab.channel()
    base = lab.train(channel, name="base")
    second = lab.start_training(channel, name="second", **further(base))
    arn, version = base["trainedModelArn"], second["versionIdentifier"]
    with refused("ConflictException"):
        lab.cancel_model(arn)
    lab.cancel_model(arn, versionIdentifier=version)
    lab.time.elapse(ENDING_SECONDS)
    assert versions(lab, arn) == [(None, "ACTIVE"), (version, "INACTIVE")]
    with refused("ResourceNotFoundException"):
        lab.see_model(arn, versionIdentifier="00000000-0000-0000-0000-000000000000")


def test_only_an_active_model_is_gone_on_from(lab: Lab) -> None:
    channel = lab.channel()
    base = lab.start_training(channel)
    with refused("ValidationException"):
        lab.start_training(channel, **further(base))


@pytest.mark.rules("quota.versions_per_model=2")
def test_versions_have_a_quota(lab: Lab) -> None:
    channel = lab.channel()
    base = lab.train(channel)
    lab.train(channel, **further(base))
    with refused("ServiceQuotaExceededException") as error:
        lab.start_training(channel, **further(base))
    assert error["quotaName"] == "Versions per trained model"


@pytest.mark.parametrize(
    ("expected", "of_base"),
    [
        pytest.param({"a": "2", "b": "1", "c": "2"}, {"a": "2", "b": "1", "c": "2"}, id="added"),
        pytest.param(
            {"a": "2", "c": "2"},
            {"a": "2", "c": "2"},
            id="replaced",
            marks=pytest.mark.rules("ER-4=replaced"),
        ),
        pytest.param(
            {"a": "2", "c": "2"},
            {"a": "1", "b": "1"},
            id="separate",
            marks=pytest.mark.rules("ER-4=separate"),
        ),
    ],
)
def test_er_4_r_1_tags_of_versions(
    expected: dict[str, str], of_base: dict[str, str], lab: Lab
) -> None:
    channel = lab.channel()
    base = lab.train(channel, tags={"a": "1", "b": "1"})
    second = lab.train(channel, tags={"a": "2", "c": "2"}, **further(base))
    arn = base["trainedModelArn"]
    found = lab.see_model(arn, versionIdentifier=second["versionIdentifier"])
    assert found["tags"] == expected
    assert lab.bob.ml.list_tags_for_resource(resourceArn=arn)["tags"] == of_base


@pytest.mark.rules("ER-4=separate", "ER-24=new")
def test_er_4_a_version_with_an_arn_of_its_own_is_tagged_by_it(lab: Lab) -> None:
    channel = lab.channel()
    second = lab.train(channel, tags={"a": "2"}, **further(lab.train(channel)))
    arn = second["trainedModelArn"]
    lab.bob.ml.tag_resource(resourceArn=arn, tags={"b": "3"})
    assert lab.see_model(arn)["tags"] == {"a": "2", "b": "3"}
