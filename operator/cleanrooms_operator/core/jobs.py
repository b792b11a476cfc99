"""Inference jobs: what their status says, and where their output goes."""

from collections.abc import Iterable
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

ABILITY = "CAN_RECEIVE_INFERENCE_OUTPUT"
"""What the receiver of the output has to have."""

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


def undelivered(parameters: Document, delivery: Delivery) -> str | None:
    """Say why the output of a job would not be delivered, as far as can be seen (rule R-25).

    Whether an account has an ML configuration is seen where its Membership is in this cluster.
    Source: the user guide of Clean Rooms ML, on who can receive results.
    """
    account = _receiver(parameters)
    who = f"{account}, who is to receive the output,"
    member = next((each for each in delivery.members if each["accountId"] == account), None)
    if member is None:
        return f"{who} is no member of the collaboration"
    if ABILITY not in (member.get("mlAbilities") or {}).get("customMLMemberAbilities", ()):
        return f"{who} does not have {ABILITY}"
    joined = _joined(delivery.memberships, delivery.collaboration, account)
    if joined is None:
        return None if member["status"] == "ACTIVE" else f"{who} has not joined"
    configured = joined.spec.get("mlConfiguration")
    where = f"{joined.key} in namespace {joined.key.namespace}"
    if configured is None:
        return None
    if "destination" not in (configured.get("defaultOutputLocation") or {}):
        return f"{where}, whose account is to receive the output, declares no destination for it"
    ready = joined.is_true("Ready")
    return None if ready else f"{where}, whose account is to receive the output, is not ready"


def _joined(
    memberships: Iterable[Resource], collaboration: str | None, account: str
) -> Resource | None:
    wanted = (collaboration, account, "ACTIVE")
    told = ("collaborationIdentifier", "accountID", "state")
    found = (each for each in memberships if tuple(map(each.status.get, told)) == wanted)
    return next(found, None)


def facts(situation: Situation, present: Present) -> tuple[Fact, ...]:
    """Return how the job ended."""
    return runs.facts(situation, present, Reason.INFERENCE_FAILED)


def _receiver(fields: Document) -> str:
    receiver: str = fields["outputConfiguration"]["members"][0]["accountId"]
    return receiver


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
