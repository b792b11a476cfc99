"""The objects of the service Clean Rooms ML, as values of the store."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cleanrooms_emulator.store import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class MLConfiguration(Value):
    """Where a member receives models and results: one for each membership, or none."""

    membership: str
    location: Mapping[str, Any]
    created: datetime
    updated: datetime

    @property
    def key(self) -> str:
        """The membership's id."""
        return self.membership
