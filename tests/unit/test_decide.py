"""What is decided for a resource that is wanted, case by case."""

from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core.decide import next_step
from cleanrooms_operator.core.ownership import RELEASED, Claim
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Resource
from cleanrooms_operator.core.situation import Refusal
from cleanrooms_operator.core.step import (
    Absent,
    Apply,
    Bind,
    Clash,
    Create,
    Discard,
    Disproved,
    Forget,
    Hidden,
    InSync,
    Lifecycle,
    Missing,
    Observed,
    Pause,
    Release,
    Resend,
    Stall,
    Step,
    Uncertain,
    Wait,
)

OBSERVE_ONLY = {"color": "red", "managementPolicy": "ObserveOnly"}
RECREATE = {"color": "red", "onMissing": "Recreate"}
LATER, EARLIER = make.text(make.after(60)), make.text(make.after(-60))


def decide(observed: Observed, **over: Any) -> Step:
    return next_step(make.kind(), make.situation(observed, **over))


def reason(step: Step) -> Reason | None:
    return step.reason if isinstance(step, Wait | Stall) else None


class TestNothingIsThere:
    def test_what_does_not_exist_is_created(self) -> None:
        assert decide(Absent()) == Create()

    def test_there_is_nothing_to_observe_and_nothing_is_made(self) -> None:
        """R-35: ObserveOnly makes no call that changes anything."""
        step = decide(Absent(), resource=make.resource(spec=OBSERVE_ONLY))
        assert isinstance(step, Wait)
        assert step.reason is Reason.DEPENDENCY_NOT_READY
        assert "external-id" in step.message

    @pytest.mark.parametrize(
        ("refusal", "expected"),
        [
            pytest.param(
                Refusal(Reason.INVALID_SPEC, "no such region"),
                Stall(Reason.INVALID_SPEC, "no such region"),
                id="what AWS finds invalid is not sent again while it is the same",
            ),
            pytest.param(
                Refusal(Reason.ACCESS_DENIED, "no", lasted=300),
                Wait(Reason.ACCESS_DENIED, "no"),
                id="IAM takes minutes to spread, so a denial is not final at first",
            ),
            pytest.param(
                Refusal(Reason.ACCESS_DENIED, "no", lasted=301),
                Stall(Reason.ACCESS_DENIED, "no"),
                id="a denial that outlasts IAM's delay needs a person",
            ),
        ],
    )
    def test_after_a_refusal(self, refusal: Refusal, expected: Step) -> None:
        assert decide(Absent(), refusal=refusal) == expected


