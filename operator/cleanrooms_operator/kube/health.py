"""The HTTP endpoint: metrics for Prometheus, and answers to the kubelet's probes."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from cleanrooms_operator.kube.logs import LOG
from cleanrooms_operator.kube.metrics import Metrics

Check: TypeAlias = Callable[[], str | None]
"""Says what is wrong, or None. It never asks AWS or the API server."""


class Endpoint:
    """Serves /metrics, /healthz and /readyz."""

    def __init__(
        self, metrics: Metrics, alive: Mapping[str, Check], ready: Mapping[str, Check]
    ) -> None:
        self._metrics = metrics
        self._alive = alive
        self._ready = ready
        app = web.Application()
        app.router.add_get("/metrics", self._scraped)
        app.router.add_get("/healthz", self._probed_alive)
        app.router.add_get("/readyz", self._probed_ready)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)

    async def start(self, address: str) -> str:
        """Serve at `host:port`; return the address with the port that the system chose."""
        host, _, port = address.rpartition(":")
        await self._runner.setup()
        await web.TCPSite(self._runner, host or None, int(port)).start()
        bound = self._runner.addresses[0]
        serving = f"{bound[0]}:{bound[1]}"
        LOG.info("Served metrics and probes at http://%s", serving)
        return serving

    async def stop(self) -> None:
        """Serve no more."""
        await self._runner.cleanup()

    async def _scraped(self, _request: web.Request) -> web.Response:
        body = await self._metrics.scrape()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _probed_alive(self, _request: web.Request) -> web.Response:
        return _answer(self._alive)

    async def _probed_ready(self, _request: web.Request) -> web.Response:
        return _answer(self._ready)


def _answer(checks: Mapping[str, Check]) -> web.Response:
    """Answer as the API server answers its own probes: a line a check."""
    found = {name: check() for name, check in checks.items()}
    lines = [f"[+]{n} ok" if wrong is None else f"[-]{n} {wrong}" for n, wrong in found.items()]
    status = 200 if all(wrong is None for wrong in found.values()) else 503
    return web.Response(text="\n".join([*lines, ""]), status=status)
