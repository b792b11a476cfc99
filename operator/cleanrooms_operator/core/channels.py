"""ML input channels: what their status says, and that their data goes by itself."""

from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import Field

from cleanrooms_operator.core import runs, shared, sources
from cleanrooms_operator.core.payments import Cost
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import Fact, Present
from cleanrooms_operator.core.times import timestamp
from cleanrooms_operator.core.values import AccountId, NameRef, Reference, Structure, Value

ASSOCIATIONS = "configuredModelAlgorithmAssociations"

AssociationRefs: TypeAlias = Annotated[
    list[NameRef] | None,
    Reference("ConfiguredModelAlgorithmAssociation", {ASSOCIATIONS: "arn"}),
    Field(description="The association, in this namespace, that the channel is made for."),
]
SharedAssociations: TypeAlias = Annotated[
    list[shared.SharedName] | None,
    shared.association(ASSOCIATIONS),
    Field(description="The association of any member that the channel is made for."),
]


COSTS = (
    Cost("queryCompute", "payerConfiguration.computePayerAccountId"),
    Cost(
        "machineLearning.syntheticDataGeneration",
        "payerConfiguration.syntheticDataPayerAccountId",
        synthetic=True,
    ),
)


class SqlParameters(Value):
    """The query that fills a channel: its text, or a template."""

    # AWS's model leaves open that it takes either a text or a template.
    CHOICE: ClassVar = ("queryString", "analysisTemplateArn")

    query_string: str | None = None
    query_string_from: sources.QueryFrom = None
    analysis_template_arn: str | None = None
    shared_analysis_template: Annotated[
        shared.SharedName | None,
        shared.template(),
        Field(description="An analysis template that any member of the collaboration has made."),
    ] = None
    parameters: dict[str, str] | None = None
    parameters_from: sources.ParametersFrom = None


class ProtectedQuery(Value):
    """How a channel is filled by a query."""

    sql_parameters: SqlParameters
    compute_configuration: Structure | None = None
    result_format: str | None = None


class DataSource(Value):
    """What fills a channel."""

    protected_query_input_parameters: ProtectedQuery


class InputChannel(Value):
    """What fills a channel, and the role that may have it filled."""

    data_source: DataSource
    role_arn: str


class BudgetPeriod(Value):
    """How much of a privacy budget is left in one period."""

    start_time: Annotated[datetime, Field(description="When the period began.")]
    end_time: Annotated[datetime | None, Field(description="When it ends, if it does.")] = None
    budget: Annotated[int, Field(ge=0, description="Uses in the whole period.")]
    remaining_budget: Annotated[int, Field(ge=0, description="Uses that are left.")]
    budget_type: Annotated[str, Field(description="AWS's word for the length of the period.")]
    auto_refresh: Annotated[
        str | None, Field(description="Whether another period follows: ENABLED or DISABLED.")
    ] = None


class PrivacyBudget(Value):
    """How often a table can be queried still."""

    resource_arn: Annotated[str, Field(description="ARN of the configured table association.")]
    aggregate_remaining_budget: Annotated[int, Field(ge=0, description="Uses left in all periods.")]
    details: Annotated[list[BudgetPeriod], Field(description="The periods.")]


class AttackScore(Value):
    """How well an attack told the synthetic data from what it was made of."""

    attack_version: Annotated[str, Field(description="AWS's name of the attack.")]
    score: Annotated[float, Field(ge=0, le=1, description="From 0 to 1; 0.5 is chance.")]


class SyntheticData(Value):
    """How synthetic data was made, and how well it hides what it was made of."""

    epsilon: Annotated[
        float, Field(ge=0, le=10, description="How much noise was added: less means more.")
    ]
    max_membership_inference_attack_score: Annotated[
        float, Field(ge=0, le=1, description="The score above which the channel would have failed.")
    ]
    membership_inference_attack_scores: Annotated[
        list[AttackScore] | None,
        Field(description="How it withstood attacks; absent until AWS has evaluated it."),
    ] = None


class ChannelStatus(runs.RunStatus):
    """What is seen of a channel."""

    synthetic_data_payer: Annotated[
        AccountId | None, Field(description="The account that pays for making synthetic data.")
    ] = None
    protected_query_identifier: Annotated[
        str | None, Field(description="Identifier of the query that fills the channel.")
    ] = None
    number_of_records: Annotated[int | None, Field(ge=0, description="Records that it holds.")] = (
        None
    )
    number_of_files: Annotated[
        float | None, Field(ge=0, le=1_000_000, description="Files that it holds.")
    ] = None
    size_in_gb: Annotated[
        float | None, Field(ge=0, le=1_000_000, description="Size of its data in GB.")
    ] = None
    privacy_budgets: Annotated[
        list[PrivacyBudget] | None,
        Field(description="What was left of privacy budgets when AWS was asked last."),
    ] = None
    synthetic_data: Annotated[
        SyntheticData | None, Field(description="Of a channel with synthetic data: how it is made.")
    ] = None
    expires_at: Annotated[
        datetime | None,
        Field(
            description="When AWS removes the data at the earliest: it does not say whether "
            "`retentionInDays` counts from the start or from the end of the query."
        ),
    ] = None


def report(situation: Situation, present: Present) -> Document:
    """Return what the channel holds, who paid for it, and until when it stays (rule R-24)."""
    if present.details is None:
        return {}
    fields = present.details.fields
    payers = fields.get("payerConfiguration") or {}
    kept = timedelta(days=fields["retentionInDays"])
    shown = {
        **runs.report(situation, present),
        "payer": payers.get("computePayerAccountId"),
        "syntheticDataPayer": payers.get("syntheticDataPayerAccountId"),
        **{name: fields.get(name) for name in _AS_GIVEN},
        "privacyBudgets": _budgets(fields.get("privacyBudgets")),
        "syntheticData": _synthetic(fields.get("syntheticDataConfiguration")),
        "expiresAt": timestamp(fields["createTime"] + kept),
    }
    return {name: value for name, value in shown.items() if value is not None}


_AS_GIVEN = ("protectedQueryIdentifier", "numberOfRecords", "numberOfFiles", "sizeInGb")


def _budgets(shown: Document | None) -> list[Any] | None:
    if shown is None:
        return None
    return [
        {**budget, "details": [_period(period) for period in budget["details"]]}
        for budget in shown["accessBudgets"]
    ]


def _period(shown: Document) -> dict[str, Any]:
    times = {name: timestamp(shown[name]) for name in ("startTime", "endTime") if name in shown}
    return {**shown, **times}


def _synthetic(shown: Document | None) -> dict[str, Any] | None:
    if shown is None:
        return None
    parameters, scores = (
        shown["syntheticDataParameters"],
        shown.get("syntheticDataEvaluationScores"),
    )
    attacks = {} if scores is None else scores["dataPrivacyScores"]
    return {
        "epsilon": parameters["epsilon"],
        "maxMembershipInferenceAttackScore": parameters["maxMembershipInferenceAttackScore"],
        **attacks,
    }


def facts(_situation: Situation, present: Present) -> tuple[Fact, ...]:
    """Return that the query failed, or that the data is gone (rule R-36)."""
    if present.state == "CREATE_FAILED":
        return (runs.failed(Reason.INPUT_CHANNEL_FAILED, runs.words(present)),)
    if present.state == "INACTIVE":
        return (Fact("Expired", "True", Reason.EXPIRED, Reason.EXPIRED.cause),)
    return ()
