"""A change request's whole life with deaths at every point, and with two processes at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.rules import Rules
from simulation import specs, test_changing
from simulation.explorer import explore
from simulation.invariants import check_rest
from simulation.specs import COLLABORATION, PARTNER, PARTNERS
from simulation.test_changing import act, answer, applied, edit, partner, requests, third
from simulation.test_crashes import LISTS
from simulation.test_interleavings import stop
from simulation.world import World

COSTS = {
    "queryCompute": test_changing.PAYS_NOT,
    "machineLearning": {"modelTraining": test_changing.PAYS},
}
REVOKED = partner(memberAbilities=["CAN_QUERY"])


def agreeable(rules: Rules | None = None) -> World:
    """Return a world whose partner agrees to what costs nothing."""
    world = test_changing.ready(rules)
    answer(
        world,
        autoApprove=[
            "ADD_MEMBER",
            "REVOKE_RECEIVE_RESULTS_ABILITY",
            "GRANT_RECEIVE_RESULTS_ABILITY",
            "GRANT_EXPORT_QUERY_ANALYSIS_LOG_ABILITY",
            "REVOKE_EXPORT_QUERY_ANALYSIS_LOG_ABILITY",
        ],
    )
    world.settle()
    return world


def asking() -> World:
    """Return a world in which the partner is asked to pay."""
    world = agreeable()
    test_changing.pay_training(world)
    world.settle()
    return world


def invited() -> World:
    world = agreeable()
    edit(world, partner(), third())
    world.settle()
    return world


def replace_it(world: World) -> None:
    edit(world, REVOKED)


def approve(world: World) -> None:
    """Let the partner agree to pay, and accept."""
    spec = specs.partners_membership(
        changeRequests={"approve": [requests(world)[-1]["id"]]}, paymentConfiguration=COSTS
    )
    world.apply("Membership", "member", spec, "b")


def deny(world: World) -> None:
    answer(world, deny=[requests(world)[-1]["id"]])


def remove(world: World) -> None:
    edit(world, REVOKED)


@dataclass(frozen=True)
class Life:
    """What is done to a world, how its requests end, and what is told then."""

    prepare: Callable[[], World]
    act: Callable[[World], None]
    ends: tuple[str, ...]
    told: str


LIVES = {
    "asked": Life(agreeable, test_changing.pay_training, ("PENDING",), "AwaitingApproval"),
    "approved": Life(asking, approve, ("COMMITTED",), "Applied"),
    "denied": Life(asking, deny, ("DENIED",), "ChangeDenied"),
    "replaced": Life(asking, replace_it, ("CANCELLED", "COMMITTED"), "Applied"),
    "withdrawn": Life(asking, lambda world: edit(world, partner()), ("CANCELLED",), "Applied"),
    "removed": Life(invited, remove, ("COMMITTED", "COMMITTED"), "Applied"),
}

EACH_LIFE = pytest.mark.parametrize("name", LIVES)


def check(world: World, life: Life) -> None:
    world.settle()
    world.rest(2 * world.pace.list_interval)
    assert tuple(r["status"] for r in requests(world)) == life.ends
    assert applied(world) == life.told
    assert world.told(COLLABORATION) == world.told(PARTNERS) == "Ready"
    check_rest(world)


@EACH_LIFE
@LISTS
def test_r_6_a_death_at_any_point_changes_nothing_of_the_end(
    name: str, faults: tuple[Fault, ...]
) -> None:
    life = LIVES[name]

    def live(world: World) -> None:
        life.act(world)
        world.settle()
        world.rest(2 * world.pace.list_interval)

    prepared = life.prepare()
    for fault in faults:
        prepared.aws.faults.add(fault)
    dead = prepared.deaths(live)
    assert len(dead) > 1, "the scenario is about something"
    for world in dead:
        world.settle()
        world.rest(2 * world.pace.list_interval)
        world.aws.faults.clear()
        check(world, life)


@EACH_LIFE
@pytest.mark.parametrize("key", [COLLABORATION, PARTNERS], ids=["creator", "partner"])
def test_two_processes_at_once_do_what_one_would(name: str, key: Any) -> None:
    life = LIVES[name]
    world = life.prepare()
    life.act(world)

    def end(after: World) -> None:
        after.crash(1)
        check(after, life)

    assert explore(world, key, 2, end).orders > 20


@EACH_LIFE
@pytest.mark.parametrize("pause", [5.0, 11.0, 500.0])
def test_r_7_a_process_that_was_stopped_and_goes_on_asks_nothing_twice(
    name: str, pause: float
) -> None:
    life = LIVES[name]
    world = life.prepare()
    life.act(world)
    for late in stop(world, COLLABORATION, pause):
        late.crash(1)
        check(late, life)


READINGS = {
    "ER-8": Rules(payment_fill="all"),
    "ER-9": Rules(declining="accept"),
    "ER-10": Rules(last_candidate="fallback"),
    "ER-14": Rules(empty_change="accept"),
    "ER-15 creator": Rules(voters="creator"),
    "ER-33": Rules(acceptance_after_removal="kept"),
    "ER-34": Rules(absent_leaf="false"),
    "ER-36": Rules(readded_member="invite"),
    "ER-37": Rules(touching="yes"),
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("lists", ["true", "lagging"])
def test_r_32_a_payer_comes_and_goes_under_every_reading(reading: str, lists: str) -> None:
    world = agreeable(READINGS[reading])
    if lists == "lagging":
        world.aws.faults.add(Fault(kind=FaultKind.LAG, operation="List*", seconds=90))
    test_changing.pay_training(world)
    world.rest(2 * world.pace.list_interval)
    approve(world)
    world.rest(2 * world.pace.list_interval)
    assert applied(world) == "Applied"
    paying = test_changing.payers(world, "modelTraining")[PARTNER]
    assert (paying["assigned"], paying["accepted"]) == (True, "True")
    costs = {**COSTS, "machineLearning": {"modelTraining": test_changing.PAYS_NOT}}
    edit(world, partner(paymentConfiguration=costs))
    world.rest(2 * world.pace.list_interval)
    act(world, PARTNER, requests(world)[-1]["id"], "APPROVE")
    world.rest(3 * world.pace.list_interval)
    assert applied(world) == "Applied"
    assert PARTNER not in test_changing.payers(world, "modelTraining")
    assert [r["status"] for r in requests(world)] == ["COMMITTED"] * 2
    world.aws.faults.clear()
    check_rest(world)
