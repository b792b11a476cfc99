"""Membership: one account's part in a collaboration, with its ML configuration.

An account has at most one membership of a collaboration, which GetCollaboration names: that is
its natural key. The ML configuration has no name, tags or state of its own, so it lives here.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from cleanrooms_operator.core import joining
from cleanrooms_operator.core.kind import (
    Column,
    Definition,
    Handle,
    Kind,
    Listing,
    NaturalKey,
    Spec,
)
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.status import Status
from cleanrooms_operator.core.step import Lifecycle
from cleanrooms_operator.core.values import NameRef, Reference, Structure


class MembershipSpec(Spec):
    """Parameters of CreateMembership and PutMLConfiguration."""

    OWN: ClassVar[frozenset[str]] = Spec.OWN | {"invitation", "mlConfiguration"}

    collaboration_identifier: str | None = None
    collaboration_ref: Annotated[
        NameRef | None,
        Reference("Collaboration", fills="collaborationIdentifier"),
        Field(description="The Collaboration, in this namespace, to be a member of. Immutable."),
    ] = None
    invitation: Annotated[
        joining.Invitation | None,
        Field(description="The collaboration that this account was invited to. Immutable."),
    ] = None
    query_log_status: str
    job_log_status: str | None = None
    default_result_configuration: Structure | None = None
    default_job_result_configuration: Structure | None = None
    payment_configuration: Structure | None = None
    is_metrics_enabled: bool | None = None
    ml_configuration: Annotated[
        Structure | None,
        Field(
            description="Where this member receives ML output, and by which role. What another "
            "made is not overwritten on an adopted membership, unless `managementPolicy` says Full."
        ),
    ] = None


class MembershipStatus(Status):
    """What is seen of a membership."""

    collaboration_identifier: Annotated[
        str | None, Field(description="Identifier of the collaboration.")
    ] = None
    collaboration_retained: Annotated[
        bool | None,
        Field(description="Whether the Collaboration stays in AWS after its resource."),
    ] = None
    ml_configuration: Annotated[
        joining.MLConfigurationStatus | None, Field(description="State of the ML configuration.")
    ] = None


KIND = Kind(
    definition=Definition(
        name="Membership",
        plural="memberships",
        short_name="crmember",
        description="An account's membership of a collaboration in AWS Clean Rooms, with its ML "
        "configuration.",
        spec=MembershipSpec,
        status=MembershipStatus,
        columns=(
            Column("State", ".status.state", "State in AWS Clean Rooms."),
            Column("Account", ".status.accountID", "The account that is the member."),
            Column(
                "Collaboration", ".status.collaborationIdentifier", "The collaboration.", wide=True
            ),
            Column("ID", ".status.identifier", "Identifier of the membership.", wide=True),
        ),
    ),
    service="cleanrooms",
    create="CreateMembership",
    read="GetMembership",
    update="UpdateMembership",
    delete="DeleteMembership",
    listing=Listing("cleanrooms", "ListMemberships", "membershipSummaries"),
    handle=Handle("membershipIdentifier"),
    envelope="membership",
    lifecycle={
        "ACTIVE": Lifecycle.READY,
        "REMOVED": Lifecycle.FAILED,
        "COLLABORATION_DELETED": Lifecycle.FAILED,
    },
    ends={
        "REMOVED": Reason.REMOVED,
        "COLLABORATION_DELETED": Reason.COLLABORATION_DELETED,
    },
    in_place={
        "queryLogStatus": "queryLogStatus",
        "jobLogStatus": "jobLogStatus",
        "defaultResultConfiguration": "defaultResultConfiguration",
        "defaultJobResultConfiguration": "defaultJobResultConfiguration",
    },
    by_request=frozenset({"paymentConfiguration"}),
    answered_as={"collaborationIdentifier": "collaborationId"},
    readings=(joining.ML_CONFIGURATION, joining.MEMBERS),
    lookups=(joining.INVITATION,),
    parts={"mlConfiguration": joining.ML_CONFIGURATION_PART},
    natural_key=NaturalKey(
        "cleanrooms",
        "GetCollaboration",
        parameter="collaborationIdentifier",
        envelope="collaboration",
        identifier="membershipId",
        listed_as="collaborationId",
    ),
    neighbours=("Collaboration",),
    upkeep=(joining.accept_payments, joining.put_ml_configuration),
    unapplied=joining.unapplied,
    facts=joining.facts,
    report=joining.report,
    dismantle=joining.delete_ml_configuration,
    blockers=joining.blockers,
    actions=("iam:PassRole",),
)
