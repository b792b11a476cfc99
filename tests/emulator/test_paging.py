"""Pages lead through the whole list, and tokens are good for nothing else."""

import base64
import json
from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cleanrooms_emulator.paging import PageSize, page
from cleanrooms_emulator.request import ServiceError
from model_samples import COLLABORATION

SIZE = PageSize(10)
LETTERS = list("abcdefghijkl")


def pages(
    items: list[str], size: PageSize = SIZE, scope: str = "", **parameters: Any
) -> list[list[str]]:
    """Follow the tokens to the end."""
    found, token = [], None
    while True:
        asked = {**parameters, **({"nextToken": token} if token else {})}
        shown, token = page(items, asked, size, key=str, scope=scope)
        found.append(shown)
        if token is None:
            return found


@pytest.mark.parametrize(
    ("parameters", "lengths"),
    [
        pytest.param({}, [10, 2], id="the default"),
        pytest.param({"maxResults": 5}, [5, 5, 2], id="fives"),
        pytest.param({"maxResults": 6}, [6, 6], id="no empty page at the end"),
        pytest.param({"maxResults": 1}, [1] * 12, id="ones"),
        pytest.param({"maxResults": 100}, [12], id="all"),
    ],
)
def test_pages_are_as_long_as_asked_for(parameters: dict[str, Any], lengths: list[int]) -> None:
    shown = pages(LETTERS[::-1], **parameters)
    assert [len(one) for one in shown] == lengths
    assert list(chain(*shown)) == LETTERS


def test_empty_list_is_one_empty_page() -> None:
    assert pages([]) == [[]]


def test_er2_short_pages_are_empty_at_times_and_still_complete() -> None:
    shown = pages(LETTERS, PageSize(4, short=True))
    assert [len(one) for one in shown] == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]
    assert list(chain(*shown)) == LETTERS


def test_what_comes_and_goes_between_pages_hides_and_repeats_nothing() -> None:
    shown, token = page(LETTERS, {"maxResults": 3}, SIZE, key=str)
    assert shown == ["a", "b", "c"]
    changed = [*LETTERS[3:], "aa", "m"]
    shown, _ = page(changed, {"nextToken": token}, SIZE, key=str)
    assert shown == [*LETTERS[3:], "m"]


def token_of(scope: str = "s", **filters: Any) -> str:
    _, token = page(LETTERS, {"maxResults": 1, **filters}, SIZE, key=str, scope=scope)
    assert token is not None
    return token


def forged(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(token_of(scope="other"), id="of another list"),
        pytest.param(token_of(status="ACTIVE"), id="of another filter"),
        pytest.param("token", id="no base64"),
        pytest.param("größe", id="no ASCII"),
        pytest.param(base64.b64encode(b"\xff").decode(), id="no UTF-8"),
        pytest.param(base64.b64encode(b"7").decode(), id="no list"),
        pytest.param(forged("x"), id="a list too short"),
        pytest.param(forged("x", 1, "a"), id="a mark of nothing"),
        pytest.param("", id="empty"),
    ],
)
def test_other_tokens_are_invalid(token: str) -> None:
    with pytest.raises(ServiceError, match="ValidationException"):
        page(LETTERS, {"nextToken": token}, SIZE, key=str, scope="s")


def test_another_length_may_be_asked_for_with_a_token() -> None:
    shown, _ = page(LETTERS, {"nextToken": token_of(), "maxResults": 2}, SIZE, key=str, scope="s")
    assert shown == ["b", "c"]


def test_paginators_of_the_sdk_get_everything(client: Callable[..., Any], account: str) -> None:
    cleanrooms = client("cleanrooms", account)
    for name in "abc":
        cleanrooms.create_collaboration(**{**COLLABORATION, "name": name})
    paginator = cleanrooms.get_paginator("list_collaborations")
    shown = list(paginator.paginate(PaginationConfig={"PageSize": 1}))
    assert [[one["name"] for one in each["collaborationList"]] for each in shown] == [
        ["a"],
        ["b"],
        ["c"],
    ]


def test_invalid_token_is_refused_over_http(client: Callable[..., Any], account: str) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        client("cleanrooms", account).list_collaborations(nextToken="nonsense")
