"""What people see of the metrics: a page, a dashboard, and alerts, each with its runbook."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.core import Metric

from cleanrooms_operator.core.resource import GROUP
from cleanrooms_operator.kube.metrics import NAME, new_metrics

Document = dict[str, Any]

FOLDER = Path("deploy/monitoring")
RUNBOOKS = Path("docs/runbooks")

OURS = ("cleanrooms_", "controller_runtime_", "workqueue_", "rest_client_", "leader_election_")


@dataclass(frozen=True, slots=True)
class Alert:
    """What should make somebody look, and after how long."""

    name: str
    expression: str
    minutes: int
    severity: str
    summary: str
    description: str

    @property
    def runbook(self) -> str:
        """The name of its runbook page: `NoLeader` is `no-leader`."""
        letters = (f"-{c.lower()}" if c.isupper() else c for c in self.name)
        return "".join(letters).removeprefix("-").replace("a-w-s-", "aws-")


ALERTS = (
    Alert(
        "NoLeader",
        f'max(leader_election_master_status{{name="{NAME}"}}) < 1 '
        f'or absent(leader_election_master_status{{name="{NAME}"}})',
        5,
        "critical",
        "No replica of cleanrooms-operator leads",
        "Nothing is reconciled: neither created, nor deleted, nor told.",
    ),
    Alert(
        "ReconcileErrors",
        "sum by (controller) (rate(controller_runtime_reconcile_errors_total[10m])) > 0.05",
        15,
        "warning",
        "Passes over {{ $labels.controller }} fail",
        "Passes end in errors again and again. The log has each with its resource.",
    ),
    Alert(
        "ResourceStalled",
        "max by (kind, namespace, name) "
        '(cleanrooms_resource_condition{type="Stalled",status="True"}) == 1',
        10,
        "warning",
        "{{ $labels.kind }} {{ $labels.namespace }}/{{ $labels.name }} is stalled",
        "Only a person or a change in AWS can help. Its conditions say what is wrong.",
    ),
    Alert(
        "DeletionStuck",
        "max by (kind, namespace, name) (cleanrooms_resource_deletion_pending_seconds) > 3600",
        5,
        "warning",
        "{{ $labels.kind }} {{ $labels.namespace }}/{{ $labels.name }} is not deleted",
        "Its deletion was asked for more than an hour ago. What it has in AWS may cost money.",
    ),
    Alert(
        "AttemptOpen",
        "max by (kind) (cleanrooms_open_attempts) > 0",
        30,
        "warning",
        "A create call for a {{ $labels.kind }} has had no outcome for long",
        "AWS throttles it, its quota is full, or its answer was lost and it is still looked for.",
    ),
    Alert(
        "AWSAccessDenied",
        "sum by (account, service, operation) "
        '(rate(cleanrooms_aws_requests_total{code=~"AccessDenied.*"}[15m])) > 0',
        30,
        "warning",
        "Account {{ $labels.account }} denies {{ $labels.operation }}",
        "The role of the AWSAccount may not do what its resources need.",
    ),
    Alert(
        "AWSThrottled",
        "sum by (account, operation) (rate(cleanrooms_aws_throttles_total[10m])) > 0.2",
        30,
        "warning",
        "AWS throttles {{ $labels.operation }} in account {{ $labels.account }}",
        "Others use up the request quota, or it is lower than the operator's setting `rates` says.",
    ),
    Alert(
        "QueueSlow",
        "histogram_quantile(0.99, sum by (le) (rate("
        f'workqueue_queue_duration_seconds_bucket{{name="{NAME}",priority="change"}}[10m]))) > 60',
        15,
        "warning",
        "Changes wait for more than a minute for their turn",
        "There are too few workers, or passes take too long.",
    ),
)


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture of the dashboard."""

    title: str
    expression: str
    legend: str
    unit: str = "short"


