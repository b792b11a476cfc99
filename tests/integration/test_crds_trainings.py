"""What a real API server accepts of a TrainedModel, and what it refuses (rule R-34)."""

import pytest
from lightkube.exceptions import ApiError

from cleanrooms_playground.cluster import Cluster
from manifest_samples import PROJECT, UUID, Document, merged, resource

ARN = f"arn:aws:cleanrooms-ml:us-east-1:111111111111:membership/{UUID}"
CHANNEL = {"mlInputChannelArn": f"{ARN}/ml-input-channel/c", "channelName": "c"}
BASE = {"trainedModelArn": f"{ARN}/trained-model/m", "channelName": "before"}
NAMED = {"name": "churn"}
TRAINING: Document = {
    "membershipIdentifier": UUID,
    "configuredModelAlgorithmAssociationArn": f"{ARN}/configured-model-algorithm-association/a",
    "dataChannels": [CHANNEL],
    "resourceConfig": {"instanceType": "ml.m5.2xlarge", "volumeSizeInGB": 1},
}


@pytest.fixture(scope="module")
def served(cluster: Cluster) -> Cluster:
    """Apply the definitions as a user does, from the files."""
    cluster.apply_files(PROJECT / "crds")
    return cluster


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="the least"),
        pytest.param(
            {"resourceConfig": {"instanceType": "ml.new9.huge"}}, id="a type that AWS adds"
        ),
        pytest.param({"dataChannels": [CHANNEL | {"channelName": f"c{n}"} for n in range(20)]}),
        pytest.param({"incrementalTrainingDataChannels": [BASE]}, id="from a base"),
        pytest.param(
            {"incrementalTrainingDataChannels": [BASE | {"versionIdentifier": UUID}]},
            id="from a version",
        ),
        pytest.param(
            {
                "membershipIdentifier": None,
                "membershipRef": NAMED,
                "configuredModelAlgorithmAssociationArn": None,
                "configuredModelAlgorithmAssociationRef": NAMED,
                "dataChannels": [{"mlInputChannelRef": NAMED, "channelName": "c"}],
                "incrementalTrainingDataChannels": [
                    {"trainedModelRef": NAMED, "channelName": "before"}
                ],
            },
            id="all by reference",
        ),
        pytest.param({"hyperparameters": {"epochs": "2"}, "environment": {"A_1": "x"}}, id="maps"),
        pytest.param({"stoppingCondition": {"maxRuntimeInSeconds": 2_419_200}}, id="28 days"),
        pytest.param({"mlModelTrainingPayerAccountId": "111111111111"}, id="a payer"),
    ],
)
def test_a_training_is_accepted(served: Cluster, namespace: str, change: Document) -> None:
    spec = merged(TRAINING, change)
    made = served.create(resource("TrainedModel", namespace, spec))
    assert merged(made["spec"], spec) == made["spec"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"membershipRef": NAMED},
            "exactly one of `membershipIdentifier`, `membershipRef` must be given",
            id="two memberships",
        ),
        pytest.param(
            {"configuredModelAlgorithmAssociationArn": None},
            "exactly one of `configuredModelAlgorithmAssociationArn`",
            id="no algorithm",
        ),
        pytest.param(
            {"dataChannels": [CHANNEL | {"mlInputChannelRef": NAMED}]},
            "exactly one of `mlInputChannelArn`, `mlInputChannelRef`",
            id="two channels in one",
        ),
        pytest.param(
            {"incrementalTrainingDataChannels": [{"channelName": "before"}]},
            "exactly one of `trainedModelArn`, `trainedModelRef`",
            id="no model to go on from",
        ),
        pytest.param(
            {
                "incrementalTrainingDataChannels": [
                    {
                        "trainedModelRef": NAMED,
                        "versionIdentifier": UUID,
                        "channelName": "before",
                    }
                ]
            },
            "at most one of `versionIdentifier`, `trainedModelRef`",
            id="a version beside a reference, which has its own",
        ),
        pytest.param(
            {
                "dataChannels": [CHANNEL | {"channelName": f"c{n}"} for n in range(20)],
                "incrementalTrainingDataChannels": [BASE],
            },
            "must be no more than 20 together",
            id="21 channels",
        ),
        pytest.param(
            {"incrementalTrainingDataChannels": [BASE | {"channelName": "c"}]},
            "`channelName` must be different in each channel, incremental ones included",
            id="one name for both",
        ),
        pytest.param({"dataChannels": [CHANNEL, CHANNEL]}, "Duplicate value", id="a name twice"),
        pytest.param({"resourceConfig": {"instanceType": "m5.large"}}, "^ml", id="no type of ML"),
        pytest.param(
            {"membershipIdentifier": None, "membershipRef": NAMED, "accountRef": NAMED},
            "`accountRef` must not be given beside `membershipRef`",
            id="two accounts",
        ),
        pytest.param(
            {"environment": {"1a": "x"}}, "keys must match `^[a-zA-Z_]", id="no variable's name"
        ),
        pytest.param({"tags": {"aws:x": "y"}}, "keys must not start with `aws:`", id="AWS's tag"),
    ],
)
def test_a_training_is_refused(
    served: Cluster, namespace: str, change: Document, message: str
) -> None:
    with pytest.raises(ApiError) as refused:
        served.create(resource("TrainedModel", namespace, merged(TRAINING, change)))
    assert refused.value.status.code == 422
    assert message in refused.value.status.message
