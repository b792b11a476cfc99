"""botocore, told exactly what to do: whose keys sign, until when, and once.

Everything here blocks, and runs in the gateway's threads. Clients are shared by all identities of
a region, for a client of its own each would cost 0.2 MB; so the keys travel with the request.
"""

import contextlib
import logging
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError
from botocore.model import OperationModel

from cleanrooms_operator.aws.errors import Exchange, classify, unanswered
from cleanrooms_operator.aws.settings import Settings, Surroundings
from cleanrooms_operator.aws.shapes import is_read, missing_member
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.runtime.ports import Identity, NotSentError

_FIRST_ERROR_STATUS = 300


@dataclass(frozen=True, slots=True)
class Request:
    """One request."""

    identity: Identity
    service: str
    operation: str
    parameters: Document
    not_after: float | None = None
    """The end of its send window, of `Clock.elapsed()`."""

    @property
    def mutating(self) -> bool:
        """Whether it may change something."""
        return not is_read(self.operation)


@dataclass(slots=True)
class _Sending:
    """A request on its way through botocore, which hands nothing of ours to its hooks."""

    request: Request
    keys: ReadOnlyCredentials = field(repr=False)
    sent: bool = False


_SENDING: ContextVar[_Sending] = ContextVar("sending")


class ForeignAnswerError(Exception):
    """A success whose body is not the service's: a proxy's page, or half an answer."""


class Wire:
    """The way to AWS."""

    def __init__(self, settings: Settings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings
        self._session = botocore.session.Session()
        self._session.set_config_variable("sts_regional_endpoints", "regional")
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str, str | None], Any] = {}
        self._clocks: dict[tuple[str, str | None], datetime] = {}
        self._config = Config(
            # Each attempt has to pass the rate and the send window, so botocore makes one.
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=settings.threads,
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
            tcp_keepalive=True,
            user_agent_extra="cleanrooms-operator",
        )
        _keep_secrets_out_of_logs()

    def send(self, request: Request, keys: ReadOnlyCredentials) -> Document:
        """Send one request, signed with `keys`, and return its whole answer.

        Raises ServiceError, or NotSentError where a request that would change something was
        certainly not sent, for any reason but its own parameters.
        """
        client = self._client(request)
        sending = _Sending(request, keys)
        token = _SENDING.set(sending)
        began = self._surroundings.elapsed()
        code = "OK"
        try:
            return self._heard(request, _exchange(client, sending))
        except ServiceError as error:
            code = error.code
            raise
        finally:
            _SENDING.reset(token)
            if sending.sent:
                self._observe(request, code, self._surroundings.elapsed() - began)

    def clock(self, identity: Identity) -> datetime | None:
        """Return the time that AWS told with its latest answer where the identity asks."""
        return self._clocks.get((identity.region, identity.endpoint_profile))

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            for client in self._clients.values():
                client.close()

    def _heard(self, request: Request, answer: Mapping[str, Any]) -> Document:
        """Take note of AWS's clock, and return the answer without botocore's metadata."""
        told = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if told is not None:
            with contextlib.suppress(ValueError):
                place = (request.identity.region, request.identity.endpoint_profile)
                self._clocks[place] = parsedate_to_datetime(told)
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    def _observe(self, request: Request, code: str, seconds: float) -> None:
        self._surroundings.observer.on_request(
            request.identity.account, request.service, request.operation, code, seconds
        )

    def _client(self, request: Request) -> Any:  # noqa: ANN401  botocore has no types
        place = (request.service, request.identity.region, request.identity.endpoint_profile)
        with self._lock:
            if place not in self._clients:
                self._clients[place] = self._connect(*place)
            return self._clients[place]

    def _connect(self, service: str, region: str, profile: str | None) -> Any:  # noqa: ANN401  botocore has no types
        endpoint = self._endpoint(profile, service)
        try:
            client = self._session.create_client(
                service,
                region_name=region,
                endpoint_url=endpoint,
                config=self._config,
                # Never used, but without them botocore would search for the operator's own.
                aws_access_key_id="none",
                aws_secret_access_key="none",  # noqa: S106  stands for no secret at all
            )
        except (BotoCoreError, ValueError) as error:
            message = f"no way to {service} in {region}: {error}"
            code = type(error).__name__
            raise ServiceError(Failure.DENIED, code, message, harmless=True) from None
        events = client.meta.events
        events.register("before-sign", _sign_with_the_keys_of_the_request)
        events.register_last("before-send", self._admit)
        if client.meta.service_model.protocol == "rest-json":
            events.register("before-parse", _refuse_a_foreign_body)
        return client

    def _endpoint(self, profile: str | None, service: str) -> str | None:
        if profile is None:
            return None
        if profile not in self._settings.endpoint_profiles:
            message = f"the operator's settings have no endpoint profile {profile!r}"
            raise ServiceError(Failure.DENIED, "UnknownEndpointProfile", message, harmless=True)
        return self._settings.endpoint_profiles[profile].get(service)

    def _admit(self, **_: object) -> None:
        """Let a signed request out, or raise NotSentError.

        It is asked after signing, so the signature is older than this moment however long the
        thread, or the whole machine, had stood still; and a signature that old dies on its own.
        """
        sending = _SENDING.get()
        request = sending.request
        if request.not_after is not None and self._surroundings.elapsed() >= request.not_after:
            message = f"{request.operation}: its send window was over"
            raise NotSentError(message)
        if request.mutating and not self._surroundings.lease_held():
            message = f"{request.operation}: the lease was lost"
            raise NotSentError(message)
        sending.sent = True


