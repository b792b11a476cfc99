"""Metrics, with controller-runtime's names where it has the same, so that its dashboards fit."""

import asyncio
import platform
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cleanrooms_operator.core.pace import Urgency
from cleanrooms_operator.core.resource import Resource
from cleanrooms_operator.kinds import DEFINITIONS
from cleanrooms_operator.kube import line_metrics, run_metrics

NAME = "cleanrooms-operator"
"""The value of the label `name`, by which queue and election are told from other operators'."""

_LONG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_WIDE = (0.001, 0.01, 0.1, 1, 10, 100, 1000)


class QueueMetrics:
    """What the queue tells, under the names of client-go's."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("name", "priority")
        self._adds = Counter("workqueue_adds_total", "Keys queued", labels, registry=registry)
        self._retries = Counter(
            "workqueue_retries_total", "Keys queued after a failure", labels, registry=registry
        )
        self._waits = Histogram(
            "workqueue_queue_duration_seconds",
            "How long keys waited for their turn",
            labels,
            registry=registry,
            buckets=_WIDE,
        )
        self._works = Histogram(
            "workqueue_work_duration_seconds",
            "How long turns took",
            labels,
            registry=registry,
            buckets=_WIDE,
        )
        self._depth = Gauge("workqueue_depth", "Keys that wait", labels, registry=registry)
        self._unfinished = Gauge(
            "workqueue_unfinished_work_seconds",
            "Seconds of the turns under way, together",
            ("name",),
            registry=registry,
        )
        self._longest = Gauge(
            "workqueue_longest_running_processor_seconds",
            "Seconds of the longest turn under way",
            ("name",),
            registry=registry,
        )

    def added(self, urgency: Urgency) -> None:
        """Count a key that was not queued before."""
        self._adds.labels(NAME, _priority(urgency)).inc()

    def picked(self, urgency: Urgency, waited: float) -> None:
        """Count a turn, and the seconds that its key was queued."""
        self._waits.labels(NAME, _priority(urgency)).observe(waited)

    def finished(self, urgency: Urgency, worked: float) -> None:
        """Count the end of a turn, and its seconds."""
        self._works.labels(NAME, _priority(urgency)).observe(worked)

    def retried(self, urgency: Urgency) -> None:
        """Count a failure that is tried again."""
        self._retries.labels(NAME, _priority(urgency)).inc()

    def sample(self, depth: Callable[[Urgency], int], turns: list[float]) -> None:
        """Take the depths, and the seconds of the turns under way."""
        for urgency in Urgency:
            self._depth.labels(NAME, _priority(urgency)).set(depth(urgency))
        self._unfinished.labels(NAME).set(sum(turns))
        self._longest.labels(NAME).set(max(turns, default=0.0))


def _priority(urgency: Urgency) -> str:
    return urgency.name.lower()


class PassMetrics:
    """What passes come to, by kind."""

    def __init__(self, registry: CollectorRegistry, workers: int) -> None:
        self.runs = run_metrics.RunMetrics(registry)
        by_kind = ("controller",)
        by_result = ("controller", "result")
        self._ends = Counter(
            "controller_runtime_reconcile_total", "Passes", by_result, registry=registry
        )
        self._errors = Counter(
            "controller_runtime_reconcile_errors_total", "Failed passes", by_kind, registry=registry
        )
        self._stalls = Counter(
            "controller_runtime_terminal_reconcile_errors_total",
            "Passes that only a person or a change in AWS can help",
            by_kind,
            registry=registry,
        )
        self._seconds = Histogram(
            "controller_runtime_reconcile_time_seconds",
            "How long passes took",
            by_kind,
            registry=registry,
            buckets=_LONG,
        )
        self._active = Gauge(
            "controller_runtime_active_workers", "Passes under way", by_kind, registry=registry
        )
        self._drift = Counter(
            "cleanrooms_drift_detected_total",
            "Fields of AWS objects found to differ from their spec",
            ("kind",),
            registry=registry,
        )
        most = Gauge(
            "controller_runtime_max_concurrent_reconciles",
            "How many passes may be under way, of all kinds together",
            by_kind,
            registry=registry,
        )
        for definition in DEFINITIONS:
            most.labels(definition.name.lower()).set(workers)

    def began(self, kind: str) -> None:
        """Count a pass that begins."""
        self._active.labels(kind.lower()).inc()

    def ended(self, kind: str, result: str, seconds: float) -> None:
        """Count its end: success, requeue, requeue_after or error."""
        self._active.labels(kind.lower()).dec()
        self._ends.labels(kind.lower(), result).inc()
        self._seconds.labels(kind.lower()).observe(seconds)
        if result == "error":
            self._errors.labels(kind.lower()).inc()

    def stalled(self, kind: str) -> None:
        """Count a pass that ended in Stalled."""
        self._stalls.labels(kind.lower()).inc()

    def drifted(self, kind: str, leaves: int) -> None:
        """Count what AWS was found to differ in."""
        self._drift.labels(kind).inc(leaves)


class ClusterMetrics:
    """What goes to the API server and what does not come from it."""

    def __init__(self, registry: CollectorRegistry, host: str) -> None:
        self._host = host
        self._requests = Counter(
            "rest_client_requests_total",
            "Requests to the API server; code 0 is no answer",
            ("code", "method", "host"),
            registry=registry,
        )
        self._writes = Counter(
            "cleanrooms_kubernetes_writes_total",
            "Writes that the API server accepted",
            ("kind", "verb"),
            registry=registry,
        )
        self._missed = Counter(
            "cleanrooms_watch_missed_total",
            "What complete lists showed that watches had not",
            ("kind", "what"),
            registry=registry,
        )
        self._leading = Gauge(
            "leader_election_master_status",
            "Whether this replica leads",
            ("name",),
            registry=registry,
        )

    def answered(self, method: str, status: int) -> None:
        """Count a request."""
        self._requests.labels(str(status), method, self._host).inc()

    def wrote(self, kind: str, verb: str) -> None:
        """Count a write."""
        self._writes.labels(kind, verb).inc()

    def missed(self, what: str, by_kind: Tally[str]) -> None:
        """Count what a watch had missed."""
        for kind, number in by_kind.items():
            self._missed.labels(kind, what).inc(number)

    def leads(self, *, now: bool) -> None:
        """Take whether this replica leads now."""
        self._leading.labels(NAME).set(int(now))


class AWSMetrics:
    """What goes to AWS. Told from any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("account", "service", "operation")
        self._requests = Counter(
            "cleanrooms_aws_requests_total",
            "Requests to AWS",
            (*labels, "code"),
            registry=registry,
        )
        self._seconds = Histogram(
            "cleanrooms_aws_request_duration_seconds",
            "How long requests to AWS took",
            ("service", "operation"),
            registry=registry,
            buckets=_LONG,
        )
        self._throttles = Counter(
            "cleanrooms_aws_throttles_total",
            "Requests that AWS throttled",
            labels,
            registry=registry,
        )
        self._waits = Counter(
            "cleanrooms_aws_paced_seconds_total",
            "Seconds that requests waited for their turn",
            labels,
            registry=registry,
        )

    def requested(
        self, account: str, service: str, operation: str, code: str, seconds: float
    ) -> None:
        """Count a request; `code` is "OK" or the error's."""
        self._requests.labels(account, service, operation, code).inc()
        self._seconds.labels(service, operation).observe(seconds)
        if "Throttl" in code or code.startswith("TooManyRequests"):
            self._throttles.labels(account, service, operation).inc()

    def waited(self, account: str, service: str, operation: str, seconds: float) -> None:
        """Count a wait for the rate."""
        self._waits.labels(account, service, operation).inc(seconds)


