"""Emulators to ask: one in process on a clock turned by hand, and real servers over HTTP."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.config import Config

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.model import SERVICES, service
from cleanrooms_emulator.request import Caller, Document, Request
from cleanrooms_emulator.rules import Rules
from cleanrooms_emulator.virtual import CountedIds, VirtualTime
from cleanrooms_playground.servers import Emulator as Server

REGION = "us-east-1"
ACCOUNTS = itertools.count(100_000_000_001)

Ask = Callable[..., Document]
StartServer = Callable[..., Server]
MakeClient = Callable[..., Any]
Connect = Callable[[Server], MakeClient]

SERVICE_OF = {
    operation: name for name in reversed(SERVICES) for operation in service(name).operations
}
"""The service of each operation; what both have belongs to cleanrooms here."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--aws", action="store_true", help="run what is marked so against AWS")


@pytest.fixture
def time() -> VirtualTime:
    """Turn the clock and the wall of the emulator in process."""
    return VirtualTime()


@pytest.fixture
def emulator(time: VirtualTime) -> Emulator:
    """Make an empty emulator in process."""
    return Emulator(time, Rules(), CountedIds(), wall=time.wall)


@pytest.fixture
def ask(emulator: Emulator) -> Ask:
    """Ask the emulator in process: `ask(account, "CreateCollaboration", name=...)`."""

    def asked(
        account: str, operation: str, *, service: str | None = None, **parameters: Any
    ) -> Document:
        caller = Caller(account, f"arn:aws:iam::{account}:root", REGION)
        name = service or SERVICE_OF.get(operation, "cleanrooms")
        return emulator.handle(Request(caller, name, operation, parameters))

    return asked


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run one server for all tests that leave its faults, clock and rules alone."""
    running = Server(tmp_path_factory.mktemp("emulator"), ("--speed", "60", "--no-rates"))
    running.start()
    yield running
    running.process.stop()


@pytest.fixture
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Start servers of the test's own: `start_server("--fault", "kind=deny")`."""
    running: list[Server] = []

    def start(*arguments: str) -> Server:
        server = Server(tmp_path_factory.mktemp("emulator"), arguments)
        running.append(server)
        server.start()
        return server

    yield start
    for server in running:
        server.process.stop()


@pytest.fixture
def server(shared_server: Server) -> Server:
    """Name the server that `client` asks; a test module may put its own in place."""
    return shared_server


@pytest.fixture(scope="session")
def sdk() -> boto3.Session:
    """Read the SDK's models once."""
    return boto3.Session()


@pytest.fixture
def client(server: Server, connect: Connect) -> MakeClient:
    """Make boto3 clients that ask once: `client("cleanrooms", account)`."""
    return connect(server)


@pytest.fixture(scope="session")
def connect(sdk: boto3.Session) -> Connect:
    """Make what `client` is, for a server of the test's own: `connect(server)`."""

    def connected(server: Server) -> MakeClient:
        return partial(_client, sdk, server.url)

    return connected


def _client(
    sdk: boto3.Session, url: str, service: str, account: str, region: str = REGION, **more: Any
) -> Any:
    once = Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        read_timeout=more.pop("read_timeout", 20),
    )
    config = more.pop("config", once)
    return sdk.client(
        service,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=account,
        aws_secret_access_key="any",  # noqa: S106 - the emulator verifies no signature
        config=config,
        **more,
    )


@pytest.fixture
def account() -> str:
    """Name an account that no other test uses."""
    return str(next(ACCOUNTS))


@pytest.fixture
def partner() -> str:
    """Name another one."""
    return str(next(ACCOUNTS))
