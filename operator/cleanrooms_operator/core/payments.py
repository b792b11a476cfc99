"""Payment configurations as flat leaves: who is responsible for which cost."""

from collections.abc import Mapping
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


def leaves(configuration: Document | None) -> Leaves:
    """Return the cost types that a payment configuration names."""
    found: dict[str, bool] = {}
    for path in COST_TYPES:
        node: Any = configuration or {}
        for name in path.split("."):
            node = (node or {}).get(name)
        if node is not None:
            found[path] = bool(node["isResponsible"])
    return found


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
