"""What the Lists show: each asked once, for all who want to know."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cleanrooms_operator.aws.settings import Settings
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.kind import Listing
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.runtime.ports import Identity, PacedError, Sighting

PAGE_SIZE = 100
MOST_PAGES = 1000
KEPT_SECONDS = 7200.0
"""How long a sighting that nobody renews is kept: longer than any interval of observation."""


class Pages(Protocol):
    """Where pages come from."""

    async def __call__(
        self, identity: Identity, listing: Listing, parameters: Document
    ) -> Document:
        """Return one page, as AWS answers it."""
        ...


@dataclass(frozen=True, slots=True)
class Sight:
    """What a sighting is of. Identities share none: what one may see, another may not."""

    identity: Identity
    listing: Listing
    scope: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Flight:
    """A List under way."""

    started: float
    landing: asyncio.Task[Sighting]


@dataclass(frozen=True, slots=True)
class _Crash:
    """A List that failed a moment ago."""

    started: float
    ended: float
    error: ServiceError


class Sightings:
    """The last sighting of every scope, and the one flight that may be renewing it."""

    def __init__(self, pages: Pages, settings: Settings, elapsed: Callable[[], float]) -> None:
        self._pages = pages
        self._settings = settings
        self._elapsed = elapsed
        self._shown: dict[Sight, Sighting] = {}
        self._flights: dict[Sight, _Flight] = {}
        self._crashes: dict[Sight, _Crash] = {}

    async def sighting(
        self, identity: Identity, listing: Listing, scope: Document, since: float
    ) -> Sighting:
        """Return a sighting that started at `since` or later.

        Raises ServiceError when the List fails, and PacedError when it takes long: then it goes
        on, and the next who ask find its result.
        """
        early = since - self._elapsed()
        if early > 0:
            raise PacedError(listing.operation, early)
        sight = Sight(identity, listing, tuple(sorted(scope.items())))
        patience = self._settings.sighting_patience
        try:
            async with asyncio.timeout(patience):
                return await self._seen(sight, since)
        except TimeoutError:
            raise PacedError(listing.operation, patience) from None

    def close(self) -> None:
        """End the flights; whoever waits for one is cancelled too."""
        for flight in self._flights.values():
            flight.landing.cancel()

    async def _seen(self, sight: Sight, since: float) -> Sighting:
        while True:
            shown = self._shown.get(sight)
            if shown is not None and shown.started >= since:
                return shown
            self._raise_fresh_crash(sight, since)
            flight = self._flights.get(sight) or self._start(sight)
            # Not awaited itself: a waiter that is cancelled would take the flight along.
            await asyncio.wait((flight.landing,))
            if flight.started >= since:
                return flight.landing.result()

    def _raise_fresh_crash(self, sight: Sight, since: float) -> None:
        crash = self._crashes.get(sight)
        if crash is None or crash.started < since:
            return
        if self._elapsed() - crash.ended < self._settings.failure_memory:
            raise crash.error.with_traceback(None)

    def _start(self, sight: Sight) -> _Flight:
        started = self._elapsed()
        flight = _Flight(started, asyncio.create_task(self._fly(sight, started)))
        self._flights[sight] = flight
        flight.landing.add_done_callback(lambda _: self._land(sight, flight))
        return flight

    def _land(self, sight: Sight, flight: _Flight) -> None:
        """Keep what came of a flight, before any of its waiters wakes up."""
        now = self._elapsed()
        del self._flights[sight]
        self._crashes.pop(sight, None)
        if flight.landing.cancelled():
            return
        error = flight.landing.exception()
        if error is None:
            self._shown[sight] = flight.landing.result()
            self._drop_before(now - KEPT_SECONDS)
        elif isinstance(error, ServiceError):
            self._crashes[sight] = _Crash(flight.started, now, error)

    def _drop_before(self, moment: float) -> None:
        for sight in [sight for sight, shown in self._shown.items() if shown.started < moment]:
            del self._shown[sight]

    async def _fly(self, sight: Sight, started: float) -> Sighting:
        """Ask for all pages; a sighting is complete, or there is none."""
        listing = sight.listing
        found: dict[tuple[Any, ...], Document] = {}
        tokens: list[str] = []
        while True:
            page = await self._pages(sight.identity, listing, _parameters(sight, tokens))
            # An object that moves while pages are turned shows up twice: the later look counts.
            found.update((_handle(listing, item), item) for item in page[listing.items])
            token = page.get("nextToken")
            if not token:
                return Sighting(started, tuple(found.values()), len(tokens) + 1)
            if token in tokens or len(tokens) >= MOST_PAGES:
                message = f"{listing.operation} never comes to its last page"
                raise ServiceError(Failure.UNAVAILABLE, "EndlessList", message, harmless=True)
            tokens.append(token)


def _parameters(sight: Sight, tokens: list[str]) -> dict[str, Any]:
    turned = {"nextToken": tokens[-1]} if tokens else {}
    return {**dict(sight.scope), "maxResults": PAGE_SIZE, **turned}


def _handle(listing: Listing, item: Mapping[str, Any]) -> tuple[Any, ...]:
    handle = tuple(item.get(name) for name in listing.handle)
    if handle[0] is None:
        message = f"{listing.operation} showed an object without {listing.handle[0]}"
        raise ServiceError(Failure.UNAVAILABLE, "IncompleteAnswer", message, harmless=True)
    return handle
