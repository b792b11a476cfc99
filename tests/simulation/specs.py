"""Two companies and what they agreed on: an example of every kind, with specs that AWS accepts.

All that the simulation knows of a kind is here; everything else is told by the kind's own data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cleanrooms_emulator.rules import Rules
from cleanrooms_operator.core.resource import Document, Key
from simulation.world import World

CREATOR, PARTNER = "111111111111", "222222222222"

ROLE = "arn:aws:iam::{account}:role/service-role/results"


def account(number: str) -> dict[str, Any]:
    return {"accountID": number, "region": "us-east-1"}


def collaboration(**more: Any) -> dict[str, Any]:
    return {
        "name": "ads",
        "description": "Advertising",
        "creatorDisplayName": "A",
        "creatorMemberAbilities": [],
        "creatorMLMemberAbilities": {
            "customMLMemberAbilities": [
                "CAN_RECEIVE_MODEL_OUTPUT",
                "CAN_RECEIVE_INFERENCE_OUTPUT",
            ]
        },
        "creatorPaymentConfiguration": {
            "queryCompute": {"isResponsible": True},
            "machineLearning": {
                "modelTraining": {"isResponsible": True},
                "modelInference": {"isResponsible": True},
            },
        },
        "members": [
            {
                "accountId": PARTNER,
                "displayName": "B",
                "memberAbilities": ["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
            }
        ],
        "queryLogStatus": "ENABLED",
        "analyticsEngine": "SPARK",
        **more,
    }


def creators_membership(**more: Any) -> dict[str, Any]:
    return {
        "collaborationRef": {"name": "ads"},
        "queryLogStatus": "ENABLED",
        "paymentConfiguration": {
            "queryCompute": {"isResponsible": True},
            "machineLearning": {
                "modelTraining": {"isResponsible": True},
                "modelInference": {"isResponsible": True},
            },
        },
        "mlConfiguration": ml_configuration(CREATOR),
        **more,
    }


def partners_membership(**more: Any) -> dict[str, Any]:
    return {
        "invitation": {"creatorAccountId": CREATOR, "name": "ads"},
        "queryLogStatus": "ENABLED",
        "defaultResultConfiguration": {
            "outputConfiguration": {"s3": {"resultFormat": "PARQUET", "bucket": "results-of-b"}},
            "roleArn": ROLE.format(account=PARTNER),
        },
        "mlConfiguration": ml_configuration(PARTNER),
        **more,
    }


def ml_configuration(number: str) -> dict[str, Any]:
    return {
        "defaultOutputLocation": {
            "destination": {"s3Destination": {"s3Uri": f"s3://models-of-{number}/out"}},
            "roleArn": ROLE.format(account=number),
        }
    }


def algorithm(**more: Any) -> dict[str, Any]:
    image = f"{CREATOR}.dkr.ecr.us-east-1.amazonaws.com/churn:1"
    return {
        "roleArn": ROLE.format(account=CREATOR),
        "trainingContainerConfig": {"imageUri": image},
        "inferenceContainerConfig": {"imageUri": image},
        **more,
    }


def association(**more: Any) -> dict[str, Any]:
    return {
        "membershipRef": {"name": "member"},
        "configuredModelAlgorithmRef": {"name": "churn"},
        "privacyConfiguration": {
            "policies": {"trainedModels": {"maxArtifactSize": {"unit": "GB", "value": 5.0}}}
        },
        **more,
    }


QUERY, LIMIT = "SELECT age, canary FROM customers", "canary-limit"
"""What a channel's spec and a job's say that nobody but AWS may be told."""


def channel(**more: Any) -> dict[str, Any]:
    sql = {"sqlParameters": {"queryString": QUERY}, "resultFormat": "PARQUET"}
    return {
        "membershipRef": {"name": "member"},
        "sharedConfiguredModelAlgorithmAssociations": [
            {"creatorAccountId": CREATOR, "name": "churn"}
        ],
        "inputChannel": {
            "dataSource": {"protectedQueryInputParameters": sql},
            "roleArn": ROLE.format(account=PARTNER),
        },
        "retentionInDays": 30,
        **more,
    }


def model(**more: Any) -> dict[str, Any]:
    return {
        "membershipRef": {"name": "member"},
        "sharedConfiguredModelAlgorithmAssociation": {
            "creatorAccountId": CREATOR,
            "name": "churn",
        },
        "dataChannels": [{"mlInputChannelRef": {"name": "customers"}, "channelName": "customers"}],
        "resourceConfig": {"instanceType": "ml.m5.2xlarge", "volumeSizeInGB": 10},
        **more,
    }


def job(**more: Any) -> dict[str, Any]:
    return {
        "membershipRef": {"name": "member"},
        "trainedModelRef": {"name": "churn"},
        "dataSource": {"mlInputChannelRef": {"name": "customers"}},
        "resourceConfig": {"instanceType": "ml.m5.2xlarge"},
        "outputConfiguration": {"members": [{"accountId": CREATOR}]},
        "environment": {"LIMIT": LIMIT},
        **more,
    }


def accounts(world: World) -> None:
    """Let both companies have an account, and what their specs take from elsewhere."""
    for namespace in ("a", "b"):
        world.keep("ConfigMap", "training", namespace, EPOCHS="epochs-of-nobody-else")
        world.keep("Secret", "training", namespace, TOKEN="token-of-nobody-else")  # noqa: S106  a canary
    world.apply("AWSAccount", "default", account(CREATOR), "a")
    world.apply("AWSAccount", "default", account(PARTNER), "b")


@dataclass(frozen=True)
class Example:
    """A resource, an edit of it that is made in place, and what it takes to delete it."""

    key: Key
    spec: Document
    edited: Document
    needs: tuple[str, ...] = ()
    """Examples that must exist before."""
    farewell: Mapping[str, str] = field(default_factory=dict)
    """Annotations that let its object be deleted."""
    outlives: tuple[str, ...] = ()
    """Examples without whose deletion its own does not end."""

    def apply(self, world: World) -> Key:
        return world.apply(self.key.kind, self.key.name, self.spec, self.key.namespace)

    def edit(self, world: World) -> None:
        world.apply(self.key.kind, self.key.name, self.edited, self.key.namespace)

    def delete(self, world: World) -> None:
        if self.key in world.resources:
            world.annotate(self.key, **self.farewell)
            world.delete(self.key)


TAGS = {"tags": {"team": "b"}}

EXAMPLES: Mapping[str, Example] = {
    "collaboration": Example(
        Key("Collaboration", "a", "ads"),
        collaboration(),
        collaboration(description="Changed", **TAGS),
        farewell={"delete_collaboration": "true"},
    ),
    "creator": Example(
        Key("Membership", "a", "member"),
        creators_membership(),
        creators_membership(queryLogStatus="DISABLED", **TAGS),
        needs=("collaboration",),
        outlives=("collaboration",),
    ),
    "partner": Example(
        Key("Membership", "b", "member"),
        partners_membership(),
        partners_membership(queryLogStatus="DISABLED", **TAGS),
        needs=("collaboration",),
        farewell={"delete_membership": "true"},
    ),
    "algorithm": Example(
        Key("ConfiguredModelAlgorithm", "a", "churn"),
        algorithm(),
        algorithm(**TAGS),
    ),
    "association": Example(
        Key("ConfiguredModelAlgorithmAssociation", "a", "churn"),
        association(),
        association(**TAGS),
        needs=("collaboration", "creator", "algorithm"),
    ),
}


RUNS: Mapping[str, Example] = {
    "channel": Example(
        Key("MLInputChannel", "b", "customers"),
        channel(),
        channel(**TAGS),
        needs=tuple(EXAMPLES),
    ),
    "model": Example(
        Key("TrainedModel", "b", "churn"),
        model(),
        model(**TAGS),
        needs=(*EXAMPLES, "channel"),
    ),
    "job": Example(
        Key("InferenceJob", "b", "score"),
        job(),
        job(**TAGS),
        needs=(*EXAMPLES, "channel", "model"),
    ),
}
"""What costs money: it runs and ends."""

GOES_ON = {
    "incrementalTrainingDataChannels": [
        {"trainedModelRef": {"name": "churn"}, "channelName": "before"}
    ]
}

VERSIONS: Mapping[str, Example] = {
    "version": Example(
        Key("TrainedModel", "b", "churn-2"),
        model(**GOES_ON),
        model(**GOES_ON, **TAGS),
        needs=(*EXAMPLES, "channel", "model"),
    ),
}
"""What goes on from a run of its own kind: it shares the ARN of that, and perhaps its tags."""

ALL = {**EXAMPLES, **RUNS, **VERSIONS}

COLLABORATION = EXAMPLES["collaboration"].key
CREATORS = EXAMPLES["creator"].key
PARTNERS = EXAMPLES["partner"].key


def walkthrough(world: World) -> tuple[Key, ...]:
    """Apply all of both companies."""
    accounts(world)
    return tuple(example.apply(world) for example in EXAMPLES.values())


def settled() -> World:
    """Return a world in which all of both companies is ready."""
    world = World()
    walkthrough(world)
    world.settle()
    return world


def finished(rules: Rules | None = None, runs: Iterable[Example] = RUNS.values()) -> World:
    """Return a world in which all of both companies is ready, and has run to its end."""
    world = World(rules=rules)
    walkthrough(world)
    for example in runs:
        example.apply(world)
    world.settle(seconds=6000.0)
    return world


def delete_all(world: World) -> None:
    for example in ALL.values():
        example.delete(world)
    world.delete(*list(world.resources))
