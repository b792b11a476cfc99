"""Membership: an account's part in a collaboration, its natural key; with its ML configuration."""

from typing import Annotated, ClassVar

from pydantic import Field

from cleanrooms_operator.core import accepting, joining, keeping, kind, permissions, specs, voting
from cleanrooms_operator.core.charges import GLANCES, OWN, Reporting, news
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.spending import Guarding
from cleanrooms_operator.core.step import Lifecycle
from cleanrooms_operator.core.values import NameRef, Reference, Structure


class MembershipSpec(specs.KeptSpec):
    """Parameters of CreateMembership and PutMLConfiguration."""

    OWN: ClassVar[frozenset[str]] = specs.Spec.OWN | joining.OWN | voting.OWN | OWN

    collaboration_identifier: str | None = None
    collaboration_ref: Annotated[
        NameRef | None,
        Reference("Collaboration", {"collaborationIdentifier": "identifier"}),
        Field(description="The Collaboration, in this namespace, to join. Immutable."),
    ] = None
    invitation: joining.InvitedTo = None
    query_log_status: str
    job_log_status: str | None = None
    default_result_configuration: Structure | None = None
    default_job_result_configuration: Structure | None = None
    payment_configuration: Structure | None = None
    charges: Reporting = None
    spending: Guarding = None
    is_metrics_enabled: bool | None = None
    ml_configuration: Structure | None = Field(None, description=joining.ML_CONFIGURATION_TEXT)
    change_requests: voting.Answers | None = Field(None, description=voting.ANSWERS_TEXT)


KIND = kind.Kind(
    definition=kind.Definition(
        name="Membership",
        plural="memberships",
        short_name="crmember",
        description="An account's membership of a collaboration in AWS Clean Rooms.",
        spec=MembershipSpec,
        status=joining.MembershipStatus,
        columns=joining.COLUMNS,
        rules=(voting.ONE_ANSWER,),
    ),
    service="cleanrooms",
    create="CreateMembership",
    read="GetMembership",
    update="UpdateMembership",
    delete="DeleteMembership",
    listing=kind.Listing("cleanrooms", "ListMemberships", "membershipSummaries"),
    handle=kind.Handle("membershipIdentifier"),
    envelope="membership",
    lifecycle={"ACTIVE": Lifecycle.READY},
    ends={"REMOVED": Reason.REMOVED, "COLLABORATION_DELETED": Reason.COLLABORATION_DELETED},
    in_place=joining.IN_PLACE,
    by_request=frozenset({"paymentConfiguration"}),
    answered_as={"collaborationIdentifier": "collaborationId"},
    readings=(joining.ML_CONFIGURATION, voting.CHANGE_REQUESTS, accepting.MEMBERS),
    glances=GLANCES,
    parts={"mlConfiguration": joining.ML_CONFIGURATION_PART},
    natural_key=joining.NATURAL_KEY,
    fitting=accepting.FITTING,
    neighbours=("Collaboration", *keeping.UNDER_MEMBERSHIPS),
    is_outdated=voting.is_outdated,
    upkeep=(voting.vote, accepting.accept_payments, joining.put_ml_configuration),
    unapplied=joining.unapplied,
    facts=joining.facts,
    report=joining.report,
    news=news,
    dismantle=joining.delete_ml_configuration,
    blockers=joining.blockers,
    calls=voting.CALLS,
    actions=("iam:PassRole", *permissions.LOG_DELIVERY),
)
