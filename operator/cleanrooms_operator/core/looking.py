"""Whether a shared List or a read of each object takes fewer requests (rule R-21)."""

from collections.abc import Iterable

from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.resource import Resource


def is_cheaper_alone(kind: Kind, resource: Resource, pages: int, line: Iterable[Resource]) -> bool:
    """Tell whether the List of a scope has more pages than objects for whose sake it is asked.

    What others made may fill it, and records of runs never leave it. `line` are all resources
    of the kind. What is under way is looked at more often than what rests, so that what rests
    does not count for it.
    """
    return pages > sum(_is_looked_at_with(kind, resource, other) for other in line)


def _is_looked_at_with(kind: Kind, resource: Resource, other: Resource) -> bool:
    status = other.status
    if status.get("identifier") is None or kind.is_over(status.get("state")):
        return False
    where = ("accountID", "region", *kind.listing.scope)
    is_beside = all(status.get(name) == resource.status.get(name) for name in where)
    return is_beside and (_is_under_way(other) or not _is_under_way(resource))


def _is_under_way(resource: Resource) -> bool:
    return resource.condition("Reconciling") is not None
