"""What AWS has to permit for a kind: the calls that it makes, by its own data (rule R-42)."""

from collections.abc import Iterator
from typing import TypeAlias

from cleanrooms_operator.core import references
from cleanrooms_operator.core.delivering import CONFIGURATION
from cleanrooms_operator.core.kind import Kind, Lookup
from cleanrooms_operator.core.shared import COLLABORATION
from cleanrooms_operator.core.values import Value, fields

Call: TypeAlias = tuple[str, str]
"""(service, operation), as botocore names both."""

_GET_MEMBERSHIP = ("cleanrooms", "GetMembership")
"""What tells which collaboration a membership is of."""

PASSING = ("cleanrooms:PassMembership", "cleanrooms:PassCollaboration")
"""What a call of Clean Rooms ML needs that names a membership, besides its own action.

Source: AWS Clean Rooms User Guide, "IAM behaviors for Clean Rooms ML Custom Models".
"""

LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:CreateLogGroup",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
"""What CreateMembership needs to have queries logged.

Source: the permissions of the handlers in CloudFormation's schema of AWS::CleanRooms::Membership.
"""


def reads(kind: Kind) -> frozenset[Call]:
    """Return the calls that look at a kind's objects, all that observing takes."""
    return frozenset(
        {
            (kind.service, kind.read),
            (kind.service, "ListTagsForResource"),
            (kind.listing.service, kind.listing.operation),
            *((reading.service, reading.operation) for reading in kind.readings),
            *((glance.listing.service, glance.listing.operation) for glance in kind.glances),
            *_of_versions(kind),
            *_of_search(kind.definition.spec),
            *_of_creation(kind),
        }
    )


def _of_versions(kind: Kind) -> Iterator[Call]:
    if kind.versions is not None:
        yield kind.versions.service, kind.versions.operation


def _of_search(spec: type[Value]) -> Iterator[Call]:
    """Yield the calls by which what others made is found, at whatever depth a spec names it."""
    for way in references.declared(spec).values():
        if isinstance(way, Lookup):
            yield way.listing.service, way.listing.operation
            if COLLABORATION in way.listing.scope:
                yield _GET_MEMBERSHIP
    for field in fields(spec):
        if field.structure is not None:
            yield from _of_search(field.structure)


def _of_creation(kind: Kind) -> Iterator[Call]:
    if kind.natural_key is not None:
        yield kind.natural_key.service, kind.natural_key.operation
    if kind.costs:
        yield from (("cleanrooms", "ListMembers"), _GET_MEMBERSHIP)
    if kind.everybodys is not None:
        yield from ((kind.everybodys.service, kind.everybodys.operation), _GET_MEMBERSHIP)
    if kind.delivery is not None:
        yield CONFIGURATION
    if kind.fitting is not None:
        yield kind.fitting.reading.service, kind.fitting.reading.operation


def changes(kind: Kind) -> frozenset[Call]:
    """Return the calls that change something."""
    of_kind = (
        kind.create,
        kind.update,
        kind.delete,
        None if kind.cancel is None else kind.cancel.operation,
        "TagResource",
        "UntagResource",
    )
    named = ((kind.service, operation) for operation in of_kind if operation is not None)
    parts = ((part.service, part.operation) for part in kind.parts.values())
    undone = ((p.service, p.undone_by) for p in kind.parts.values() if p.undone_by is not None)
    return frozenset((*named, *parts, *undone, *kind.calls))
