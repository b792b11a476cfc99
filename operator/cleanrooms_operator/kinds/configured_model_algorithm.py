"""ConfiguredModelAlgorithm: the containers that train a model and that infer from it.

It belongs to an account, not to a membership, and has no states: it exists or it does not.
Nothing of it can be changed but its tags.
"""

from cleanrooms_operator.core import algorithms, kind, specs
from cleanrooms_operator.core.status import Status
from cleanrooms_operator.core.values import Structure


class ConfiguredModelAlgorithmSpec(specs.NamedSpec):
    """Parameters of CreateConfiguredModelAlgorithm."""

    description: str | None = None
    role_arn: str
    training_container_config: Structure | None = None
    inference_container_config: Structure | None = None
    kms_key_arn: str | None = None


KIND = kind.Kind(
    definition=kind.Definition(
        name="ConfiguredModelAlgorithm",
        plural="configuredmodelalgorithms",
        short_name="cralgo",
        description="An algorithm in AWS Clean Rooms ML: the containers that train and infer.",
        spec=ConfiguredModelAlgorithmSpec,
        status=Status,
        columns=(
            kind.Column("Image", ".spec.trainingContainerConfig.imageUri", "What trains."),
            kind.Column("ARN", ".status.arn", "ARN of the algorithm.", wide=True),
        ),
        rules=(
            kind.Rule(
                "has(self.trainingContainerConfig) || has(self.inferenceContainerConfig)",
                "one of `trainingContainerConfig` and `inferenceContainerConfig` must be given",
            ),
        ),
    ),
    service="cleanroomsml",
    create="CreateConfiguredModelAlgorithm",
    read="GetConfiguredModelAlgorithm",
    delete="DeleteConfiguredModelAlgorithm",
    listing=kind.Listing(
        "cleanroomsml",
        "ListConfiguredModelAlgorithms",
        "configuredModelAlgorithms",
        handle=("configuredModelAlgorithmArn",),
    ),
    handle=kind.Handle.by_arn("configuredModelAlgorithmArn"),
    state=None,
    lifecycle={},
    kept_by_live=frozenset({algorithms.ASSOCIATION}),
    actions=("iam:PassRole",),
)
