"""What botocore's models tell about a request and its answer, and botocore itself does not use."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from botocore.model import OperationModel, Shape

from cleanrooms_operator.core.redaction import SENSITIVE

_HANDLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"AssumeRole": ("Credentials", "AssumedRoleUser"), "GetCallerIdentity": ("Account", "Arn")}
)
"""What an answer of STS must have, whose model requires nothing."""


def is_read(operation: str) -> bool:
    """Whether an operation changes nothing; AssumeRole leaves nothing behind."""
    return operation.startswith(("Get", "List", "BatchGet", "Preview", "AssumeRole"))


def missing_member(operation: OperationModel, answer: Mapping[str, Any]) -> str | None:
    """Return the path of a required member that an answer lacks, down to the envelope's own.

    botocore takes any body of a 200 for a success, half of one or a page of HTML too.
    """
    required = _HANDLES.get(operation.name, ())
    shape = operation.output_shape
    members = shape.members if shape is not None else {}
    for name in (*required, *(shape.required_members if shape is not None else ())):
        if answer.get(name) is None:
            return str(name)
        inner = members[name].required_members if members[name].type_name == "structure" else ()
        absent = [member for member in inner if answer[name].get(member) is None]
        if absent:
            return f"{name}.{absent[0]}"
    return None


def sensitive_values(shape: Shape | None, value: object) -> Iterator[str]:
    """Yield the texts of a request, of this shape, that must not be told to anybody."""
    for name, part_shape, part in _parts(shape, value):
        if name in SENSITIVE or (part_shape is not None and part_shape.metadata.get("sensitive")):
            yield from _texts(part)
        else:
            yield from sensitive_values(part_shape, part)


def _parts(shape: Shape | None, value: object) -> Iterator[tuple[str, Shape | None, object]]:
    """Yield what a value is made of: the name of a structure's member or "", its shape, itself."""
    if isinstance(value, Mapping):
        members = getattr(shape, "members", None)
        for name, part in value.items():
            if members is None:
                yield "", getattr(shape, "value", None), part
            else:
                yield name, members.get(name), part
    elif isinstance(value, list | tuple):
        for part in value:
            yield "", getattr(shape, "member", None), part


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
