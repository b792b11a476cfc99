"""What Argo CD, Flux and Helm say of every state that the simulated operator was seen in."""

import re
from typing import Any

import pytest
import yaml

import recording
from cleanrooms_operator.core.reasons import Reason
from scripting import discovered, health, kstatus
from simulation import specs

Document = dict[str, Any]

SAME = {"Current": "Healthy", "InProgress": "Progressing", "Failed": "Degraded"}
"""What kstatus says -> what Argo CD says, of what is neither paused nor being deleted."""


EVENTS_ALONE = {
    Reason.CREATED,
    Reason.ADOPTED,
    Reason.UPDATED,
    Reason.DELETED,
    Reason.RETAINED,
    Reason.ABANDONED,
    Reason.GIVEN_UP,
    Reason.RELEASE_NOT_MARKED,
    Reason.RUN_CHARGED,
}
"""What no condition ever says: it happens once, and is no state."""


def reason(document: Document, condition: str) -> str | None:
    for each in document["status"].get("conditions", ()):
        if each["type"] == condition and each["status"] == "True":
            return str(each["reason"])
    return None


def is_settled(document: Document) -> bool:
    """Whether the operator has concluded on what is asked for, which is not its deletion."""
    status, metadata = document["status"], document["metadata"]
    current = status["observedGeneration"] == metadata["generation"]
    return current and not reason(document, "Reconciling") and "deletionTimestamp" not in metadata


def of(kind: str) -> list[Document]:
    return [each for each in recording.sorts().values() if each["kind"] == kind]


KINDS = sorted({example.key.kind for example in specs.ALL.values()})


def test_both_tools_say_the_same_of_every_state() -> None:
    documents = recording.sorts()
    assert len(documents) > 50
    for sort, document in documents.items():
        verdict, told = health(document)["status"], kstatus(document)
        if reason(document, "Paused"):
            assert verdict == "Suspended", sort
        elif told == "Terminating":
            # Argo CD itself says Progressing of what is being deleted, and runs no script.
            assert verdict == ("Degraded" if reason(document, "Stalled") else "Progressing"), sort
        else:
            assert verdict == SAME[told], sort


def test_every_reason_was_seen_in_a_condition() -> None:
    told = {
        each["reason"]
        for document in recording.sorts().values()
        for each in document["status"].get("conditions", ())
    }
    assert told == {each.value for each in set(Reason) - EVENTS_ALONE}


def test_argo_cds_own_suite_has_every_state() -> None:
    """Run `python tests/recording.py` where it does not."""
    data = (recording.FOLDER / "testdata").iterdir()
    recorded = {recording.sort(yaml.safe_load(path.read_text())) for path in data}
    assert recorded == recording.sorts().keys()


@pytest.mark.parametrize("kind", sorted(each.key.kind for each in specs.RUNS.values()))
@pytest.mark.parametrize("why", ["PayerNotReady", "NotApproved", "QueuedForBudget"])
def test_a_run_that_waits_for_people_or_money_is_in_progress(kind: str, why: str) -> None:
    found = [each for each in of(kind) if reason(each, "Reconciling") == why]
    assert {health(each)["status"] for each in found} == {"Progressing"}
    assert {kstatus(each) for each in found} == {"InProgress"}


@pytest.mark.parametrize("kind", [*KINDS, "AWSAccount"])
def test_each_kind_was_seen_in_every_state(kind: str) -> None:
    seen = {health(document)["status"] for document in of(kind)}
    assert seen == {"Healthy", "Progressing", "Degraded", "Suspended"}
    assert {kstatus(each) for each in of(kind)} == {*SAME, "Terminating"}


