"""InferenceJob: one application of a trained model to the data of a channel.

It runs once, to its end. Nothing deletes its record: ACTIVE means that it has finished, and what
can be done before is to cancel it.
"""

from cleanrooms_operator.core import algorithms, jobs, kind, runs, shared, sources, specs
from cleanrooms_operator.core.permissions import PASSING
from cleanrooms_operator.core.step import Lifecycle
from cleanrooms_operator.core.values import Structure


class InferenceJobSpec(specs.MemberSpec):
    """Parameters of StartTrainedModelInferenceJob."""

    trained_model_arn: str | None = None
    trained_model_version_identifier: str | None = None
    trained_model_ref: jobs.ModelRef = None
    shared_trained_model: jobs.SharedModel = None
    configured_model_algorithm_association_arn: str | None = None
    configured_model_algorithm_association_ref: algorithms.AssociationRef = None
    shared_configured_model_algorithm_association: shared.Association = None
    resource_config: Structure
    output_configuration: Structure
    data_source: jobs.InferenceDataSource
    description: str | None = None
    container_execution_parameters: Structure | None = None
    environment: dict[str, str] | None = None
    environment_from: sources.InferenceEnvironmentFrom = None
    kms_key_arn: str | None = None
    ml_model_inference_payer_account_id: str | None = None


KIND = kind.Kind(
    definition=kind.Definition(
        name="InferenceJob",
        plural="inferencejobs",
        short_name="crjob",
        description="One run of a trained model over the data of a channel.",
        spec=InferenceJobSpec,
        status=jobs.JobStatus,
        columns=(
            kind.Column("State", ".status.state", "State in AWS; ACTIVE means finished."),
            kind.Column("Model", ".spec.trainedModelRef.name", "The TrainedModel that it applies."),
            kind.Column("Started", ".status.startTime", "Since when AWS knows it.", "date"),
            kind.Column("Payer", ".status.payer", "Who pays for it."),
            kind.Column("Output", ".status.outputLocation", "Where its output goes.", wide=True),
            kind.Column("ARN", ".status.arn", "ARN of the job.", wide=True),
        ),
        rules=(kind.ACCOUNT_OF_MEMBERSHIP,),
    ),
    service="cleanroomsml",
    create="StartTrainedModelInferenceJob",
    read="GetTrainedModelInferenceJob",
    delete=None,
    listing=kind.Listing(
        "cleanroomsml",
        "ListTrainedModelInferenceJobs",
        "trainedModelInferenceJobs",
        scope=("membershipIdentifier",),
        handle=("trainedModelInferenceJobArn",),
    ),
    everybodys=shared.JOBS,
    handle=kind.Handle.by_arn("trainedModelInferenceJobArn"),
    lifecycle={
        **runs.UNDER_WAY,
        "ACTIVE": Lifecycle.DONE,
        "CREATE_FAILED": Lifecycle.GONE,
        "INACTIVE": Lifecycle.GONE,
    },
    ends=runs.JOB_ENDS,
    cancel=kind.Cancellation("CancelTrainedModelInferenceJob", runs.CREATING),
    published=("metricsStatus", "logsStatus"),
    costs=jobs.COSTS,
    delivery=jobs.DELIVERY,
    neighbours=(jobs.MEMBERSHIP, jobs.MODEL),
    facts=jobs.facts,
    report=jobs.report,
    actions=PASSING,
)
