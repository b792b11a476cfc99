"""All that a value must satisfy to be what a shape of the model describes.

The SDK checks required members, types and minimal lengths; everything else is the server's to
refuse. Messages name the member and the constraint, never the value, because members that the
model marks sensitive are among them. Their wording is an assumption; clients do not parse it.
"""

from collections.abc import Callable, Mapping, Sequence, Sized
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.model import Shape

from cleanrooms_emulator.model import Operation
from cleanrooms_emulator.patterns import matches
from cleanrooms_emulator.request import Document, ServiceError


@dataclass(frozen=True, slots=True)
class Problem:
    """A constraint that a value breaks: where, as `members[0].accountId`, and which."""

    path: str
    constraint: str

    def __str__(self) -> str:
        """Return the sentence that AWS would say of it."""
        return f"Value at '{self.path}' failed to satisfy constraint: {self.constraint}"


def validated(operation: Operation, parameters: Mapping[str, Any]) -> Document:
    """Return the parameters that the operation knows, without nulls.

    Raises ServiceError ValidationException if they break a constraint of the model.
    """
    if operation.input is None:
        return {}
    check = _Check(strict=False)
    known = check.structure(operation.input, parameters)
    if check.problems:
        raise _refusal(operation, check.problems)
    return known


def examined(shape: Shape | None, answer: Mapping[str, Any]) -> tuple[Document, list[Problem]]:
    """Return a copy of an answer of ours, and what is wrong with it.

    Unknown members and None count as wrong too. The copy shares nothing with the answer that a
    client could change.
    """
    if shape is None:
        return {}, [Problem(name, "No such member") for name in answer]
    check = _Check(strict=True)
    return check.structure(shape, answer), check.problems


def _refusal(operation: Operation, problems: list[Problem]) -> ServiceError:
    count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
    message = f"{count}: {'; '.join(map(str, problems))}"
    modelled = operation.errors.get("ValidationException")
    if modelled is None or "fieldList" not in modelled.members:
        return ServiceError("ValidationException", message)
    fields = [{"name": problem.path, "message": problem.constraint} for problem in problems]
    return ServiceError(
        "ValidationException", message, reason="FIELD_VALIDATION_FAILED", fieldList=fields
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_TYPES: Mapping[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": _is_integer,
    "long": _is_integer,
    "double": _is_number,
    "float": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "timestamp": lambda value: isinstance(value, datetime) and value.tzinfo is not None,
    "list": lambda value: isinstance(value, list | tuple),
    "map": lambda value: isinstance(value, Mapping),
    "structure": lambda value: isinstance(value, Mapping),
}


@dataclass(slots=True)
class _Check:
    """A walk over a value beside its shape, which gathers the problems on the way.

    `strict` is for answers: there an unknown member or a None is a problem, where a request's is
    ignored.
    """

    strict: bool
    problems: list[Problem] = field(default_factory=list)

    def structure(self, shape: Shape, given: Mapping[str, Any], path: str = "") -> Document:
        """Return what of `given` the shape knows."""
        known = {
            name: self._value(member, given[name], _within(path, name))
            for name, member in shape.members.items()
            if self._is_set(given, name)
        }
        for name in shape.required_members:
            if name not in known:
                self._break(_within(path, name), "Member must not be null")
        if shape.is_tagged_union and len(known) != 1:
            self._break(path, f"Member must have exactly one of [{', '.join(shape.members)}]")
        if self.strict:
            for name in given.keys() - shape.members.keys():
                self._break(_within(path, name), "No such member")
        return known

    def _value(self, shape: Shape, value: object, path: str) -> object:
        if getattr(shape, "is_document_type", False):
            return deepcopy(value)
        if value is None:
            self._break(path, "Member must not be null")
        elif not _TYPES[shape.type_name](value):
            self._break(path, f"Member must be a valid {shape.type_name}")
        else:
            return self._typed(shape, value, path)
        return value

    def _typed(self, shape: Shape, value: object, path: str) -> object:
        match value:
            case str():
                self._string(shape, value, path)
            case list() | tuple():
                return self._list(shape, value, path)
            case Mapping() if shape.type_name == "map":
                return self._map(shape, value, path)
            case Mapping():
                return self.structure(shape, value, path)
            case int() | float() if shape.type_name != "boolean":
                self._between(shape, value, path, "Member must have value")
        return value

    def _break(self, path: str, constraint: str) -> None:
        self.problems.append(Problem(path, constraint))

    def _is_set(self, given: Mapping[str, Any], name: str) -> bool:
        return name in given and (self.strict or given[name] is not None)

    def _map(self, shape: Shape, given: Mapping[str, Any], path: str) -> Document:
        self._length(shape, given, path)
        entries = {}
        for key in [key for key in given if self._is_set(given, key)]:
            # What a sensitive map has as keys is as much the customer's as its values.
            place = f"{path}.*" if shape.metadata.get("sensitive") else _within(path, key)
            self._value(shape.key, key, place)
            entries[key] = self._value(shape.value, given[key], place)
        return entries

    def _list(self, shape: Shape, given: Sequence[object], path: str) -> list[object]:
        self._length(shape, given, path)
        return [self._value(shape.member, one, f"{path}[{i}]") for i, one in enumerate(given)]

    def _string(self, shape: Shape, value: str, path: str) -> None:
        choices = shape.metadata.get("enum")
        if choices and value not in choices:
            self._break(path, f"Member must satisfy enum value set: [{', '.join(choices)}]")
        # An overlong value is not matched: some patterns take exponential time to refuse one.
        fits = self._length(shape, value, path)
        pattern = shape.metadata.get("pattern")
        if fits and pattern is not None and not matches(pattern, value):
            self._break(path, f"Member must satisfy regular expression pattern: {pattern}")

    def _length(self, shape: Shape, value: Sized, path: str) -> bool:
        return self._between(shape, len(value), path, "Member must have length")

    def _between(self, shape: Shape, value: float, path: str, constraint: str) -> bool:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if low is not None and value < low:
            self._break(path, f"{constraint} greater than or equal to {low}")
        elif high is not None and value > high:
            self._break(path, f"{constraint} less than or equal to {high}")
        else:
            return True
        return False


def _within(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
