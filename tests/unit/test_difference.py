"""Only what the spec names is compared."""

from typing import Any

import pytest

from cleanrooms_operator.core.difference import differences
from cleanrooms_operator.core.step import Drift

SETS = frozenset({"labels"})


@pytest.mark.parametrize(
    ("desired", "observed"),
    [
        pytest.param({}, {"a": "1"}, id="what the spec leaves out is AWS's to fill in"),
        pytest.param({"a": "1"}, {"a": "1", "b": "2"}, id="equal leaves"),
        pytest.param({"a": {"b": "1"}}, {"a": {"b": "1", "c": "2"}}, id="at any depth"),
        pytest.param({"a": False}, {}, id="an absent flag is FALSE"),
        pytest.param({"a": {"b": False}}, {}, id="an absent structure has no flag set"),
        pytest.param({"a": ""}, {}, id="an absent text is empty"),
        pytest.param({"a": []}, {"a": None}, id="an absent list is empty"),
        pytest.param({"a": {}}, {}, id="an empty structure asks for nothing"),
        pytest.param({"labels": ["x", "y"]}, {"labels": ["y", "x"]}, id="sets have no order"),
        pytest.param({"a": {"labels": ["x", "y"]}}, {"a": {"labels": ["y", "x"]}}, id="nor nested"),
        pytest.param(
            {"a": [{"b": "1"}, {}]},
            {"a": [{"b": "1", "c": "2"}, {"c": "3"}]},
            id="what the spec leaves out in a list of structures",
        ),
    ],
)
def test_nothing_differs(desired: dict[str, Any], observed: dict[str, Any]) -> None:
    assert differences(desired, observed, SETS) == ()


@pytest.mark.parametrize(
    ("desired", "observed", "expected"),
    [
        pytest.param({"a": "1"}, {"a": "2"}, Drift("a", "1", "2"), id="another value"),
        pytest.param({"a": "1"}, {}, Drift("a", "1", None), id="no value"),
        pytest.param({"a": True}, {}, Drift("a", True, None), id="an absent flag is not TRUE"),  # noqa: FBT003  a value of any type
        pytest.param({"a": False}, {"a": True}, Drift("a", False, True), id="a flag that is set"),  # noqa: FBT003  same
        pytest.param({"a": ""}, {"a": "x"}, Drift("a", "", "x"), id="a text to be emptied"),
        pytest.param({"a": {"b": "1"}}, {}, Drift("a.b", "1", None), id="in an absent structure"),
        pytest.param(
            {"a": {"b": {"c": "1"}}},
            {"a": {"b": {"c": "2"}}},
            Drift("a.b.c", "1", "2"),
            id="the leaf is named by its whole path",
        ),
        pytest.param(
            {"list": ["x", "y"]},
            {"list": ["y", "x"]},
            Drift("list", ["x", "y"], ["y", "x"]),
            id="lists have an order unless they are sets",
        ),
        pytest.param(
            {"labels": ["x"]},
            {"labels": ["x", "x"]},
            Drift("labels", ["x"], ["x", "x"]),
            id="twice",
        ),
        pytest.param({"labels": ["x"]}, {}, Drift("labels", ["x"], None), id="an absent set"),
        pytest.param(
            {"a": [{"b": "1"}, {"b": "2"}]},
            {"a": [{"b": "1"}, {"b": "3"}]},
            Drift("a[1].b", "2", "3"),
            id="in a list of structures",
        ),
        pytest.param(
            {"a": [{"b": "1"}]},
            {"a": [{"b": "1"}, {"b": "2"}]},
            Drift("a", [{"b": "1"}], [{"b": "1"}, {"b": "2"}]),
            id="more structures than were asked for",
        ),
        pytest.param({"a": [{}]}, {"a": ["x"]}, Drift("a", [{}], ["x"]), id="not of structures"),
    ],
)
def test_one_leaf_differs(
    desired: dict[str, Any], observed: dict[str, Any], expected: Drift
) -> None:
    assert differences(desired, observed, SETS) == (expected,)


def test_every_leaf_is_told_in_the_order_of_the_spec() -> None:
    found = differences({"b": "1", "a": {"d": "1", "c": "1"}, "e": "1"}, {"e": "1"})
    assert [leaf.path for leaf in found] == ["b", "a.d", "a.c"]


def test_structures_in_a_list_are_compared_one_by_one_as_far_as_they_are_shown() -> None:
    asked = {"channels": [{"arn": "x", "channelName": "a", "taken": "y"}]}
    shown = {"channels": [{"arn": "z", "channelName": "a", "filledIn": "b"}]}
    assert [drift.path for drift in differences(asked, shown)] == ["channels[0].arn"]