@pytest.mark.parametrize(
    ("condition", "expected", "verdict"),
    [
        ("Stalled", "OwnedElsewhere", "Degraded"),
        ("Stalled", "AccessDenied", "Degraded"),
        ("Reconciling", "AccessDenied", "Progressing"),
        ("Reconciling", "DependencyNotReady", "Progressing"),
        ("Reconciling", "DeletionBlocked", "Progressing"),
        ("Reconciling", "Deleting", "Progressing"),
        ("Reconciling", "Progressing", "Progressing"),
        ("Stalled", "TrainingFailed", "Degraded"),
        ("Stalled", "Cancelled", "Degraded"),
        ("Stalled", "InputChannelFailed", "Degraded"),
        ("Stalled", "InferenceFailed", "Degraded"),
        ("Reconciling", "QueuedForQuota", "Progressing"),
        ("Succeeded", "Succeeded", "Healthy"),
        ("Expired", "Expired", "Healthy"),
        ("Ready", "Expired", "Healthy"),
    ],
)
def test_what_is_seen_leads_to_what_people_expect(
    condition: str, expected: str, verdict: str
) -> None:
    """What will not get better by itself is Degraded; a wait is not, or a first sync would fail."""
    told = [each for each in recording.sorts().values() if reason(each, condition) == expected]
    found = [each for each in told if condition == "Reconciling" or is_settled(each)] or told
    found = [each for each in found if not reason(each, "Paused")] or found
    assert found
    assert {health(each)["status"] for each in found} == {verdict}


@pytest.mark.parametrize(
    ("condition", "expected", "verdict"),
    [
        ("PayerReady", "PayerNotCandidate", "Progressing"),
        ("ChangesApplied", "AwaitingApproval", "Healthy"),
        ("ChangesApplied", "ChangeDenied", "Healthy"),
        ("ChangesApplied", "RemovalBlocked", "Healthy"),
        ("ChangesAnswered", "UnexpectedChange", "Healthy"),
    ],
)
def test_waiting_for_people_is_no_failure(condition: str, expected: str, verdict: str) -> None:
    found = {
        health(document)["status"]
        for document in recording.sorts().values()
        for each in document["status"].get("conditions", ())
        if (each["type"], each["status"], each["reason"]) == (condition, "False", expected)
        and not reason(document, "Paused")
    }
    assert found == {verdict}


def test_a_verdict_says_why() -> None:
    for document in recording.sorts().values():
        verdict = health(document)
        if verdict["status"] == "Degraded":
            assert verdict["message"].startswith(f"{reason(document, 'Stalled')}: ")
        assert verdict["message"]


def test_every_reason_to_stall_has_its_line_in_the_runbook() -> None:
    told = [reason(document, "Stalled") for document in recording.sorts().values()]
    text = (recording.PROJECT / "docs" / "runbooks" / "resource-stalled.md").read_text()
    explained = re.findall(r"^\| `(\w+)`", text, re.MULTILINE)
    assert len(explained) == len(set(explained))
    assert set(explained) == set(told) - {None}


def test_what_nobody_has_seen_yet_is_in_progress() -> None:
    """By the default of the status; without it, kstatus takes an object for done."""
    new = {"metadata": {"generation": 1}, "status": {"observedGeneration": -1}}
    assert (health(new)["status"], kstatus(new)) == ("Progressing", "InProgress")
    bare = {"metadata": {"generation": 1}}
    assert (health(bare)["status"], kstatus(bare)) == ("Progressing", "Current")


def test_only_a_run_that_is_not_over_can_be_cancelled() -> None:
    offered = {
        (document["kind"], health(document)["status"])
        for document in recording.sorts().values()
        if not discovered(document)["cancel"]["disabled"]
    }
    assert ("TrainedModel", "Progressing") in offered
    assert not {kind for kind, _ in offered} & {"AWSAccount", "Collaboration", "Membership"}
    assert not {verdict for _, verdict in offered} & {"Healthy"}


def test_what_is_paused_can_be_resumed_and_nothing_else() -> None:
    for document in recording.sorts().values():
        annotations = document["metadata"].get("annotations", {})
        paused = annotations.get("cleanrooms-operator.dev/paused") == "true"
        offered = discovered(document)
        assert offered["resume"]["disabled"] is not paused
        assert offered["pause"]["disabled"] is paused
