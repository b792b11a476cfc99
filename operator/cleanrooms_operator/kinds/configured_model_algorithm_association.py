"""ConfiguredModelAlgorithmAssociation: an algorithm, published in a collaboration.

It lives under the membership of whoever provides the algorithm. Data providers allow it by its
ARN, so another association is another consent: it is never replaced by itself.
"""

from typing import Annotated

from pydantic import Field

from cleanrooms_operator.core import algorithms, kind, shared, specs
from cleanrooms_operator.core.permissions import PASSING
from cleanrooms_operator.core.values import NameRef, Reference, Structure


class ConfiguredModelAlgorithmAssociationSpec(specs.MemberSpec):
    """Parameters of CreateConfiguredModelAlgorithmAssociation."""

    configured_model_algorithm_arn: str | None = None
    configured_model_algorithm_ref: Annotated[
        NameRef | None,
        Reference("ConfiguredModelAlgorithm", {"configuredModelAlgorithmArn": "arn"}),
        Field(description="The ConfiguredModelAlgorithm, in this namespace, that is published."),
    ] = None
    description: str | None = None
    privacy_configuration: Structure | None = None


KIND = kind.Kind(
    definition=kind.Definition(
        name="ConfiguredModelAlgorithmAssociation",
        plural="configuredmodelalgorithmassociations",
        short_name="cralgoassoc",
        description="An algorithm published in a collaboration of AWS Clean Rooms ML.",
        spec=ConfiguredModelAlgorithmAssociationSpec,
        status=algorithms.AssociationStatus,
        columns=(
            kind.Column("Membership", ".status.membershipIdentifier", "Where it lives."),
            kind.Column("ARN", ".status.arn", "ARN of the association.", wide=True),
        ),
        rules=(kind.ACCOUNT_OF_MEMBERSHIP,),
    ),
    service="cleanroomsml",
    create="CreateConfiguredModelAlgorithmAssociation",
    read="GetConfiguredModelAlgorithmAssociation",
    delete="DeleteConfiguredModelAlgorithmAssociation",
    listing=kind.Listing(
        "cleanroomsml",
        "ListConfiguredModelAlgorithmAssociations",
        "configuredModelAlgorithmAssociations",
        scope=("membershipIdentifier",),
        handle=("configuredModelAlgorithmAssociationArn",),
    ),
    everybodys=shared.ASSOCIATIONS,
    handle=kind.Handle.by_arn("configuredModelAlgorithmAssociationArn"),
    state=None,
    lifecycle={},
    kept_by_live=frozenset({"MLInputChannel"}),
    actions=PASSING,
)
