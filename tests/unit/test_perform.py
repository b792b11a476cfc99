"""What a step does: what is written down, what is sent, and what is told of it."""

from typing import Any

import pytest

import make
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.failures import IAM_DELAY
from cleanrooms_operator.core.kind import Fitting, Reading
from cleanrooms_operator.core.ownership import ATTEMPT, OWNER, RELEASED
from cleanrooms_operator.core.pace import Pace, Urgency
from cleanrooms_operator.core.resource import Document, Key, Resource
from cleanrooms_operator.core.step import Change
from cleanrooms_operator.runtime.memory import Memories
from cleanrooms_operator.runtime.ports import NotSentError, PacedError, StaleError
from passes import Operator
from scripted import START

PACE = Pace()
OBSERVE_ONLY = {"color": "red", "managementPolicy": "ObserveOnly"}
PARENT = Key("Parent", "a", "p")
WITH_PARENT = {"color": "red", "parentRef": {"name": "p"}}
UNKNOWN = make.error(Failure.UNAVAILABLE, "ReadTimeoutError")
BUSY = make.error(Failure.THROTTLED, harmless=True)
INVALID = make.error(Failure.REFUSED, "ValidationException", harmless=True, message="bad color")
DENIED = make.error(Failure.DENIED, "AccessDeniedException", harmless=True)


def _paint(asked: Document) -> Document:
    return {"color": asked["color"]}


