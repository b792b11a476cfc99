"""From nothing to a finished inference job: once, and once only, whatever happens on the way."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from cleanrooms_operator.core.resource import FINALIZER, Key, Resource
from cleanrooms_playground.documents import Document
from e2e import journeys
from e2e.emulated import Record
from e2e.journeys import RUNS, Journey
from e2e.stage import Stage, is_ready
from pods import Operator

KILLS, BEHIND = 17, 4
"""Kills of the operator in the middle of two journeys, the second of which begins some later."""
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


@dataclass(frozen=True, slots=True)
class Finished:
    """A journey that nothing disturbed, and all versions of its resources on the way."""

    journey: Journey
    versions: Mapping[Key, Sequence[Resource]]

    def states(self, key: Key) -> list[str]:
        """Return the states that a resource told of, each once, in their order."""
        told = (version.status.get("state") for version in self.versions[key])
        return [state for state, _ in itertools.groupby(told) if state is not None]


@pytest.fixture(scope="module")
def finished(stage: Stage) -> Finished:
    with running(stage):
        journey = journeys.begin(stage)
        stage.wait_ready(*journey.keys, timeout_seconds=JOURNEY_SECONDS)
    return Finished(journey, {key: stage.watch.versions(key) for key in journey.keys})


def test_each_waits_for_what_it_is_made_from_and_is_bought_once(
    stage: Stage, finished: Finished
) -> None:
    journey = finished.journey
    journeys.check_bought_once(stage, journey)
    for key in journey.runs():
        assert finished.states(key)[-1] == "ACTIVE"
        made = finished.versions[key][-1]
        assert made.status["payer"] == journey.creator.account
        assert made.status["startTime"] is not None
        assert made.is_true("Succeeded") == (key.kind != "MLInputChannel")
    first, second = (journey.key("TrainedModel", name) for name in ("churn-first", "churn-second"))
    assert "versionIdentifier" not in finished.versions[first][-1].status
    assert finished.versions[second][-1].status["versionIdentifier"] is not None


def test_r_23_each_is_written_seldom_until_it_is_ready(finished: Finished) -> None:
    """Waits are counted apart: account, referents, and what others have published, once each."""
    for key, versions in finished.versions.items():
        if key.kind not in WRITES:
            continue
        until = next(number for number, one in enumerate(versions) if one.is_true("Ready"))
        waits = [one for one in versions[:until] if waits_for_others(one)]
        assert until - len(waits) <= WRITES[key.kind], [one.status for one in versions]
        assert len(told_of(waits)) <= 3, told_of(waits)


def told_of(waits: Sequence[Resource]) -> set[str]:
    conditions = (one.condition("Ready") for one in waits)
    return {condition["message"] for condition in conditions if condition is not None}


def waits_for_others(resource: Resource) -> bool:
    ready = resource.condition("Ready")
    return ready is not None and ready["reason"] == "DependencyNotReady"


def test_nothing_is_bought_twice_whenever_the_operator_is_killed(stage: Stage) -> None:
    """At 30 moments, each soon after something was made or changed: two journeys meet each kill."""
    assert KILLS + KILLS - BEHIND >= 30
    operator = stage.operator(**QUICK)
    begun = [journeys.begin(stage)]
    for lifetime in range(KILLS):
        if lifetime == BEHIND:
            begun.append(journeys.begin(stage))
        operator.start()
        mark, more = stage.aws.mark(), lifetime % 4
        stage.watch.wait(
            f"a change, and {more} requests, in lifetime {lifetime}",
            lambda mark=mark, more=more: (
                since_a_change(stage.aws.log(mark)) > more
                or all(is_over(stage, journey) for journey in begun)
            ),
        )
        operator.process.kill9()
    operator.start()
    for journey in begun:
        stage.wait_ready(*journey.keys, timeout_seconds=JOURNEY_SECONDS)
        journeys.check_bought_once(stage, journey)
    operator.process.stop()


def since_a_change(records: list[Record]) -> int:
    """Return how many requests there were from the first on that asks for a change."""
    reads = ("Get", "List", "AssumeRole")
    before = itertools.takewhile(lambda record: record["operation"].startswith(reads), records)
    return len(records) - len(list(before))


def is_over(stage: Stage, journey: Journey) -> bool:
    return all(is_ready(stage.watch.get(key)) for key in journey.keys)


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


def test_a_restore_finds_all_runs_again_and_starts_none(stage: Stage, finished: Finished) -> None:
    """First in the same cluster, then in a rebuilt one that inherits its id (R-2)."""
    journey = finished.journey
    system = stage.cluster.get("v1/Namespace", "kube-system")
    assert system is not None
    rebuilt = {"owner": "rebuilt", "owner_inherits": [system["metadata"]["uid"]]}
    for settings in ({}, rebuilt):
        mark = restore(stage, journey)
        with running(stage, **settings):
            restored = stage.wait_ready(*journey.keys, timeout_seconds=JOURNEY_SECONDS)
        for resource in restored:
            made = finished.versions[resource.key][-1]
            for field in ("arn", "versionIdentifier"):
                assert resource.status.get(field) == made.status.get(field)
        asked = {record["operation"] for record in stage.aws.log(mark)}
        assert not any(operation.startswith(("Create", "Start")) for operation in asked)
