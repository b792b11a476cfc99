"""Trained models and their versions, under every reading of what AWS leaves open about them."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from cleanrooms_emulator.rules import Rules
from cleanrooms_operator.core.ownership import Owner
from simulation.invariants import check_rest
from simulation.nights import LONG
from simulation.trainings import BASE, VERSION, further, model, models, studio, train, trained

READINGS = [
    Rules.parse((f"ER-4={tags}", f"ER-24={arn}"))
    for tags, arn in product(("shared", "replaced", "separate"), ("same", "new"))
]
EVERY_READING = pytest.mark.parametrize(
    "rules", READINGS, ids=lambda rules: f"{rules.version_tags}, {rules.version_arn} ARN"
)
"""Whose the tags of a version are (ER-4), and what its ARN is (ER-24)."""

CONTRARY_READINGS = pytest.mark.parametrize(
    "rules",
    READINGS if LONG else (READINGS[0], READINGS[-1]),
    ids=lambda rules: f"{rules.version_tags}, {rules.version_arn} ARN",
)
"""Those that differ in both, for what takes minutes; SIMULATION=long takes all."""

THIRD = replace(VERSION, name="churn-3")
"""A version that goes on from another one."""


@EVERY_READING
def test_a_base_and_a_version_are_trained_once_each(rules: Rules) -> None:
    world = trained(rules)
    assert (world.told(BASE), world.told(VERSION)) == ("Ready", "Ready")
    base, version = world.resources[BASE].status, world.resources[VERSION].status
    assert "versionIdentifier" not in base
    assert version["versionIdentifier"]
    assert (base["arn"] == version["arn"]) == (rules.version_arn == "same")
    assert world.aws.applied("CreateTrainedModel") == 2
    assert not base.get("drift")
    assert not version.get("drift")
    check_rest(world)


# -- after a restore -----------------------------------------------------------------------------


@EVERY_READING
@pytest.mark.parametrize("owner", ["cluster-1", "cluster-2"])
def test_a_restore_finds_base_and_version_and_starts_nothing(rules: Rules, owner: str) -> None:
    """R-1, R-2: also in a cluster of another id that inherits what the former made."""
    world = trained(rules)
    before = {key: world.resources[key].status for key in (BASE, VERSION)}
    world.restore()
    world.owner = Owner(owner, inherits=frozenset({"cluster-1"}))
    world = world.fork()
    world.tick(3600.0)
    world.settle()
    assert world.aws.sent("CreateTrainedModel") == 0
    for key, known in before.items():
        status = world.resources[key].status
        assert world.told(key) == "Ready"
        names = ("arn", "versionIdentifier", "startTime")
        assert [status.get(name) for name in names] == [known.get(name) for name in names]
    check_rest(world)


@EVERY_READING
def test_r_2_another_clusters_versions_are_never_made_again(rules: Rules) -> None:
    world = trained(rules)
    world.restore()
    world.owner = Owner("cluster-2")
    world = world.fork()
    world.settle()
    world.rest(10 * 3600.0)
    assert world.aws.sent("CreateTrainedModel") == 0
    assert not world.resources[BASE].is_true("Ready")
    assert not world.resources[VERSION].is_true("Ready")


# -- the way out ---------------------------------------------------------------------------------


@EVERY_READING
@pytest.mark.parametrize(("first", "second"), [(BASE, VERSION), (VERSION, BASE)])
def test_op_17_one_goes_and_the_other_stays(rules: Rules, first: Any, second: Any) -> None:
    world = trained(rules)
    stays = world.resources[second].status
    world.delete(first)
    world.settle()
    assert first not in world.resources
    assert world.told(second) == "Ready"
    world.rest(2 * 3600.0)
    assert world.resources[second].status["state"] == "ACTIVE"
    assert world.resources[second].status["arn"] == stays["arn"]
    check_rest(world)
    world.delete(second)
    world.settle()
    assert {state for _, _, state in models(world)} == {"INACTIVE"}
    assert world.aws.applied("DeleteTrainedModelOutput") == 2


@EVERY_READING
@pytest.mark.parametrize("key", [BASE, THIRD], ids=["base", "version"])
def test_what_is_deleted_for_good_and_applied_again_is_a_new_run(rules: Rules, key: Any) -> None:
    world = trained(rules)
    train(world, THIRD, further(world, VERSION))
    spec, before = world.resources[key].spec, world.resources[key].status
    world.delete(key)
    world.settle()
    train(world, key, spec)
    after = world.resources[key].status
    assert world.told(key) == "Ready"
    assert (after["arn"], after.get("versionIdentifier")) != (
        before["arn"],
        before.get("versionIdentifier"),
    )
    world.restore()
    world.tick(3600.0)
    world.settle()
    assert world.told(key) == "Ready"
    assert world.aws.applied("CreateTrainedModel") == 4
    check_rest(world)


@EVERY_READING
@pytest.mark.parametrize("terminal_tags", ["accept", "refuse"])
@pytest.mark.parametrize("cancel_race", ["cancel", "fail", "conflict"])
def test_op_18_what_trains_is_cancelled_and_what_has_ended_is_deleted(
    rules: Rules, terminal_tags: Any, cancel_race: Any
) -> None:
    """ER-31, ER-38: whichever comes first, and whether its record can be tagged."""
    world = studio(replace(rules, terminal_tags=terminal_tags, cancel_race=cancel_race))
    train(world, BASE, model(world))
    world.apply(VERSION.kind, VERSION.name, further(world), VERSION.namespace)
    world.rest(60.0)
    world.delete(VERSION)
    world.settle()
    assert VERSION not in world.resources
    assert world.told(BASE) == "Ready"
    assert sorted(state for _, _, state in models(world)) == ["ACTIVE", "INACTIVE"]
    check_rest(world)


# -- what it costs -------------------------------------------------------------------------------


def test_r_1_a_base_with_versions_is_seen_by_one_list_that_all_share() -> None:
    world = trained()
    train(world, THIRD, further(world, VERSION))
    world.rest(3600.0)
    seen = len(world.aws.records())
    world.rest(6 * 600.0)
    asked = [record.operation for record in world.aws.records()[seen:]]
    assert asked.count("ListTrainedModels") <= 7
    assert asked.count("ListTrainedModelVersions") <= 7
    assert asked.count("GetTrainedModel") == 0


# -- names that AWS refuses ----------------------------------------------------------------------


def test_er_1_a_name_that_stays_taken_for_ever_is_told_with_its_holder() -> None:
    world = studio(Rules.parse(("ER-1=refused",)))
    train(world, BASE, model(world))
    first = world.resources[BASE].status["arn"]
    world.delete(BASE)
    world.settle()
    train(world, BASE, model(world))
    assert world.told(BASE) == "Stalled NameTaken"
    assert first in world.message(BASE)
    sent = world.aws.sent("CreateTrainedModel")
    world.rest(6 * 3700.0)
    assert world.told(BASE) == "Stalled NameTaken"
    assert world.aws.applied("CreateTrainedModel") == 1
    assert world.aws.sent("CreateTrainedModel") - sent <= 3, "it is tried ever more seldom"


def test_er_1_a_name_that_becomes_free_is_taken() -> None:
    world = studio(Rules.parse(("ER-1=refused-while-live",)))
    train(world, BASE, model(world))
    train(world, VERSION, model(world, name=BASE.name))
    assert world.told(VERSION) == "Stalled NameTaken"
    world.delete(BASE)
    world.settle()
    world.rest(3600.0)
    assert world.told(VERSION) == "Ready"
    check_rest(world)


# -- what cannot be said -------------------------------------------------------------------------


def test_c_4_a_training_that_went_on_from_another_version_than_was_meant_is_told() -> None:
    """A base with versions cannot be named: AWS may take the latest of them for it."""
    world = trained()
    train(world, THIRD, further(world, BASE))
    [drift] = world.resources[THIRD].status["drift"]
    assert drift["path"] == "incrementalTrainingDataChannels[0].versionIdentifier"
    assert drift["observed"] == world.resources[VERSION].status["versionIdentifier"]
    assert world.told(THIRD) == "Ready"
