"""Collaboration: what its creator declares, and who is invited.

It has no state of its own: it exists or it does not. AWS answers AccessDenied for one that
does not exist, and names its members and its tags only in reads of their own.
"""

from typing import Annotated

from pydantic import Field

from cleanrooms_operator.core import change_requests, keeping, kind, members, own_request, specs
from cleanrooms_operator.core.step import Lifecycle
from cleanrooms_operator.core.values import Structure


class CollaborationSpec(specs.KeptSpec, specs.NamedSpec):
    """Parameters of CreateCollaboration."""

    description: str | None = None
    members: Annotated[list[Structure], Field(description="Who is invited, besides the creator.")]
    creator_display_name: str
    creator_member_abilities: list[str]
    creator_ml_member_abilities: Structure | None = Field(None, alias="creatorMLMemberAbilities")
    creator_payment_configuration: Structure | None = None
    data_encryption_metadata: Structure | None = None
    query_log_status: str
    job_log_status: str | None = None
    analytics_engine: str | None = None
    auto_approved_change_request_types: list[str] | None = None
    allowed_result_regions: list[str] | None = None
    is_metrics_enabled: bool | None = None


KIND = kind.Kind(
    definition=kind.Definition(
        name="Collaboration",
        plural="collaborations",
        short_name="crcollab",
        description="A collaboration in AWS Clean Rooms, as its creator declares it.",
        spec=CollaborationSpec,
        status=members.CollaborationStatus,
        columns=(
            kind.Column("State", ".status.state", "Our own standing, in AWS's word."),
            kind.Column("Joined", ".status.membersJoined", "How many of the members have joined."),
            kind.Column("ID", ".status.identifier", "Identifier of the collaboration.", wide=True),
        ),
        rules=(
            kind.Rule(
                "!has(self.analyticsEngine) || self.analyticsEngine != 'CLEAN_ROOMS_SQL'",
                "analyticsEngine must not be CLEAN_ROOMS_SQL, which AWS ended in 2025: use SPARK",
                ".analyticsEngine",
            ),
            *members.RULES,
        ),
    ),
    service="cleanrooms",
    create="CreateCollaboration",
    read="GetCollaboration",
    update="UpdateCollaboration",
    delete="DeleteCollaboration",
    listing=kind.Listing("cleanrooms", "ListCollaborations", "collaborationList"),
    handle=kind.Handle("collaborationIdentifier"),
    envelope="collaboration",
    state="memberStatus",
    lifecycle=dict.fromkeys(("INVITED", "ACTIVE", "LEFT", "REMOVED"), Lifecycle.READY),
    in_place=frozenset({"name", "description", "analyticsEngine"}),
    by_request=members.BY_REQUEST,
    unordered=frozenset({"allowedResultRegions"}),
    readings=(own_request.CHANGE_REQUESTS, members.MEMBERS),
    denied_is_missing=True,
    neighbours=("Membership", *keeping.UNDER_MEMBERSHIPS),
    is_outdated=members.are_outdated,
    upkeep=(change_requests.next_change,),
    calls=change_requests.CALLS,
    facts=members.facts,
    report=members.report,
    blockers=members.blockers,
)
