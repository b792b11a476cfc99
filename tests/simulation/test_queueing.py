"""Many runs under AWS's default quotas: none is refused, and they start in order (rule R-22)."""

from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.rules import Rules
from cleanrooms_operator.core.resource import Key
from simulation import specs
from simulation.specs import PARTNER
from simulation.trainings import association, channel, studio
from simulation.world import World

TYPES = ("ml.m5.2xlarge", "ml.m5.4xlarge", "ml.m5.12xlarge")
WHILE_IT_LASTS = 40_000.0
SECOND = Key("Membership", "b", "second")


@cache
def _two_memberships() -> World:
    """Return a world in which one account can train in two memberships."""
    world = studio()
    world.apply("Collaboration", "second", specs.collaboration(name="second"), "a")
    spec = specs.creators_membership(collaborationRef={"name": "second"})
    world.apply("Membership", "second", spec, "a")
    invitation = {"creatorAccountId": specs.CREATOR, "name": "second"}
    world.apply("Membership", "second", specs.partners_membership(invitation=invitation), "b")
    spec = specs.association(membershipRef={"name": "second"})
    world.apply("ConfiguredModelAlgorithmAssociation", "second", spec, "a")
    world.settle()
    source = {"protectedQueryInputParameters": {"sqlParameters": {"queryString": "SELECT 1"}}}
    world.ask(
        PARTNER,
        "cleanroomsml",
        "CreateMLInputChannel",
        membershipIdentifier=world.resources[SECOND].status["identifier"],
        configuredModelAlgorithmAssociations=[_association(world, "second")],
        inputChannel={"dataSource": source, "roleArn": specs.ROLE.format(account=PARTNER)},
        name="customers",
        retentionInDays=30,
    )
    world.rest(600.0)
    world.settle()
    return world


def _association(world: World, name: str) -> str:
    if name == "member":
        return association(world)
    key = Key("ConfiguredModelAlgorithmAssociation", "a", name)
    arn: str = world.resources[key].status["arn"]
    return arn


def _channel(world: World, name: str) -> str:
    if name == "member":
        return channel(world)
    where = world.resources[SECOND].status["identifier"]
    listed = world.ask(PARTNER, "cleanroomsml", "ListMLInputChannels", membershipIdentifier=where)
    arn: str = listed["mlInputChannelsList"][0]["mlInputChannelArn"]
    return arn


def model(world: World, kind: str = TYPES[0], count: int = 1, of: str = "member") -> Any:
    return {
        "membershipRef": {"name": of},
        "configuredModelAlgorithmAssociationArn": _association(world, of),
        "dataChannels": [{"mlInputChannelArn": _channel(world, of), "channelName": "customers"}],
        "resourceConfig": {"instanceType": kind, "instanceCount": count, "volumeSizeInGB": 10},
    }


def apply(world: World, name: str, spec: Any) -> Key:
    return world.apply("TrainedModel", name, spec, "b")


def train_by_hand(world: World, name: str, spec: Any) -> str:
    """Start a training that no resource manages."""
    where = world.resources[Key("Membership", "b", "member")].status["identifier"]
    given = {k: v for k, v in spec.items() if k != "membershipRef"}
    answer = world.ask(
        PARTNER, "cleanroomsml", "CreateTrainedModel",
        membershipIdentifier=where, name=name, **given,
    )  # fmt: skip
    arn: str = answer["trainedModelArn"]
    return arn


def started(world: World) -> list[str]:
    """Return the names of the models in the order in which AWS took them."""
    records = world.aws.records("CreateTrainedModel")
    return [record.parameters["name"] for record in records if record.applied]


def refused(world: World) -> int:
    records = world.aws.records("CreateTrainedModel")
    return sum(record.answered == "ServiceQuotaExceededException" for record in records)


def many(world: World) -> list[Key]:
    """Apply more models than any quota lets run, of all types, in both memberships."""
    keys = []
    for number in range(18):
        of = "member" if number % 2 else "second"
        spec = model(world, TYPES[number % 3], of=of)
        keys.append(apply(world, f"m-{number:02d}", spec))
        world.tick(1.0)
    return keys


def check_all_trained(world: World, keys: list[Key]) -> None:
    assert Counter(world.told(key) for key in keys) == {"Ready": len(keys)}
    assert refused(world) == 0
    assert Counter(started(world)) == {key.name: 1 for key in keys}


