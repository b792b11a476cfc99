"""Configured model algorithms, and their associations with collaborations."""

from typing import Any

import pytest

from cleanrooms_emulator.virtual import VirtualTime
from lab import CHANNEL_SECONDS, ENDING_SECONDS, IMAGE, TRAINING_SECONDS, Lab
from parties import Party, refused

NOWHERE = "arn:aws:cleanrooms-ml:us-east-1:111111111111:configured-model-algorithm/none"

TRAINING = {
    "imageUri": IMAGE,
    "entrypoint": ["python", "train.py"],
    "arguments": ["--fast"],
    "metricDefinitions": [{"name": "loss", "regex": "loss=(.*)"}],
}
PRIVACY = {
    "policies": {
        "trainedModels": {
            "containerLogs": [{"allowedAccountIds": ["111111111111"], "logType": "ALL"}],
            "containerMetrics": {"noiseLevel": "NONE"},
            "maxArtifactSize": {"unit": "GB", "value": 10.0},
        },
        "trainedModelExports": {
            "maxSize": {"unit": "GB", "value": 5.0},
            "filesToExport": ["MODEL"],
        },
        "trainedModelInferenceJobs": {"maxOutputSize": {"unit": "GB", "value": 1.0}},
    }
}


def see(lab: Lab, arn: str) -> Any:
    return lab.alice.ml.get_configured_model_algorithm(configuredModelAlgorithmArn=arn)


def forget(lab: Lab, arn: str) -> None:
    lab.alice.ml.delete_configured_model_algorithm(configuredModelAlgorithmArn=arn)


def see_association(lab: Lab, arn: str) -> Any:
    return lab.alice.ml.get_configured_model_algorithm_association(
        membershipIdentifier=lab.shared.of(lab.alice), configuredModelAlgorithmAssociationArn=arn
    )


def dissociate(lab: Lab, arn: str) -> None:
    lab.alice.ml.delete_configured_model_algorithm_association(
        membershipIdentifier=lab.shared.of(lab.alice), configuredModelAlgorithmAssociationArn=arn
    )


def test_an_algorithm_shows_what_was_asked_for(lab: Lab) -> None:
    arn = lab.configure(
        "full",
        description="d",
        trainingContainerConfig=TRAINING,
        kmsKeyArn="arn:aws:kms:us-east-1:111111111111:key/k",
        tags={"a": "b"},
    )
    found = see(lab, arn)
    assert found["trainingContainerConfig"] == TRAINING
    assert found["inferenceContainerConfig"] == {"imageUri": IMAGE}
    assert (found["name"], found["description"], found["tags"]) == ("full", "d", {"a": "b"})
    assert found["kmsKeyArn"].endswith("key/k")
    assert "tags" not in see(lab, lab.algorithm)


def test_an_algorithm_is_its_accounts_alone(lab: Lab) -> None:
    with refused("AccessDeniedException"):
        lab.bob.ml.get_configured_model_algorithm(configuredModelAlgorithmArn=lab.algorithm)
    assert lab.bob.ml.list_configured_model_algorithms()["configuredModelAlgorithms"] == []
    with refused("AccessDeniedException"):
        lab.bob.ml.create_configured_model_algorithm_association(
            membershipIdentifier=lab.membership,
            configuredModelAlgorithmArn=lab.algorithm,
            name="stolen",
        )


def test_a_missing_algorithm_is_not_found(lab: Lab) -> None:
    with refused("ResourceNotFoundException"):
        see(lab, NOWHERE)
    with refused("ResourceNotFoundException"):
        forget(lab, NOWHERE)


def test_er_17_an_algorithm_needs_a_container(alice: Party) -> None:
    with refused("ValidationException"):
        alice.ml.create_configured_model_algorithm(name="bare", roleArn=alice.role())


@pytest.mark.rules("ER-17=accept")
def test_er_17_an_algorithm_needs_no_container(alice: Party) -> None:
    made = alice.ml.create_configured_model_algorithm(name="bare", roleArn=alice.role())
    assert "configuredModelAlgorithmArn" in made


def test_er_1_names_are_not_unique(lab: Lab) -> None:
    assert lab.configure("twin") != lab.configure("twin")
    assert lab.associate("twin") != lab.associate("twin")


@pytest.mark.rules("ER-1=refused-while-live")
def test_er_1_names_are_unique_among_the_living(lab: Lab) -> None:
    first = lab.configure("twin")
    with refused("ConflictException"):
        lab.configure("twin")
    forget(lab, first)
    lab.configure("twin")
    lab.associate("twin")
    with refused("ConflictException"):
        lab.associate("twin")


def test_op_8_an_algorithm_goes_after_its_associations(lab: Lab) -> None:
    with refused("ConflictException") as error:
        forget(lab, lab.algorithm)
    assert set(error) == {"Error", "ResponseMetadata", "message"}
    dissociate(lab, lab.association)
    forget(lab, lab.algorithm)
    with refused("ResourceNotFoundException"):
        see(lab, lab.algorithm)


