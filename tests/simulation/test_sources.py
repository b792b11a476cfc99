"""A value from a Secret: at every crash point, and when it changes at the worst moment."""

from dataclasses import replace
from typing import Annotated

import pytest

from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.core.sources import Bounds, TextFrom, TextSource
from cleanrooms_operator.kinds import BY_NAME
from cleanrooms_operator.kinds.configured_model_algorithm import (
    KIND,
    ConfiguredModelAlgorithmSpec,
)
from simulation import specs
from simulation.invariants import check_rest, objects
from simulation.world import World

BEFORE, AFTER = "as-secret-as-can-be", "quite-another-thing"


class SourcedSpec(ConfiguredModelAlgorithmSpec):
    """An algorithm whose description is a secret."""

    description_from: Annotated[TextFrom | None, TextSource("description", Bounds(0, 255))] = None


SOURCED = replace(KIND, definition=replace(KIND.definition, spec=SourcedSpec))
KEY = Key(KIND.name, "a", "churn")
SPEC = specs.algorithm(descriptionFrom={"secretKeyRef": {"name": "s", "key": "text"}})
LAST_REQUEST = 40
"""More than a life has."""


def world() -> World:
    made = World(kinds={**BY_NAME, KIND.name: SOURCED})
    specs.accounts(made)
    made.settle()
    made.apply(KEY.kind, KEY.name, SPEC)
    return made


def descriptions(made: World) -> list[str]:
    return [item.get("description") for _, kind, item in objects(made) if kind.name == KIND.name]


def test_it_is_waited_for_and_then_sent() -> None:
    made = world()
    made.rest(60)
    assert made.told(KEY) == "Reconciling DependencyNotReady"
    assert made.message(KEY) == "Secret/s does not exist in this namespace"
    assert made.aws.sent(KIND.create) == 0
    made.keep("Secret", "s", text=BEFORE)
    made.settle()
    assert made.told(KEY) == "Ready"
    assert descriptions(made) == [BEFORE]


def test_a_later_change_is_told_and_never_a_run() -> None:
    made = world()
    made.keep("Secret", "s", text=BEFORE)
    made.settle()
    made.keep("Secret", "s", text=AFTER)
    made.rest(2 * made.pace.detail_interval)
    assert made.told(KEY) == "Ready"
    condition = made.resources[KEY].condition("Synced") or {}
    assert (condition["status"], condition["reason"]) == ("False", "SourceChanged")
    check_rest(made)
    assert made.aws.sent(KIND.create) == 1
    made.crash()
    made.rest(2 * made.pace.detail_interval)
    assert (made.resources[KEY].condition("Synced") or {})["reason"] == "SourceChanged"
    made.keep("Secret", "s", text=BEFORE)
    made.annotate(KEY, reconcile_requested_at="now")
    made.settle()
    assert made.resources[KEY].is_true("Synced")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("then", [BEFORE, AFTER, None], ids=["same", "another", "gone"])
def test_whenever_the_operator_dies_one_object_is_made(moment: str, then: str | None) -> None:
    """What was sent stands, though the Secret says something else to the next process."""
    deaths = 0
    for number in range(1, LAST_REQUEST):
        made = world()
        made.keep("Secret", "s", text=BEFORE)
        made.dies_at = (made.requests + number, moment == "after")
        made.settle()
        if made.dies_at is not None:
            break
        deaths += 1
        made.kubernetes.sources.clear()
        if then is not None:
            made.keep("Secret", "s", text=then)
        made.settle()
        made.rest(made.pace.settle)
        made.settle()
        assert len(descriptions(made)) == made.aws.applied(KIND.create) <= 1
        assert len(descriptions(made)) == 1 or then is None
        check_rest(made)
        made.delete(KEY)
        made.settle()
        assert descriptions(made) == []
    assert 5 < deaths < LAST_REQUEST - 1
