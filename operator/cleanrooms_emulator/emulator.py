"""The emulated services as one synchronous object: a request in, a result or an error out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cleanrooms_emulator.backends import backends
from cleanrooms_emulator.faults import (
    DURING,
    AnswerLostError,
    ConnectionCutError,
    DamagedAnswerError,
    Fault,
    FaultKind,
    Faults,
    lose,
    prevent,
    seconds_of,
    throttling,
)
from cleanrooms_emulator.history import History
from cleanrooms_emulator.identities import Identities
from cleanrooms_emulator.log import ANSWERED_CUT, ANSWERED_OK, Record, RequestLog
from cleanrooms_emulator.model import Operation, operation
from cleanrooms_emulator.rates import Rates
from cleanrooms_emulator.request import (
    Answer,
    Caller,
    Clock,
    Document,
    Ids,
    Request,
    ServiceError,
    Wall,
)
from cleanrooms_emulator.rules import Rules
from cleanrooms_emulator.store import Store
from cleanrooms_emulator.sts import SecurityTokenService
from cleanrooms_emulator.validation import examined, validated

Behaviour = Callable[[Clock, Rules, Ids, Store], Mapping[str, object]]
"""Makes the backends of the services over a store; cheap, for a lagging read has its own."""


class BackendDefectError(Exception):
    """A backend has answered what the model does not allow it to: a bug of the emulator."""


@dataclass(slots=True)
class _Outcome:
    """What is known of a request so far, for the log."""

    applied: bool = False
    created: str | None = None
    answered: str | None = None


class Emulator:
    """Both services and STS, for all accounts.

    It starts no thread, never waits, and asks only the clocks that it is given: due changes of
    state are applied by each call. `faults`, `rates`, `identities`, `sts` and `log` are for tests
    and for the edge to set and read.
    """

    def __init__(
        self, clock: Clock, rules: Rules, ids: Ids, *, wall: Wall, behaviour: Behaviour = backends
    ) -> None:
        """Start with an empty store."""
        self.clock = clock
        self.wall = wall
        self.store = Store()
        self.faults = Faults()
        self.rates = Rates(wall)
        self.identities = Identities(wall, ids)
        self.sts = SecurityTokenService(self.identities)
        self.log = RequestLog()
        self._ids = ids
        self._behaviour = behaviour
        self._history = History()
        self.use_rules(rules)

    @property
    def rules(self) -> Rules:
        """How the undocumented points are read."""
        return self._rules

    def use_rules(self, rules: Rules) -> None:
        """Read the undocumented points this way from now on."""
        self._rules = rules
        self._backends = self._backends_over(self.store)

    def delays(self, request: Request) -> tuple[float, float]:
        """Return the seconds that faults hold this request back, and then its answer.

        Whoever can wait asks this before `handle`, once; the emulator itself never waits.
        """
        struck = self.faults.strike(request, (FaultKind.DELAY, FaultKind.DELAY_RESPONSE))
        return seconds_of(struck, FaultKind.DELAY), seconds_of(struck, FaultKind.DELAY_RESPONSE)

    def handle(self, request: Request) -> Document:
        """Answer one request.

        Raises ServiceError for an error answer, AnswerLostError where a fault lets no answer
        through, and BackendDefectError for a bug.
        """
        outcome = _Outcome(answered="InternalFailure")
        try:
            result = self._answer(request, outcome)
        except ServiceError as error:
            outcome.answered = error.code
            raise
        except AnswerLostError as lost:
            outcome.answered = _seen_of(lost)
            raise
        else:
            outcome.answered = ANSWERED_OK
            return result
        finally:
            self._record(request, outcome)

    def refuse(self, request: Request, error: ServiceError) -> ServiceError:
        """Log a request that did not get past the front end, and return its error."""
        self._record(request, _Outcome(answered=error.code))
        return error

    def _answer(self, request: Request, outcome: _Outcome) -> Document:
        asked = operation(request.service, request.operation)
        if asked is None:
            raise unknown_operation()
        parameters = validated(asked, request.parameters)
        if getattr(self._backends[asked.service], asked.method_name, None) is None:
            raise _not_implemented(asked)
        self._admit(request.caller, asked)
        struck = self.faults.strike(request, DURING)
        prevent(struck, request, asked)
        try:
            result = self._perform(asked, request.caller, parameters, struck)
        except ServiceError:
            lose(struck, None)
            raise
        outcome.applied = True
        outcome.created = created_by(asked, result)
        lose(struck, result)
        return result

    def _admit(self, caller: Caller, asked: Operation) -> None:
        """Refuse a call over its rate; an operation that models no throttling, in front of it."""
        unlisted = self._rules.unlisted_rates == "assumed"
        if not self.rates.admit(caller, asked, unlisted=unlisted):
            modelled = "ThrottlingException" in asked.errors
            raise throttling(int(self._rules.throttle_status) if modelled else 400)

    def _perform(
        self, asked: Operation, caller: Caller, parameters: Document, struck: list[Fault]
    ) -> Document:
        """Let the backend answer, over the past if a lag says so, and check what it says."""
        self.store.advance(self.clock.now())
        self._remember()
        lag = seconds_of(struck, FaultKind.LAG) if asked.is_read else 0.0
        past = self._history.as_of(self.wall() - lag) if lag else None
        over = self._backends if past is None else self._backends_over(past)
        method: Answer = getattr(over[asked.service], asked.method_name)
        try:
            answer = method(caller, parameters)
        except ServiceError as error:
            raise _checked(asked, error) from None
        result, problems = examined(asked.output, answer)
        if problems:
            message = f"{asked.name} answers {'; '.join(map(str, problems))}"
            raise BackendDefectError(message)
        self._remember()
        return result

    def _remember(self) -> None:
        self._history.record(self.wall(), self.store, self.faults.longest_lag)

    def _backends_over(self, store: Store) -> Mapping[str, object]:
        made = self._behaviour(self.clock, self._rules, self._ids, store)
        return {"cleanrooms": None, "cleanroomsml": None, **made, "sts": self.sts}

    def _record(self, request: Request, outcome: _Outcome) -> None:
        caller = request.caller
        self.log.append(
            Record(
                sequence=self.log.next_sequence(),
                emulated=self.clock.now(),
                wall=self.wall(),
                account=caller.account,
                principal=caller.principal,
                region=caller.region,
                service=request.service,
                operation=request.operation,
                parameters=request.parameters,
                applied=outcome.applied,
                created=outcome.created,
                answered=outcome.answered,
                invocation_id=request.invocation_id,
                attempt=request.attempt,
            )
        )


def created_by(asked: Operation, result: Mapping[str, Any]) -> str | None:
    """Return the ARN, else the identifier, of what a create or start has made."""
    if not asked.name.startswith(("Create", "Start")):
        return None
    inner = [value for value in result.values() if isinstance(value, Mapping)]
    made = inner[0] if inner else result
    arns = [value for name, value in made.items() if name == "arn" or name.endswith("Arn")]
    return next(iter(arns), made.get("id"))


def unknown_operation() -> ServiceError:
    """Return the answer to a call that is none of the services'."""
    return ServiceError("UnknownOperationException", "No such operation")


def _not_implemented(asked: Operation) -> ServiceError:
    message = f"the emulator routes and validates {asked.name}, but has no behaviour for it yet"
    return ServiceError("EmulatorNotImplemented", message)


def _seen_of(lost: AnswerLostError) -> str | None:
    match lost:
        case ConnectionCutError(silent_seconds=0):
            return ANSWERED_CUT
        case ConnectionCutError():
            return None
        case DamagedAnswerError(kind=kind):
            return kind.value
        case _:
            return ANSWERED_CUT


def _checked(asked: Operation, error: ServiceError) -> Exception:
    """Return the error with the members that its shape has, or the defect that it shows."""
    if asked.service == "sts":
        return error
    shape = asked.errors.get(error.code)
    if shape is None:
        return BackendDefectError(f"{asked.name} does not model {error.code}: {error.message}")
    members = {name: value for name, value in error.members.items() if name in shape.members}
    _, problems = examined(shape, {"message": error.message, **members})
    if problems:
        return BackendDefectError(f"{asked.name}, {error.code}: {'; '.join(map(str, problems))}")
    return ServiceError(error.code, error.message, status=error.status, **members)
