"""What a membership still holds, and therefore cannot be deleted with."""

from cleanrooms_emulator.behaviour.ml_objects import (
    CANCELLING,
    Association,
    Channel,
    InferenceJob,
    MLConfiguration,
    TrainedModel,
)
from cleanrooms_emulator.behaviour.objects import AnalysisTemplate, Membership
from cleanrooms_emulator.behaviour.world import World


def blockers(world: World, membership: Membership) -> list[str]:
    """Return what keeps the membership from being deleted, in words (ER-7)."""
    store, scope = world.store, membership.id
    held = {
        "analysis templates": any(store.list(AnalysisTemplate, scope)),
        "algorithm associations": any(store.list(Association, scope)),
    }
    if world.rules.membership_blockers == "all":
        jobs = store.list(InferenceJob, scope)
        held |= {
            "an ML configuration": store.get(MLConfiguration, scope) is not None,
            "ML input channels": any(not each.is_over for each in store.list(Channel, scope)),
            "trained models": any(not each.is_over for each in store.list(TrainedModel, scope)),
            "inference jobs": any(each.is_unfinished or each.status in CANCELLING for each in jobs),
        }
    return [what for what, is_held in held.items() if is_held]
