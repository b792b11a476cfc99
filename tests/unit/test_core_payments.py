"""Payment configurations as flat leaves, there and back."""

from typing import Any

import pytest

from cleanrooms_operator.core.payments import COST_TYPES, acceptable, configuration, leaves

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


QUERIES = {"queryCompute": YES}
TRAINING = {"machineLearning": {"modelTraining": YES}}


@pytest.mark.parametrize(
    ("declared", "assigned", "expected"),
    [
        pytest.param(QUERIES, QUERIES, QUERIES, id="what is assigned"),
        pytest.param(QUERIES, None, None, id="nobody was assigned anything"),
        pytest.param(QUERIES, {"queryCompute": NO}, None, id="it was given to somebody else"),
        pytest.param({**QUERIES, **TRAINING}, QUERIES, QUERIES, id="some of it"),
        pytest.param(
            {**QUERIES, **TRAINING},
            TRAINING,
            {"queryCompute": NO, **TRAINING},
            id="the leaf that the call requires is FALSE, which is so",
        ),
        pytest.param(
            {"queryCompute": NO, **TRAINING},
            {**QUERIES, **TRAINING},
            {"queryCompute": NO, **TRAINING},
            id="a refusal of what is assigned is the person's own",
        ),
    ],
)
def test_r_17_of_payments_only_what_is_assigned_is_sent(
    declared: dict[str, Any], assigned: dict[str, Any] | None, expected: dict[str, Any] | None
) -> None:
    ours = {"accountId": "1"} | ({} if assigned is None else {"paymentConfiguration": assigned})
    others = {"accountId": "2", "paymentConfiguration": {**QUERIES, **TRAINING}}
    parameters = {"collaborationIdentifier": "c", "paymentConfiguration": declared}
    sent = {"collaborationIdentifier": "c"}
    sent |= {} if expected is None else {"paymentConfiguration": expected}
    assert acceptable(parameters, [others, ours], "1") == sent
