"""What one account publishes and another names, from the algorithm to the finished job."""

from typing import Any

import pytest

from cleanrooms_operator.core.resource import Document, Key
from simulation import specs
from simulation.invariants import check_rest
from simulation.specs import CREATOR, CREATORS, PARTNER
from simulation.world import World

ASSOCIATION = specs.EXAMPLES["association"].key
CHANNEL = Key("MLInputChannel", "b", "customers")
MODEL, VERSION = Key("TrainedModel", "b", "churn"), Key("TrainedModel", "b", "churn-2")
JOB = Key("InferenceJob", "b", "october")
RUNS = (CHANNEL, MODEL, VERSION, JOB)

SHARED = {"creatorAccountId": CREATOR, "name": "churn"}
OWN_CHANNEL = {"creatorAccountId": PARTNER, "name": CHANNEL.name}
OF_MEMBER = {"membershipRef": {"name": "member"}}
SIZE = {"instanceType": "ml.m5.2xlarge"}


def channel(**more: Any) -> Document:
    sql = {"sqlParameters": {"queryString": "SELECT 1"}}
    source = {"dataSource": {"protectedQueryInputParameters": sql}}
    return {
        **OF_MEMBER,
        "sharedConfiguredModelAlgorithmAssociations": [SHARED],
        "inputChannel": {**source, "roleArn": specs.ROLE.format(account=PARTNER)},
        "retentionInDays": 30,
        **more,
    }


def model(**more: Any) -> Document:
    return {
        **OF_MEMBER,
        "sharedConfiguredModelAlgorithmAssociation": SHARED,
        "dataChannels": [{"channelName": "now", "mlInputChannelRef": {"name": CHANNEL.name}}],
        "resourceConfig": {**SIZE, "volumeSizeInGB": 10},
        **more,
    }


def version() -> Document:
    before = {"channelName": "before", "trainedModelRef": {"name": MODEL.name}}
    return model(incrementalTrainingDataChannels=[before])


def job(**more: Any) -> Document:
    return {
        **OF_MEMBER,
        "trainedModelRef": {"name": VERSION.name},
        "dataSource": {"sharedMLInputChannel": OWN_CHANNEL},
        "resourceConfig": SIZE,
        "outputConfiguration": {"accept": "text/csv", "members": [{"accountId": CREATOR}]},
        **more,
    }


SPECS = dict(zip(RUNS, (channel(), model(), version(), job()), strict=True))


def apply(world: World, *keys: Key) -> None:
    for key in keys:
        world.apply(key.kind, key.name, SPECS[key], key.namespace)


def finished() -> World:
    """Return a world in which all was applied at once, and has run."""
    world = World()
    specs.walkthrough(world)
    apply(world, *reversed(RUNS))
    world.settle(seconds=20_000.0)
    return world


def test_all_applied_at_once_runs_to_the_end_in_order() -> None:
    world = finished()
    assert {str(key): world.told(key) for key in RUNS} == {str(key): "Ready" for key in RUNS}
    status = world.resources[VERSION].status
    [record] = world.aws.records("StartTrainedModelInferenceJob")
    sent = record.parameters
    assert sent["trainedModelArn"] == status["arn"]
    assert sent["trainedModelVersionIdentifier"] == status["versionIdentifier"]
    check_rest(world)


def test_a_restore_without_what_it_was_made_from_starts_nothing() -> None:
    """R-37: the channel is not applied again, and all that was made of it is found."""
    world = finished()
    world.restore()
    world = world.fork()
    del world.resources[CHANNEL]
    world.tick(3600.0)
    world.settle(seconds=20_000.0)
    for key in (MODEL, VERSION, JOB):
        assert world.told(key) == "Ready"
    for call in ("CreateTrainedModel", "StartTrainedModelInferenceJob"):
        assert world.aws.sent(call) == 0


def test_what_nobody_publishes_is_waited_for_until_somebody_does() -> None:
    world = World()
    specs.accounts(world)
    for name in ("collaboration", "creator", "partner", "algorithm"):
        specs.EXAMPLES[name].apply(world)
    apply(world, CHANNEL)
    world.rest(600.0)
    assert world.told(CHANNEL) in {
        "Reconciling DependencyNotReady",
        "Stalled ProgressDeadlineExceeded",
    }
    assert CREATOR in world.message(CHANNEL)
    specs.EXAMPLES["association"].apply(world)
    world.settle()
    assert world.told(CHANNEL) == "Ready"


def test_of_two_of_one_name_none_is_guessed() -> None:
    world = specs.settled()
    world.ask(
        CREATOR,
        "cleanroomsml",
        "CreateConfiguredModelAlgorithmAssociation",
        membershipIdentifier=world.resources[CREATORS].status["identifier"],
        configuredModelAlgorithmArn=world.resources[specs.EXAMPLES["algorithm"].key].status["arn"],
        name="churn",
        privacyConfiguration=specs.association()["privacyConfiguration"],
    )
    apply(world, CHANNEL)
    world.settle()
    assert world.told(CHANNEL) == "Stalled Ambiguous"
    assert world.resources[ASSOCIATION].status["arn"] in world.message(CHANNEL)
    assert world.aws.sent("CreateMLInputChannel") == 0


def test_a_literal_membership_finds_what_is_shared_with_its_account() -> None:
    world = specs.settled()
    literal = world.resources[specs.PARTNERS].status["identifier"]
    spec = {**channel(membershipIdentifier=literal)}
    del spec["membershipRef"]
    world.apply(CHANNEL.kind, CHANNEL.name, spec, CHANNEL.namespace)
    world.settle()
    assert world.told(CHANNEL) == "Ready"


@pytest.mark.parametrize("order", [RUNS, tuple(reversed(RUNS))], ids=["from the root", "leaves"])
def test_everything_deleted_at_once_goes_and_leaves_nothing(order: tuple[Key, ...]) -> None:
    """R-38: what is made of others goes first, and the collaboration after all that is under it."""
    world = finished()
    for key in order:
        world.delete(key)
    specs.delete_all(world)
    world.settle(seconds=20_000.0)
    assert list(world.resources) == []
    names = ("DeleteTrainedModelOutput", "DeleteMLInputChannelData", "DeleteCollaboration")
    done = [record.operation for record in world.aws.records(*names) if record.applied]
    assert done[-1] == "DeleteCollaboration"
    assert set(done) == set(names)
