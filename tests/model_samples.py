"""Requests made up from botocore's models: the smallest valid ones, and ones with one flaw."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.model import Shape

from cleanrooms_emulator.model import Operation

UUID = "01234567-89ab-4cde-8f01-23456789abcd"
MEMBERSHIP = f"arn:aws:cleanrooms-ml:us-east-1:111111111111:membership/{UUID}"
STRINGS = (
    "abc",
    "111111111111",
    UUID,
    "0123456789abcdef",
    "A",
    "ml.m5.xlarge",
    "s3://bucket/key",
    f"arn:aws:cleanrooms:us-east-1:111111111111:membership/{UUID}",
    f"arn:aws:cleanrooms:us-east-1:111111111111:collaboration/{UUID}",
    f"arn:aws:cleanrooms:us-east-1:111111111111:configuredtable/{UUID}",
    f"arn:aws:cleanrooms:us-east-1:111111111111:membership/{UUID}/analysistemplate/{UUID}",
    f"arn:aws:cleanrooms:us-east-1:111111111111:membership/{UUID}/configuredtableassociation/{UUID}",
    f"arn:aws:cleanrooms:us-east-1:111111111111:membership/{UUID}/configuredaudiencemodelassociation/{UUID}",
    f"arn:aws:cleanrooms:us-east-1:111111111111:membership/{UUID}/intermediatetable/{UUID}",
    f"arn:aws:cleanrooms:us-east-1:111111111111:membership/{UUID}/idmappingtable/{UUID}",
    "arn:aws:cleanrooms-ml:us-east-1:111111111111:configured-audience-model/abc",
    "arn:aws:cleanrooms-ml:us-east-1:111111111111:audience-model/abc",
    "arn:aws:cleanrooms-ml:us-east-1:111111111111:audience-generation-job/abc",
    "arn:aws:cleanrooms-ml:us-east-1:111111111111:training-dataset/abc",
    "arn:aws:cleanrooms-ml:us-east-1:111111111111:configured-model-algorithm/abc",
    f"{MEMBERSHIP}/configured-model-algorithm-association/abc",
    f"{MEMBERSHIP}/trained-model/abc",
    f"{MEMBERSHIP}/trained-model-inference-job/abc",
    f"{MEMBERSHIP}/ml-input-channel/abc",
    "arn:aws:iam::111111111111:role/service-role",
    "arn:aws:kms:us-east-1:111111111111:key/abc",
    "arn:aws:entityresolution:us-east-1:111111111111:idmappingworkflow/abc",
    f"arn:aws:entityresolution:us-east-1:111111111111:idnamespace/{UUID}",
    "arn:aws:secretsmanager:us-east-1:111111111111:secret:abc",
    "https://workspace.cloud.databricks.com",
    "https://workspace.cloud.databricks.com/api/2.0/delta-sharing"
    f"/metastores/{UUID}/recipients/{UUID}",
    "111111111111.dkr.ecr.us-east-1.amazonaws.com/image",
)
"""One of these fits any string of the models."""

COLLABORATION = {
    "name": "n",
    "members": [],
    "creatorMemberAbilities": ["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
    "creatorDisplayName": "c",
    "queryLogStatus": "DISABLED",
}
"""What CreateCollaboration needs at least for its rules in prose."""

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def sample(shape: Shape) -> Any:
    """Return the smallest value that satisfies the shape."""
    match shape.type_name:
        case "structure":
            chosen = shape.required_members or (
                [next(iter(shape.members))] if shape.is_tagged_union else []
            )
            return {name: sample(shape.members[name]) for name in chosen}
        case "list":
            return [sample(shape.member) for _ in range(shape.metadata.get("min", 0))]
        case "map":
            entries = shape.metadata.get("min", 0)
            return {sample(shape.key): sample(shape.value)} if entries else {}
        case "string":
            return _string(shape)
        case "boolean":
            return True
        case "timestamp":
            return MOMENT
        case _:
            return shape.metadata.get("min", 1)


def request(operation: Operation) -> dict[str, Any]:
    """Return the smallest valid parameters of an operation."""
    parameters: dict[str, Any] = {} if operation.input is None else sample(operation.input)
    return parameters


def _string(shape: Shape) -> str:
    metadata = shape.metadata
    if "enum" in metadata:
        choice: str = metadata["enum"][0]
        return choice
    low, high = metadata.get("min", 0), metadata.get("max", 10**6)
    pattern = plain(metadata.get("pattern", r"[\s\S]*"))
    for candidate in STRINGS:
        if low <= len(candidate) <= high and re.fullmatch(pattern, candidate):
            return candidate
    message = f"no sample of {shape.name}: {metadata}"
    raise LookupError(message)


def plain(pattern: str) -> str:
    """Return a pattern of the models as Python takes it, good for plain ASCII values."""
    return re.sub(r"\\p\{\w+\}", "a-zA-Z0-9_", pattern)


Path = tuple[str, ...]
"""Members from the input down; "[]" is an element of a list, "{}" a value of a map."""


@dataclass(frozen=True, slots=True)
class Place:
    """A shape within an operation's input."""

    path: Path
    shape: Shape

    def request(self, operation: Operation, broken: Any) -> dict[str, Any]:
        """Return a request that is valid but for the value at this place."""
        built: dict[str, Any] = _built(operation.input, self.path, broken)
        return built

    @property
    def name(self) -> str:
        """How an error names the place, where lists have one element and maps the key `abc`."""
        return ".".join(self.path).replace(".[]", "[0]")


