"""The operations of the emulated services, as botocore's models describe them.

Nothing about a request or an answer is written down twice: routes, parameters, results and
errors are interpreted from the data that the SDK itself works from.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, StructureShape

SERVICES = ("cleanrooms", "cleanroomsml", "sts")
"""The emulated services, by the names of their boto3 clients."""

_LABEL = "{"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: how it is asked, and what it may answer.

    `path` holds the segments of the route, labels in braces; `method_name` is what boto3 and the
    backends call the operation; `errors` are its modelled errors by code.
    """

    service: str
    name: str
    method_name: str
    verb: str
    path: tuple[str, ...]
    status: int
    input: StructureShape | None
    output: StructureShape | None
    errors: Mapping[str, StructureShape]

    @property
    def is_read(self) -> bool:
        """Tell whether the operation only looks."""
        return self.name.startswith(("Get", "List", "BatchGet"))

    def labels_of(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """Return the decoded labels if the raw `segments` of a path are this operation's.

        The path was split before it is decoded: an ARN is one segment, its slashes encoded.
        """
        if len(segments) != len(self.path):
            return None
        labels = {}
        for expected, segment in zip(self.path, segments, strict=True):
            if expected.startswith(_LABEL):
                if not segment:
                    return None
                labels[expected[1:-1]] = unquote(segment)
            elif expected != segment:
                return None
        return labels


@dataclass(frozen=True, slots=True)
class Service:
    """One service: the name it is signed for, and its operations by name."""

    name: str
    signing_name: str
    operations: Mapping[str, Operation]

    def route(self, verb: str, raw_path: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation that `verb` and the undecoded path mean, and its labels."""
        segments = tuple(raw_path.split("/")[1:])
        for operation in _by_shape(self.name).get((verb, len(segments)), ()):
            labels = operation.labels_of(segments)
            if labels is not None:
                return operation, labels
        return None


@cache
def service(name: str) -> Service:
    """Return the service whose boto3 client has that name."""
    model = ServiceModel(Loader().load_service_model(name, "service-2"))
    operations = {o: _operation(name, model.operation_model(o)) for o in model.operation_names}
    return Service(name, model.signing_name, operations)


def operation(service_name: str, name: str) -> Operation | None:
    """Return an operation of an emulated service, None if there is none of that name."""
    return service(service_name).operations.get(name) if service_name in SERVICES else None


def status_of(operation: Operation, code: str) -> int | None:
    """Return the HTTP status that the model gives an error, None if it is not modelled."""
    shape = operation.errors.get(code)
    return None if shape is None else shape.metadata["error"]["httpStatusCode"]


@cache
def _by_shape(service_name: str) -> Mapping[tuple[str, int], list[Operation]]:
    """Return the operations by verb and number of path segments, literal routes first."""
    table: dict[tuple[str, int], list[Operation]] = defaultdict(list)
    for each in service(service_name).operations.values():
        table[each.verb, len(each.path)].append(each)
    for routes in table.values():
        routes.sort(key=lambda route: [segment.startswith(_LABEL) for segment in route.path])
    return dict(table)


def _operation(service_name: str, model: OperationModel) -> Operation:
    http = model.http
    return Operation(
        service=service_name,
        name=model.name,
        method_name=xform_name(model.name),
        verb=http["method"],
        path=tuple(http["requestUri"].split("/")[1:]),
        status=http.get("responseCode", 200),
        input=model.input_shape,
        output=model.output_shape,
        errors={shape.error_code: shape for shape in model.error_shapes},
    )
