"""What an answer of AWS that is not a success, or the lack of one, means: one table.

It reads codes, never HTTP statuses: a proxy answers with any status, and AWS throttles with 400
as well as 429. Source of the codes: the services' models and their Common Errors pages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from types import MappingProxyType
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
)
from botocore.model import OperationModel

from cleanrooms_operator.aws.shapes import is_read, sensitive_values
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.redaction import redacted
from cleanrooms_operator.core.resource import Document

LONGEST_MESSAGE = 1024

_CLIENT_STATUSES = range(400, 500)


class Proof(Enum):
    """When a code proves that a request changed nothing (rule R-8)."""

    ALWAYS = auto()
    MODELLED = auto()
    """Where the operation models it, with a 4xx status."""
    NEVER = auto()


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the table."""

    failure: Failure
    proof: Proof


_UNKNOWN = Meaning(Failure.UNAVAILABLE, Proof.NEVER)
_THROTTLED = Meaning(Failure.THROTTLED, Proof.ALWAYS)
_DENIED = Meaning(Failure.DENIED, Proof.ALWAYS)

_AUTHENTICATION = (
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "NotAuthorizedException",
    "OptInRequired",
    "RegionDisabledException",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "SubscriptionRequiredException",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
)
"""Codes of a front end that let a request in no further."""

TABLE: Mapping[str, Meaning] = MappingProxyType(
    {
        "ResourceNotFoundException": Meaning(Failure.NOT_FOUND, Proof.MODELLED),
        "ValidationException": Meaning(Failure.REFUSED, Proof.MODELLED),
        "ValidationError": Meaning(Failure.REFUSED, Proof.MODELLED),
        "ConflictException": Meaning(Failure.CONFLICT, Proof.MODELLED),
        "ServiceQuotaExceededException": Meaning(Failure.QUOTA, Proof.ALWAYS),
        **dict.fromkeys(_AUTHENTICATION, _DENIED),
    }
)

_THROTTLES = ("Throttl", "TooManyRequests", "RequestLimit")

_UNPROVEN = frozenset({("cleanroomsml", "ConflictException")})
"""May be the echo of an earlier success of our own: ML does not say what conflicts."""

UNCONNECTED = (ConnectTimeoutError, EndpointConnectionError)
"""Errors of a connection that was never there, so that nothing can have been sent (rule R-8).

botocore raises them (httpsession.py, `URLLib3Session.send`) for what urllib3 raises only while it
looks up the host and opens the socket (connection.py, `HTTPConnection._new_conn`). Not on the list:
errors of TLS and of proxies, which may come of a connection that had carried the request.
"""

FORGOTTEN_KEYS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
    }
)
"""Codes after which assumed credentials are not worth keeping."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, as far as it got."""

    operation: OperationModel
    parameters: Document
    sent: bool = True
    """False only where it is certain that no byte of it has left."""


def meaning_of(code: str) -> Meaning:
    """Return what an error code means; an unknown one says nothing at all."""
    if any(part in code for part in _THROTTLES):
        return _THROTTLED
    return TABLE.get(code, _UNKNOWN)


def classify(exchange: Exchange, error: Exception) -> ServiceError:
    """Return what `error`, which came of `exchange`, means to a decision.

    GetCollaboration says AccessDenied of what does not exist: that stays DENIED here.
    """
    if isinstance(error, ParamValidationError):  # botocore's own check, before anything is sent
        return ServiceError(
            Failure.REFUSED, "ParamValidationError", _told(exchange, str(error)), harmless=True
        )
    if isinstance(error, ClientError):
        return _answered(exchange, error.response)
    reached = replace(exchange, sent=exchange.sent and not isinstance(error, UNCONNECTED))
    return unanswered(reached, type(error).__name__, str(error))


def unanswered(exchange: Exchange, code: str, message: str) -> ServiceError:
    """Return the error for a request that got no answer, or none that can be believed."""
    harmless = not exchange.sent or is_read(exchange.operation.name)
    text = _told(exchange, message)
    return ServiceError(Failure.UNAVAILABLE, code, text, harmless=harmless)


def _answered(exchange: Exchange, response: Mapping[str, Any]) -> ServiceError:
    stated = response.get("Error", {})
    code = str(stated.get("Code", "Unknown"))
    metadata = response.get("ResponseMetadata", {})
    others = response.keys() - {"Error", "ResponseMetadata", "message", "Message"}
    return ServiceError(
        meaning_of(code).failure,
        code,
        _told(exchange, str(stated.get("Message", ""))),
        harmless=_is_harmless(exchange.operation, code),
        request_id=metadata.get("RequestId"),
        members={name: _clean(exchange, response[name]) for name in sorted(others)},
    )


def _is_harmless(operation: OperationModel, code: str) -> bool:
    if is_read(operation.name):
        return True
    if (operation.service_model.service_name, code) in _UNPROVEN:
        return False
    match meaning_of(code).proof:
        case Proof.ALWAYS:
            return True
        case Proof.MODELLED:
            return code in _modelled_refusals(operation)
        case Proof.NEVER:
            return False


def _modelled_refusals(operation: OperationModel) -> set[str]:
    return {
        shape.name
        for shape in operation.error_shapes
        if shape.metadata.get("error", {}).get("httpStatusCode") in _CLIENT_STATUSES
    }


def _told(exchange: Exchange, message: str) -> str:
    """Return a message that can be shown: without the request's secrets, and not endless."""
    secrets = sensitive_values(exchange.operation.input_shape, exchange.parameters)
    return redacted(message, secrets)[:LONGEST_MESSAGE]


def _clean(exchange: Exchange, member: object) -> object:
    if isinstance(member, str):
        return _told(exchange, member)
    if isinstance(member, Mapping):
        return {name: _clean(exchange, value) for name, value in member.items()}
    if isinstance(member, list):
        return [_clean(exchange, value) for value in member]
    return member
