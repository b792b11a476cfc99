"""A world in which nothing happens by itself: every event is a method call.

The production coroutine runs unchanged, but no event loop drives it. Its ports yield requests;
the test decides when each is executed, when (or whether) its answer is delivered, and what
happens in between. AWS is the emulator, in process; Kubernetes is a small store.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from cleanrooms_emulator.rules import Rules
from cleanrooms_emulator.virtual import VirtualTime
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.ownership import Owner
from cleanrooms_operator.core.pace import Pace
from cleanrooms_operator.core.references import ACCOUNT
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.kinds import BY_NAME
from cleanrooms_operator.kube.waking import Waking
from cleanrooms_operator.runtime.accounts import reconcile_account
from cleanrooms_operator.runtime.memory import Memories
from cleanrooms_operator.runtime.outcome import Outcome
from cleanrooms_operator.runtime.ports import (
    NotSentError,
    PacedError,
    Policy,
    Ports,
    Sighting,
    StaleError,
)
from cleanrooms_operator.runtime.reconcile import reconcile
from simulation.agenda import Agenda
from simulation.answers import answer
from simulation.aws import Aws
from simulation.guard import Guard
from simulation.invariants import check_secrets
from simulation.kubernetes import Cache, Kubernetes
from simulation.ports import Asked, Remote

START = datetime(2026, 1, 1, tzinfo=UTC)
AHEAD = 1000.0
"""By how many seconds the operator's clock is ahead of AWS's: it must never compare them."""
LATENCY = 0.01
"""How long a request takes, in seconds: no two happen at the same moment."""


class AnswerLostError(Exception):
    """The API server did not say whether it did what was asked."""


PASSING = (ServiceError, StaleError, NotSentError, PacedError, AnswerLostError)
"""What may end a pass: the queue looks again, with growing delay."""


@dataclass
class Pass:
    """A pass in flight."""

    key: Key
    process: int
    coroutine: Coroutine[Asked, Any, Outcome]
    request: Asked | None = None
    answer: Any = None
    executed: bool = False
    result: Outcome | Exception | None = None
    seen: Resource | None = None
    """The resource as the pass read it."""
    changes: int = 0
    """How many calls it has made that change something in AWS."""

    @property
    def over(self) -> bool:
        return self.request is None


@dataclass
class Process:
    """What one process of the operator holds; all of it is lost when it dies."""

    agenda: Agenda
    cache: Cache
    memories: Memories = field(default_factory=Memories)
    sightings: dict[Any, Sighting] = field(default_factory=dict)
    leads: bool = True
    """Whether it holds the lease; without it nothing is sent that changes anything."""

    def fork(self, kubernetes: Kubernetes) -> Process:
        recalls = {key: replace(recall) for key, recall in self.memories.recalls.items()}
        return Process(
            self.agenda.fork(),
            Cache(kubernetes, self.cache.stands_at, dict(self.cache.own)),
            Memories(recalls, let_go=dict(self.memories.let_go)),
            dict(self.sightings),
            self.leads,
        )


class World:
    """Kubernetes, AWS, the processes of the operator, and the time."""

    def __init__(
        self,
        *,
        rules: Rules | None = None,
        pace: Pace | None = None,
        owner: Owner | None = None,
        kinds: Mapping[str, Kind] = BY_NAME,
        aws: Aws | None = None,
    ) -> None:
        self.pace = pace or Pace()
        self.owner = owner or Owner("cluster-1")
        self.kinds = kinds
        self.seconds = AHEAD
        self.attempts = 0
        self.requests = 0
        self.dies_at: tuple[int, bool] | None = None
        """A process dies at the request of that number, before or after it is executed."""
        self._dead: list[World] | None = None
        """Worlds in which the process died where something had changed, if anybody wants them."""
        self.paced = 0
        """How many reservations are put off, from now on."""
        self.mistaken: set[Key] = set()
        """Resources whose spec is wrong: only they may send what AWS calls invalid."""
        self.untagged: set[Key] = set()
        """Resources whose object somebody took tags from, and that nobody reads again (R-21)."""
        self.accounts: set[str] = set()
        """Accounts that resources have lived in."""
        self.passes: list[Pass] = []
        self.processes: dict[int, Process] = {}
        self.writer: int | None = None
        self.waking = Waking(self._is_deleting)
        self.aws = aws or Aws(VirtualTime(START), rules or Rules())
        self.kubernetes = Kubernetes(self.now, self._changed)
        self.guard = Guard()

    def fork(self, without: int | None = None) -> World:
        """Return a world that goes its own way from here, in which one process has died."""
        held = [run for run in self.passes if run.process != without]
        assert not held, "a pass in flight cannot be copied"
        time = VirtualTime(START)
        time.elapse(self.seconds - AHEAD)
        aws = self.aws.fork(time)
        forked = World(pace=self.pace, owner=self.owner, kinds=self.kinds, aws=aws)
        forked.seconds, forked.attempts = self.seconds, self.attempts
        forked.accounts, forked.mistaken = set(self.accounts), set(self.mistaken)
        forked.untagged = set(self.untagged)
        forked.kubernetes = self.kubernetes.fork(forked.now, forked._changed)
        forked.guard = self.guard.fork()
        for resource in self.resources.values():
            forked.waking.update(None, resource)
        for number in self.processes.keys() - {without}:
            forked.processes[number] = self.processes[number].fork(forked.kubernetes)
        return forked

    @property
    def resources(self) -> dict[Key, Resource]:
        return self.kubernetes.resources

    # -- people, and the passage of time -------------------------------------------------------

    def apply(
        self,
        kind: str,
        name: str,
        spec: Mapping[str, Any],
        namespace: str = "a",
        annotations: Mapping[str, str] | None = None,
    ) -> Key:
        """Create a resource, or change its spec; annotations stay where none are given."""
        key = Key(kind, namespace, name)
        self.accounts |= {spec["accountID"]} if kind == ACCOUNT else set()
        known = self.resources.get(key)
        kept = known.annotations if known is not None else {}
        self.kubernetes.apply(key, spec, kept if annotations is None else annotations)
        return key

    def keep(self, kind: str, name: str, namespace: str = "a", **entries: str) -> None:
        """Write a ConfigMap or Secret, whose values are to be told to nobody."""
        self.kubernetes.sources[Key(kind, namespace, name)] = entries

    def annotate(self, key: Key, **annotations: str | None) -> None:
        """Set annotations of our group; None takes one away. Underscores stand for dashes."""
        self.kubernetes.annotate(key, annotations)

    def delete(self, *keys: Key) -> None:
        for key in keys:
            self.kubernetes.delete(key)

    def restore(self) -> None:
        """Bring every resource back from a backup, without status, to a new process."""
        self.kubernetes.restore(*self.resources)
        for process in list(self.processes):
            self.crash(process)

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def tick(self, seconds: float) -> None:
        self.seconds += seconds
        self.aws.time.elapse(seconds)

    # -- passes --------------------------------------------------------------------------------

    def process(self, number: int) -> Process:
        """Return a process, which begins when it is asked for first."""
        if number not in self.processes:
            process = Process(Agenda(self.pace), Cache(self.kubernetes))
            process.agenda.begin(self.resources, self.seconds)
            for resource in self.resources.values():
                process.memories.of(resource, self.seconds)
            self.processes[number] = process
        return self.processes[number]

    def ports(self) -> Ports:
        remote = Remote(self)
        policy = Policy(
            owner=self.owner,
            pace=self.pace,
            own_identity_namespaces=("*",),
            role_patterns={"*": ("*",)},
            hash_key=b"of this cluster",
        )
        return Ports(remote, remote, remote, remote, policy)

    def start(self, key: Key, process: int = 0) -> Pass:
        """Start a pass and run it to its first request."""
        assert self.in_flight(key, process) is None, "one pass at a time for each key"
        memories = self.process(process).memories
        if key.kind in self.kinds:
            coroutine = reconcile(self.kinds[key.kind], key, self.ports(), memories)
        else:
            coroutine = reconcile_account(key, tuple(self.kinds), self.ports(), memories)
        run = Pass(key, process, coroutine)
        self.passes.append(run)
        self._resume(run, partial(run.coroutine.send, None))
        return run

    def in_flight(self, key: Key, process: int) -> Pass | None:
        return next((r for r in self.passes if (r.key, r.process) == (key, process)), None)

    def execute(self, run: Pass) -> None:
        """Let the world do what the pass asks; the answer is not delivered yet."""
        assert run.request is not None
        assert not run.executed
        self.writer = run.process
        try:
            run.answer = answer(self, run)
        except PASSING as error:
            run.answer = error
        finally:
            self.writer = None
        run.executed = True

    def deliver(self, run: Pass) -> None:
        """Hand the answer to the pass, which runs on to its next request or its end."""
        assert run.executed
        heard, run.executed = run.answer, False
        if isinstance(heard, Exception):
            self._resume(run, partial(run.coroutine.throw, heard))
            return
        if run.seen is None and isinstance(heard, Resource):
            run.seen = heard
        self._resume(run, partial(run.coroutine.send, heard))

    def lose_answer(self, run: Pass) -> None:
        """Let the answer to an executed request never come."""
        assert run.request is not None
        if run.request.port in {"call", "sighting"}:
            harmless = not run.request.mutates_aws
            run.answer = ServiceError(
                Failure.UNAVAILABLE, "ReadTimeoutError", "no answer", harmless=harmless
            )
        else:
            run.answer = AnswerLostError()
        self.deliver(run)

    def step(self, run: Pass) -> None:
        """Do one request of a pass, whole."""
        self.execute(run)
        self.deliver(run)

    def _resume(self, run: Pass, move: Callable[[], Asked]) -> None:
        try:
            run.request = move()
        except StopIteration as stop:
            run.result = stop.value
        except PASSING as error:
            run.result = error
        if run.result is not None:
            check_secrets((run.result, str(run.result)), self.kubernetes.secrets)
            run.request = None
            self.passes.remove(run)
            self.process(run.process).agenda.finished(run.key, self.seconds, run.result)
            self.guard.passed(run)

    def crash(self, process: int = 0) -> None:
        """Let a process die: its passes and its memory are gone."""
        for run in [run for run in self.passes if run.process == process]:
            run.coroutine.close()
            self.passes.remove(run)
        self.processes.pop(process, None)

    def _outside(self) -> tuple[int, int]:
        """Return what is the same only while nothing changes, in Kubernetes or in AWS."""
        return self.kubernetes.version, self.aws.emulator.store.changes

    def deaths(self, live: Callable[[World], object]) -> list[World]:
        """Let this world live on, and return a world for each point where its process may die.

        What a process has only read is lost with it: so deaths differ where something changed
        outside of it, by its own doing or not, and the answer does not come any more.
        """
        self._dead = []
        live(self)
        dead, self._dead = self._dead, None
        return dead

    def finish(self, run: Pass) -> Pass:
        """Do what is left of a pass, unless its process dies on the way."""
        while not run.over and run in self.passes:
            self.requests += 1
            if self.dies_at is not None and self.dies_at[0] == self.requests:
                after, self.dies_at = self.dies_at[1], None
                if after:
                    self.execute(run)
                self.crash(run.process)
                break
            before = self._outside()
            self.execute(run)
            if self._dead is not None and self._outside() != before:
                self._dead.append(self.fork(without=run.process))
            self.deliver(run)
            self.tick(LATENCY)
        return run

    def run(self, key: Key, process: int = 0) -> Pass:
        """Do one whole pass."""
        return self.finish(self.start(key, process))

    # -- what a process does by itself ---------------------------------------------------------

    def settle(self, process: int = 0, seconds: float = 3000.0) -> None:
        """Run passes as the queue would, until nobody asks for one within a list interval."""
        end = self.seconds + seconds
        while not self.process(process).agenda.is_at_rest(set(self.resources), self.seconds):
            if not self.run_next(process, end):
                stuck = {str(k): r.condition("Ready") for k, r in self.resources.items()}
                message = f"not at rest after {seconds} s: {stuck}"
                raise AssertionError(message)

    def settle_until_death(self, process: int = 0) -> None:
        """Run passes as the queue would, until the process dies where it was told to."""
        while self.dies_at is not None:
            self.run_next(process)

    def rest(self, seconds: float, process: int = 0) -> None:
        """Run the passes that are due in some seconds of time."""
        end = self.seconds + seconds
        while self.run_next(process, end):
            pass
        self.tick(end - self.seconds)

    def run_next(self, process: int = 0, end: float = math.inf) -> bool:
        """Do the next pass that is due by `end`; False if there is none."""
        agenda = self.process(process).agenda
        planned = agenda.next({run.key for run in self.passes if run.process == process})
        if planned is None or planned[0] > end:
            return False
        when, key = planned
        self.tick(max(when - self.seconds, 0.0))
        del agenda.due[key]
        self.run(key, process)
        return True

    def _changed(self, before: Resource | None, after: Resource | None) -> None:
        """Wake in every process what a change of a resource concerns."""
        resource = after or before
        assert resource is not None
        self.guard.changed(before, after, by_us=self.writer is not None)
        concerned = self.waking.update(before, after)
        for number, process in self.processes.items():
            agenda = process.agenda
            if after is not None:
                process.memories.of(after, self.seconds)
            for key in concerned if number == self.writer else {resource.key, *concerned}:
                agenda.add(key, self.seconds)

    def _is_deleting(self, key: Key) -> bool:
        resource = self.resources.get(key)
        return resource is not None and resource.deleting

    # -- what a test asks ----------------------------------------------------------------------

    def told(self, key: Key) -> str:
        """Return what a person reads of a resource: "Ready", or why it is not, as "Stalled X"."""
        if (resource := self.resources.get(key)) is None:
            return "Gone"
        for name in ("Paused", "Stalled", "Reconciling"):
            if (condition := resource.condition(name)) is not None:
                return f"{name} {condition['reason']}"
        return "Ready" if resource.is_true("Ready") else "Unknown"

    def message(self, key: Key, condition: str = "Ready") -> str:
        found = self.resources[key].condition(condition)
        return "" if found is None else str(found["message"])

    def ask(self, account: str, service: str, operation: str, **parameters: Any) -> Any:
        """Ask AWS as an account's own people, beside the operator."""
        return self.aws.ask(account, service, operation, **parameters)
