"""Answers of the List operations: values in order of creation, by the page."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from cleanrooms_emulator.behaviour.world import World
from cleanrooms_emulator.paging import PageSize, page
from cleanrooms_emulator.request import Caller, Document


class Listed(Protocol):
    """What can be listed: it has an age, and a key among others of that age."""

    @property
    def key(self) -> str:
        """Return what tells it from the others of its list."""
        ...

    @property
    def created(self) -> datetime:
        """Return since when it is there."""
        ...


ML_PAGE = 10
"""How long a page of Clean Rooms ML is where nobody asks (ER-2)."""

L = TypeVar("L", bound=Listed)


@dataclass(frozen=True, slots=True)
class Listing(Generic[L]):
    """What a List has to show: under which name, which values, and how each looks.

    `default` is the length of a page where the caller asks for none.
    """

    name: str
    values: Iterable[L]
    show: Callable[[L], Document]
    default: int = 100

    def answer(self, world: World, caller: Caller, parameters: Mapping[str, Any]) -> Document:
        """Return the page that `parameters` ask for."""
        reading = world.rules.page_size
        size = PageSize(1 if reading == "one" else self.default, short=reading == "short")
        scope = f"{caller.account} {caller.region} {self.name}"
        shown, token = page(self.values, parameters, size, key=_age, scope=scope)
        following = {} if token is None else {"nextToken": token}
        return {self.name: [self.show(value) for value in shown], **following}


def _age(value: Listed) -> str:
    return f"{value.created.isoformat(timespec='microseconds')} {value.key}"
