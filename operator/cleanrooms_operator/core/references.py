"""From a spec with references to the parameters of a create call, or to what is missing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cleanrooms_operator.core.account import DEFAULT
from cleanrooms_operator.core.kind import Kind, Spec
from cleanrooms_operator.core.resource import Document, Key, Resource
from cleanrooms_operator.core.values import Reference, Value

ACCOUNT = "AWSAccount"
MEMBERSHIP = "Membership"
MEMBERSHIP_REF = "membershipRef"


@dataclass(frozen=True, slots=True)
class Named:
    """A reference that a spec makes."""

    field: str
    reference: Reference
    key: Key


def declared(spec: type[Value]) -> Iterator[tuple[str, Reference]]:
    """Yield the YAML names of a spec's reference fields, with what they fill."""
    for name, field in spec.model_fields.items():
        for metadata in field.metadata:
            if isinstance(metadata, Reference):
                yield field.alias or name, metadata


def account_of(resource: Resource) -> Key | None:
    """Return the AWSAccount that a resource uses; None where it uses that of its Membership."""
    if resource.spec.get(MEMBERSHIP_REF) is not None:
        return None
    chosen = resource.spec.get("accountRef") or {"name": DEFAULT}
    return Key(ACCOUNT, resource.key.namespace, chosen["name"])


def membership_of(resource: Resource) -> Key | None:
    """Return the Membership that a resource names, in whose account it acts."""
    named_ = resource.spec.get(MEMBERSHIP_REF)
    return None if named_ is None else Key(MEMBERSHIP, resource.key.namespace, named_["name"])


def named(kind: Kind, resource: Resource) -> tuple[Named, ...]:
    """Return the references that a resource's spec makes, besides its AWSAccount."""
    return tuple(
        Named(
            field,
            reference,
            Key(reference.kind, resource.key.namespace, resource.spec[field]["name"]),
        )
        for field, reference in declared(kind.definition.spec)
        if resource.spec.get(field) is not None
    )


def resolved(
    references: tuple[Named, ...], found: Mapping[Key, Resource | None]
) -> tuple[dict[str, str], list[str]]:
    """Return (parameters that the referents fill, what is missing in plain words)."""
    filled: dict[str, str] = {}
    missing: list[str] = []
    for name in references:
        referent = found.get(name.key)
        problem = _problem(name, referent)
        if problem is None and referent is not None:
            filled[name.reference.fills] = referent.status[name.reference.source]
        else:
            missing.append(problem or "")
    return filled, missing


def _problem(name: Named, referent: Resource | None) -> str | None:
    """Say what is wrong with a referent, but not why: its own conditions say that, and change."""
    if referent is None:
        return f"{name.key} does not exist in this namespace"
    if referent.deleting:
        return f"{name.key} is being deleted"
    if not referent.is_true("Ready") or not referent.status.get(name.reference.source):
        return f"{name.key} is not ready"
    return None


def recorded(kind: Kind, resource: Resource) -> dict[str, str]:
    """Return what references were resolved to when the object was made; they never change after."""
    scope = (resource.status.get("attempt") or {}).get("scope") or {}
    return {
        fills: value
        for fills in filled_parameters(kind)
        if (value := scope.get(fills) or resource.status.get(fills))
    }


def filled_parameters(kind: Kind) -> frozenset[str]:
    """Return the create parameters that references and lookups stand for."""
    by_reference = (reference.fills for _, reference in declared(kind.definition.spec))
    return frozenset((*by_reference, *(lookup.fills for lookup in kind.lookups)))


def parameters(kind: Kind, resource: Resource, filled: Mapping[str, str]) -> Document:
    """Return the parameters of the create call, without the operator's own tags."""
    spec = kind.definition.spec
    own: frozenset[str] = spec.OWN if issubclass(spec, Spec) else frozenset()
    twins = {field for field, _ in declared(spec)} | {lookup.field for lookup in kind.lookups}
    given = {k: v for k, v in resource.spec.items() if k not in own | twins | {"tags"}}
    if "name" in spec.model_fields:
        given.setdefault("name", resource.key.name)
    return {**given, **filled}