class TestCreates:
    async def test_the_attempt_is_written_before_the_call(self) -> None:
        spec = {"color": "red", "tags": {"team": "ads"}}
        operator = Operator(make.resource(spec=spec, finalizers=()))
        seen: list[Any] = []
        operator.aws.answers["CreateThing"] = lambda sent: (
            seen.append((sent, dict(operator.status["attempt"]))) or {"thing": make.thing()}
        )
        outcome = await operator.look()
        assert operator.aws.operations == ["reserve", "CreateThing"]
        [(sent, attempt)] = seen
        assert sent["tags"] == {**make.owner_tags(), ATTEMPT: attempt["id"], "team": "ads"}
        assert (sent["name"], sent["color"]) == ("one", "red")
        assert attempt["name"] == "one"
        assert "attempt" not in operator.status
        assert operator.status["identifier"] == "id-1"
        assert operator.status["tagKeys"] == ["team"]
        assert (operator.status["accountID"], operator.status["region"]) == (
            make.ACCOUNT,
            make.REGION,
        )
        assert operator.told(outcome) == [("Normal", "Created")]
        assert (outcome.again, outcome.urgency) == (0.0, Urgency.CHANGE)

    async def test_what_aws_would_refuse_is_left_out_and_the_attempt_is_of_what_was_asked(
        self,
    ) -> None:
        reading = Reading("paints", "things", "ListPaints", dict, "paints")
        fitting = Fitting(reading, _paint, lambda asked, paints, _: {**asked, "color": paints[0]})
        operator = Operator(make.resource(), kind=make.kind(fitting=fitting))
        operator.aws.answers["ListPaints"] = {"paints": ["blue"]}
        operator.aws.answers["CreateThing"] = [BUSY, {"thing": make.thing()}]
        await operator.fail()
        assert operator.aws.operations == ["ListPaints", "reserve", "CreateThing"]
        assert (await operator.look()).step == "Resend"
        assert operator.aws.operations == ["ListPaints", "reserve", "CreateThing"]
        [sent] = operator.aws.sent("CreateThing")
        assert sent["color"] == "blue"

    async def test_what_needs_no_fitting_asks_for_nothing(self) -> None:
        reading = Reading("paints", "things", "ListPaints", dict, "paints")
        fitting = Fitting(reading, lambda _: None, lambda asked, *_: asked)
        operator = Operator(make.resource(), kind=make.kind(fitting=fitting))
        await operator.look()
        assert operator.aws.operations == ["reserve", "CreateThing"]

    async def test_from_nothing_to_ready_in_four_writes(self) -> None:
        """R-23: finalizer, attempt, handle, Ready."""
        operator = Operator(make.resource(finalizers=()))
        await operator.look()
        first = list(operator.changes)
        outcome = await operator.look()
        assert len(first) + len(operator.changes) == 4
        assert operator.ready() == ("True", "Succeeded")
        assert (outcome.step, outcome.urgency) == ("InSync", Urgency.DRIFT)

    async def test_a_create_is_signed_soon_after_its_attempt_or_never(self) -> None:
        """R-7: ten seconds from the write, also when it is sent again."""
        operator = Operator(make.resource())
        operator.aws.answers["CreateThing"] = [BUSY, {"thing": make.thing()}]
        await operator.fail()
        assert operator.aws.signed_before == START + PACE.send_window
        operator.wait(60)
        await operator.look()
        assert operator.aws.signed_before == START + 60 + PACE.send_window

    async def test_a_newer_version_ends_the_pass_before_anything_is_sent(self) -> None:
        operator = Operator(make.resource())
        operator.desk.cluster.stale = True
        await operator.fail(StaleError)
        assert operator.aws.operations == ["reserve"]

    async def test_nothing_is_written_for_a_call_that_may_not_be_sent_yet(self) -> None:
        operator = Operator(make.resource())
        operator.aws.paced = 3.0
        with pytest.raises(PacedError) as paced:
            await operator.look()
        assert paced.value.seconds == 3.0
        assert operator.changes == []

    async def test_a_lost_answer_is_looked_for_and_not_sent_again(self) -> None:
        operator = Operator(make.resource())
        operator.aws.answers["CreateThing"] = UNKNOWN
        await operator.fail()
        attempt = operator.status["attempt"]
        for _ in range(3):
            operator.wait(PACE.settle / 4)
            outcome = await operator.look()
            assert (outcome.step, operator.ready()[1]) == ("Wait", "ConfirmingAbsence")
            assert operator.aws.operations == []
        assert operator.status["attempt"] == attempt

    async def test_what_a_lost_answer_made_is_bound(self) -> None:
        operator = Operator(make.resource())
        operator.aws.answers["CreateThing"] = UNKNOWN
        await operator.fail()
        operator.aws.lists["ListThings"] = [make.thing()]
        outcome = await operator.look()
        assert (outcome.step, operator.told(outcome)) == ("Bind", [("Normal", "Adopted")])
        assert "attempt" not in operator.status
        assert operator.status["identifier"] == "id-1"

    async def test_what_certainly_made_nothing_is_another_attempt(self) -> None:
        operator = Operator(make.resource())
        operator.aws.answers["CreateThing"] = [UNKNOWN, {"thing": make.thing()}]
        await operator.fail()
        first = operator.status["attempt"]["id"]
        operator.wait(PACE.settle + 1)
        outcome = await operator.look()
        assert outcome.step == "Create"
        [sent] = operator.aws.sent("CreateThing")
        assert sent["tags"][ATTEMPT] != first

    @pytest.mark.parametrize(
        "error",
        [
            pytest.param(BUSY, id="AWS was busy"),
            pytest.param(make.error(Failure.UNAVAILABLE, harmless=True), id="it was out of reach"),
            pytest.param(NotSentError(), id="it was dropped before it was signed"),
        ],
    )
    async def test_what_was_not_done_is_sent_again_without_a_write(self, error: Exception) -> None:
        """R-8: throttles keep the attempt; the version is confirmed before it is sent again."""
        operator = Operator(make.resource())
        operator.aws.answers["CreateThing"] = [error, {"thing": make.thing()}]
        await operator.fail(type(error))
        first = operator.status["attempt"]["id"]
        outcome = await operator.look()
        assert outcome.step == "Resend"
        assert operator.changes[0] == "confirm"
        assert len(operator.changes) == 2
        [sent] = operator.aws.sent("CreateThing")
        assert sent["tags"][ATTEMPT] == first
        assert operator.told(outcome) == [("Normal", "Created")]

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            pytest.param(
                make.error(
                    Failure.QUOTA,
                    harmless=True,
                    members={"quotaName": "training jobs", "quotaValue": 10.0},
                ),
                "QueuedForQuota",
                id="a quota is full",
            ),
            pytest.param(
                make.error(Failure.REFUSED, harmless=True, members={"reason": IAM_DELAY}),
                "ProgressingWithRetry",
                id="IAM has not spread",
            ),
        ],
    )
    async def test_what_may_succeed_later_keeps_its_attempt(
        self, error: ServiceError, reason: str
    ) -> None:
        """R-8: 402 keeps the attempt."""
        operator = Operator(make.resource())
        operator.aws.answers["CreateThing"] = [error, {"thing": make.thing()}]
        outcome = await operator.look()
        assert operator.ready() == ("False", reason)
        assert outcome.again == pytest.approx(PACE.progress_interval * 1.5**0, rel=1)
        assert (await operator.look()).step == "Resend"

    async def test_what_is_not_wanted_any_more_is_discarded(self) -> None:
        operator = Operator(make.resource())
        operator.aws.answers["CreateThing"] = BUSY
        await operator.fail()
        operator.change(deleted=make.NOW)
        assert (await operator.look()).step == "Discard"
        for name in ("attempt", "accountID", "region"):
            assert name not in operator.status
        assert (await operator.look()).step == "Release"


