"""What every status that is ever written must keep (the invariants of kstatus and Flux)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanrooms_operator.core.ownership import NAME, NAMESPACE, RELEASED
from cleanrooms_operator.core.resource import Resource
from cleanrooms_operator.kinds import DEFINITIONS

if TYPE_CHECKING:
    from simulation.world import World

STATUS = {definition.name: definition.status for definition in DEFINITIONS}


def check_status(resource: Resource) -> None:
    """Raise AssertionError where a status lies, contradicts itself or has a wrong shape."""
    status = resource.status
    STATUS[resource.key.kind].model_validate(status)
    conditions = {c["type"]: c for c in status.get("conditions", ())}
    assert len(conditions) == len(status.get("conditions", ())), "a condition comes twice"
    true = {name for name, c in conditions.items() if c["status"] == "True"}
    assert "Ready" in conditions
    assert not {"Reconciling", "Stalled"} <= conditions.keys(), "both Reconciling and Stalled"
    assert {"Reconciling", "Stalled"} & conditions.keys() <= true, "abnormal ones are removed"
    assert status["observedGeneration"] <= resource.generation
    ready = conditions["Ready"]
    if "Ready" in true:
        assert not true & {"Reconciling", "Stalled"}
        generations = {c["observedGeneration"] for c in conditions.values()}
        assert generations == {status["observedGeneration"]}
        assert "Paused" in true or status["observedGeneration"] == resource.generation
        assert "attempt" not in status, "ready while an attempt is open"
    for name in true & {"Reconciling", "Stalled"}:
        assert ready["status"] == "False"
        assert (ready["reason"], ready["message"]) == (
            conditions[name]["reason"],
            conditions[name]["message"],
        )


def check_money(world: World) -> None:
    """Assert that no object was made twice for a resource between two releases (rule R-37).

    Looks at the request log: every create that took effect, by the resource that its tags name.
    """
    alive: dict[tuple[str, str, str], str] = {}
    for record in world.aws.log.since(0):
        if not record.applied:
            continue
        if record.operation.startswith("Create"):
            tags = record.parameters["tags"]
            key = (record.operation, tags[NAMESPACE], tags[NAME])
            assert key not in alive, f"{key} was made twice: {alive[key]} and {record.created}"
            alive[key] = record.created
        elif record.operation == "TagResource" and RELEASED in record.parameters["tags"]:
            arn = record.parameters["resourceArn"]
            alive = {key: made for key, made in alive.items() if made != arn}
