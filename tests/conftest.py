"""Fixtures that tests of every kind share."""

import asyncio
import itertools
import signal

import pytest

import api_server
from cleanrooms_playground.cluster import Cluster

NUMBERS = itertools.count(1)


def pytest_configure() -> None:
    # SIGTERM ends a run as an interrupt does: fixtures are torn down, no server is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # looptime asks for the event loop of tests that have none: that must not make one for it.
    asyncio.set_event_loop(None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "control_plane" in getattr(item, "fixturenames", ()):
            item.add_marker("cluster")


control_plane = pytest.fixture(scope="session")(api_server.serve)
cluster = pytest.fixture(scope="session")(api_server.connect)


@pytest.fixture
def namespace(cluster: Cluster) -> str:
    """Create a namespace, for this test alone."""
    name = f"test-{next(NUMBERS)}"
    cluster.create_namespace(name)
    return name
