"""Values that a spec takes from ConfigMaps and Secrets: long ones, and those that nobody may read.

A source is filled in before anything else looks at a spec: all the rest sees its parameter as if
it had been written inline.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import Field

from cleanrooms_operator.core.attempt import parameters_hash
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.redaction import SENSITIVE
from cleanrooms_operator.core.resource import Document, Key, Resource
from cleanrooms_operator.core.values import NameRef, ResourceName, Value, fields

CONFIG_MAP, SECRET = "ConfigMap", "Secret"

Contents: TypeAlias = Mapping[str, str | None]
"""The entries of a ConfigMap or Secret; None is one that is not text."""


class EntryRef(Value):
    """One entry of a ConfigMap or Secret in the same namespace."""

    name: Annotated[ResourceName, Field(description="Name of the object, in this namespace.")]
    key: Annotated[
        str,
        Field(
            min_length=1,
            max_length=253,
            pattern=r"^[-._a-zA-Z0-9]+$",
            description="The entry whose value is taken.",
        ),
    ]


class TextFrom(Value):
    """Where a text stands, which is read when the AWS object is created."""

    CHOICE: ClassVar = ("configMapKeyRef", "secretKeyRef")

    config_map_key_ref: Annotated[
        EntryRef | None, Field(description="An entry of a ConfigMap.")
    ] = None
    secret_key_ref: Annotated[EntryRef | None, Field(description="An entry of a Secret.")] = None


class EntriesFrom(Value):
    """A ConfigMap or Secret each key of which is an entry, read when the object is created."""

    CHOICE: ClassVar = ("configMapRef", "secretRef")

    config_map_ref: Annotated[NameRef | None, Field(description="A ConfigMap.")] = None
    secret_ref: Annotated[NameRef | None, Field(description="A Secret.")] = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """What AWS takes of a text; its pattern is for the whole of it."""

    min: int
    max: int
    pattern: str = r"[\s\S]*"

    def problem(self, text: str) -> str | None:
        """Say what is wrong with a text, without telling any of it."""
        if not self.min <= len(text) <= self.max:
            return f"has {len(text)} characters, where AWS takes {self.min} to {self.max}"
        if re.fullmatch(self.pattern, text) is None:
            return f"does not match {self.pattern}"
        return None


@dataclass(frozen=True, slots=True)
class TextSource:
    """Metadata of a spec field that names where a text stands, in place of a parameter.

    The API server checks what is inline against AWS's bounds; what is read is checked by these.
    """

    fills: str
    """The AWS parameter beside it."""
    value: Bounds


@dataclass(frozen=True, slots=True)
class MapSource:
    """Metadata of a spec field that names where entries of a map stand, besides those inline."""

    fills: str
    """The AWS parameter beside it."""
    entries: int
    """How many AWS takes."""
    key: Bounds
    value: Bounds


Source: TypeAlias = TextSource | MapSource

# SOURCE of the bounds: botocore's models, against which a test compares them.
_PRINTED = r".*"
_VARIABLE = r"[a-zA-Z_][a-zA-Z0-9_]*"

QUERY = TextSource("queryString", Bounds(0, 500_000))
PARAMETERS = MapSource("parameters", 50, Bounds(1, 100, r"[0-9a-zA-Z_]+"), Bounds(0, 1000))
HYPERPARAMETERS = MapSource(
    "hyperparameters", 100, Bounds(1, 256, _PRINTED), Bounds(1, 2500, _PRINTED)
)
ENVIRONMENT = MapSource("environment", 100, Bounds(1, 512, _VARIABLE), Bounds(1, 512))
INFERENCE_ENVIRONMENT = MapSource("environment", 16, Bounds(1, 1024, _VARIABLE), Bounds(1, 10_240))

_ENTRIES = Field(
    max_length=16,
    description="ConfigMaps and Secrets of this namespace each key of which is an entry; of two of "
    "a key the later wins, and an inline one over all. Read when the AWS object is created; a "
    "later change only makes `Synced` False.",
)

# What kinds use as the types of their fields.
QueryFrom = Annotated[
    TextFrom | None,
    QUERY,
    Field(
        description="Where the query stands. Read when the AWS object is created; a later change "
        "only makes `Synced` False."
    ),
]
ParametersFrom = Annotated[list[EntriesFrom] | None, PARAMETERS, _ENTRIES]
HyperparametersFrom = Annotated[list[EntriesFrom] | None, HYPERPARAMETERS, _ENTRIES]
EnvironmentFrom = Annotated[list[EntriesFrom] | None, ENVIRONMENT, _ENTRIES]
InferenceEnvironmentFrom = Annotated[list[EntriesFrom] | None, INFERENCE_ENVIRONMENT, _ENTRIES]


@functools.cache
def declared(model: type[Value]) -> Mapping[str, Source]:
    """Return YAML name -> source, of the fields of one level that tell where values stand."""
    return {
        field.name: metadata
        for field in fields(model)
        for metadata in field.info.metadata
        if isinstance(metadata, TextSource | MapSource)
    }


def is_sensitive(path: str) -> bool:
    """Tell whether what stands at a path, such as `environment.TOKEN`, is told to nobody."""
    return not SENSITIVE.isdisjoint(re.split(r"[.\[\]]", path))


# -- what a spec names -----------------------------------------------------------------------


def named(kind: Kind, resource: Resource) -> tuple[Key, ...]:
    """Return the ConfigMaps and Secrets that a spec takes values from, each once."""
    spec = kind.definition.spec
    if not _has_any(spec):
        return ()
    reading = _Reading(resource.key.namespace, {})
    _filled(spec, resource.spec, reading, "")
    return tuple(sorted(reading.asked))


@functools.cache
def _has_any(model: type[Value]) -> bool:
    nested = (field.structure for field in fields(model))
    return bool(declared(model)) or any(_has_any(one) for one in nested if one is not None)


# -- filling them in -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Supply:
    """A spec with what its sources hold."""

    resource: Resource
    values: Document
    """Path of a source -> what it gave."""
    missing: tuple[str, ...] = ()
    """What does not exist yet, in plain words."""
    wrong: tuple[str, ...] = ()
    """What AWS would not take, in plain words; never a value."""

    def hash(self, key: bytes) -> str:
        """Return what tells these values from others, to those who have the key alone."""
        return parameters_hash({**self.values, "missing": sorted(self.missing)}, key)


@dataclass(slots=True)
class _Reading:
    """What was read, and what comes of it on the way through a spec."""

    namespace: str
    contents: Mapping[Key, Contents | None]
    asked: set[Key] = field(default_factory=set)
    values: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def entries(self, named_: Document) -> tuple[Key, Contents]:
        """Return a ConfigMap or Secret that is named by `…Ref`, and what is in it."""
        (field_, reference), *_ = ((f, r) for f, r in named_.items() if r is not None)
        kind = SECRET if field_.startswith("secret") else CONFIG_MAP
        key = Key(kind, self.namespace, reference["name"])
        self.asked.add(key)
        found = self.contents.get(key)
        if found is None:
            self.missing.append(f"{key} does not exist in this namespace")
        return key, found or {}

    def check(self, bounds: Bounds, text: str, what: str) -> None:
        """Take note of a text that AWS would not take."""
        if (problem := bounds.problem(text)) is not None:
            self.wrong.append(f"{what} {problem}")


def fill(kind: Kind, resource: Resource, contents: Mapping[Key, Contents | None]) -> Supply:
    """Return a resource with the values of its sources in place of them."""
    reading = _Reading(resource.key.namespace, contents)
    spec = _filled(kind.definition.spec, resource.spec, reading, "")
    missing, wrong = tuple(dict.fromkeys(reading.missing)), tuple(reading.wrong)
    return Supply(replace(resource, spec=spec), reading.values, missing, wrong)


def leave_out(kind: Kind, resource: Resource) -> Resource:
    """Return a resource without its sources, and without the parameters that these fill."""
    if not _has_any(kind.definition.spec):
        return resource
    return replace(resource, spec=_filled(kind.definition.spec, resource.spec, None, ""))


def _filled(
    model: type[Value], given: Document, reading: _Reading | None, path: str
) -> dict[str, Any]:
    """Return what is given, with the values of sources in place of them, or without both."""
    ways = {name: source for name, source in declared(model).items() if given.get(name) is not None}
    fills = {source.fills for source in ways.values()}
    structures = {field.name: field.structure for field in fields(model)}
    made = {
        name: _inside(structures.get(name), value, reading, f"{path}{name}")
        for name, value in given.items()
        if name not in ways and name not in fills
    }
    if reading is not None:
        for name, source in ways.items():
            if isinstance(source, TextSource):
                made.update(_text(source, given[name], reading, f"{path}{name}"))
            else:
                entries = _map(source, given[name], reading, f"{path}{name}")
                whole = {**entries, **(given.get(source.fills) or {})}
                _check_size(source, whole, reading, f"{path}{name}")
                made[source.fills] = whole
    return made


def _inside(
    model: type[Value] | None, value: object, reading: _Reading | None, path: str
) -> object:
    """Return a value with the sources inside it filled in."""
    if model is None:
        return value
    if isinstance(value, list):
        return [
            _inside(model, item, reading, f"{path}[{place}]") for place, item in enumerate(value)
        ]
    return _filled(model, value, reading, f"{path}.") if isinstance(value, Mapping) else value


def _text(source: TextSource, given: Document, reading: _Reading, path: str) -> dict[str, str]:
    """Return the parameter, if there is a text for it."""
    key, entries = reading.entries(given)
    (chosen,) = (reference["key"] for reference in given.values() if reference is not None)
    if entries and chosen not in entries:
        reading.missing.append(f"{key} has no key `{chosen}`")
    text = entries.get(chosen)
    if text is None:
        if chosen in entries:
            reading.wrong.append(f"`{path}`: `{chosen}` of {key} is not text")
        return {}
    reading.values[path] = text
    reading.check(source.value, text, f"`{path}`: `{chosen}` of {key}")
    return {source.fills: text}


def _map(source: MapSource, given: list[Document], reading: _Reading, path: str) -> dict[str, str]:
    """Return all entries of what is named; of two of a key the later."""
    made: dict[str, str] = {}
    for item in given:
        key, entries = reading.entries(item)
        for name, text in entries.items():
            what = f"`{name[:64]}` of {key}"
            reading.check(source.key, name, f"`{path}`: the key {what}")
            if text is None:
                reading.wrong.append(f"`{path}`: {what} is not text")
                continue
            reading.check(source.value, text, f"`{path}`: {what}")
            made[name] = text
    reading.values[path] = made
    return made


def _check_size(source: MapSource, whole: Document, reading: _Reading, path: str) -> None:
    if len(whole) > source.entries:
        told = f"has {len(whole)} entries, where AWS takes {source.entries}"
        reading.wrong.append(f"`{path}` {told}")
