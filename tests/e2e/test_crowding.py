"""Fifty runs of each kind under AWS's default quotas: all finish, none is refused, all in turn."""

from collections.abc import Mapping
from typing import Any

import pytest

from cleanrooms_operator.core.resource import Key
from e2e import declared
from e2e.emulated import Record
from e2e.stage import Company, Stage

MANY = 50
TYPES = ("ml.m5.2xlarge", "ml.m5.4xlarge", "ml.m5.12xlarge")
CREATES = {
    "MLInputChannel": "CreateMLInputChannel",
    "TrainedModel": "CreateTrainedModel",
    "InferenceJob": "StartTrainedModelInferenceJob",
}
ALL_SECONDS = 240
WRITES = 8
AT_ONCE, OF_A_TYPE = 5, 3
"""How many runs of a membership, and training instances of a type, AWS lets be under way."""
IMAGE = "111111111111.dkr.ecr.us-east-1.amazonaws.com/churn:1"
OF_STUDY = {"membershipRef": {"name": "study"}}
OF_CHURN = {"configuredModelAlgorithmAssociationRef": {"name": "churn"}}


@pytest.fixture(scope="module")
def emulator_arguments() -> tuple[str, ...]:
    """Let a training take a second; quotas are AWS's."""
    return ("--no-rates", "--speed", "600")


def role(company: Company) -> str:
    return f"arn:aws:iam::{company.account}:role/ml"


def found(company: Company) -> tuple[Key, ...]:
    """Declare what a company needs that trains alone, and pays for all of it."""
    training = {"modelTraining": declared.PAYS, "modelInference": declared.PAYS}
    payment = {"queryCompute": declared.PAYS, "machineLearning": training}
    abilities = ["CAN_RECEIVE_MODEL_OUTPUT", "CAN_RECEIVE_INFERENCE_OUTPUT"]
    founded = company.apply(
        "Collaboration",
        "study",
        declared.collaboration(
            creatorMLMemberAbilities={"customMLMemberAbilities": abilities},
            creatorPaymentConfiguration=payment,
        ),
    )
    joining = declared.creators_membership(company.account, "study")
    joined = company.apply("Membership", "study", {**joining, "paymentConfiguration": payment})
    containers = {
        "roleArn": role(company),
        "trainingContainerConfig": {"imageUri": IMAGE},
        "inferenceContainerConfig": {"imageUri": IMAGE},
    }
    made = company.apply("ConfiguredModelAlgorithm", "churn", containers)
    of_churn = {"configuredModelAlgorithmRef": {"name": "churn"}}
    published = company.apply(
        "ConfiguredModelAlgorithmAssociation", "churn", {**OF_STUDY, **of_churn}
    )
    return founded, joined, made, published


def channel(company: Company, _number: int) -> Mapping[str, Any]:
    query = {"sqlParameters": {"queryString": "SELECT 1"}, "resultFormat": "PARQUET"}
    source = {"protectedQueryInputParameters": query}
    return {
        **OF_STUDY,
        "configuredModelAlgorithmAssociationRefs": [{"name": "churn"}],
        "inputChannel": {"roleArn": role(company), "dataSource": source},
        "retentionInDays": 30,
    }


def model(_company: Company, number: int) -> Mapping[str, Any]:
    data = {"mlInputChannelRef": {"name": f"run-{number:02}"}, "channelName": "customers"}
    resources = {"instanceType": TYPES[number % len(TYPES)], "volumeSizeInGB": 10}
    return {**OF_STUDY, **OF_CHURN, "dataChannels": [data], "resourceConfig": resources}


def job(company: Company, number: int) -> Mapping[str, Any]:
    """All jobs use the first model, so that all may start at once but for the quotas."""
    return {
        **OF_STUDY,
        "trainedModelRef": {"name": "run-00"},
        "dataSource": {"mlInputChannelRef": {"name": f"run-{number:02}"}},
        "resourceConfig": {"instanceType": TYPES[0]},
        "outputConfiguration": {"members": [{"accountId": company.account}]},
    }


SPECS = {"MLInputChannel": channel, "TrainedModel": model, "InferenceJob": job}


def apply_many(company: Company, kind: str) -> tuple[Key, ...]:
    numbers = range(MANY)
    return tuple(company.apply(kind, f"run-{n:02}", SPECS[kind](company, n)) for n in numbers)


def started(records: list[Record], kind: str) -> list[str]:
    """Return the names of the runs of a kind in the order in which AWS took them."""
    return [r["parameters"]["name"] for r in records if r["operation"] == CREATES[kind]]


def most_overtaken(names: list[str]) -> int:
    """Return how many older runs one was started before: such as begin together are one group."""
    return max(sum(later < name for later in names[n:]) for n, name in enumerate(names))


def test_r_22_fifty_of_each_finish_in_turn_and_none_is_refused(stage: Stage) -> None:
    company = stage.company()
    stage.run_operator()
    stage.wait_ready(*found(company))
    stage.wait_ready(*apply_many(company, "MLInputChannel"), timeout_seconds=ALL_SECONDS)
    runs = (*apply_many(company, "TrainedModel"), *apply_many(company, "InferenceJob"))
    stage.wait_ready(*runs, timeout_seconds=ALL_SECONDS)
    records = stage.aws.calls(company.account, *CREATES.values())
    assert {record["answered"] for record in records} == {"OK"}
    names = [f"run-{number:02}" for number in range(MANY)]
    for kind in CREATES:
        assert sorted(started(records, kind)) == names
    assert most_overtaken(started(records, "InferenceJob")) < AT_ONCE
    for number in range(len(TYPES)):
        alike = names[number :: len(TYPES)]
        models = [name for name in started(records, "TrainedModel") if name in alike]
        assert most_overtaken(models) < OF_A_TYPE
    for key in runs:
        versions = [one.status for one in stage.watch.versions(key)]
        assert writes_until_ready(stage, key) <= WRITES, versions


def writes_until_ready(stage: Stage, key: Key) -> int:
    versions = stage.watch.versions(key)
    return next(number for number, each in enumerate(versions) if each.is_true("Ready"))
