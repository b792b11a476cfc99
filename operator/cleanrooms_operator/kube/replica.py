"""One process of the operator, from standing by to its orderly end."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from cleanrooms_operator.kube.api import NOT_FOUND, ApiError
from cleanrooms_operator.kube.cluster import CachedCluster
from cleanrooms_operator.kube.events import Poster
from cleanrooms_operator.kube.handlers import Informer
from cleanrooms_operator.kube.health import Check, Endpoint
from cleanrooms_operator.kube.lease import Election
from cleanrooms_operator.kube.logs import LOG
from cleanrooms_operator.kube.metrics import Metrics
from cleanrooms_operator.kube.queue import WorkQueue
from cleanrooms_operator.kube.schedule import Schedule
from cleanrooms_operator.kube.system import pause
from cleanrooms_operator.kube.workers import PASS_SECONDS, Worker

FILL_RETRY_SECONDS = 2.0
FIRST_AUDIT_SECONDS = 60.0
"""What watches miss, they miss most likely while they begin."""
FLUSH_SECONDS = 2.0
WATCHES_SECONDS = 5.0

WATCHES = "watches"

Namespaces = Callable[[], Awaitable[tuple[str | None, ...]]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a replica is made of."""

    cluster: CachedCluster
    schedule: Schedule
    queue: WorkQueue
    workers: tuple[Worker, ...]
    informer: Informer
    poster: Poster
    metrics: Metrics
    election: Election | None
    namespaces: Namespaces
    """Which namespaces are listed now; None in it is all of them."""
    elapsed: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Rules:
    """How a replica behaves."""

    metrics_address: str
    drain_seconds: float
    audit_interval: float


class Replica:
    """Stands by until it leads, then fills its cache, works, and ends in order."""

    def __init__(self, parts: Parts, rules: Rules) -> None:
        self._parts = parts
        self._rules = rules
        self._stop = asyncio.Event()
        self._stop_watching = asyncio.Event()
        self._phase = "starting"
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> int:
        """Run until a signal, or until something fails; return the process's exit code."""
        self._take_signals()
        endpoint = Endpoint(self._parts.metrics, self._alive(), self._ready())
        await endpoint.start(self._rules.metrics_address)
        try:
            return await self._live()
        finally:
            for name, task in self._tasks.items():
                if name != WATCHES:
                    task.cancel()
            await endpoint.stop()
            self._stop_watching.set()
            await self._wait_for((WATCHES,), WATCHES_SECONDS)

    async def _live(self) -> int:
        self._start("signals", self._stop.wait())
        if not await self._lead():
            return 0
        filled = self._start("fill", self._fill())
        ended = await self._first_end()
        if ended is not filled:
            return await self._end(ended)
        self._tasks.pop("fill").result()
        self._work()
        return await self._end(await self._first_end())

    async def _lead(self) -> bool:
        """Wait until this replica leads; False if it is to stop before."""
        election = self._parts.election
        if election is None:
            return True
        self._phase = "standing by"
        acquired = self._start("election", election.acquire())
        if await self._first_end() is not acquired:
            acquired.cancel()
            await election.release()  # it may have been acquired in this very moment
            return False
        self._tasks.pop("election").result()
        self._start("lease", election.keep())
        return True

    def _work(self) -> None:
        """Start everything that a leader does."""
        parts = self._parts
        parts.schedule.begin()
        for number, worker in enumerate(parts.workers):
            self._start(f"worker {number}", worker.run())
        self._start("events", parts.poster.run())
        self._start("audits", self._audit())
        # Last: at its end, kopf cancels all tasks that were started after it.
        watches = parts.informer.run(self._stop_watching, self._take_signals)
        self._start(WATCHES, watches)
        self._phase = "working"
        LOG.info("Began to work")

    async def _end(self, ended: asyncio.Task[None]) -> int:
        """End in order; a lease that is lost leaves no time for that."""
        stopped = ended is self._tasks["signals"]
        if stopped:
            LOG.info("Stopped on request")
        else:
            LOG.critical("Ended: %s is over", ended.get_name(), exc_info=ended.exception())
        self._phase = "ending"
        self._parts.queue.close()
        if ended is self._tasks.get("lease"):
            return 1
        workers = tuple(name for name in self._tasks if name.startswith("worker"))
        await self._wait_for(workers, self._rules.drain_seconds)
        if "events" in self._tasks:
            flushed = asyncio.create_task(self._parts.poster.flush())
            await asyncio.wait([flushed], timeout=FLUSH_SECONDS)
            flushed.cancel()
        if self._parts.election is not None:
            self._tasks["lease"].cancel()
            await self._parts.election.release()
        return 0 if stopped else 1

    # -- what runs beside passes -----------------------------------------------------------------

    async def _fill(self) -> None:
        """Fill the cache, however long that takes: a pass must not take unseen for absent."""
        self._phase = "filling the cache"
        told = ""
        while True:
            try:
                await self._parts.cluster.audit(await self._parts.namespaces())
            except ApiError as error:
                remedy = ": are the resource definitions applied?"
                now = f"{error}{remedy if error.status == NOT_FOUND else ''}"
                if now != told:
                    LOG.warning("Could not list the resources yet: %s", now)
                told = now
                await pause(FILL_RETRY_SECONDS)
            else:
                return

    async def _audit(self) -> None:
        """Find what watches miss: kopf loses deletions when it has to list anew."""
        await pause(min(FIRST_AUDIT_SECONDS, self._rules.audit_interval))
        while True:
            await self._audit_once()
            await pause(self._rules.audit_interval)

    async def _audit_once(self) -> None:
        self._parts.informer.check()
        try:
            namespaces = await self._parts.namespaces()
            found = await self._parts.cluster.audit(namespaces)
        except ApiError as error:
            LOG.warning("Could not audit the cache: %s", error)
            return
        await self._parts.informer.serve(namespaces)
        cluster = self._parts.metrics.cluster
        cluster.missed("ghost", found.ghosts)
        cluster.missed("unknown", found.unknown)
        cluster.missed("differing", found.differing)
        if not found.is_clean:
            LOG.info("Found what watches had not shown yet: %s", found)

    # -- probes ----------------------------------------------------------------------------------

    def _alive(self) -> dict[str, Check]:
        return {"tasks": self._ended_tasks, "passes": self._overdue_passes}

    def _ready(self) -> dict[str, Check]:
        phases = {"standing by", "working"}
        return {"cache": lambda: None if self._phase in phases else self._phase}

    def _ended_tasks(self) -> str | None:
        ended = [name for name, task in self._tasks.items() if task.done()]
        return f"over: {', '.join(ended)}" if ended and self._phase == "working" else None

    def _overdue_passes(self) -> str | None:
        now = self._parts.elapsed()
        overdue = [
            str(key)
            for key, since in self._parts.queue.running.items()
            if now - since > 2 * PASS_SECONDS
        ]
        return f"do not end: {', '.join(overdue)}" if overdue else None

    # -- tasks -----------------------------------------------------------------------------------

    def _take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)

    def _start(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks[name] = task
        return task

    async def _first_end(self) -> asyncio.Task[None]:
        """Wait until some task ends; a request to stop comes before all others."""
        done, _ = await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        return min(done, key=lambda task: list(self._tasks.values()).index(task))

    async def _wait_for(self, names: tuple[str, ...], seconds: float) -> None:
        """Wait for tasks to end, and end those that take longer."""
        tasks = [self._tasks[name] for name in names if name in self._tasks]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                LOG.warning("Cut off: %s", task.get_name())
                task.cancel()
