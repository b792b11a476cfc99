"""Fixtures that tests of every kind share."""

import asyncio
import itertools
import signal
from collections.abc import Iterator

import pytest

from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.control_plane import ControlPlane

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


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Start a real API server that all tests of the run share; its logs stay in pytest's folder."""
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as running:
        yield running


@pytest.fixture(scope="session")
def cluster(control_plane: ControlPlane) -> Iterator[Cluster]:
    """Connect as administrator to that API server."""
    with Cluster(control_plane.kubeconfig) as connected:
        yield connected


@pytest.fixture
def namespace(cluster: Cluster) -> str:
    """Create a namespace, for this test alone."""
    name = f"test-{next(NUMBERS)}"
    cluster.create_namespace(name)
    return name
