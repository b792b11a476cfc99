r"""The shapes of AWS's parameters, and the OpenAPI schemas they become.

What the services' models leave open is closed here: lists without a maximum, lists of things
that have a natural key, enumerations that AWS extends so often that they are not repeated.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from cleanrooms_operator.core import cel, prose

Schema: TypeAlias = dict[str, Any]

Type: TypeAlias = Literal[
    "structure", "list", "map", "string", "integer", "long", "double", "float", "boolean"
]


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape of a service's model, as plain values."""

    type: Type
    name: str = ""
    """AWS's name of the shape, such as `MemberList`."""
    documentation: str = ""
    """HTML, as AWS wrote it."""
    members: Mapping[str, "Shape"] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    union: bool = False
    """Whether exactly one of its members is given."""
    item: "Shape | None" = None
    """What a list or a map holds."""
    key: "Shape | None" = None
    min: float | None = None
    max: float | None = None
    """Of a text the characters, of a list or map the entries, of a number the value."""
    pattern: str | None = None
    """What the whole text matches, in Java's notation."""
    enum: tuple[str, ...] = ()


class UnboundedError(ValueError):
    """The model gives no maximum, and nobody has chosen one."""


MAXIMA: Mapping[str, int] = MappingProxyType(
    {
        "MemberList": 9,  # SOURCE: AWS's CloudFormation schema of Collaboration
        "ParameterMap": 50,  # parameters of an analysis template
    }
)
"""Shape -> its maximum, where the model has none."""

ITEMS: Mapping[str, Schema] = MappingProxyType(
    {"AccountIdList": {"type": "string", "maxLength": 12, "pattern": "^[0-9]{12}$"}}
)
"""Items of lists that AWS's model says too little of; accounts have ids of 12 digits."""

KEYS: Mapping[str, str] = MappingProxyType(
    {"MemberList": "accountId", "ModelTrainingDataChannels": "channelName"}
)
"""List shape -> the member that tells its items apart."""

OPEN_ENUMS: Mapping[str, Schema] = MappingProxyType(
    {
        "SupportedS3Region": {"maxLength": 32, "pattern": "^[a-z]{2}(-[a-z]+)+-[0-9]$"},
        "InstanceType": {"maxLength": 64, "pattern": r"^ml\."},
        "InferenceInstanceType": {"maxLength": 64, "pattern": r"^ml\."},
    }
)
"""Enumerations that AWS extends often -> what is asked of a value instead."""


def schema(shape: Shape) -> Schema:
    """Return the structural schema of a shape, bounded and described throughout.

    Raises UnboundedError for a text, list or map without a maximum.
    """
    made: Schema = {"type": _TYPES.get(shape.type, shape.type)}
    if text := prose.summary(shape.documentation):
        made["description"] = text
    return made | _BUILDERS[shape.type](shape)


def _structure(shape: Shape) -> Schema:
    properties = {name: schema(member) for name, member in shape.members.items()}
    for name, member in properties.items():
        member.setdefault("description", f"AWS calls this `{name}` and says no more.")
    made: Schema = {"properties": properties}
    if shape.required:
        made["required"] = list(shape.required)
    if shape.union:
        made["x-kubernetes-validations"] = [cel.exactly_one(shape.members)]
    return made


def _list(shape: Shape) -> Schema:
    if shape.item is None:
        message = f"{shape.name} is a list of nothing"
        raise ValueError(message)
    made: Schema = {"items": ITEMS.get(shape.name) or schema(shape.item)}
    if shape.min:
        made["minItems"] = int(shape.min)
    made["maxItems"] = _maximum(shape, len(shape.item.enum) or None)
    if key := KEYS.get(shape.name):
        return made | {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}
    return made | {"x-kubernetes-list-type": "set" if shape.item.enum else "atomic"}


def _map(shape: Shape) -> Schema:
    if shape.item is None or shape.key is None:
        message = f"{shape.name} maps nothing"
        raise ValueError(message)
    made: Schema = {
        "additionalProperties": schema(shape.item),
        "maxProperties": _maximum(shape),
    }
    rules = [cel.bound_keys(int(shape.key.min or 0), _maximum(shape.key))]
    if key_pattern := pattern(shape.key.pattern):
        rules.append(cel.match_keys(key_pattern))
    return made | {"x-kubernetes-validations": rules}


