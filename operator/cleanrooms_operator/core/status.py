"""The shape of `.status`: what the CRDs say of it, and what every write is checked against."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from cleanrooms_operator.core.values import AccountId, Value


class Condition(Value):
    """One observation, in the shape that Kubernetes gives conditions."""

    type: str
    status: Literal["True", "False", "Unknown"]
    observed_generation: int
    last_transition_time: datetime
    reason: str
    message: str


class AttemptRecord(Value):
    """What is written down before a create call is sent, so that its outcome can be found out."""

    id: Annotated[str, Field(description="Identifies the attempt; the object's tags carry it.")]
    started_at: Annotated[datetime, Field(description="When it was written.")]
    parameters_hash: Annotated[
        str, Field(description="Hash of what is sent, under the operator's key.")
    ]
    name: Annotated[str | None, Field(description="The AWS name that is sent.")] = None
    scope: Annotated[
        dict[str, str] | None, Field(description="The identifiers that the object lives under.")
    ] = None
    baseline: Annotated[
        list[str] | None,
        Field(description="Versions of that name that were there before: none of them is ours."),
    ] = None


class DriftItem(Value):
    """A leaf in which AWS differs from the spec."""

    path: Annotated[str, Field(description="Path of the parameter, such as `description`.")]
    desired: Annotated[str | None, Field(description="The value that the spec asks for.")] = None
    observed: Annotated[str | None, Field(description="The value in AWS.")] = None


class LastError(Value):
    """The last error of AWS that stopped this resource."""

    code: Annotated[str, Field(description="AWS's code of the error.")]
    message: Annotated[str, Field(description="AWS's text.")]
    request_id: Annotated[
        str | None, Field(alias="requestID", description="AWS's id of the request.")
    ] = None


class CommonStatus(Value):
    """What the status of every kind has."""

    observed_generation: Annotated[
        int,
        Field(
            ge=-1,
            description="The generation of the spec that the conditions speak of; -1 until the "
            "operator has seen the resource.",
        ),
    ]
    conditions: Annotated[
        list[Condition] | None,
        Field(description="Observations of this resource, one of each type."),
    ] = None
    last_handled_reconcile_at: Annotated[
        str | None,
        Field(
            description="Value of the annotation `reconcile-requested-at` that was answered last."
        ),
    ] = None
    last_aws_error: Annotated[
        LastError | None,
        Field(alias="lastAWSError", description="The error of AWS that stops this resource."),
    ] = None


class Status(CommonStatus):
    """What the status of a kind with an object in AWS has."""

    identifier: Annotated[
        str | None, Field(description="Identifier of the AWS object, as AWS calls take it.")
    ] = None
    arn: Annotated[str | None, Field(description="ARN of the AWS object.")] = None
    state: Annotated[
        str | None, Field(description="AWS's own word for the state of the object; informational.")
    ] = None
    account_id: Annotated[
        AccountId | None,
        Field(alias="accountID", description="The account that the object lives in."),
    ] = None
    region: Annotated[str | None, Field(description="The region that the object lives in.")] = None
    update_time: Annotated[
        str | None, Field(description="When AWS says that the object was last changed.")
    ] = None
    tag_keys: Annotated[
        list[str] | None, Field(description="Keys of the spec's tags that are on the object.")
    ] = None
    attempt: Annotated[
        AttemptRecord | None,
        Field(description="The create call under way, written before it is sent."),
    ] = None
    sources_hash: Annotated[
        str | None,
        Field(
            description="Hash, under the operator's key, of the values from ConfigMaps and Secrets "
            "that the object was made with."
        ),
    ] = None
    drift: Annotated[
        list[DriftItem] | None, Field(description="Where AWS differs from the spec.")
    ] = None