class TestSomethingIsThere:
    def test_an_object_as_desired_is_left_alone(self) -> None:
        found = make.present()
        assert decide(found) == InSync(found)

    def test_drift_is_corrected(self) -> None:
        found = make.present(details=make.details(fields={"color": "blue"}))
        step = decide(found)
        assert isinstance(step, Apply)
        assert step.change.parameters == {"thingIdentifier": "id-1", "color": "red"}

    def test_drift_of_what_is_only_observed_stays(self) -> None:
        """R-35: ObserveOnly makes no call that changes anything."""
        found = make.present(details=make.details(fields={"color": "blue"}))
        assert decide(found, resource=make.bound(spec=OBSERVE_ONLY)) == InSync(found)

    @pytest.mark.parametrize(
        ("state", "kind", "expected", "words"),
        [
            pytest.param("MAKING", Wait, Reason.PROGRESSING, "MAKING", id="it is being made"),
            pytest.param(
                "NEWFANGLED",
                Wait,
                Reason.PROGRESSING,
                "NEWFANGLED",
                id="a state that AWS added since counts as changing",
            ),
            pytest.param(
                "BROKEN", Stall, Reason.REMOVED, "BROKEN", id="it failed, for the kind's reason"
            ),
        ],
    )
    def test_the_state_decides(
        self, state: str, kind: type[Wait | Stall], expected: Reason, words: str
    ) -> None:
        found = make.present(state=state)
        step = decide(found)
        assert isinstance(step, kind)
        assert step.reason is expected
        assert words in step.message
        assert step.present == found

    @pytest.mark.parametrize("lifecycle", Lifecycle)
    def test_every_lifecycle_has_an_answer(self, lifecycle: Lifecycle) -> None:
        step = decide(make.present(lifecycle=lifecycle))
        assert isinstance(
            step, InSync if lifecycle in {Lifecycle.READY, Lifecycle.DONE} else Wait | Stall
        )

    @pytest.mark.parametrize(
        ("claim", "expected"),
        [
            pytest.param(Claim.OTHER, Reason.ADOPTION_CONFLICT, id="another resource's"),
            pytest.param(Claim.ELSEWHERE, Reason.OWNED_ELSEWHERE, id="another cluster's (R-2)"),
        ],
    )
    def test_a_recorded_object_that_carries_others_tags_is_not_touched(
        self, claim: Claim, expected: Reason
    ) -> None:
        drifted = make.details(fields={"color": "blue"})
        step = decide(make.present(claim=claim, details=drifted))
        assert isinstance(step, Stall)
        assert step.reason is expected

    def test_what_another_cluster_owns_may_be_observed(self) -> None:
        found = make.present(claim=Claim.ELSEWHERE)
        assert decide(found, resource=make.bound(spec=OBSERVE_ONLY)) == InSync(found)


class TestSomethingIsFound:
    """Objects that no resource has recorded (R-35)."""

    def test_ours_is_recorded(self) -> None:
        found = make.present(bound=False)
        assert decide(found) == Bind(found)

    @pytest.mark.parametrize("released", [True, False])
    @pytest.mark.parametrize("claim", [Claim.INHERITED, Claim.NOBODY, Claim.OTHER])
    def test_our_tags_are_written_before_it_is_recorded(
        self, claim: Claim, *, released: bool
    ) -> None:
        """R-35: another's mark goes after its tags, or it would be another's again."""
        step = decide(make.present(bound=False, claim=claim, released=released))
        assert isinstance(step, Apply)
        assert step.change.operation == "TagResource"
        assert step.change.parameters == {"resourceArn": make.ARN, "tags": make.owner_tags()}

    def test_the_mark_of_an_earlier_deletion_goes_first(self) -> None:
        step = decide(make.present(bound=False, claim=Claim.RELEASED, released=True))
        assert isinstance(step, Apply)
        assert step.change.operation == "UntagResource"
        assert step.change.parameters == {"resourceArn": make.ARN, "tagKeys": [RELEASED]}

    def test_what_is_only_observed_gets_no_tags(self) -> None:
        found = make.present(bound=False, claim=Claim.OTHER, released=True)
        assert decide(found, resource=make.resource(spec=OBSERVE_ONLY)) == Bind(found)


class TestSomethingIsMissing:
    @pytest.mark.parametrize(
        ("proved", "spec", "expected"),
        [
            pytest.param(False, {}, Reason.CONFIRMING_ABSENCE, id="one look proves nothing (R-9)"),
            pytest.param(
                False, RECREATE, Reason.CONFIRMING_ABSENCE, id="nor for what may be made anew"
            ),
            pytest.param(True, {}, Reason.MISSING, id="it is reported by default (R-12)"),
            pytest.param(
                True,
                {**RECREATE, **OBSERVE_ONLY},
                Reason.MISSING,
                id="what is observed is not made anew",
            ),
        ],
    )
    def test_it_is_waited_for_or_reported(
        self, *, proved: bool, spec: dict[str, str], expected: Reason
    ) -> None:
        step = decide(Missing("id-1", proved), resource=make.bound(spec=spec))
        assert reason(step) is expected

    def test_it_is_forgotten_where_the_spec_wants_another(self) -> None:
        step = decide(Missing("id-1", proved=True), resource=make.bound(spec=RECREATE))
        assert step == Forget()


