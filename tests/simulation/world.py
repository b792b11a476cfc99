"""A world in which nothing happens by itself: every event is a method call.

The production coroutine runs unchanged, but no event loop drives it. Its ports yield requests;
the test decides when each is executed, when (or whether) its answer is delivered, and what
happens in between. AWS is the emulator, in process; Kubernetes is the small store below, which
keeps what matters here: versions, generations, finalizers, the status subresource.
"""

from __future__ import annotations

import copy
import types
from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import botocore.session
from botocore.exceptions import ClientError

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.faults import AnswerLostError
from cleanrooms_emulator.request import Caller, Request
from cleanrooms_emulator.request import ServiceError as WireError
from cleanrooms_emulator.rules import Rules
from cleanrooms_emulator.virtual import CountedIds, VirtualTime
from cleanrooms_operator.aws.errors import Exchange, classify
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.ownership import Owner
from cleanrooms_operator.core.pace import Pace, Urgency
from cleanrooms_operator.core.resource import FINALIZER, Key, Resource
from cleanrooms_operator.kinds import BY_NAME, KINDS
from cleanrooms_operator.runtime.accounts import reconcile_account
from cleanrooms_operator.runtime.memory import Memories
from cleanrooms_operator.runtime.outcome import Outcome
from cleanrooms_operator.runtime.ports import (
    Identity,
    NotSentError,
    PacedError,
    Policy,
    Ports,
    Sighting,
    StaleError,
)
from cleanrooms_operator.runtime.reconcile import reconcile
from simulation.invariants import check_status

START = datetime(2026, 1, 1, tzinfo=UTC)
REGION = "us-east-1"
OWNER = "cluster-1"
KIND_NAMES = tuple(kind.name for kind in KINDS)


@dataclass(frozen=True)
class Asked:
    """A request of a pass to one of its ports."""

    port: str
    arguments: tuple[Any, ...]

    @property
    def mutates_aws(self) -> bool:
        return self.port == "call" and not self.arguments[2].startswith(("Get", "List"))

    def __str__(self) -> str:
        named = [a for a in self.arguments if isinstance(a, str)]
        return f"{self.port} {' '.join(named)}".strip()


@types.coroutine
def ask(request: Asked) -> Generator[Asked, Any, Any]:
    """Hand a request to whoever drives the coroutine."""
    return (yield request)


class Remote:
    """All ports of one process: hands every call to the test."""

    def __init__(self, world: World) -> None:
        self.world = world

    def now(self) -> datetime:
        return START + timedelta(seconds=self.world.seconds)

    def elapsed(self) -> float:
        return self.world.seconds

    def attempt(self) -> str:
        self.world.attempts += 1
        return f"attempt-{self.world.attempts:04d}-0000"

    async def read(self, key: Key) -> Any:
        return await ask(Asked("read", (key,)))

    async def confirm(self, resource: Resource) -> Any:
        return await ask(Asked("confirm", (resource,)))

    async def list(self, kind: str, namespace: str | None = None) -> Any:
        return await ask(Asked("list", (kind, namespace)))

    async def write_status(self, resource: Resource, changes: Any) -> Any:
        return await ask(Asked("write_status", (resource, copy.deepcopy(dict(changes)))))

    async def hold(self, resource: Resource) -> Any:
        return await ask(Asked("hold", (resource,)))

    async def release(self, resource: Resource) -> Any:
        return await ask(Asked("release", (resource,)))

    async def reserve(self, identity: Identity, service: str, operation: str) -> Any:
        return await ask(Asked("reserve", (identity, service, operation)))

    async def call(  # noqa: PLR0913  the port's own signature
        self,
        identity: Identity,
        service: str,
        operation: str,
        parameters: Any,
        *,
        reserved: bool = False,
        not_after: float | None = None,
    ) -> Any:
        sent = copy.deepcopy(dict(parameters))
        return await ask(Asked("call", (identity, service, operation, sent, reserved, not_after)))

    async def sighting(self, identity: Identity, listing: Any, scope: Any, since: float) -> Any:
        return await ask(Asked("sighting", (identity, listing, dict(scope), since)))


@dataclass
class Pass:
    """A pass in flight."""

    key: Key
    process: int
    coroutine: Coroutine[Asked, Any, Outcome]
    request: Asked | None = None
    answer: Any = None
    executed: bool = False
    outcome: Outcome | None = None
    error: Exception | None = None

    @property
    def over(self) -> bool:
        return self.request is None