class ResourceMetrics(Collector):
    """The conditions of the resources, as they are when scraped: nothing is left of what is gone.

    The series of each resource can be turned off; only a condition's present status has one.
    """

    def __init__(self, registry: CollectorRegistry, *, each: bool) -> None:
        self._each = each
        self._resources: tuple[Resource, ...] = ()
        self._now = 0.0
        registry.register(self)

    def sample(self, resources: tuple[Resource, ...], now: float) -> None:
        """Take the resources, and the wall clock's time as seconds since 1970."""
        self._resources, self._now = resources, now

    def collect(self) -> Iterator[Metric]:
        """Yield the families of metrics."""
        total = GaugeMetricFamily("cleanrooms_resources", "Resources", labels=("kind", "ready"))
        counted = Tally((r.key.kind, _status(r, "Ready")) for r in self._resources)
        for labels, number in sorted(counted.items()):
            total.add_metric(labels, number)
        yield total
        yield self._by_condition()
        yield self._attempts()
        yield self._charges()
        yield from line_metrics.families(self._resources, each=self._each)
        if self._each:
            yield self._conditions()
            yield self._deletions()

    def _by_condition(self) -> Metric:
        family = GaugeMetricFamily(
            "cleanrooms_resources_by_condition",
            "Resources that have a condition in this status",
            labels=("kind", "type", "status"),
        )
        told = Tally(
            (resource.key.kind, condition["type"], condition["status"])
            for resource in self._resources
            for condition in resource.status.get("conditions") or ()
        )
        for labels, number in sorted(told.items()):
            family.add_metric(labels, number)
        return family

    def _attempts(self) -> Metric:
        family = GaugeMetricFamily(
            "cleanrooms_open_attempts",
            "Create calls whose outcome is not recorded yet",
            labels=("kind",),
        )
        open_ = Tally(r.key.kind for r in self._resources if r.status.get("attempt") is not None)
        for definition in DEFINITIONS:
            family.add_metric((definition.name,), open_[definition.name])
        return family

    def _charges(self) -> Metric:
        family = GaugeMetricFamily(
            "cleanrooms_charged_runs",
            "Runs of other members that an account pays for, as far as they can be seen",
            labels=("account", "cost_type", "state"),
        )
        counted: Tally[tuple[str, str, str]] = Tally()
        for resource in self._resources:
            for charges in resource.status.get("charges") or ():
                for state in {"pending", "running", "finished"} & charges.keys():
                    labels = (resource.status["accountID"], charges["costType"], state)
                    counted[labels] += charges[state]
        for labels, number in sorted(counted.items()):
            family.add_metric(labels, number)
        return family

    def _conditions(self) -> Metric:
        family = GaugeMetricFamily(
            "cleanrooms_resource_condition",
            "1 for the present status of each condition",
            labels=("kind", "namespace", "name", "type", "status"),
        )
        for resource in self._resources:
            key = resource.key
            for condition in resource.status.get("conditions") or ():
                told = (key.kind, key.namespace, key.name, condition["type"], condition["status"])
                family.add_metric(told, 1)
        return family

    def _deletions(self) -> Metric:
        family = GaugeMetricFamily(
            "cleanrooms_resource_deletion_pending_seconds",
            "How long ago the deletion of a resource that still exists was asked for",
            labels=("kind", "namespace", "name"),
        )
        for resource in self._resources:
            if resource.deleted is not None:
                key, seconds = resource.key, self._now - resource.deleted.timestamp()
                family.add_metric((key.kind, key.namespace, key.name), seconds)
        return family


