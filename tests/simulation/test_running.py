"""What runs and ends: what it costs, what is told of it, and its way out from every state."""

from collections import Counter
from functools import cache

import pytest

from cleanrooms_emulator.rules import Rules
from cleanrooms_emulator.store import Failure
from cleanrooms_operator.core import charges, shared
from cleanrooms_operator.core.ownership import RELEASED
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.kinds import BY_NAME
from simulation import specs
from simulation.invariants import check_rest
from simulation.specs import CREATOR, PARTNER, RUNS
from simulation.world import World

CHANNEL, MODEL, JOB = (RUNS[name].key for name in ("channel", "model", "job"))
HOUR, DAY = 3600.0, 86_400.0
PUBLISHED = 1200.0
"""When metrics and logs of a run that has ended are looked for no more (rule R-24)."""
LISTS = {
    CHANNEL: "ListMLInputChannels",
    MODEL: "ListTrainedModels",
    JOB: "ListTrainedModelInferenceJobs",
}


def until(world: World, key: Key, *states: str) -> World:
    """Work on until a run is in one of these states."""
    while world.resources[key].status.get("state") not in states:
        assert world.run_next()
    return world


def ready(*names: str, rules: Rules | None = None) -> World:
    """Return a world in which these runs have ended."""
    return _ready(names, rules).fork()


@cache
def _ready(names: tuple[str, ...], rules: Rules | None) -> World:
    world = World(rules=rules)
    specs.walkthrough(world)
    for name in names:
        RUNS[name].apply(world)
    world.settle(seconds=6000.0)
    return world


def before(key: Key, rules: Rules | None = None) -> World:
    """Return a world in which all is there that a run needs, and the run is asked for."""
    names = list(RUNS)
    world = ready(*names[: [RUNS[n].key for n in names].index(key)], rules=rules)
    next(example for example in RUNS.values() if example.key == key).apply(world)
    return world


def fail(world: World, key: Key) -> None:
    """Let the next run of a kind fail."""
    kind = {JOB: "TrainedModelInferenceJob"}.get(key, key.kind)
    world.aws.emulator.store.fail_next(Failure(kind, "QUERY_FAILED", "no such column"))


# -- what it costs -------------------------------------------------------------------------------


@pytest.mark.parametrize("key", LISTS, ids=str)
def test_r_23_a_run_takes_eight_writes_through_every_state(key: Key) -> None:
    world = before(key)
    states = []
    while world.told(key) != "Ready":
        world.run_next()
        state = world.resources[key].status.get("state")
        states += [state] if state not in states else []
    assert states == [None, "CREATE_PENDING", "CREATE_IN_PROGRESS", "ACTIVE"]
    world.rest(HOUR)
    assert world.kubernetes.patches[key] <= 8


@pytest.mark.parametrize("key", LISTS, ids=str)
def test_r_21_what_runs_costs_one_list_an_interval_and_a_read_a_state(key: Key) -> None:
    world = until(before(key), key, "CREATE_PENDING")
    known, begun = len(world.aws.records()), world.seconds
    until(world, key, "ACTIVE")
    calls = Counter(record.operation for record in world.aws.records()[known:])
    assert calls[LISTS[key]] <= (world.seconds - begun) / world.pace.progress_interval + 2
    assert calls[BY_NAME[key.kind].read] <= 2


def test_r_21_what_is_over_costs_nothing_and_what_rests_a_list() -> None:
    world = specs.finished()
    world.rest(HOUR)
    known = len(world.aws.records())
    world.rest(3 * world.pace.detail_interval)
    calls = Counter(record.operation for record in world.aws.records()[known:])
    of_runs = {name: count for name, count in calls.items() if "Model" in name or "ML" in name}
    hours = 3
    assert of_runs.pop("GetMLConfiguration") <= 3 * hours
    assert of_runs.keys() == {
        "ListConfiguredModelAlgorithms",
        "ListConfiguredModelAlgorithmAssociations",
        LISTS[CHANNEL],
        LISTS[MODEL],
        *(view.listing.operation for view in charges.VIEWS),  # by who pays
    }
    assert max(of_runs.values()) <= 6 * hours + 1


