"""What others run at our expense: counted, and told once."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

import make
from cleanrooms_operator.core import charges
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, Key
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import Present

OWN, OTHER, THIRD = make.ACCOUNT, make.OTHER_ACCOUNT, "333333333333"
YES = {"isResponsible": True}
PAYS = {
    "queryCompute": YES,
    "jobCompute": YES,
    "machineLearning": {
        "modelTraining": YES,
        "modelInference": YES,
        "syntheticDataGeneration": YES,
    },
}
TRAINS = {"machineLearning": {"modelTraining": YES}}
CHANNELS, MODELS, JOBS = (view.listing.operation for view in charges.VIEWS)
MEMBERS = "ListMembers"


def run(number: int = 1, payer: str | None = OWN, **more: Any) -> dict[str, Any]:
    """Return a training as the List shows it."""
    named = {} if payer is None else {"mlModelTrainingPayerAccountId": payer}
    return {
        "creatorAccountId": OTHER,
        "name": f"m-{number}",
        "trainedModelArn": f"arn-{number}",
        "status": "CREATE_PENDING",
        "createTime": make.after(number),
        **named,
        **more,
    }


def channel(compute: str | None, synthetic: str | None = None) -> dict[str, Any]:
    named = {"computePayerAccountId": compute, "syntheticDataPayerAccountId": synthetic}
    return {
        **run(),
        "mlInputChannelArn": "arn-c",
        "payerConfiguration": {name: value for name, value in named.items() if value is not None},
    }


def member(account: str, *abilities: str, **more: Any) -> dict[str, Any]:
    return {"accountId": account, "status": "ACTIVE", "abilities": list(abilities), **more}


def shown(pays: Document | None = TRAINS, *abilities: str, **over: Any) -> Present:
    fields: dict[str, Any] = {"collaborationId": "c-1", "memberAbilities": list(abilities)}
    if pays is not None:
        fields["paymentConfiguration"] = pays
    return make.present(state="ACTIVE", details=make.details(fields=fields), **over)


def situation(
    found: Present, glances: Mapping[str, Any] | None = None, *, spec: Any = None, **status: Any
) -> Situation:
    known = {"collaborationIdentifier": "c-1", **status}
    subject = make.bound(key=Key("Membership", "a", "m"), spec=spec or {}, status=known)
    return make.situation(found, resource=subject, glances=glances or {})


def told(found: Present, glances: Mapping[str, Any], **status: Any) -> Any:
    return charges.report(situation(found, glances, **status), found)["charges"]


def trainings(*runs: Document, members: Any = None, **status: Any) -> Any:
    """Return what is told of trainings, where the List shows these."""
    glances = {MODELS: runs, **({} if members is None else {MEMBERS: members})}
    [entry] = told(shown(), glances, **status)
    return entry


def asked(found: Present, glances: Mapping[str, Any] | None = None, **more: Any) -> list[str]:
    """Return the Lists that are asked for in this situation."""
    where = situation(found, glances, **more)
    given = {glance.listing.operation: glance.asked(where, found) for glance in charges.GLANCES}
    assert {str(scope) for scope in given.values() if scope is not None} <= {
        str({"collaborationIdentifier": "c-1"})
    }
    return [operation for operation, scope in given.items() if scope is not None]


AT_REST = make.present(state="ACTIVE", details=None)
KNOWN = {"costType": "modelTraining", "pending": 0, "running": 1, "finished": 2}


class TestAsking:
    def test_each_view_is_asked_for_that_can_show_a_charge(self) -> None:
        assert asked(shown(PAYS)) == [CHANNELS, MODELS, JOBS]
        assert asked(shown(TRAINS)) == [MODELS]

    @pytest.mark.parametrize(
        ("found", "more"),
        [
            pytest.param(shown({}), {}, id="it pays for nothing"),
            pytest.param(shown(None), {}, id="nothing is said of payments"),
            pytest.param(shown({"jobCompute": YES}), {}, id="what it pays for is in no List"),
            pytest.param(shown(TRAINS, "CAN_QUERY"), {}, id="it runs all itself"),
            pytest.param(shown(TRAINS), {"spec": {"charges": "Ignore"}}, id="nobody wants it"),
            pytest.param(make.present(state="REMOVED"), {}, id="it is over"),
            pytest.param(AT_REST, {}, id="nothing was told before"),
        ],
    )
    def test_nothing_is_asked_where_there_is_nothing_to_see(
        self, found: Present, more: dict[str, Any]
    ) -> None:
        assert asked(found, **more) == []

    def test_at_rest_the_status_says_what_to_look_at(self) -> None:
        assert asked(AT_REST, charges=[KNOWN]) == [MODELS]

    def test_a_membership_that_is_being_deleted_asks_nothing(self) -> None:
        found = shown()
        leaving = make.bound(deleted=make.NOW)
        where = make.situation(found, resource=leaving)
        assert [glance.asked(where, found) for glance in charges.GLANCES] == [None] * 4

    def test_members_are_asked_for_where_a_run_does_not_say_who_pays(self) -> None:
        assert MEMBERS in asked(shown(), {MODELS: (run(payer=None),)})
        assert MEMBERS not in asked(shown(), {MODELS: (run(payer=THIRD),)})
        synthetic = shown({"machineLearning": {"syntheticDataGeneration": YES}})
        assert MEMBERS not in asked(synthetic, {CHANNELS: (channel(OWN),)})


class TestCounting:
    def test_nothing_is_told_where_it_pays_for_nothing(self) -> None:
        for found in (shown({}), AT_REST):
            assert charges.report(situation(found), found) == {}
        assert told(shown({}), {}, charges=[{**KNOWN, "running": 0}]) is None

    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            ("CREATE_PENDING", "pending"),
            ("CREATE_IN_PROGRESS", "running"),
            ("CANCEL_IN_PROGRESS", "running"),
            ("A_STATE_OF_LATER", "running"),
            ("ACTIVE", "finished"),
            ("CREATE_FAILED", "finished"),
            ("INACTIVE", "finished"),
        ],
    )
    def test_a_run_is_counted_by_its_state(self, state: str, expected: str) -> None:
        entry = trainings(run(status=state))
        counted = {name: entry[name] for name in ("pending", "running", "finished")}
        assert counted == {"pending": 0, "running": 0, "finished": 0, expected: 1}

    def test_the_latest_come_first_and_are_few(self) -> None:
        entry = trainings(*(run(number) for number in (1, 3, 2, 7, 5, 6, 4)))
        assert [each["name"] for each in entry["latest"]] == ["m-7", "m-6", "m-5", "m-4", "m-3"]
        assert entry["pending"] == 7
        charges.Charges.model_validate(entry)

    def test_a_run_is_told_with_all_that_names_it(self) -> None:
        [latest] = trainings(run(versionIdentifier="v-1"))["latest"]
        assert latest == {
            "accountId": OTHER,
            "kind": "TrainedModel",
            "name": "m-1",
            "arn": "arn-1",
            "versionIdentifier": "v-1",
            "state": "CREATE_PENDING",
            "startTime": make.text(make.after(1)),
        }

    def test_own_runs_and_those_that_others_pay_are_not_counted(self) -> None:
        entry = trainings(run(creatorAccountId=OWN), run(payer=THIRD))
        assert entry == {**KNOWN, "running": 0, "finished": 0}

    def test_a_channel_can_cost_twice_and_both_are_told(self) -> None:
        found = told(shown(PAYS), {CHANNELS: (channel(OWN, OWN),), MODELS: (), JOBS: ()})
        counted = {entry["costType"]: entry.get("pending") for entry in found}
        assert counted == {
            "queryCompute": 1,
            "jobCompute": None,
            "modelTraining": 0,
            "modelInference": 0,
            "syntheticDataGeneration": 1,
        }

    def test_a_channel_that_names_no_payer_of_synthetic_data_has_none(self) -> None:
        found = told(
            shown({"machineLearning": {"syntheticDataGeneration": YES}}),
            {CHANNELS: (channel(OWN),)},
        )
        assert found[0]["pending"] == 0

    def test_what_runs_is_told_though_no_more_is_accepted(self) -> None:
        found = told(shown({}), {MODELS: (run(),)}, charges=[KNOWN])
        assert [entry["costType"] for entry in found] == ["modelTraining"]


class TestWhoPays:
    """R-19: an absent payer is inferred where there is one candidate, else unknown."""

    def test_the_only_candidate(self) -> None:
        members = (member(OWN, paymentConfiguration=TRAINS), member(OTHER, "CAN_QUERY"))
        entry = trainings(run(payer=None), members=members)
        assert entry["pending"] == 1
        assert entry["latest"][0]["inferred"] is True

    def test_one_of_several_candidates(self) -> None:
        members = [member(each, paymentConfiguration=TRAINS) for each in (OWN, OTHER)]
        entry = trainings(run(payer=None), members=members)
        assert (entry["pending"], entry["unknown"]) == (0, 1)
        assert "latest" not in entry

    def test_no_candidate(self) -> None:
        members = (member(OWN), member(OTHER, "CAN_QUERY"))
        assert trainings(run(payer=None), members=members) == {**KNOWN, "running": 0, "finished": 0}

    def test_nobody_can_tell_where_members_cannot_be_seen(self) -> None:
        [entry] = told(shown(), {MODELS: (run(payer=None),), MEMBERS: None})
        assert entry["unknown"] == 1


class TestWhatCannotBeSeen:
    def test_queries_jobs_and_older_versions_are_said_to_be_missing(self) -> None:
        seen = {CHANNELS: (), MODELS: (run(versionIdentifier="v-1"),), JOBS: ()}
        unseen = {entry["costType"]: entry.get("unseen") for entry in told(shown(PAYS), seen)}
        assert unseen == {
            **charges.UNSEEN,
            "modelTraining": charges.UNSEEN_VERSIONS,
            "modelInference": None,
            "syntheticDataGeneration": None,
        }

    def test_what_was_seen_before_stands_where_nothing_answers(self) -> None:
        assert told(shown(), {}, charges=[KNOWN]) == [KNOWN]

    def test_what_was_seen_before_stands_where_candidates_are_not_told(self) -> None:
        assert told(shown(), {MODELS: (run(payer=None),)}, charges=[KNOWN]) == [KNOWN]

    def test_before_the_first_answer_there_is_no_number(self) -> None:
        assert told(shown(), {}) == [{"costType": "modelTraining", "unseen": "Not seen yet"}]

    def test_a_view_that_is_closed_is_said_to_be(self) -> None:
        [entry] = told(shown(), {MODELS: None}, charges=[KNOWN])
        assert entry == {**KNOWN, "unseen": entry["unseen"]}
        assert entry["unseen"].startswith(f"AWS denies {MODELS}")


def news(before: Any, after: Any) -> list[str]:
    given = [{} if status is None else {"charges": status} for status in (before, after)]
    found = charges.news(*given)
    assert {reason for reason, _ in found} <= {Reason.RUN_CHARGED}
    return [message for _, message in found]


def status(*runs: Document) -> Any:
    return [trainings(*runs)]


class TestNews:
    def test_a_run_that_was_not_there_before_is_news_once(self) -> None:
        before, after = status(), status(run())
        [message] = news(before, after)
        assert message == (
            f"Account {OTHER} started TrainedModel 'm-1' at {make.text(make.after(1))}; "
            "this account pays for it (modelTraining)"
        )
        assert news(after, after) == []
        assert news(after, status(run(status="ACTIVE"))) == []

    def test_nothing_is_news_where_nothing_is_told(self) -> None:
        assert news(status(run()), None) == []

    def test_what_had_ended_before_the_first_look_is_none(self) -> None:
        assert len(news(None, status(run(1), run(2, status="ACTIVE")))) == 1
        unseen = [{"costType": "modelTraining", "unseen": "Not seen yet"}]
        assert len(news(unseen, status(run(1), run(2, status="ACTIVE")))) == 1

    def test_what_ended_between_two_looks_is(self) -> None:
        assert len(news(status(), status(run(status="ACTIVE")))) == 1

    def test_one_that_costs_twice_is_told_once(self) -> None:
        found = shown(PAYS)
        nothing: dict[str, Any] = {CHANNELS: (), MODELS: (), JOBS: ()}
        before = told(found, nothing)
        after = told(found, {**nothing, CHANNELS: (channel(OWN, OWN),)})
        [message] = news(before, after)
        assert "(queryCompute, syntheticDataGeneration)" in message

    def test_one_that_shows_up_late_is_news_too(self) -> None:
        assert len(news(status(run(2)), status(run(1), run(2)))) == 1

    def test_older_ones_that_come_back_into_view_are_none(self) -> None:
        """The newest was charged to us by inference alone, and is not any more."""
        runs = [run(number) for number in range(1, 8)]
        assert news(status(*runs), status(*runs[:-1])) == []

    def test_more_than_are_listed_are_told_as_a_number(self) -> None:
        runs = [run(number) for number in range(1, 9)]
        for before in (None, status()):
            *each, rest = news(before, status(*runs))
            assert len(each) == charges.MOST
            assert rest == (
                "3 more runs have been started that this account pays for (modelTraining)"
            )
        assert len(news(status(*runs[:3]), status(*runs))) == 5

    def test_times_of_one_second_are_told_apart(self) -> None:
        second = run(2, createTime=make.after(1) + timedelta(milliseconds=1))
        [message] = news(status(run(1)), status(run(1), second))
        assert "'m-2'" in message
