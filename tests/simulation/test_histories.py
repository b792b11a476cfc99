"""Histories of all that may happen, at random; one that fails is shrunk to the moves that matter.

SIMULATION=long tells longer ones, and others each time: for nights rather than for every change.
"""

import os
from collections import Counter
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from simulation import histories
from simulation.histories import Move

CI = settings(
    max_examples=500,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
LONG = settings(CI, max_examples=20_000, derandomize=False)
BRIEF = settings(CI, max_examples=100, phases=[Phase.generate])
"""Enough to find what is wrong often; what exactly is nobody's business then."""

PROFILE = LONG if os.environ.get("SIMULATION") == "long" else CI

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
    seen = tell(PROFILE)
    assert seen["CreateCollaboration"] > 100
    assert seen["truth"] > 100
    assert seen["money"] > 100
    assert seen["version"] > 150
