"""The Service port over boto3: paced, proved, and each request sent once."""

import asyncio
from datetime import datetime

from botocore.credentials import ReadOnlyCredentials

from cleanrooms_operator.aws.errors import FORGOTTEN_KEYS
from cleanrooms_operator.aws.identities import Identities
from cleanrooms_operator.aws.lanes import Lanes
from cleanrooms_operator.aws.rates import Metered, Rates
from cleanrooms_operator.aws.settings import Settings, Surroundings
from cleanrooms_operator.aws.sightings import Sightings
from cleanrooms_operator.aws.wire import Request, Wire
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.kind import Listing
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.runtime.ports import Identity, NotSentError, PacedError, Sighting

PAGE_PATIENCE = 60.0
"""How long the next page of a List waits for its turn: giving up would waste those before it."""


class Gateway:
    """All requests to AWS, of all identities.

    Threads are the only thing that identities share, and none can take them all. Nothing here
    retries: an attempt that botocore made by itself would pass neither the rate nor the window.
    """

    def __init__(self, settings: Settings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._elapsed = surroundings.elapsed
        self._observer = surroundings.observer
        self._rates = Rates(settings.rates)
        self._lanes = Lanes(settings)
        self._wire = Wire(settings, surroundings)
        self._identities = Identities(self._wire, settings, surroundings)
        self._sightings = Sightings(self._page, settings, surroundings.elapsed)

    async def reserve(
        self, identity: Identity, service: str, operation: str, *, background: bool = False
    ) -> None:
        """Take one request from the operation's rate, waiting inline if that is short.

        Raises PacedError where it is not. `background` requests leave a fifth of the rate free.
        """
        metered = _metered(identity, service, operation)
        await self._turn(metered, self._settings.patience, background=background)

    async def call(  # noqa: PLR0913  one request, flat, as the port has it
        self,
        identity: Identity,
        service: str,
        operation: str,
        parameters: Document,
        *,
        reserved: bool = False,
        not_after: float | None = None,
        background: bool = False,
    ) -> Document:
        """Send one request, once, and return its answer without botocore's metadata.

        Raises ServiceError, PacedError or NotSentError as the port says. A request that would
        change something is not sent without the lease, and one with `not_after` only when it is
        signed before that moment.
        """
        if not reserved:
            await self.reserve(identity, service, operation, background=background)
        request = Request(identity, service, operation, parameters, not_after)
        return await self._send(request, self._settings.patience)

    async def sighting(
        self, identity: Identity, listing: Listing, scope: Document, since: float
    ) -> Sighting:
        """Return a sighting that started at `since` or later; shared, one flight at a time."""
        return await self._sightings.sighting(identity, listing, scope, since)

    async def aws_time(self, identity: Identity) -> datetime | None:
        """Return the time that AWS told with its latest answer in the identity's region."""
        return self._wire.clock(identity)

    def close(self) -> None:
        """Start nothing more, and drop what waits; a request under way ends by itself."""
        self._sightings.close()
        self._lanes.close()
        self._wire.close()

    async def _page(self, identity: Identity, listing: Listing, parameters: Document) -> Document:
        is_first = "nextToken" not in parameters
        patience = self._settings.patience if is_first else PAGE_PATIENCE
        metered = _metered(identity, listing.service, listing.operation)
        await self._turn(metered, patience, background=True)
        request = Request(identity, listing.service, listing.operation, parameters)
        return await self._send(request, patience)

    async def _turn(self, metered: Metered, patience: float, *, background: bool) -> None:
        now = self._elapsed()
        seconds = self._rates.take(metered, now, patience=patience, background=background)
        if seconds:
            self._observer.on_wait(metered.account, metered.service, metered.operation, seconds)
            await asyncio.sleep(seconds)  # noqa: TID251  a short wait keeps the request's place

    async def _send(self, request: Request, patience: float) -> Document:
        identity, sent = request.identity, self._elapsed()
        if request.not_after is not None:
            patience = request.not_after - sent
        try:
            return await self._lanes.run(identity, patience, lambda: self._exchange(request))
        except TimeoutError:
            raise _put_off(request, patience) from None
        except ServiceError as error:
            if error.failure is Failure.THROTTLED:
                metered = _metered(identity, request.service, request.operation)
                self._rates.throttled(metered, sent=sent, now=self._elapsed())
            raise

    def _exchange(self, request: Request) -> Document:
        """Sign with keys that are proved to be the account's, and send; in a thread."""
        keys = self._keys(request)
        try:
            return self._wire.send(request, keys)
        except ServiceError as error:
            if error.code in FORGOTTEN_KEYS:
                self._identities.forget(request.identity)
            raise

    def _keys(self, request: Request) -> ReadOnlyCredentials:
        try:
            return self._identities.keys(request.identity)
        except ServiceError as error:
            # An attempt stands: what STS did not answer is no refusal of the request itself.
            if request.mutating and error.failure in {Failure.UNAVAILABLE, Failure.THROTTLED}:
                raise NotSentError(str(error)) from None
            raise


def _metered(identity: Identity, service: str, operation: str) -> Metered:
    return Metered(identity.account, identity.region, service, operation)


def _put_off(request: Request, patience: float) -> Exception:
    if request.not_after is not None:
        message = f"{request.operation}: its send window was over before a thread was free"
        return NotSentError(message)
    return PacedError(request.operation, patience)
