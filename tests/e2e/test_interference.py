"""What others do in AWS behind the operator's back is seen, told, and put right or left alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from cleanrooms_operator.core.resource import Key, Resource
from e2e import declared
from e2e.emulated import check_creates
from e2e.stage import Stage, Study

SETTLE = 3.0


@pytest.fixture(scope="module", autouse=True)
def operator(stage: Stage) -> None:
    """Run an operator that looks often."""
    stage.run_operator(list_interval=1, detail_interval=2, settle=SETTLE)


# -- edited ----------------------------------------------------------------------------------


def update_collaboration(stage: Stage, study: Study) -> None:
    study.creator.party.cleanrooms.update_collaboration(
        collaborationIdentifier=stage.status(study.collaboration, "identifier"),
        description="edited",
    )


def update_membership(stage: Stage, study: Study) -> None:
    study.partner.party.cleanrooms.update_membership(
        membershipIdentifier=stage.status(study.partners, "identifier"), queryLogStatus="DISABLED"
    )


def change_tags(stage: Stage, study: Study) -> None:
    arn, cleanrooms = stage.status(study.collaboration, "arn"), study.creator.party.cleanrooms
    cleanrooms.tag_resource(resourceArn=arn, tags={"team": "edited", "theirs": "stays"})
    cleanrooms.untag_resource(resourceArn=arn, tagKeys=["cost"])


def put_ml_configuration(stage: Stage, study: Study) -> None:
    study.creator.party.ml.put_ml_configuration(
        membershipIdentifier=stage.status(study.creators, "identifier"),
        **declared.ml_configuration(study.creator.account, "s3://edited/out"),
    )


def delete_ml_configuration(stage: Stage, study: Study) -> None:
    study.partner.party.ml.delete_ml_configuration(
        membershipIdentifier=stage.status(study.partners, "identifier")
    )


@dataclass(frozen=True)
class Trace:
    """What an edit leaves in `status.drift` while it stands."""

    of: Callable[[Study], Key]
    path: str
    observed: str | None

    def seen(self, resource: Resource) -> bool:
        shown = resource.status.get("drift") or ()
        leaf = next((each for each in shown if each["path"] == self.path), None)
        return leaf is not None and leaf.get("observed") == self.observed


S3_URI = "mlConfiguration.defaultOutputLocation.destination.s3Destination.s3Uri"

TRACES: Mapping[str, Trace] = {
    "UpdateCollaboration": Trace(lambda study: study.collaboration, "description", "edited"),
    "UpdateMembership": Trace(lambda study: study.partners, "queryLogStatus", "DISABLED"),
    "TagResource": Trace(lambda study: study.collaboration, "tags[team]", "edited"),
    "UntagResource": Trace(lambda study: study.collaboration, "tags[cost]", None),
    "PutMLConfiguration": Trace(lambda study: study.creators, S3_URI, "s3://edited/out"),
}


@pytest.fixture(scope="module")
def edited(stage: Stage) -> Study:
    """Let a study be edited in every way at once, and wait until all of it has been told."""
    study = stage.study(tags={"team": "growth", "cost": "1"})
    stage.wait_ready(*study.keys)
    for edit in (
        update_collaboration,
        update_membership,
        change_tags,
        put_ml_configuration,
        delete_ml_configuration,
    ):
        edit(stage, study)
    for trace in TRACES.values():
        stage.watch.until(trace.of(study), trace.seen)
    return study


@pytest.mark.parametrize("operation", TRACES)
def test_an_edit_is_told_while_it_stands(stage: Stage, edited: Study, operation: str) -> None:
    trace = TRACES[operation]
    seen = stage.watch.until(trace.of(edited), trace.seen)
    synced = seen.condition("Synced")
    assert synced is not None
    assert (synced["status"], synced["reason"]) == ("False", "Drifted")
    assert trace.path in synced["message"]
    assert seen.is_true("Ready"), "what drifted is usable all the same"


def test_what_was_edited_is_put_right(stage: Stage, edited: Study) -> None:
    def drifted() -> bool:
        return any(stage.status(key, "drift") for key in edited.keys)

    stage.watch.wait("the drift to be over", lambda: not drifted())
    stage.wait_ready(*edited.keys)
    creator, partner = edited.creator.party, edited.partner.party
    collaboration = creator.cleanrooms.get_collaboration(
        collaborationIdentifier=stage.status(edited.collaboration, "identifier")
    )["collaboration"]
    assert collaboration["description"] == "as declared"
    membership = partner.cleanrooms.get_membership(
        membershipIdentifier=stage.status(edited.partners, "identifier")
    )["membership"]
    assert membership["queryLogStatus"] == "ENABLED"
    for party, key in ((creator, edited.creators), (partner, edited.partners)):
        shown = party.ml.get_ml_configuration(membershipIdentifier=stage.status(key, "identifier"))
        wanted = declared.ml_configuration(party.account)
        assert shown["defaultOutputLocation"] == wanted["defaultOutputLocation"]


def test_tags_are_put_right_and_those_of_others_left_alone(stage: Stage, edited: Study) -> None:
    tags = stage.aws.tags(stage.status(edited.collaboration, "arn"))
    wanted = {"team": "growth", "cost": "1", "theirs": "stays"}
    assert wanted.items() <= tags.items()


# -- deleted ---------------------------------------------------------------------------------


def reasons(stage: Stage, key: Key) -> list[str]:
    """Return the reasons that Ready has had, each once in a row."""
    told: list[str] = []
    for version in stage.watch.versions(key):
        ready = version.condition("Ready")
        if ready is not None and told[-1:] != [ready["reason"]]:
            told.append(ready["reason"])
    return told


def stalled(reason: str) -> Callable[[Resource], bool]:
    """Return whether a resource is Stalled for that reason."""

    def holds(resource: Resource) -> bool:
        condition = resource.condition("Stalled")
        return condition is not None and condition["reason"] == reason

    return holds


@pytest.fixture(scope="module")
def left(stage: Stage) -> Study:
    """Let a partner leave in the console, who has no ML configuration that AWS would insist on."""
    study = stage.study()
    stage.edit(study.partners, mlConfiguration=None)
    stage.wait_ready(*study.keys)
    study.partner.party.cleanrooms.delete_membership(
        membershipIdentifier=stage.status(study.partners, "identifier")
    )
    return study


@pytest.fixture(scope="module")
def deleted(stage: Stage, left: Study) -> Study:
    """Let a collaboration be deleted in the console."""
    assert left, "both take their time, so they begin together"
    study = stage.study()
    stage.wait_ready(*study.keys)
    study.creator.party.cleanrooms.delete_collaboration(
        collaborationIdentifier=stage.status(study.collaboration, "identifier")
    )
    return study


def test_a_collaboration_that_vanished_is_missing_once_that_is_proved(
    stage: Stage, deleted: Study
) -> None:
    """R-9, R-12."""
    stage.watch.until(deleted.collaboration, stalled("Missing"))
    assert reasons(stage, deleted.collaboration)[-3:] == [
        "Succeeded",
        "ConfirmingAbsence",
        "Missing",
    ]
    for key in (deleted.creators, deleted.partners):
        stage.watch.until(key, stalled("CollaborationDeleted"))


def test_a_membership_that_was_left_is_missing(stage: Stage, left: Study) -> None:
    """R-9, R-12."""
    stage.watch.until(left.partners, stalled("Missing"))
    members = stage.watch.until(left.collaboration, lambda r: "LEFT" in str(r.status))
    assert members.is_true("Ready")


def test_nothing_that_vanished_is_created_anew(stage: Stage, deleted: Study, left: Study) -> None:
    stage.watch.until(deleted.collaboration, stalled("Missing"))
    stage.watch.until(left.partners, stalled("Missing"))
    mark = stage.aws.mark()
    for key in (deleted.collaboration, left.partners):
        asked = stage.annotate(key, reconcile_requested_at="now")
        stage.watch.until(
            key,
            lambda r, asked=asked: (
                int(r.version) > int(asked.version)
                and r.status.get("lastHandledReconcileAt") == "now"
            ),
        )
        assert stalled("Missing")(stage.resource(key))
    accounts = (deleted.creator.account, left.partner.account)
    assert [stage.aws.changes(account, mark) for account in accounts] == [[], []]
    check_creates(stage.aws.creates())


def test_a_denial_in_passing_is_not_taken_for_an_end(stage: Stage) -> None:
    """AWS says AccessDenied of a collaboration that does not exist, and of one that it hides."""
    company = stage.company()
    keys = company.found()
    stage.wait_ready(*keys)
    denials = stage.aws.fail("deny", "GetCollaboration", account=company.account, count=2)
    stage.watch.wait("the denial", lambda: stage.aws.struck(denials))
    stage.annotate(keys[0], reconcile_requested_at="now")
    stage.watch.until(keys[0], lambda r: r.status.get("lastHandledReconcileAt") == "now")
    stage.wait_ready(*keys)
    assert "Missing" not in reasons(stage, keys[0])
    stage.check_one_each(*keys)
