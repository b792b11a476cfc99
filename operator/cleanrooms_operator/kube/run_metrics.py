"""Metrics of the runs that have ended."""

from datetime import datetime

from prometheus_client import CollectorRegistry, Histogram

from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Resource

_MINUTES = (1, 5, 10, 20, 30, 60, 120, 240, 480, 1440, 2880)


class RunMetrics:
    """How long runs took, by AWS's clock, and how they ended."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "cleanrooms_job_duration_seconds",
            "How long runs took from their creation to their end, by AWS's clock",
            ("kind", "result"),
            registry=registry,
            buckets=tuple(60 * minutes for minutes in _MINUTES),
        )

    def passed(self, before: Resource | None, after: Resource | None) -> None:
        """Count a run that a pass found ended: succeeded, failed or cancelled.

        One that had ended before it was bound, as after a restore, was counted in its time.
        """
        if before is None or after is None or "arn" not in before.status:
            return
        begun, ended = after.status.get("startTime"), after.status.get("completionTime")
        if begun is None or ended is None or "completionTime" in before.status:
            return
        took = datetime.fromisoformat(ended) - datetime.fromisoformat(begun)
        self._seconds.labels(after.key.kind, _result(after)).observe(took.total_seconds())


def _result(resource: Resource) -> str:
    failed = resource.condition("Failed")
    if failed is None or failed["status"] != "True":
        return "succeeded"
    return "cancelled" if failed["reason"] == Reason.CANCELLED.value else "failed"
