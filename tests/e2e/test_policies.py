"""What a person says of a resource holds: what stays, what is only watched, what waits."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lightkube.exceptions import ApiError

from cleanrooms_operator.core.ownership import OWNER, RELEASED
from cleanrooms_operator.core.resource import Key
from e2e import declared
from e2e.emulated import check_creates
from e2e.stage import Company, Stage, is_ready

CYCLES = 3


@pytest.fixture(scope="module", autouse=True)
def operator(stage: Stage) -> None:
    """Run an operator that looks often at what Lists show, and at details only when it must."""
    stage.run_operator(list_interval=0.5, detail_interval=3600)


def wait_for_lists(stage: Stage, company: Company, operation: str = "ListCollaborations") -> None:
    """Wait until an account has been looked at for some cycles more."""
    mark = stage.aws.mark()
    stage.watch.wait(
        f"{CYCLES} {operation}",
        lambda: len(stage.aws.calls(company.account, operation, since=mark)) > CYCLES,
    )


def description(company: Company, identifier: str) -> str:
    """Return the description of a collaboration, as AWS has it."""
    shown = company.party.cleanrooms.get_collaboration(collaborationIdentifier=identifier)
    return str(shown["collaboration"]["description"])


def made_by_hand(company: Company, name: str = "study") -> Mapping[str, Any]:
    """Let a company's own people create a collaboration in the console."""
    spec = declared.collaboration(name=name, description="by hand")
    made: Mapping[str, Any] = company.party.cleanrooms.create_collaboration(**spec)
    found: Mapping[str, Any] = made["collaboration"]
    return found


# -- deletionPolicy --------------------------------------------------------------------------


def test_what_is_retained_stays_and_is_adopted_when_it_is_applied_again(stage: Stage) -> None:
    company = stage.company()
    keys = company.found(deletionPolicy="Retain")
    before = [resource.status["arn"] for resource in stage.wait_ready(*keys)]
    stage.delete(*keys)
    stage.wait_gone(*keys)
    held = stage.aws.arns(company.account)
    assert [arn for kind in held.values() for arn in kind] == before
    for arn in before:
        assert RELEASED not in stage.aws.tags(arn)
    company.found(deletionPolicy="Retain")
    after = [resource.status["arn"] for resource in stage.wait_ready(*keys)]
    assert after == before
    stage.check_one_each(*keys)


# -- managementPolicy ------------------------------------------------------------------------


def test_what_is_only_observed_is_told_and_never_touched(stage: Stage) -> None:
    """R-35."""
    company = stage.company()
    made = made_by_hand(company)
    mark = stage.aws.mark()
    observe = {"managementPolicy": "ObserveOnly"}
    collaboration = company.apply(
        "Collaboration", "study", declared.collaboration(**observe), {"external-id": made["arn"]}
    )
    membership = company.apply(
        "Membership", "study", declared.creators_membership(company.account, "study", **observe)
    )
    seen = stage.watch.until(collaboration, lambda r: r.status.get("drift"))
    assert seen.status["drift"] == [
        {"path": "description", "desired": "as declared", "observed": "by hand"}
    ]
    stage.wait_ready(collaboration)
    waiting = stage.watch.until(membership, lambda r: r.condition("Reconciling"))
    assert waiting.condition("Ready")["reason"] == "DependencyNotReady"  # type: ignore[index]  it has
    wait_for_lists(stage, company)
    assert stage.aws.changes(company.account, mark) == []
    for key in (collaboration, membership):
        assert not any(version.held for version in stage.watch.versions(key))
    stage.delete(collaboration, membership)
    stage.wait_gone(collaboration, membership)
    assert stage.aws.arns(company.account)["Collaboration"] == [made["arn"]]
    assert OWNER not in stage.aws.tags(made["arn"])


# -- external-id -----------------------------------------------------------------------------


