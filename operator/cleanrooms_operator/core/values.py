"""What specs and statuses are built from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, TypeAlias, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

Structure: TypeAlias = dict[str, Any]
"""An AWS structure inside a spec: its schema comes from botocore's model, not from pydantic."""

AccountId = Annotated[str, Field(min_length=12, max_length=12, pattern=r"^[0-9]{12}$")]

ResourceName = Annotated[
    str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
]


class Value(BaseModel):
    """Base of everything that is written in YAML: camelCase, closed, immutable."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid"
    )

    CHOICE: ClassVar[tuple[str, ...]] = ()
    """Fields of which, with what may stand in for them, exactly one is given."""


class NameRef(Value):
    """A resource in the same namespace, by name."""

    name: Annotated[ResourceName, Field(description="Name of the resource, in this namespace.")]


@dataclass(frozen=True, slots=True)
class Reference:
    """Metadata of a spec field that names another resource: what it fills, and from where."""

    kind: str
    fills: Mapping[str, str]
    """The AWS parameters beside it that it stands for -> the referent's status fields."""
    optional: frozenset[str] = frozenset()
    """Those of the parameters that a referent may have nothing for."""


@dataclass(frozen=True, slots=True)
class YamlField:
    """A field of a type, as YAML has it."""

    name: str
    info: FieldInfo
    structure: type[Value] | None
    """The type of the structure, or of each item of the list, that it holds."""
    is_list: bool


@cache
def fields(model: type[Value]) -> tuple[YamlField, ...]:
    """Return the fields of a type, in order; a type never changes, and each pass asks."""
    return tuple(
        YamlField(
            info.alias or name, info, _structure_in(info.annotation), _is_list(info.annotation)
        )
        for name, info in model.model_fields.items()
    )


def _structure_in(annotation: Any) -> type[Value] | None:  # noqa: ANN401 - what typing's generics are
    """Return the structure inside an annotation such as `list[Channel] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Value):
        return annotation
    return next(filter(None, map(_structure_in, get_args(annotation))), None)


def _is_list(annotation: Any) -> bool:  # noqa: ANN401 - ditto
    """Tell whether an annotation such as `list[Channel] | None` is of a list."""
    return get_origin(annotation) is list or any(map(_is_list, get_args(annotation)))
