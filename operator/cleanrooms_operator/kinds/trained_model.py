"""TrainedModel: a training, and the model or the version of a model that comes of it (rule R-1).

What goes on from another model is a version of it. Only tags change; a deletion leaves a record.
"""

from cleanrooms_operator.core import algorithms, kind, models, runs, shared, sources, specs
from cleanrooms_operator.core.permissions import PASSING
from cleanrooms_operator.core.values import Structure

ARN, VERSION, SCOPE = "trainedModelArn", "versionIdentifier", "membershipIdentifier"


class TrainedModelSpec(specs.MemberSpec):
    """Parameters of CreateTrainedModel."""

    configured_model_algorithm_association_arn: str | None = None
    configured_model_algorithm_association_ref: algorithms.AssociationRef = None
    shared_configured_model_algorithm_association: shared.Association = None
    description: str | None = None
    resource_config: Structure
    stopping_condition: Structure | None = None
    data_channels: list[models.DataChannel]
    incremental_training_data_channels: list[models.IncrementalTrainingDataChannel] | None = None
    hyperparameters: dict[str, str] | None = None
    hyperparameters_from: sources.HyperparametersFrom = None
    environment: dict[str, str] | None = None
    environment_from: sources.EnvironmentFrom = None
    training_input_mode: str | None = None
    kms_key_arn: str | None = None
    ml_model_training_payer_account_id: str | None = None


KIND = kind.Kind(
    definition=kind.Definition(
        name="TrainedModel",
        plural="trainedmodels",
        short_name="crmodel",
        description="A training in AWS Clean Rooms ML, and the model that comes of it.",
        spec=TrainedModelSpec,
        status=models.TrainedModelStatus,
        columns=(
            kind.Column("State", ".status.state", "State in AWS Clean Rooms ML."),
            kind.Column("Instance", ".spec.resourceConfig.instanceType", "What it is trained on."),
            kind.Column("Started", ".status.startTime", "When it began.", "date"),
            kind.Column("Version", ".status.versionIdentifier", "Absent: the base.", wide=True),
            kind.Column("Payer", ".status.payer", "The account that pays.", wide=True),
            kind.Column("ARN", ".status.arn", "ARN of the model.", wide=True),
        ),
        rules=(*models.RULES, kind.ACCOUNT_OF_MEMBERSHIP),
    ),
    service="cleanroomsml",
    create="CreateTrainedModel",
    read="GetTrainedModel",
    cancel=kind.Cancellation("CancelTrainedModel", runs.CREATING),
    delete="DeleteTrainedModelOutput",
    listing=kind.Listing(
        "cleanroomsml", "ListTrainedModels", "trainedModels", (SCOPE,), (ARN, VERSION)
    ),
    everybodys=shared.MODELS,
    handle=kind.Handle.by_arn(ARN, VERSION),
    versions=kind.Listing(
        "cleanroomsml", "ListTrainedModelVersions", "trainedModels", (SCOPE, ARN), (ARN, VERSION)
    ),
    lifecycle=models.LIFECYCLE,
    ends=models.ENDS,
    published=("metricsStatus", "logsStatus"),
    costs=models.COSTS,
    report=models.report,
    facts=models.facts,
    unapplied=models.misunderstood,
    actions=PASSING,
)
