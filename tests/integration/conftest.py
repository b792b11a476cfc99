"""Fixtures of the tests of the edges."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.http.clock import RandomIds, ScaledClock, WallClock
from cleanrooms_emulator.http.control import Control
from cleanrooms_emulator.http.server import Server
from cleanrooms_emulator.rules import Rules
from cleanrooms_playground.cluster import Cluster
from gateways import ACCOUNT, SECRET, Aws, serve

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def served(cluster: Cluster) -> Cluster:
    """Apply the definitions as a user does, from the files."""
    cluster.apply_files(PROJECT / "crds")
    return cluster


@pytest.fixture
def place(served: Cluster, namespace: str) -> str:
    """Return a namespace of a cluster that serves the definitions."""
    assert served
    return namespace


def _use_own_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore find these keys and nothing of the machine."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
async def aws(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Aws]:
    """Serve an emulated AWS; the gateways of the test end with it."""
    _use_own_credentials(monkeypatch)
    wall = WallClock()
    clock = ScaledClock(wall, 1.0)
    emulator = Emulator(clock, Rules(), RandomIds(), wall=wall)
    runner, url = await serve(Server(emulator, Control(emulator, clock)).application())
    world = Aws(emulator, url)
    yield world
    for gateway in world.gateways:
        gateway.close()
    await runner.cleanup()
