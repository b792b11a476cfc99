"""The ports of a pass, each of whose calls stops the pass and hands the request to the test."""

from __future__ import annotations

import types
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.runtime.ports import Identity

if TYPE_CHECKING:
    from simulation.world import World


@dataclass(frozen=True)
class Asked:
    """A request of a pass to one of its ports."""

    port: str
    arguments: tuple[Any, ...]

    @property
    def operation(self) -> str | None:
        """The AWS operation that is called, None for other requests."""
        return self.arguments[2] if self.port == "call" else None

    @property
    def mutates_aws(self) -> bool:
        return self.port == "call" and not self.arguments[2].startswith(("Get", "List"))

    @property
    def writes_kubernetes(self) -> bool:
        return self.port in {"write_status", "hold", "release"}

    def __str__(self) -> str:
        named = [a for a in self.arguments if isinstance(a, str)]
        return f"{self.port} {' '.join(named)}".strip()


@types.coroutine
def ask(port: str, *arguments: Any) -> Generator[Asked, Any, Any]:
    """Hand a request to whoever drives the coroutine."""
    return (yield Asked(port, arguments))


class Remote:
    """All ports of one process."""

    def __init__(self, world: World) -> None:
        self.world = world

    def now(self) -> datetime:
        return self.world.now()

    async def aws_time(self, _identity: Identity) -> datetime:
        return self.world.aws.time.now()

    def elapsed(self) -> float:
        return self.world.seconds

    def attempt(self) -> str:
        self.world.attempts += 1
        return f"attempt-{self.world.attempts:04d}-0000"

    async def read(self, key: Key) -> Any:
        return await ask("read", key)

    async def read_source(self, key: Key) -> Any:
        return await ask("read_source", key)

    async def confirm(self, resource: Resource) -> Any:
        return await ask("confirm", resource)

    async def list(self, kind: str, namespace: str | None = None) -> Any:
        return await ask("list", kind, namespace)

    async def write_status(self, resource: Resource, changes: Any) -> Any:
        return await ask("write_status", resource, dict(changes))

    async def hold(self, resource: Resource) -> Any:
        return await ask("hold", resource)

    async def release(self, resource: Resource) -> Any:
        return await ask("release", resource)

    async def reserve(self, identity: Identity, service: str, operation: str) -> Any:
        return await ask("reserve", identity, service, operation)

    async def call(  # noqa: PLR0913  the port's own signature
        self,
        identity: Identity,
        service: str,
        operation: str,
        parameters: Any,
        *,
        reserved: bool = False,
        not_after: float | None = None,
        background: bool = False,
    ) -> Any:
        del background  # rates are the gateway's
        sent = (identity, service, operation, dict(parameters), reserved, not_after)
        return await ask("call", *sent)

    async def sighting(self, identity: Identity, listing: Any, scope: Any, since: float) -> Any:
        return await ask("sighting", identity, listing, dict(scope), since)
