"""CustomResourceDefinitions, made of the specs' types and of the shapes of AWS's parameters.

A field that is a parameter of the create call, at whatever depth, takes its schema from AWS's
model; what the operator adds takes it from its type. What the type says of a parameter (a
description, a default, a bound) wins over the model.
"""

from collections.abc import Iterable, Iterator
from math import inf

from cleanrooms_operator.core import cel
from cleanrooms_operator.core.kind import Column, Definition, Kind, Lookup
from cleanrooms_operator.core.resource import GROUP, VERSION
from cleanrooms_operator.core.shape import Schema, Shape, pattern, schema
from cleanrooms_operator.core.sources import MapSource, Source, TextSource
from cleanrooms_operator.core.status import Condition
from cleanrooms_operator.core.values import NameRef, Reference, Value, YamlField, fields

CATEGORY = "cleanrooms"

MOST_TAGS = 44
"""AWS takes 50; the rest is left to the operator's own."""

TAGS: Schema = {
    "type": "object",
    "additionalProperties": {"type": "string", "maxLength": 256},
    "maxProperties": MOST_TAGS,
    "x-kubernetes-validations": [
        cel.bound_keys(1, 128),
        cel.refuse_prefix("aws:", "keys must not start with `aws:`, which AWS keeps for itself"),
        cel.refuse_prefix(
            f"{GROUP}/", f"keys must not start with `{GROUP}/`: by these the operator knows its own"
        ),
    ],
}
"""What a spec's tags may be (rule R-3)."""

CONDITIONS: Schema = {
    "type": "array",
    "description": "Observations of this resource, one of each type.",
    "maxItems": 16,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["type"],
    "items": {
        "type": "object",
        "required": ["type", "status", "lastTransitionTime", "reason", "message"],
        "properties": {
            "type": {
                "type": "string",
                "description": "What is observed, such as `Ready`.",
                "maxLength": 316,
                "pattern": r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
                r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
            },
            "status": {
                "type": "string",
                "description": "Whether it holds.",
                "enum": ["True", "False", "Unknown"],
            },
            "observedGeneration": {
                "type": "integer",
                "description": "The generation of the spec that it was observed of.",
                "format": "int64",
                "minimum": 0,
            },
            "lastTransitionTime": {
                "type": "string",
                "description": "When the status changed last.",
                "format": "date-time",
            },
            "reason": {
                "type": "string",
                "description": "Why, in one word.",
                "minLength": 1,
                "maxLength": 1024,
                "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
            },
            "message": {
                "type": "string",
                "description": "Why, and what to do about it.",
                "maxLength": 32768,
            },
        },
    },
}
"""The schema of conditions, which Kubernetes gives (metav1.Condition)."""

READY = '.status.conditions[?(@.type=="Ready")]'

LONGEST_TEXT = 32_768
LONGEST_LIST = 1_000
"""Bounds of what the operator alone writes, where its type has none."""


def _source(field: YamlField) -> Source | None:
    """Return where the value of a parameter stands, if a field tells that."""
    return next((m for m in field.info.metadata if isinstance(m, TextSource | MapSource)), None)


def _stands_for(field: YamlField) -> Iterable[str]:
    """Return the parameters that a field stands in for, if it names something."""
    ways = (m for m in field.info.metadata if isinstance(m, Reference | Lookup))
    return next((how.fills for how in ways), ())


def twins(model: type[Value]) -> dict[str, list[str]]:
    """Return parameter -> the fields of which one gives it, for parameters that have twins."""
    found: dict[str, list[str]] = {}
    for field in fields(model):
        for filled in _stands_for(field):
            found.setdefault(filled, [filled]).append(field.name)
        if isinstance(source := _source(field), TextSource):
            found.setdefault(source.fills, [source.fills]).append(field.name)
    return found


