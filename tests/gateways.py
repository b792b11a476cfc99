"""A gateway as the operator has it, and the emulator that it asks over HTTP, in one process."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_operator.aws.gateway import Gateway
from cleanrooms_operator.aws.rates import Rate
from cleanrooms_operator.aws.settings import Settings, Surroundings
from cleanrooms_operator.core.failure import ServiceError
from cleanrooms_operator.core.kind import Listing
from cleanrooms_operator.runtime.ports import Identity

SECRET = "a-secret-that-nobody-may-read"  # noqa: S105  it is the test's
ACCOUNT, PARTNER, STRANGER = "111111111111", "222222222222", "333333333333"
ROLE = f"arn:aws:iam::{PARTNER}:role/team"
OWN = Identity(ACCOUNT, "us-east-1", endpoint_profile="emulator")
ASSUMED = Identity(PARTNER, "us-east-1", ROLE, "cluster/team", "emulator")
LISTING = Listing("cleanrooms", "ListCollaborations", "collaborationList")
COLLABORATION = {
    "name": "churn",
    "creatorDisplayName": "us",
    "members": [],
    "creatorMemberAbilities": ["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
    "queryLogStatus": "DISABLED",
}
HANG = 60.0


async def serve(application: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


@dataclass
class Aws:
    """The emulator, its address, and the gateways that talk to it."""

    emulator: Emulator
    url: str
    gateways: list[Gateway] = field(default_factory=list)

    def gateway(
        self,
        settings: Mapping[str, Any] | None = None,
        *,
        others: Mapping[str, str] | None = None,
        **surroundings: Any,
    ) -> Gateway:
        urls = dict.fromkeys(("cleanrooms", "cleanroomsml", "sts"), self.url)
        chosen = {
            "endpoint_profiles": {"emulator": {**urls, **(others or {})}},
            "rates": {"*": Rate(1000, 1000)},
            "read_timeout": 10.0,
            **(settings or {}),
        }
        around = {"elapsed": time.monotonic, **surroundings}
        gateway = Gateway(Settings(**chosen), Surroundings(**around))
        self.gateways.append(gateway)
        return gateway

    def fault(self, kind: FaultKind, operation: str, **how: Any) -> None:
        self.emulator.faults.add(Fault(kind=kind, operation=operation, **how))

    def operations(self) -> list[str]:
        return [record.operation for record in self.emulator.log.since()]

    def count(self, operation: str) -> int:
        return self.operations().count(operation)

    async def until_asked(self, operation: str) -> None:
        for _ in range(1000):
            if self.count(operation):
                return
            await asyncio.sleep(0.01)  # noqa: TID251  the server runs in this loop
        pytest.fail(f"{operation} was never asked")


async def failure_of(call: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await call
    return caught.value


def create(gateway: Gateway, identity: Identity = OWN, **how: Any) -> Any:
    return gateway.call(identity, "cleanrooms", "CreateCollaboration", COLLABORATION, **how)


def memberships(gateway: Gateway, identity: Identity = OWN) -> Any:
    return gateway.call(identity, "cleanrooms", "ListMemberships", {})
