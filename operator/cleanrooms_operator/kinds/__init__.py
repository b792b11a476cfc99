"""The kinds, one module each: data, no I/O, unaware of each other."""

from cleanrooms_operator.core import account
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

KINDS: tuple[Kind, ...] = (
    collaboration.KIND,
    membership.KIND,
    configured_model_algorithm.KIND,
    configured_model_algorithm_association.KIND,
    ml_input_channel.KIND,
    trained_model.KIND,
    inference_job.KIND,
)
"""The kinds that have an object in AWS, in the order of their creation."""

BY_NAME = {kind.name: kind for kind in KINDS}

DEFINITIONS: tuple[Definition, ...] = (account.DEFINITION, *(kind.definition for kind in KINDS))
"""All that has a CustomResourceDefinition."""
