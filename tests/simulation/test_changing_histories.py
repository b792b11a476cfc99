"""Edits of members and payers at any time, with deaths, lost answers, denials and people between.

Whatever happens in between, the collaboration is as its creator declares it once all agree, no two
requests were open at once, and each edit is accounted for. That nothing is agreed to that a spec
does not name, the guard looks at before every call.
"""

import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cleanrooms_emulator.behaviour.objects import ChangeRequest
from cleanrooms_emulator.request import ServiceError
from cleanrooms_operator.core import changes
from simulation import histories, nights, specs
from simulation.agreement import OPEN
from simulation.histories import Move
from simulation.invariants import check_rest
from simulation.specs import COLLABORATION, CREATOR, PARTNER
from simulation.test_changing import act, answer, applied, edit, partner, ready, requests
from simulation.world import World

THIRD, FOURTH = "333333333333", "444444444444"
PEOPLE = (THIRD, FOURTH)
COSTS = ("modelTraining", "modelInference")
FREE = ["GRANT_RECEIVE_RESULTS_ABILITY", "REVOKE_RECEIVE_RESULTS_ABILITY"]
OUTPUTS = ("CAN_RECEIVE_MODEL_OUTPUT", "CAN_RECEIVE_INFERENCE_OUTPUT")


def member(account: str, choice: random.Random) -> dict[str, Any]:
    """Return a member with abilities and payments at random."""
    given = [a for a in ("CAN_RECEIVE_RESULTS", "CAN_EXPORT_QUERY_ANALYSIS_LOG") if _or(choice)]
    fixed = ["CAN_QUERY"] if account == PARTNER else []
    costs = {cost: {"isResponsible": _or(choice)} for cost in COSTS if _or(choice)}
    paid = {"queryCompute": {"isResponsible": _or(choice)}, "machineLearning": costs}
    learning = {"customMLMemberAbilities": [ability for ability in OUTPUTS if _or(choice)]}
    more: dict[str, Any] = {"paymentConfiguration": paid} if _or(choice) else {}
    if _or(choice):
        more["mlMemberAbilities"] = learning
    name = "B" if account == PARTNER else account
    return {
        "accountId": account,
        "displayName": name,
        "memberAbilities": fixed + given,
        **more,
    }


def _or(choice: random.Random) -> bool:
    return choice.random() < 0.5


def four() -> World:
    """Return a world of a collaboration with four members, all of which have joined."""
    world = ready()
    answer(world, autoApprove=["ADD_MEMBER"])
    others = [specs.collaboration()["members"][0] | {"accountId": a, "displayName": a,
              "memberAbilities": []} for a in PEOPLE]  # fmt: skip
    edit(world, partner(), *others)
    world.settle()
    assert applied(world) == "Applied"
    shared = world.resources[COLLABORATION].status["identifier"]
    for account in PEOPLE:
        joining = {"collaborationIdentifier": shared, "queryLogStatus": "DISABLED"}
        world.ask(account, "cleanrooms", "CreateMembership", **joining)
    world.rest(world.pace.list_interval)
    return world


def vote(world: World, request: Any, action: str) -> None:
    """Let people of each company answer, who may be too late."""
    for account in (PARTNER, *PEOPLE):
        with suppress(ServiceError):
            act(world, account, request["id"], action)


def meddle(world: World, choice: random.Random) -> None:
    """Let people do what they do to the request that is open, if any."""
    for request in requests(world):
        if request["status"] in OPEN:
            deed = choice.choices(("APPROVE", "DENY", "CANCEL", None), (70, 12, 6, 12))[0]
            if deed == "CANCEL":
                with suppress(ServiceError):
                    act(world, CREATOR, request["id"], "CANCEL")
            elif deed is not None:
                vote(world, request, deed)


def agree(world: World) -> None:
    """Let everybody agree to all that is asked, until nothing is."""
    world.annotate(COLLABORATION, reconcile_requested_at=str(world.seconds))
    for _ in range(6):
        world.rest(2 * world.pace.list_interval)
        for request in requests(world):
            if request["status"] == "PENDING":
                vote(world, request, "APPROVE")
    world.rest(2 * world.pace.list_interval)


def check_members(world: World) -> None:
    """Assert that AWS's members are as the creator declares them."""
    resource = world.resources[COLLABORATION]
    shared = {"collaborationIdentifier": resource.status["identifier"]}
    listed = world.ask(CREATOR, "cleanrooms", "ListMembers", **shared)["memberSummaries"]
    found = {each["accountId"]: each for each in listed}
    for declared in resource.spec["members"]:
        shown = found[declared["accountId"]]
        assert sorted(shown["abilities"]) == sorted(declared["memberAbilities"])
        if "mlMemberAbilities" in declared:
            learning = shown.get("mlAbilities", {"customMLMemberAbilities": []})
            wanted = declared["mlMemberAbilities"]["customMLMemberAbilities"]
            assert sorted(learning["customMLMemberAbilities"]) == sorted(wanted)
        paid = changes.payments.leaves(declared.get("paymentConfiguration"))
        shown_paid = changes.payments.leaves(shown["paymentConfiguration"])
        assert {c: shown_paid.get(c, False) for c in paid} == paid
    assert applied(world) == "Applied"


