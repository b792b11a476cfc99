"""What is looked at beside an object holds nothing up, whatever AWS answers."""

from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core.failure import Failure
from cleanrooms_operator.core.kind import Glance, Kind, Listing
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.runtime.glances import with_glances
from cleanrooms_operator.runtime.ports import PacedError
from passes import Operator
from scripted import START, desk, view

FIRST, SECOND = Listing("cleanrooms", "ListFirst", "f"), Listing("cleanrooms", "ListSecond", "s")
SHOWN = [{"id": "1"}]
KIND = make.kind(
    glances=(
        Glance(FIRST, lambda *_: {"scope": "x"}),
        Glance(SECOND, lambda where, _: {"scope": "y"} if where.glances.get("ListFirst") else None),
    )
)


async def glances(first: Any, *, requested: bool = False) -> tuple[Any, list[tuple[str, float]]]:
    """Return what was seen, and what was asked for."""
    at, found = desk(), make.present()
    at.aws.lists |= {"ListFirst": first, "ListSecond": []}
    asked = make.annotations(reconcile_requested_at="now") if requested else {}
    looked = view(at, make.bound(annotations=asked), KIND)
    seen = await with_glances(looked, make.situation(found), found)
    return seen.glances, at.aws.sightings


async def test_one_is_asked_by_what_those_before_it_show() -> None:
    seen, asked = await glances(SHOWN)
    assert seen == {"ListFirst": tuple(SHOWN), "ListSecond": ()}
    assert asked == [("ListFirst", START - 600.0), ("ListSecond", START - 600.0)]
    seen, asked = await glances([])
    assert seen == {"ListFirst": ()}
    assert len(asked) == 1


async def test_who_asks_for_a_look_gets_a_new_one() -> None:
    _, asked = await glances([], requested=True)
    assert asked == [("ListFirst", START)]


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        pytest.param(make.error(Failure.DENIED), {"ListFirst": None}, id="nobody may look"),
        pytest.param(make.error(Failure.NOT_FOUND), {"ListFirst": None}, id="nothing is there"),
        pytest.param(make.error(Failure.THROTTLED), {}, id="AWS is busy"),
        pytest.param(make.error(Failure.UNAVAILABLE), {}, id="AWS does not answer"),
        pytest.param(PacedError("ListFirst", 5.0), {}, id="it takes long"),
    ],
)
async def test_an_error_is_no_answer(answer: Exception, seen: Any) -> None:
    assert (await glances(answer))[0] == seen


def telling() -> Kind:
    """Return a kind that has news whenever what is seen beside it is another."""
    return replace(
        KIND,
        report=lambda where, _: {"parentIdentifier": where.glances["ListFirst"][0]["id"]},
        news=lambda before, after: (
            ((Reason.RUN_CHARGED, "One more"),)
            if before.get("parentIdentifier") != after.get("parentIdentifier")
            else ()
        ),
    )


async def test_news_are_told_when_the_status_is_written_and_not_again() -> None:
    operator = Operator(make.bound(), kind=telling())
    operator.aws.lists |= {"ListFirst": SHOWN, "ListSecond": []}
    assert operator.told(await operator.look()) == [("Normal", Reason.RUN_CHARGED.value)]
    assert operator.status["parentIdentifier"] == "1"
    assert operator.told(await operator.look()) == []
