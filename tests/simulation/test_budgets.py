"""What it costs Kubernetes and AWS: few writes to become ready, none at rest, and known calls."""

from collections import Counter
from dataclasses import dataclass, replace

import pytest

from cleanrooms_emulator.log import Record
from cleanrooms_emulator.quotas import Quotas
from cleanrooms_emulator.rules import Rules
from cleanrooms_operator.core.resource import Key
from simulation import specs
from simulation.specs import CREATOR, PARTNER
from simulation.world import World

MANY = 200
HOUR, HOURS = 3600.0, 3


def counted(records: list[Record]) -> Counter[tuple[str, str]]:
    """Return how often each account was asked for each operation; a List of many pages is one."""
    return Counter((r.account, r.operation) for r in records if "nextToken" not in r.parameters)


def crowd() -> World:
    """Return a world of many collaborations in two accounts, each with its creator's membership."""
    world = World(rules=Rules(quotas=Quotas(collaborations=MANY, memberships=MANY)))
    specs.accounts(world)
    for number in range(MANY):
        namespace, name = "ab"[number % 2], f"c-{number:03d}"
        alone = {
            "name": name,
            "members": [],
            "creatorMemberAbilities": ["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
        }
        world.apply("Collaboration", name, specs.collaboration(**alone), namespace)
        joining = {
            **specs.creators_membership(collaborationRef={"name": name}),
            "mlConfiguration": specs.ml_configuration((CREATOR, PARTNER)[number % 2]),
        }
        world.apply("Membership", name, joining, namespace)
    world.settle(seconds=20_000)
    return world


@pytest.fixture(scope="module")
def many() -> World:
    return crowd()


@dataclass(frozen=True)
class Watch:
    """What happened in some hours at rest."""

    records: list[Record]
    written: int


@pytest.fixture(scope="module")
def watch(many: World) -> Watch:
    """Watch three drift cycles, the first hour apart: in it all get their turns."""
    world = many.fork()
    world.rest(HOUR)
    before, version = len(world.aws.records()), world.kubernetes.version
    world.rest(HOURS * HOUR)
    return Watch(world.aws.records()[before:], world.kubernetes.version - version)


def written_until_ready(world: World) -> dict[Key, int]:
    """Run passes until all is Ready; return how often each was written until it was."""
    written: dict[Key, int] = {}
    while len(written) < len(world.resources):
        world.run_next()
        for key, resource in world.resources.items():
            if resource.is_true("Ready"):
                written.setdefault(key, world.kubernetes.patches[key])
    return written


def test_r_23_becoming_ready_takes_four_and_six_writes() -> None:
    world = World()
    specs.walkthrough(world)
    written = written_until_ready(world)
    assert written[specs.COLLABORATION] <= 4
    assert written[specs.CREATORS] <= 6
    assert written[specs.PARTNERS] <= 6


@pytest.mark.parametrize("order", [1, -1], ids=["as they need each other", "the other way round"])
def test_r_23_a_run_takes_eight_writes_though_all_is_applied_at_once(order: int) -> None:
    world = World()
    specs.accounts(world)
    for example in [*specs.ALL.values()][::order]:
        example.apply(world)
    written = written_until_ready(world)
    assert all(written[example.key] <= 8 for example in specs.RUNS.values())


def test_r_23_what_waits_for_much_tells_it_once() -> None:
    world = specs.settled()
    channel, model = specs.RUNS["channel"], specs.RUNS["model"]
    names = [f"part-{number}" for number in range(8)]
    channels = [{"mlInputChannelRef": {"name": name}, "channelName": name} for name in names]
    world.apply(model.key.kind, model.key.name, {**model.spec, "dataChannels": channels}, "b")
    for name in names:
        world.apply(channel.key.kind, name, channel.spec, "b")
    world.rest(60.0)
    told = world.message(model.key)
    assert all(f"MLInputChannel/{name}" in told for name in names)
    ready: set[int] = set()
    while world.message(model.key) == told:
        ready.add(sum(each.is_true("Ready") for each in world.resources.values()))
        world.run_next()
    assert len(ready) > len(names), "they came one by one"
    assert world.told(model.key) == "Reconciling Progressing"
    assert world.kubernetes.patches[model.key] == 4  # held, told, tried, made


def test_r_23_what_stalls_tells_what_is_missing_by_then_and_no_write_more() -> None:
    world = specs.settled()
    channel, model = specs.RUNS["channel"], specs.RUNS["model"]
    names = ("early", "late", "never")
    channels = [{"mlInputChannelRef": {"name": name}, "channelName": name} for name in names]
    world.apply(model.key.kind, model.key.name, {**model.spec, "dataChannels": channels}, "b")
    nowhere = specs.channel(membershipRef={"name": "nobody"})
    for name in names:
        spec = channel.spec if name == "early" else nowhere
        world.apply(channel.key.kind, name, spec, "b")
    world.rest(500)
    assert world.resources[replace(channel.key, name="early")].is_true("Ready")
    waits = "Waits for MLInputChannel/early, MLInputChannel/late, MLInputChannel/never to be ready"
    assert world.message(model.key) == waits
    world.rest(500)
    assert world.told(model.key) == "Stalled ProgressDeadlineExceeded"
    waits = "Waits for MLInputChannel/late, MLInputChannel/never to be ready"
    assert world.message(model.key) == f"{waits}, for more than 600 s"
    assert world.message(model.key, "ReferencesResolved") == waits
    world.apply(channel.key.kind, "late", channel.spec, "b")
    world.rest(3000)
    assert world.resources[replace(channel.key, name="late")].is_true("Ready")
    assert world.message(model.key) == f"{waits}, for more than 600 s"
    assert world.kubernetes.patches[model.key] == 3  # held, told, stalled


def apply(world: World, key: Key) -> Key:
    """Apply a collaboration of two accounts, or its creator's membership of it."""
    is_membership = key == specs.CREATORS
    spec = specs.creators_membership() if is_membership else specs.collaboration()
    return world.apply(key.kind, key.name, spec)


@pytest.mark.parametrize("late", [specs.COLLABORATION, specs.CREATORS], ids=str)
def test_r_23_what_is_applied_together_may_be_seen_in_any_order(late: Key) -> None:
    """The watches of two kinds do not wait for each other: one resource comes in first."""
    empty = World()
    specs.accounts(empty)
    empty.settle()
    for requests in range(10):
        world = empty.fork()
        [early] = {specs.COLLABORATION, specs.CREATORS} - {late}
        first = world.start(apply(world, early))
        for _ in range(requests):
            if not first.over:
                world.step(first)
        apply(world, late)
        world.finish(first)
        written = written_until_ready(world)
        assert written[specs.COLLABORATION] <= 4
        assert written[specs.CREATORS] <= 6


def test_what_does_not_come_is_told_to_be_missing_and_no_successor_tells_it_again() -> None:
    world = World()
    specs.accounts(world)
    key = apply(world, specs.CREATORS)
    world.rest(60)
    assert world.message(key) == "Collaboration/ads does not exist in this namespace"
    version = world.kubernetes.version
    world.crash()
    world.rest(60)
    assert world.kubernetes.version == version


def test_r_23_in_a_crowd_too_no_write_is_spent_on_waiting(many: World) -> None:
    written: dict[str, set[int]] = {"Collaboration": set(), "Membership": set()}
    for key in many.resources:
        if key.kind in written:
            assert many.told(key) == "Ready"
            written[key.kind].add(many.kubernetes.patches[key])
    assert max(written["Collaboration"]) <= 4 + 1  # its member joins when it is ready
    assert max(written["Membership"]) <= 6


def test_r_23_nothing_is_written_over_three_drift_cycles(watch: Watch) -> None:
    assert watch.written == 0


def test_r_21_rest_costs_a_list_a_cycle_and_the_details_of_each_object_an_hour(
    watch: Watch,
) -> None:
    calls = counted(watch.records)
    each = MANY // 2
    hourly = {
        "ListCollaborations": 6,
        "ListMemberships": 6,
        "GetCallerIdentity": 1,
        "GetCollaboration": each,
        "GetMembership": each,
        "GetMLConfiguration": each,
        "ListMembers": 2 * each,  # for members, and for payments
        "ListCollaborationChangeRequests": each,
        "ListTagsForResource": 2 * each,
    }
    assert calls.keys() == {(account, name) for account in (CREATOR, PARTNER) for name in hourly}
    for (account, name), count in calls.items():
        expected = HOURS * hourly[name]
        assert 0.9 * expected <= count <= 1.1 * expected, (account, name)


def test_r_21_details_are_spread_over_the_hour(watch: Watch) -> None:
    minutes = Counter(r.wall // 60 for r in watch.records if r.operation == "GetCollaboration")
    assert len(minutes) > 40 * HOURS
    assert max(minutes.values()) <= MANY / 10


def test_r_21_members_are_asked_for_every_cycle_while_somebody_is_awaited() -> None:
    world = World()
    specs.accounts(world)
    specs.EXAMPLES["collaboration"].apply(world)
    world.settle()
    before = len(world.aws.records())
    world.rest(HOUR)
    calls = counted(world.aws.records()[before:])
    assert 5 <= calls[CREATOR, "ListMembers"] <= 7
    assert calls[CREATOR, "GetCollaboration"] <= 2


def test_r_21_a_person_can_ask_for_a_look_and_sees_that_it_was_taken() -> None:
    world = specs.settled()
    key: Key = specs.COLLABORATION
    before = len(world.aws.records())
    world.annotate(key, reconcile_requested_at="now")
    world.settle()
    calls = counted(world.aws.records()[before:])
    assert calls[CREATOR, "GetCollaboration"] == 1
    assert world.resources[key].status["lastHandledReconcileAt"] == "now"
