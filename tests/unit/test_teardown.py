"""What has to happen before a finalizer may go, case by case."""

from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core import teardown
from cleanrooms_operator.core.decide import next_step
from cleanrooms_operator.core.ownership import RELEASED, Claim
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Resource
from cleanrooms_operator.core.step import (
    Absent,
    Apply,
    Bind,
    Blocker,
    Change,
    Clash,
    Delete,
    Hidden,
    Lifecycle,
    Mark,
    Missing,
    Observed,
    Present,
    Release,
    Stall,
    Step,
    Wait,
)

RETAIN = {"deletionPolicy": "Retain"}
OBSERVE_ONLY = {"managementPolicy": "ObserveOnly"}
ABANDON = make.annotations(abandon="true")
MARKED = make.details({RELEASED: "true"})
PART = Change("cleanrooms", "DeletePart", {})


def doomed(**over: Any) -> Resource:
    """Return a recorded Thing whose deletion was asked for a minute ago."""
    return make.bound(**{"deleted": make.after(-60)} | over)


def decide(observed: Observed, kind: dict[str, Any] | None = None, **over: Any) -> Step:
    over = {"resource": doomed()} | over
    return next_step(make.kind(**kind or {}), make.situation(observed, **over))


def blocked_by(*blockers: Blocker, part: Change | None = None) -> dict[str, Any]:
    """Return what makes a kind name these blockers, and that part to be deleted first."""
    return {"blockers": lambda *_: blockers, "dismantle": lambda *_: part}


class TestTheObjectStays:
    def test_what_is_retained_keeps_everything_even_its_tags(self) -> None:
        """R-3: never a mark under Retain."""
        step = decide(make.present(), resource=doomed(spec=RETAIN))
        assert isinstance(step, Release)
        assert step.reason is Reason.RETAINED
        assert make.ARN in step.message

    @pytest.mark.parametrize(
        "subject",
        [
            pytest.param(make.resource(spec=RETAIN, deleted=make.NOW), id="nothing was ever made"),
            pytest.param(doomed(spec=OBSERVE_ONLY), id="it was only observed"),
        ],
    )
    def test_there_is_nothing_to_tell(self, subject: Resource) -> None:
        assert decide(make.present(), resource=subject) == Release()

    @pytest.mark.parametrize("claim", [Claim.OTHER, Claim.ELSEWHERE])
    def test_what_carries_anothers_tags_is_not_deleted(self, claim: Claim) -> None:
        step = decide(make.present(claim=claim))
        assert isinstance(step, Release)
        assert step.reason is Reason.RETAINED

    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(make.present(), id="what is shown"),
            pytest.param(make.present(bound=False), id="what was found"),
            pytest.param(Hidden("no", 0), id="what cannot be seen"),
            pytest.param(
                Clash(Reason.ADOPTION_CONFLICT, "2", ours=True), id="what may not be touched"
            ),
        ],
    )
    def test_a_person_may_abandon(self, observed: Observed) -> None:
        step = decide(observed, resource=doomed(annotations=ABANDON))
        assert isinstance(step, Release)
        assert step.reason is Reason.ABANDONED
        assert make.ARN in step.message

    def test_what_was_never_recorded_is_abandoned_without_an_arn(self) -> None:
        subject = make.resource(deleted=make.NOW, annotations=ABANDON)
        step = decide(Hidden("no", 0), resource=subject)
        assert isinstance(step, Release)
        assert "could not be seen" in step.message

    def test_only_the_word_true_abandons(self) -> None:
        subject = doomed(annotations=make.annotations(abandon="yes"))
        assert isinstance(decide(Hidden("no", 0), resource=subject), Stall)


class TestNoObjectIsShown:
    @pytest.mark.parametrize(
        ("observed", "expected"),
        [
            pytest.param(Absent(), Release(), id="nothing was made"),
            pytest.param(
                Missing("id-1", proved=True),
                Release(Reason.DELETED, "id-1 is gone"),
                id="it is gone for certain",
            ),
            pytest.param(
                Missing("id-1", proved=False),
                Wait(Reason.DELETING, "Making certain that id-1 is gone"),
                id="one look proves nothing (R-9)",
            ),
            pytest.param(
                Hidden("AccessDenied: no", 0),
                Stall(
                    Reason.DELETION_BLOCKED, "AWS does not let us see the object: AccessDenied: no"
                ),
                id="a denial never proves absence",
            ),
            pytest.param(
                Clash(Reason.ADOPTION_CONFLICT, "two of them", ours=True),
                Stall(Reason.DELETION_BLOCKED, "two of them"),
                id="one of them is perhaps ours",
            ),
            pytest.param(
                Clash(Reason.ADOPTION_CONFLICT, "made by hand"),
                Release(),
                id="what was never adopted is not ours to delete (R-35)",
            ),
            pytest.param(
                Clash(Reason.OWNED_ELSEWHERE, "another cluster's"),
                Release(),
                id="what another cluster made is not ours to delete (R-2)",
            ),
        ],
    )
    def test_it_is_proved_gone_or_held(self, observed: Observed, expected: Step) -> None:
        assert decide(observed) == expected


