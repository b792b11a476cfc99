"""What other members have published in a collaboration, found by their account and its name."""

from typing import Annotated, TypeAlias

from pydantic import Field

from cleanrooms_operator.core.kind import Listing, Lookup
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.core.values import AccountId, Value

COLLABORATION = "collaborationIdentifier"

_OVER = frozenset({"INACTIVE", "CREATE_FAILED", "DELETE_PENDING", "DELETE_IN_PROGRESS"})
"""States in which nothing can come of an object any more."""


class SharedName(Value):
    """Something in the same collaboration, by the account that made it and its name in AWS."""

    creator_account_id: Annotated[AccountId, Field(description="The account that made it.")]
    name: Annotated[str, Field(min_length=1, max_length=100, description="Its name in AWS.")]


def _is_meant(value: Document, summary: Document) -> bool:
    return (
        summary["creatorAccountId"] == value["creatorAccountId"]
        and summary["name"] == value["name"]
        and summary.get("status") not in _OVER
    )


def _is_usable(summary: Document) -> bool:
    """Tell whether it is there; what has no state is there from the beginning."""
    return summary.get("status") in {None, "ACTIVE"}


def _lookup(kind: str, listing: Listing, fills: dict[str, str], **optional: str) -> Lookup:
    def missing(value: Document) -> str:
        return (
            f"account {value['creatorAccountId']} has no {kind} named {value['name']!r} in the "
            "collaboration"
        )

    return Lookup(
        kind=kind,
        listing=listing,
        fills={**fills, **optional},
        optional=frozenset(optional),
        matches=_is_meant,
        missing=missing,
        is_ready=_is_usable,
    )


def _listing(operation: str, items: str, arn: str) -> Listing:
    return Listing("cleanroomsml", operation, items, scope=(COLLABORATION,), handle=(arn,))


CHANNELS = _listing(
    "ListCollaborationMLInputChannels", "collaborationMLInputChannelsList", "mlInputChannelArn"
)
"""The ML input channels of all members."""

MODELS = _listing("ListCollaborationTrainedModels", "collaborationTrainedModels", "trainedModelArn")
"""The trained models of all members, each by its latest version."""

ASSOCIATIONS = _listing(
    "ListCollaborationConfiguredModelAlgorithmAssociations",
    "collaborationConfiguredModelAlgorithmAssociations",
    "configuredModelAlgorithmAssociationArn",
)
"""The associations of all members."""

JOBS = _listing(
    "ListCollaborationTrainedModelInferenceJobs",
    "collaborationTrainedModelInferenceJobs",
    "trainedModelInferenceJobArn",
)
"""The inference jobs of all members."""

MEMBERS = Listing("cleanrooms", "ListMembers", "memberSummaries", (COLLABORATION,), ("accountId",))
"""Who is in it, with what the creator assigned to each."""


def association(parameter: str) -> Lookup:
    """Return how an association is found whose ARN is the value of `parameter`."""
    fills = {parameter: "configuredModelAlgorithmAssociationArn"}
    return _lookup("ConfiguredModelAlgorithmAssociation", ASSOCIATIONS, fills)


def channel() -> Lookup:
    """Return how an ML input channel is found."""
    arn = "mlInputChannelArn"
    return _lookup("MLInputChannel", CHANNELS, {arn: arn})


def model(version: str) -> Lookup:
    """Return how a trained model is found; its version is the value of the parameter `version`."""
    arn = "trainedModelArn"
    return _lookup("TrainedModel", MODELS, {arn: arn}, **{version: "versionIdentifier"})


def template() -> Lookup:
    """Return how an analysis template is found."""
    listing = Listing(
        "cleanrooms",
        "ListCollaborationAnalysisTemplates",
        "collaborationAnalysisTemplateSummaries",
        scope=(COLLABORATION,),
        handle=("arn",),
    )
    return _lookup("AnalysisTemplate", listing, {"analysisTemplateArn": "arn"})


Association: TypeAlias = Annotated[
    SharedName | None,
    association("configuredModelAlgorithmAssociationArn"),
    Field(description="An association that any member of the collaboration has published."),
]
Channel: TypeAlias = Annotated[
    SharedName | None,
    channel(),
    Field(description="An ML input channel that any member of the collaboration has made."),
]