def test_all_finish_without_a_refusal_and_start_in_order() -> None:
    world = _two_memberships().fork()
    keys = many(world)
    world.settle(seconds=WHILE_IT_LASTS)
    check_all_trained(world, keys)
    for kind in range(3):
        alike = [name for name in started(world) if int(name[2:]) % 3 == kind]
        assert alike == sorted(alike)


def test_runs_of_others_are_counted_and_read_once() -> None:
    world = _two_memberships().fork()
    for number in range(2):
        train_by_hand(world, f"foreign-{number}", model(world))
    key = apply(world, "big", model(world, count=2))
    world.rest(60.0)
    assert world.told(key) == "Reconciling QueuedForQuota"
    assert world.message(key) == f"The quota of 3 training instances of type {TYPES[0]} is full"
    world.rest(200.0)
    assert world.aws.sent("GetTrainedModel") == 2
    world.rest(3000.0)
    world.settle(seconds=WHILE_IT_LASTS)
    check_all_trained(world, [key])


def test_a_full_type_holds_back_no_other_and_a_type_without_quota_never_starts() -> None:
    world = _two_memberships().fork()
    key = apply(world, "gpu", model(world, "ml.g5.2xlarge"))
    other = apply(world, "cpu", model(world))
    world.rest(60.0)
    assert world.told(key) == "Reconciling QueuedForQuota"
    assert "needs 1 of training instances of type ml.g5.2xlarge" in world.message(key)
    assert started(world) == [other.name]


def test_a_slot_that_frees_wakes_those_that_wait() -> None:
    world = _two_memberships().fork()
    first = apply(world, "first", model(world, count=3))
    world.rest(60.0)
    second = apply(world, "second", model(world, count=3))
    world.rest(60.0)
    assert world.told(second) == "Reconciling QueuedForQuota"
    agenda = world.process(0).agenda
    while world.told(first) != "Ready":
        world.run_next()
    assert agenda.due[second] <= world.seconds


def test_an_answer_that_is_lost_keeps_its_slot() -> None:
    world = _two_memberships().fork()
    lost = Fault(kind=FaultKind.LOSE_RESPONSE, operation="CreateTrainedModel", count=1)
    world.aws.faults.add(lost)
    keys = [apply(world, f"m-{number:02d}", model(world)) for number in range(5)]
    world.settle(seconds=WHILE_IT_LASTS)
    check_all_trained(world, keys)


@pytest.mark.parametrize("request_number", range(40, 400, 160))
@pytest.mark.parametrize("after", [False, True])
def test_a_process_that_dies_forgets_no_slot(request_number: int, *, after: bool) -> None:
    world = _two_memberships().fork()
    keys = many(world)
    world.dies_at = (world.requests + request_number, after)
    world.settle_until_death()
    world.settle(seconds=WHILE_IT_LASTS)
    check_all_trained(world, keys)


def test_two_passes_never_take_the_last_slot_both() -> None:
    """Whatever is executed and delivered between the requests of one is done by the other."""
    base = _two_memberships().fork()
    length = _requests(base.fork(), model(base, count=2))
    for stop in range(length):
        world = base.fork()
        keys = [apply(world, name, model(world, count=2)) for name in ("one", "two")]
        first, second = world.start(keys[0]), world.start(keys[1])
        for _ in range(stop):
            if not first.over:
                world.step(first)
        world.finish(second)
        world.finish(first)
        world.settle(seconds=WHILE_IT_LASTS)
        check_all_trained(world, keys)


def _requests(world: World, spec: Any) -> int:
    before = world.requests
    world.run(apply(world, "one", spec))
    return world.requests - before


def test_a_refusal_all_the_same_is_waited_out_and_learned() -> None:
    """The attempt stays, and the same one is sent again."""
    world = _two_memberships().fork()
    world.aws.emulator.use_rules(_with(world, trainings=1))
    keys = [apply(world, name, model(world)) for name in ("one", "two", "three")]
    world.rest(10.0)
    assert refused(world) == 1
    attempts = [world.resources[key].status.get("attempt") for key in keys]
    assert sum(attempt is not None for attempt in attempts) == 1
    assert {world.told(key) for key in keys[1:]} == {"Reconciling QueuedForQuota"}
    world.settle(seconds=WHILE_IT_LASTS)
    assert Counter(world.told(key) for key in keys) == {"Ready": 3}
    assert Counter(started(world)) == {"one": 1, "two": 1, "three": 1}


def _with(world: World, **changed: int) -> Rules:
    rules = world.aws.emulator.rules
    return replace(rules, quotas=replace(rules.quotas, **changed))
