"""Every version of every resource, as a watch shows it, held against the invariants."""

import asyncio
import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import lightkube
from lightkube.config.kubeconfig import KubeConfig
from lightkube.generic_resource import create_namespaced_resource
from lightkube.types import OnErrorAction, OnErrorResult

from cleanrooms_operator.core.resource import GROUP, VERSION, Key, Resource
from cleanrooms_operator.kinds import DEFINITIONS
from cleanrooms_operator.kube.cache import parse
from simulation.invariants import check_status

T = TypeVar("T")

UNSEEN = {"observedGeneration": -1}
"""The status of a resource that no operator has looked at."""
TOO_MANY = 429
POLL_SECONDS = 0.1
"""How often a condition is asked anew that may depend on more than what is watched."""


class Watch:
    """Watches all resources of our kinds from a thread, for as long as the `with` block lasts."""

    def __init__(self, kubeconfig: Path) -> None:
        self.violations: list[str] = []
        self._config = KubeConfig.from_file(kubeconfig).get()
        self._versions: defaultdict[Key, list[Resource]] = defaultdict(list)
        self._current: dict[Key, Resource] = {}
        self._news = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="watch")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(RuntimeError):  # it has ended by itself, which is told elsewhere
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    # -- what was seen -----------------------------------------------------------------------

    def get(self, key: Key) -> Resource | None:
        """Return a resource as it was seen last, None if it is gone."""
        with self._news:
            return self._current.get(key)

    def current(self, kind: str) -> list[Resource]:
        """Return the resources of a kind that exist."""
        with self._news:
            return [resource for key, resource in self._current.items() if key.kind == kind]

    def versions(self, key: Key) -> list[Resource]:
        """Return all versions of the resources of that name, oldest first."""
        with self._news:
            return list(self._versions[key])

    def wait(self, what: str, condition: Callable[[], T], timeout_seconds: float = 60) -> T:
        """Return the first truthy answer of `condition`, asked at every change that is seen."""
        deadline = time.monotonic() + timeout_seconds
        with self._news:
            while not (answer := condition()):
                assert time.monotonic() < deadline, f"waited {timeout_seconds:g} s for {what}"
                assert self._thread.is_alive(), f"the watch ended: {self.violations}"
                self._news.wait(POLL_SECONDS)
            return answer

    def until(self, key: Key, condition: Callable[[Resource], Any]) -> Resource:
        """Wait for a version of a resource, past or to come, of which `condition` holds."""

        def found() -> Resource | None:
            return next(filter(condition, self._versions[key]), None)

        try:
            resource = self.wait(f"a version of {key}", found)
        except AssertionError as error:
            error.add_note(f"its last status: {getattr(self.get(key), 'status', None)}")
            raise
        assert resource is not None
        return resource

    # -- in the thread -----------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._watch_all())
        except Exception as error:  # noqa: BLE001  told by `violations`, which every test checks
            self.violations.append(repr(error))
        finally:
            self._loop.close()

    async def _watch_all(self) -> None:
        client = lightkube.AsyncClient(config=self._config, trust_env=False)
        stop = asyncio.ensure_future(self._stop.wait())
        watches = [
            asyncio.ensure_future(self._watch_one(client, each.name, each.plural))
            for each in DEFINITIONS
        ]
        done, _ = await asyncio.wait([stop, *watches], return_when=asyncio.FIRST_COMPLETED)
        for task in (stop, *watches):
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        await client.close()
        for task in done:
            task.result()

    async def _watch_one(self, client: lightkube.AsyncClient, kind: str, plural: str) -> None:
        resource_class = create_namespaced_resource(GROUP, VERSION, kind, plural)
        async for event, shown in client.watch(resource_class, namespace="*", on_error=_retry):
            self._take(event, parse(kind, shown.to_dict()))

    def _take(self, event: str, resource: Resource) -> None:
        with self._news:
            before = self._current.get(resource.key)
            if event == "DELETED":
                self._current.pop(resource.key, None)
            else:
                self._current[resource.key] = resource
                self._versions[resource.key].append(resource)
                self._check(before, resource)
            self._news.notify_all()

    def _check(self, before: Resource | None, after: Resource) -> None:
        """Hold a status against the invariants when it is written; edits of a spec write none."""
        if after.status == UNSEEN or (before is not None and before.status == after.status):
            return
        try:
            check_status(before or after, after)
        except Exception as error:  # noqa: BLE001  whatever is wrong with a status is told
            self.violations.append(f"{after.key}: {error!r}: {after.status}")


def _retry(error: Exception, _count: int) -> OnErrorResult:
    """Wait while the API server does not serve a new kind yet."""
    busy = getattr(getattr(error, "response", None), "status_code", None) == TOO_MANY
    return OnErrorResult(OnErrorAction.RETRY if busy else OnErrorAction.RAISE, POLL_SECONDS)
