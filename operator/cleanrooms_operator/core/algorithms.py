"""Algorithms and their associations: what their statuses say, and what keeps them."""

from typing import Annotated, TypeAlias

from pydantic import Field

from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.status import Status
from cleanrooms_operator.core.step import Blocker, Present
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


def blockers(situation: Situation, present: Present) -> tuple[Blocker, ...]:
    """Return the associations that keep an algorithm (AWS refuses its deletion meanwhile)."""
    users = (
        association
        for association in situation.neighbours.get(ASSOCIATION, ())
        if association.status.get("configuredModelAlgorithmArn") == present.arn and association.held
    )
    return tuple(
        Blocker(f"{user.key} in namespace {user.key.namespace} still publishes it")
        for user in users
    )
