"""How long runs took is counted once, when a pass finds that they have ended."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.kube.run_metrics import RunMetrics

RUNNING = {"arn": "arn:of-a-job", "startTime": "2026-11-01T10:00:00Z"}
ENDED = {**RUNNING, "completionTime": "2026-11-01T11:30:00Z"}


def job(status: dict[str, Any], *conditions: tuple[str, str]) -> Resource:
    """Return a job with conditions, (type, reason), that are true."""
    told = [{"type": type_, "status": "True", "reason": reason} for type_, reason in conditions]
    key, began = Key("InferenceJob", "b", "score"), datetime(2026, 11, 1, tzinfo=UTC)
    return Resource(key, "uid", "1", 1, began, {}, {**status, "conditions": told})


def counted(before: Resource | None, after: Resource | None, result: str) -> tuple[Any, Any]:
    """Return (how many, seconds of all) with that result."""
    registry = CollectorRegistry()
    RunMetrics(registry).passed(before, after)
    name, labels = "cleanrooms_job_duration_seconds", {"kind": "InferenceJob", "result": result}
    return (
        registry.get_sample_value(f"{name}_count", labels),
        registry.get_sample_value(f"{name}_sum", labels),
    )


@pytest.mark.parametrize(
    ("condition", "result"),
    [
        (("Ready", "Succeeded"), "succeeded"),
        (("Failed", "InferenceFailed"), "failed"),
        (("Failed", "Cancelled"), "cancelled"),
    ],
)
def test_it_is_counted_by_how_it_ended(condition: tuple[str, str], result: str) -> None:
    assert counted(job(RUNNING), job(ENDED, condition), result) == (1, 5400)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(job(RUNNING), job(RUNNING), id="it runs on"),
        pytest.param(job(ENDED), job(ENDED, ("Ready", "Succeeded")), id="it was counted before"),
        pytest.param(job({}), job(ENDED, ("Ready", "Succeeded")), id="it was bound at a restore"),
        pytest.param(None, job(ENDED, ("Ready", "Succeeded")), id="nobody knows what was before"),
        pytest.param(job(RUNNING), None, id="the resource is gone"),
        pytest.param(
            job(RUNNING),
            replace(job(ENDED), status={"completionTime": ENDED["completionTime"]}),
            id="nobody knows when it began",
        ),
    ],
)
def test_it_is_not_counted(before: Resource | None, after: Resource | None) -> None:
    results = ("succeeded", "failed", "cancelled")
    assert {counted(before, after, result) for result in results} == {(None, None)}
