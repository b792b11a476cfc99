"""A collaboration to train in: alice brings the algorithm and receives, bob queries and trains."""

from dataclasses import dataclass
from typing import Any

from cleanrooms_emulator.virtual import VirtualTime
from parties import Party, Shared

IMAGE = "111111111111.dkr.ecr.us-east-1.amazonaws.com/image:1"
CHANNEL_SECONDS = 180
TRAINING_SECONDS = 600
INFERENCE_SECONDS = 480
EXPORT_SECONDS = 120
ENDING_SECONDS = 30
PUBLISHING_SECONDS = 60

SMALL = {"instanceType": "ml.m5.2xlarge", "volumeSizeInGB": 10}


def sql(**parameters: Any) -> dict[str, Any]:
    """Return the inputChannel's data source of a query."""
    given = parameters or {"queryString": "SELECT 1"}
    return {"protectedQueryInputParameters": {"sqlParameters": given}}


@dataclass(slots=True)
class Lab:
    """What is needed to train, and the calls that do it, all with parameters to change."""

    shared: Shared
    alice: Party
    bob: Party
    time: VirtualTime
    algorithm: str = ""
    association: str = ""

    @property
    def membership(self) -> str:
        return self.shared.of(self.bob)

    def configure(self, name: str = "algorithm", **changes: Any) -> str:
        """Create an algorithm of alice's."""
        parameters = {
            "name": name,
            "roleArn": self.alice.role(),
            "trainingContainerConfig": {"imageUri": IMAGE},
            "inferenceContainerConfig": {"imageUri": IMAGE},
            **changes,
        }
        made = self.alice.ml.create_configured_model_algorithm(**parameters)
        return str(made["configuredModelAlgorithmArn"])

    def associate(self, name: str = "association", **changes: Any) -> str:
        """Associate alice's algorithm."""
        parameters = {
            "membershipIdentifier": self.shared.of(self.alice),
            "configuredModelAlgorithmArn": self.algorithm,
            "name": name,
            **changes,
        }
        made = self.alice.ml.create_configured_model_algorithm_association(**parameters)
        return str(made["configuredModelAlgorithmAssociationArn"])

    def start_channel(self, name: str = "channel", **changes: Any) -> str:
        """Begin a channel of bob's."""
        parameters = {
            "membershipIdentifier": self.membership,
            "configuredModelAlgorithmAssociations": [self.association],
            "inputChannel": {"dataSource": sql(), "roleArn": self.bob.role()},
            "name": name,
            "retentionInDays": 30,
            **changes,
        }
        return str(self.bob.ml.create_ml_input_channel(**parameters)["mlInputChannelArn"])

    def channel(self, name: str = "channel", **changes: Any) -> str:
        """Make a channel of bob's, and wait for it."""
        arn = self.start_channel(name, **changes)
        self.time.elapse(CHANNEL_SECONDS)
        return arn

    def start_training(self, *channels: str, name: str = "model", **changes: Any) -> Any:
        """Begin a training of bob's."""
        parameters = {
            "membershipIdentifier": self.membership,
            "name": name,
            "configuredModelAlgorithmAssociationArn": self.association,
            "resourceConfig": SMALL,
            "dataChannels": [
                {"mlInputChannelArn": arn, "channelName": f"c{n}"} for n, arn in enumerate(channels)
            ],
            **changes,
        }
        return self.bob.ml.create_trained_model(**parameters)

    def train(self, *channels: str, name: str = "model", **changes: Any) -> Any:
        """Train a model, and wait for it."""
        made = self.start_training(*channels, name=name, **changes)
        self.time.elapse(TRAINING_SECONDS)
        return made

    def infer(self, model: str, channel: str, name: str = "job", **changes: Any) -> str:
        """Begin an inference job of bob's, for alice."""
        parameters = {
            "membershipIdentifier": self.membership,
            "name": name,
            "trainedModelArn": model,
            "resourceConfig": {"instanceType": "ml.m5.2xlarge"},
            "outputConfiguration": {"members": [{"accountId": self.alice.account}]},
            "dataSource": {"mlInputChannelArn": channel},
            **changes,
        }
        made = self.bob.ml.start_trained_model_inference_job(**parameters)
        return str(made["trainedModelInferenceJobArn"])

    def export(self, model: str, name: str = "export", **changes: Any) -> None:
        """Begin an export of bob's model, to alice."""
        parameters = {
            "membershipIdentifier": self.membership,
            "trainedModelArn": model,
            "name": name,
            "outputConfiguration": {"members": [{"accountId": self.alice.account}]},
            **changes,
        }
        self.bob.ml.start_trained_model_export_job(**parameters)

    def receive(self, party: Party) -> None:
        """Let the party have an ML configuration with a bucket."""
        destination = {"s3Destination": {"s3Uri": "s3://bucket/out"}}
        party.ml.put_ml_configuration(
            membershipIdentifier=self.shared.of(party),
            defaultOutputLocation={"roleArn": party.role(), "destination": destination},
        )

    def see_channel(self, arn: str) -> Any:
        """Return a channel as bob sees it."""
        return self.bob.ml.get_ml_input_channel(
            membershipIdentifier=self.membership, mlInputChannelArn=arn
        )

    def see_model(self, arn: str, **version: str) -> Any:
        """Return a model as bob sees it."""
        return self.bob.ml.get_trained_model(
            membershipIdentifier=self.membership, trainedModelArn=arn, **version
        )

    def see_job(self, arn: str) -> Any:
        """Return an inference job as bob sees it."""
        return self.bob.ml.get_trained_model_inference_job(
            membershipIdentifier=self.membership, trainedModelInferenceJobArn=arn
        )

    def see_exports(self, model: str, **version: str) -> Any:
        """Return the exports of a model."""
        return self.alice.ml.list_collaboration_trained_model_export_jobs(
            collaborationIdentifier=self.shared.id, trainedModelArn=model, **version
        )["collaborationTrainedModelExportJobs"]

    def delete_channel(self, arn: str) -> None:
        """Delete a channel's data."""
        self.bob.ml.delete_ml_input_channel_data(
            membershipIdentifier=self.membership, mlInputChannelArn=arn
        )

    def delete_model(self, arn: str, **version: str) -> None:
        """Delete a model's output."""
        self.bob.ml.delete_trained_model_output(
            membershipIdentifier=self.membership, trainedModelArn=arn, **version
        )

    def cancel_model(self, arn: str, **version: str) -> None:
        """Cancel a training."""
        self.bob.ml.cancel_trained_model(
            membershipIdentifier=self.membership, trainedModelArn=arn, **version
        )

    def cancel_job(self, arn: str) -> None:
        """Cancel an inference job."""
        self.bob.ml.cancel_trained_model_inference_job(
            membershipIdentifier=self.membership, trainedModelInferenceJobArn=arn
        )

    def states(self, look: Any, arn: str, seconds: int) -> list[str]:
        """Return the states that an object goes through in that time, each once."""
        seen: list[str] = [look(arn)["status"]]
        for _ in range(0, seconds, 5):
            self.time.elapse(5)
            status = look(arn)["status"]
            if status != seen[-1]:
                seen.append(status)
        return seen


def channel_input(lab: Lab, source: Any) -> dict[str, Any]:
    """Return the inputChannel parameter for a data source."""
    return {"inputChannel": {"dataSource": source, "roleArn": lab.bob.role()}}


def template(lab: Lab, **changes: Any) -> str:
    """Let alice write a query down."""
    made = lab.alice.cleanrooms.create_analysis_template(
        membershipIdentifier=lab.shared.of(lab.alice),
        **{"name": "query", "format": "SQL", "source": {"text": "SELECT 1"}, **changes},
    )
    return str(made["analysisTemplate"]["arn"])


def listed_models(lab: Lab) -> list[tuple[str, str | None]]:
    """Return bob's models by name and version."""
    found = lab.bob.ml.list_trained_models(membershipIdentifier=lab.membership)["trainedModels"]
    return [(each["name"], each.get("versionIdentifier")) for each in found]


def further(base: Any, channel: str = "incremental") -> dict[str, Any]:
    """Return the parameters of a training that goes on from `base`."""
    names = ("trainedModelArn", "versionIdentifier")
    known = {name: base[name] for name in names if name in base}
    return {"incrementalTrainingDataChannels": [{**known, "channelName": channel}]}
