"""The kinds, one module each: data, no I/O, unaware of each other."""

from dataclasses import replace

from cleanrooms_operator.core import account, references
from cleanrooms_operator.core.kind import Definition, Kind
from cleanrooms_operator.kinds import (
    collaboration,
    configured_model_algorithm,
    configured_model_algorithm_association,
    inference_job,
    membership,
    ml_input_channel,
    trained_model,
)

_OF_THEIR_OWN = frozenset({"Collaboration", "Membership"})
"""Kinds that say themselves what keeps their objects."""


def _linked(kind: Kind, kinds: tuple[Kind, ...]) -> Kind:
    """Return a kind that knows, by what specs can name, which kinds use it."""
    if kind.name in _OF_THEIR_OWN:
        return kind
    users = tuple(one for one in kinds if kind.name in references.kinds_named(one))
    above = (references.MEMBERSHIP,) if references.MEMBERSHIP_IDENTIFIER in kind.scope else ()
    names = dict.fromkeys((*kind.neighbours, *above, *(user.name for user in users)))
    return replace(kind, users=users, neighbours=tuple(names))


_DECLARED: tuple[Kind, ...] = (
    collaboration.KIND,
    membership.KIND,
    configured_model_algorithm.KIND,
    configured_model_algorithm_association.KIND,
    ml_input_channel.KIND,
    trained_model.KIND,
    inference_job.KIND,
)

KINDS: tuple[Kind, ...] = tuple(_linked(kind, _DECLARED) for kind in _DECLARED)
"""The kinds that have an object in AWS, in the order of their creation."""

BY_NAME = {kind.name: kind for kind in KINDS}

DEFINITIONS: tuple[Definition, ...] = (account.DEFINITION, *(kind.definition for kind in KINDS))
"""All that has a CustomResourceDefinition."""
