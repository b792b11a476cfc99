"""How passes are run, and what follows from how they end. In virtual time."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.pace import Urgency
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.kube.api import ApiError, Request
from cleanrooms_operator.kube.cache import Cache
from cleanrooms_operator.kube.events import Poster
from cleanrooms_operator.kube.passes import CURRENT
from cleanrooms_operator.kube.queue import WorkQueue
from cleanrooms_operator.kube.workers import PASS_SECONDS, Engine, Surroundings, Worker
from cleanrooms_operator.runtime.outcome import GONE, Event, Outcome
from cleanrooms_operator.runtime.ports import NotSentError, PacedError, StaleError
from kube_world import LoopClock, MemoryApi, Numbers, a_resource, metrics, seeded, value

pytestmark = pytest.mark.looptime

RESOURCE = a_resource("Collaboration", "study", version=1)
KEY = RESOURCE.key
REST = Outcome("InSync", 600.0, Urgency.DRIFT)

Script = Callable[[int], Awaitable[Outcome] | Outcome | Exception]


class Stage:
    """One worker, whose passes do what a script says of their number."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.began: list[float] = []
        self.forgotten: list[Key] = []
        self.leads = True
        self.clock = LoopClock()
        self.metrics = metrics()
        self.queue = WorkQueue(self.clock.elapsed, seeded(), self.metrics.queue)
        self.cache = Cache()
        self.cache.put(RESOURCE)
        self.posted: list[Request] = []
        self.poster = Poster(MemoryApi(self._accept), self.clock, Numbers(), "me", self.metrics)
        around = Surroundings(
            self.queue, self.cache, self.poster, self.metrics, self.clock, Numbers(), seeded()
        )
        engine = Engine(self.run_pass, self.forgotten.append, lambda: self.leads)
        self.worker = Worker(engine, around)

    async def run_pass(self, key: Key) -> Outcome:
        assert key == KEY
        self.began.append(self.clock.elapsed())
        result = self.script(len(self.began))
        if isinstance(result, Exception):
            raise result
        return result if isinstance(result, Outcome) else await result

    def ends(self, result: str) -> float:
        name = "controller_runtime_reconcile_total"
        return value(self.metrics, name, controller="collaboration", result=result)

    def _accept(self, request: Request) -> dict[str, object]:
        self.posted.append(request)
        return {}


@contextlib.asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[None]:
    working = asyncio.create_task(stage.worker.run())
    posting = asyncio.create_task(stage.poster.run())
    stage.queue.add(KEY, Urgency.CHANGE)
    yield
    stage.queue.close()
    async with asyncio.timeout(200):
        await working
    posting.cancel()


async def watch(stage: Stage, seconds: float) -> list[float]:
    """Run a stage for a while; return when its passes began."""
    async with running(stage):
        await asyncio.sleep(seconds)  # noqa: TID251  virtual time
        return stage.began.copy()


async def test_the_next_look_is_when_the_pass_asks_for_it() -> None:
    outcomes = {1: Outcome("Wait", 15.0), 2: Outcome("Create", 0.0), 3: Outcome("Pause", None)}
    stage = Stage(lambda number: outcomes[number])
    assert await watch(stage, 1000) == [0, pytest.approx(15, abs=0.1), pytest.approx(15, abs=0.1)]
    assert (stage.ends("requeue_after"), stage.ends("requeue"), stage.ends("success")) == (1, 1, 1)


async def test_a_look_for_drift_is_never_early_and_a_little_late_by_chance() -> None:
    began = await watch(Stage(lambda _: REST), 6000)
    pauses = [later - before for before, later in itertools.pairwise(began)]
    assert len(pauses) >= 8
    assert all(600 <= pause <= 661 for pause in pauses)
    assert len({round(pause) for pause in pauses}) > 3


