"""The reasons are part of the API: people and alerts depend on them."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from cleanrooms_operator.core import reasons
from cleanrooms_operator.core.reasons import Reason

SOURCES = Path(reasons.__file__).parents[1]
SAYS_NOTHING = re.compile(r"^Nothing to do\.$")
EVENTS = {
    Reason.CREATED,
    Reason.ADOPTED,
    Reason.UPDATED,
    Reason.DELETED,
    Reason.RETAINED,
    Reason.ABANDONED,
    Reason.GIVEN_UP,
    Reason.RELEASE_NOT_MARKED,
    Reason.RUN_CHARGED,
}
"""Reasons of events alone: no condition has them."""


@cache
def uses() -> set[str]:
    """Return the names of the members that the product's code mentions, but for the enum's own."""
    trees = (
        ast.parse(path.read_text())
        for path in SOURCES.rglob("*.py")
        if path != Path(reasons.__file__)
    )
    return {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Reason"
    }


def test_names_are_unique() -> None:
    assert len({reason.value for reason in Reason}) == len(Reason)
    assert len(list(Reason)) == len(Reason.__members__), "no member is another's alias"


@pytest.mark.parametrize("reason", Reason)
class TestEveryReason:
    def test_its_name_is_camel_case(self, reason: Reason) -> None:
        assert re.fullmatch(r"([A-Z]+[a-z]+)+", reason.value)

    def test_cause_and_remedy_are_sentences(self, reason: Reason) -> None:
        for text in (reason.cause, reason.remedy):
            assert re.match(r"[A-Z`]", text)
            assert text.endswith(".")
            assert "  " not in text

    def test_it_is_given_somewhere(self, reason: Reason) -> None:
        assert reason.name in uses()

    def test_what_is_wrong_has_a_remedy(self, reason: Reason) -> None:
        well = {Reason.SUCCEEDED, Reason.RESOLVED, Reason.ALL_JOINED, Reason.CHANGES_APPLIED}
        well |= {Reason.PAYMENTS_ACCEPTED, Reason.ALL_ANSWERED, Reason.PAYER_READY, Reason.APPROVED}
        well |= EVENTS
        assert reason in well or not SAYS_NOTHING.match(reason.remedy)
