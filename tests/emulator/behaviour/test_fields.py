"""R-34: every parameter that an operation takes is sent, every field that it has is returned."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.model import Shape

from cleanrooms_emulator.backends import OPERATIONS
from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.model import Operation, service
from cleanrooms_emulator.request import Request
from documented import DOCUMENTS, ELSEWHERE, NEIGHBOURS
from in_process import Wire
from journey import go
from lab import Lab
from parties import Party

ABSENT: Mapping[str, str] = {
    "CreateCollaboration.collaboration.membership": "nobody has joined yet",
    "validations": "differential privacy is not emulated",
    "sourceMetadata": "code of PySpark templates is never read",
}
"""Fields that are never returned, by a part of their operation and path, and why."""


def paths(value: Any, prefix: str = "") -> Iterator[str]:
    """Name the members that a document has, and their members; list items have their list's."""
    match value:
        case Mapping():
            for name, one in value.items():
                yield f"{prefix}{name}"
                yield from paths(one, f"{prefix}{name}.")
        case list():
            for one in value:
                yield from paths(one, prefix)


def modelled(shape: Shape | None, prefix: str = "") -> Iterator[str]:
    """Name the members that a shape has; the keys of a map are no members."""
    if shape is None:
        return
    if shape.type_name == "list":
        yield from modelled(shape.member, prefix)
    if shape.type_name == "structure":
        for name, one in shape.members.items():
            yield f"{prefix}{name}"
            yield from modelled(one, f"{prefix}{name}.")


@pytest.fixture
def exchanges(
    emulator: Emulator, wire: Wire, lab: Lab, carol: Party
) -> list[tuple[Request, Mapping[str, Any]]]:
    """Go on the journey, and return what was asked and answered."""
    go(emulator, lab, carol)
    return wire.exchanges


def behaving() -> Iterator[Operation]:
    """Name the operations that behave."""
    for name, operations in OPERATIONS.items():
        methods = {each.__name__ for each in operations}
        yield from (one for one in service(name).operations.values() if one.method_name in methods)


def test_r_34_all_parameters_are_sent_and_all_fields_are_returned(
    exchanges: list[tuple[Request, Mapping[str, Any]]],
) -> None:
    sent: defaultdict[str, set[str]] = defaultdict(set)
    returned: defaultdict[str, set[str]] = defaultdict(set)
    for request, result in exchanges:
        name = f"{request.service}.{request.operation}"
        sent[name].update(paths(request.parameters, f"{request.operation}."))
        returned[name].update(paths(result, f"{request.operation}."))
    lacking = []
    for one in behaving():
        name, prefix = f"{one.service}.{one.name}", f"{one.name}."
        lacking += [
            *(path for path in modelled(one.input, prefix) if path not in sent[name]),
            *(path for path in modelled(one.output, prefix) if path not in returned[name]),
        ]
    assert [path for path in lacking if not any(part in path for part in ABSENT)] == []


def test_r_34_what_the_documents_name_is_sent_and_returned(
    exchanges: list[tuple[Request, Mapping[str, Any]]],
) -> None:
    """By AWS's documents: a model that lacked a parameter would not miss it."""
    sent: defaultdict[str, set[str]] = defaultdict(set)
    returned: defaultdict[str, set[str]] = defaultdict(set)
    for request, result in exchanges:
        sent[request.operation].update(paths(request.parameters))
        returned[request.operation].update(paths(result))
    lacking = [
        f"{document}: {call.operation}.{path}"
        for document, calls in DOCUMENTS.items()
        for call in calls
        if call.operation not in ELSEWHERE
        for path in (
            *(path for path in call.sent if path not in sent[call.operation]),
            *(path for path in call.returned if path not in returned[call.operation]),
        )
    ]
    assert lacking == []


def test_r_34_every_documented_operation_behaves() -> None:
    named = {call.operation for calls in DOCUMENTS.values() for call in calls} | {*NEIGHBOURS}
    names = {one.name for one in behaving()}
    assert named - names == ELSEWHERE.keys()
