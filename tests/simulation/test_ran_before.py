"""Records of former runs: what was deleted for good is not taken for what a backup brings back."""

from typing import Any

import pytest

from cleanrooms_emulator.rules import Rules
from cleanrooms_operator.core.ownership import Owner
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.kinds import BY_NAME
from simulation import specs
from simulation.invariants import check_rest
from simulation.specs import RUNS
from simulation.test_running import fail, ready
from simulation.world import World

REFUSED = Rules.parse(("ER-38=refuse",))
READINGS = pytest.mark.parametrize("rules", [Rules(), REFUSED], ids=["markable", "not markable"])
JOB = RUNS["job"].key


def spent(rules: Rules) -> World:
    """Return a world in which a channel, a model and a job are over, and only records are left."""
    world = ready("channel", "model", "job", rules=rules)
    world.rest(1200.0)
    return world


def applied_again(world: World, name: str = "job") -> World:
    """Delete a run for good, then apply it again."""
    world.delete(RUNS[name].key)
    world.settle()
    assert RUNS[name].key not in world.resources
    RUNS[name].apply(world)
    world.settle()
    return world


def started(world: World, key: Key = JOB) -> int:
    """Return how often a run was bought: AWS keeps a record of each."""
    return len(world.aws.records_of(specs.PARTNER, BY_NAME[key.kind]))


@READINGS
def test_r_3_a_job_that_is_deleted_and_applied_again_runs_again_or_asks(rules: Rules) -> None:
    """ER-38, R-37: nothing that could not be marked is bought a second time unasked."""
    world = applied_again(spent(rules))
    if rules == REFUSED:
        assert world.told(JOB) == "Stalled AlreadyRan"
        assert "external-id: none" in world.message(JOB)
        assert started(world) == 1
        check_rest(world)
        world.annotate(JOB, external_id="none")
        world.settle()
    assert (world.told(JOB), started(world)) == ("Ready", 2)
    check_rest(world)


def test_r_3_a_failed_job_asks_too_and_another_process_remembers_that_by_status() -> None:
    world = ready("channel", "model", rules=REFUSED)
    fail(world, JOB)
    RUNS["job"].apply(world)
    world.settle()
    assert world.told(JOB) == "Stalled InferenceFailed"
    applied_again(world)
    world.crash()
    world.rest(3600.0)
    assert (world.told(JOB), started(world)) == ("Stalled AlreadyRan", 1)
    world.annotate(JOB, external_id="none")
    world.settle()
    assert (world.told(JOB), started(world)) == ("Ready", 2)


@pytest.mark.parametrize("owner", ["cluster-1", "cluster-2"])
@READINGS
def test_r_3_what_is_restored_is_taken_over_and_starts_nothing(rules: Rules, owner: str) -> None:
    """R-2, R-37: in a cluster of the same id, and of another that inherits from it."""
    world = spent(rules)
    known = {key: resource.status.get("arn") for key, resource in world.resources.items()}
    world.restore()
    world.owner = Owner(owner, inherits=frozenset({"cluster-1"}))
    world = world.fork()
    world.settle(seconds=6000.0)
    assert {world.told(key) for key in world.resources} == {"Ready"}
    assert {key: r.status.get("arn") for key, r in world.resources.items()} == known
    assert world.aws.sent(*(kind.create for kind in BY_NAME.values())) == 0


@READINGS
def test_r_3_a_run_beside_another_is_itself_restored_though_the_annotation_stays(
    rules: Rules,
) -> None:
    """R-37: `external-id: none` buys once, not once after every loss of the status."""
    world = spent(rules)
    RUNS["job"].delete(world)
    world.settle()
    world.apply(JOB.kind, JOB.name, RUNS["job"].spec, JOB.namespace, beside())
    world.settle()
    arn = world.resources[JOB].status["arn"]
    for _ in range(2):
        world.restore()
        world.settle(seconds=6000.0)
        assert (world.told(JOB), started(world)) == ("Ready", 2)
        assert world.resources[JOB].status["arn"] == arn
    world.annotate(JOB, external_id=None)
    world.restore()
    world.settle(seconds=6000.0)
    assert (world.told(JOB), started(world)) == ("Ready", 2)


def beside() -> dict[str, str]:
    return {"cleanrooms-operator.dev/external-id": "none"}


def test_r_3_a_third_run_is_possible_too() -> None:
    world = spent(REFUSED)
    for count in (1, 2):
        applied_again(world)
        assert (world.told(JOB), started(world)) == ("Stalled AlreadyRan", count)
        world.annotate(JOB, external_id="none")
        world.settle()
        assert (world.told(JOB), started(world)) == ("Ready", count + 1)
        world.annotate(JOB, external_id=None)


def test_r_3_a_person_may_take_the_former_run_over() -> None:
    world = spent(REFUSED)
    arn = world.resources[JOB].status["arn"]
    applied_again(world)
    world.annotate(JOB, external_id=arn)
    world.settle()
    assert (world.told(JOB), started(world)) == ("Ready", 1)
    world.annotate(JOB, external_id=None)
    world.kubernetes.restore(JOB)
    world.settle()
    assert (world.told(JOB), started(world)) == ("Ready", 1), "it has a resource again"


def other_parameters() -> dict[str, Any]:
    return specs.job(resourceConfig={"instanceType": "ml.m5.4xlarge"})


def test_r_3_a_record_of_other_parameters_is_no_answer_to_what_is_asked_now() -> None:
    """No process remembers that it was let go."""
    world = spent(REFUSED)
    world.delete(JOB)
    world.settle()
    world.crash()
    world.apply(JOB.kind, JOB.name, other_parameters(), JOB.namespace)
    world.settle()
    assert (world.told(JOB), started(world)) == ("Stalled AlreadyRan", 1)
    check_rest(world)


@pytest.mark.parametrize("name", ["channel", "model"])
def test_r_3_what_was_over_before_its_deletion_asks_too(name: str) -> None:
    """ER-38: a channel that has expired, and a model that somebody deleted behind our back."""
    world = ready("channel", "model", rules=REFUSED)
    key = RUNS[name].key
    kind, status = BY_NAME[key.kind], world.resources[key].status
    named = {
        "membershipIdentifier": status["membershipIdentifier"],
        kind.handle.parameter: status["arn"],
    }
    assert kind.delete is not None
    world.ask(specs.PARTNER, kind.service, kind.delete, **named)
    world.rest(1200.0)
    applied_again(world, name)
    assert (world.told(key), started(world, key)) == ("Stalled AlreadyRan", 1)
    world.annotate(key, external_id="none")
    world.settle()
    assert (world.told(key), started(world, key)) == ("Ready", 2)
