"""What a Membership lets be spent: which runs wait for a word, and how many may start.

It binds what this operator submits: AWS gives a payer no veto over a run (rules R-20, R-41).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from cleanrooms_operator.core.payments import Cost, name_of
from cleanrooms_operator.core.plans import APPROVED
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Annotation, Document, Key, Resource
from cleanrooms_operator.core.step import Fact
from cleanrooms_operator.core.values import ResourceName, Value

PLAN = "plan"
"""The status field that shows what is to be approved."""

# -- what is declared --------------------------------------------------------------------------


_Runs = Annotated[int | None, Field(ge=0, le=100_000)]


class Allowance(Value):
    """How runs of a cost type start."""

    start: Annotated[
        Literal["Allow", "Approve"],
        Field(
            description="`Allow` starts a run when it can be started. `Approve` shows it in its "
            "`status.plan`, and starts it when `approvals` names it with its hash."
        ),
    ] = "Allow"
    max_concurrent: Annotated[
        _Runs, Field(description="How many may be under way at once; the others wait.")
    ] = None
    max_runs_per_day: Annotated[
        _Runs,
        Field(
            description="How many may start in a day, by UTC and AWS's clock; the others wait. "
            "Runs that anybody in the account started under the membership are counted too."
        ),
    ] = None


class Approval(Value):
    """A run that may start."""

    kind: Annotated[
        Literal["MLInputChannel", "TrainedModel", "InferenceJob"],
        Field(description="The kind of the resource, in this namespace."),
    ]
    name: Annotated[ResourceName, Field(description="The name of the resource.")]
    hash: Annotated[
        str,
        Field(
            min_length=64,
            max_length=64,
            pattern=r"^[0-9a-f]{64}$",
            description="`status.plan.hash` of the resource: what exactly is approved.",
        ),
    ]


class Spending(Value):
    """How much is started under a membership, and what waits for approval."""

    query_compute: Annotated[
        Allowance | None, Field(description="ML input channels, which run a query.")
    ] = None
    model_training: Annotated[Allowance | None, Field(description="Trained models.")] = None
    model_inference: Annotated[Allowance | None, Field(description="Inference jobs.")] = None
    synthetic_data_generation: Annotated[
        Allowance | None,
        Field(
            description="ML input channels of synthetic data, which `queryCompute` counts too. One "
            "whose template cannot be seen is taken for one of them."
        ),
    ] = None
    approvals: Annotated[
        list[Approval] | None,
        Field(
            max_length=500,
            description="The runs that may start though their cost type says `Approve`. An "
            "approval holds for as long as it stands here: a resource that is deleted and applied "
            "again with the same parameters needs no other.",
        ),
    ] = None

    COSTS: ClassVar = (
        "queryCompute",
        "modelTraining",
        "modelInference",
        "syntheticDataGeneration",
    )


Guarding: TypeAlias = Annotated[
    Spending | None,
    Field(
        description="What this operator may start under this membership. It binds no other "
        "account: the brake on what others run at this account's expense is to be no candidate "
        "any more."
    ),
]

# -- what follows ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Guard:
    """What one Membership says of the runs under it."""

    membership: Key
    to_approve: frozenset[str]
    """Names of the cost types of which no run starts without approval."""
    approvals: frozenset[tuple[str, str, str]]
    """(kind, name, hash) of what is approved."""

    def lets(self, key: Key, costs: Iterable[str], hashed: str) -> bool:
        """Whether a run of these costs may start, by its hash."""
        needed = not self.to_approve.isdisjoint(costs)
        return not needed or (key.kind, key.name, hashed) in self.approvals


def guards(memberships: Iterable[Resource], identifier: str) -> tuple[Guard, ...]:
    """Return what all Memberships of a cluster say of the runs under one membership of AWS."""
    return tuple(
        _guard(each)
        for each in memberships
        if is_of(each, identifier) and each.spec.get("spending") is not None
    )


def is_of(membership: Resource, identifier: object) -> bool:
    """Whether a Membership stands for one of AWS, or will once it is looked at."""
    named = membership.annotations.get(Annotation.EXTERNAL_ID)
    return identifier in {membership.status.get("identifier"), named}


def _guard(membership: Resource) -> Guard:
    spending: Document = membership.spec["spending"]
    allowances = {name: spending.get(name) or {} for name in Spending.COSTS}
    to_approve = {name for name, one in allowances.items() if one.get("start") == "Approve"}
    named = spending.get("approvals") or ()
    approvals = {(each["kind"], each["name"], each["hash"]) for each in named}
    return Guard(membership.key, frozenset(to_approve), frozenset(approvals))


def costs_of(costs: Iterable[Cost], *, synthetic: bool) -> tuple[str, ...]:
    """Return the names of what a run costs."""
    return tuple(name_of(cost.path) for cost in costs if synthetic or not cost.synthetic)


def awaited(guard: Guard, resource: Resource, hashed: str) -> Fact:
    """Return that a run waits for an approval, and how that is given."""
    key, where = resource.key, guard.membership
    before = any(one[:2] == (key.kind, key.name) for one in guard.approvals)
    changed = "What was approved is not what it is now. " if before else ""
    message = (
        f"{changed}To start it, add {{kind: {key.kind}, name: {key.name}, hash: {hashed}}} to "
        f"`spending.approvals` of {where.kind} {where.namespace}/{where.name}"
    )
    return Fact(APPROVED, "False", Reason.NOT_APPROVED, message)


SETTLED = Fact(APPROVED, "True", Reason.APPROVED, Reason.APPROVED.cause)
