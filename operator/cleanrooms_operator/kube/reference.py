"""The reference pages: every kind, field, column, condition and reason, as the cluster is told."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cleanrooms_operator.core.conditions import TYPES
from cleanrooms_operator.core.kind import Kind, Lookup
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import declarations

Document = Mapping[str, Any]

_RANGES = {
    "{} characters": ("minLength", "maxLength"),
    "{} items": ("minItems", "maxItems"),
    "{} entries": ("minProperties", "maxProperties"),
    "{}": ("minimum", "maximum"),
}


def page(definitions: Sequence[Document], kinds: Sequence[Kind]) -> str:
    """Return the page as Markdown."""
    return "\n".join(
        [
            "# Reference",
            "",
            "All kinds are namespaced and belong to the category `cleanrooms`: "
            "`kubectl get cleanrooms` lists them. A parameter of AWS keeps its name, shape and "
            "unit. The same texts are in the cluster: `kubectl explain membership.spec`. "
            "[Conditions and reasons](conditions.md) are explained apart.",
            *(line for definition in definitions for line in _kind(definition["spec"])),
            *_names(kinds),
            "",
        ]
    )


def conditions_page() -> str:
    """Return the page of conditions and reasons as Markdown."""
    return "\n".join(
        [
            "# Conditions and reasons",
            "",
            "`kubectl describe` shows them; [concepts](concepts.md#the-status) tells how the first "
            "three go together. A kind has those that make sense for it.",
            "",
            "## Conditions",
            "",
            *_table(("Condition", "True says"), ((f"`{n}`", said) for n, said in TYPES.items())),
            "",
            "## Reasons",
            "",
            "What the reasons of conditions and events mean, and what to do.",
            "",
            *_table(
                ("Reason", "Cause", "Remedy"),
                ((f"`{reason.value}`", reason.cause, reason.remedy) for reason in Reason),
            ),
            "",
        ]
    )


def _kind(spec: Document) -> Iterator[str]:
    names, version = spec["names"], spec["versions"][0]
    root = version["schema"]["openAPIV3Schema"]
    yield from ("", f"## {names['kind']}", "", root["description"], "")
    yield f"`apiVersion: {spec['group']}/{version['name']}`, short name `{names['shortNames'][0]}`."
    for part in ("spec", "status"):
        yield from ("", f"### {names['kind']} {part}", "")
        yield from _table(("Field", "Type", "Description", "Bounds"), _fields(root, part))
    yield from ("", f"### {names['kind']} rules", "")
    yield from _table(("Where", "Rule"), _rules(root, ""))
    yield from ("", f"### {names['kind']} columns", "")
    yield from _table(("Column", "Shown", "Description"), map(_column, _columns(version)))


def _columns(version: Document) -> list[Document]:
    columns: list[Document] = version["additionalPrinterColumns"]
    return columns


def _column(column: Document) -> tuple[str, ...]:
    shown = "with `-o wide`" if column["priority"] else "always"
    return column["name"], shown, column["description"]


def _fields(parent: Document, only: str | None = None, path: str = "") -> Iterator[tuple[str, ...]]:
    """Yield a row for each field below `parent`, depth first."""
    for name, schema in parent.get("properties", {}).items():
        if only not in {None, name}:
            continue
        here = f"{path}.{name}" if path else name
        if path:
            required = " (required)" if name in parent.get("required", ()) else ""
            yield f"`{here}`{required}", _type(schema), schema["description"], _bounds(schema)
        inner, suffix = _inside(schema)
        yield from _fields(inner, path=here + suffix)


def _inside(schema: Document) -> tuple[Document, str]:
    if "items" in schema:
        return schema["items"], "[]"
    return schema, ""


def _type(schema: Document) -> str:
    if "items" in schema:
        listed = {"set": "set of ", "map": "list of "}
        return f"{listed.get(schema['x-kubernetes-list-type'], 'list of ')}{_type(schema['items'])}"
    if "additionalProperties" in schema:
        return f"map of {_type(schema['additionalProperties'])}"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    return str(schema.get("format") or schema["type"])


def _bounds(schema: Document) -> str:
    """Return what a value has to keep to, or what it is when absent."""
    ranges = {text: [schema.get(name) for name in names] for text, names in _RANGES.items()}
    said = [text.format(_range(*pair)) for text, pair in ranges.items() if pair != [None, None]]
    if "pattern" in schema:
        said.append(f"matches `{schema['pattern']}`")
    if "default" in schema:
        said.append(f"default `{schema['default']}`")
    if "items" in schema and (each := _bounds(schema["items"])):
        said.append(f"each {each}")
    return ", ".join(said)


def _range(least: float | None, most: float | None) -> str:
    if least is None:
        return f"at most {most}"
    if most is None:
        return f"at least {least}"
    return f"{least}" if least == most else f"{least} to {most}"


def _rules(schema: Document, path: str) -> Iterator[tuple[str, ...]]:
    """Yield a row for each validation rule at and below a place."""
    for rule in schema.get("x-kubernetes-validations", ()):
        where = f"{path}{rule.get('fieldPath', '')}" or ".metadata.name"
        yield f"`{where.removeprefix('.')}`", rule["message"]
    for name, below in schema.get("properties", {}).items():
        inner, suffix = _inside(below)
        yield from _rules(inner, f"{path}.{name}{suffix}")


def _names(kinds: Sequence[Kind]) -> Iterator[str]:
    """Yield a table of the fields that stand in for parameters, by what they stand for."""
    yield from ("", "## Names instead of identifiers", "")
    yield (
        "What is in the same namespace is named by a `…Ref: {name}`, of which the operator waits "
        "until it is ready. What any member has in the collaboration is named by "
        "`{creatorAccountId, name}`, its account and its name in AWS; where two have that name, "
        "nothing is guessed, and the resource stalls with `Ambiguous`. Of the fields in one row, "
        "one at most may be given."
    )
    yield ""
    yield from _table(("Kind", "Parameter", "A resource's name", "A name in AWS"), _twins(kinds))


def _twins(kinds: Sequence[Kind]) -> Iterator[tuple[str, ...]]:
    for kind in kinds:
        found: defaultdict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
        for path, way in declarations(kind.definition.spec):
            parent = path.rpartition(".")[0]
            for parameter in way.fills:
                place = f"{parent}.{parameter}" if parent else parameter
                found[place][isinstance(way, Lookup)].append(f"`{path}` ({way.kind})")
        for place, (refs, lookups) in found.items():
            yield kind.name, f"`{place}`", ", ".join(refs), ", ".join(lookups)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _row(head)
    yield _row(("---",) * len(head))
    yield from map(_row, rows)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