STALLED = make.bound(
    status={
        "conditions": [
            make.condition("Ready", "False", reason="AccessDenied"),
            make.condition("Stalled", reason="AccessDenied"),
        ]
    }
)
RETRYING = make.bound(
    status={
        "conditions": [
            make.condition("Ready", "False", reason="AccessDenied"),
            make.condition("Reconciling", reason="AccessDenied"),
        ]
    }
)


class TestAWSDoesNotLetUsSee:
    @pytest.mark.parametrize(
        ("subject", "since", "expected"),
        [
            pytest.param(make.resource(), 0, Wait, id="at first"),
            pytest.param(make.resource(), 300, Wait, id="as long as IAM may take"),
            pytest.param(make.resource(), 301, Stall, id="for longer than IAM takes"),
            pytest.param(RETRYING, 10, Wait, id="again, after a restart within that time"),
            pytest.param(STALLED, 10, Stall, id="again, after a restart once it had stalled"),
            pytest.param(make.bound(), 10, Wait, id="after it was ready"),
        ],
    )
    def test_a_denial_is_waited_out_for_a_while(
        self, subject: Resource, since: float, expected: type[Step]
    ) -> None:
        step = decide(Hidden("no", since), resource=subject)
        assert isinstance(step, expected)
        assert reason(step) is Reason.ACCESS_DENIED

    def test_what_else_hides_it_is_waited_for(self) -> None:
        hidden = Hidden("AWS does not show it", 9999, Reason.DEPENDENCY_NOT_READY)
        assert decide(hidden) == Wait(Reason.DEPENDENCY_NOT_READY, "AWS does not show it")

    def test_a_clash_needs_a_word_from_a_person(self) -> None:
        clash = Clash(Reason.ADOPTION_CONFLICT, "two of them")
        assert decide(clash) == Stall(Reason.ADOPTION_CONFLICT, "two of them")


def attempted(**over: Any) -> Resource:
    """Return a resource with an open attempt to make what its spec asks for."""
    subject = make.resource(**over)
    sent = make.situation(Absent(), resource=subject).parameters_hash
    return replace(subject, status={"attempt": {"id": "attempt-1", "parametersHash": sent}})


