"""A real API server, to be made a fixture of as many tests as may share one."""

from collections.abc import Iterator

import pytest

from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.control_plane import ControlPlane


def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Start it; its logs stay in pytest's folder."""
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as running:
        yield running


def connect(control_plane: ControlPlane) -> Iterator[Cluster]:
    """Connect to it as its administrator."""
    with Cluster(control_plane.kubeconfig) as connected:
        yield connected
