"""The pass under way, for those who tell of it: logs know whose it is without being told."""

from contextvars import ContextVar
from dataclasses import dataclass

from cleanrooms_operator.core.resource import Key


@dataclass(slots=True)
class Pass:
    """One run of `reconcile` for one resource."""

    key: Key
    id: str
    generation: int | None
    """The generation that it began with; None: there was no such resource."""
    writes: int = 0
    """How many writes of the resource the API server accepted."""


CURRENT: ContextVar[Pass | None] = ContextVar("current_pass", default=None)
