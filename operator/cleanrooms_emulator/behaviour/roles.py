"""IAM roles that requests name: whose they are, and whether IAM has heard of them yet."""

from dataclasses import dataclass

from cleanrooms_emulator.behaviour.world import World, denied, invalid
from cleanrooms_emulator.request import Caller
from cleanrooms_emulator.store import Value

_ATTEMPTS_BEFORE_KNOWN = 2
"""How many uses of a new role fail while IAM propagates it (ER-30)."""


@dataclass(frozen=True, slots=True)
class RoleUse(Value):
    """How often a role was named while it was new."""

    arn: str
    uses: int

    @property
    def key(self) -> str:
        """The role's ARN."""
        return self.arn


def check_role(world: World, caller: Caller, arn: str, *, is_ml: bool) -> None:
    """Refuse another account's role, and one that is too new.

    Assumption: a role of another account is AccessDenied, as iam:PassRole would be.
    """
    if arn.split(":")[4] != caller.account:
        message = f"role {arn} belongs to another account"
        raise denied(message)
    if world.rules.iam_delay == "none":
        return
    seen = world.store.get(RoleUse, arn) or RoleUse(arn, 0)
    if seen.uses >= _ATTEMPTS_BEFORE_KNOWN:
        return
    world.store.put(RoleUse(arn, seen.uses + 1))
    message = f"role {arn} cannot be assumed"
    if is_ml and world.rules.iam_delay == "denied":
        raise denied(message)
    raise invalid(message, "IAM_SYNCHRONIZATION_DELAY")
