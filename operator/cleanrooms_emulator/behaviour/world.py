"""What every behaviour is given, and the errors that it answers with."""

from dataclasses import dataclass
from datetime import datetime

from cleanrooms_emulator import quotas
from cleanrooms_emulator.request import Clock, Ids, ServiceError
from cleanrooms_emulator.rules import Rules
from cleanrooms_emulator.store import Store

COLLABORATION = "COLLABORATION"
MEMBERSHIP = "MEMBERSHIP"
"""What errors of Clean Rooms call the two; the model has two more types, which are not here."""


@dataclass(frozen=True, slots=True)
class World:
    """The accounts' objects, and what decides how they change."""

    clock: Clock
    rules: Rules
    ids: Ids
    store: Store

    @property
    def now(self) -> datetime:
        """The emulated moment."""
        return self.clock.now()


def denied(message: str) -> ServiceError:
    """Return the error of a caller that may not, or may not know whether there is anything."""
    return ServiceError("AccessDeniedException", message, reason="INSUFFICIENT_PERMISSIONS")


def missing(kind: str, identifier: str) -> ServiceError:
    """Return the error of an object that is not there; `kind` as in "COLLABORATION"."""
    message = f"{kind.replace('_', ' ').lower()} {identifier} not found"
    return ServiceError(
        "ResourceNotFoundException", message, resourceId=identifier, resourceType=kind
    )


def invalid(message: str, reason: str = "INVALID_CONFIGURATION") -> ServiceError:
    """Return the error of a request that no state of the account makes right."""
    return ServiceError("ValidationException", message, reason=reason)


def conflict(message: str, kind: str, identifier: str, reason: str) -> ServiceError:
    """Return the error of a request that the present state forbids."""
    return ServiceError(
        "ConflictException", message, resourceId=identifier, resourceType=kind, reason=reason
    )


def check_quota(world: World, quota: str, used: int, subject: str = "") -> None:
    """Refuse one more of what an account already has `used` of.

    `quota` as in `Quotas`; `subject` is what it is for, where it is one for each of many.
    """
    value = getattr(world.rules.quotas, quota)
    if used < value:
        return
    name = quotas.NAMES[quota].format(subject)
    message = f"the quota {name!r} of {value} is reached"
    code = "ServiceQuotaExceededException"
    raise ServiceError(code, message, quotaName=name, quotaValue=float(value))
