"""Inference jobs: what their status says, and where their output goes."""

from typing import Annotated, TypeAlias

from pydantic import Field

from cleanrooms_operator.core import runs, shared
from cleanrooms_operator.core.kind import Delivery
from cleanrooms_operator.core.payments import Cost
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, Resource
from cleanrooms_operator.core.situation import Neighbours, Situation
from cleanrooms_operator.core.step import Fact, Present
from cleanrooms_operator.core.values import AccountId, NameRef, Reference, Value

MEMBERSHIP, MODEL = "Membership", "TrainedModel"

COSTS = (Cost("machineLearning.modelInference", "mlModelInferencePayerAccountId"),)
"""What an inference job costs."""

UNSEEN = "<{}>"
"""What stands in a path for a name that cannot be seen."""


class InferenceDataSource(Value):
    """The channel that a model is applied to."""

    ml_input_channel_arn: str | None = None
    ml_input_channel_ref: Annotated[
        NameRef | None,
        Reference("MLInputChannel", {"mlInputChannelArn": "arn"}),
        Field(description="The MLInputChannel, in this namespace, that is inferred from."),
    ] = None
    shared_ml_input_channel: shared.Channel = Field(None, alias="sharedMLInputChannel")


ModelRef: TypeAlias = Annotated[
    NameRef | None,
    Reference(
        MODEL,
        {"trainedModelArn": "arn", "trainedModelVersionIdentifier": "versionIdentifier"},
        optional=frozenset({"trainedModelVersionIdentifier"}),
    ),
    Field(
        description="The TrainedModel, in this namespace, that is applied: stands for "
        "`trainedModelArn` and `trainedModelVersionIdentifier`."
    ),
]
SharedModel: TypeAlias = Annotated[
    shared.SharedName | None,
    shared.model("trainedModelVersionIdentifier"),
    Field(description="A trained model of any member of the collaboration, its latest version."),
]


class JobStatus(runs.ComputationStatus):
    """What is seen of an inference job."""

    receiver: Annotated[
        AccountId | None, Field(description="The account that receives the output.")
    ] = None
    output_location: Annotated[
        str | None,
        Field(
            description="Where the output goes: an S3 URI where the receiver's ML configuration "
            "is in this cluster, else what AWS appends to the receiver's location."
        ),
    ] = None


def report(situation: Situation, present: Present) -> Document:
    """Return the times, the payer, and where the output goes (rule R-25)."""
    if present.details is None:
        return {}
    fields = present.details.fields
    payer = fields.get("mlModelInferencePayerAccountId")
    return {
        **runs.report(situation, present),
        **runs.publications(present.details),
        **({} if payer is None else {"payer": payer}),
        "receiver": _receiver(fields),
        "outputLocation": _output(situation, fields),
    }


def _receiver(fields: Document) -> str:
    receiver: str = fields["outputConfiguration"]["members"][0]["accountId"]
    return receiver


DELIVERY = Delivery(_receiver, "CAN_RECEIVE_INFERENCE_OUTPUT")
"""Source: the user guide of Clean Rooms ML, on who can receive results."""


def facts(situation: Situation, present: Present) -> tuple[Fact, ...]:
    """Return how the job ended."""
    return runs.facts(situation, present, Reason.INFERENCE_FAILED)


def _output(situation: Situation, fields: Document) -> str:
    """Return the documented path, below the receiver's location where that can be seen.

    Source: the user guide of Clean Rooms ML, on the location of results.
    """
    own = _membership(situation.neighbours, "identifier", fields["membershipIdentifier"])
    collaboration = None if own is None else own.status.get("collaborationIdentifier")
    place = _location(situation.neighbours, collaboration, _receiver(fields))
    parts = (
        collaboration or UNSEEN.format("collaboration"),
        _model(situation.neighbours, fields),
        situation.account,
        fields["name"],
    )
    return "/".join(([] if place is None else [place.rstrip("/")]) + list(parts))


def _membership(neighbours: Neighbours, field: str, value: str) -> Resource | None:
    found = neighbours.get(MEMBERSHIP, ())
    return next((each for each in found if each.status.get(field) == value), None)


def _location(neighbours: Neighbours, collaboration: str | None, account: str) -> str | None:
    """Return the S3 URI that the receiver's ML configuration names, if that is declared here."""
    for each in neighbours.get(MEMBERSHIP, ()):
        joined = (each.status.get("collaborationIdentifier"), each.status.get("accountID"))
        output = (each.spec.get("mlConfiguration") or {}).get("defaultOutputLocation") or {}
        if joined == (collaboration, account) and "destination" in output:
            uri: str = output["destination"]["s3Destination"]["s3Uri"]
            return uri
    return None


def _model(neighbours: Neighbours, fields: Document) -> str:
    """Return the AWS name of the model, if it is declared here."""
    wanted = (fields["trainedModelArn"], fields.get("trainedModelVersionIdentifier"))
    for each in neighbours.get(MODEL, ()):
        if (each.status.get("arn"), each.status.get("versionIdentifier")) == wanted:
            name: str = each.spec.get("name", each.key.name)
            return name
    return UNSEEN.format("trained model")
