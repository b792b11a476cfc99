"""The walk-through of the examples, played by any two companies, to a finished inference job."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.kinds import BY_NAME
from e2e.stage import Company, Stage

WALKTHROUGH = Path(__file__).parents[2] / "examples" / "walkthrough"
CREATOR, PARTNER = "111111111111", "222222222222"

RUNS = ("MLInputChannel", "TrainedModel", "InferenceJob")
"""The kinds that cost money."""

OVER = frozenset({"INACTIVE", "CREATE_FAILED"})
"""States in which nothing costs anything any more; a job is over when it is ACTIVE, too."""

LISTS: Mapping[str, tuple[str, str]] = {
    "MLInputChannel": ("list_ml_input_channels", "mlInputChannelsList"),
    "TrainedModel": ("list_trained_models", "trainedModels"),
    "InferenceJob": ("list_trained_model_inference_jobs", "trainedModelInferenceJobs"),
    "ConfiguredModelAlgorithmAssociation": (
        "list_configured_model_algorithm_associations",
        "configuredModelAlgorithmAssociations",
    ),
}


@dataclass(frozen=True, slots=True)
class Journey:
    """Two companies, and all that the walk-through declares for them."""

    creator: Company
    partner: Company
    keys: tuple[Key, ...]

    def key(self, kind: str, name: str) -> Key:
        """Return the resource of a kind and name, whosever it is."""
        return next(key for key in self.keys if (key.kind, key.name) == (kind, name))

    def runs(self) -> Iterator[Key]:
        return (key for key in self.keys if key.kind in RUNS)

    @property
    def accounts(self) -> tuple[str, str]:
        return self.creator.account, self.partner.account


def begin(stage: Stage) -> Journey:
    """Apply the walk-through for two new companies, which have an AWSAccount each already."""
    creator, partner = stage.company(), stage.company()
    companies = {"company-a": creator, "company-b": partner}
    text = "\n---\n".join(path.read_text() for path in sorted(WALKTHROUGH.glob("*.yaml")))
    text = text.replace(CREATOR, creator.account).replace(PARTNER, partner.account)
    keys = []
    for document in yaml.safe_load_all(text):
        if document["kind"] in BY_NAME:
            company = companies[document["metadata"]["namespace"]]
            keys.append(
                company.apply(document["kind"], document["metadata"]["name"], document["spec"])
            )
    return Journey(creator, partner, tuple(keys))


def check_bought_once(stage: Stage, journey: Journey, since: int = 0) -> None:
    """Assert that AWS made one object for each resource, and that each resource knows its own."""
    creates = {kind.create: name for name, kind in BY_NAME.items()}
    made = [
        (creates[record["operation"]], record["parameters"].get("name"))
        for account in journey.accounts
        for record in stage.aws.calls(account, *creates, since=since)
        if record["applied"]
    ]
    wanted = [(key.kind, None if key.kind == "Membership" else key.name) for key in journey.keys]
    assert sorted(made, key=str) == sorted(wanted, key=str)


def left(journey: Journey) -> list[dict[str, Any]]:
    """Return what AWS still holds under the companies' memberships that may cost or be used."""
    found = []
    for company in (journey.creator, journey.partner):
        party = company.party
        for membership in party.cleanrooms.list_memberships()["membershipSummaries"]:
            scope = {"membershipIdentifier": membership["id"]}
            for kind, (operation, items) in LISTS.items():
                done = {*OVER, "ACTIVE"} if kind == "InferenceJob" else OVER
                listed = getattr(party.ml, operation)(**scope)[items]
                found += [one for one in listed if one.get("status") not in done]
        found += party.ml.list_configured_model_algorithms()["configuredModelAlgorithms"]
    return found
