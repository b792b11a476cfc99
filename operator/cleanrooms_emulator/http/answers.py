"""From results and errors to the bytes of an answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree as ET

from botocore.model import Shape

from cleanrooms_emulator.faults import DamagedAnswerError, FaultKind
from cleanrooms_emulator.model import Operation, status_of
from cleanrooms_emulator.request import ServiceError

_NO_CONTENT = 204

FRONT_END_STATUS: Mapping[str, int] = MappingProxyType(
    {
        "AccessDenied": 403,
        "AccessDeniedException": 403,
        "EmulatorNotImplemented": 501,
        "ExpiredTokenException": 403,
        "IncompleteSignature": 403,
        "InternalFailure": 500,
        "InvalidSignatureException": 403,
        "MissingAuthenticationToken": 403,
        "SerializationException": 400,
        "ServiceUnavailable": 503,
        "ThrottlingException": 400,
        "UnknownOperationException": 404,
        "UnrecognizedClientException": 403,
        "ValidationError": 400,
        "ValidationException": 400,
    }
)
"""The errors that any operation may answer, whether it models them or not.

Source: the services' Common Errors page, but for InvalidSignatureException, SerializationException
and UnknownOperationException, which are usual at AWS (Assumption), and EmulatorNotImplemented.
"""

_STS_CODES: Mapping[str, str] = MappingProxyType(
    {
        "ExpiredTokenException": "ExpiredToken",
        "InvalidSignatureException": "SignatureDoesNotMatch",
        "ThrottlingException": "Throttling",
        "UnknownOperationException": "InvalidAction",
        "UnrecognizedClientException": "InvalidClientTokenId",
        "ValidationException": "ValidationError",
        "AccessDeniedException": "AccessDenied",
    }
)
"""What STS calls those errors."""

_STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the client."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def success(asked: Operation, result: Mapping[str, Any], request_id: str) -> Answer:
    """Return the answer that carries a result; empty where the operation has no output."""
    if asked.service == "sts":
        return _xml(200, _sts_result(asked, result, request_id))
    if asked.output is None or asked.status == _NO_CONTENT:
        return Answer(asked.status)
    return _json(asked.status, _wire(asked.output, result))


def failure(service: str, asked: Operation | None, error: ServiceError, request_id: str) -> Answer:
    """Return the answer that carries an error; `asked` is None where it never got that far."""
    modelled = None if asked is None else status_of(asked, error.code)
    status = error.status or modelled or FRONT_END_STATUS[error.code]
    if service == "sts":
        code = _STS_CODES.get(error.code, error.code)
        return _xml(status, _sts_error(code, error.message, status, request_id))
    headers = {"x-amzn-errortype": error.code}
    return _json(status, {"message": error.message, **error.members}, headers)


def damaged(asked: Operation, damage: DamagedAnswerError, request_id: str) -> Answer:
    """Return what a fault has left of an answer."""
    if damage.kind is FaultKind.HTML or damage.result is None:
        page = f"<html><body><h1>{damage.status}</h1></body></html>\r\n"
        return Answer(damage.status, page.encode(), {"Content-Type": "text/html"})
    whole = success(asked, damage.result, request_id)
    garbage = damage.kind is FaultKind.GARBAGE
    body = b"\x15\x03\x01 not what you think" if garbage else whole.body[: len(whole.body) // 2]
    return Answer(whole.status, body, whole.headers)


def _json(status: int, document: object, headers: Mapping[str, str] | None = None) -> Answer:
    body = json.dumps(document, separators=(",", ":")).encode()
    return Answer(status, body, {"Content-Type": "application/json", **(headers or {})})


def _wire(shape: Shape, value: Any) -> object:  # noqa: ANN401 - as wide as JSON
    """Return a result with its timestamps as the service writes them."""
    match shape.type_name, value:
        case "timestamp", datetime():
            return _timestamp(shape, value)
        case "structure", _ if not shape.is_document_type:
            return {name: _wire(shape.members[name], one) for name, one in value.items()}
        case "list", _:
            return [_wire(shape.member, one) for one in value]
        case "map", _:
            return {key: _wire(shape.value, one) for key, one in value.items()}
        case _:
            return value


def _timestamp(shape: Shape, moment: datetime) -> float | str:
    """Return epoch seconds (cleanrooms), or the ISO form where the shape says so (ML)."""
    if shape.serialization.get("timestampFormat") == "iso8601":
        return _iso(moment)
    return round(moment.timestamp(), 3)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _xml(status: int, root: ET.Element) -> Answer:
    body = ET.tostring(root, encoding="utf-8", xml_declaration=False)
    return Answer(status, body, {"Content-Type": "text/xml"})


def _sts_result(asked: Operation, result: Mapping[str, Any], request_id: str) -> ET.Element:
    root = ET.Element(f"{asked.name}Response", xmlns=_STS_NAMESPACE)
    _add_xml(ET.SubElement(root, f"{asked.name}Result"), result)
    metadata = ET.SubElement(root, "ResponseMetadata")
    ET.SubElement(metadata, "RequestId").text = request_id
    return root


def _add_xml(parent: ET.Element, members: Mapping[str, Any]) -> None:
    for name, value in members.items():
        element = ET.SubElement(parent, name)
        if isinstance(value, Mapping):
            _add_xml(element, value)
        else:
            element.text = _iso(value) if isinstance(value, datetime) else str(value)


def _sts_error(code: str, message: str, status: int, request_id: str) -> ET.Element:
    root = ET.Element("ErrorResponse", xmlns=_STS_NAMESPACE)
    error = ET.SubElement(root, "Error")
    ET.SubElement(error, "Type").text = "Receiver" if status >= 500 else "Sender"  # noqa: PLR2004 - HTTP's own line
    ET.SubElement(error, "Code").text = code
    ET.SubElement(error, "Message").text = message
    ET.SubElement(root, "RequestId").text = request_id
    return root
