"""Rates are those of the quota pages of both user guides."""

import pytest

from cleanrooms_emulator.model import operation, service
from cleanrooms_emulator.rates import Rate, rate_of


@pytest.mark.parametrize(
    ("service_name", "name", "rate"),
    [
        ("cleanrooms", "CreateCollaboration", Rate(5, 5)),
        ("cleanrooms", "TagResource", Rate(5, 5)),
        ("cleanrooms", "GetProtectedQuery", Rate(20, 20)),
        ("cleanroomsml", "CreateTrainedModel", Rate(1, 3)),
        ("cleanroomsml", "StartTrainedModelInferenceJob", Rate(1, 3)),
        ("cleanroomsml", "PutMLConfiguration", Rate(10, 10)),
        ("cleanroomsml", "DeleteTrainedModelOutput", Rate(2, 10)),
        ("cleanroomsml", "GetTrainedModel", Rate(50, 50)),
        ("cleanroomsml", "TagResource", Rate(10, 10)),
        ("cleanroomsml", "UntagResource", Rate(50, 50)),
        ("cleanroomsml", "ListTagsForResource", Rate(50, 50)),
    ],
)
@pytest.mark.parametrize("unlisted", [True, False])
def test_listed_rates_hold_either_way(
    service_name: str,
    name: str,
    rate: Rate,
    unlisted: bool,  # noqa: FBT001 - both are tried
) -> None:
    one = operation(service_name, name)
    assert one is not None
    assert rate_of(one, unlisted=unlisted) == rate


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("CreateMLInputChannel", Rate(10, 10)),
        ("DeleteMLInputChannelData", Rate(2, 10)),
        ("CancelTrainedModel", Rate(2, 10)),
        ("ListCollaborationTrainedModels", Rate(50, 50)),
    ],
)
def test_er27_unlisted_rates_are_assumed_or_none(name: str, rate: Rate) -> None:
    one = operation("cleanroomsml", name)
    assert one is not None
    assert rate_of(one, unlisted=True) == rate
    assert rate_of(one, unlisted=False) is None


def test_sts_has_no_rate() -> None:
    rates = {rate_of(one, unlisted=True) for one in service("sts").operations.values()}
    assert rates == {None}
