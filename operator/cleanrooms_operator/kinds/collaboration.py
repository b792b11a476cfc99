"""Collaboration: what its creator declares, and who is invited.

It has no state of its own: it exists or it does not. AWS answers AccessDenied for one that
does not exist, and names its members and its tags only in reads of their own.
"""

from typing import Annotated

from pydantic import Field

from cleanrooms_operator.core import members
from cleanrooms_operator.core.kind import (
    Column,
    Definition,
    Handle,
    Kind,
    Listing,
    NamedSpec,
    Reading,
    Rule,
)
from cleanrooms_operator.core.members import MemberStatus
from cleanrooms_operator.core.status import Status
from cleanrooms_operator.core.step import Lifecycle
from cleanrooms_operator.core.values import Structure


class CollaborationSpec(NamedSpec):
    """Parameters of CreateCollaboration."""

    description: str | None = None
    members: Annotated[
        list[Structure],
        Field(description="Who else is invited: the members without the creator."),
    ]
    creator_display_name: str
    creator_member_abilities: list[str]
    creator_ml_member_abilities: Annotated[
        Structure | None, Field(alias="creatorMLMemberAbilities")
    ] = None
    creator_payment_configuration: Structure | None = None
    data_encryption_metadata: Structure | None = None
    query_log_status: str
    job_log_status: str | None = None
    analytics_engine: str | None = None
    auto_approved_change_request_types: list[str] | None = None
    allowed_result_regions: list[str] | None = None
    is_metrics_enabled: bool | None = None


class CollaborationStatus(Status):
    """What is seen of a collaboration."""

    members: Annotated[
        list[MemberStatus] | None, Field(description="The members, the creator first.")
    ] = None
    members_joined: Annotated[
        str | None, Field(description="How many of the members have joined, such as `1/2`.")
    ] = None


KIND = Kind(
    definition=Definition(
        name="Collaboration",
        plural="collaborations",
        short_name="crcollab",
        description="A collaboration in AWS Clean Rooms, as its creator declares it.",
        spec=CollaborationSpec,
        status=CollaborationStatus,
        columns=(
            Column("State", ".status.state", "Our standing in the collaboration, in AWS's word."),
            Column("Joined", ".status.membersJoined", "How many of the members have joined."),
            Column("ID", ".status.identifier", "Identifier of the collaboration.", wide=True),
        ),
        rules=(
            Rule(
                "!has(self.analyticsEngine) || self.analyticsEngine != 'CLEAN_ROOMS_SQL'",
                "analyticsEngine must not be CLEAN_ROOMS_SQL: AWS ended that engine in 2025, use "
                "SPARK",
                ".analyticsEngine",
            ),
        ),
    ),
    service="cleanrooms",
    create="CreateCollaboration",
    read="GetCollaboration",
    update="UpdateCollaboration",
    delete="DeleteCollaboration",
    listing=Listing("cleanrooms", "ListCollaborations", "collaborationList"),
    handle=Handle("collaborationIdentifier"),
    envelope="collaboration",
    state="memberStatus",
    lifecycle=dict.fromkeys(("INVITED", "ACTIVE", "LEFT", "REMOVED"), Lifecycle.READY),
    in_place={name: name for name in ("name", "description", "analyticsEngine")},
    by_request=frozenset(
        {
            "members",
            "creatorMemberAbilities",
            "creatorMLMemberAbilities",
            "creatorPaymentConfiguration",
            "autoApprovedChangeRequestTypes",
        }
    ),
    unordered=frozenset({"allowedResultRegions"}),
    readings=(
        Reading(
            members.READING,
            "cleanrooms",
            "ListMembers",
            lambda fields: {"collaborationIdentifier": fields["id"]},
            "memberSummaries",
            paged=True,
            awaited=members.are_awaited,
        ),
    ),
    denied_is_missing=True,
    neighbours=("Membership",),
    is_outdated=members.are_outdated,
    facts=members.facts,
    report=members.report,
    blockers=members.blockers,
)
