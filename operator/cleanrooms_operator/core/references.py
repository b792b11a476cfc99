"""From a spec with references to the parameters of a create call, or to what is missing."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from cleanrooms_operator.core.account import DEFAULT
from cleanrooms_operator.core.kind import Kind, Lookup
from cleanrooms_operator.core.resource import Document, Key, Resource
from cleanrooms_operator.core.specs import Spec
from cleanrooms_operator.core.values import Reference, Value, fields

ACCOUNT = "AWSAccount"
MEMBERSHIP = "Membership"
MEMBERSHIP_REF = "membershipRef"
MEMBERSHIP_IDENTIFIER = "membershipIdentifier"

Path: TypeAlias = tuple[str | int, ...]
"""Where in a spec something stands: names of fields, and places in lists."""

Missing: TypeAlias = str | Key
"""A problem in plain words, or a resource that is not ready yet."""

Filled: TypeAlias = Mapping[Path, Document]
"""What stands in for parameters -> these parameters."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """A place in a spec where something is named rather than given by its identifier."""

    path: Path
    how: Reference | Lookup
    value: Document
    """`{name}` of a resource, or `{creatorAccountId, name}` of what another account made."""

    def __str__(self) -> str:
        """Return the path as people write it, such as `dataChannels[0].mlInputChannelRef`."""
        told = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in self.path)
        return told.removeprefix(".")


@dataclass(frozen=True, slots=True)
class Named:
    """A reference that a spec makes to another resource."""

    path: Path
    reference: Reference
    key: Key


@cache
def declared(spec: type[Value]) -> Mapping[str, Reference | Lookup]:
    """Return YAML name -> way, of the fields of one level that stand in for parameters."""
    return {
        field.name: metadata
        for field in fields(spec)
        for metadata in field.info.metadata
        if isinstance(metadata, Reference | Lookup)
    }


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


# -- what a spec names -----------------------------------------------------------------------


def stand_ins(kind: Kind, resource: Resource) -> tuple[StandIn, ...]:
    """Return all places in a resource's spec where something is named, at whatever depth."""
    return tuple(_stand_ins(kind.definition.spec, resource.spec, ()))


def _stand_ins(model: type[Value], given: Document, path: Path) -> Iterator[StandIn]:
    ways = declared(model)
    for field in fields(model):
        value = given.get(field.name)
        if value is None:
            continue
        here = (*path, field.name)
        items = [(here, value)]
        if field.is_list:
            items = [((*here, place), item) for place, item in enumerate(value)]
        if (how := ways.get(field.name)) is not None:
            yield from (StandIn(place, how, item) for place, item in items)
        elif field.structure is not None:
            for place, item in items:
                yield from _stand_ins(field.structure, item, place)


def named(kind: Kind, resource: Resource) -> tuple[Named, ...]:
    """Return the references that a resource's spec makes, besides its AWSAccount."""
    return among(stand_ins(kind, resource), resource)


def among(places: Iterable[StandIn], resource: Resource) -> tuple[Named, ...]:
    """Return those places in a resource's spec that refer to another resource."""
    return tuple(
        Named(one.path, one.how, Key(one.how.kind, resource.key.namespace, one.value["name"]))
        for one in places
        if isinstance(one.how, Reference)
    )


def declarations(model: type[Value], path: str = "") -> Iterator[tuple[str, Reference | Lookup]]:
    """Yield (path, way) of every field at any depth that stands in for parameters.

    A path is as `dataChannels[].mlInputChannelRef`.
    """
    ways = declared(model)
    for field in fields(model):
        here = f"{path}{field.name}{'[]' if field.is_list else ''}"
        if (way := ways.get(field.name)) is not None:
            yield here, way
        elif field.structure is not None:
            yield from declarations(field.structure, f"{here}.")


def names_anything(kind: Kind) -> bool:
    """Tell whether specs of a kind can name anything besides an AWSAccount."""
    return bool(kinds_named(kind))


def kinds_named(kind: Kind) -> frozenset[str]:
    """Return the kinds of what specs of a kind can name."""
    return _kinds_named(kind.definition.spec)


@cache
def _kinds_named(spec: type[Value]) -> frozenset[str]:
    return frozenset(way.kind for _, way in declarations(spec))


def whereabouts(kind: Kind) -> frozenset[str]:
    """Return the parameters without which nobody can look for an object."""
    key = () if kind.natural_key is None else (kind.natural_key.parameter,)
    return frozenset((*kind.scope, *key))


# -- what it stands for ----------------------------------------------------------------------


def resolved(
    references: tuple[Named, ...], found: Mapping[Key, Resource | None], *, by_new: bool = False
) -> tuple[dict[Path, Document], list[Missing]]:
    """Return (what the referents fill in, what is missing); see `absent`."""
    return _sorted((one, _if_ready(one, found.get(one.key), by_new=by_new)) for one in references)


def left(
    references: tuple[Named, ...], found: Mapping[Key, Resource | None]
) -> tuple[dict[Path, Document], list[Missing]]:
    """Return what `resolved` does for what is being deleted: who is going too still tells."""
    return _sorted((one, _if_known(one, found.get(one.key))) for one in references)


def _sorted(
    answers: Iterable[tuple[Named, Document | Missing]],
) -> tuple[dict[Path, Document], list[Missing]]:
    """Part what is filled in from what is missing."""
    filled: dict[Path, Document] = {}
    missing: list[Missing] = []
    for name, answer in answers:
        if isinstance(answer, str | Key):
            missing.append(answer)
        else:
            filled[name.path] = answer
    return filled, missing


