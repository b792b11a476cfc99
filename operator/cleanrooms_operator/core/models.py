"""Trained models and their versions: what trains them, and what their statuses say."""

from typing import Annotated

from pydantic import Field

from cleanrooms_operator.core import runs, shared
from cleanrooms_operator.core.kind import Rule
from cleanrooms_operator.core.payments import Cost
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import Drift, Fact, Lifecycle, Present
from cleanrooms_operator.core.values import NameRef, Reference, Value

LIFECYCLE = {
    **runs.UNDER_WAY,
    **runs.BEING_DELETED,
    "ACTIVE": Lifecycle.READY,
    "CREATE_FAILED": Lifecycle.GONE,
    "INACTIVE": Lifecycle.GONE,
}

ENDS = {
    "CREATE_FAILED": Reason.TRAINING_FAILED,
    "INACTIVE": Reason.CANCELLED,
    "CANCEL_FAILED": Reason.CANCEL_FAILED,
    "DELETE_FAILED": Reason.DELETE_FAILED,
}
"""What it means that a model is not there to be used."""

_INCREMENTAL = "self.incrementalTrainingDataChannels"

RULES = (
    Rule(
        f"!has({_INCREMENTAL}) || size(self.dataChannels) + size({_INCREMENTAL}) <= 20",
        "`dataChannels` and `incrementalTrainingDataChannels` must be no more than 20 together",
        ".dataChannels",
    ),
    Rule(
        f"!has({_INCREMENTAL}) || {_INCREMENTAL}.all(i,"
        " !self.dataChannels.exists(d, d.channelName == i.channelName))",
        "`channelName` must be different in each channel, incremental ones included",
        ".incrementalTrainingDataChannels",
    ),
)
"""What AWS asks of the channels of a training (rule R-34)."""

COSTS = (Cost("machineLearning.modelTraining", "mlModelTrainingPayerAccountId"),)
"""What a training costs."""

DIGEST = "trainingContainerImageDigest"
INCREMENTAL, VERSION = "incrementalTrainingDataChannels", "versionIdentifier"


class DataChannel(Value):
    """Data to train on, under the name by which the container finds it."""

    ml_input_channel_arn: str | None = None
    ml_input_channel_ref: Annotated[
        NameRef | None,
        Reference("MLInputChannel", {"mlInputChannelArn": "arn"}),
        Field(description="The MLInputChannel, in this namespace, that is trained on."),
    ] = None
    shared_ml_input_channel: shared.Channel = Field(None, alias="sharedMLInputChannel")
    channel_name: str
    s3_data_distribution_type: str | None = Field(None, alias="s3DataDistributionType")


class IncrementalTrainingDataChannel(Value):
    """The model that a training goes on from, which makes another version of it."""

    trained_model_arn: str | None = None
    version_identifier: str | None = None
    trained_model_ref: Annotated[
        NameRef | None,
        Reference(
            "TrainedModel",
            {"trainedModelArn": "arn", "versionIdentifier": "versionIdentifier"},
            optional=frozenset({"versionIdentifier"}),
        ),
        Field(
            description="The TrainedModel, in this namespace, that the training goes on from: "
            "stands for `trainedModelArn` and `versionIdentifier`."
        ),
    ] = None
    shared_trained_model: Annotated[
        shared.SharedName | None,
        shared.model("versionIdentifier"),
        Field(description="A trained model of another member, its latest version."),
    ] = None
    channel_name: str


class TrainedModelStatus(runs.ComputationStatus):
    """What is seen of a trained model."""

    version_identifier: Annotated[
        str | None,
        Field(description="The version of the model that this is; absent: its base."),
    ] = None
    configured_model_algorithm_association_arn: Annotated[
        str | None, Field(description="ARN of the association whose algorithm trains it.")
    ] = None
    training_container_image_digest: Annotated[
        str | None, Field(description="Digest of the image that trains it.")
    ] = None


def misunderstood(situation: Situation, present: Present) -> tuple[Drift, ...]:
    """Return that a training went on from a version where the base was meant.

    The base has no version that could be named, and AWS's documents contradict each other about
    what a model without one stands for where it has versions: the latest, or the base (C-4).
    """
    shown = present.details.fields if present.details is not None else {}
    pairs = zip(situation.parameters.get(INCREMENTAL, ()), shown.get(INCREMENTAL, ()), strict=False)
    return tuple(
        Drift(f"{INCREMENTAL}[{place}].{VERSION}", None, found[VERSION])
        for place, (asked, found) in enumerate(pairs)
        if VERSION in found and "trainedModelArn" in asked and VERSION not in asked
    )


def report(situation: Situation, present: Present) -> Document:
    """Return what AWS tells of a training; of a base that has versions it tells less (R-1)."""
    if present.details is None:
        return {}
    shown = present.details.fields
    told = {DIGEST: shown.get(DIGEST), "payer": shown.get("mlModelTrainingPayerAccountId")}
    return {
        **runs.report(situation, present),
        **runs.publications(present.details),
        **{name: value for name, value in told.items() if value is not None},
    }


def facts(situation: Situation, present: Present) -> tuple[Fact, ...]:
    """Return how the training ended, and until then that this is open."""
    return runs.facts(situation, present, Reason.TRAINING_FAILED)
