"""What three documents of AWS name, operation by operation: written down by hand, from no model.

The documents are the guide "Creating and joining the collaboration in AWS Clean Rooms ML", the API
changes of 2026-05-21 (several candidates for each cost), and the page of `create_trained_model` in
the reference of boto3. Paths name members of members; a list has the path of its items.
"""

from collections.abc import Mapping
from dataclasses import dataclass

PAYMENTS = (
    "queryCompute.isResponsible",
    "machineLearning.modelTraining.isResponsible",
    "machineLearning.modelInference.isResponsible",
)
"""The costs that the guide assigns."""

ALL_PAYMENTS = (
    *PAYMENTS,
    "jobCompute.isResponsible",
    "machineLearning.syntheticDataGeneration.isResponsible",
)
"""Those for which several members may be candidates since 2026-05-21."""


@dataclass(frozen=True)
class Call:
    """An operation, as far as a document names it."""

    operation: str
    sent: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()


def under(path: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names that stand below a path."""
    return tuple(f"{path}.{name}" for name in names)


GUIDE = (
    Call(
        "CreateCollaboration",
        sent=(
            "name",
            "description",
            "members.accountId",
            "members.displayName",
            "members.memberAbilities",
            "members.mlMemberAbilities.customMLMemberAbilities",
            *under("members.paymentConfiguration", PAYMENTS),
            "creatorDisplayName",
            "creatorMemberAbilities",
            "creatorMLMemberAbilities.customMLMemberAbilities",
            *under("creatorPaymentConfiguration", PAYMENTS),
            "queryLogStatus",
            "analyticsEngine",
        ),
        returned=("collaboration.id", "collaboration.arn", "collaboration.memberStatus"),
    ),
    Call(
        "CreateMembership",
        # The guide's example says membershipIdentifier, but the model has this one.
        sent=(
            "collaborationIdentifier",
            "queryLogStatus",
            *under("paymentConfiguration", PAYMENTS),
        ),
        returned=("membership.id", "membership.arn", "membership.status"),
    ),
    Call(
        "PutMLConfiguration",
        sent=(
            "membershipIdentifier",
            "defaultOutputLocation.roleArn",
            "defaultOutputLocation.destination.s3Destination.s3Uri",
        ),
    ),
)

TRAINING_PAYER, INFERENCE_PAYER = "mlModelTrainingPayerAccountId", "mlModelInferencePayerAccountId"
CHANNEL_PAYERS = (
    "payerConfiguration.computePayerAccountId",
    "payerConfiguration.syntheticDataPayerAccountId",
)

PAYERS = (
    Call("CreateCollaboration", sent=under("creatorPaymentConfiguration", ALL_PAYMENTS)),
    Call("ListMembers", returned=under("memberSummaries.paymentConfiguration", ALL_PAYMENTS)),
    Call("CreateMembership", sent=under("paymentConfiguration", ALL_PAYMENTS)),
    Call("UpdateMembership", sent=under("membershipPaymentConfiguration", ALL_PAYMENTS)),
    Call("GetMembership", returned=under("membership.paymentConfiguration", ALL_PAYMENTS)),
    Call(
        "CreateCollaborationChangeRequest",
        sent=(
            "collaborationIdentifier",
            "changes.specificationType",
            "changes.specification.member.accountId",
            "changes.specification.member.memberAbilities",
            *under("changes.specification.member.paymentConfiguration", ALL_PAYMENTS),
        ),
        returned=(
            "collaborationChangeRequest.id",
            "collaborationChangeRequest.status",
            "collaborationChangeRequest.changes.types",
        ),
    ),
    Call("CreateMLInputChannel", sent=CHANNEL_PAYERS),
    Call("GetMLInputChannel", returned=CHANNEL_PAYERS),
    Call("ListMLInputChannels", returned=under("mlInputChannelsList", CHANNEL_PAYERS)),
    Call("GetCollaborationMLInputChannel", returned=CHANNEL_PAYERS),
    Call(
        "ListCollaborationMLInputChannels",
        returned=under("collaborationMLInputChannelsList", CHANNEL_PAYERS),
    ),
    Call("CreateTrainedModel", sent=(TRAINING_PAYER,)),
    Call("GetTrainedModel", returned=(TRAINING_PAYER,)),
    Call("ListTrainedModels", returned=(f"trainedModels.{TRAINING_PAYER}",)),
    Call("ListTrainedModelVersions", returned=(f"trainedModels.{TRAINING_PAYER}",)),
    Call("GetCollaborationTrainedModel", returned=(TRAINING_PAYER,)),
    Call(
        "ListCollaborationTrainedModels",
        returned=(f"collaborationTrainedModels.{TRAINING_PAYER}",),
    ),
    Call("StartTrainedModelInferenceJob", sent=(INFERENCE_PAYER,)),
    Call("GetTrainedModelInferenceJob", returned=(INFERENCE_PAYER,)),
    Call(
        "ListTrainedModelInferenceJobs",
        returned=(f"trainedModelInferenceJobs.{INFERENCE_PAYER}",),
    ),
    Call(
        "ListCollaborationTrainedModelInferenceJobs",
        returned=(f"collaborationTrainedModelInferenceJobs.{INFERENCE_PAYER}",),
    ),
    Call("StartProtectedQuery", sent=("queryComputePayerAccountId",)),
    Call("StartProtectedJob", sent=("jobComputePayerAccountId",)),
)

TRAINED_MODEL = (
    Call(
        "CreateTrainedModel",
        sent=(
            "membershipIdentifier",
            "name",
            "configuredModelAlgorithmAssociationArn",
            "hyperparameters",
            "environment",
            "resourceConfig.instanceCount",
            "resourceConfig.instanceType",
            "resourceConfig.volumeSizeInGB",
            "stoppingCondition.maxRuntimeInSeconds",
            "incrementalTrainingDataChannels.trainedModelArn",
            "incrementalTrainingDataChannels.versionIdentifier",
            "incrementalTrainingDataChannels.channelName",
            "dataChannels.mlInputChannelArn",
            "dataChannels.channelName",
            "dataChannels.s3DataDistributionType",
            "trainingInputMode",
            "description",
            "kmsKeyArn",
            "tags",
            "mlModelTrainingPayerAccountId",
        ),
        returned=("trainedModelArn", "versionIdentifier"),
    ),
)

DOCUMENTS: Mapping[str, tuple[Call, ...]] = {
    "the guide": GUIDE,
    "the API changes of 2026-05-21": PAYERS,
    "create_trained_model": TRAINED_MODEL,
}

NEIGHBOURS = (
    "CancelTrainedModel",
    "CancelTrainedModelInferenceJob",
    "CreateAnalysisTemplate",
    "CreateConfiguredModelAlgorithm",
    "CreateConfiguredModelAlgorithmAssociation",
    "DeleteAnalysisTemplate",
    "DeleteConfiguredModelAlgorithm",
    "DeleteConfiguredModelAlgorithmAssociation",
    "DeleteMLInputChannelData",
    "DeleteTrainedModelOutput",
    "GetAnalysisTemplate",
    "GetCollaborationAnalysisTemplate",
    "GetCollaborationConfiguredModelAlgorithmAssociation",
    "GetConfiguredModelAlgorithm",
    "GetConfiguredModelAlgorithmAssociation",
    "ListAnalysisTemplates",
    "ListCollaborationAnalysisTemplates",
    "ListCollaborationConfiguredModelAlgorithmAssociations",
    "ListCollaborationTrainedModelExportJobs",
    "ListConfiguredModelAlgorithmAssociations",
    "ListConfiguredModelAlgorithms",
    "StartTrainedModelExportJob",
)
"""What must behave besides, for the documents' calls to mean anything."""

ELSEWHERE: Mapping[str, str] = {
    "StartProtectedQuery": "queries by themselves are no part of the product",
    "StartProtectedJob": "jobs of PySpark are no part of the product",
}
"""Documented operations that are not emulated, and why."""
