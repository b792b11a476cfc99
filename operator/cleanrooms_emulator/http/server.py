"""The HTTP server: it waits where the emulator says so, and cuts what it says is cut."""

import asyncio
import logging
import uuid
from dataclasses import dataclass
from email.utils import format_datetime

from aiohttp import web

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.faults import ConnectionCutError, DamagedAnswerError
from cleanrooms_emulator.http.answers import Answer, damaged, failure, success
from cleanrooms_emulator.http.control import CONTROL_PREFIX, Control
from cleanrooms_emulator.http.parsing import RawRequest, parsed
from cleanrooms_emulator.http.signature import Signature, wrong_scope
from cleanrooms_emulator.model import SERVICES, Operation, Service, service
from cleanrooms_emulator.request import Caller, Request, ServiceError

LARGEST_BODY_BYTES = 8 * 2**20
SIGNATURE_LIFE_SECONDS = 300.0

_NOBODY = Caller("", "", "")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has found its operation."""

    signature: Signature
    asked: Operation
    request: Request


class Server:
    """The emulator behind HTTP.

    `signature_life_seconds` is how old, in wall time, a signature may be; 0 lets any age through.
    """

    def __init__(
        self,
        emulator: Emulator,
        control: Control,
        signature_life_seconds: float = SIGNATURE_LIFE_SECONDS,
    ) -> None:
        """Serve `emulator`, and `control` beside it."""
        self._emulator = emulator
        self._control = control
        self._signature_life_seconds = signature_life_seconds
        self._services = {each.signing_name: each for each in map(service, SERVICES)}

    def application(self) -> web.Application:
        """Return the routes: the control endpoints, and everything else."""
        application = web.Application(client_max_size=LARGEST_BODY_BYTES)
        application.add_subapp(CONTROL_PREFIX, self._control.application())
        application.router.add_route("*", "/{path:.*}", self._serve)
        return application

    async def _serve(self, http: web.Request) -> web.StreamResponse:
        raw = RawRequest(http.method, http.raw_path, http.headers, await http.read())
        request_id = str(uuid.uuid4())  # noqa: TID251 - this is where request ids come from
        try:
            answer = await self._answer(raw, request_id)
        except ConnectionCutError as cut:
            return await _cut(http, cut.silent_seconds)
        except Exception:
            log.exception("%s %s", raw.verb, raw.target)
            error = ServiceError("InternalFailure", "the emulator has a bug; its log says which")
            answer = failure("", None, error, request_id)
        return self._response(answer, request_id)

    async def _answer(self, raw: RawRequest, request_id: str) -> Answer:
        try:
            service, signature = self._scope(raw)
        except ServiceError as error:
            return self._refused(raw, Request(_NOBODY, "", "", {}), error, request_id)
        try:
            caller = self._caller(signature)
            asked, parameters = parsed(service, raw)
        except ServiceError as error:
            unread = Request(_NOBODY, service.name, "", {})
            return self._refused(raw, unread, error, request_id)
        request = Request(
            caller=caller,
            service=service.name,
            operation=asked.name,
            parameters=parameters,
            invocation_id=raw.headers.get("amz-sdk-invocation-id"),
            attempt=raw.headers.get("amz-sdk-request"),
        )
        return await self._handled(Call(signature, asked, request), request_id)

    async def _handled(self, call: Call, request_id: str) -> Answer:
        """Answer a call after the delays that faults put on it, whether or not anybody waits."""
        before, after = self._emulator.delays(call.request)
        await _pause(before)
        try:
            self._check_age(call)
            result = self._emulator.handle(call.request)
            answer = success(call.asked, result, request_id)
        except ServiceError as error:
            answer = failure(call.asked.service, call.asked, error, request_id)
        except DamagedAnswerError as damage:
            answer = damaged(call.asked, damage, request_id)
        await _pause(after)
        return answer

    def _scope(self, raw: RawRequest) -> tuple[Service, Signature]:
        signature = Signature.read(raw.headers)
        found = self._services.get(signature.signing_name)
        if found is None:
            raise wrong_scope(signature.signing_name)
        return found, signature

    def _caller(self, signature: Signature) -> Caller:
        identities = self._emulator.identities
        return identities.caller(signature.key_id, signature.token, signature.region)

    def _check_age(self, call: Call) -> None:
        if not self._signature_life_seconds:
            return
        try:
            call.signature.check_age(self._emulator.wall(), self._signature_life_seconds)
        except ServiceError as error:
            raise self._emulator.refuse(call.request, error) from None

    def _refused(
        self, raw: RawRequest, unread: Request, error: ServiceError, request_id: str
    ) -> Answer:
        """Answer a request that named no operation or no caller, and log it by its route."""
        request = Request(_NOBODY, unread.service, f"{raw.verb} {raw.target}", {})
        return failure(unread.service, None, self._emulator.refuse(request, error), request_id)

    def _response(self, answer: Answer, request_id: str) -> web.Response:
        date = format_datetime(self._emulator.clock.now(), usegmt=True)
        headers = {**answer.headers, "Date": date, "x-amzn-requestid": request_id}
        return web.Response(status=answer.status, body=answer.body, headers=headers)


async def _pause(seconds: float) -> None:
    if seconds:
        await asyncio.sleep(seconds)  # noqa: TID251 - the edge waits for the emulator


async def _cut(http: web.Request, silent_seconds: float) -> web.Response:
    """Say nothing for some seconds, and end the connection."""
    await _pause(silent_seconds)
    if http.transport is not None:
        http.transport.abort()
    return web.Response()
