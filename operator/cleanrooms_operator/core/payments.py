"""Payment configurations as flat leaves: who is responsible for which cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from cleanrooms_operator.core.resource import Document

Leaves: TypeAlias = Mapping[str, bool]
"""Dotted path of a cost type, such as `machineLearning.modelTraining` -> isResponsible."""

COST_TYPES = (
    "queryCompute",
    "jobCompute",
    "machineLearning.modelTraining",
    "machineLearning.modelInference",
    "machineLearning.syntheticDataGeneration",
)


def name_of(path: str) -> str:
    """Return what people call a cost type, such as `modelTraining`."""
    return path.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost of a run, and the parameter of its create call that names who pays it."""

    path: str
    """One of COST_TYPES."""
    parameter: str
    """Dotted."""
    synthetic: bool = False
    """Whether it arises only where synthetic data are made."""

    def named(self, parameters: Document) -> str | None:
        """Return the account that the parameters name as payer."""
        named = _at(self.parameter, parameters)
        return None if named is None else str(named)


def leaves(configuration: Document | None) -> Leaves:
    """Return the cost types that a payment configuration names."""
    found: dict[str, bool] = {}
    for path in COST_TYPES:
        responsible = _at(f"{path}.isResponsible", configuration)
        if responsible is not None:
            found[path] = bool(responsible)
    return found


def _at(path: str, document: Document | None) -> object:
    """Return what stands at a dotted path; None where there is nothing."""
    node: Any = document
    for name in _names(path):
        node = (node or {}).get(name)
    return node


@cache
def _names(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def configuration(chosen: Leaves) -> dict[str, Any]:
    """Return the payment configuration that names exactly these cost types."""
    built: dict[str, Any] = {}
    for path, responsible in chosen.items():
        *parents, name = path.split(".")
        node = built
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = {"isResponsible": responsible}
    return built


def assigned(members: Sequence[Document], account: str) -> Leaves:
    """Return the cost types that ListMembers shows as assigned to an account."""
    own = (m for m in members if m["accountId"] == account)
    return leaves(next((m.get("paymentConfiguration") for m in own), None))


def acceptable(parameters: Document, members: Sequence[Document], account: str) -> Document:
    """Return the parameters of CreateMembership without payments that nobody assigned (R-17)."""
    roles = assigned(members, account)
    declared = leaves(parameters["paymentConfiguration"])
    chosen = {path: responsible for path, responsible in declared.items() if roles.get(path)}
    kept = {name: value for name, value in parameters.items() if name != "paymentConfiguration"}
    if not chosen:
        return kept
    # The one leaf that the call requires says nothing where it is not assigned.
    return {**kept, "paymentConfiguration": configuration({"queryCompute": False, **chosen})}
