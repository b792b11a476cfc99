"""When to look again."""

import pytest

from cleanrooms_operator.core.pace import Pace, Urgency, next_turn, patience, spread

PACE = Pace()


def test_a_place_in_the_interval_is_always_the_same() -> None:
    assert spread("uid-1") == spread("uid-1")
    assert 0 <= spread("uid-1") < 1


def test_places_are_spread_over_the_interval() -> None:
    """R-21: details are read once an hour, not all at once."""
    tenths = [int(spread(f"uid-{n}") * 10) for n in range(1000)]
    assert all(70 < tenths.count(tenth) < 130 for tenth in range(10))


def test_everything_has_one_turn_in_an_interval() -> None:
    """R-21: however close together resources were made, their turns are apart."""
    turn = next_turn("uid-1", 500.0, 3600.0)
    assert 500.0 < turn <= 4100.0
    assert next_turn("uid-1", turn, 3600.0) == pytest.approx(turn + 3600.0)
    assert next_turn("uid-1", turn - 1.0, 3600.0) == pytest.approx(turn)
    assert next_turn("uid-2", 500.0, 3600.0) != turn


def test_waiting_grows_and_is_bounded() -> None:
    waits = [patience(n, PACE) for n in range(20)]
    assert waits[0] == PACE.progress_interval
    assert waits == sorted(waits)
    assert waits[-1] == PACE.list_interval


def test_waiting_for_ever_does_not_overflow() -> None:
    assert patience(1_000_000, PACE) == PACE.list_interval


@pytest.mark.parametrize(
    ("first", "later"), [(Urgency.CHANGE, Urgency.PROGRESS), (Urgency.PROGRESS, Urgency.DRIFT)]
)
def test_people_come_first_and_routine_last(first: Urgency, later: Urgency) -> None:
    assert first < later


def test_the_settle_time_outlasts_the_send_window() -> None:
    """R-7: a request that is signed at the last moment is still found."""
    assert PACE.settle > PACE.send_window
