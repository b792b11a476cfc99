"""A resource as one pass sees it."""

import pytest

import make
from cleanrooms_operator.core.resource import Key


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param(make.condition("Ready"), True, id="True, of this generation"),
        pytest.param(make.condition("Ready", "False"), False, id="False"),
        pytest.param(make.condition("Ready", "Unknown"), False, id="Unknown"),
        pytest.param(make.condition("Synced"), False, id="another type"),
        pytest.param(
            make.condition("Ready", observedGeneration=make.GENERATION - 1),
            False,
            id="of an older generation: the status must not lie of a spec that nobody looked at",
        ),
        pytest.param({"type": "Ready", "status": "True"}, False, id="of no generation"),
    ],
)
def test_a_condition_counts_for_the_generation_that_is_asked_for(
    condition: dict[str, object], *, expected: bool
) -> None:
    assert make.resource(status={"conditions": [condition]}).is_true("Ready") is expected


@pytest.mark.parametrize("status", [{}, {"conditions": None}, {"conditions": []}])
def test_there_may_be_no_conditions_yet(status: dict[str, object]) -> None:
    subject = make.resource(status=status)
    assert subject.condition("Ready") is None
    assert not subject.is_true("Ready")


def test_only_our_finalizer_holds_for_us() -> None:
    assert make.resource().held
    assert not make.resource(finalizers=("foregroundDeletion",)).held


def test_keys_have_an_order_and_a_short_form() -> None:
    keys = [Key("Thing", "b", "a"), Key("Thing", "a", "b"), Key("Other", "z", "z")]
    assert sorted(keys) == [keys[2], keys[1], keys[0]]
    assert str(keys[0]) == "Thing/a"
