"""Algorithms and their associations: what their statuses say."""

from typing import Annotated, TypeAlias

from pydantic import Field

from cleanrooms_operator.core.status import Status
from cleanrooms_operator.core.values import NameRef, Reference

ASSOCIATION = "ConfiguredModelAlgorithmAssociation"


class AssociationStatus(Status):
    """What is seen of an association."""

    membership_identifier: Annotated[
        str | None, Field(description="Identifier of the membership that it lives under.")
    ] = None
    configured_model_algorithm_arn: Annotated[
        str | None, Field(description="ARN of the algorithm that it publishes.")
    ] = None


AssociationRef: TypeAlias = Annotated[
    NameRef | None,
    Reference(ASSOCIATION, {"configuredModelAlgorithmAssociationArn": "arn"}),
    Field(description="The association, in this namespace, whose algorithm runs."),
]
