"""How often an account may call an operation: token buckets in wall time.

Source of the listed rates: the quota pages of both user guides (2026). A burst is stated for few;
elsewhere it is assumed to be one second's worth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cleanrooms_emulator.model import Operation
from cleanrooms_emulator.request import Caller, Wall


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls a second in the long run, and how many may come at once."""

    steady: float
    burst: float


_CLEANROOMS = Rate(5, 5)
_CLEANROOMS_FASTER = Rate(20, 20)
_FAST = Rate(50, 50)
_MODERATE = Rate(10, 10)
_ENDING = Rate(2, 10)
_RUNNING = Rate(1, 3)

_LISTED: Mapping[tuple[str, str], Rate] = MappingProxyType(
    {
        ("cleanrooms", "GetConfiguredTable"): _CLEANROOMS_FASTER,
        ("cleanrooms", "GetProtectedQuery"): _CLEANROOMS_FASTER,
        ("cleanroomsml", "CreateConfiguredModelAlgorithm"): _MODERATE,
        ("cleanroomsml", "CreateConfiguredModelAlgorithmAssociation"): _MODERATE,
        ("cleanroomsml", "PutMLConfiguration"): _MODERATE,
        ("cleanroomsml", "StartTrainedModelExportJob"): _MODERATE,
        ("cleanroomsml", "CreateTrainedModel"): _RUNNING,
        ("cleanroomsml", "StartTrainedModelInferenceJob"): _RUNNING,
        ("cleanroomsml", "DeleteConfiguredModelAlgorithm"): _ENDING,
        ("cleanroomsml", "DeleteConfiguredModelAlgorithmAssociation"): _ENDING,
        ("cleanroomsml", "DeleteMLConfiguration"): _ENDING,
        ("cleanroomsml", "DeleteTrainedModelOutput"): _ENDING,
        ("cleanroomsml", "TagResource"): _MODERATE,
        ("cleanroomsml", "UntagResource"): _FAST,
    }
)


def rate_of(operation: Operation, *, unlisted: bool) -> Rate | None:
    """Return the rate of an operation, None if it has none.

    `unlisted` gives those that AWS does not list rates of their own (ER-27), which are assumed.
    """
    listed = _LISTED.get((operation.service, operation.name))
    if listed is not None:
        return listed
    match operation.service:
        case "cleanrooms":
            return _CLEANROOMS
        case "cleanroomsml":
            return _ml_rate(operation, unlisted=unlisted)
        case _:
            return None


def _ml_rate(operation: Operation, *, unlisted: bool) -> Rate | None:
    if operation.is_read and "Collaboration" not in operation.name:
        return _FAST
    if not unlisted:
        return None
    if operation.is_read:
        return _FAST
    return _ENDING if operation.name.startswith(("Delete", "Cancel")) else _MODERATE


@dataclass(slots=True)
class _Bucket:
    """The calls that are left, as of a moment."""

    left: float
    at: float


class Rates:
    """What each account has left of its rates, by region and operation."""

    def __init__(self, wall: Wall) -> None:
        """Start with full buckets; nothing is refused until `enforced` is set."""
        self.enforced = False
        self._wall = wall
        self._buckets: dict[tuple[str, str, str, str], _Bucket] = {}

    def admit(self, caller: Caller, operation: Operation, *, unlisted: bool = True) -> bool:
        """Take one call from the caller's bucket; False if it is empty."""
        rate = rate_of(operation, unlisted=unlisted) if self.enforced else None
        if rate is None:
            return True
        now = self._wall()
        key = (caller.account, caller.region, operation.service, operation.name)
        bucket = self._buckets.setdefault(key, _Bucket(rate.burst, now))
        bucket.left = min(rate.burst, bucket.left + (now - bucket.at) * rate.steady)
        bucket.at = now
        if bucket.left < 1:
            return False
        bucket.left -= 1
        return True
