"""How much is simulated: SIMULATION=long takes hours, for nights rather than for every change."""

import os

from hypothesis import HealthCheck, settings

LONG = os.environ.get("SIMULATION") == "long"


def told(examples: int, at_night: int) -> settings:
    """Return how many histories are told: the same ones every time, but others every night."""
    return settings(
        max_examples=at_night if LONG else examples,
        derandomize=not LONG,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