def taken(how: Reference | Lookup, source: Document) -> Document:
    """Return the parameters that a status or a summary has values for."""
    return {
        parameter: source[field]
        for parameter, field in how.fills.items()
        if source.get(field) is not None
    }


_WAITS = "Waits for {} to be ready"


def absent(what: object, *, by_new: bool) -> str:
    """Say that something is not there.

    Where a new resource names it, the two may have been applied together, and be seen in any
    order: that takes the words, and no write more, of what will be told next (rule R-23).
    """
    return _WAITS.format(what) if by_new else f"{what} does not exist in this namespace"


def told(missing: Iterable[Missing], before: str) -> str:
    """Say what is missing, as `before` where that is true still.

    Who waits for several tells of all of them at once, and not of each that comes (rule R-23).
    """
    problems = [each for each in missing if isinstance(each, str)]
    awaited = [str(each) for each in missing if isinstance(each, Key)]
    if awaited and not problems and set(awaited) <= _awaited(before):
        return before
    waits = [_WAITS.format(", ".join(awaited))] if awaited else []
    return "; ".join((*problems, *waits))


def _awaited(message: str) -> set[str]:
    """Return what such a message tells to be waited for, where it tells nothing else."""
    start, end = _WAITS.split("{}")
    is_whole = message.startswith(start) and message.endswith(end)
    return set(message.removeprefix(start).removesuffix(end).split(", ")) if is_whole else set()


def _if_ready(name: Named, referent: Resource | None, *, by_new: bool) -> Document | Missing:
    """Say what is wrong with a referent, but not why: its own conditions say that, and change."""
    if referent is None:
        return name.key if by_new else absent(name.key, by_new=False)
    if referent.deleting:
        return f"{name.key} is being deleted"
    if referent.is_true("Expired"):
        return f"{name.key} has expired"
    if not referent.is_true("Ready") or not is_complete(name, referent):
        return name.key
    return taken(name.reference, referent.status)


def _if_known(name: Named, referent: Resource | None) -> Document | str:
    if referent is not None and is_complete(name, referent):
        return taken(name.reference, referent.status)
    return f"Nobody can look for its AWS object before {name.key} is known"


def is_complete(name: Named, referent: Resource) -> bool:
    """Tell whether a referent's status has all that it stands for."""
    required = name.reference.fills.keys() - name.reference.optional
    return required <= taken(name.reference, referent.status).keys()


def recordable(kind: Kind) -> frozenset[str]:
    """Return the parameters that something may stand in for and that the status keeps.

    They are where the object lives: referents may go before it.
    """
    return _recordable(kind.definition.spec, kind.definition.status)


@cache
def _recordable(spec: type[Value], status: type[Value]) -> frozenset[str]:
    kept = {field.name for field in fields(status)}
    filled = (parameter for how in declared(spec).values() for parameter in how.fills)
    return frozenset(filled) & kept


def recorded(kind: Kind, resource: Resource) -> dict[str, str]:
    """Return what the status keeps of the parameters; they never change after the attempt."""
    scope = (resource.status.get("attempt") or {}).get("scope") or {}
    return {
        name: value
        for name in recordable(kind)
        if (value := scope.get(name) or resource.status.get(name))
    }


def unrecorded(kind: Kind, resource: Resource) -> tuple[StandIn, ...]:
    """Return the places of which the status does not keep all that they stand for.

    Where it keeps a part only, such as the ARN of a model without its version, what is made of the
    record would be something else.
    """
    kept, known = recordable(kind), recorded(kind, resource)
    return tuple(
        one
        for one in stand_ins(kind, resource)
        if len(one.path) > 1
        or not one.how.fills.keys() <= kept
        or not one.how.fills.keys() - one.how.optional <= known.keys()
    )


# -- parameters ------------------------------------------------------------------------------


def parameters(kind: Kind, resource: Resource, filled: Filled) -> Document:
    """Return the parameters of the create call, without the operator's own tags.

    A parameter in which something named is not known is left out as a whole.
    """
    spec = kind.definition.spec
    own: frozenset[str] = spec.OWN if issubclass(spec, Spec) else frozenset()
    known = recorded(kind, resource)
    unknown = {one.path[0] for one in unrecorded(kind, resource) if one.path not in filled}
    given = {k: v for k, v in resource.spec.items() if k not in own | unknown | {"tags"}}
    made = _replaced(spec, given, filled, ())
    if "name" in spec.model_fields:
        made.setdefault("name", resource.key.name)
    return {**made, **known}


def _replaced(model: type[Value], given: Document, filled: Filled, path: Path) -> dict[str, Any]:
    """Return what is given, with parameters in place of what stands in for them."""
    made: dict[str, Any] = {}
    ways = declared(model)
    structures = {field.name: field.structure for field in fields(model)}
    for name, value in given.items():
        here = (*path, name)
        if name in ways:
            made.update(_filled_at(value, filled, here))
        elif (structure := structures.get(name)) is None or value is None:
            made[name] = value
        elif isinstance(value, list):
            made[name] = [
                _replaced(structure, item, filled, (*here, place))
                for place, item in enumerate(value)
            ]
        else:
            made[name] = _replaced(structure, value, filled, here)
    return made


def _filled_at(value: object, filled: Filled, here: Path) -> dict[str, Any]:
    """Return the parameters that one field stands for; a list of names gives lists of values."""
    if not isinstance(value, list):
        return dict(filled.get(here, {}))
    each = [filled[(*here, place)] for place in range(len(value))]
    names = {name for one in each for name in one}
    return {name: [one[name] for one in each] for name in names}
