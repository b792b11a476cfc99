"""What keeps an algorithm: the associations that publish it."""

import pytest

import make
from cleanrooms_operator.core import algorithms
from cleanrooms_operator.core.resource import FINALIZER, Key, Resource

KEY = Key(algorithms.ASSOCIATION, "b", "churn")


def association(arn: str, *, held: bool = True) -> Resource:
    status = {"configuredModelAlgorithmArn": arn}
    finalizers = (FINALIZER,) if held else ()
    return make.resource(key=KEY, status=status, finalizers=finalizers)


def told(*associations: Resource) -> list[str]:
    found = make.present()
    about = make.situation(found, neighbours={algorithms.ASSOCIATION: associations})
    return [blocker.message for blocker in algorithms.blockers(about, found)]


def test_an_association_that_publishes_it_is_named_with_its_namespace() -> None:
    [message] = told(association(make.ARN))
    assert "ConfiguredModelAlgorithmAssociation/churn in namespace b" in message


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(association("another"), id="it publishes another algorithm"),
        pytest.param(association(make.ARN, held=False), id="it has nothing in AWS any more"),
    ],
)
def test_others_do_not_keep_it(other: Resource) -> None:
    assert told(other) == []
