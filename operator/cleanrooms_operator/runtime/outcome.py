"""What a pass tells whoever runs it."""

from dataclasses import dataclass
from typing import Literal

from cleanrooms_operator.core.pace import Urgency


@dataclass(frozen=True, slots=True)
class Event:
    """Something a person may want to read; all of it is in the status too."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one pass."""

    step: str
    """Name of the step that was taken."""
    again: float | None
    """Seconds until the next look; None: only when something changes; 0: at once."""
    urgency: Urgency = Urgency.PROGRESS
    events: tuple[Event, ...] = ()
    drifted: int = 0
    """How many leaves of AWS were found to differ from the spec."""


GONE = Outcome("Gone", None)
"""There is no such resource any more."""