def frozen(kind: Kind, parameters: Shape) -> list[str]:
    """Return the spec fields of a kind that stay as they are once a create call may be out.

    They are what gives a parameter of the create call, but for those that can be changed later,
    and the account.
    """
    mutable = kind.in_place | kind.by_request | kind.parts.keys() | {"tags"}
    given = _parameter_of(kind) | {"accountRef": "accountRef"}
    return [
        field.name
        for field in fields(kind.definition.spec)
        if (parameter := given.get(field.name, field.name)) not in mutable
        and parameter in {*parameters.members, "accountRef"}
    ]


def _parameter_of(kind: Kind) -> dict[str, str]:
    """Return spec field -> the create parameter that it stands for."""
    found = twins(kind.definition.spec)
    taken = {
        field.name: source.fills
        for field in fields(kind.definition.spec)
        if (source := _source(field)) is not None
    }
    return taken | {name: parameter for parameter, names in found.items() for name in names}


# -- structures ------------------------------------------------------------------------------


def structure(model: type[Value], shape: Shape | None) -> Schema:
    """Return the schema of a type; `shape` is AWS's structure at the same place, if any."""
    own = model.model_json_schema()
    made: Schema = {"type": "object", "description": own["description"]}
    properties = {
        field.name: _property(field, own["properties"][field.name], shape)
        for field in fields(model)
    }
    if required := own.get("required"):
        made["required"] = required
    made["properties"] = properties
    found = twins(model)
    choice = [name for parameter in model.CHOICE for name in found.pop(parameter, [parameter])]
    rules = [cel.exactly_one(choice)] if choice else []
    rules += [
        cel.exactly_one(names)
        if shape is not None and parameter in shape.required
        else cel.at_most_one(names)
        for parameter, names in found.items()
    ]
    return made | ({"x-kubernetes-validations": rules} if rules else {})


def _property(field: YamlField, own: Schema, shape: Shape | None) -> Schema:
    """Return the schema of a field: AWS's, with what its own type adds on top."""
    own = _plain(own)
    aws = shape.members.get(field.name) if shape else None
    if field.name == "tags":
        return {**own, **TAGS}
    if field.structure is Condition:
        return CONDITIONS
    if field.structure is None:
        return schema(aws) | _additions(own) if aws else _bounded(own)
    if _stands_for(field) and shape is not None and own.get("type") == "array":
        return own | _names(field, structure(field.structure, None), shape)
    if own.get("type") == "array":
        items = structure(field.structure, aws.item if aws else None)
        listed = schema(aws) if aws else _bounded(own)
        return listed | _additions(own) | {"items": items}
    return structure(field.structure, aws) | _additions(own)


def _names(field: YamlField, items: Schema, shape: Shape) -> Schema:
    """Return the schema of names that stand in for a list of AWS's, with that one's bounds."""
    [listed] = (schema(shape.members[parameter]) for parameter in _stands_for(field))
    bounds = {name: listed[name] for name in ("minItems", "maxItems") if name in listed}
    keys = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": items["required"]}
    return bounds | {"items": items} | keys


def _plain(own: Schema) -> Schema:
    """Return pydantic's schema of a field without what structural schemas do not know."""
    chosen: Schema = next((one for one in own.get("anyOf", ()) if one.get("type") != "null"), {})
    made = {**chosen, **own}
    if "const" in made:
        made["enum"] = [made["const"]]
    if made.get("default") is None:
        made.pop("default", None)
    return {name: value for name, value in made.items() if name not in _UNKNOWN}


_UNKNOWN = frozenset({"anyOf", "title", "const", "$ref"})


def _additions(own: Schema) -> Schema:
    """Return what a field's own type says beyond the mere type of an AWS parameter."""
    generic = {"type", "items", "additionalProperties", "properties"}
    return {name: value for name, value in own.items() if name not in generic}


def _bounded(own: Schema) -> Schema:
    """Return a schema of our own with the bounds that its type leaves out."""
    match own.get("type"):
        case "string" if not {"maxLength", "format", "enum"} & own.keys():
            return own | {"maxLength": LONGEST_TEXT}
        case "array":
            items = _bounded(own["items"]) if "items" in own else {}
            return (
                {"maxItems": LONGEST_LIST, "x-kubernetes-list-type": "atomic"}
                | own
                | {"items": items}
            )
        case "object":
            entries = _bounded(own["additionalProperties"])
            return {"maxProperties": LONGEST_LIST} | own | {"additionalProperties": entries}
        case "integer":
            return {"format": "int32" if own.get("maximum", inf) < 2**31 else "int64"} | own
        case _:
            return own


