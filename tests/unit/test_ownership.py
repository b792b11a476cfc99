"""Whose an object is, by its tags."""

import pytest

import make
from cleanrooms_operator.core.ownership import (
    ATTEMPT,
    NAME,
    NAMESPACE,
    OWNER,
    RELEASED,
    Claim,
    Owner,
    Signature,
)
from cleanrooms_operator.core.resource import GROUP

OWNER_OF_THIS = Owner("cluster-1", inherits=frozenset({"cluster-0"}))
RELEASED_TAG = {RELEASED: "true"}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        pytest.param({}, Claim.NOBODY, id="no tags at all"),
        pytest.param({"team": "ads"}, Claim.NOBODY, id="tags of people"),
        pytest.param(
            {NAMESPACE: "a", NAME: "one"}, Claim.NOBODY, id="without an owner the rest says nothing"
        ),
        pytest.param(make.owner_tags(), Claim.OURS, id="this resource's"),
        pytest.param(
            make.owner_tags() | {ATTEMPT: "x", "team": "ads"}, Claim.OURS, id="with more tags"
        ),
        pytest.param(make.owner_tags() | RELEASED_TAG, Claim.RELEASED, id="its deletion had begun"),
        pytest.param(make.owner_tags(name="two"), Claim.OTHER, id="of another name"),
        pytest.param(make.owner_tags(namespace="b"), Claim.OTHER, id="of another namespace"),
        pytest.param(
            make.owner_tags(owner="cluster-2", name="two"), Claim.OTHER, id="of nobody we know"
        ),
        pytest.param(
            make.owner_tags(owner="cluster-2"), Claim.ELSEWHERE, id="of another cluster (R-2)"
        ),
        pytest.param(
            make.owner_tags(owner="cluster-2") | RELEASED_TAG,
            Claim.ELSEWHERE,
            id="of another cluster, which gave it up: still not ours to judge",
        ),
        pytest.param(
            make.owner_tags(owner="cluster-0"), Claim.INHERITED, id="of a cluster that we inherit"
        ),
        pytest.param(
            make.owner_tags(owner="cluster-0") | RELEASED_TAG,
            Claim.RELEASED,
            id="given up by a cluster that we inherit",
        ),
        pytest.param({OWNER: "cluster-1"}, Claim.OTHER, id="half of our tags are not ours"),
    ],
)
def test_tags_tell_whose_an_object_is(tags: dict[str, str], expected: Claim) -> None:
    assert OWNER_OF_THIS.claim(make.KEY, tags) is expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        pytest.param({}, Claim.OURS, id="all were taken away"),
        pytest.param({OWNER: "cluster-1", NAMESPACE: "a"}, Claim.OURS, id="its name was"),
        pytest.param({OWNER: "cluster-1", NAME: "one"}, Claim.OURS, id="its namespace was"),
        pytest.param({NAMESPACE: "a", NAME: "one"}, Claim.OURS, id="its owner was"),
        pytest.param({NAMESPACE: "a", NAME: "two"}, Claim.OTHER, id="what is left is another's"),
        pytest.param({OWNER: "cluster-2"}, Claim.ELSEWHERE, id="what is left is a cluster's"),
        pytest.param(RELEASED_TAG, Claim.RELEASED, id="its deletion had begun"),
    ],
)
def test_a_tag_that_was_taken_from_a_recorded_object_says_nothing(
    tags: dict[str, str], expected: Claim
) -> None:
    assert Signature(OWNER_OF_THIS, make.KEY).claim_recorded(tags) is expected


def test_a_create_call_carries_four_tags_of_our_group() -> None:
    tags = OWNER_OF_THIS.tags(make.KEY, "attempt-1")
    assert all(key.startswith(f"{GROUP}/") for key in tags)
    assert sorted(tags.values()) == ["a", "attempt-1", "cluster-1", "one"]
    assert OWNER_OF_THIS.claim(make.KEY, tags) is Claim.OURS