def test_what_was_made_by_hand_is_adopted_when_it_is_named(stage: Stage) -> None:
    """R-4, R-35."""
    company = stage.company()
    made = made_by_hand(company)
    cleanrooms = company.party.cleanrooms
    joined = cleanrooms.create_membership(
        collaborationIdentifier=made["id"],
        queryLogStatus="ENABLED",
        paymentConfiguration={"queryCompute": declared.PAYS},
    )["membership"]
    mark = stage.aws.mark()
    collaboration = company.apply(
        "Collaboration", "study", declared.collaboration(), {"external-id": made["id"]}
    )
    spec = declared.creators_membership(company.account, "study")
    membership = company.apply("Membership", "study", spec)
    stage.watch.until(membership, lambda r: r.condition("Stalled"))
    assert joined["arn"] in stage.resource(membership).condition("Stalled")["message"]  # type: ignore[index]  it has
    stage.annotate(membership, external_id=joined["arn"])
    adopted = stage.wait_ready(collaboration, membership)
    assert [resource.status["arn"] for resource in adopted] == [made["arn"], joined["arn"]]
    assert description(company, made["id"]) == "as declared"
    for arn in (made["arn"], joined["arn"]):
        assert OWNER in stage.aws.tags(arn)
    assert not [call for call in stage.aws.changes(company.account, mark) if "Create" in call]


# -- pausing, and asking for a look ----------------------------------------------------------


def test_what_is_paused_is_left_alone_until_it_goes_on(stage: Stage) -> None:
    company = stage.company()
    collaboration, membership = company.found()
    stage.wait_ready(collaboration, membership)
    stage.annotate(collaboration, paused="true")
    stage.watch.wait("the pause", lambda: stage.resource(collaboration).is_true("Paused"))
    mark = stage.aws.mark()
    stage.edit(collaboration, description="another")
    identifier = stage.status(collaboration, "identifier")
    company.party.cleanrooms.tag_resource(
        resourceArn=stage.status(collaboration, "arn"), tags={"theirs": "too"}
    )
    wait_for_lists(stage, company, "ListMemberships")
    assert description(company, identifier) == "as declared"
    assert stage.aws.changes(company.account, mark) == ["TagResource"]
    stage.annotate(collaboration, paused=None)
    stage.wait_ready(collaboration)
    assert description(company, identifier) == "another"
    assert stage.resource(collaboration).condition("Paused") is None


def test_a_pause_ends_by_itself_at_its_time(stage: Stage) -> None:
    company = stage.company()
    later = datetime.now(UTC) + timedelta(seconds=2)  # noqa: TID251  a moment to come, for a person
    until = later.isoformat(timespec="milliseconds")
    key = company.apply("Collaboration", "study", declared.collaboration(), {"paused-until": until})
    paused = stage.watch.until(key, lambda r: r.condition("Paused"))
    assert not paused.held
    stage.wait_ready(key)
    (created,) = stage.aws.calls(company.account, "CreateCollaboration")
    assert created["wall"] >= later.timestamp()


def test_a_look_that_is_asked_for_is_taken_and_echoed(stage: Stage) -> None:
    """Nothing in a List tells of tags (ER-37), so only details show what became of them."""
    company = stage.company()
    keys = company.found(tags={"team": "growth"})
    stage.wait_ready(*keys)
    arn = stage.status(keys[0], "arn")
    company.party.cleanrooms.untag_resource(resourceArn=arn, tagKeys=["team"])
    wait_for_lists(stage, company)
    assert "team" not in stage.aws.tags(arn)
    for asked in ("once", "again"):
        stage.annotate(keys[0], reconcile_requested_at=asked)
        stage.watch.until(keys[0], lambda r, a=asked: r.status.get("lastHandledReconcileAt") == a)
        assert stage.aws.tags(arn)["team"] == "growth"
    stage.wait_ready(*keys)


# -- editing ---------------------------------------------------------------------------------


def edits(stage: Stage, key: Key) -> None:
    stage.edit(key, creatorDisplayName="another")


def test_a_spec_can_be_mended_until_something_may_have_been_made_of_it(stage: Stage) -> None:
    company = stage.company()
    role = stage.resource(company.key("AWSAccount", "default")).spec["roleARN"]
    company.open_account(roleARN=f"{role}-that-is-not-allowed")
    account = company.key("AWSAccount", "default")
    stage.watch.wait("the refusal", lambda: not is_ready(stage.watch.get(account)))
    key = company.apply("Collaboration", "study", declared.collaboration())
    stage.watch.until(key, lambda r: r.condition("Reconciling"))
    edits(stage, key)
    company.open_account()
    stage.wait_ready(key)
    with pytest.raises(ApiError, match="`creatorDisplayName` is immutable") as refused:
        stage.edit(key, creatorDisplayName="yet another")
    assert refused.value.status.code == 422
    stage.edit(key, description="another")
    stage.wait_ready(key)
    assert description(company, stage.status(key, "identifier")) == "another"


def test_nothing_was_made_twice_in_all_this(stage: Stage) -> None:
    """R-30, R-37."""
    check_creates(stage.aws.creates())