def _exchange(client: Any, sending: _Sending) -> Mapping[str, Any]:  # noqa: ANN401  botocore has no types
    request = sending.request
    operation = client.meta.service_model.operation_model(request.operation)
    exchange = Exchange(operation, request.parameters)
    try:
        answer = getattr(client, xform_name(request.operation))(**request.parameters)
    except NotSentError:
        raise
    except Exception as error:  # noqa: BLE001  whatever breaks, the request may have taken effect
        raise _meant(replace(exchange, sent=sending.sent), request, error) from None
    return _complete(exchange, operation, answer)


def _meant(exchange: Exchange, request: Request, error: Exception) -> Exception:
    """Return the error for the caller: its cause may quote secrets, and is not chained."""
    meant = classify(exchange, error)
    if request.mutating and not exchange.sent and meant.failure is Failure.UNAVAILABLE:
        return NotSentError(str(meant))
    return meant


def _complete(
    exchange: Exchange, operation: OperationModel, answer: Mapping[str, Any]
) -> Mapping[str, Any]:
    absent = missing_member(operation, answer)
    if absent is not None:
        message = f"{operation.name} was answered without {absent}"
        raise unanswered(exchange, "IncompleteAnswer", message)
    return answer


def _sign_with_the_keys_of_the_request(request: Any, **_: object) -> None:  # noqa: ANN401  botocore has no types
    keys = _SENDING.get().keys
    credentials = Credentials(keys.access_key, keys.secret_key, keys.token)
    signing = request.context.get("signing", {})
    request.context["signing"] = {**signing, "request_credentials": credentials}


def _refuse_a_foreign_body(response_dict: Mapping[str, Any], **_: object) -> None:
    """Raise for a success that is not JSON: botocore would read it as one without members."""
    body = response_dict["body"].strip()
    succeeded = response_dict["status_code"] < _FIRST_ERROR_STATUS
    if succeeded and body and not (body.startswith(b"{") and body.endswith(b"}")):
        message = "the body of a success was not a JSON object"
        raise ForeignAnswerError(message)


def _keep_secrets_out_of_logs() -> None:
    """Silence what botocore logs of bodies, which hold credentials and queries, when debugging."""
    for name in ("botocore", "urllib3"):
        logging.getLogger(name).setLevel(logging.INFO)
    # A refresh that fails is raised where it matters, and reported there.
    logging.getLogger("botocore.credentials").setLevel(logging.ERROR)