def test_r_36_what_is_over_costs_nothing_in_a_new_process_either() -> None:
    world = specs.finished()
    world.rest(HOUR)
    world.crash()
    known = len(world.aws.records())
    world.rest(DAY)
    asked = {record.operation for record in world.aws.records()[known:]}
    assert {name for name in asked if "InferenceJob" in name} == {shared.JOBS.operation}


@pytest.mark.parametrize("key", [MODEL, JOB], ids=str)
def test_r_24_metrics_and_logs_cost_three_reads_at_most(key: Key) -> None:
    """Nobody lets this account see logs, so that it would wait for them for ever."""
    world = until(before(key), key, "ACTIVE")
    read = BY_NAME[key.kind].read
    known = world.aws.sent(read)
    world.rest(900.0)
    assert world.resources[key].status["metricsStatus"] == "PUBLISH_SUCCEEDED"
    assert 1 <= world.aws.sent(read) - known <= 3
    known = world.aws.sent(read)
    world.rest(DAY / 4)
    assert world.aws.sent(read) == known


def test_r_21_tags_follow_the_spec_after_the_end() -> None:
    world = specs.finished()
    RUNS["job"].edit(world)
    world.settle()
    arn = world.resources[JOB].status["arn"]
    assert world.aws.tags(PARTNER, "cleanroomsml", arn)["team"] == "b"
    assert world.told(JOB) == "Ready"


# -- what is told --------------------------------------------------------------------------------


def test_times_and_places_are_told() -> None:
    world = specs.finished()
    channel, job = world.resources[CHANNEL].status, world.resources[JOB].status
    assert channel["numberOfRecords"] == 120_000
    assert channel["payer"] == job["payer"] == CREATOR
    assert channel["startTime"] < channel["completionTime"] < channel["expiresAt"]
    assert job["outputLocation"].startswith(f"s3://models-of-{CREATOR}/out/")
    assert job["outputLocation"].endswith(f"/churn/{PARTNER}/score")


def test_r_36_a_channel_expires_and_nothing_is_bought_again() -> None:
    world = ready("channel")
    world.tick(29 * DAY)
    world.rest(2 * DAY)
    assert world.told(CHANNEL) == "Ready"
    resource = world.resources[CHANNEL]
    assert (resource.condition("Ready")["reason"], resource.is_true("Expired")) == ("Expired", True)
    RUNS["model"].apply(world)
    world.settle()
    assert "has expired" in world.message(MODEL)
    assert world.aws.sent("CreateMLInputChannel", "CreateTrainedModel") == 0


@pytest.mark.parametrize("key", [CHANNEL, JOB], ids=str)
def test_what_failed_says_why_and_is_never_tried_again(key: Key) -> None:
    world = before(key)
    fail(world, key)
    world.settle()
    assert world.told(key).startswith("Stalled")
    assert "no such column" in world.message(key)
    assert world.resources[key].is_true("Failed")
    world.rest(PUBLISHED)
    known = len(world.aws.records())
    world.rest(DAY)
    assert not [r for r in world.aws.records()[known:] if r.operation == BY_NAME[key.kind].read]
    world.restore()
    world.settle()
    assert world.told(key).startswith("Stalled")
    assert world.aws.applied(BY_NAME[key.kind].create) == 1
    check_rest(world)


# -- cancelling ----------------------------------------------------------------------------------


@pytest.mark.parametrize("race", ["cancel", "fail", "conflict"])
def test_er_31_a_cancel_ends_the_job_or_meets_its_end(race: str) -> None:
    rules = Rules.parse((f"ER-31={race}",))
    world = until(before(JOB, rules), JOB, "CREATE_IN_PROGRESS")
    world.annotate(JOB, cancel="true")
    world.settle()
    expected = {"cancel": "Stalled Cancelled", "fail": "Stalled CancelFailed", "conflict": "Ready"}
    assert world.told(JOB) == expected[race]
    arn = world.resources[JOB].status["arn"]
    assert RELEASED not in world.aws.tags(PARTNER, "cleanroomsml", arn)
    world.annotate(JOB, cancel=None)
    world.rest(DAY)
    assert world.told(JOB) == expected[race]
    assert world.aws.applied(BY_NAME[JOB.kind].create) == 1


