"""A world in which there is data to train on: a base model, and versions that go on from it."""

from functools import cache
from typing import Any

from cleanrooms_emulator.rules import Rules
from cleanrooms_operator.core.pace import Pace
from cleanrooms_operator.core.resource import Document, Key
from simulation import specs
from simulation.specs import PARTNER, PARTNERS
from simulation.world import World

BASE, VERSION = Key("TrainedModel", "b", "churn"), Key("TrainedModel", "b", "churn-2")
SELDOM = Pace(progress_interval=240.0)
"""A training takes ten minutes: this is often enough to see it end."""


def studio(rules: Rules | None = None) -> World:
    """Return a world in which an association and a channel are there."""
    return _studio(rules).fork()


@cache
def _studio(rules: Rules | None) -> World:
    world = World(rules=rules, pace=SELDOM)
    specs.walkthrough(world)
    world.settle()
    source = {"protectedQueryInputParameters": {"sqlParameters": {"queryString": "SELECT 1"}}}
    world.ask(
        PARTNER,
        "cleanroomsml",
        "CreateMLInputChannel",
        membershipIdentifier=world.resources[PARTNERS].status["identifier"],
        configuredModelAlgorithmAssociations=[association(world)],
        inputChannel={"dataSource": source, "roleArn": specs.ROLE.format(account=PARTNER)},
        name="customers",
        retentionInDays=30,
    )
    world.rest(600.0)
    world.settle()
    return world


def association(world: World) -> str:
    arn: str = world.resources[specs.EXAMPLES["association"].key].status["arn"]
    return arn


def channel(world: World) -> str:
    where = {"membershipIdentifier": world.resources[PARTNERS].status["identifier"]}
    listed = world.ask(PARTNER, "cleanroomsml", "ListMLInputChannels", **where)
    arn: str = listed["mlInputChannelsList"][0]["mlInputChannelArn"]
    return arn


def of_template(world: World, *, synthetic: bool = False) -> Document:
    """Return the input of a channel by a template that is made for it."""
    numbers = {"columnType": "NUMERICAL", "isPredictiveValue": False}
    columns = [{"columnName": name, **numbers} for name in ("a", "b", "c", "d")]
    columns.append({"columnName": "churn", "columnType": "CATEGORICAL", "isPredictiveValue": True})
    parameters = {
        "epsilon": 1.0,
        "maxMembershipInferenceAttackScore": 0.6,
        "columnClassification": {"columnMapping": columns},
    }
    more = {"syntheticDataParameters": {"mlSyntheticDataParameters": parameters}}
    made = world.ask(
        PARTNER,
        "cleanrooms",
        "CreateAnalysisTemplate",
        membershipIdentifier=world.resources[PARTNERS].status["identifier"],
        name="customers",
        format="SQL",
        source={"text": "SELECT 1"},
        **(more if synthetic else {}),
    )
    sql = {"sqlParameters": {"analysisTemplateArn": made["analysisTemplate"]["arn"]}}
    source = {"protectedQueryInputParameters": sql}
    return {"dataSource": source, "roleArn": specs.ROLE.format(account=PARTNER)}


def model(world: World, **more: Any) -> Document:
    return {
        "membershipRef": {"name": "member"},
        "configuredModelAlgorithmAssociationArn": association(world),
        "dataChannels": [{"mlInputChannelArn": channel(world), "channelName": "customers"}],
        "resourceConfig": {"instanceType": "ml.m5.2xlarge", "volumeSizeInGB": 10},
        "hyperparameters": {"epochs": "2"},
        "hyperparametersFrom": [{"configMapRef": {"name": "training"}}],
        "environmentFrom": [{"secretRef": {"name": "training"}}],
        **more,
    }


def further(world: World, base: Key = BASE, **more: Any) -> Document:
    """Return a training that goes on from a model that is there."""
    status = world.resources[base].status
    known = {"trainedModelArn": status["arn"], "channelName": "before"}
    if "versionIdentifier" in status:
        known["versionIdentifier"] = status["versionIdentifier"]
    return model(world, incrementalTrainingDataChannels=[known], **more)


def both(world: World) -> None:
    """Apply a base and, before that is there, what goes on from it."""
    known = {"trainedModelRef": {"name": BASE.name}, "channelName": "before"}
    version = model(world, incrementalTrainingDataChannels=[known])
    world.apply(VERSION.kind, VERSION.name, version, VERSION.namespace)
    world.apply(BASE.kind, BASE.name, model(world), BASE.namespace)


def train(world: World, key: Key, spec: Document) -> None:
    world.apply(key.kind, key.name, spec, key.namespace)
    world.settle()


def trained(rules: Rules | None = None) -> World:
    """Return a world in which a base model and a version of it are ready."""
    world = studio(rules)
    train(world, BASE, model(world))
    train(world, VERSION, further(world))
    return world


def models(world: World) -> list[tuple[str, str | None, str]]:
    """Return (name, version, state) of all models, the oldest first."""
    kind = world.kinds["TrainedModel"]
    where = {"membershipIdentifier": world.resources[PARTNERS].status["identifier"]}
    return [
        (item["name"], item.get("versionIdentifier"), item["status"])
        for item in world.aws._listed(PARTNER, kind, where)
    ]
