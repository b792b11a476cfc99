"""What a Membership does besides existing: payments, ML configuration, and the order of leaving."""

from collections.abc import Iterator
from typing import Annotated, TypeAlias

from pydantic import Field

from cleanrooms_operator.core import accepting, charges, keeping, members, payments, voting
from cleanrooms_operator.core.charges import STATUS_TEXT, Charges
from cleanrooms_operator.core.difference import differences
from cleanrooms_operator.core.kind import Column, Listing, Lookup, NaturalKey, Part, Reading
from cleanrooms_operator.core.resource import Annotation, Document, Resource
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.status import Status
from cleanrooms_operator.core.step import Blocker, Change, Drift, Fact, Present
from cleanrooms_operator.core.values import AccountId, Value


class Invitation(Value):
    """A collaboration that another account invited this one to."""

    creator_account_id: Annotated[
        AccountId, Field(description="The account that created the collaboration.")
    ]
    name: Annotated[
        str, Field(min_length=1, max_length=100, description="The collaboration's name in AWS.")
    ]


class MLConfigurationStatus(Value):
    """What is known of the ML configuration."""

    put_by: Annotated[
        str, Field(description="The resource that put it, as `namespace/name`; it deletes it too.")
    ]


COLUMNS = (
    Column("State", ".status.state", "State in AWS Clean Rooms."),
    Column("Account", ".status.accountID", "The account that is the member."),
    Column("ID", ".status.identifier", "Identifier of the membership.", wide=True),
    Column("Collaboration", ".status.collaborationIdentifier", "What it is a part of.", wide=True),
)
"""The columns of `kubectl get`."""


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
        MLConfigurationStatus | None, Field(description="State of the ML configuration.")
    ] = None
    accepted_payments: Annotated[
        list[str] | None, Field(description="The cost types that this account has agreed to pay.")
    ] = None
    pending_change_requests: Annotated[
        list[voting.PendingRequest] | None,
        Field(description="The change requests of the collaboration's creator that are open."),
    ] = None
    charges: Annotated[list[Charges] | None, Field(description=STATUS_TEXT)] = None
    last_vote: Annotated[
        voting.Vote | None, Field(description="The latest answer of this account to one.")
    ] = None


# -- what is declared ------------------------------------------------------------------------

ML_CONFIGURATION_TEXT = (
    "Where this member receives ML output, and by which role. What another made is not "
    "overwritten on an adopted membership, unless `managementPolicy` says Full."
)

OWN = frozenset({"mlConfiguration", "spending"})
"""Fields of the spec that are no parameters of CreateMembership."""

IN_PLACE = frozenset(
    {
        "queryLogStatus",
        "jobLogStatus",
        "defaultResultConfiguration",
        "defaultJobResultConfiguration",
    }
)
"""Parameters that UpdateMembership sets as a whole; payments are accepted leaf by leaf."""

NATURAL_KEY = NaturalKey(
    "cleanrooms",
    "GetCollaboration",
    parameter="collaborationIdentifier",
    envelope="collaboration",
    identifier="membershipId",
    listed_as="collaborationId",
)

# -- finding the collaboration ---------------------------------------------------------------


def _is_meant(invitation: Document, summary: Document) -> bool:
    """Whether a summary of ListCollaborations is the one invited to, joined or not (R-4)."""
    return (
        summary["creatorAccountId"] == invitation["creatorAccountId"]
        and summary["name"] == invitation["name"]
        and summary["memberStatus"] in {"INVITED", "ACTIVE"}
    )


INVITATION = Lookup(
    kind="Collaboration",
    listing=Listing("cleanrooms", "ListCollaborations", "collaborationList"),
    fills={"collaborationIdentifier": "id"},
    matches=_is_meant,
    ours="membershipArn",
    missing=lambda invitation: (
        f"account {invitation['creatorAccountId']} has not invited this account to a "
        f"collaboration named {invitation['name']!r}"
    ),
)

InvitedTo: TypeAlias = Annotated[
    Invitation | None,
    INVITATION,
    Field(description="The collaboration that this account was invited to. Immutable."),
]

# -- ML configuration ------------------------------------------------------------------------

ML_CONFIGURATION = Reading(
    "mlConfiguration",
    "cleanroomsml",
    "GetMLConfiguration",
    lambda fields: {"membershipIdentifier": fields["id"]},
    result=None,
    optional=True,
    wanted=lambda resource, *_: (
        resource.spec.get("mlConfiguration") is not None
        or resource.status.get("mlConfiguration") is not None
    ),
)

ML_CONFIGURATION_PART = Part(
    "cleanroomsml",
    "PutMLConfiguration",
    without=("membershipIdentifier",),
    undone_by="DeleteMLConfiguration",
)


def put_ml_configuration(situation: Situation, present: Present) -> Change | None:
    """Put the ML configuration where it is missing or differs; take away what is not wanted."""
    wanted = situation.resource.spec.get("mlConfiguration")
    if wanted is None:
        return _take_back(situation.resource, present)
    shown = _shown(present)
    drift = differences({"mlConfiguration": wanted}, {"mlConfiguration": shown})
    if present.state != "ACTIVE" or not drift or (shown and not _may_overwrite(situation.resource)):
        return None
    return Change(
        "cleanroomsml",
        "PutMLConfiguration",
        {"membershipIdentifier": present.identifier, **wanted},
        drift if shown else (),
        record={"mlConfiguration": {"putBy": _name(situation.resource)}},
    )


def _may_overwrite(resource: Resource) -> bool:
    """Whether an existing configuration is ours to change (rule R-5)."""
    adopted = Annotation.EXTERNAL_ID in resource.annotations
    return not adopted or resource.spec.get("managementPolicy") == "Full" or _put_by_us(resource)


