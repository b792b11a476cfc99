"""Payment configurations as flat leaves, there and back."""

from typing import Any

import pytest

from cleanrooms_operator.core.payments import COST_TYPES, configuration, leaves

YES, NO = {"isResponsible": True}, {"isResponsible": False}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(None, {}, id="no configuration"),
        pytest.param({}, {}, id="an empty one"),
        pytest.param({"machineLearning": {}}, {}, id="an empty part"),
        pytest.param({"machineLearning": None}, {}, id="an absent part"),
        pytest.param(
            {"queryCompute": YES, "machineLearning": {"modelTraining": NO}},
            {"queryCompute": True, "machineLearning.modelTraining": False},
            id="FALSE is said, which is not the same as nothing",
        ),
        pytest.param({"newCost": YES}, {}, id="a cost type that AWS added since is left alone"),
    ],
)
def test_a_configuration_names_cost_types(
    given: dict[str, Any] | None, expected: dict[str, bool]
) -> None:
    assert leaves(given) == expected


@pytest.mark.parametrize("responsible", [True, False])
def test_leaves_make_the_configuration_that_names_them(*, responsible: bool) -> None:
    for path in COST_TYPES:
        assert leaves(configuration({path: responsible})) == {path: responsible}
    everything = dict.fromkeys(COST_TYPES, responsible)
    assert leaves(configuration(everything)) == everything


def test_what_is_not_chosen_is_not_sent() -> None:
    assert configuration({}) == {}
    assert configuration({"machineLearning.modelTraining": True}) == {
        "machineLearning": {"modelTraining": YES}
    }
