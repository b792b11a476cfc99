"""Histories at random of all that may happen; one that fails is shrunk to what matters."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from simulation import histories, nights
from simulation.histories import Move

WHOLE = nights.told(500, at_night=20_000)
BRIEF = settings(WHOLE, max_examples=100, derandomize=True, phases=[Phase.generate])
"""Enough to find what is wrong often; what exactly is nobody's business then."""

WHO, WHAT = st.integers(0, 8), st.integers(0, 20)


@dataclass(frozen=True)
class Story:
    """A world to begin with, and what happens in it."""

    begins: str
    told: list[tuple[Move, int, int]]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Tell of a few kinds of moves at a time, and often of one resource: such things meet more."""
    begins = draw(st.sampled_from(("ready", "applied", "running", "finished")))
    some = st.lists(st.sampled_from(histories.MOVES), min_size=3, max_size=8)
    moves = st.sampled_from([histories.nothing, histories.work, histories.begin, *draw(some)])
    who = draw(st.sampled_from((WHO, *map(st.just, (0, 1, 2, 5, 7, 8)))))
    return Story(begins, draw(st.lists(st.tuples(moves, who, WHAT), min_size=10, max_size=40)))


def tell(profile: settings) -> Counter[str]:
    """Tell histories, and return how often each promise was looked at."""
    beginnings, seen = histories.beginnings(), Counter[str]()

    @profile
    @given(stories())
    def one(story: Story) -> None:
        world = beginnings[story.begins].fork()
        for move, who, what in story.told:
            move(world, who, what)
        histories.end(world)
        seen.update(world.guard.looked)

    one()
    return seen


def test_whatever_happens_nothing_is_made_twice_lost_or_left_waiting() -> None:
    seen = tell(WHOLE)
    assert seen["CreateCollaboration"] > 100
    assert seen["truth"] > 100
    assert seen["money"] > 100
    assert seen["version"] > 150