def _put_by_us(resource: Resource) -> bool:
    recorded: Document = resource.status.get("mlConfiguration") or {}
    return recorded.get("putBy") == _name(resource)


def _name(resource: Resource) -> str:
    return f"{resource.key.namespace}/{resource.key.name}"


def _shown(present: Present) -> Document | None:
    shown: Document | None = None
    if present.details is not None:
        shown = present.details.readings.get(ML_CONFIGURATION.name)
    return shown


def _take_back(resource: Resource, present: Present) -> Change | None:
    if not _put_by_us(resource) or _shown(present) is None:
        return None
    parameters = {"membershipIdentifier": present.identifier}
    return Change("cleanroomsml", "DeleteMLConfiguration", parameters)


def delete_ml_configuration(situation: Situation, present: Present) -> Change | None:
    """Return the deletion of the ML configuration that this resource put, which comes first."""
    return _take_back(situation.resource, present)


def unapplied(situation: Situation, present: Present) -> tuple[Drift, ...]:
    """Return where an ML configuration differs that is not ours to overwrite."""
    wanted, shown = situation.resource.spec.get("mlConfiguration"), _shown(present)
    if wanted is None or not shown or _may_overwrite(situation.resource):
        return ()
    return differences({"mlConfiguration": wanted}, {"mlConfiguration": shown})


# -- status and leaving ----------------------------------------------------------------------


def facts(situation: Situation, present: Present) -> tuple[Fact, ...]:
    """Return what there is to tell of payments and of change requests."""
    return (*accepting.facts(situation, present), *voting.facts(situation, present))


def report(situation: Situation, present: Present) -> Document:
    """Return the status fields of a membership."""
    reported: dict[str, object] = {}
    if present.details is not None:
        reported["collaborationIdentifier"] = present.details.fields["collaborationId"]
        paid = (
            payments.name_of(path) for path, true in accepting.accepted(present).items() if true
        )
        reported["acceptedPayments"] = list(paid)
    if (collaboration := _collaboration(situation, present)) is not None:
        reported["collaborationRetained"] = collaboration.retained or None
    if present.details is not None and ML_CONFIGURATION.name in present.details.readings:
        reported["mlConfiguration"] = _ml_status(situation.resource, present)
    return {
        **reported,
        **voting.report(situation, present),
        **charges.report(situation, present),
    }


def _ml_status(resource: Resource, present: Present) -> Document | None:
    """Ours is what our spec asks for on a membership of our own, or what we recorded before."""
    wanted, shown = resource.spec.get("mlConfiguration"), _shown(present)
    is_recorded = _put_by_us(resource)
    if shown is None:
        # The record stands before the call, and as long as AWS refuses it.
        is_ours = is_recorded and wanted is not None and not resource.deleting
    else:
        agreed = wanted is not None and not differences(wanted, shown)
        is_ours = is_recorded or (agreed and _may_overwrite(resource))
    return {"putBy": _name(resource)} if is_ours else None


def _collaboration(situation: Situation, present: Present) -> Resource | None:
    """Return the Collaboration resource, of any namespace, that manages our collaboration."""
    known = situation.resource.status.get("collaborationIdentifier")
    if present.details is not None:
        known = present.details.fields["collaborationId"]
    candidates = situation.neighbours.get("Collaboration", ())
    return next((c for c in candidates if c.status.get("identifier") == known), None)


def blockers(situation: Situation, present: Present) -> tuple[Blocker, ...]:
    """Return what leaving waits for: what is made under it, then people (domain rule OP-8)."""
    users = tuple(keeping.under_membership(situation, present))
    if users:
        return users
    if present.state != "ACTIVE" or present.details is None:
        return ()
    if present.details.fields["collaborationCreatorAccountId"] == situation.account:
        return tuple(_creators_blockers(situation, present))
    return tuple(_members_blockers(situation))


def _creators_blockers(situation: Situation, present: Present) -> Iterator[Blocker]:
    collaboration = _collaboration(situation, present)
    retained = bool(situation.resource.status.get("collaborationRetained"))
    if collaboration is not None:
        retained = collaboration.retained
    if retained:
        yield Blocker(
            "The collaboration is retained, and with it its creator's membership",
            first=True,
            retains=True,
        )
    elif collaboration is None:
        yield Blocker(
            "AWS keeps the creator's membership as long as the collaboration exists, and no "
            "Collaboration of this cluster manages it: delete it in AWS, or annotate "
            f'{Annotation.ABANDON}: "true"'
        )
    else:
        where = f"{collaboration.key} in namespace {collaboration.key.namespace}"
        held_by = _why_it_stays(collaboration, situation.account)
        yield Blocker(
            f"The creator's membership ends after its collaboration: waiting for {where}{held_by}"
        )


def _why_it_stays(collaboration: Resource, creator: str) -> str:
    """Return what a collaboration waits for itself, as the end of a sentence (rule R-15)."""
    if not collaboration.deleting:
        return " to be deleted; delete it too"
    told = members.farewell(collaboration, creator, collaboration.status.get("members") or ())
    return "" if told is None else f". {told}"


def _members_blockers(situation: Situation) -> Iterator[Blocker]:
    if situation.resource.annotations.get(Annotation.DELETE_MEMBERSHIP) != "true":
        yield Blocker(
            f"Account {situation.account} would leave the collaboration and could not join again. "
            f'Annotate {Annotation.DELETE_MEMBERSHIP}: "true", or set deletionPolicy: Retain',
            first=True,
        )
