"""Histories of all that may happen, at random; one that fails is shrunk to the moves that matter.

SIMULATION=long tells longer ones, and others each time: for nights rather than for every change.
"""

import os
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulation import histories, specs
from simulation.histories import Move

CI = settings(
    max_examples=500,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
LONG = settings(CI, max_examples=20_000, derandomize=False)
PROFILE = LONG if os.environ.get("SIMULATION") == "long" else CI

Told = list[tuple[Move, int, int]]

MOVES = st.lists(
    st.tuples(st.sampled_from(histories.MOVES), st.integers(0, 17), st.integers(0, 8)),
    min_size=15,
    max_size=40,
)


def test_whatever_happens_nothing_is_made_twice_lost_or_left_waiting() -> None:
    settled, seen = specs.settled(), Counter[str]()

    @settings(PROFILE)
    @given(MOVES)
    def tell(told: Told) -> None:
        world = settled.fork()
        for move, one, other in told:
            move(world, one, other)
        histories.end(world)
        seen.update(world.guard.looked)

    tell()
    assert seen["CreateCollaboration"] > 100
    assert seen["truth"] > 100
