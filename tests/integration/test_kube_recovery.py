"""Nothing is forgotten when the API server refuses writes for a while."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from cleanrooms_operator.core.pace import Pace, Urgency
from cleanrooms_operator.core.resource import GROUP, VERSION, Key
from cleanrooms_operator.kube.api import ApiError, Request
from cleanrooms_operator.kube.cache import Cache
from cleanrooms_operator.kube.cluster import CachedCluster
from cleanrooms_operator.kube.events import Poster
from cleanrooms_operator.kube.lease import always
from cleanrooms_operator.kube.login import from_kubeconfig
from cleanrooms_operator.kube.queue import WorkQueue
from cleanrooms_operator.kube.schedule import Schedule
from cleanrooms_operator.kube.system import SystemClock
from cleanrooms_operator.kube.workers import Engine, Surroundings, Worker
from cleanrooms_operator.runtime.outcome import Outcome
from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.control_plane import ControlPlane
from cleanrooms_playground.documents import Document
from kube_world import BreakableApi, Numbers, metrics, seeded, value

PROJECT = Path(__file__).parents[2]
KIND = "AWSAccount"
NAMES = [f"n-{number}" for number in range(8)]


@pytest.fixture
async def api(control_plane: ControlPlane) -> AsyncIterator[BreakableApi]:
    """Connect as the operator would."""
    login = from_kubeconfig(str(control_plane.kubeconfig), None)
    async with login.session() as session:
        yield BreakableApi(login.connection.server, session)


class Operator:
    """The parts of an operator without watches, whose passes note that they looked."""

    def __init__(self, api: BreakableApi) -> None:
        self.metrics, clock, cache = metrics(), SystemClock(), Cache()
        self.queue = WorkQueue(clock.elapsed, seeded(), self.metrics.queue)
        self.schedule = Schedule(self.queue, cache, Pace(), self.metrics, saw=print)
        self.edge = CachedCluster(api, cache, self.schedule)
        self.done = asyncio.Event()
        poster = Poster(api, clock, Numbers(), "me", self.metrics)
        around = Surroundings(self.queue, cache, poster, self.metrics, clock, Numbers(), seeded())
        engine = Engine(self.observe, print, always)
        self.workers = [Worker(engine, around) for _ in range(4)]
        self.observed: set[str] = set()

    async def observe(self, key: Key) -> Outcome:
        resource = await self.edge.read(key)
        assert resource is not None
        await self.edge.write_status(resource, {"observedGeneration": resource.generation})
        self.observed.add(key.name)
        if len(self.observed) == len(NAMES):
            self.done.set()
        return Outcome("InSync", 600.0, Urgency.DRIFT)


def refuse(times: int) -> Callable[[Request], Exception | None]:
    """Fail so many writes, as an API server does that has lost its store."""
    left = itertools.count(times, -1)

    def fails(request: Request) -> Exception | None:
        if request.method == "PATCH" and next(left) > 0:
            return ApiError(500, "InternalError", "")
        return None

    return fails


async def test_writes_that_fail_for_seconds_are_all_made_in_the_end(
    api: BreakableApi, cluster: Cluster, namespace: str
) -> None:
    cluster.apply_files(PROJECT / "crds")
    for name in NAMES:
        cluster.create(an_account(namespace, name))
    operator = Operator(api)
    await operator.edge.audit((namespace,))
    api.fails = refuse(2 * len(NAMES))
    operator.schedule.begin()
    working = [asyncio.create_task(worker.run()) for worker in operator.workers]
    async with asyncio.timeout(60):
        await operator.done.wait()
    operator.queue.close()
    await asyncio.gather(*working)
    failed = "controller_runtime_reconcile_errors_total"
    assert value(operator.metrics, failed, controller="awsaccount") == 2 * len(NAMES)
    written = "cleanrooms_kubernetes_writes_total"
    assert value(operator.metrics, written, kind=KIND, verb="status") == len(NAMES)
    for document in cluster.list(KIND, namespace=namespace):
        assert document["status"]["observedGeneration"] == 1


def an_account(namespace: str, name: str) -> Document:
    """Return an AWSAccount."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"accountID": "111111111111", "region": "us-east-1"},
    }