def test_an_association_shows_what_was_asked_for(lab: Lab) -> None:
    arn = lab.associate("full", description="d", privacyConfiguration=PRIVACY, tags={"a": "b"})
    found = see_association(lab, arn)
    assert found["privacyConfiguration"] == PRIVACY
    assert (found["name"], found["description"], found["tags"]) == ("full", "d", {"a": "b"})
    assert found["configuredModelAlgorithmArn"] == lab.algorithm
    assert found["collaborationIdentifier"] == lab.shared.id
    assert found["membershipIdentifier"] == lab.shared.of(lab.alice)


def test_other_members_see_an_association_without_its_tags(lab: Lab) -> None:
    arn = lab.associate("full", privacyConfiguration=PRIVACY, tags={"a": "b"})
    found = lab.bob.ml.get_collaboration_configured_model_algorithm_association(
        collaborationIdentifier=lab.shared.id, configuredModelAlgorithmAssociationArn=arn
    )
    assert (found["creatorAccountId"], found["name"]) == (lab.alice.account, "full")
    assert found["privacyConfiguration"] == PRIVACY
    assert "tags" not in found
    listed = lab.bob.ml.list_collaboration_configured_model_algorithm_associations(
        collaborationIdentifier=lab.shared.id
    )["collaborationConfiguredModelAlgorithmAssociations"]
    assert [each["name"] for each in listed] == ["association", "full"]
    with refused("AccessDeniedException"):
        lab.bob.ml.get_configured_model_algorithm_association(
            membershipIdentifier=lab.shared.of(lab.alice),
            configuredModelAlgorithmAssociationArn=arn,
        )


def test_an_association_lists_under_its_own_membership(lab: Lab) -> None:
    def listed(party: Party) -> list[str]:
        found = party.ml.list_configured_model_algorithm_associations(
            membershipIdentifier=lab.shared.of(party)
        )["configuredModelAlgorithmAssociations"]
        return [each["name"] for each in found]

    assert listed(lab.alice) == ["association"]
    assert listed(lab.bob) == []


def test_er_18_a_live_channel_and_an_unfinished_model_hold_an_association(lab: Lab) -> None:
    channel = lab.start_channel()
    with refused("ConflictException"):
        dissociate(lab, lab.association)
    lab.time.elapse(CHANNEL_SECONDS)
    lab.start_training(channel)
    with refused("ConflictException"):
        dissociate(lab, lab.association)
    lab.time.elapse(TRAINING_SECONDS)
    lab.delete_channel(channel)
    with refused("ConflictException"):
        dissociate(lab, lab.association)
    lab.time.elapse(ENDING_SECONDS)
    dissociate(lab, lab.association)


@pytest.mark.rules("ER-18=any")
def test_er_18_an_active_model_holds_an_association_too(lab: Lab) -> None:
    channel = lab.channel()
    model = lab.train(channel)["trainedModelArn"]
    lab.delete_channel(channel)
    lab.time.elapse(ENDING_SECONDS)
    with refused("ConflictException"):
        dissociate(lab, lab.association)
    lab.delete_model(model)
    lab.time.elapse(ENDING_SECONDS)
    dissociate(lab, lab.association)


@pytest.mark.rules("quota.algorithms=1", "quota.associations_per_membership=1")
def test_algorithms_and_associations_have_quotas(lab: Lab) -> None:
    with refused("ServiceQuotaExceededException") as error:
        lab.configure("more")
    assert error["quotaValue"] == 1.0
    with refused("ServiceQuotaExceededException"):
        lab.associate("more")


def test_er_26_under_an_ended_membership_an_association_can_only_go(lab: Lab) -> None:
    lab.alice.cleanrooms.delete_collaboration(collaborationIdentifier=lab.shared.id)
    with refused("AccessDeniedException"):
        lab.associate("late")
    see_association(lab, lab.association)
    dissociate(lab, lab.association)


def pages_of(alice: Party, time: VirtualTime, count: int) -> list[list[str]]:
    """Create that many algorithms, and return their names by the page."""
    for n in range(count):
        alice.ml.create_configured_model_algorithm(
            name=f"a{n:02}", roleArn=alice.role(), trainingContainerConfig={"imageUri": IMAGE}
        )
        time.elapse(1)
    pages = alice.ml.get_paginator("list_configured_model_algorithms").paginate()
    return [[each["name"] for each in page["configuredModelAlgorithms"]] for page in pages]


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param([10, 2], id="ten"),
        pytest.param([1] * 12, id="one", marks=pytest.mark.rules("ER-2=one")),
    ],
)
def test_er_2_a_page_has_a_size_of_its_own(
    sizes: list[int], alice: Party, time: VirtualTime
) -> None:
    pages = pages_of(alice, time, 12)
    assert [len(page) for page in pages] == sizes
    assert [name for page in pages for name in page] == [f"a{n:02}" for n in range(12)]


@pytest.mark.rules("ER-2=short")
def test_er_2_pages_may_be_short_or_empty_and_go_on(alice: Party, time: VirtualTime) -> None:
    pages = pages_of(alice, time, 5)
    assert [] in pages[:-1]
    assert [name for page in pages for name in page] == [f"a{n:02}" for n in range(5)]