@dataclass
class World:
    """Kubernetes, AWS, the processes of the operator, and the time."""

    rules: Rules = field(default_factory=Rules)
    pace: Pace = field(default_factory=Pace)
    owner: Owner = field(default_factory=lambda: Owner(OWNER))
    seconds: float = 1000.0
    version: int = 0
    uids: int = 0
    attempts: int = 0
    resources: dict[Key, Resource] = field(default_factory=dict)
    memories: dict[int, Memories] = field(default_factory=dict)
    passes: list[Pass] = field(default_factory=list)
    agendas: dict[int, dict[Key, tuple[float, object]]] = field(default_factory=dict)
    calm: dict[int, dict[Key, bool]] = field(default_factory=dict)
    patches: list[tuple[Key, str]] = field(default_factory=list)
    statuses_seen: int = 0
    requests: int = 0
    dies_at: tuple[int, bool] | None = None
    """The process dies at the request of that number, before or after it is executed."""
    drop_answer: Callable[[Asked], bool] = lambda _: False
    on_call: Callable[[Asked], None] = lambda _: None

    def __post_init__(self) -> None:
        self.time = VirtualTime(START)
        self.aws = Emulator(self.time, self.rules, CountedIds(), wall=self.time.wall)
        self.aws.rates = Unlimited()  # type: ignore[assignment]  # rates are the edge's concern

    # -- the user and the passage of time ------------------------------------------------------

    def apply(
        self,
        kind: str,
        name: str,
        spec: Mapping[str, Any],
        namespace: str = "a",
        annotations: Mapping[str, str] | None = None,
    ) -> Key:
        """Create a resource, or change its spec and annotations."""
        key = Key(kind, namespace, name)
        before = self.resources.get(key)
        if before is None:
            self.uids += 1
            made = Resource(
                key=key,
                uid=f"uid-{self.uids}",
                version=self._next_version(),
                generation=1,
                created=START + timedelta(seconds=self.seconds),
                spec=dict(spec),
                status={"observedGeneration": -1},
                annotations=dict(annotations or {}),
            )
            self.resources[key] = made
        elif before.spec != spec or before.annotations != (annotations or {}):
            grown = before.generation + (before.spec != spec)
            self._put(
                replace(
                    before, spec=dict(spec), generation=grown, annotations=dict(annotations or {})
                )
            )
        return key

    def annotate(self, key: Key, **annotations: str) -> None:
        named = {
            f"cleanrooms-operator.dev/{k.replace('_', '-')}": v for k, v in annotations.items()
        }
        before = self.resources[key]
        self._put(replace(before, annotations={**before.annotations, **named}))

    def delete(self, key: Key) -> None:
        before = self.resources.get(key)
        if before is None or before.deleting:
            return
        if not before.finalizers:
            del self.resources[key]
            return
        now = START + timedelta(seconds=self.seconds)
        self._put(replace(before, deleted=now, generation=before.generation + 1))

    def restore(self) -> None:
        """Bring every resource back without status or finalizers, as a backup would."""
        for key, before in list(self.resources.items()):
            del self.resources[key]
            self.apply(key.kind, key.name, before.spec, key.namespace, before.annotations)
        self.memories.clear()
        self.agendas.clear()

    def tick(self, seconds: float) -> None:
        self.seconds += seconds
        self.time.elapse(seconds)

    def _next_version(self) -> str:
        self.version += 1
        return str(self.version)

    def _put(self, resource: Resource) -> Resource:
        stored = replace(resource, version=self._next_version())
        self.resources[resource.key] = stored
        return stored

    # -- passes --------------------------------------------------------------------------------

    def ports(self) -> Ports:
        remote = Remote(self)
        policy = Policy(
            owner=self.owner,
            pace=self.pace,
            own_identity_namespaces=("*",),
            role_patterns={"*": ("*",)},
        )
        return Ports(remote, remote, remote, remote, policy)

    def start(self, key: Key, process: int = 0) -> Pass:
        """Start a pass and run it to its first request."""
        memories = self.memories.setdefault(process, Memories())
        if key.kind in BY_NAME:
            coroutine = reconcile(BY_NAME[key.kind], key, self.ports(), memories)
        else:
            coroutine = reconcile_account(key, KIND_NAMES, self.ports(), memories)
        run = Pass(key, process, coroutine)
        self.passes.append(run)
        self._resume(run, lambda: run.coroutine.send(None))
        return run

    def execute(self, run: Pass) -> None:
        """Let the world do what the pass asks; the answer is not delivered yet."""
        assert run.request is not None
        assert not run.executed
        try:
            run.answer = getattr(self, f"_{run.request.port}")(*run.request.arguments)
        except (ServiceError, StaleError, NotSentError, PacedError) as error:
            run.answer = error
        run.executed = True

    def deliver(self, run: Pass) -> None:
        """Hand the answer to the pass, which runs on to its next request or its end."""
        assert run.executed
        answer, run.executed = run.answer, False
        if isinstance(answer, Exception):
            self._resume(run, lambda: run.coroutine.throw(answer))
        else:
            self._resume(run, lambda: run.coroutine.send(answer))

    def step(self, run: Pass) -> None:
        """Do one request of a pass, whole."""
        self.execute(run)
        self.deliver(run)

    def _resume(self, run: Pass, move: Callable[[], Asked]) -> None:
        try:
            run.request = move()
        except StopIteration as stop:
            run.request, run.outcome = None, stop.value
        except (ServiceError, StaleError, NotSentError, PacedError) as error:
            run.request, run.error = None, error
        if run.over:
            self.passes.remove(run)

    def crash(self, process: int = 0) -> None:
        """Let a process die: its passes and its memory are gone."""
        for run in [run for run in self.passes if run.process == process]:
            run.coroutine.close()
            self.passes.remove(run)
        self.memories.pop(process, None)
        self.agendas.pop(process, None)

    def run(self, key: Key, process: int = 0) -> Pass:
        """Do one whole pass."""
        run = self.start(key, process)
        while not run.over and run in self.passes:
            self.requests += 1
            if self.dies_at is not None and self.dies_at[0] == self.requests:
                after, self.dies_at = self.dies_at[1], None
                if after:
                    self.execute(run)
                self.crash(process)
                break
            self.step(run)
        return run

    def settle(self, process: int = 0, seconds: float = 3000.0) -> None:
        """Run passes as the queue would, until nobody asks for one within a list interval."""
        end = self.seconds + seconds
        while (due := self._due(process)) is not None:
            key, when = due
            if self._at_rest(process):
                return
            if when > end:
                stuck = {str(k): r.condition("Ready") for k, r in self.resources.items()}
                message = f"not at rest after {seconds} s: {stuck}"
                raise AssertionError(message)
            self.tick(max(when - self.seconds, 0.0))
            self._run_due(key, process)

    def settle_until_death(self, process: int = 0) -> None:
        """Run passes as the queue would, until the process dies where it was told to."""
        while self.dies_at is not None and (due := self._due(process)) is not None:
            self.tick(max(due[1] - self.seconds, 0.0))
            self._run_due(due[0], process)

    def _at_rest(self, process: int) -> bool:
        agenda, calm = self.agendas[process], self.calm.get(process, {})
        return all(
            key in agenda
            and agenda[key][1] == _people_s(resource)
            and calm.get(key)
            and agenda[key][0] > self.seconds
            for key, resource in self.resources.items()
        )

    def rest(self, seconds: float, process: int = 0) -> None:
        """Run the passes that are due in some seconds of time."""
        end = self.seconds + seconds
        while (due := self._due(process)) is not None and due[1] <= end:
            self.tick(max(due[1] - self.seconds, 0.0))
            self._run_due(due[0], process)
        self.tick(end - self.seconds)

    def _due(self, process: int) -> tuple[Key, float] | None:
        agenda = self.agendas.setdefault(process, {})
        for key, resource in self.resources.items():
            known = agenda.get(key)
            if known is None or known[1] != _people_s(resource):
                agenda[key] = (self.seconds, _people_s(resource))
        due = [(when, key) for key, (when, _) in agenda.items() if key in self.resources]
        return (min(due)[1], min(due)[0]) if due else None

    def _run_due(self, key: Key, process: int) -> None:
        before = _news(self.resources.get(key))
        run = self.run(key, process)
        after = self.resources.get(key)
        agenda = self.agendas.setdefault(process, {})
        outcome = run.outcome
        again = 1.0 if outcome is None else outcome.again
        long = again is None or again >= self.pace.list_interval * 0.9
        resting = outcome is not None and (long or outcome.urgency is Urgency.DRIFT)
        self.calm.setdefault(process, {})[key] = resting
        if after is None or again is None:
            agenda.pop(key, None)
        if after is not None:
            agenda[key] = (self.seconds + (1e9 if again is None else again), _people_s(after))
        if _news(after) != before:
            for other, resource in self.resources.items():
                if other != key:
                    agenda[other] = (self.seconds, _people_s(resource))

    # -- what Kubernetes does ------------------------------------------------------------------

    def _read(self, key: Key) -> Resource | None:
        return self.resources.get(key)

    def _list(self, kind: str, namespace: str | None) -> tuple[Resource, ...]:
        return tuple(
            resource
            for key, resource in sorted(self.resources.items())
            if key.kind == kind and namespace in {None, key.namespace}
        )

    def _current(self, resource: Resource) -> Resource:
        current = self.resources.get(resource.key)
        if current is None or (current.uid, current.version) != (resource.uid, resource.version):
            raise StaleError
        return current

    def _confirm(self, resource: Resource) -> None:
        self._current(resource)

    def _write_status(self, resource: Resource, changes: Mapping[str, Any]) -> Resource:
        current = self._current(resource)
        status = merged(current.status, changes)
        written = replace(current, status=status)
        check_status(written)
        self.statuses_seen += 1
        self.patches.append((resource.key, "status"))
        return self._put(written)

    def _hold(self, resource: Resource) -> Resource:
        current = self._current(resource)
        assert not current.deleting, "Kubernetes refuses new finalizers on what is being deleted"
        self.patches.append((resource.key, "finalizer"))
        return self._put(replace(current, finalizers=(*current.finalizers, FINALIZER)))

    def _release(self, resource: Resource) -> None:
        current = self.resources.get(resource.key)
        if current is None or current.uid != resource.uid:
            return
        kept = tuple(name for name in current.finalizers if name != FINALIZER)
        if current.deleting and not kept:
            del self.resources[resource.key]
        else:
            self._put(replace(current, finalizers=kept))

    # -- what AWS does -------------------------------------------------------------------------

    def _reserve(self, identity: Identity, service: str, operation: str) -> None:
        del identity, service, operation

    def _call(
        self,
        identity: Identity,
        service: str,
        operation: str,
        parameters: Any,
        _reserved: bool,  # noqa: FBT001  same
        not_after: float | None,
    ) -> Any:
        if not_after is not None and self.seconds > not_after:
            raise NotSentError
        asked = Asked("call", (identity, service, operation, parameters))
        self.on_call(asked)
        caller = Caller(identity.account, f"arn:aws:iam::{identity.account}:root", identity.region)
        exchange = Exchange(operation_model(service, operation), parameters)
        try:
            result = self.aws.handle(Request(caller, service, operation, parameters))
        except WireError as error:
            raise classify(exchange, client_error(error, operation)) from None
        except AnswerLostError as error:
            raise classify(exchange, error) from None
        if self.drop_answer(asked):
            raise ServiceError(Failure.UNAVAILABLE, "ReadTimeoutError", "no answer")
        return result

    def _sighting(self, identity: Identity, listing: Any, scope: Any, since: float) -> Sighting:
        assert since <= self.seconds, "nobody can ask for a List of the future"
        items: list[Any] = []
        parameters = {**scope, "maxResults": 100}
        while True:
            answer = self._call(
                identity,
                listing.service,
                listing.operation,
                parameters,
                _reserved=False,
                not_after=None,
            )
            items.extend(answer[listing.items])
            if "nextToken" not in answer:
                return Sighting(self.seconds, tuple(items))
            parameters = {**parameters, "nextToken": answer["nextToken"]}

    # -- what a test asks ----------------------------------------------------------------------

    def ask(self, account: str, service: str, operation: str, **parameters: Any) -> Any:
        """Ask AWS as an account, beside the operator."""
        caller = Caller(account, f"arn:aws:iam::{account}:root", REGION)
        return self.aws.handle(Request(caller, service, operation, parameters))

    def objects(self, account: str) -> list[str]:
        """Return the ARNs of what an account has: collaborations of its own, and memberships."""
        made = self.ask(account, "cleanrooms", "ListCollaborations")["collaborationList"]
        joined = self.ask(account, "cleanrooms", "ListMemberships")["membershipSummaries"]
        own = [item["arn"] for item in made if item["creatorAccountId"] == account]
        return [*own, *(item["arn"] for item in joined)]

    def applied(self, *operations: str) -> int:
        """Return how many calls of these operations took effect."""
        return sum(r.applied and r.operation in operations for r in self.aws.log.since(0))

    def sent(self, *operations: str) -> int:
        """Return how many calls of these operations reached AWS."""
        return sum(r.operation in operations for r in self.aws.log.since(0))


def _people_s(resource: Resource) -> object:
    """Return what people decide of a resource: a change of it wakes the operator."""
    return (resource.uid, resource.generation, tuple(sorted(resource.annotations.items())))


def _news(resource: Resource | None) -> object:
    """Return what matters to other resources."""
    if resource is None:
        return None
    return (resource.is_true("Ready"), resource.status.get("identifier"), resource.deleting)


class Unlimited:
    """Rates that admit everything."""

    def admit(self, *_: object, **__: object) -> bool:
        return True


def merged(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON merge patch's result (RFC 7386)."""
    result = dict(before)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            known = result.get(name)
            result[name] = merged(known if isinstance(known, Mapping) else {}, value)
        else:
            result[name] = value
    return result


@cache
def _service_model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def operation_model(service: str, operation: str) -> Any:
    return _service_model(service).operation_model(operation)


def client_error(error: WireError, operation: str) -> ClientError:
    response = {"Error": {"Code": error.code, "Message": error.message}, **error.members}
    return ClientError(response, operation)
