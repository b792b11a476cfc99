"""From nothing to a finished inference job: once, and once only, whatever happens on the way."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cleanrooms_operator.core.resource import FINALIZER, Key, Resource
from cleanrooms_playground.documents import Document
from e2e import journeys
from e2e.journeys import RUNS, Journey
from e2e.stage import Stage
from pods import Operator

KILLS = 30
JOURNEY_SECONDS = 240
QUICK = {"progress_interval": 0.3}

WRITES = {"Collaboration": 4, "Membership": 6, **dict.fromkeys(RUNS, 8)}
"""How often a resource may be written until it is Ready (rule R-23)."""


@pytest.fixture(scope="module")
def emulator_arguments() -> tuple[str, ...]:
    """Let emulated minutes pass in a blink; the operator's own patience is real."""
    return ("--no-rates", "--speed", "200")


@contextmanager
def running(stage: Stage, **settings: Any) -> Iterator[Operator]:
    """Run an operator for as long as the `with` block lasts."""
    operator = stage.run_operator(**{**QUICK, **settings})
    try:
        yield operator
    finally:
        operator.process.stop()


def states(stage: Stage, key: Key) -> list[str]:
    """Return the states that a resource told of, each once, in their order."""
    told = (version.status.get("state") for version in stage.watch.versions(key))
    return [state for state, _ in itertools.groupby(told) if state is not None]


def test_each_waits_for_what_it_is_made_from_and_is_bought_once(stage: Stage) -> None:
    with running(stage):
        journey = journeys.begin(stage)
        stage.wait_ready(*journey.keys, timeout_seconds=JOURNEY_SECONDS)
    journeys.check_bought_once(stage, journey)
    for key in journey.runs():
        assert states(stage, key)[-1] == "ACTIVE"
        assert stage.status(key, "payer") == journey.creator.account
        assert stage.status(key, "startTime") is not None
        assert stage.resource(key).is_true("Succeeded") == (key.kind != "MLInputChannel")
    first, second = (journey.key("TrainedModel", name) for name in ("churn-first", "churn-second"))
    assert stage.status(first, "versionIdentifier") is None
    assert stage.status(second, "versionIdentifier") is not None


def test_r_23_each_is_written_seldom_until_it_is_ready(stage: Stage) -> None:
    """What it waits for is told anew each time that less is missing, which is not counted."""
    with running(stage):
        journey = journeys.begin(stage)
        stage.wait_ready(*journey.keys, timeout_seconds=JOURNEY_SECONDS)
    for key in (key for key in journey.keys if key.kind in WRITES):
        versions = stage.watch.versions(key)
        until = next(number for number, one in enumerate(versions) if one.is_true("Ready"))
        waits = [one for one in versions[:until] if waits_for_others(one)]
        assert until - len(waits) <= WRITES[key.kind], [one.status for one in versions]


def waits_for_others(resource: Resource) -> bool:
    ready = resource.condition("Ready")
    return ready is not None and ready["reason"] == "DependencyNotReady"


def test_nothing_is_bought_twice_whenever_the_operator_is_killed(stage: Stage) -> None:
    """At 30 moments, each some requests after the last."""
    operator = stage.operator(**QUICK)
    journey = journeys.begin(stage)
    for lifetime in range(KILLS):
        operator.start()
        mark = stage.aws.mark()
        stage.watch.wait(
            f"request {lifetime % 7 + 1} of lifetime {lifetime}",
            lambda mark=mark, count=lifetime % 7 + 1: (
                len(stage.aws.log(mark)) >= count or is_over(stage, journey)
            ),
        )
        operator.process.kill9()
    operator.start()
    stage.wait_ready(*journey.keys, timeout_seconds=JOURNEY_SECONDS)
    journeys.check_bought_once(stage, journey)
    operator.process.stop()


def is_over(stage: Stage, journey: Journey) -> bool:
    return all(
        (resource := stage.watch.get(key)) is not None and resource.is_true("Ready")
        for key in journey.keys
    )


# -- on the way out --------------------------------------------------------------------------


def has(state: str | None, kind: str, name: str) -> tuple[str, str, str | None]:
    return kind, name, state


