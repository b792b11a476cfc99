"""Fixtures of the tests that install the chart."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import api_server
from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.control_plane import ControlPlane
from cleanrooms_playground.servers import Emulator
from e2e.emulated import AWS
from install.installation import Installation, values

SPEED = "600"


# A release is installed into an API server in which nothing is left of other tests.
control_plane = pytest.fixture(scope="module")(api_server.serve)
cluster = pytest.fixture(scope="module")(api_server.connect)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AWS]:
    """Serve an emulated AWS in which hours are seconds."""
    emulator = Emulator(tmp_path_factory.mktemp("aws"), ("--speed", SPEED, "--no-rates"))
    try:
        emulator.start()
        yield AWS(emulator.url)
    finally:
        emulator.process.stop()


@pytest.fixture(scope="module")
def release(
    control_plane: ControlPlane,
    cluster: Cluster,
    aws: AWS,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """Return a release that is not installed yet; its pods end with the module."""
    folder: Path = tmp_path_factory.mktemp("release")
    made = Installation(control_plane, cluster, folder, values(aws.url))
    try:
        yield made
    finally:
        made._ends.close()
