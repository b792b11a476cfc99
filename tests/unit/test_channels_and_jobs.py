"""What a channel and an inference job say of themselves, case by case."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

import make
from cleanrooms_operator.core import channels, jobs
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import Present
from cleanrooms_operator.kinds import inference_job, ml_input_channel

BEGUN, UPDATED = make.after(-600), make.after(-30)
MEMBERSHIP_ID, COLLABORATION = "membership-1", "collaboration-1"


def shown(state: str, **fields: Any) -> Present:
    """Return a channel in a state, read in detail."""
    answer = {
        "createTime": BEGUN,
        "updateTime": UPDATED,
        "retentionInDays": 3,
        "collaborationIdentifier": COLLABORATION,
        **fields,
    }
    return make.present(state=state, details=make.details(fields=answer))


def told(found: Present, subject: Resource | None = None) -> Any:
    return channels.report(make.situation(found, resource=subject), found)


class TestChannels:
    def test_what_was_not_read_tells_nothing(self) -> None:
        assert told(make.present(details=None)) == {}

    def test_one_that_is_made_tells_when_it_began_and_what_it_cannot_outlast(self) -> None:
        """R-24: the earliest end counts from the beginning (ER-21)."""
        assert told(shown("CREATE_PENDING")) == {
            "startTime": "2026-01-01T11:50:00Z",
            "collaborationIdentifier": COLLABORATION,
            "expiresAt": "2026-01-04T11:50:00Z",
        }

    def test_one_that_is_there_tells_what_it_holds_and_who_paid(self) -> None:
        held = {
            "numberOfRecords": 7,
            "numberOfFiles": 2.0,
            "sizeInGb": 0.5,
            "protectedQueryIdentifier": "query-1",
        }
        payers = {
            "computePayerAccountId": make.ACCOUNT,
            "syntheticDataPayerAccountId": make.OTHER_ACCOUNT,
        }
        status = told(shown("ACTIVE", payerConfiguration=payers, **held))
        assert held.items() <= status.items()
        assert status["completionTime"] == "2026-01-01T11:59:30Z"
        assert (status["payer"], status["syntheticDataPayer"]) == (
            make.ACCOUNT,
            make.OTHER_ACCOUNT,
        )

    @pytest.mark.parametrize("ends", [{}, {"endTime": BEGUN + timedelta(days=1)}])
    def test_budgets_are_told_as_aws_gives_them(self, ends: dict[str, datetime]) -> None:
        period = {"budget": 3, "remainingBudget": 1, "budgetType": "LIFETIME"}
        budget = {"resourceArn": "table", "aggregateRemainingBudget": 1}
        shape = {"accessBudgets": [{**budget, "details": [{**period, "startTime": BEGUN, **ends}]}]}
        [found] = told(shown("ACTIVE", privacyBudgets=shape))["privacyBudgets"]
        times = {"startTime": "2026-01-01T11:50:00Z"}
        times |= {"endTime": "2026-01-02T11:50:00Z"} if ends else {}
        assert found == {**budget, "details": [{**period, **times}]}

    @pytest.mark.parametrize("scores", [None, [{"attackVersion": "A", "score": 0.5}]])
    def test_synthetic_data_tells_how_well_it_hides(self, scores: list[Any] | None) -> None:
        made = {"epsilon": 1.0, "maxMembershipInferenceAttackScore": 0.75}
        shape: dict[str, Any] = {"syntheticDataParameters": {**made, "columnClassification": {}}}
        attacks = {} if scores is None else {"membershipInferenceAttackScores": scores}
        if scores is not None:
            shape["syntheticDataEvaluationScores"] = {"dataPrivacyScores": attacks}
        status = told(shown("ACTIVE", syntheticDataConfiguration=shape))
        assert status["syntheticData"] == {**made, **attacks}

    def test_its_status_has_all_that_is_told(self) -> None:
        names = {info.alias for info in channels.ChannelStatus.model_fields.values()}
        assert told(shown("ACTIVE")).keys() <= names

    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            ("CREATE_PENDING", []),
            ("ACTIVE", []),
            ("CREATE_FAILED", [("Failed", "True", "InputChannelFailed")]),
            ("INACTIVE", [("Expired", "True", "Expired")]),
        ],
    )
    def test_its_end_is_a_condition(self, state: str, expected: list[tuple[str, str, str]]) -> None:
        """R-36: expiry is no failure."""
        found = shown(state)
        facts = ml_input_channel.KIND.facts(make.situation(found), found)
        assert [(fact.type, fact.status, fact.reason.value) for fact in facts] == expected


def membership(account: str, uri: str | None = None, **status: Any) -> Resource:
    """Return a Membership of the collaboration, with that place for output."""
    location = {} if uri is None else {"destination": {"s3Destination": {"s3Uri": uri}}}
    return make.resource(
        key=Key("Membership", account, "member"),
        spec={"mlConfiguration": {"defaultOutputLocation": location}},
        status={"accountID": account, "collaborationIdentifier": COLLABORATION, **status},
    )


OWN = membership(make.ACCOUNT, identifier=MEMBERSHIP_ID)
MODEL = make.resource(key=Key("TrainedModel", "a", "churn"), spec={}, status={"arn": "model-1"})


def job(**fields: Any) -> Present:
    answer = {
        "createTime": BEGUN,
        "updateTime": UPDATED,
        "name": "score",
        "membershipIdentifier": MEMBERSHIP_ID,
        "trainedModelArn": "model-1",
        "outputConfiguration": {"members": [{"accountId": make.OTHER_ACCOUNT}]},
        **fields,
    }
    return make.present(state="ACTIVE", details=make.details(fields=answer))


def situation(*neighbours: Resource) -> Situation:
    known: dict[str, tuple[Resource, ...]] = {}
    for each in neighbours:
        known[each.key.kind] = (*known.get(each.key.kind, ()), each)
    return replace(make.situation(job()), neighbours=known)


class TestJobs:
    def test_what_was_not_read_tells_nothing(self) -> None:
        found = make.present(details=None)
        assert jobs.report(make.situation(found), found) == {}

    def test_it_tells_who_pays_and_who_receives(self) -> None:
        found = job(mlModelInferencePayerAccountId=make.ACCOUNT, metricsStatus="PUBLISH_FAILED")
        status = jobs.report(situation(), found)
        assert status["payer"] == make.ACCOUNT
        assert status["receiver"] == make.OTHER_ACCOUNT
        assert status["metricsStatus"] == "PUBLISH_FAILED"
        assert status["completionTime"] == "2026-01-01T11:59:30Z"
        assert status.keys() <= {i.alias for i in jobs.JobStatus.model_fields.values()}

    @pytest.mark.parametrize(
        ("neighbours", "expected"),
        [
            pytest.param(
                (OWN, MODEL, membership(make.OTHER_ACCOUNT, "s3://out/")),
                f"s3://out/{COLLABORATION}/churn/{make.ACCOUNT}/score",
                id="the receiver's configuration is declared here",
            ),
            pytest.param(
                (OWN, MODEL, membership(make.OTHER_ACCOUNT)),
                f"{COLLABORATION}/churn/{make.ACCOUNT}/score",
                id="it names no destination",
            ),
            pytest.param(
                (
                    OWN,
                    replace(MODEL, spec={"name": "The model"}),
                    membership(make.OTHER_ACCOUNT, "s3://x", collaborationIdentifier="another"),
                ),
                f"{COLLABORATION}/The model/{make.ACCOUNT}/score",
                id="it is that of another collaboration",
            ),
            pytest.param(
                (replace(MODEL, status={"arn": "model-1", "versionIdentifier": "v"}),),
                f"<collaboration>/<trained model>/{make.ACCOUNT}/score",
                id="nothing of it is declared here",
            ),
        ],
    )
    def test_r_25_its_output_is_told_as_far_as_it_can_be_seen(
        self, neighbours: tuple[Resource, ...], expected: str
    ) -> None:
        assert jobs.report(situation(*neighbours), job())["outputLocation"] == expected

    def test_its_end_is_told(self) -> None:
        found = job()
        facts = inference_job.KIND.facts(make.situation(found), found)
        assert [fact.type for fact in facts] == ["Succeeded", "Failed"]
