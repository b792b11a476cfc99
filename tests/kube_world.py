"""What tests of the Kubernetes edge share: documents, a clock, an API server to break."""

import asyncio
import itertools
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from cleanrooms_operator.core.resource import FINALIZER, GROUP, VERSION, Resource
from cleanrooms_operator.kube.api import Api, Request
from cleanrooms_operator.kube.cache import parse
from cleanrooms_operator.kube.metrics import Metrics, new_metrics

START = datetime(2026, 1, 1, tzinfo=UTC)
NUMBERS = itertools.count(1)


def seeded(seed: int = 7) -> random.Random:
    """Return chance that is the same in each run."""
    return random.Random(seed)  # noqa: S311  chance for a schedule, not for secrets


def metrics() -> Metrics:
    """Return metrics that count from zero."""
    return new_metrics("host", 4)


def value(counted: Metrics, series: str, /, **labels: str) -> float:
    """Return the value of one series, 0 when there is none."""
    return counted.registry.get_sample_value(series, labels) or 0.0


class LoopClock:
    """The loop's time, which a test may push forward for this clock alone."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.ahead = ahead

    def elapsed(self) -> float:
        """Return the loop's seconds, and those that were added."""
        return asyncio.get_running_loop().time() + self.ahead

    def now(self) -> datetime:
        """Return a wall clock that runs with them."""
        return START + timedelta(seconds=self.elapsed())


class Numbers:
    """Ids that count."""

    def attempt(self) -> str:
        """Return the next number, in 32 digits."""
        return f"{next(NUMBERS):032x}"


class MemoryApi(Api):
    """An API server of a function: what it returns is the answer, what it raises the failure."""

    def __init__(self, answer: Callable[[Request], dict[str, Any]]) -> None:
        self.answer = answer
        self.requests: list[Request] = []

    async def send(self, request: Request) -> dict[str, Any]:
        """Answer after a moment, in which others may run."""
        self.requests.append(request)
        await asyncio.sleep(0)  # noqa: TID251  as a network would
        return self.answer(request)


class BreakableApi(Api):
    """A real API server, whose answers a test may replace by failures."""

    def __init__(self, server: str, session: aiohttp.ClientSession) -> None:
        super().__init__(server, session)
        self.fails: Callable[[Request], Exception | None] = lambda _request: None
        self.after: Callable[[Request], None] = lambda _request: None
        self.requests: list[Request] = []

    async def send(self, request: Request) -> dict[str, Any]:
        """Fail as told before the request is sent, or go on after its answer as told."""
        self.requests.append(request)
        failure = self.fails(request)
        if failure is not None:
            raise failure
        answer = await super().send(request)
        self.after(request)
        return answer


def a_document(kind: str, name: str, *, version: int = 1, **over: Any) -> dict[str, Any]:
    """Return a resource as the API server writes it; metadata given as keywords goes there."""
    document = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": kind,
        "metadata": {
            "namespace": over.pop("namespace", "ns"),
            "name": name,
            "uid": over.pop("uid", f"uid-of-{name}"),
            "resourceVersion": str(version),
            "generation": over.pop("generation", 1),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "finalizers": over.pop("finalizers", [FINALIZER]),
            "annotations": over.pop("annotations", {}),
        },
        "spec": over.pop("spec", {}),
        "status": over.pop("status", {}),
    }
    document["metadata"].update(over)
    return document


def a_resource(kind: str, name: str, *, version: int = 1, **over: Any) -> Resource:
    """Return a resource as the cache holds it."""
    return parse(kind, a_document(kind, name, version=version, **over))


def ready_status(generation: int = 1) -> dict[str, Any]:
    """Return the status of a resource that is well."""
    return {
        "observedGeneration": generation,
        "conditions": [{"type": "Ready", "status": "True", "observedGeneration": generation}],
    }