def test_r_36_what_is_cancelled_before_its_start_is_never_started() -> None:
    world = before(JOB)
    world.annotate(JOB, cancel="true")
    world.settle()
    assert world.told(JOB) == "Stalled Cancelled"
    world.annotate(JOB, cancel=None)
    world.crash()
    RUNS["job"].edit(world)
    world.rest(DAY)
    assert world.told(JOB) == "Stalled Cancelled"
    assert world.aws.sent(BY_NAME[JOB.kind].create) == 0


# -- the way out ---------------------------------------------------------------------------------

STATES = {
    CHANNEL: ("CREATE_PENDING", "CREATE_IN_PROGRESS", "ACTIVE"),
    MODEL: ("CREATE_PENDING", "CREATE_IN_PROGRESS", "ACTIVE"),
    JOB: ("CREATE_PENDING", "CREATE_IN_PROGRESS", "ACTIVE"),
}
READINGS = ("ER-19=accept", "ER-19=refuse", "ER-20=accept", "ER-31=fail", "ER-31=conflict")


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize(
    ("key", "state"),
    [pytest.param(key, state, id=f"{key} {state}") for key in STATES for state in STATES[key]],
)
def test_op_18_what_runs_is_ended_and_let_go_whatever_its_state(
    key: Key, state: str, reading: str
) -> None:
    """OP-15, OP-18, OP-21: and a deletion for good lets the name run again."""
    world = until(before(key, Rules.parse((reading,))), key, state)
    arn = world.resources[key].status["arn"]
    world.delete(key)
    end = world.seconds + 10_000.0
    while key in world.resources:
        assert world.run_next(end=end)
    assert RELEASED in world.aws.tags(PARTNER, "cleanroomsml", arn) or key == MODEL
    create = BY_NAME[key.kind].create
    next(example for example in RUNS.values() if example.key == key).apply(world)
    world.settle(seconds=6000.0)
    assert world.told(key) == "Ready"
    assert world.aws.applied(create) == 2


@pytest.mark.parametrize("reading", READINGS[:2])
@pytest.mark.parametrize("key", [CHANNEL, JOB], ids=str)
def test_er_19_what_failed_is_let_go_without_a_call_that_ends_it(key: Key, reading: str) -> None:
    world = before(key, Rules.parse((reading,)))
    fail(world, key)
    world.settle()
    world.delete(key)
    world.settle()
    assert world.told(key) == "Gone"
    assert world.aws.sent("DeleteMLInputChannelData", "CancelTrainedModelInferenceJob") == 0


def test_a_channel_that_is_made_cannot_be_stopped_and_says_so() -> None:
    world = until(before(CHANNEL), CHANNEL, "CREATE_IN_PROGRESS")
    world.delete(CHANNEL)
    world.rest(60.0)
    assert "waiting for its end" in world.message(CHANNEL)
    world.settle()
    assert world.told(CHANNEL) == "Gone"


@pytest.mark.parametrize("blockers", ["all", "associations"])
@pytest.mark.parametrize("moment", [5.0, 60.0, 200.0, 400.0, 900.0, 1000.0, 1300.0, 2000.0])
def test_a_namespace_goes_at_any_moment(moment: float, blockers: str) -> None:
    """R-38: both companies' resources at once, while things run; nothing is left behind."""
    world = World(rules=Rules.parse((f"ER-7={blockers}",)))
    specs.walkthrough(world)
    for example in RUNS.values():
        example.apply(world)
    world.rest(moment)
    specs.delete_all(world)
    world.settle(seconds=10_000.0)
    assert not world.resources
    left = [
        item["status"] for key in LISTS for item in world.aws.records_of(PARTNER, BY_NAME[key.kind])
    ]
    assert set(left) <= {"INACTIVE", "CREATE_FAILED", "ACTIVE"}
