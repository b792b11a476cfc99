"""kopf, used as an informer: it watches, and hands every event on. Nothing else of it is used.

Its other handlers keep their progress in annotations and lose it with a failed write; finalizers,
retries and status are this package's own.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, cast

import kopf
from kopf._cogs.structs.references import Insights, Namespace

from cleanrooms_operator.core.kind import Definition
from cleanrooms_operator.core.resource import GROUP, VERSION
from cleanrooms_operator.kinds import DEFINITIONS
from cleanrooms_operator.kube.cache import parse
from cleanrooms_operator.kube.cluster import CachedCluster
from cleanrooms_operator.kube.login import Login

PAGE_SIZE = 500

IDENTITY = "cleanrooms-operator"
"""What kopf calls itself among its peers, of which it has none. By itself it would ask for the name
of the user, and a pod's user may have none."""


class WatchingError(Exception):
    """kopf does not watch, or not everything, and will not by itself."""


class Patience:
    """Delays between the tries of a request, without end: an outage is waited out."""

    def __iter__(self) -> Iterator[float]:
        """Yield seconds."""
        yield from (1, 1, 2, 3, 5, 8, 13)
        while True:
            yield 20


class NoMemory(kopf.DiffBaseStorage):
    """Remembers nothing of a resource: kopf would copy each one at each event for its diffs."""

    def build(self, *, body: kopf.Body, extra_fields: object = None) -> kopf.BodyEssence:
        """Return nothing."""
        del body, extra_fields
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> None:
        """Return that nothing is known."""
        del body

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Do nothing."""


class Informer:
    """Watches the resources of all kinds and tells the cluster's cache of them."""

    def __init__(self, login: Login, cluster: CachedCluster, namespaces: Iterable[str]) -> None:
        self._login = login
        self._cluster = cluster
        self._namespaces = tuple(namespaces)
        self._insights = Insights()
        self._registry = kopf.OperatorRegistry()
        kopf.on.login(registry=self._registry)(self._log_in)
        for definition in DEFINITIONS:
            watch = kopf.on.event(GROUP, VERSION, definition.plural, registry=self._registry)
            watch(partial(self._hear, definition))

    async def run(self, stop: asyncio.Event, take_signals: Callable[[], None]) -> None:
        """Watch until `stop` is set; a watch that cannot go on raises.

        kopf takes the process's signals for itself; `take_signals` is called to have them back.
        """
        mine = asyncio.all_tasks()
        tasks = await kopf.spawn_tasks(
            registry=self._registry,
            settings=self._settings(),
            identity=IDENTITY,  # type: ignore[arg-type]  # kopf keeps the type to itself
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            insights=self._insights,
            stop_flag=stop,
        )
        take_signals()
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            # kopf would now wait, for ever, for watches that wait for a session that it closed.
            raise WatchingError from done.pop().exception()
        await kopf.run_tasks(tasks, ignored=mine)

    async def serve(self, namespaces: Collection[str | None]) -> None:
        """Watch in these namespaces too, if that is not done yet.

        kopf never serves one that is created after it has listed them and before it watches them.
        """
        insights = self._insights
        if insights.namespaces.issuperset(namespaces):
            return
        async with insights.revised:
            insights.namespaces.update(cast("Collection[Namespace]", namespaces))
            insights.revised.notify_all()

    def check(self) -> None:
        """Raise `WatchingError` where a kind is never watched.

        kopf looks once which resources there are, and serves no other ones.
        """
        if not self._insights.ready_resources.is_set():
            return
        served = {resource.plural for resource in self._insights.watched_resources}
        if missed := {definition.plural for definition in DEFINITIONS} - served:
            message = f"not there when watching began: {', '.join(sorted(missed))}"
            raise WatchingError(message)

    def _settings(self) -> kopf.OperatorSettings:
        settings = kopf.OperatorSettings()
        settings.process.ultimate_exiting_timeout = None
        settings.peering.standalone = True
        settings.posting.enabled = False
        # Patterns of namespaces need a watch of the namespaces.
        settings.scanning.disabled = not any(map(is_pattern, self._namespaces))
        settings.queueing.idle_timeout = 0.1
        settings.queueing.exit_timeout = 1.0
        settings.queueing.error_delays = (1, 2, 5, 10, 30)
        settings.watching.chunk_size = PAGE_SIZE
        settings.networking.request_timeout = 30
        settings.networking.connect_timeout = 10
        settings.networking.error_backoffs = Patience()
        # kopf takes its own finalizer off whatever has it: that must never be ours.
        settings.persistence.finalizer = f"{GROUP}/unused-by-kopf"
        settings.persistence.diffbase_storage = NoMemory()
        return settings

    async def _log_in(self, **_: Any) -> kopf.AiohttpSession:  # noqa: ANN401  kopf's keywords
        return kopf.AiohttpSession(
            server=self._login.connection.server,
            aiohttp_session=self._login.session(connections=0),
            default_namespace=self._login.namespace,
        )

    async def _hear(
        self,
        definition: Definition,
        *,
        event: Mapping[str, Any],
        **_: Any,  # noqa: ANN401  kopf's keywords
    ) -> None:
        resource = parse(definition.name, event["object"])
        if event["type"] == "DELETED":
            self._cluster.saw_deleted(resource)
        else:
            self._cluster.saw(resource)


def is_pattern(namespace: str) -> bool:
    """Whether the name of a namespace stands for several."""
    return "*" in namespace or "?" in namespace
