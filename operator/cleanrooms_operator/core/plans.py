"""What would be started, as people see it who are to approve it (rule R-41)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

from pydantic import Field

from cleanrooms_operator.core.redaction import SENSITIVE
from cleanrooms_operator.core.resource import Document, Resource
from cleanrooms_operator.core.values import AccountId, Value

APPROVED = "SpendingApproved"
"""The condition that is False while a run is not started, because nobody has approved it."""

LONGEST_VALUE = 256
"""Characters of a parameter's value that are shown."""


class PlannedCost(Value):
    """A cost of the run."""

    cost_type: Annotated[str, Field(description="Such as `queryCompute` or `modelTraining`.")]
    payer: Annotated[AccountId | None, Field(description="The account that would pay.")] = None


class PlannedParameter(Value):
    """A parameter of the run."""

    path: Annotated[str, Field(description="Such as `resourceConfig.instanceType`.")]
    value: Annotated[
        str | None,
        Field(description="Its value; absent where it may hold what not everybody may read."),
    ] = None


class Plan(Value):
    """A run that waits to be approved by its Membership's `spending.approvals`."""

    hash: Annotated[
        str,
        Field(
            description="Hash, under the operator's key, of all parameters: what approves it has "
            "to name it. It changes with every parameter, sources and references included."
        ),
    ]
    costs: Annotated[
        list[PlannedCost] | None, Field(description="What would be paid, and by whom.")
    ] = None
    parameters: Annotated[
        list[PlannedParameter] | None, Field(description="What would be started.")
    ] = None


def plan(parameters: Document, costs: Iterable[tuple[str, str]], hashed: str) -> Document:
    """Return `status.plan` of a run, by (cost type, account that pays) and the hash."""
    return {
        "hash": hashed,
        "costs": [{"costType": cost, "payer": payer} for cost, payer in costs],
        "parameters": [*_leaves("", parameters)],
    }


def _leaves(path: str, value: object) -> Iterator[Document]:
    if path.rpartition(".")[2] in SENSITIVE:
        # Not even the names of entries: whoever wrote a Secret chose those.
        yield {"path": path}
    elif isinstance(value, Mapping):
        for name, inner in sorted(value.items()):
            yield from _leaves(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _leaves(f"{path}[{place}]", inner)
    else:
        yield {"path": path, "value": str(value)[:LONGEST_VALUE]}


def is_awaited(resource: Resource) -> bool:
    """Whether a run is not started because, as it is declared now, nobody has approved it."""
    return resource.status.get("identifier") is None and resource.is_false(APPROVED)