# -- the definition --------------------------------------------------------------------------


def resource_definition(
    definition: Definition, kind: Kind | None = None, parameters: Shape | None = None
) -> Schema:
    """Return the CustomResourceDefinition.

    `kind` is what else is known of it, if it has an object in AWS; `parameters` are those of its
    create call, and under the names of `kind.parts` those of further calls.
    """
    root = _root(definition, kind, parameters)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{definition.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": definition.name,
                "listKind": f"{definition.name}List",
                "plural": definition.plural,
                "singular": definition.name.lower(),
                "shortNames": [definition.short_name],
                "categories": [CATEGORY],
            },
            "versions": [_version(definition) | {"schema": {"openAPIV3Schema": root}}],
        },
    }


def _version(definition: Definition) -> Schema:
    selectable = [{"jsonPath": path} for path in _selectable(definition)]
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        **({"selectableFields": selectable} if selectable else {}),
        "additionalPrinterColumns": [_column(column) for column in _columns(definition)],
    }


def _root(definition: Definition, kind: Kind | None, parameters: Shape | None) -> Schema:
    spec = structure(definition.spec, parameters)
    own_rules = [cel.validation(rule) for rule in definition.rules if not rule.root]
    spec.setdefault("x-kubernetes-validations", []).extend(own_rules)
    rules = [cel.validation(rule) for rule in definition.rules if rule.root]
    if kind is not None and parameters is not None:
        _annotate(spec["properties"], kind, parameters)
        if (name := parameters.members.get("name")) is not None and name.max is not None:
            rules += cel.fit_name(int(name.max), pattern(name.pattern))
        rules += [cel.freeze(kind.name, name) for name in frozen(kind, parameters)]
    status = {**structure(definition.status, None), "default": {"observedGeneration": -1}}
    return {
        "type": "object",
        "description": definition.description,
        "required": ["spec"],
        "properties": {"spec": spec, "status": status},
        "x-kubernetes-validations": rules,
    }


def _annotate(properties: Schema, kind: Kind, parameters: Shape) -> None:
    """Say of each field whether it can be changed, and what AWS calls it."""
    fixed, parameter_of = frozen(kind, parameters), _parameter_of(kind)
    for name, made in properties.items():
        said = [made["description"]]
        if name in fixed and "Immutable." not in said[0]:
            said.append("Immutable.")
        if name in kind.parts:
            said.append(f"AWS: {kind.parts[name].operation}.")
        elif (parameter := parameter_of.get(name, name)) in parameters.members:
            said.append(f"AWS: {kind.create}.{parameter}.")
        made["description"] = " ".join(said)


def _selectable(definition: Definition) -> Iterator[str]:
    """Yield what `kubectl get --field-selector` can ask for: the referents, and the state."""
    for field in fields(definition.spec):
        if field.structure is NameRef and not field.is_list:
            yield f".spec.{field.name}.name"
    if any(field.name == "state" for field in fields(definition.status)):
        yield ".status.state"


def _columns(definition: Definition) -> Iterator[Column]:
    yield Column("Ready", f"{READY}.status", "Whether it is as the spec asks and can be used.")
    yield from (column for column in definition.columns if not column.wide)
    yield Column("Reason", f"{READY}.reason", "Why it is ready or not, in one word.")
    yield Column("Age", ".metadata.creationTimestamp", "Since when the resource exists.", "date")
    yield from (column for column in definition.columns if column.wide)
    yield Column("Message", f"{READY}.message", "Why it is ready or not.", wide=True)


def _column(column: Column) -> Schema:
    return {
        "name": column.name,
        "type": column.type,
        "description": column.description,
        "jsonPath": column.path,
        "priority": 1 if column.wide else 0,
    }
