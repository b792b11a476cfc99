"""Five memberships of one company, each with a hundred runs: what a busy operator looks after."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from cleanrooms_emulator.quotas import Quotas
from cleanrooms_emulator.rules import Rules
from cleanrooms_operator.core.pace import Pace
from cleanrooms_operator.core.quotas import Limits
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.runtime.ports import Ports
from simulation import specs
from simulation.guard import Guard
from simulation.world import Pass, World

MEMBERSHIPS = tuple(f"study-{number}" for number in range(5))
EACH = {"MLInputChannel": 40, "TrainedModel": 30, "InferenceJob": 30}
"""How many runs of each kind a membership has."""

ENOUGH = 1000
"""More than there is of anything: quotas have tests of their own."""
LIMITS = Limits(
    trainings=ENOUGH,
    membership_trainings=ENOUGH,
    training_instances=ENOUGH,
    training_instances_by_type={"ml.m5.2xlarge": ENOUGH},
    inference_jobs=ENOUGH,
    membership_inference_jobs=ENOUGH,
)
QUOTAS = Quotas(
    trainings=ENOUGH,
    trainings_per_membership=ENOUGH,
    training_instances=ENOUGH,
    common_instances_per_type=ENOUGH,
    inference_jobs=ENOUGH,
    inference_jobs_per_membership=ENOUGH,
)


class Bystander(Guard):
    """Asks nothing of each change: what it would ask of so many takes longer than they do."""

    def allow(self, world: World, run: Pass) -> None:
        """Let it pass: fewer runs are guarded elsewhere."""

    def note(self, world: World, run: Pass) -> None:
        """Take no note."""


class Fleet(World):
    """A world whose operator knows that AWS granted higher quotas."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.guard = Bystander()

    def ports(self) -> Ports:
        ports = super().ports()
        return replace(ports, policy=replace(ports.policy, quotas=LIMITS))


def fleet(pace: Pace) -> World:
    """Return a world in which each membership has a channel and a model to work with."""
    world = Fleet(rules=Rules(quotas=QUOTAS), pace=pace)
    specs.accounts(world)
    world.apply("ConfiguredModelAlgorithm", "churn", specs.algorithm())
    for study in MEMBERSHIPS:
        _found(world, study)
        for kind in EACH:
            apply(world, kind, study, ["first"])
    world.settle(seconds=6000.0)
    return world


def apply(world: World, kind: str, study: str, suffixes: Iterable[str]) -> tuple[Key, ...]:
    """Apply runs of a kind in one membership, which use the first channel and model of it."""
    spec = _SPECS[kind](study)
    return tuple(world.apply(kind, f"{study}-{suffix}", spec) for suffix in suffixes)


def _found(world: World, study: str) -> None:
    alone = {"members": [], "creatorMemberAbilities": ["CAN_QUERY", "CAN_RECEIVE_RESULTS"]}
    world.apply("Collaboration", study, specs.collaboration(name=study, **alone))
    joining = specs.creators_membership(collaborationRef={"name": study})
    world.apply("Membership", study, joining)
    published = specs.association(membershipRef={"name": study})
    world.apply("ConfiguredModelAlgorithmAssociation", study, published)


def _channel(study: str) -> Any:
    spec = specs.channel(
        membershipRef={"name": study},
        configuredModelAlgorithmAssociationRefs=[{"name": study}],
    )
    del spec["sharedConfiguredModelAlgorithmAssociations"]
    spec["inputChannel"]["roleArn"] = specs.ROLE.format(account=specs.CREATOR)
    return spec


def _model(study: str) -> Any:
    spec = specs.model(
        membershipRef={"name": study},
        configuredModelAlgorithmAssociationRef={"name": study},
        dataChannels=[
            {"mlInputChannelRef": {"name": f"{study}-first"}, "channelName": "customers"}
        ],
    )
    del spec["sharedConfiguredModelAlgorithmAssociation"]
    return spec


def _job(study: str) -> Any:
    first = {"name": f"{study}-first"}
    return specs.job(
        membershipRef={"name": study},
        trainedModelRef=first,
        dataSource={"mlInputChannelRef": first},
    )


_SPECS = {"MLInputChannel": _channel, "TrainedModel": _model, "InferenceJob": _job}
