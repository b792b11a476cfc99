"""The running server: from settings to a listening address, until a signal comes."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.http.clock import RandomIds, ScaledClock, WallClock
from cleanrooms_emulator.http.control import Control
from cleanrooms_emulator.http.server import SIGNATURE_LIFE_SECONDS, Server
from cleanrooms_emulator.rules import Rules
from cleanrooms_emulator.settings import Settings

_SHUTDOWN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Edge:
    """Where the emulator listens, how its clock runs, and what it asks of who calls.

    The clock shows `start` at first, else the present moment, and is `speed` times as fast.
    """

    host: str
    port: int
    speed: float
    start: datetime | None = None
    signature_life_seconds: float = SIGNATURE_LIFE_SECONDS
    control_token: str | None = None


def application(settings: Settings, edge: Edge) -> web.Application:
    """Return the emulator as a web application.

    Raises UnknownRuleError (a ValueError) for a rule that there is not.
    """
    wall = WallClock()
    clock = ScaledClock(wall, edge.speed, edge.start)
    emulator = Emulator(clock, Rules.parse(settings.readings), RandomIds(), wall=wall)
    settings.apply(emulator)
    control = Control(emulator, clock, edge.control_token)
    return Server(emulator, control, edge.signature_life_seconds).application()


async def run(served: web.Application, edge: Edge, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `announce` is told the URL once it is listened on.

    Raises OSError where the address cannot be listened on.
    """
    stopped = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stopped.set)
    runner = web.AppRunner(served, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, edge.host, edge.port).start()
        announce(_url(edge.host, runner.addresses[0][1]))
        await stopped.wait()
    finally:
        await runner.cleanup()


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