class TestAnAttemptIsOpen:
    @pytest.mark.parametrize(
        "over",
        [
            pytest.param({}, id="when it is wanted"),
            pytest.param({"deleted": make.NOW}, id="when it is being deleted"),
            pytest.param({"annotations": make.annotations(paused="true")}, id="when paused"),
            pytest.param({"spec": OBSERVE_ONLY}, id="when it is only observed by now"),
        ],
    )
    def test_its_outcome_is_found_out_first(self, over: dict[str, Any]) -> None:
        step = decide(Uncertain(), resource=attempted(**over))
        assert reason(step) is Reason.CONFIRMING_ABSENCE

    @pytest.mark.parametrize(
        ("why", "over", "expected"),
        [
            pytest.param(Reason.NAME_TAKEN, {}, Reason.NAME_TAKEN, id="a name"),
            pytest.param(Reason.AWS_CONFLICT, {}, Reason.AWS_CONFLICT, id="a conflict"),
            pytest.param(Reason.ACCESS_DENIED, {}, Reason.CONFIRMING_ABSENCE, id="of before"),
            pytest.param(
                Reason.NAME_TAKEN,
                {"deleted": make.NOW},
                Reason.CONFIRMING_ABSENCE,
                id="when it is being deleted",
            ),
        ],
    )
    def test_r_11_a_conflict_is_told_while_its_outcome_is_found_out(
        self, why: Reason, over: dict[str, Any], expected: Reason
    ) -> None:
        refusal = Refusal(why, "said")
        assert reason(decide(Uncertain(), resource=attempted(**over), refusal=refusal)) is expected

    @pytest.mark.parametrize(
        ("unsent", "edited", "expected"),
        [
            pytest.param(True, False, Resend(), id="the same call is sent again without a write"),
            pytest.param(True, True, Create(), id="another call is another attempt"),
            pytest.param(
                False, False, Create(), id="what was proved by looking alone is another attempt"
            ),
        ],
    )
    def test_what_made_nothing_is_sent_again(
        self, *, unsent: bool, edited: bool, expected: Step
    ) -> None:
        subject = attempted()
        if edited:
            subject = replace(subject, spec={"color": "blue"})
        assert decide(Disproved(unsent), resource=subject) == expected

    @pytest.mark.parametrize(
        "over",
        [
            pytest.param({"deleted": make.NOW}, id="being deleted"),
            pytest.param({"annotations": make.annotations(paused="true")}, id="paused"),
            pytest.param({"spec": OBSERVE_ONLY}, id="only observed"),
        ],
    )
    @pytest.mark.parametrize("unsent", [False, True])
    def test_what_is_not_wanted_any_more_is_not_sent_again(
        self, *, over: dict[str, Any], unsent: bool
    ) -> None:
        assert decide(Disproved(unsent), resource=attempted(**over)) == Discard()

    @pytest.mark.parametrize("unsent", [False, True])
    def test_nothing_is_sent_while_what_it_names_is_not_ready(self, *, unsent: bool) -> None:
        """Else the same attempt might be sent with other parameters."""
        lack = Wait(Reason.DEPENDENCY_NOT_READY, "Parent/p is not ready")
        assert decide(Disproved(unsent), resource=attempted(), lack=lack) == Discard()
        assert decide(Absent(), lack=lack) == lack

    def test_what_it_made_is_recorded(self) -> None:
        found = make.present(bound=False)
        assert decide(found, resource=attempted()) == Bind(found)


class TestPauses:
    @pytest.mark.parametrize(
        ("annotations", "expected"),
        [
            pytest.param({}, None, id="nobody asked"),
            pytest.param({"paused": "true"}, "until the annotation is removed", id="for good"),
            pytest.param({"paused": "false"}, None, id="only the word true pauses"),
            pytest.param({"paused_until": LATER}, LATER, id="until a time to come"),
            pytest.param({"paused_until": EARLIER}, None, id="a time gone by is no pause"),
            pytest.param(
                {"paused_until": make.text(make.NOW)}, None, id="the very moment ends the pause"
            ),
            pytest.param(
                {"paused": "true", "paused_until": EARLIER}, "removed", id="the longer one counts"
            ),
            pytest.param(
                {"paused_until": "2026-01-01T13:00:00"},
                "2026-01-01T13:00:00",
                id="a time without a zone is of UTC",
            ),
            pytest.param(
                {"paused_until": "2026-01-01T11:59:59"}, None, id="also one that has gone by"
            ),
            pytest.param(
                {"paused_until": "tomorrow"}, "not a time", id="what is no time pauses, and is told"
            ),
        ],
    )
    def test_a_person_asks_for_quiet(
        self, annotations: dict[str, str], expected: str | None
    ) -> None:
        subject = make.bound(annotations=make.annotations(**annotations))
        step = decide(make.present(), resource=subject)
        if expected is None:
            assert isinstance(step, InSync)
        else:
            assert isinstance(step, Pause)
            assert expected in step.message

    def test_a_pause_knows_when_it_ends_by_itself(self) -> None:
        subject = make.bound(annotations=make.annotations(paused_until=LATER))
        assert decide(make.present(), resource=subject) == Pause(
            f"Paused until {LATER}", make.after(60)
        )

    def test_a_deletion_goes_on_all_the_same(self) -> None:
        subject = make.resource(annotations=make.annotations(paused="true"), deleted=make.NOW)
        assert decide(Absent(), resource=subject) == Release()
