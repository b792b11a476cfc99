"""The work queue, in virtual time."""

import asyncio
import itertools
import random

import pytest

from cleanrooms_operator.core.pace import Urgency
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.kube.queue import FAIR_TURN, Backoff, WorkQueue

CHANGE, PROGRESS, DRIFT = Urgency.CHANGE, Urgency.PROGRESS, Urgency.DRIFT

pytestmark = pytest.mark.looptime


class Tally:
    """A monitor that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def added(self, urgency: Urgency) -> None:
        self.told.append(("added", urgency))

    def picked(self, urgency: Urgency, waited: float) -> None:
        self.told.append(("picked", urgency, waited))

    def finished(self, urgency: Urgency, worked: float) -> None:
        self.told.append(("finished", urgency, worked))

    def retried(self, urgency: Urgency) -> None:
        self.told.append(("retried", urgency))


def loop_time() -> float:
    return asyncio.get_running_loop().time()


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  chance for a schedule, not for secrets


def a_queue(tally: Tally | None = None, backoff: Backoff | None = None) -> WorkQueue:
    return WorkQueue(loop_time, seeded(7), tally or Tally(), backoff)


def a_key(name: str) -> Key:
    return Key("Collaboration", "ns", name)


A, B, C = a_key("a"), a_key("b"), a_key("c")


async def take(queue: WorkQueue) -> tuple[Key, Urgency]:
    async with asyncio.timeout(10_000):
        turn = await queue.get()
    assert turn is not None
    return turn.key, turn.urgency


async def is_idle(queue: WorkQueue, seconds: float) -> bool:
    """Tell whether nobody gets a turn for that long."""
    try:
        async with asyncio.timeout(seconds):
            await queue.get()
    except TimeoutError:
        return True
    return False


async def test_a_key_that_is_added_twice_gets_one_turn() -> None:
    queue = a_queue()
    queue.add(A, CHANGE)
    queue.add(A, CHANGE)
    assert await take(queue) == (A, CHANGE)
    queue.done(A)
    assert await is_idle(queue, 1000)


async def test_a_key_that_is_added_during_its_turn_gets_one_more_after_it() -> None:
    queue = a_queue()
    queue.add(A, DRIFT)
    await take(queue)
    queue.add(A, PROGRESS)
    queue.add(A, CHANGE)
    queue.add(A, DRIFT)
    assert await is_idle(queue, 1000)
    queue.done(A)
    assert await take(queue) == (A, CHANGE)
    queue.done(A)
    assert await is_idle(queue, 1000)


async def test_turns_are_given_by_urgency_and_then_in_order() -> None:
    queue = a_queue()
    for key, urgency in ((A, DRIFT), (B, PROGRESS), (C, CHANGE), (a_key("d"), CHANGE)):
        queue.add(key, urgency)
    order = [(await take(queue))[0].name for _ in range(4)]
    assert order == ["c", "d", "b", "a"]


async def test_an_urgency_rises_and_never_falls() -> None:
    queue = a_queue()
    queue.add(A, DRIFT)
    queue.add(B, PROGRESS)
    queue.add(A, CHANGE)
    queue.add(A, DRIFT)
    assert [await take(queue), await take(queue)] == [(A, CHANGE), (B, PROGRESS)]
    queue.done(A)
    queue.done(B)
    assert await is_idle(queue, 1000)


async def test_nothing_waits_for_ever_behind_more_urgent_keys() -> None:
    queue = a_queue()
    queue.add(A, DRIFT)
    for number in range(100):
        queue.add(a_key(f"urgent-{number}"), CHANGE)
    picked = [(await take(queue))[0] for _ in range(FAIR_TURN)]
    assert picked.index(A) == FAIR_TURN - 1


async def test_a_delayed_key_comes_when_it_is_due() -> None:
    queue = a_queue()
    queue.add_after(A, 100, DRIFT)
    assert await is_idle(queue, 99)
    assert await take(queue) == (A, DRIFT)
    assert loop_time() == pytest.approx(100, abs=0.01)


async def test_of_two_delays_the_earlier_holds_with_the_higher_urgency() -> None:
    queue = a_queue()
    queue.add_after(A, 50, DRIFT)
    queue.add_after(A, 100, CHANGE)
    queue.add_after(B, 100, DRIFT)
    queue.add_after(B, 30, DRIFT)
    assert await take(queue) == (B, DRIFT)
    assert loop_time() == pytest.approx(30, abs=0.01)
    assert await take(queue) == (A, CHANGE)
    assert loop_time() == pytest.approx(50, abs=0.01)
    queue.done(A)
    queue.done(B)
    assert await is_idle(queue, 1000)


async def test_a_key_added_for_now_forgets_its_delay() -> None:
    queue = a_queue()
    queue.add_after(A, 50, CHANGE)
    queue.add(A, DRIFT)
    assert await take(queue) == (A, CHANGE)
    queue.done(A)
    assert await is_idle(queue, 1000)


async def test_a_delay_of_nothing_is_now() -> None:
    queue = a_queue()
    queue.add_after(A, 0, PROGRESS)
    queue.add_after(B, -1, DRIFT)
    assert [await take(queue), await take(queue)] == [(A, PROGRESS), (B, DRIFT)]


async def test_a_queued_key_ignores_a_delay_that_would_bring_nothing() -> None:
    queue = a_queue()
    queue.add(A, PROGRESS)
    queue.add_after(A, 5, DRIFT)
    await take(queue)
    queue.done(A)
    assert await is_idle(queue, 1000)


async def test_a_delay_set_during_a_turn_holds_after_it() -> None:
    queue = a_queue()
    queue.add(A, PROGRESS)
    await take(queue)
    queue.add_after(A, 600, DRIFT)
    queue.done(A)
    assert await is_idle(queue, 599)
    assert await take(queue) == (A, DRIFT)


async def test_failures_are_retried_ever_later_up_to_a_limit() -> None:
    queue = a_queue(backoff=Backoff(first=1, longest=300))
    delays = []
    for _ in range(12):
        queue.add(A, PROGRESS)
        await take(queue)
        delays.append(queue.back_off(A, PROGRESS))
        queue.done(A)
    fullest = [min(300, 2**n) for n in range(12)]
    for delay, full in zip(delays, fullest, strict=True):
        assert full / 2 <= delay <= full
    assert len({round(delay / full, 6) for delay, full in zip(delays, fullest, strict=True)}) > 6


async def test_a_success_makes_the_next_delay_short_again() -> None:
    queue = a_queue()
    for _ in range(10):
        queue.back_off(A, PROGRESS)
    queue.succeeded(A)
    assert queue.back_off(A, PROGRESS) <= 1


async def test_a_forgotten_key_has_neither_delay_nor_failures() -> None:
    queue = a_queue()
    for _ in range(10):
        queue.back_off(A, PROGRESS)
    queue.forget(A)
    assert await is_idle(queue, 1000)
    assert queue.back_off(A, PROGRESS) <= 1


async def test_a_closed_queue_gives_no_turns_and_wakes_who_waits() -> None:
    queue = a_queue()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(1)  # noqa: TID251  virtual time
    queue.add_after(A, 10, CHANGE)
    queue.close()
    async with asyncio.timeout(1):
        assert await waiting is None
    queue.add(B, CHANGE)
    assert await queue.get() is None


async def test_a_clock_that_ran_on_while_suspended_is_noticed() -> None:
    jump = 0.0
    queue = WorkQueue(lambda: loop_time() + jump, seeded(7), Tally())
    queue.add_after(A, 3600, DRIFT)
    waiting = asyncio.create_task(take(queue))
    await asyncio.sleep(1)  # noqa: TID251  virtual time
    jump = 3600.0
    assert await waiting == (A, DRIFT)
    assert loop_time() < 60


async def test_the_monitor_hears_of_waits_work_and_depth() -> None:
    tally = Tally()
    queue = a_queue(tally)
    queue.add(A, CHANGE)
    queue.add(B, DRIFT)
    assert [queue.depth(u) for u in Urgency] == [1, 0, 1]
    await asyncio.sleep(5)  # noqa: TID251  virtual time
    await take(queue)
    assert queue.running == {A: pytest.approx(5)}
    await asyncio.sleep(2)  # noqa: TID251  virtual time
    queue.back_off(A, CHANGE)
    queue.done(A)
    assert tally.told == [
        ("added", CHANGE),
        ("added", DRIFT),
        ("picked", CHANGE, pytest.approx(5)),
        ("retried", CHANGE),
        ("finished", CHANGE, pytest.approx(2)),
    ]


async def test_no_key_is_lost_and_none_runs_twice_at_once() -> None:
    """Random adds, delays and failures among four workers: every add is followed by a turn."""
    queue, chance = a_queue(), seeded(1)
    keys = [a_key(str(number)) for number in range(5)]
    running: set[Key] = set()
    asked: dict[Key, int] = {}
    began: dict[Key, int] = {}
    moments = itertools.count()

    async def work() -> None:
        while (turn := await queue.get()) is not None:
            assert turn.key not in running
            running.add(turn.key)
            began[turn.key] = next(moments)
            await asyncio.sleep(chance.uniform(0, 3))  # noqa: TID251  virtual time
            running.discard(turn.key)
            queue.done(turn.key)

    workers = [asyncio.create_task(work()) for _ in range(4)]
    for _ in range(500):
        key, urgency = chance.choice(keys), chance.choice(list(Urgency))
        queue.add_after(key, chance.choice([0, 0, 1, 7]), urgency)
        asked[key] = next(moments)
        await asyncio.sleep(chance.uniform(0, 1))  # noqa: TID251  virtual time
    await asyncio.sleep(1000)  # noqa: TID251  virtual time
    queue.close()
    await asyncio.gather(*workers)
    assert all(began[key] > asked[key] for key in keys)
    assert not queue.running