def asked_for(world: World) -> dict[str, int]:
    """Return request -> the generation of the spec that asked for it, by all statuses written."""
    past = [entry for _, entry in world.kubernetes.past[COLLABORATION] if entry is not None]
    known = [entry.status.get("changeRequest") or {} for entry in past]
    return {request["id"]: request["generation"] for request in known if "id" in request}


@dataclass
class Ledger:
    """What became of each edit."""

    generations: list[int] = field(default_factory=list)
    superseded: set[int] = field(default_factory=set)
    nothing_to_ask: set[int] = field(default_factory=set)
    ends: dict[str, str] = field(default_factory=dict)
    """Request -> its last status."""

    def note(self, world: World) -> None:
        """Take note of how requests stand; of those that ended AWS keeps twenty, for speed."""
        store, shared = world.aws.emulator.store, world.resources[COLLABORATION]
        listed = list(store.list(ChangeRequest, shared.status["identifier"]))
        self.ends |= {request.id: request.status for request in listed}
        for request in listed[:-20]:
            store.remove(request)

    def settle(self, world: World) -> None:
        """Let everybody agree, and assert that each edit is accounted for."""
        agree(world)
        check_members(world)
        self.note(world)
        asked = asked_for(world)
        assert self.ends.keys() == asked.keys(), "each request was asked for by a spec"
        assert set(self.ends.values()) == {"COMMITTED", "CANCELLED", "DENIED"}
        counts = Counter(asked.values())
        assert max(counts[g] for g in self.generations[:-1]) == 1, "an edit asks once"
        known = counts.keys() | self.superseded | self.nothing_to_ask
        assert set(self.generations) <= known


def test_five_hundred_edits_in_a_row_are_all_accounted_for() -> None:
    """R-6: committed, cancelled, denied, superseded before it was sent, or nothing to ask."""
    choice = random.Random(5)  # noqa: S311  a history, not a secret
    world, ledger = four(), Ledger()
    for _ in range(500):
        edit(world, *(member(a, choice) for a in (PARTNER, *PEOPLE)))
        generation = world.resources[COLLABORATION].generation
        ledger.generations.append(generation)
        if choice.random() < 0.2:
            ledger.superseded.add(generation)
            continue
        if choice.random() < 0.1:
            world.dies_at = (world.requests + choice.randint(1, 30), _or(choice))
        world.rest(world.pace.list_interval if world.dies_at else 5.0)
        world.dies_at = None
        if applied(world) == "Applied":
            ledger.nothing_to_ask.add(generation)
        meddle(world, choice)
        if choice.random() < 0.5:
            world.rest(world.pace.list_interval)
        if applied(world) == "ConfirmingAbsence":
            ledger.superseded.add(generation)  # written down, not sent, and edited again
        ledger.note(world)
    ledger.settle(world)
    assert Counter(ledger.ends.values())["COMMITTED"] > 50
    check_rest(world)


# -- histories -----------------------------------------------------------------------------------


def edit_members(world: World, seed: int, others: int) -> None:
    choice = random.Random(seed * 20 + others)  # noqa: S311  a history, not a secret
    if COLLABORATION in world.resources:
        edit(world, *(member(a, choice) for a in (PARTNER, *PEOPLE)))


def answer_by_spec(world: World, _: int, how: int) -> None:
    """Let the partner's spec name what is pending, to approve or to deny it."""
    ids = [r["id"] for r in requests(world) if r["status"] == "PENDING"]
    given = [{"approve": ids}, {"deny": ids}, {"autoApprove": FREE}, {}][how % 4]
    answer(world, **given)


def answer_by_people(world: World, _: int, how: int) -> None:
    for request in requests(world):
        vote(world, request, ("APPROVE", "APPROVE", "DENY")[how % 3])


def cancel(world: World, _: int, __: int) -> None:
    for request in requests(world):
        with suppress(ServiceError):
            act(world, CREATOR, request["id"], "CANCEL")


def pause(world: World, who: int, on: int) -> None:
    world.annotate(COLLABORATION, paused="true" if on % 2 else None)
    del who


MOVES: tuple[Move, ...] = (
    edit_members,
    edit_members,
    answer_by_spec,
    answer_by_people,
    answer_by_people,
    cancel,
    pause,
    histories.work,
    histories.work,
    histories.begin,
    histories.to_change,
    histories.step,
    histories.finish,
    histories.lose,
    histories.die,
    histories.lease,
    histories.fall_behind,
    histories.wait,
    histories.pace,
    histories.fail,
    histories.heal,
)


@nights.told(60, at_night=3_000)
@given(
    st.lists(
        st.tuples(st.sampled_from(MOVES), st.integers(0, 4), st.integers(0, 17)),
        min_size=8,
        max_size=30,
    )
)
def test_whatever_happens_members_become_as_declared_when_all_agree(
    told: list[tuple[Move, int, int]],
) -> None:
    world = BEGINNING.fork()
    for move, who, what in told:
        move(world, who, what)
    world.annotate(COLLABORATION, paused=None)
    histories.end(world)
    agree(world)
    check_members(world)
    check_rest(world)


BEGINNING = four()
