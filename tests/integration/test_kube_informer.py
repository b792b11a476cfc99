"""What is watched, against a real API server."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from cleanrooms_operator.core.resource import GROUP, VERSION, Key, Resource
from cleanrooms_operator.kube.api import Api
from cleanrooms_operator.kube.cache import Cache
from cleanrooms_operator.kube.cluster import CachedCluster
from cleanrooms_operator.kube.handlers import Informer, WatchingError
from cleanrooms_operator.kube.login import from_kubeconfig
from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

KIND = "AWSAccount"


@dataclass
class Ear:
    """A listener that can be waited for."""

    heard: asyncio.Queue[Key] = field(default_factory=asyncio.Queue)

    def changed(self, before: Resource | None, after: Resource | None, *, own: bool) -> None:
        del own
        seen = after or before
        assert seen is not None
        self.heard.put_nowait(seen.key)

    def wrote(self, key: Key, verb: str) -> None:
        raise AssertionError(key, verb)

    async def next(self) -> Key:
        async with asyncio.timeout(60):
            return await self.heard.get()


@dataclass
class Watching:
    """An informer at work, and what it tells."""

    informer: Informer
    ear: Ear


@asynccontextmanager
async def watching(control_plane: ControlPlane, namespace: str) -> AsyncIterator[Watching]:
    """Watch in a namespace. No fixture: at its end kopf cancels what was started after it."""
    login = from_kubeconfig(str(control_plane.kubeconfig), None)
    loop = asyncio.get_running_loop()

    def leave_signals() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    ear = Ear()
    stop = asyncio.Event()
    async with login.session() as session:
        cached = CachedCluster(Api(login.connection.server, session), Cache(), ear)
        informer = Informer(login, cached, (namespace,))
        run = asyncio.create_task(informer.run(stop, leave_signals))
        yield Watching(informer, ear)
        stop.set()
        await run


def create(cluster: Cluster, namespace: str) -> Key:
    """Create an AWSAccount."""
    cluster.create(
        {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "metadata": {"name": "a", "namespace": namespace},
            "spec": {"accountID": "111111111111", "region": "us-east-1"},
        }
    )
    return Key(KIND, namespace, "a")


async def test_a_namespace_that_is_served_later_is_watched_from_then_on(
    control_plane: ControlPlane, served: Cluster, namespace: str
) -> None:
    """One that is created between kopf's list of them and its watch is missed by kopf."""
    later = f"{namespace}-later"
    served.create_namespace(later)
    elsewhere = create(served, later)
    first = create(served, namespace)
    async with watching(control_plane, namespace) as watched:
        assert await watched.ear.next() == first
        assert watched.ear.heard.empty()
        await watched.informer.serve((namespace, later))
        assert await watched.ear.next() == elsewhere
        served.patch(KIND, "a", {"metadata": {"labels": {"b": "c"}}}, namespace=later)
        assert await watched.ear.next() == elsewhere
        served.delete(KIND, "a", namespace=later)
        assert await watched.ear.next() == elsewhere


async def test_a_kind_that_is_not_there_when_watching_begins_is_told(
    control_plane: ControlPlane, served: Cluster, namespace: str
) -> None:
    async with watching(control_plane, namespace) as watched:
        watched.informer.check()
        key = create(served, namespace)
        assert await watched.ear.next() == key
        watched.informer.check()
        found = watched.informer._insights.watched_resources
        found -= {each for each in found if each.plural == "trainedmodels"}
        with pytest.raises(WatchingError, match="when watching began: trainedmodels"):
            watched.informer.check()
