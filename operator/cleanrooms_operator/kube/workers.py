"""Running passes: as many at once as there are workers, none of which a pass can end."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cleanrooms_operator.core.failure import ServiceError
from cleanrooms_operator.core.pace import Urgency
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.kube.api import ApiError
from cleanrooms_operator.kube.cache import Cache
from cleanrooms_operator.kube.events import Poster
from cleanrooms_operator.kube.logs import LOG, fields
from cleanrooms_operator.kube.metrics import Metrics
from cleanrooms_operator.kube.passes import CURRENT, Pass
from cleanrooms_operator.kube.queue import Turn, WorkQueue
from cleanrooms_operator.runtime.outcome import Outcome
from cleanrooms_operator.runtime.ports import Clock, Ids, NotSentError, PacedError, StaleError

PASS_SECONDS = 120.0
"""How long a pass may take."""
PACED_JITTER_SECONDS = 2.0
"""So that those who wait for the same rate do not all come back at once."""
DRIFT_JITTER = 0.1
"""How much later a look for drift may be, so that what was applied together drifts apart."""

RunPass: TypeAlias = Callable[[Key], Awaitable[Outcome]]

_Result: TypeAlias = Literal["success", "requeue", "requeue_after", "error"]


@dataclass(frozen=True, slots=True)
class Engine:
    """What a worker runs."""

    run_pass: RunPass
    forget: Callable[[Key], None]
    """Lets go of what is remembered of a resource that does not exist any more."""
    may_act: Callable[[], bool]
    """Whether this process leads."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a worker needs besides."""

    queue: WorkQueue
    cache: Cache
    poster: Poster
    metrics: Metrics
    clock: Clock
    ids: Ids
    chance: random.Random


class Worker:
    """Takes one turn after another."""

    def __init__(self, engine: Engine, around: Surroundings) -> None:
        self._engine = engine
        self._around = around

    async def run(self) -> None:
        """Work until the queue is closed, or another process leads."""
        queue = self._around.queue
        while (turn := await queue.get()) is not None:
            try:
                if not self._engine.may_act():
                    return
                await self._take(turn)
            finally:
                queue.done(turn.key)

    async def _take(self, turn: Turn) -> None:
        around, key = self._around, turn.key
        before = around.cache.get(key)
        generation = None if before is None else before.generation
        current = Pass(key, around.ids.attempt()[:12], generation)
        began = around.clock.elapsed()
        around.metrics.passes.began(key.kind)
        token = CURRENT.set(current)
        result: _Result = "error"
        try:
            result = await self._attempt(turn, before)
        finally:
            CURRENT.reset(token)
            around.metrics.passes.ended(key.kind, result, around.clock.elapsed() - began)
        if around.cache.get(key) is None:
            around.queue.forget(key)
            self._engine.forget(key)

    async def _attempt(self, turn: Turn, before: Resource | None) -> _Result:
        """Run a pass, and plan the next look by how it ended."""
        queue = self._around.queue
        try:
            async with asyncio.timeout(PASS_SECONDS):
                outcome = await self._engine.run_pass(turn.key)
        except StaleError as error:
            self._start_again(turn, before, error)
            return "requeue"
        except PacedError as error:
            jitter = self._around.chance.uniform(0, PACED_JITTER_SECONDS)
            queue.add_after(turn.key, error.seconds + jitter, turn.urgency)
            LOG.debug("Put off: %s", error)
            return "requeue_after"
        except Exception as error:  # noqa: BLE001  a worker outlives whatever a pass does
            self._back_off(turn, error)
            return "error"
        return self._concluded(turn, outcome, before)

    def _concluded(self, turn: Turn, outcome: Outcome, before: Resource | None) -> _Result:
        around, kind = self._around, turn.key.kind
        around.queue.succeeded(turn.key)
        resource = around.cache.get(turn.key) or before
        if resource is not None:
            for event in outcome.events:
                around.poster.post(resource, event)
        around.metrics.passes.runs.passed(before, around.cache.get(turn.key))
        if outcome.drifted:
            around.metrics.passes.drifted(kind, outcome.drifted)
        if outcome.step == "Stall":
            around.metrics.passes.stalled(kind)
        _log(outcome, around.cache.get(turn.key))
        return self._plan(turn.key, outcome)

    def _plan(self, key: Key, outcome: Outcome) -> _Result:
        again = outcome.again
        if again is None:
            return "success"
        if again <= 0:
            self._around.queue.add(key, outcome.urgency)
            return "requeue"
        if outcome.urgency is Urgency.DRIFT:
            again *= 1 + self._around.chance.uniform(0, DRIFT_JITTER)
        self._around.queue.add_after(key, again, outcome.urgency)
        return "requeue_after"

    def _start_again(self, turn: Turn, before: Resource | None, error: StaleError) -> None:
        """Look again at once if the newer version is here; else its event will do so, or time."""
        if self._around.cache.get(turn.key) is not before:
            self._around.queue.add(turn.key, turn.urgency)
        else:
            self._around.queue.back_off(turn.key, turn.urgency)
        LOG.debug("Started again: %s", error)

    def _back_off(self, turn: Turn, error: Exception) -> None:
        seconds = self._around.queue.back_off(turn.key, turn.urgency)
        told: dict[str, object] = {"again": round(seconds, 1)}
        match error:
            case ServiceError():
                told["awsRequestID"] = error.request_id
                LOG.warning("AWS did not do as asked: %s", error, extra=fields(**told))
            case ApiError() | NotSentError():
                LOG.warning("Failed: %s", error, extra=fields(**told))
            case TimeoutError():
                message = "Gave up after %d s"
                LOG.error(message, PASS_SECONDS, exc_info=error, extra=fields(**told))
            case _:
                LOG.error("Failed unexpectedly", exc_info=error, extra=fields(**told))


def _log(outcome: Outcome, resource: Resource | None) -> None:
    """Write one line for a pass that changed something; the others are for those who debug.

    `resource` is as the pass left it, None if that was its end.
    """
    current = CURRENT.get()
    told = fields(step=outcome.step, again=outcome.again, drifted=outcome.drifted or None)
    ready = None if resource is None else resource.condition("Ready")
    if outcome.events:
        LOG.info("%s", "; ".join(f"{e.reason}: {e.message}" for e in outcome.events), extra=told)
    elif current is None or not current.writes:
        LOG.debug("Changed nothing", extra=told)
    elif ready is not None:
        LOG.info("Concluded %s: %s", ready["reason"], ready["message"], extra=told)
    else:
        LOG.info("Let go of it" if resource is None else "Wrote to it", extra=told)