class TestRefusals:
    @staticmethod
    async def refused(error: ServiceError = INVALID) -> Operator:
        operator = Operator(make.resource())
        operator.aws.answers["CreateThing"] = error
        await operator.look()
        return operator

    async def test_a_refusal_clears_the_attempt_and_tells_why(self) -> None:
        operator = await self.refused()
        assert operator.ready() == ("False", "InvalidSpec")
        assert "attempt" not in operator.status
        assert "accountID" not in operator.status, "the spec may still be edited"
        assert operator.status["lastAWSError"] == {
            "code": "ValidationException",
            "message": "bad color",
        }

    async def test_it_is_told_in_an_event_once(self) -> None:
        operator = Operator(make.resource())
        operator.aws.answers["CreateThing"] = INVALID
        outcomes = [await operator.look() for _ in range(3)]
        assert [operator.told(outcome) for outcome in outcomes] == [
            [("Warning", "InvalidSpec")],
            [],
            [],
        ]

    async def test_the_same_is_not_sent_again(self) -> None:
        operator = await self.refused()
        operator.wait(PACE.detail_interval)
        outcome = await operator.look()
        assert (outcome.step, outcome.again) == ("Stall", PACE.list_interval)
        assert operator.aws.sent("CreateThing") == []

    async def test_it_is_after_an_hour(self) -> None:
        operator = await self.refused()
        operator.wait(PACE.detail_interval + 1)
        await operator.look()
        assert len(operator.aws.sent("CreateThing")) == 1

    async def test_it_is_on_request(self) -> None:
        operator = await self.refused()
        operator.change(annotations=make.annotations(reconcile_requested_at="now"))
        await operator.look()
        assert len(operator.aws.sent("CreateThing")) == 1
        assert operator.status["lastHandledReconcileAt"] == "now"

    async def test_another_spec_is_sent_at_once(self) -> None:
        operator = await self.refused()
        operator.change(spec={"color": "blue"}, generation=make.GENERATION + 1)
        await operator.look()
        assert [sent["color"] for sent in operator.aws.sent("CreateThing")] == ["blue"]

    async def test_a_conflict_is_tried_again_soon(self) -> None:
        operator = await self.refused(make.error(Failure.CONFLICT, harmless=True))
        assert operator.ready() == ("False", "AWSConflict")
        operator.wait(PACE.progress_interval + 1)
        await operator.look()
        assert len(operator.aws.sent("CreateThing")) == 1

    @pytest.mark.parametrize(
        ("listed", "reason"),
        [([make.thing(arn="arn:of-another")], "NameTaken"), ([], "AWSConflict")],
        ids=["something has the name", "nothing has the name"],
    )
    async def test_r_11_what_conflicts_may_be_the_name(self, listed: Any, reason: str) -> None:
        operator = Operator(make.resource())
        operator.aws.answers["CreateThing"] = make.error(Failure.CONFLICT)
        operator.aws.answers["ListTagsForResource"] = {"tags": {}}
        operator.aws.lists["ListThings"] = listed
        await operator.look()
        assert operator.ready() == ("False", reason)
        assert "attempt" in operator.status, "it may be our own earlier success (R-8)"

    async def test_a_denial_stalls_once_iam_has_had_its_time(self) -> None:
        operator = await self.refused(DENIED)
        assert operator.ready() == ("False", "AccessDenied")
        assert operator.resource.condition("Stalled") is None
        operator.wait(1)
        assert (await operator.look()).step == "Wait"
        assert operator.aws.operations == [], "nothing is sent, and nothing is forgotten"
        operator.wait(PACE.denied_grace)
        await operator.look()
        assert operator.resource.condition("Stalled") is not None