class TestTheObjectIsTakenDown:
    def test_what_is_found_is_recorded_first(self) -> None:
        found = make.present(bound=False)
        assert decide(found) == Bind(found)

    def test_what_an_attempt_made_is_recorded_first_whatever_became_of_its_tags(self) -> None:
        found = make.present(bound=False, claim=Claim.NOBODY)
        subject = doomed(status={"attempt": {"id": "x"}})
        assert decide(found, resource=subject) == Bind(found)

    @pytest.mark.parametrize("claim", [Claim.NOBODY, Claim.OTHER, Claim.RELEASED])
    def test_r_35_what_was_named_and_never_adopted_stays(self, claim: Claim) -> None:
        found = make.present(bound=False, claim=claim)
        assert decide(found, resource=make.resource(deleted=make.NOW)) == Release()

    @pytest.mark.parametrize("state", ["LIVE", "BROKEN", "MAKING"])
    def test_the_mark_comes_first_whatever_the_state(self, state: str) -> None:
        """R-3: before the first cancel or delete call, and where none is due as the last act."""
        found = make.present(state=state)
        assert decide(found) == Mark(found)

    def test_what_was_not_read_may_lack_the_mark(self) -> None:
        found = make.present(details=None)
        assert decide(found) == Mark(found)

    @pytest.mark.parametrize(
        ("lifecycle", "expected"),
        [
            (Lifecycle.READY, Delete),
            (Lifecycle.FAILED, Delete),
            (Lifecycle.CHANGING, Wait),
            (Lifecycle.GONE, Release),
            (Lifecycle.DONE, Release),
        ],
    )
    @pytest.mark.parametrize(
        "over",
        [
            pytest.param({"observed": make.present(details=MARKED)}, id="marked"),
            pytest.param({"unmarkable": True}, id="unmarkable"),
        ],
    )
    def test_then_the_state_decides(
        self, lifecycle: Lifecycle, expected: type[Step], over: dict[str, Any]
    ) -> None:
        """R-3: a mark that AWS does not let us set never holds the finalizer."""
        over = dict(over)
        found = replace(over.pop("observed", make.present()), lifecycle=lifecycle)
        step = decide(found, **over)
        assert isinstance(step, expected)
        if isinstance(step, Wait):
            assert (step.reason, step.present) == (Reason.DELETING, found)
        if isinstance(step, Release):
            assert step.reason is Reason.DELETED

    def test_parts_go_before_the_whole(self) -> None:
        found = make.present()
        assert decide(found, blocked_by(part=PART)) == Apply(PART, found)

    def test_parts_go_though_the_whole_is_blocked(self) -> None:
        found = make.present()
        assert decide(found, blocked_by(Blocker("wait"), part=PART)) == Apply(PART, found)

    def test_nothing_goes_before_a_person_agrees(self) -> None:
        blockers = (Blocker("somebody joins"), Blocker("nobody agreed", first=True))
        assert decide(make.present(), blocked_by(*blockers, part=PART)) == Wait(
            Reason.DELETION_BLOCKED, "somebody joins; nobody agreed", make.present()
        )

    def test_blockers_are_all_told(self) -> None:
        step = decide(make.present(details=MARKED), blocked_by(Blocker("one"), Blocker("two")))
        assert isinstance(step, Wait)
        assert (step.reason, step.message) == (Reason.DELETION_BLOCKED, "one; two")

    def test_what_stays_for_good_lets_its_resource_go(self) -> None:
        keeps = Blocker("The whole is retained", first=True, retains=True)
        step = decide(make.present(), blocked_by(keeps, part=PART))
        assert isinstance(step, Release)
        assert step.reason is Reason.RETAINED
        assert "The whole is retained" in step.message


class TestTheObjectIsDead:
    """R-38: under a membership that is not active AWS may refuse its deletion for ever."""

    @staticmethod
    def dead(seconds: float, state: str = "BROKEN") -> tuple[Present, Resource]:
        found = make.present(state=state, details=MARKED)
        return found, doomed(deleted=make.after(-seconds), status={"state": state})

    def test_its_resource_goes_after_a_limit(self) -> None:
        found, subject = self.dead(3601)
        step = decide(found, resource=subject)
        assert isinstance(step, Release)
        assert step.reason is Reason.GIVEN_UP
        assert make.ARN in step.message

    def test_until_then_it_is_tried(self) -> None:
        found, subject = self.dead(3600)
        assert decide(found, resource=subject) == Delete(found, "DeleteThing")

    def test_a_process_that_was_down_tries_first(self) -> None:
        found, subject = self.dead(9999)
        assert decide(found, resource=subject, watched=3600.0) == Delete(found, "DeleteThing")

    def test_what_is_alive_is_never_given_up(self) -> None:
        found, subject = self.dead(9999, "LIVE")
        assert decide(found, resource=subject) == Delete(found, "DeleteThing")


class TestAWSCannotBeAsked:
    """The identity is broken, or an error stands in the way."""

    @pytest.mark.parametrize(
        ("subject", "reason"),
        [
            pytest.param(doomed(annotations=ABANDON), Reason.ABANDONED, id="a person abandons it"),
            pytest.param(
                doomed(annotations=ABANDON, status={"attempt": {"id": "x"}}),
                Reason.ABANDONED,
                id="also with an attempt whose outcome nobody can find out",
            ),
            pytest.param(doomed(spec=RETAIN), Reason.RETAINED, id="the object is to stay anyway"),
            pytest.param(doomed(spec=OBSERVE_ONLY), None, id="it was only observed"),
        ],
    )
    def test_the_resource_goes_where_nothing_is_to_be_done(
        self, subject: Resource, reason: Reason | None
    ) -> None:
        step = teardown.without_aws(subject)
        assert step is not None
        assert step.reason is reason
        if reason is not None:
            assert make.ARN in step.message

    @pytest.mark.parametrize(
        "subject",
        [
            pytest.param(doomed(), id="there is an object to delete"),
            pytest.param(
                doomed(spec=RETAIN, status={"attempt": {"id": "x"}}),
                id="it is not known yet what is to stay",
            ),
            pytest.param(make.bound(annotations=ABANDON), id="it is wanted"),
            pytest.param(make.bound(spec=RETAIN), id="it is wanted, and to stay"),
        ],
    )
    def test_otherwise_it_is_held(self, subject: Resource) -> None:
        assert teardown.without_aws(subject) is None
