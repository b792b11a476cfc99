"""From the bytes of a request to the operation and its parameters."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import parse_qs

from botocore.model import Shape
from botocore.utils import parse_timestamp

from cleanrooms_emulator.emulator import unknown_operation
from cleanrooms_emulator.model import Operation, Service, operation
from cleanrooms_emulator.request import Document, ServiceError


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request as it came: `target` is the undecoded path with its query."""

    verb: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def parsed(service: Service, raw: RawRequest) -> tuple[Operation, Document]:
    """Return the operation that is asked for, and its parameters as they were sent.

    What cannot be read as its type stays what it is, for validation to refuse. Raises ServiceError
    UnknownOperationException where there is no such route, and SerializationException for a body
    that is not a JSON object.
    """
    path, _, query = raw.target.partition("?")
    if service.name == "sts":
        return _parsed_query(raw, path)
    route = service.route(raw.verb, path)
    if route is None:
        raise unknown_operation()
    asked, labels = route
    sent = {**_from_body(asked, raw.body), **labels, **_from_query(asked, query)}
    return asked, sent


def _parsed_query(raw: RawRequest, path: str) -> tuple[Operation, Document]:
    """Read the form of the query protocol; its lists (session tags, policies) are ignored."""
    form = parse_qs(raw.body.decode(errors="replace"), keep_blank_values=True)
    asked = operation("sts", form.get("Action", [""])[0])
    if asked is None or raw.verb != "POST" or path != "/":
        raise unknown_operation()
    members = _members(asked)
    sent = {name: values[0] for name, values in form.items() if name in members}
    return asked, {name: _from_text(members[name], text) for name, text in sent.items()}


def _object(body: bytes) -> Document:
    if not body:
        return {}
    try:
        value = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _unreadable() from None
    if not isinstance(value, dict):
        raise _unreadable()
    return value


def _no_number(name: str) -> float:
    raise ValueError(name)


def _unreadable() -> ServiceError:
    return ServiceError("SerializationException", "The body is not a JSON object")


def _from_body(asked: Operation, body: bytes) -> Document:
    members = _members(asked)
    sent = _object(body)
    return {
        name: _timestamps_read(shape, sent[name])
        for name, shape in members.items()
        if name in sent and "location" not in shape.serialization
    }


def _members(asked: Operation) -> Mapping[str, Shape]:
    return {} if asked.input is None else asked.input.members


def _from_query(asked: Operation, query: str) -> Document:
    sent = parse_qs(query, keep_blank_values=True)
    members = _members(asked)
    found: Document = {}
    for name, shape in members.items():
        if shape.serialization.get("location") != "querystring":
            continue
        values = sent.get(shape.serialization["name"])
        if values is not None:
            is_list = shape.type_name == "list"
            found[name] = values if is_list else _from_text(shape, values[0])
    return found


def _from_text(shape: Shape, text: str) -> object:
    """Return what text means as the shape's type, or the text where it means nothing."""
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(text)
            case "double" | "float":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}.get(text, text)
            case _:
                return text
    except ValueError:
        return text


def _timestamps_read(shape: Shape, value: Any) -> object:  # noqa: ANN401 - whatever was sent
    match shape.type_name, value:
        case "timestamp", str() | int() | float():
            return _timestamp(value)
        case "structure", dict():
            members = shape.members
            return {
                name: _timestamps_read(members[name], one) if name in members else one
                for name, one in value.items()
            }
        case "list", list():
            return [_timestamps_read(shape.member, one) for one in value]
        case "map", dict():
            return {key: _timestamps_read(shape.value, one) for key, one in value.items()}
        case _:
            return value


def _timestamp(value: str | float) -> object:
    try:
        moment = parse_timestamp(value)
    except ValueError:
        return value
    return moment.astimezone(UTC) if moment.tzinfo else value