@pytest.mark.parametrize(
    "error",
    [
        ServiceError(Failure.UNAVAILABLE, "500", "oops"),
        ApiError(500, "InternalError", "oops"),
        NotSentError("too late"),
        KeyError("a mistake of ours"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_failed_pass_is_tried_again_ever_later(error: Exception) -> None:
    stage = Stage(lambda number: error if number < 6 else REST)
    began = await watch(stage, 200)
    pauses = [later - before for before, later in itertools.pairwise(began)]
    assert len(pauses) == 5
    for number, pause in enumerate(pauses):
        assert 2**number / 2 <= pause <= 2**number + 0.1
    assert stage.ends("error") == 5


async def test_a_failure_keeps_its_urgency() -> None:
    stage = Stage(lambda number: KeyError() if number == 1 else REST)
    await watch(stage, 10)
    name = "workqueue_queue_duration_seconds_count"
    assert value(stage.metrics, name, name="cleanrooms-operator", priority="change") == 2


async def test_a_paced_pass_comes_back_in_time_and_is_no_failure() -> None:
    stage = Stage(lambda number: PacedError("CreateCollaboration", 30) if number < 4 else REST)
    began = await watch(stage, 200)
    pauses = [later - before for before, later in itertools.pairwise(began)]
    assert len(pauses) == 3
    assert stage.ends("error") == 0
    assert all(30 <= pause <= 32.1 for pause in pauses)
    name = "workqueue_retries_total"
    assert value(stage.metrics, name, name="cleanrooms-operator", priority="change") == 0


async def test_a_stale_pass_starts_again_at_once_when_the_newer_version_is_here() -> None:
    async def stale() -> Outcome:
        stage.cache.put(a_resource("Collaboration", "study", version=2))
        raise StaleError

    stage = Stage(lambda number: stale() if number == 1 else REST)
    assert await watch(stage, 0.4) == [0, 0]


async def test_a_stale_pass_waits_a_little_for_the_newer_version() -> None:
    stage = Stage(lambda number: StaleError() if number == 1 else REST)
    began = await watch(stage, 5)
    assert began == [0, pytest.approx(0.75, abs=0.3)]


async def test_the_event_of_the_newer_version_ends_that_wait() -> None:
    stage = Stage(lambda number: StaleError() if number == 1 else REST)
    async with running(stage):
        await asyncio.sleep(0.1)  # noqa: TID251  virtual time
        stage.queue.add(KEY, Urgency.CHANGE)
        await asyncio.sleep(0.1)  # noqa: TID251  virtual time
        assert stage.began == [0, pytest.approx(0.1, abs=0.01)]


async def test_a_pass_that_hangs_is_given_up() -> None:
    async def hang() -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    stage = Stage(lambda number: hang() if number == 1 else REST)
    began = await watch(stage, PASS_SECONDS + 5)
    assert began == [0, pytest.approx(PASS_SECONDS + 0.75, abs=0.3)]


async def test_nothing_is_remembered_of_what_is_gone() -> None:
    async def gone() -> Outcome:
        stage.cache.remove(RESOURCE)
        return Outcome("Release", 3600.0)

    stage = Stage(lambda number: gone() if number == 1 else GONE)
    assert await watch(stage, 10_000) == [0]
    assert stage.forgotten == [KEY]


async def test_who_does_not_lead_any_more_runs_no_pass() -> None:
    stage = Stage(lambda _: REST)
    stage.leads = False
    assert await watch(stage, 100) == []


async def test_a_running_pass_may_finish_after_the_queue_is_closed() -> None:
    async def long() -> Outcome:
        await asyncio.sleep(60)  # noqa: TID251  virtual time
        finished.append(stage.clock.elapsed())
        return REST

    finished: list[float] = []
    stage = Stage(lambda _: long())
    await watch(stage, 1)
    assert finished == [pytest.approx(60, abs=0.1)]


async def test_events_are_posted_even_when_they_are_the_last_word() -> None:
    async def release() -> Outcome:
        stage.cache.remove(RESOURCE)
        return Outcome("Release", None, events=(Event("Normal", "Deleted", "arn is gone"),))

    stage = Stage(lambda _: release())
    await watch(stage, 1)
    (request,) = stage.posted
    assert isinstance(request.body, dict)
    assert request.body["note"] == "arn is gone"
    assert request.body["regarding"]["uid"] == RESOURCE.uid


async def test_drift_stalls_and_time_are_counted() -> None:
    stage = Stage(lambda _: Outcome("Stall", 600.0, drifted=3))
    await watch(stage, 1)
    stalls = "controller_runtime_terminal_reconcile_errors_total"
    assert value(stage.metrics, stalls, controller="collaboration") == 1
    assert value(stage.metrics, "cleanrooms_drift_detected_total", kind="Collaboration") == 3
    seconds = "controller_runtime_reconcile_time_seconds_count"
    assert value(stage.metrics, seconds, controller="collaboration") == 1
    active = "controller_runtime_active_workers"
    assert value(stage.metrics, active, controller="collaboration") == 0


async def test_a_line_is_written_for_a_pass_that_changed_something_and_for_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def writing() -> Outcome:
        current = CURRENT.get()
        assert current is not None
        current.writes += 1
        return Outcome("Wait", 1.0)

    told = Outcome("Create", 1.0, events=(Event("Normal", "Created", "arn"),))
    scripted = {1: writing(), 2: told}
    stage = Stage(lambda number: scripted.get(number, REST))
    with caplog.at_level(logging.INFO, logger="cleanrooms_operator"):
        await watch(stage, 2000)
    messages = [record.getMessage() for record in caplog.records]
    assert len(stage.began) > 4
    assert messages == ["Wrote to it", "Created: arn"]
