"""Payers come and go at any time, with deaths, lost answers and denials: who is billed then."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanrooms_emulator.behaviour import payments
from cleanrooms_emulator.behaviour.objects import Member
from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.request import Request, ServiceError
from cleanrooms_operator.core.resource import Key
from simulation import nights, specs, trainings
from simulation.invariants import check_rest
from simulation.specs import COLLABORATION, CREATOR, PARTNER, PARTNERS
from simulation.test_changing import THIRD, act, edit, partner, requests, third
from simulation.test_paying import PAYS_NOTHING, STUDIO, TRAINS, agree, join
from simulation.world import World

LAG = 90.0
NEW = trainings.SELDOM.progress_interval + LAG + 10.0
"""How old may be, in seconds, what the operator knew of the payer when it spent money."""

FAULTS = (
    Fault(kind=FaultKind.LOSE_RESPONSE, operation="Create*", count=1),
    Fault(kind=FaultKind.LOSE_REQUEST, operation="[CU]*", count=1),
    Fault(kind=FaultKind.THROTTLE, operation="Create*", count=4),
    Fault(kind=FaultKind.DENY, operation="List*"),
    Fault(kind=FaultKind.DENY, operation="Create*"),
    Fault(kind=FaultKind.LAG, operation="List*", seconds=LAG),
    Fault(kind=FaultKind.HTML, count=2),
)


@dataclass
class Auditor:
    """Sees every request that reaches AWS, and who could pay just then."""

    world: World
    able: dict[str, float] = field(default_factory=dict)
    """Account -> when it was a candidate for trainings last, and had joined."""
    billed: int = 0

    def watch(self) -> None:
        handle = self.world.aws.emulator.handle
        emulator: Any = self.world.aws.emulator

        def audited(request: Request) -> Any:
            self.note()
            if request.operation == "CreateTrainedModel":
                self.check(request.parameters.get("mlModelTrainingPayerAccountId"))
            return handle(request)

        emulator.handle = audited

    def note(self) -> None:
        shared = self.world.resources[COLLABORATION].status["identifier"]
        members = list(self.world.aws.emulator.store.list(Member, shared))
        candidates = payments.candidates(members, "modelTraining")
        for member in members:
            if member.account in candidates and member.status == "ACTIVE":
                self.able[member.account] = self.world.seconds

    def check(self, named: str | None) -> None:
        """Assert that who is billed is a candidate and has joined, by what was known just now."""
        self.billed += 1
        recent = {who for who, when in self.able.items() if self.world.seconds - when <= NEW}
        assert recent if named is None else named in recent, f"{named} cannot be billed"


# -- moves ---------------------------------------------------------------------------------------

PEOPLE = (PARTNER, THIRD)


def name_payers(world: World, which: int) -> None:
    """Let the creator name the partner, the third, both or none, and mostly all agree at once."""
    costs = [TRAINS if which >> bit & 1 else PAYS_NOTHING for bit in (0, 1)]
    edit(world, partner(paymentConfiguration=costs[0]), third(paymentConfiguration=costs[1]))
    if which % 3:
        world.rest(60.0)
        answer(world, which)


def answer(world: World, how: int) -> None:
    for request in requests(world):
        for account in PEOPLE:
            with suppress(ServiceError):
                act(world, account, request["id"], "DENY" if how % 5 == 0 else "APPROVE")


def accept(world: World, whether: int) -> None:
    """Let the partner's spec accept trainings, or not any more."""
    costs = TRAINS if whether % 3 else PAYS_NOTHING
    spec = specs.partners_membership(paymentConfiguration=costs)
    world.apply(PARTNERS.kind, PARTNERS.name, spec, PARTNERS.namespace)


def come(world: World, _: int) -> None:
    """Let the third account join by itself."""
    with suppress(ServiceError):
        join(world, paymentConfiguration=TRAINS)


def train(world: World, whose: int) -> None:
    """Apply a training for one of all payers, or for whoever it is."""
    count = sum(key.kind == "TrainedModel" for key in world.resources)
    payer = (None, CREATOR, PARTNER, THIRD)[whose % 4]
    named = {} if payer is None else {"mlModelTrainingPayerAccountId": payer}
    key = Key("TrainedModel", "b", f"churn-{count}")
    # Who may pay can change in the seconds before AWS looks at it itself.
    world.mistaken.add(key)
    world.apply(key.kind, key.name, trainings.model(world, **named), key.namespace)


def die(world: World, number: int) -> None:
    world.dies_at = (world.requests + number, number % 2 == 0)


def fail(world: World, which: int) -> None:
    fault = FAULTS[which % len(FAULTS)]
    if fault.kind is FaultKind.LAG:
        # A payment is accepted that an old List shows, though it was taken back since.
        world.mistaken.add(PARTNERS)
    world.aws.faults.add(fault)


def heal(world: World, _: int) -> None:
    world.aws.faults.clear()


def work(world: World, period: int) -> None:
    world.rest((20.0, 100.0, 700.0)[period % 3])


MOVES: tuple[Callable[[World, int], None], ...] = (
    name_payers,
    answer,
    answer,
    accept,
    come,
    train,
    train,
    die,
    fail,
    heal,
    work,
    work,
    work,
)


def beginning() -> World:
    """Return a world in which the third may pay and has not joined, and the partner may and has."""
    world = STUDIO.fork()
    accept(world, 1)
    both = [each(paymentConfiguration=TRAINS) for each in (partner, third)]
    agree(world, *both)
    return world


BEGINNING = beginning()


@nights.told(25, at_night=2_000)
@given(st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 11)), min_size=10, max_size=30))
def test_r_16_nobody_is_ever_billed_who_was_not_named_and_had_not_joined(
    told: list[tuple[Callable[[World, int], None], int]],
) -> None:
    world = BEGINNING.fork()
    auditor = Auditor(world)
    auditor.watch()
    for move, what in told:
        move(world, what)
    world.dies_at = None
    world.aws.faults.clear()
    world.rest(4000.0)
    for key, resource in world.resources.items():
        if key.kind == "TrainedModel" and (payer := resource.status.get("payer")) is not None:
            assert resource.spec.get("mlModelTrainingPayerAccountId", payer) == payer
    check_rest(world)


def test_the_auditor_sees_who_is_billed() -> None:
    """The witness: a training of who may pay is seen, and one of who may not would be."""
    world = BEGINNING.fork()
    auditor = Auditor(world)
    auditor.watch()
    train(world, 1)
    world.rest(100.0)
    assert auditor.billed == 1
    assert auditor.able.keys() == {CREATOR, PARTNER}
    with pytest.raises(AssertionError, match="cannot be billed"):
        auditor.check(THIRD)