def _string(shape: Shape) -> Schema:
    if (open_enum := OPEN_ENUMS.get(shape.name)) is not None:
        return dict(open_enum)
    if shape.enum:
        return {"enum": list(shape.enum)}
    made: Schema = {"maxLength": _maximum(shape)}
    if shape.min:
        made["minLength"] = int(shape.min)
    if text_pattern := pattern(shape.pattern):
        made["pattern"] = text_pattern
    if rules := _refusals(shape.pattern):
        made["x-kubernetes-validations"] = rules
    return made


def _whole(shape: Shape) -> Schema:
    return {"format": "int32" if shape.type == "integer" else "int64"} | {
        name: int(bound)
        for name, bound in (("minimum", shape.min), ("maximum", shape.max))
        if bound is not None
    }


def _broken(shape: Shape) -> Schema:
    bounds = (("minimum", shape.min), ("maximum", shape.max))
    return {name: bound for name, bound in bounds if bound is not None}


def _boolean(_shape: Shape) -> Schema:
    return {}


_BUILDERS: Mapping[Type, Callable[[Shape], Schema]] = MappingProxyType(
    {
        "structure": _structure,
        "list": _list,
        "map": _map,
        "string": _string,
        "integer": _whole,
        "long": _whole,
        "double": _broken,
        "float": _broken,
        "boolean": _boolean,
    }
)

_TYPES: Mapping[Type, str] = MappingProxyType(
    {
        "structure": "object",
        "list": "array",
        "map": "object",
        "long": "integer",
        "double": "number",
        "float": "number",
    }
)


def _maximum(shape: Shape, otherwise: int | None = None) -> int:
    """Return the maximum of a text, list or map: the model's, ours, or `otherwise`."""
    chosen = shape.max if shape.max is not None else MAXIMA.get(shape.name, otherwise)
    if chosen is None:
        message = f"{shape.name} has no maximum in AWS's model, and none in MAXIMA"
        raise UnboundedError(message)
    return int(chosen)


# -- patterns --------------------------------------------------------------------------------

_PRINTABLE = r"\u0020-\uD7FF\uE000-\uFFFD\uD800\uDBFF-\uDC00\uDFFF"
_NEGATED = {
    rf"[{_PRINTABLE}\t]": r"[^\x00-\x08\x0A-\x1F]",
    rf"[{_PRINTABLE}\t\r\n]": r"[^\x00-\x08\x0B\x0C\x0E-\x1F]",
}
"""Java's classes of printable characters -> the same in every dialect, by what is not in them."""

_LOOKAHEADS = {
    r"(?!\s*$)": (r"^\s*$", "must not be blank"),
    r"(?!\s+$)": (r"^\s+$", "must not consist of white space alone"),
    r"(?!^(\d+\.)+\d+$)": (r"^(\d+\.)+\d+$", "must not be formatted as an IP address"),
}
"""Negative lookahead, which RE2 lacks -> what must not match instead, and how that is said."""


def pattern(java: str | None) -> str | None:
    """Return a pattern of the model for RE2, ECMAScript and Python alike, matching whole texts.

    Assumption: AWS matches whole values, and means by its surrogates the characters above U+FFFF.
    """
    if java is None:
        return None
    said = java
    for printable, negated in _NEGATED.items():
        said = said.replace(printable, negated)
    for lookahead in _LOOKAHEADS:
        said = said.replace(lookahead, "")
    if re.search(r"\(\?[^:]|\\u", said):
        message = f"{java} cannot be said in RE2 yet"
        raise ValueError(message)
    return f"^(?:{said})$" if "|" in said else f"^{said}$"


def _refusals(java: str | None) -> list[cel.Validation]:
    return [
        cel.refuse_match(refused, message)
        for lookahead, (refused, message) in _LOOKAHEADS.items()
        if lookahead in (java or "")
    ]
