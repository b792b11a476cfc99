"""Everything that the emulated accounts hold, as immutable values.

A value is found by its type and key, listed by its type and scope in order of creation, and
replaced as a whole. So a copy of the store is as cheap as its index, and stays what it was.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self, TypeVar


class Value:
    """Base of what the store holds: frozen, so that a copy of the store may share it."""

    __slots__ = ()

    @property
    def key(self) -> str:
        """Return what tells this value from others of its type."""
        raise NotImplementedError

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return what this value is listed under; it never changes."""
        return ()

    @property
    def due(self) -> datetime | None:
        """Return when this value changes by itself, None for never."""
        return None

    def advanced(self, store: "Store") -> "Value":
        """Return the value that this one becomes when it is due."""
        raise NotImplementedError


V = TypeVar("V", bound=Value)


@dataclass(frozen=True, slots=True)
class Failure:
    """What a run is to fail with.

    `kind` is "MLInputChannel", "TrainedModel", "TrainedModelInferenceJob" or
    "TrainedModelExportJob"; `name` the run's name, None for the next of its kind; `action` what
    of it fails: "create", "delete" or "cancel".
    """

    kind: str
    status_code: str
    message: str
    name: str | None = None
    action: str = "create"


@dataclass(frozen=True, slots=True, order=True)
class _Alarm:
    """When a value was due as it was put; numbers keep the order within a moment."""

    at: datetime
    number: int
    table: type[Value] = field(compare=False)
    key: str = field(compare=False)


@dataclass(slots=True)
class _Table:
    """The values of one type; a dict stands for an ordered set."""

    values: dict[str, Value] = field(default_factory=dict)
    scopes: dict[str, dict[str, None]] = field(default_factory=dict)

    def copy(self) -> "_Table":
        scopes = {scope: dict(keys) for scope, keys in self.scopes.items()}
        return _Table(dict(self.values), scopes)


@dataclass(slots=True)
class Store:
    """The values of all accounts and regions, and a heap of when the next ones change."""

    _tables: dict[type[Value], _Table] = field(default_factory=dict)
    _alarms: list[_Alarm] = field(default_factory=list)
    _number: int = 0
    _failures: list[Failure] = field(default_factory=list)
    changes: int = 0
    """How often a value was put or removed: where that is the same, all values are."""

    def get(self, table: type[V], key: str) -> V | None:
        """Return the value of that type and key, if there is one."""
        value = self._table(table).values.get(key)
        return value if isinstance(value, table) else None

    def list(self, table: type[V], scope: str) -> Iterator[V]:
        """Iterate over the values of that type and scope, in order of creation."""
        held = self._table(table)
        for key in tuple(held.scopes.get(scope, ())):
            value = held.values.get(key)
            if isinstance(value, table):
                yield value

    def put(self, value: V) -> V:
        """Hold `value` in place of the one of its type and key, and return it."""
        self.changes += 1
        table = self._table(type(value))
        table.values[value.key] = value
        for scope in value.scopes:
            table.scopes.setdefault(scope, {})[value.key] = None
        due = value.due
        if due is not None:
            self._number += 1
            heapq.heappush(self._alarms, _Alarm(due, self._number, type(value), value.key))
        return value

    def remove(self, value: Value) -> None:
        """Forget the value of this type and key."""
        self.changes += 1
        table = self._table(type(value))
        del table.values[value.key]
        for scope in value.scopes:
            del table.scopes[scope][value.key]

    def advance(self, now: datetime) -> None:
        """Let every value change that is due at `now`, the earliest first."""
        while self._alarms and self._alarms[0].at <= now:
            alarm = heapq.heappop(self._alarms)
            value = self.get(alarm.table, alarm.key)
            # A value that was replaced since has an alarm of its own, or needs none.
            if value is not None and value.due == alarm.at:
                self.put(value.advanced(self))

    def fail_next(self, failure: Failure) -> None:
        """Let the next run that it fits fail so, once."""
        self._failures.append(failure)

    def failure_of(self, kind: str, name: str, action: str = "create") -> Failure | None:
        """Return, and use up, what the run of this name is to fail with, if it is to fail."""
        for failure in self._failures:
            if (failure.kind, failure.action) == (kind, action) and failure.name in {None, name}:
                self._failures.remove(failure)
                return failure
        return None

    def copy(self) -> Self:
        """Return a store that later changes to this one do not reach."""
        tables = {kind: table.copy() for kind, table in self._tables.items()}
        failures = list(self._failures)
        return type(self)(tables, list(self._alarms), self._number, failures, self.changes)

    def _table(self, table: type[Value]) -> _Table:
        return self._tables.setdefault(table, _Table())
