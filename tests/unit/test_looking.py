"""When reading each object takes fewer requests than the List of all (rule R-21)."""

from typing import Any

import pytest

import make
from cleanrooms_operator.core.looking import is_cheaper_alone
from cleanrooms_operator.core.resource import Key, Resource

RECONCILING = {"conditions": [make.condition("Reconciling")]}


def other(name: str, **status: Any) -> Resource:
    return make.bound(key=Key("Thing", "a", name), status={"identifier": name, **status})


@pytest.mark.parametrize(
    ("others", "pages", "cheaper"),
    [
        pytest.param([], 1, False, id="one page"),
        pytest.param([], 2, True, id="others' records outnumber ours"),
        pytest.param([other("b")], 2, False, id="two pages show two objects"),
        pytest.param([other("b")], 3, True, id="three pages show two objects"),
        pytest.param([other("b", identifier=None)], 2, True, id="what is not made yet"),
        pytest.param([other("b", region="eu-west-1")], 2, True, id="what lives elsewhere"),
        pytest.param([other("b", accountID="222222222222")], 2, True, id="another account's"),
    ],
)
def test_a_list_is_asked_for_where_it_takes_no_more_requests(
    others: list[Resource], pages: int, *, cheaper: bool
) -> None:
    resource = make.bound()
    assert is_cheaper_alone(make.kind(), resource, pages, [resource, *others]) is cheaper


@pytest.mark.parametrize(
    ("own", "its", "cheaper"),
    [
        pytest.param(RECONCILING, {}, True, id="what rests is looked at less often"),
        pytest.param(RECONCILING, RECONCILING, False, id="both are under way"),
        pytest.param({}, RECONCILING, False, id="what is under way is looked at all the more"),
    ],
)
def test_what_rests_does_not_count_for_what_is_under_way(
    own: Any, its: Any, *, cheaper: bool
) -> None:
    resource = make.bound(status=own)
    assert is_cheaper_alone(make.kind(), resource, 2, [resource, other("b", **its)]) is cheaper


def test_what_is_over_is_not_looked_at() -> None:
    kind = make.run()
    resource, over = make.bound(), other("b", state="INACTIVE")
    assert kind.is_over("INACTIVE")
    assert is_cheaper_alone(kind, resource, 2, [resource, over])
