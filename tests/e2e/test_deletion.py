"""What is deleted here is deleted in AWS, in an order that AWS allows, whatever order was asked."""

import itertools

import pytest

from cleanrooms_operator.core.resource import Key, Resource
from e2e.stage import Stage, Study

FAREWELL_SECONDS = 30
"""How soon a deletion that was held ends once it may (rule R-15)."""


@pytest.fixture(scope="module", autouse=True)
def operator(stage: Stage) -> None:
    """Run an operator."""
    stage.run_operator()


def accounts_of(study: Study) -> tuple[Key, Key]:
    return (
        study.creator.key("AWSAccount", "default"),
        study.partner.key("AWSAccount", "default"),
    )


def bid_farewell(stage: Stage, study: Study) -> None:
    """Say what has to be said before members lose a collaboration, and before one leaves."""
    stage.annotate(study.collaboration, delete_collaboration="true")
    stage.annotate(study.partners, delete_membership="true")


def assert_nothing_is_left(stage: Stage, study: Study) -> None:
    """Assert that AWS holds nothing of a study that could be used or paid for."""
    for company in (study.creator, study.partner):
        assert stage.aws.arns(company.account)["Collaboration"] == []
        listed = company.party.cleanrooms.list_memberships()["membershipSummaries"]
        assert [each for each in listed if each["status"] == "ACTIVE"] == []


def told(resource: Resource) -> str:
    """Return what Ready says."""
    ready = resource.condition("Ready")
    return "" if ready is None else f"{ready['reason']}: {ready['message']}"


def test_all_is_deleted_in_whatever_order_that_is_asked_for(stage: Stage) -> None:
    orders = list(itertools.permutations(range(3)))
    studies = [stage.study() for _ in orders]
    stage.wait_ready(*(key for study in studies for key in study.keys))
    for number, (study, order) in enumerate(zip(studies, orders, strict=True)):
        bid_farewell(stage, study)
        resources = [study.keys[place] for place in order]
        accounts = accounts_of(study)
        stage.delete(*(*accounts, *resources) if number % 2 else (*resources, *accounts))
    for study in studies:
        stage.wait_gone(*study.keys, *accounts_of(study))
        assert_nothing_is_left(stage, study)


# -- whole namespaces (rule R-15) ------------------------------------------------------------


def delete_namespaces(stage: Stage, *namespaces: str) -> None:
    for namespace in namespaces:
        stage.cluster.delete_namespace_contents(namespace)


def test_the_partners_namespace_goes_before_the_creators(stage: Stage) -> None:
    """R-15 (i)."""
    study = stage.study()
    stage.wait_ready(*study.keys)
    stage.annotate(study.partners, delete_membership="true")
    delete_namespaces(stage, study.partner.namespace)
    stage.wait_gone(study.partners, accounts_of(study)[1])
    delete_namespaces(stage, study.creator.namespace)
    stage.wait_gone(*study.keys, *accounts_of(study))
    assert_nothing_is_left(stage, study)


def test_the_creators_namespace_goes_when_it_is_annotated(stage: Stage) -> None:
    """R-15 (ii)."""
    study = stage.study()
    stage.wait_ready(*study.keys)
    stage.annotate(study.collaboration, delete_collaboration="true")
    delete_namespaces(stage, study.creator.namespace)
    stage.wait_gone(study.collaboration, study.creators, accounts_of(study)[0])
    assert_nothing_is_left(stage, study)
    ended = stage.watch.until(study.partners, lambda r: r.condition("Stalled"))
    assert told(ended).startswith("CollaborationDeleted")
    delete_namespaces(stage, study.partner.namespace)
    stage.wait_gone(study.partners, accounts_of(study)[1])


def test_the_creators_namespace_is_held_while_a_partner_is_active(stage: Stage) -> None:
    """R-15 (iii)."""
    study = stage.study()
    stage.wait_ready(*study.keys)
    delete_namespaces(stage, study.creator.namespace)
    for key in (study.collaboration, study.creators):
        held = stage.watch.until(key, lambda r: told(r).startswith("DeletionBlocked"))
        assert study.partner.account in told(held)
        assert 'cleanrooms-operator.dev/delete-collaboration: "true"' in told(held)
    account = stage.watch.until(
        accounts_of(study)[0], lambda r: told(r).startswith("DeletionBlocked")
    )
    assert "Collaboration/study" in told(account)
    assert stage.aws.arns(study.creator.account)["Collaboration"] != []
    stage.annotate(study.collaboration, delete_collaboration="true")
    gone = (study.collaboration, study.creators, accounts_of(study)[0])
    stage.wait_gone(*gone, timeout_seconds=FAREWELL_SECONDS)
    assert_nothing_is_left(stage, study)
