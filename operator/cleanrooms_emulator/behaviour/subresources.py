"""What a membership still holds, and therefore cannot be deleted with."""

from cleanrooms_emulator.behaviour.ml_objects import MLConfiguration
from cleanrooms_emulator.behaviour.objects import Membership
from cleanrooms_emulator.behaviour.world import World


def blockers(world: World, membership: Membership) -> list[str]:
    """Return what keeps the membership from being deleted, in words (ER-7)."""
    if world.rules.membership_blockers == "associations":
        return []
    held = world.store.get(MLConfiguration, membership.id)
    return ["an ML configuration"] if held else []
