"""Resources that come back without their status are given what they had, and nothing is bought."""

import pytest

from cleanrooms_operator.core.ownership import OWNER
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_playground.documents import Document
from e2e.emulated import check_creates
from e2e.stage import Stage

REBUILT = "rebuilt"
KINDS = ("Collaboration", "Membership")


@pytest.fixture(scope="module")
def made(stage: Stage) -> dict[Key, Resource]:
    """Make all that is lost and restored later."""
    operator = stage.run_operator()
    keys = [key for study in (stage.study(), stage.study()) for key in study.keys]
    found = {resource.key: resource for resource in stage.wait_ready(*keys)}
    operator.process.stop()
    return found


@pytest.fixture
def restored(stage: Stage, made: dict[Key, Resource]) -> int:
    """Lose all resources, with no operator there to clean up, and apply what was saved of them.

    Return what tells the requests from then on.
    """
    saved: list[Document] = []
    for key in made:
        shown = stage.cluster.get(key.kind, key.name, namespace=key.namespace)
        assert shown is not None
        kept = {name: shown["metadata"][name] for name in ("name", "namespace")}
        saved.append({**shown, "metadata": kept})
        stage.let_go(key)
    stage.delete(*made)
    stage.wait_gone(*made)
    for document in saved:
        del document["status"]
        stage.cluster.create(document)
    return stage.aws.mark()


def owners(stage: Stage, made: dict[Key, Resource]) -> set[str]:
    """Return whose all that is."""
    return {stage.aws.tags(resource.status["arn"])[OWNER] for resource in made.values()}


def assert_adopted(stage: Stage, made: dict[Key, Resource], mark: int) -> None:
    for resource in stage.wait_ready(*made):
        assert resource.status["arn"] == made[resource.key].status["arn"]
    assert stage.aws.creates(mark) == []
    stage.check_one_each(*made)


def test_all_is_adopted_again(stage: Stage, made: dict[Key, Resource], restored: int) -> None:
    operator = stage.run_operator()
    assert_adopted(stage, made, restored)
    operator.process.stop()


def test_a_rebuilt_cluster_creates_nothing_and_says_whose_it_is(
    stage: Stage, made: dict[Key, Resource], restored: int
) -> None:
    """R-2: the UID of kube-system is another there."""
    (first,) = owners(stage, made)
    operator = stage.run_operator(owner=REBUILT)
    for key in made:
        if stage.resource(key).spec.get("collaborationRef"):
            continue  # it waits for the Collaboration
        held = stage.watch.until(key, lambda r: r.is_true("Stalled"))
        told = held.condition("Stalled")
        assert told is not None
        assert told["reason"] == "OwnedElsewhere"
        assert "owner.inherits" in told["message"]
        assert "external-id: none" in told["message"]
    assert stage.aws.creates(restored) == []
    assert owners(stage, made) == {first}
    operator.process.stop()


def test_a_rebuilt_cluster_that_inherits_adopts_all(
    stage: Stage, made: dict[Key, Resource], restored: int
) -> None:
    """R-2."""
    (first,) = owners(stage, made)
    operator = stage.run_operator(owner=REBUILT, owner_inherits=[first])
    assert_adopted(stage, made, restored)
    assert owners(stage, made) == {REBUILT}
    operator.process.stop()
    check_creates(stage.aws.creates())
