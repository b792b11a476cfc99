"""Where AWS differs from what was asked: only what the spec names is compared."""

from collections.abc import Iterator, Mapping
from typing import TypeGuard

from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.core.step import Drift


def differences(
    desired: Document, observed: Document, unordered: frozenset[str] = frozenset()
) -> tuple[Drift, ...]:
    """Return the leaves of `desired` that `observed` has otherwise.

    A leaf that the spec leaves out is AWS's to fill in. Lists named in `unordered`, at any depth,
    are sets; lists of as many structures are compared one by one, as far as AWS shows what is in
    them; other lists count as one leaf. An absent payment leaf is the same as FALSE, for AWS writes
    the resolved values only where somebody set one.
    """
    return tuple(_differences(desired, observed, "", unordered))


def _differences(
    desired: Document, observed: Document, path: str, unordered: frozenset[str]
) -> Iterator[Drift]:
    for name, wanted in desired.items():
        here = f"{path}.{name}" if path else name
        shown = observed.get(name)
        if isinstance(wanted, Mapping):
            yield from _differences(wanted, shown or {}, here, unordered)
        elif _are_structures(wanted, shown):
            for place, (one, other) in enumerate(zip(wanted, shown or (), strict=True)):
                compared = {member: one[member] for member in one if member in other}
                yield from _differences(compared, other, f"{here}[{place}]", unordered)
        elif not _same(wanted, shown, as_set=name in unordered):
            yield Drift(here, wanted, shown)


def _are_structures(wanted: object, shown: object) -> TypeGuard[list[Document]]:
    """Tell whether both are lists of as many structures, of which leaves are compared."""
    if not isinstance(wanted, list) or not isinstance(shown, list) or len(wanted) != len(shown):
        return False
    return all(isinstance(item, Mapping) for item in (*wanted, *shown))


def _same(wanted: object, shown: object, *, as_set: bool) -> bool:
    if as_set and isinstance(wanted, list) and isinstance(shown, list):
        return sorted(wanted) == sorted(shown)
    if not wanted:  # FALSE, an empty text or an empty list: AWS may leave such a member out
        return not shown
    return wanted == shown
