"""Pages of a list, and the tokens between them.

A token names the last item shown rather than a position, so that what appears or goes between
two pages neither repeats nor hides another item.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from cleanrooms_emulator.request import ServiceError

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class PageSize:
    """How many items a page has where the caller does not say.

    `short` cuts pages below what was asked for, down to none, as AWS says that it may: a client
    that stops at an empty page then misses items.
    """

    default: int
    short: bool = False


@dataclass(frozen=True, slots=True)
class _Position:
    """What a token says: the last key shown, and how many pages went before."""

    last: str
    pages: int


_START = _Position("", 0)


def page(
    items: Iterable[Item],
    parameters: Mapping[str, Any],
    size: PageSize,
    *,
    key: Callable[[Item], str],
    scope: str = "",
) -> tuple[list[Item], str | None]:
    """Return the page that `parameters` ask for, and the token of the next, if there is one.

    `items` may be in any order; they are shown by `key`, which is unique and never empty. `scope`
    says whose list of what this is: a token is good only there and for the same filters, and
    anything else is a ValidationException.
    """
    mark = _mark(parameters, scope)
    token = parameters.get("nextToken")
    position = _START if token is None else _read(token, mark)
    rest = sorted((item for item in items if key(item) > position.last), key=key)
    count = _count(parameters.get("maxResults") or size.default, position.pages, size)
    shown = rest[:count]
    if count >= len(rest):
        return shown, None
    last = key(shown[-1]) if shown else position.last
    return shown, _write(_Position(last, position.pages + 1), mark)


def _count(asked: int, pages: int, size: PageSize) -> int:
    """Return how many items the page after `pages` others has; short ones: none, one, half."""
    return (0, 1, (asked + 1) // 2)[pages % 3] if size.short else asked


def _mark(parameters: Mapping[str, Any], scope: str) -> str:
    """Return a digest of what the pages of one list have in common."""
    filters = {k: v for k, v in parameters.items() if k not in {"maxResults", "nextToken"}}
    text = json.dumps([scope, filters], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _write(position: _Position, mark: str) -> str:
    text = json.dumps([mark, position.pages, position.last])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read(token: str, mark: str) -> _Position:
    try:
        written, pages, last = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise _invalid() from None
    if written != mark or not isinstance(pages, int) or not isinstance(last, str):
        raise _invalid()
    return _Position(last, pages)


def _invalid() -> ServiceError:
    return ServiceError("ValidationException", "The nextToken is not valid for this request.")
