"""Leader election by a Lease, the way client-go does it.

A candidate never compares its clock with another's: it measures how long the Lease stayed as it
is. A leader stops believing in itself, by its own clock, before others may stop believing in it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from cleanrooms_operator.kube.api import CONFLICT, NOT_FOUND, Api, ApiError, Method, Request
from cleanrooms_operator.kube.logs import LOG
from cleanrooms_operator.kube.metrics import Metrics
from cleanrooms_operator.kube.system import pause
from cleanrooms_operator.runtime.ports import Clock

TRIES = 4
"""How many requests that nobody answers fit into the time for a renewal."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Which Lease, who wants it, and the times of the election in seconds."""

    namespace: str
    name: str
    identity: str
    """Of this very process: another with the same would believe to lead too."""
    duration: int = 15
    """How long others wait after they saw the last renewal."""
    deadline: float = 10.0
    """How long a leader believes in itself after its last renewal; shorter than `duration`."""
    renew_interval: float = 5.0
    retry_interval: float = 2.0


class LeaseLostError(Exception):
    """Another process leads, or may."""


class Election:
    """One process's part in the election."""

    def __init__(self, api: Api, terms: Terms, clock: Clock, metrics: Metrics) -> None:
        self._api = api
        self._terms = terms
        self._clock = clock
        self._metrics = metrics
        self._timeout = aiohttp.ClientTimeout(total=terms.deadline / TRIES)
        self._lease: dict[str, Any] = {}
        """As the API server showed it last."""
        self._unchanged_since = -math.inf
        self._held_until = -math.inf
        metrics.cluster.leads(now=False)

    def held(self) -> bool:
        """Whether this process leads for certain. May be asked from any thread."""
        return self._clock.elapsed() < self._held_until

    async def acquire(self) -> None:
        """Wait until this process leads."""
        LOG.info("Stood by for the lease %s", self._terms.name)
        while not await self._is_taken():
            await pause(self._terms.retry_interval)
        self._metrics.cluster.leads(now=True)
        LOG.info("Acquired the lease %s", self._terms.name)

    async def keep(self) -> None:
        """Renew the Lease for as long as that works; raises LeaseLostError at the end."""
        while True:
            await pause(self._terms.renew_interval)
            await self._renew()

    async def release(self) -> None:
        """Let another process lead at once."""
        if not self.held():
            return
        self._give_up()
        try:
            await self._look()  # a renewal that was cut off may have come through
            if self._holder == self._terms.identity:
                await self._put({"holderIdentity": "", "leaseDurationSeconds": 1})
        except ApiError as error:
            LOG.warning("Could not release the lease, others wait until it is over: %s", error)
        else:
            LOG.info("Released the lease %s", self._terms.name)

    # -- one try ---------------------------------------------------------------------------------

    async def _is_taken(self) -> bool:
        try:
            await self._look()
            if not self._is_free():
                return False
            await self._take()
        except ApiError as error:
            if error.status != CONFLICT:  # then another was faster
                LOG.warning("Could not get the lease %s: %s", self._terms.name, error)
            return False
        return True

    async def _look(self) -> None:
        """Read the Lease, and since when it stays as it is."""
        before = self._spec
        try:
            self._lease = await self._send("GET", self._path())
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            self._lease = {}
        if self._spec != before:
            self._unchanged_since = self._clock.elapsed()

    def _is_free(self) -> bool:
        if self._holder in {"", self._terms.identity}:
            return True  # our own name stands there when an answer to us was lost
        patience: float = self._spec.get("leaseDurationSeconds", self._terms.duration)
        return self._clock.elapsed() - self._unchanged_since > patience

    async def _take(self) -> None:
        began = self._clock.elapsed()
        wanted = {
            "holderIdentity": self._terms.identity,
            "leaseDurationSeconds": self._terms.duration,
            "acquireTime": self._now(),
        }
        if self._lease:
            transitions = self._spec.get("leaseTransitions", 0) + 1
            await self._put({**wanted, "leaseTransitions": transitions})
        else:
            await self._create({**wanted, "leaseTransitions": 0})
        self._held_until = began + self._terms.deadline

    async def _renew(self) -> None:
        """Renew, and try again and again while there is time."""
        while True:
            began = self._clock.elapsed()
            if began >= self._held_until:
                self._give_up()
                message = "the lease could not be renewed in time"
                raise LeaseLostError(message)
            try:
                await self._put({"leaseDurationSeconds": self._terms.duration})
            except ApiError as error:
                LOG.warning("Could not renew the lease %s: %s", self._terms.name, error)
                await self._look_again(error, began)
            else:
                self._held_until = began + self._terms.deadline
                return

    async def _look_again(self, error: ApiError, began: float) -> None:
        """After a failed renewal: see whether the Lease is still ours, or wait a little."""
        try:
            if error.status != CONFLICT:
                raise error
            await self._look()
        except ApiError:
            next_try = began + self._terms.retry_interval
            await pause(max(next_try - self._clock.elapsed(), 0))
            return
        if self._holder != self._terms.identity:
            self._give_up()
            message = f"{self._holder or 'nobody'} holds the lease"
            raise LeaseLostError(message)

    def _give_up(self) -> None:
        self._held_until = -math.inf
        self._metrics.cluster.leads(now=False)

    @property
    def _spec(self) -> Mapping[str, Any]:
        return self._lease.get("spec") or {}

    @property
    def _holder(self) -> str:
        return self._spec.get("holderIdentity") or ""

    # -- requests --------------------------------------------------------------------------------

    async def _put(self, changes: Mapping[str, Any]) -> None:
        """Write the Lease if nobody else did since it was read."""
        spec = {**self._spec, "renewTime": self._now(), **changes}
        self._lease = await self._send("PUT", self._path(), {**self._lease, "spec": spec})
        self._metrics.cluster.wrote("Lease", "update")

    async def _create(self, spec: Mapping[str, Any]) -> None:
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._terms.name, "namespace": self._terms.namespace},
            "spec": {**spec, "renewTime": self._now()},
        }
        self._lease = await self._send("POST", self._collection(), body)
        self._metrics.cluster.wrote("Lease", "create")

    async def _send(self, method: Method, path: str, body: object = None) -> dict[str, Any]:
        return await self._api.send(Request(method, path, body=body, timeout=self._timeout))

    def _collection(self) -> str:
        return f"/apis/coordination.k8s.io/v1/namespaces/{self._terms.namespace}/leases"

    def _path(self) -> str:
        return f"{self._collection()}/{self._terms.name}"

    def _now(self) -> str:
        return self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def always() -> bool:
    """Stand in for `held` where there is no election."""
    return True