def _status(resource: Resource, condition: str) -> str:
    found = resource.condition(condition)
    return "Unknown" if found is None else str(found["status"])


@dataclass(frozen=True, slots=True)
class Metrics:
    """All that is counted, in a registry of its own."""

    registry: CollectorRegistry
    queue: QueueMetrics
    passes: PassMetrics
    cluster: ClusterMetrics
    aws: AWSMetrics
    resources: ResourceMetrics
    samplers: list[Callable[[], None]] = field(default_factory=list)
    """Called on the event loop before each scrape."""

    async def scrape(self) -> bytes:
        """Return everything in Prometheus' text format, written down by another thread."""
        for sample in self.samplers:
            sample()
        return await asyncio.to_thread(generate_latest, self.registry)


def new_metrics(host: str, workers: int, *, each_resource: bool = True) -> Metrics:
    """Return metrics that count from zero; `host` is the API server's."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    build = Gauge(
        "cleanrooms_build_info",
        "What is running",
        ("version", "python", "kopf"),
        registry=registry,
    )
    build.labels(version("cleanrooms-operator"), platform.python_version(), version("kopf")).set(1)
    return Metrics(
        registry,
        QueueMetrics(registry),
        PassMetrics(registry, workers),
        ClusterMetrics(registry, host),
        AWSMetrics(registry),
        ResourceMetrics(registry, each=each_resource),
    )
