"""Manifests of the ML kinds that a cluster accepts, and edits of them that it does not."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

UUID = "12345678-1234-1234-1234-123456789012"
OTHER_UUID = "87654321-1234-1234-1234-123456789012"
ROLE = "arn:aws:iam::111111111111:role/results"
KEY = "arn:aws:kms:us-east-1:111111111111:key/k"
PREFIX = "arn:aws:cleanrooms-ml:us-east-1:111111111111:"
MEMBERSHIP = f"{PREFIX}membership/{UUID}"
ALGORITHM = f"{PREFIX}configured-model-algorithm/churn"
ASSOCIATION = f"{MEMBERSHIP}/configured-model-algorithm-association/churn"
CHANNEL = f"{MEMBERSHIP}/ml-input-channel/churn"
MODEL = f"{MEMBERSHIP}/trained-model/churn"
IMAGE = "111111111111.dkr.ecr.us-east-1.amazonaws.com/churn:1"

REF, SHARED = {"name": "r"}, {"creatorAccountId": "222222222222", "name": "churn"}

Document = dict[str, Any]

VALID: Mapping[str, Document] = {
    "ConfiguredModelAlgorithm": {
        "roleArn": ROLE,
        "trainingContainerConfig": {"imageUri": IMAGE},
    },
    "ConfiguredModelAlgorithmAssociation": {
        "membershipIdentifier": UUID,
        "configuredModelAlgorithmArn": ALGORITHM,
    },
    "MLInputChannel": {
        "membershipIdentifier": UUID,
        "configuredModelAlgorithmAssociations": [ASSOCIATION],
        "inputChannel": {
            "roleArn": ROLE,
            "dataSource": {
                "protectedQueryInputParameters": {
                    "sqlParameters": {"queryString": "SELECT age FROM customers"}
                }
            },
        },
        "retentionInDays": 30,
    },
    "TrainedModel": {
        "membershipIdentifier": UUID,
        "configuredModelAlgorithmAssociationArn": ASSOCIATION,
        "resourceConfig": {"instanceType": "ml.m5.2xlarge", "volumeSizeInGB": 30},
        "dataChannels": [{"channelName": "now", "mlInputChannelArn": CHANNEL}],
    },
    "InferenceJob": {
        "membershipIdentifier": UUID,
        "trainedModelArn": MODEL,
        "resourceConfig": {"instanceType": "ml.m5.2xlarge"},
        "outputConfiguration": {"members": [{"accountId": "111111111111"}]},
        "dataSource": {"mlInputChannelArn": CHANNEL},
    },
}


# -- edits -----------------------------------------------------------------------------------


def instead(literal: str, name: str, value: object) -> Document:
    """Return the edit that names by one field what another one gave."""
    return {literal: None, name: value}


_COMMON: Mapping[str, object] = MappingProxyType(
    {"accountRef": {"name": "other"}, "name": "other", "description": "other", "kmsKeyArn": KEY}
)
_UNDER_MEMBERSHIP: Mapping[str, Document] = {
    **{name: {name: value} for name, value in _COMMON.items() if name != "kmsKeyArn"},
    "membershipIdentifier": {"membershipIdentifier": OTHER_UUID},
    "membershipRef": instead("membershipIdentifier", "membershipRef", REF),
}
_RUN: Mapping[str, Document] = {**_UNDER_MEMBERSHIP, "kmsKeyArn": {"kmsKeyArn": KEY}}
_ASSOCIATION, _ASSOCIATIONS = (
    "configuredModelAlgorithmAssociationArn",
    "configuredModelAlgorithmAssociations",
)

_EDITS: Mapping[str, Mapping[str, Document]] = {
    "ConfiguredModelAlgorithm": {
        **{name: {name: value} for name, value in _COMMON.items()},
        "roleArn": {"roleArn": f"{ROLE}-2"},
        "trainingContainerConfig": {"trainingContainerConfig": {"imageUri": f"{IMAGE}.1"}},
        "inferenceContainerConfig": {"inferenceContainerConfig": {"imageUri": IMAGE}},
    },
    "ConfiguredModelAlgorithmAssociation": {
        **_UNDER_MEMBERSHIP,
        "configuredModelAlgorithmArn": {"configuredModelAlgorithmArn": f"{ALGORITHM}-2"},
        "configuredModelAlgorithmRef": instead(
            "configuredModelAlgorithmArn", "configuredModelAlgorithmRef", REF
        ),
        "privacyConfiguration": {
            "privacyConfiguration": {
                "policies": {"trainedModels": {"maxArtifactSize": {"unit": "GB", "value": 1}}}
            }
        },
    },
    "MLInputChannel": {
        **_RUN,
        _ASSOCIATIONS: {_ASSOCIATIONS: [f"{ASSOCIATION}-2"]},
        "configuredModelAlgorithmAssociationRefs": instead(
            _ASSOCIATIONS, "configuredModelAlgorithmAssociationRefs", [REF]
        ),
        "sharedConfiguredModelAlgorithmAssociations": instead(
            _ASSOCIATIONS, "sharedConfiguredModelAlgorithmAssociations", [SHARED]
        ),
        "inputChannel": {"inputChannel": {"roleArn": f"{ROLE}-2"}},
        "retentionInDays": {"retentionInDays": 10},
        "payerConfiguration": {"payerConfiguration": {"computePayerAccountId": "111111111111"}},
    },
    "TrainedModel": {
        **_RUN,
        _ASSOCIATION: {_ASSOCIATION: f"{ASSOCIATION}-2"},
        "configuredModelAlgorithmAssociationRef": instead(
            _ASSOCIATION, "configuredModelAlgorithmAssociationRef", REF
        ),
        "sharedConfiguredModelAlgorithmAssociation": instead(
            _ASSOCIATION, "sharedConfiguredModelAlgorithmAssociation", SHARED
        ),
        "resourceConfig": {"resourceConfig": {"volumeSizeInGB": 40}},
        "stoppingCondition": {"stoppingCondition": {"maxRuntimeInSeconds": 60}},
        "dataChannels": {"dataChannels": [{"channelName": "now", "mlInputChannelRef": REF}]},
        "incrementalTrainingDataChannels": {
            "incrementalTrainingDataChannels": [{"channelName": "before", "trainedModelRef": REF}]
        },
        "hyperparameters": {"hyperparameters": {"epochs": "1"}},
        "hyperparametersFrom": {"hyperparametersFrom": [{"secretRef": REF}]},
        "environment": {"environment": {"A": "1"}},
        "environmentFrom": {"environmentFrom": [{"configMapRef": REF}]},
        "trainingInputMode": {"trainingInputMode": "File"},
        "mlModelTrainingPayerAccountId": {"mlModelTrainingPayerAccountId": "111111111111"},
    },
    "InferenceJob": {
        **_RUN,
        "trainedModelArn": {"trainedModelArn": f"{MODEL}-2"},
        "trainedModelVersionIdentifier": {"trainedModelVersionIdentifier": UUID},
        "trainedModelRef": instead("trainedModelArn", "trainedModelRef", REF),
        "sharedTrainedModel": instead("trainedModelArn", "sharedTrainedModel", SHARED),
        _ASSOCIATION: {_ASSOCIATION: ASSOCIATION},
        "configuredModelAlgorithmAssociationRef": {"configuredModelAlgorithmAssociationRef": REF},
        "sharedConfiguredModelAlgorithmAssociation": {
            "sharedConfiguredModelAlgorithmAssociation": SHARED
        },
        "resourceConfig": {"resourceConfig": {"instanceType": "ml.m5.4xlarge"}},
        "outputConfiguration": {
            "outputConfiguration": {"members": [{"accountId": "222222222222"}]}
        },
        "dataSource": {"dataSource": {"mlInputChannelArn": f"{CHANNEL}-2"}},
        "containerExecutionParameters": {"containerExecutionParameters": {"maxPayloadInMB": 1}},
        "environment": {"environment": {"A": "1"}},
        "environmentFrom": {"environmentFrom": [{"configMapRef": REF}]},
        "mlModelInferencePayerAccountId": {"mlModelInferencePayerAccountId": "111111111111"},
    },
}

EDITS: Mapping[tuple[str, str], Document] = {
    (kind, field): edit for kind, edits in _EDITS.items() for field, edit in edits.items()
}
"""(kind, frozen field) -> an edit of it."""


# -- what is refused -------------------------------------------------------------------------


def sql(**given: Any) -> Document:
    parameters = {"sqlParameters": given}
    return {"inputChannel": {"dataSource": {"protectedQueryInputParameters": parameters}}}


def computed(**given: Any) -> Document:
    parameters = {"computeConfiguration": given}
    return {"inputChannel": {"dataSource": {"protectedQueryInputParameters": parameters}}}


def before(**given: Any) -> Document:
    return {"incrementalTrainingDataChannels": [{"channelName": "before", **given}]}


WORKER = {"type": "CR.1X", "number": 2}
CHANNELS = [{"channelName": f"c{number}", "mlInputChannelArn": CHANNEL} for number in range(20)]
NO_CHANNEL = {"dataChannels": [{"channelName": "now"}]}
SAME_NAME = {"incrementalTrainingDataChannels": [{"channelName": "now", "trainedModelRef": REF}]}
VERSION_TWICE = {"trainedModelVersionIdentifier": UUID, "trainedModelArn": None}
CONTAINERS = "one of `trainingContainerConfig` and `inferenceContainerConfig` must be given"
MEMBERSHIPS = "exactly one of `membershipIdentifier`, `membershipRef` must be given"
ACCOUNTS = "`accountRef` must not be given beside `membershipRef`"

_REFUSED: Mapping[str, tuple[tuple[Document, str], ...]] = {
    "ConfiguredModelAlgorithm": (({"trainingContainerConfig": None}, CONTAINERS),),
    "ConfiguredModelAlgorithmAssociation": (
        ({"configuredModelAlgorithmRef": REF}, "exactly one of `configuredModelAlgorithmArn`"),
    ),
    "MLInputChannel": (
        (
            {"configuredModelAlgorithmAssociationRefs": [REF]},
            f"exactly one of `{_ASSOCIATIONS}`",
        ),
        (sql(sharedAnalysisTemplate=SHARED), "exactly one of `queryString`"),
        (sql(queryString=None, queryStringFrom={}), "exactly one of `configMapKeyRef`"),
        (sql(parameters={"a" * 101: "1"}), "keys must have 1 to 100 characters"),
        (sql(parameters={"a-b": "1"}), "keys must match `^[0-9a-zA-Z_]+$`"),
        (sql(parametersFrom=[{}]), "exactly one of `configMapRef`, `secretRef`"),
        (computed(), "`worker` must be given"),
        (computed(worker={**WORKER, "properties": {}}), "`spark` must be given"),
        (
            computed(worker={**WORKER, "properties": {"spark": {"k" * 201: "v"}}}),
            "keys must have 1 to 200 characters",
        ),
    ),
    "TrainedModel": (
        ({"configuredModelAlgorithmAssociationRef": REF}, f"exactly one of `{_ASSOCIATION}`"),
        ({"dataChannels": CHANNELS, **before(trainedModelArn=MODEL)}, "no more than 20 together"),
        (SAME_NAME, "`channelName` must be different in each channel"),
        (NO_CHANNEL, "exactly one of `mlInputChannelArn`"),
        (before(), "exactly one of `trainedModelArn`"),
        (before(trainedModelRef=REF, versionIdentifier=UUID), "at most one of `versionIdentifier`"),
        ({"hyperparameters": {"a" * 257: "1"}}, "keys must have 1 to 256 characters"),
        ({"hyperparameters": {"a\nb": "1"}}, "keys must match `^.*$`"),
        ({"environment": {"A" * 513: "1"}}, "keys must have 1 to 512 characters"),
        ({"environment": {"1A": "1"}}, "keys must match `^[a-zA-Z_][a-zA-Z0-9_]*$`"),
    ),
    "InferenceJob": (
        ({"trainedModelRef": REF}, "exactly one of `trainedModelArn`"),
        (
            {**VERSION_TWICE, "trainedModelRef": REF},
            "at most one of `trainedModelVersionIdentifier`",
        ),
        (
            {_ASSOCIATION: ASSOCIATION, "configuredModelAlgorithmAssociationRef": REF},
            f"at most one of `{_ASSOCIATION}`",
        ),
        ({"dataSource": {"mlInputChannelRef": REF}}, "exactly one of `mlInputChannelArn`"),
        ({"environment": {"A" * 1025: "1"}}, "keys must have 1 to 1024 characters"),
    ),
}


def refused() -> Iterator[tuple[str, Document, str]]:
    """Yield (kind, change of what is valid, words of the answer)."""
    for kind, rows in _REFUSED.items():
        yield from ((kind, *row) for row in rows)
        yield kind, {"name": " "}, "must not be blank"
        if "membershipIdentifier" in VALID[kind]:
            yield kind, {"membershipRef": REF}, MEMBERSHIPS
            alone = instead("membershipIdentifier", "membershipRef", REF)
            yield kind, {**alone, "accountRef": REF}, ACCOUNTS


REFUSED = tuple(refused())
