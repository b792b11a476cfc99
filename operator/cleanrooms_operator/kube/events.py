"""Kubernetes events: what passes tell people, posted beside them and never at their expense."""

import asyncio
from collections.abc import Mapping
from typing import Any

from cleanrooms_operator.core.resource import GROUP, VERSION, Resource
from cleanrooms_operator.kube.api import Api, ApiError, Request
from cleanrooms_operator.kube.logs import LOG
from cleanrooms_operator.kube.metrics import Metrics
from cleanrooms_operator.runtime.outcome import Event
from cleanrooms_operator.runtime.ports import Clock, Ids

CONTROLLER = f"{GROUP}/operator"
REPEAT_SECONDS = 600.0
"""How long the same is not told again of the same resource."""
WAITING = 1000
"""How many events may wait to be posted; more are dropped: all they say is in the status too."""
LONGEST_NOTE = 1024
LONGEST_INSTANCE = 128
LONGEST_NAME = 230
"""Of the resource in an event's name, which ends with an id."""

_Told = tuple[str, str, str]


class Poster:
    """Posts events one after another."""

    def __init__(self, api: Api, clock: Clock, ids: Ids, instance: str, metrics: Metrics) -> None:
        self._api = api
        self._instance = instance[-LONGEST_INSTANCE:]
        self._clock = clock
        self._ids = ids
        self._metrics = metrics
        self._waiting: asyncio.Queue[tuple[str, Mapping[str, Any]]] = asyncio.Queue(WAITING)
        self._told: dict[_Told, float] = {}

    def post(self, resource: Resource, event: Event) -> None:
        """Let an event be posted soon, unless it was told a short while ago."""
        note = event.message[:LONGEST_NOTE]
        told, now = (resource.uid, event.reason, note), self._clock.elapsed()
        if now - self._told.get(told, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return
        self._told.pop(told, None)  # what was told last stands last
        self._told[told] = now
        try:
            self._waiting.put_nowait((resource.key.namespace, self._body(resource, event, note)))
        except asyncio.QueueFull:
            LOG.warning("Dropped an event, too many wait: %s %s", event.reason, resource.key)

    async def run(self) -> None:
        """Post what waits, for ever."""
        while True:
            namespace, body = await self._waiting.get()
            await self._send(namespace, body)
            self._forget_old()
            self._waiting.task_done()

    async def flush(self) -> None:
        """Wait until nothing waits any more."""
        await self._waiting.join()

    async def _send(self, namespace: str, body: Mapping[str, Any]) -> None:
        path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
        try:
            await self._api.send(Request("POST", path, body=body))
        except ApiError as error:
            # A namespace that is being deleted takes no events; no pass depends on one.
            LOG.warning("Could not post an event: %s", error)
        else:
            self._metrics.cluster.wrote("Event", "create")

    def _forget_old(self) -> None:
        oldest = self._clock.elapsed() - REPEAT_SECONDS
        while self._told:
            told, moment = next(iter(self._told.items()))
            if moment > oldest:
                return
            del self._told[told]

    def _body(self, resource: Resource, event: Event, note: str) -> Mapping[str, Any]:
        key = resource.key
        beginning = key.name[:LONGEST_NAME].rstrip("-.")
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {
                "namespace": key.namespace,
                "name": f"{beginning}.{self._ids.attempt()[:16]}",
            },
            "eventTime": self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance,
            "action": "Reconcile",
            "type": event.type,
            "reason": event.reason,
            "note": note,
            "regarding": {
                "apiVersion": f"{GROUP}/{VERSION}",
                "kind": key.kind,
                "namespace": key.namespace,
                "name": key.name,
                "uid": resource.uid,
                "resourceVersion": resource.version,
            },
        }
