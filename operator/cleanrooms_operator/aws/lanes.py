"""Threads, shared so that an identity that hangs leaves the others theirs."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from cleanrooms_operator.aws.settings import Settings
from cleanrooms_operator.runtime.ports import Identity

T = TypeVar("T")


class Lanes:
    """One lane of a few threads' width for each identity, in one pool."""

    def __init__(self, settings: Settings) -> None:
        self._width = settings.threads_per_identity
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="aws")
        self._lanes: dict[Identity, asyncio.Semaphore] = {}

    async def run(self, identity: Identity, patience: float, work: Callable[[], T]) -> T:
        """Return what `work` returns in a thread.

        Raises TimeoutError where the lane stays full for `patience` seconds. A caller that is
        cancelled leaves the work going on: the thread counts until it is done.
        """
        lane = self._lanes.setdefault(identity, asyncio.Semaphore(self._width))
        async with asyncio.timeout(patience):
            await lane.acquire()
        loop = asyncio.get_running_loop()

        def leave(_: Future[T]) -> None:
            with suppress(RuntimeError):  # the loop has ended before the thread
                loop.call_soon_threadsafe(lane.release)

        running = self._pool.submit(work)
        running.add_done_callback(leave)
        return await asyncio.wrap_future(running)

    def close(self) -> None:
        """Take no more work; what is under way ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)