MOMENTS = [
    *(has("ACTIVE", "Membership", "churn-study") for _ in range(2)),
    *(has("found", "ConfiguredModelAlgorithm", "churn") for _ in range(1)),
    *(has("found", "ConfiguredModelAlgorithmAssociation", "churn") for _ in range(1)),
    *(
        has(state, kind, name)
        for kind, name in (
            ("MLInputChannel", "customers"),
            ("TrainedModel", "churn-first"),
            ("TrainedModel", "churn-second"),
            ("InferenceJob", "churn-scores"),
        )
        for state in ("attempt", "CREATE_PENDING", "CREATE_IN_PROGRESS", "ACTIVE")
    ),
]
"""20 moments: what the status of one resource shows first."""


def has_come(resource: Resource | None, moment: str | None) -> bool:
    """Tell whether a moment of a resource has come, or is over already."""
    if resource is None:
        return False
    status = resource.status
    begun = status.get("attempt") is not None or status.get("identifier") is not None
    match moment:
        case "attempt":
            return begun
        case "found":
            return status.get("identifier") is not None
        case "CREATE_PENDING":
            return status.get("state") is not None
        case "CREATE_IN_PROGRESS":
            return status.get("state") not in {None, "CREATE_PENDING"}
        case _:
            return status.get("state") == moment


def test_both_namespaces_go_at_any_moment_and_nothing_is_left(stage: Stage) -> None:
    """R-15, R-38: 20 moments; the partner's first or the creator's first."""
    going = [(journeys.begin(stage), moment) for moment in MOMENTS]
    assert len(going) == 20
    gone: list[Journey] = []
    with running(stage):
        while going:
            journey, moment = stage.watch.wait(
                "a moment to come", lambda: due(stage, going), JOURNEY_SECONDS
            )
            going.remove((journey, moment))
            delete_all(stage, journey, partner_first=len(gone) % 2 == 0)
            gone.append(journey)
        for journey in gone:
            companies = (journey.creator, journey.partner)
            accounts = (company.key("AWSAccount", "default") for company in companies)
            stage.wait_gone(*journey.keys, *accounts, timeout_seconds=JOURNEY_SECONDS)
    for journey in gone:
        assert journeys.left(journey) == []


Going = tuple[Journey, tuple[str, str, str | None]]


def due(stage: Stage, going: list[Going]) -> Going | None:
    """Return a journey whose moment has come."""
    return next(
        (
            (journey, moment)
            for journey, moment in going
            if has_come(stage.watch.get(journey.key(moment[0], moment[1])), moment[2])
        ),
        None,
    )


def delete_all(stage: Stage, journey: Journey, *, partner_first: bool) -> None:
    partners = journey.partner.key("Membership", "churn-study")
    stage.annotate(partners, delete_membership="true")
    stage.annotate(journey.key("Collaboration", "churn-study"), delete_collaboration="true")
    companies = [journey.partner, journey.creator]
    for company in companies if partner_first else reversed(companies):
        stage.cluster.delete_namespace_contents(company.namespace)


# -- restored --------------------------------------------------------------------------------


def restore(stage: Stage, journey: Journey) -> int:
    """Lose all resources with no operator there, and apply what was saved of them.

    Return what tells the requests from then on.
    """
    saved: list[Document] = []
    for key in journey.keys:
        shown = stage.cluster.get(key.kind, key.name, namespace=key.namespace)
        assert shown is not None
        assert FINALIZER in shown["metadata"]["finalizers"]
        kept = {name: shown["metadata"][name] for name in ("name", "namespace")}
        saved.append({**shown, "metadata": kept})
        stage.let_go(key)
    stage.delete(*journey.keys)
    stage.wait_gone(*journey.keys)
    for document in saved:
        del document["status"]
        stage.cluster.create(document)
    return stage.aws.mark()


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"owner": "first"}, id="the same cluster"),
        pytest.param({"owner": "rebuilt", "owner_inherits": ["first"]}, id="a rebuilt one"),
    ],
)
def test_a_restore_finds_all_runs_again_and_starts_none(
    stage: Stage, settings: dict[str, str]
) -> None:
    """Also where the UID of kube-system is another and the old one is inherited (R-2)."""
    with running(stage, owner="first"):
        journey = journeys.begin(stage)
        found = stage.wait_ready(*journey.keys, timeout_seconds=JOURNEY_SECONDS)
    made = {resource.key: resource for resource in found}
    mark = restore(stage, journey)
    with running(stage, **settings):
        restored = stage.wait_ready(*journey.keys, timeout_seconds=JOURNEY_SECONDS)
    for resource in restored:
        for field in ("arn", "versionIdentifier"):
            assert resource.status.get(field) == made[resource.key].status.get(field)
    asked = {record["operation"] for record in stage.aws.log(mark)}
    assert not any(operation.startswith(("Create", "Start")) for operation in asked)