PANELS = (
    Panel(
        "Leading replicas",
        f'sum(leader_election_master_status{{name="{NAME}"}})',
        "leaders",
    ),
    Panel("Resources", "sum by (kind, ready) (cleanrooms_resources)", "{{kind}} ready={{ready}}"),
    Panel(
        "Resources by condition",
        "sum by (type, status) (cleanrooms_resources_by_condition)",
        "{{type}}={{status}}",
    ),
    Panel(
        "Runs that wait for a quota",
        "sum by (kind, account, quota) (cleanrooms_queued_for_quota)",
        "{{kind}} {{account}} {{quota}}",
    ),
    Panel(
        "Duration of runs, median",
        "histogram_quantile(0.5, sum by (le, kind, result) "
        "(rate(cleanrooms_job_duration_seconds_bucket[7d])))",
        "{{kind}} {{result}}",
        "s",
    ),
    Panel("Open attempts", "sum by (kind) (cleanrooms_open_attempts)", "{{kind}}"),
    Panel(
        "Runs of others at our expense",
        'sum by (account, cost_type, state) (cleanrooms_charged_runs{state!="finished"})',
        "{{account}} {{cost_type}} {{state}}",
    ),
    Panel(
        "Passes",
        "sum by (controller, result) (rate(controller_runtime_reconcile_total[5m]))",
        "{{controller}} {{result}}",
        "ops",
    ),
    Panel(
        "Duration of passes, 99 %",
        "histogram_quantile(0.99, sum by (le, controller) "
        "(rate(controller_runtime_reconcile_time_seconds_bucket[5m])))",
        "{{controller}}",
        "s",
    ),
    Panel("Queue", "sum by (priority) (workqueue_depth)", "{{priority}}"),
    Panel(
        "Wait in the queue, 99 %",
        "histogram_quantile(0.99, sum by (le, priority) "
        "(rate(workqueue_queue_duration_seconds_bucket[5m])))",
        "{{priority}}",
        "s",
    ),
    Panel(
        "Requests to AWS",
        "sum by (account, operation) (rate(cleanrooms_aws_requests_total[5m]))",
        "{{account}} {{operation}}",
        "reqps",
    ),
    Panel(
        "Errors of AWS",
        'sum by (account, operation, code) (rate(cleanrooms_aws_requests_total{code!="OK"}[5m]))',
        "{{account}} {{operation}} {{code}}",
        "reqps",
    ),
    Panel(
        "Duration of requests to AWS, 99 %",
        "histogram_quantile(0.99, sum by (le, operation) "
        "(rate(cleanrooms_aws_request_duration_seconds_bucket[5m])))",
        "{{operation}}",
        "s",
    ),
    Panel(
        "Throttled by AWS",
        "sum by (account, operation) (rate(cleanrooms_aws_throttles_total[5m]))",
        "{{account}} {{operation}}",
        "reqps",
    ),
    Panel(
        "Waiting for the request rate",
        "sum by (account, operation) (rate(cleanrooms_aws_paced_seconds_total[5m]))",
        "{{account}} {{operation}}",
        "s",
    ),
    Panel(
        "Drift found",
        "sum by (kind) (increase(cleanrooms_drift_detected_total[1h]))",
        "{{kind}}",
    ),
    Panel(
        "Writes to Kubernetes",
        "sum by (kind, verb) (rate(cleanrooms_kubernetes_writes_total[5m]))",
        "{{kind}} {{verb}}",
        "ops",
    ),
)


# -- files ---------------------------------------------------------------------------------------


def rules() -> Document:
    """Return the alerts as a file of rules that Prometheus loads."""
    return {"groups": [{"name": NAME, "rules": [_rule(alert) for alert in ALERTS]}]}


def _rule(alert: Alert) -> Document:
    return {
        "alert": f"CleanRooms{alert.name}",
        "expr": alert.expression,
        "for": f"{alert.minutes}m",
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": f"https://{GROUP}/runbooks/{alert.runbook}",
        },
    }


def operators_rules() -> Document:
    """Return the alerts as the Prometheus operator takes them."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": NAME},
        "spec": rules(),
    }


WIDTH, HEIGHT, COLUMNS = 12, 8, 2


def dashboard() -> str:
    """Return the dashboard as Grafana imports it."""
    source = {"name": "datasource", "type": "datasource", "query": "prometheus"}
    document = {
        "title": NAME,
        "uid": NAME,
        "schemaVersion": 39,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [source]},
        "panels": [_panel(number, panel) for number, panel in enumerate(PANELS)],
    }
    return json.dumps(document, indent=2) + "\n"


def _panel(number: int, panel: Panel) -> Document:
    source = {"type": "prometheus", "uid": "${datasource}"}
    row, column = divmod(number, COLUMNS)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": source,
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": "A",
                "datasource": source,
                "expr": panel.expression,
                "legendFormat": panel.legend,
            }
        ],
    }


# -- the page ------------------------------------------------------------------------------------

_PAGE = """# Metrics and alerts

The operator serves its metrics at `/metrics`, on the port of its probes. Those of the loop have
the names of controller-runtime and client-go, so that dashboards and habits fit.
`deploy/monitoring` has a dashboard for Grafana and the alerts, as rules for Prometheus and as a
PrometheusRule; a test looks up each metric and label that they name.

## Metrics

Besides these, the usual ones of the process and of Python's garbage collector.

| metric | type | labels | what |
|---|---|---|---|
"""

_ALERTS = """
`cleanrooms_resource_…` have one series a resource; the setting `metrics_per_resource` turns them
off, and with them the alerts that name a resource.

## Alerts

| alert | severity | after | what |
|---|---|---|---|
"""


def page() -> str:
    """Return the page that tells of metrics and alerts."""
    told = "".join(
        f"| `{family.name}{_suffix(family)}` | {family.type} | {_listed(labels)} | "
        f"{family.documentation} |\n"
        for family, labels in families()
    )
    alerts = "".join(
        f"| [CleanRooms{a.name}](runbooks/{a.runbook}.md) | {a.severity} | {a.minutes} min | "
        f"{a.description} |\n"
        for a in ALERTS
    )
    return f"{_PAGE}{told}{_ALERTS}{alerts}"


def families() -> Iterator[tuple[Metric, tuple[str, ...]]]:
    """Yield the operator's own metrics, by name, each with its labels."""
    registry = new_metrics("host", 1).registry
    named = {
        name: collector._labelnames  # noqa: SLF001  the library tells labels nowhere else
        for collector, names in registry._collector_to_names.items()  # noqa: SLF001  ditto
        if hasattr(collector, "_labelnames")
        for name in names
    }
    for family in sorted(registry.collect(), key=lambda family: family.name):
        if family.name.startswith(OURS):
            own = getattr(family, "_labelnames", ())
            yield family, tuple(named.get(family.name, own))


def _suffix(family: Metric) -> str:
    return "_total" if family.type == "counter" else ""


def _listed(labels: tuple[str, ...]) -> str:
    return ", ".join(f"`{label}`" for label in labels) or "none"
