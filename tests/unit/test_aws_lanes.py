"""Threads are shared fairly, and counted for as long as they run."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from cleanrooms_operator.aws.lanes import Lanes
from cleanrooms_operator.aws.settings import Settings
from cleanrooms_operator.runtime.ports import Identity

HANGING = Identity("111111111111", "us-east-1")
OTHER = Identity("222222222222", "us-east-1")
LONG = 60.0


@pytest.fixture
async def lanes() -> AsyncIterator[Lanes]:
    lanes = Lanes(Settings(threads=4, threads_per_identity=2))
    yield lanes
    lanes.close()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Open at the end, so that no thread outlives its test."""
    gate = threading.Event()
    yield gate
    gate.set()


async def test_work_gives_back_what_it_returns_and_raises(lanes: Lanes) -> None:
    assert await lanes.run(OTHER, LONG, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await lanes.run(OTHER, LONG, lambda: 1 // 0)


async def test_an_identity_that_hangs_leaves_the_others_their_threads(
    lanes: Lanes, gate: threading.Event
) -> None:
    hanging = [asyncio.create_task(lanes.run(HANGING, LONG, gate.wait)) for _ in range(16)]
    async with asyncio.timeout(LONG / 6):
        for _ in range(8):
            assert await lanes.run(OTHER, LONG, lambda: "done") == "done"
    assert not any(each.done() for each in hanging)
    gate.set()
    assert all(await asyncio.gather(*hanging))


async def test_who_waits_too_long_for_a_thread_is_told(lanes: Lanes, gate: threading.Event) -> None:
    hanging = [asyncio.create_task(lanes.run(HANGING, LONG, gate.wait)) for _ in range(2)]
    await lanes.run(OTHER, LONG, int)
    with pytest.raises(TimeoutError):
        await lanes.run(HANGING, 0.01, int)
    gate.set()
    await asyncio.gather(*hanging)
    assert await lanes.run(HANGING, LONG, int) == 0


async def test_a_caller_that_is_cancelled_still_occupies_its_thread(
    lanes: Lanes, gate: threading.Event
) -> None:
    begun = threading.Barrier(3)

    def hang() -> None:
        begun.wait(LONG)
        gate.wait(LONG)

    hanging = [asyncio.create_task(lanes.run(HANGING, LONG, hang)) for _ in range(2)]
    await asyncio.to_thread(begun.wait, LONG)
    for each in hanging:
        each.cancel()
    await asyncio.wait(hanging)
    with pytest.raises(TimeoutError):
        await lanes.run(HANGING, 0.01, int)
    gate.set()
    assert await lanes.run(HANGING, LONG, int) == 0


async def test_work_that_was_not_begun_is_dropped_with_its_caller(gate: threading.Event) -> None:
    lanes = Lanes(Settings(threads=1, threads_per_identity=2))
    ran = []
    first = asyncio.create_task(lanes.run(HANGING, LONG, gate.wait))
    second = asyncio.create_task(lanes.run(HANGING, LONG, lambda: ran.append("second")))
    await asyncio.to_thread(int)
    second.cancel()
    await asyncio.wait((second,))
    gate.set()
    await first
    await lanes.run(HANGING, LONG, lambda: ran.append("third"))
    assert ran == ["third"]
    lanes.close()
