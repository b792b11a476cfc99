"""What AWS has to permit for a kind: the calls that it makes, by its own data (rule R-42)."""

from collections.abc import Iterator
from typing import TypeAlias

from cleanrooms_operator.core.kind import Kind, Listing

Call: TypeAlias = tuple[str, str]
"""(service, operation), as botocore names both."""

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
            *((listing.service, listing.operation) for listing in _listings(kind)),
            *((reading.service, reading.operation) for reading in kind.readings),
            *_of_creation(kind),
        }
    )


def _listings(kind: Kind) -> Iterator[Listing]:
    yield kind.listing
    yield from (lookup.listing for lookup in kind.lookups)
    if kind.versions is not None:
        yield kind.versions


def _of_creation(kind: Kind) -> Iterator[Call]:
    if kind.natural_key is not None:
        yield kind.natural_key.service, kind.natural_key.operation
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
