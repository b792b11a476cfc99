"""Export jobs: a model's files for another member."""

from typing import Any

import pytest

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.store import Failure
from lab import EXPORT_SECONDS, Lab
from parties import refused

EXPORTABLE = {
    "policies": {
        "trainedModelExports": {
            "maxSize": {"unit": "GB", "value": 1.0},
            "filesToExport": ["MODEL", "OUTPUT"],
        }
    }
}


@pytest.fixture
def model(lab: Lab) -> str:
    """Have a model that may be exported."""
    lab.association = lab.associate("exportable", privacyConfiguration=EXPORTABLE)
    return str(lab.train(lab.channel())["trainedModelArn"])


def test_op_20_an_export_is_found_by_its_name_alone(lab: Lab, model: str) -> None:
    assert lab.see_exports(model) == []
    lab.export(model, "first", description="d")

    def look(name: str) -> Any:
        return next(each for each in lab.see_exports(model) if each["name"] == name)

    assert lab.states(look, "first", EXPORT_SECONDS) == [
        "CREATE_PENDING",
        "CREATE_IN_PROGRESS",
        "ACTIVE",
    ]
    (found,) = lab.see_exports(model)
    assert (found["description"], found["creatorAccountId"]) == ("d", lab.bob.account)
    assert found["outputConfiguration"] == {"members": [{"accountId": lab.alice.account}]}
    assert not any(name.endswith("JobArn") for name in found)


def test_the_association_must_allow_exports(lab: Lab) -> None:
    model = lab.train(lab.channel())["trainedModelArn"]
    with refused("ValidationException"):
        lab.export(model)


def test_only_who_trained_exports(lab: Lab, model: str) -> None:
    with refused("ResourceNotFoundException"):
        lab.alice.ml.start_trained_model_export_job(
            membershipIdentifier=lab.shared.of(lab.alice),
            trainedModelArn=model,
            name="export",
            outputConfiguration={"members": [{"accountId": lab.alice.account}]},
        )


def test_er_25_the_receiver_needs_the_ability(lab: Lab, model: str) -> None:
    with refused("ValidationException"):
        lab.export(model, outputConfiguration={"members": [{"accountId": lab.bob.account}]})


def test_er_25_without_a_configuration_an_export_fails(lab: Lab, model: str) -> None:
    lab.alice.ml.delete_ml_configuration(membershipIdentifier=lab.shared.of(lab.alice))
    lab.export(model)
    lab.time.elapse(EXPORT_SECONDS)
    (found,) = lab.see_exports(model)
    assert found["status"] == "CREATE_FAILED"
    assert lab.alice.account in found["statusDetails"]["message"]


def test_a_failure_on_demand_has_its_details(lab: Lab, model: str, emulator: Emulator) -> None:
    emulator.store.fail_next(Failure("TrainedModelExportJob", "TOO_LARGE", "2 GB"))
    lab.export(model)
    lab.time.elapse(EXPORT_SECONDS)
    (found,) = lab.see_exports(model)
    assert found["statusDetails"] == {"statusCode": "TOO_LARGE", "message": "2 GB"}


def test_exports_are_listed_by_version(lab: Lab, model: str) -> None:
    base = [{"trainedModelArn": model, "channelName": "i"}]
    made = lab.train(lab.channel(), incrementalTrainingDataChannels=base)
    version = made["versionIdentifier"]
    lab.export(model, "base")
    lab.export(model, "version", trainedModelVersionIdentifier=version)
    found = lab.see_exports(model, trainedModelVersionIdentifier=version)
    assert [each["name"] for each in found] == ["version"]
    assert len(lab.see_exports(model)) == 2


def test_a_running_export_holds_its_model(lab: Lab, model: str) -> None:
    lab.export(model)
    with refused("ConflictException"):
        lab.delete_model(model)
    lab.time.elapse(EXPORT_SECONDS)
    lab.delete_model(model)
