"""The widest journey that the emulator can be taken on: every parameter sent at least once."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cleanrooms_emulator.behaviour.ml_objects import AccessBudget
from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.store import Failure
from founding import (
    COSTS,
    change_by_request,
    found_together,
    join_and_change,
    turn_pages,
    write_down,
)
from lab import IMAGE, Lab
from parties import Party, payment

KEY = "arn:aws:kms:us-east-1:111111111111:key/k"
REDACTED = {
    "entitiesToRedact": ["CUSTOM"],
    "customEntityConfig": {"customDataIdentifiers": ["[0-9]+"]},
}
LOGS = [
    {
        "allowedAccountIds": ["111111111111", "222222222222"],
        "filterPattern": "ERROR",
        "logType": "ALL",
        "logRedactionConfiguration": REDACTED,
    }
]
SIZE = {"unit": "GB", "value": 1.0}
POLICIES = {
    "policies": {
        "trainedModels": {
            "containerLogs": LOGS,
            "containerMetrics": {"noiseLevel": "NONE"},
            "maxArtifactSize": SIZE,
        },
        "trainedModelExports": {"maxSize": SIZE, "filesToExport": ["MODEL"]},
        "trainedModelInferenceJobs": {"containerLogs": LOGS, "maxOutputSize": SIZE},
    }
}


def bring_algorithms(lab: Lab) -> None:
    """Configure and associate algorithms with all that can be said of them."""
    ml, where = lab.alice.ml, {"membershipIdentifier": lab.shared.of(lab.alice)}
    training = {
        "imageUri": IMAGE,
        "entrypoint": ["python"],
        "arguments": ["train.py"],
        "metricDefinitions": [{"name": "loss", "regex": "loss=(.*)"}],
    }
    for name in ("first", "second"):
        lab.algorithm = lab.configure(
            name,
            description="d",
            trainingContainerConfig=training,
            kmsKeyArn=KEY,
            tags={"a": "b"},
        )
        lab.association = lab.associate(
            name, description="d", privacyConfiguration=POLICIES, tags={"a": "b"}
        )
    ml.get_configured_model_algorithm(configuredModelAlgorithmArn=lab.algorithm)
    turn_pages(ml.list_configured_model_algorithms)
    arn = {"configuredModelAlgorithmAssociationArn": lab.association}
    ml.get_configured_model_algorithm_association(**where, **arn)
    turn_pages(ml.list_configured_model_algorithm_associations, **where)
    view = {"collaborationIdentifier": lab.shared.id}
    ml.get_collaboration_configured_model_algorithm_association(**view, **arn)
    turn_pages(ml.list_collaboration_configured_model_algorithm_associations, **view)
    lab.receive(lab.alice)
    ml.get_ml_configuration(**where)


def query(lab: Lab, emulator: Emulator, template: str) -> str:
    """Make channels: inline, of a template, failed, and deleted; return one that is ACTIVE."""
    alice, bob = lab.alice.account, lab.bob.account
    worker = {"type": "CR.1X", "number": 2, "properties": {"spark": {"k": "v"}}}
    rest = {"computeConfiguration": {"worker": worker}, "resultFormat": "CSV"}
    payers = {"computePayerAccountId": alice, "syntheticDataPayerAccountId": bob}
    given = {
        "description": "d",
        "kmsKeyArn": KEY,
        "tags": {"a": "b"},
    }
    sources: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"queryString": "SELECT 1"}, {"computePayerAccountId": alice}),
        ({"analysisTemplateArn": template, "parameters": {"p": "2"}}, payers),
    ]
    for sql, who in sources:
        source = {"protectedQueryInputParameters": {"sqlParameters": sql, **rest}}
        role = {"dataSource": source, "roleArn": lab.bob.role()}
        arn = lab.channel(inputChannel=role, payerConfiguration=who, **given)
        see_channel(lab, arn)
    emulator.store.fail_next(Failure("MLInputChannel", "CODE", "message"))
    failed = lab.channel(payerConfiguration={"computePayerAccountId": alice})
    see_channel(lab, failed)
    lab.delete_channel(failed)
    turn_pages(lab.bob.ml.list_ml_input_channels, membershipIdentifier=lab.membership)
    views = lab.bob.ml.list_collaboration_ml_input_channels
    turn_pages(views, collaborationIdentifier=lab.shared.id)
    return arn


def see_channel(lab: Lab, arn: str) -> None:
    lab.see_channel(arn)
    lab.alice.ml.get_collaboration_ml_input_channel(
        collaborationIdentifier=lab.shared.id, mlInputChannelArn=arn
    )


def see_model(lab: Lab, made: Mapping[str, str]) -> None:
    """Look at a model from both sides."""
    lab.bob.ml.get_trained_model(membershipIdentifier=lab.membership, **made)
    for party in (lab.alice, lab.bob):
        view = {"collaborationIdentifier": lab.shared.id, **made}
        party.ml.get_collaboration_trained_model(**view)


def begin(lab: Lab, channel: str, **more: Any) -> dict[str, str]:
    """Begin a training with all that can be said of one; return what names the model."""
    data = {
        "mlInputChannelArn": channel,
        "channelName": "c",
        "s3DataDistributionType": "ShardedByS3Key",
    }
    kind = {"instanceType": "ml.m5.2xlarge", "instanceCount": 1, "volumeSizeInGB": 1}
    made = lab.start_training(
        dataChannels=[data],
        hyperparameters={"a": "1"},
        environment={"A": "1"},
        resourceConfig=kind,
        stoppingCondition={"maxRuntimeInSeconds": 3600},
        trainingInputMode="File",
        description="d",
        kmsKeyArn=KEY,
        tags={"a": "b"},
        mlModelTrainingPayerAccountId=lab.alice.account,
        **more,
    )
    return {name: made[name] for name in ("trainedModelArn", "versionIdentifier") if name in made}


def train(lab: Lab, emulator: Emulator, channel: str) -> dict[str, str]:
    """Train a model and versions of it; cancel one, delete one, let one fail; return the first."""
    known: dict[str, str] = {}
    for _ in range(3):
        further = {"incrementalTrainingDataChannels": [{**known, "channelName": "i"}]}
        known = begin(lab, channel, **(further if known else {}))
        lab.time.elapse(1000)
        see_model(lab, known)
    where = {"membershipIdentifier": lab.membership}
    listed = {**where, "trainedModelArn": known["trainedModelArn"]}
    turn_pages(lab.bob.ml.list_trained_model_versions, **listed)
    lab.bob.ml.list_trained_model_versions(**listed, status="ACTIVE")
    other = begin(lab, channel, incrementalTrainingDataChannels=[{**known, "channelName": "i"}])
    lab.bob.ml.cancel_trained_model(**where, **other)
    emulator.store.fail_next(Failure("TrainedModel", "CODE", "message"))
    failed = begin(lab, channel, incrementalTrainingDataChannels=[{**known, "channelName": "i"}])
    lab.time.elapse(1000)
    see_model(lab, failed)
    lab.bob.ml.delete_trained_model_output(**where, **failed)
    begin(lab, channel)
    turn_pages(lab.bob.ml.list_trained_models, **where)
    views = lab.bob.ml.list_collaboration_trained_models
    turn_pages(views, collaborationIdentifier=lab.shared.id)
    return known


def infer(lab: Lab, emulator: Emulator, channel: str, model: Mapping[str, str]) -> None:
    """Run jobs with all that can be said of one: finished, failed and cancelled."""
    version = {"trainedModelVersionIdentifier": model["versionIdentifier"]}
    arn = ""
    for code in (None, "CODE"):
        if code:
            emulator.store.fail_next(Failure("TrainedModelInferenceJob", code, "message"))
        arn = lab.infer(
            model["trainedModelArn"],
            channel,
            **version,
            configuredModelAlgorithmAssociationArn=lab.association,
            resourceConfig={"instanceType": "ml.m5.2xlarge", "instanceCount": 1},
            outputConfiguration={
                "accept": "text/csv",
                "members": [{"accountId": lab.alice.account}],
            },
            description="d",
            containerExecutionParameters={"maxPayloadInMB": 1},
            environment={"A": "1"},
            kmsKeyArn=KEY,
            tags={"a": "b"},
            mlModelInferencePayerAccountId=lab.alice.account,
        )
        lab.time.elapse(1000)
        lab.see_job(arn)
    filters = {"trainedModelArn": model["trainedModelArn"], **version}
    for party in (lab.alice, lab.bob):
        views = party.ml.list_collaboration_trained_model_inference_jobs
        turn_pages(views, collaborationIdentifier=lab.shared.id, **filters)
    where = {"membershipIdentifier": lab.membership}
    turn_pages(lab.bob.ml.list_trained_model_inference_jobs, **where, **filters)
    more = {"mlModelInferencePayerAccountId": lab.bob.account}
    lab.cancel_job(lab.infer(model["trainedModelArn"], channel, **more))


def export(lab: Lab, emulator: Emulator, model: Mapping[str, str]) -> None:
    """Export a model twice, in vain."""
    version = {"trainedModelVersionIdentifier": model["versionIdentifier"]}
    for _ in range(2):
        emulator.store.fail_next(Failure("TrainedModelExportJob", "CODE", "message"))
        lab.export(model["trainedModelArn"], description="d", **version)
    lab.time.elapse(1000)
    turn_pages(
        lab.bob.ml.list_collaboration_trained_model_export_jobs,
        collaborationIdentifier=lab.shared.id,
        trainedModelArn=model["trainedModelArn"],
        **version,
    )


def tag(client: Any, arn: str) -> None:
    """Tag, look and untag."""
    client.tag_resource(resourceArn=arn, tags={"c": "d"})
    client.list_tags_for_resource(resourceArn=arn)
    client.untag_resource(resourceArn=arn, tagKeys=["c"])


def end(lab: Lab, carol: Party) -> None:
    """Take everything down."""
    ml = lab.alice.ml
    other = lab.configure("other")
    lab.algorithm = other
    association = lab.associate("other")
    where = {"membershipIdentifier": lab.shared.of(lab.alice)}
    ml.delete_configured_model_algorithm_association(
        **where, configuredModelAlgorithmAssociationArn=association
    )
    ml.delete_configured_model_algorithm(configuredModelAlgorithmArn=other)
    ml.delete_ml_configuration(**where)
    shared = {"collaborationIdentifier": lab.shared.id}
    lab.shared.join(carol, paymentConfiguration=payment(*COSTS))
    carol.cleanrooms.delete_membership(membershipIdentifier=lab.shared.of(carol))
    lab.alice.cleanrooms.delete_member(**shared, accountId=lab.bob.account)
    lab.alice.cleanrooms.delete_collaboration(**shared)


def go(emulator: Emulator, lab: Lab, carol: Party) -> None:
    """Do all that there is to do."""
    alice, bob = lab.alice, lab.bob
    found_together(alice, bob)
    lab.shared = found_together(alice, bob)
    join_and_change(lab.shared, alice, bob)
    change_by_request(lab.shared, alice, bob, carol)
    template = write_down(lab.shared, alice)
    bring_algorithms(lab)
    now = lab.time.now()
    table = (
        f"arn:aws:cleanrooms:us-east-1:{alice.account}:membership/m/configuredtableassociation/t"
    )
    emulator.store.put(
        AccessBudget(
            collaboration=lab.shared.id,
            resource=table,
            budget=99,
            remaining=99,
            starts=now,
            renews=now + timedelta(days=1),
        )
    )
    channel = query(lab, emulator, template)
    model = train(lab, emulator, channel)
    infer(lab, emulator, channel, model)
    export(lab, emulator, model)
    tag(alice.cleanrooms, lab.shared.arn)
    tag(alice.ml, lab.algorithm)
    end(lab, carol)