class TestChanges:
    @staticmethod
    def drifted(resource: Resource) -> Operator:
        operator = Operator(resource)
        operator.aws.answers["GetThing"] = lambda _: {"thing": make.thing(color="blue")}
        return operator

    async def test_what_a_person_asked_for_is_sent_without_a_word_before(self) -> None:
        operator = self.drifted(make.bound(generation=make.GENERATION + 1))
        outcome = await operator.look()
        assert operator.aws.sent("UpdateThing") == [{"thingIdentifier": "id-1", "color": "red"}]
        assert operator.changes == []
        assert operator.told(outcome) == [("Normal", "Updated")]
        assert outcome.drifted == 0

    async def test_drift_of_what_was_ready_is_told_before_it_is_corrected(self) -> None:
        operator = self.drifted(make.bound())
        outcome = await operator.look()
        assert operator.status["drift"] == [{"path": "color", "desired": "red", "observed": "blue"}]
        assert operator.ready() == ("True", "Succeeded"), "it is as usable as it was"
        assert not operator.resource.is_true("Synced")
        assert outcome.drifted == 1

    async def test_what_is_corrected_is_in_sync_again(self) -> None:
        operator = self.drifted(make.bound())
        await operator.look()
        operator.aws.answers["GetThing"] = lambda _: {"thing": make.thing()}
        assert (await operator.look()).step == "InSync"
        assert operator.resource.is_true("Synced")
        assert "drift" not in operator.status

    async def test_a_record_is_written_before_its_change(self) -> None:
        change = Change("cleanrooms", "PutExtra", {}, record={"putBy": "us"})
        kind = make.kind(upkeep=(lambda *_: change,))
        operator = Operator(make.bound(generation=make.GENERATION + 1), kind=kind)
        operator.aws.answers["PutExtra"] = lambda _: {"seen": operator.status["putBy"]}
        await operator.look()
        assert operator.status["putBy"] == "us"

    async def test_a_tag_is_known_as_ours_before_it_is_set(self) -> None:
        spec = {"color": "red", "tags": {"team": "ads"}}
        operator = Operator(make.bound(spec=spec, generation=make.GENERATION + 1))
        operator.aws.answers["TagResource"] = lambda _: {"seen": operator.status["tagKeys"]}
        await operator.look()
        assert operator.status["tagKeys"] == ["team"]

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (make.error(Failure.REFUSED), "InvalidSpec"),
            (make.error(Failure.CONFLICT), "AWSConflict"),
        ],
    )
    async def test_a_change_that_aws_refuses_stalls(self, error: ServiceError, reason: str) -> None:
        operator = self.drifted(make.bound(generation=make.GENERATION + 1))
        operator.aws.answers["UpdateThing"] = error
        await operator.look()
        assert operator.ready() == ("False", reason)
        assert operator.status["lastAWSError"]["code"] == error.code

    async def test_a_change_that_is_denied_stalls_in_time(self) -> None:
        operator = self.drifted(make.bound(generation=make.GENERATION + 1))
        operator.aws.answers["UpdateThing"] = DENIED
        steps = []
        for _ in range(4):
            steps.append((await operator.look()).step)
            operator.wait(PACE.denied_grace / 2)
        assert steps == ["Wait", "Wait", "Wait", "Stall"]
        assert operator.resource.condition("Stalled") is not None

    async def test_a_denial_that_had_stalled_does_not_reconcile_anew_in_another_process(
        self,
    ) -> None:
        operator = self.drifted(make.bound(generation=make.GENERATION + 1))
        operator.aws.answers["UpdateThing"] = DENIED
        await operator.look()
        operator.wait(PACE.denied_grace + 1)
        await operator.look()
        operator.memories = Memories()
        await operator.look()
        assert operator.changes == []

    async def test_a_denial_that_is_over_is_forgotten(self) -> None:
        operator = self.drifted(make.bound(generation=make.GENERATION + 1))
        operator.aws.answers["UpdateThing"] = [DENIED, {}, DENIED]
        await operator.look()
        operator.wait(PACE.denied_grace + 1)
        assert (await operator.look()).step == "Apply"
        assert (await operator.look()).step == "Wait"


def doomed(**over: Any) -> Operator:
    return Operator(make.bound(deleted=make.NOW, generation=make.GENERATION + 1, **over))