def places(operation: Operation) -> Iterator[Place]:
    """Iterate over all places of the input, the input itself first."""
    if operation.input is not None:
        yield from _places(operation.input, (), ())


def _places(shape: Shape, path: Path, above: tuple[str, ...]) -> Iterator[Place]:
    yield Place(path, shape)
    if shape.name in above:
        return
    within = (*above, shape.name)
    match shape.type_name:
        case "structure" if not shape.is_document_type:
            for name, member in shape.members.items():
                yield from _places(member, (*path, name), within)
        case "list":
            yield from _places(shape.member, (*path, "[]"), within)
        case "map":
            yield from _places(shape.value, (*path, "{}"), within)
        case _:
            pass


def _built(shape: Shape, path: Path, broken: Any) -> Any:
    if not path:
        return broken
    step, rest = path[0], path[1:]
    match shape.type_name:
        case "structure":
            others = {} if shape.is_tagged_union else sample(shape)
            return {**others, step: _built(shape.members[step], rest, broken)}
        case "list":
            others = sample(shape)[1:]
            return [_built(shape.member, rest, broken), *others]
        case _:
            return {sample(shape.key): _built(shape.value, rest, broken)}


Break = Callable[[Shape], Any]
"""Makes a value with one thing wrong of a shape; None where the shape cannot have it."""


def without_required(shape: Shape) -> Any:
    if shape.type_name != "structure" or not shape.required_members:
        return None
    first = shape.required_members[0]
    return {name: value for name, value in sample(shape).items() if name != first}


def too_long(shape: Shape) -> Any:
    high = shape.metadata.get("max")
    if high is None or "enum" in shape.metadata:
        return None
    match shape.type_name:
        case "string":
            return "a" * (high + 1)
        case "list":
            return [sample(shape.member)] * (high + 1)
        case "map":
            return {f"key{number}": sample(shape.value) for number in range(high + 1)}
        case _:
            return None


def too_short(shape: Shape) -> Any:
    if not shape.metadata.get("min") or "enum" in shape.metadata:
        return None
    return {"string": "", "list": [], "map": {}}.get(shape.type_name)


def too_small(shape: Shape) -> Any:
    low = shape.metadata.get("min")
    is_number = shape.type_name in {"integer", "long", "float", "double"}
    return low - 1 if is_number and low is not None else None


def too_large(shape: Shape) -> Any:
    high = shape.metadata.get("max")
    is_number = shape.type_name in {"integer", "long", "float", "double"}
    return high + 1 if is_number and high is not None else None


def unlike_pattern(shape: Shape) -> Any:
    pattern = shape.metadata.get("pattern")
    if pattern is None:
        return None
    length = max(shape.metadata.get("min", 0), 2)
    candidates = ("\x00" * length, "\n" * length)
    return next((one for one in candidates if not re.fullmatch(plain(pattern), one)), None)


def unlike_enum(shape: Shape) -> Any:
    return "NOT_ONE_OF_THESE" if "enum" in shape.metadata else None


def two_of_union(shape: Shape) -> Any:
    if not getattr(shape, "is_tagged_union", False) or len(shape.members) < 2:
        return None
    return {name: sample(member) for name, member in list(shape.members.items())[:2]}


def none_of_union(shape: Shape) -> Any:
    return {} if getattr(shape, "is_tagged_union", False) else None


def of_another_type(shape: Shape) -> Any:
    if getattr(shape, "is_document_type", False):
        return None
    return 3 if shape.type_name == "string" else "three"