class TestOwnerTags:
    async def test_they_are_set_again_where_somebody_took_them_away(self) -> None:
        operator = Operator(make.bound(generation=make.GENERATION + 1))
        left = {key: value for key, value in make.owner_tags().items() if key != OWNER}
        operator.aws.answers["ListTagsForResource"] = {"tags": {**left, ATTEMPT: "attempt-1"}}
        await operator.look()
        assert operator.aws.sent("TagResource") == [
            {"resourceArn": make.ARN, "tags": {OWNER: "cluster-1"}}
        ]

    async def test_an_adopted_object_gets_them(self) -> None:
        """R-35: adopting in Full writes owner tags."""
        operator = Operator(make.resource(annotations=make.annotations(external_id="id-1")))
        operator.aws.answers["ListTagsForResource"] = {"tags": {"team": "ads"}}
        await operator.look()
        assert operator.aws.sent("TagResource") == [
            {"resourceArn": make.ARN, "tags": make.owner_tags()}
        ]
        assert "identifier" not in operator.status, "they are read back first"


class TestDeletions:
    async def test_it_is_marked_deleted_proved_gone_and_let_go(self) -> None:
        """R-3: the mark comes first."""
        operator = doomed()
        tags = make.owner_tags()
        operator.aws.answers["ListTagsForResource"] = lambda _: {"tags": tags}
        assert (await operator.look()).step == "Mark"
        assert operator.aws.sent("TagResource") == [
            {"resourceArn": make.ARN, "tags": {RELEASED: "true"}}
        ]
        tags = {**tags, RELEASED: "true"}
        assert (await operator.look()).step == "Delete"
        assert operator.aws.sent("DeleteThing") == [{"thingIdentifier": "id-1"}]
        operator.aws.answers["GetThing"] = make.error(Failure.NOT_FOUND)
        outcome = await operator.look()
        assert (outcome.step, operator.told(outcome)) == ("Release", [("Normal", "Deleted")])
        assert not operator.resource.held

    @pytest.mark.parametrize("failure", [Failure.DENIED, Failure.NOT_FOUND, Failure.REFUSED])
    async def test_a_mark_that_aws_will_not_have_holds_nothing(self, failure: Failure) -> None:
        """R-3: it gives an event."""
        operator = doomed()
        operator.aws.answers["TagResource"] = make.error(failure)
        outcome = await operator.look()
        assert operator.told(outcome) == [("Normal", "ReleaseNotMarked")]
        assert (await operator.look()).step == "Delete"

    @pytest.mark.parametrize("failure", [Failure.THROTTLED, Failure.UNAVAILABLE])
    async def test_a_mark_is_tried_again_when_aws_was_busy(self, failure: Failure) -> None:
        operator = doomed()
        operator.aws.answers["TagResource"] = make.error(failure)
        await operator.fail()
        operator.aws.answers["TagResource"] = {}
        assert (await operator.look()).step == "Mark"

    async def test_what_is_gone_already_is_not_an_error(self) -> None:
        operator = doomed()
        operator.aws.answers["ListTagsForResource"] = {"tags": {**make.owner_tags(), RELEASED: ""}}
        operator.aws.answers["DeleteThing"] = make.error(Failure.NOT_FOUND)
        assert (await operator.look()).step == "Delete"

    async def test_what_aws_refuses_blocks_and_is_told_once(self) -> None:
        operator = doomed()
        operator.aws.answers["ListTagsForResource"] = {"tags": {**make.owner_tags(), RELEASED: ""}}
        operator.aws.answers["DeleteThing"] = make.error(Failure.CONFLICT)
        outcomes = [await operator.look() for _ in range(2)]
        assert operator.ready() == ("False", "DeletionBlocked")
        assert operator.changes == [], "nothing of it is new"
        assert [operator.told(outcome) for outcome in outcomes] == [
            [("Warning", "DeletionBlocked")],
            [],
        ]

    async def test_while_it_goes_it_is_looked_at_soon_and_less_and_less_often(self) -> None:
        operator = doomed()
        operator.aws.answers["GetThing"] = make.error(Failure.NOT_FOUND)
        waits = [(await operator.look()).again or 0 for _ in range(8)]
        assert waits[0] < 2
        assert waits == sorted(waits)
        assert waits[-1] == PACE.progress_interval
