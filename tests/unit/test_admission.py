"""What is asked of AWS and of the cluster before a run may start (rules R-22, R-26)."""

from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core.failure import Failure
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.quotas import CHANNEL, MODEL, Limits
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.core.step import Create, Discard, Step, Wait
from cleanrooms_operator.kinds import BY_NAME
from cleanrooms_operator.runtime.admission import admitted
from cleanrooms_operator.runtime.starts import Starts
from scripted import Desk, desk, view

M5 = "ml.m5.2xlarge"
TEMPLATES = "ListCollaborationAnalysisTemplates"
TEMPLATE = {"arn": "template-1", "creatorAccountId": "2" * 12, "name": "t", "isSyntheticData": True}


def of(kind: str, name: str, spec: dict[str, Any], **status: Any) -> Resource:
    key = Key(kind, "a", name)
    return replace(make.resource(), key=key, spec=spec, status=status, annotations={})


def membership(identifier: str) -> Resource:
    where = {"accountID": make.ACCOUNT, "region": make.REGION, "identifier": identifier}
    condition = {"type": "Ready", "status": "True", "observedGeneration": make.GENERATION}
    status = {**where, "collaborationIdentifier": f"c-{identifier}", "conditions": [condition]}
    return of("Membership", identifier, {}, **status)


def model(name: str, **status: Any) -> Resource:
    resources = {"instanceType": M5, "volumeSizeInGB": 1}
    given = {"membershipIdentifier": "m-1", "resourceConfig": resources, "dataChannels": []}
    return of(MODEL, name, given, **status)


def channel(name: str, template: str | None = "template-1", **status: Any) -> Resource:
    query = {"queryString": "SELECT 1"} if template is None else {"analysisTemplateArn": template}
    source = {"protectedQueryInputParameters": {"sqlParameters": query}}
    given = {"membershipIdentifier": "m-1", "inputChannel": {"dataSource": source, "roleArn": "r"}}
    return of(CHANNEL, name, given, **status)


def running(**more: Any) -> dict[str, Any]:
    where = {"accountID": make.ACCOUNT, "region": make.REGION, "membershipIdentifier": "m-1"}
    return {**where, "identifier": "own", "state": "CREATE_PENDING", **more}


def training(arn: str, status: str = "CREATE_IN_PROGRESS") -> dict[str, Any]:
    return {"trainedModelArn": arn, "status": status, "name": arn}


def desk_with(*resources: Resource, limits: Limits | None = None) -> Desk:
    at = desk(*resources, quotas=limits or Limits())
    at.aws.lists |= {"ListTrainedModels": [], "ListMLInputChannels": [], TEMPLATES: [TEMPLATE]}
    return at


async def admit(at: Desk, resource: Resource, starts: Starts | None = None) -> Step:
    kind: Kind = BY_NAME[resource.key.kind]
    looked_at = view(at, resource, kind)
    return await admitted(looked_at, Create(), starts or Starts())


def told(step: Step) -> str:
    assert isinstance(step, Wait)
    assert step.reason is Reason.QUEUED_FOR_QUOTA
    return step.message


async def test_a_kind_without_quotas_and_an_open_attempt_are_not_held_up() -> None:
    at = desk_with(limits=Limits(trainings=0))
    assert await admit(at, membership("m-1")) == Create()
    assert await admit(at, model("one", attempt={"id": "x"})) == Create()
    assert "trainings under way" in told(await admit(at, model("one")))


async def test_r_20_an_open_attempt_is_given_up_where_nothing_more_may_be_spent() -> None:
    """It has its slot of AWS's quotas, but what a Membership lets be spent is counted anew."""
    once = {"spending": {"modelTraining": {"maxConcurrent": 1}}}
    at = desk_with(replace(membership("m-1"), spec=once), limits=Limits(trainings=0))
    tried = model("one", attempt={"id": "x"})
    assert await admit(at, tried) == Create()
    view(at, model("two", **running()))
    assert await admit(at, tried) == Discard()


async def test_a_training_of_others_is_read_once_and_weighed() -> None:
    at, starts = desk_with(membership("m-1")), Starts()
    at.aws.lists["ListTrainedModels"] = [training("foreign"), training("past", "ACTIVE")]
    resources = {"instanceType": M5, "instanceCount": 3}
    at.aws.answers["GetTrainedModel"] = {"resourceConfig": resources}
    for _ in range(2):
        assert "of type ml.m5.2xlarge is full" in told(await admit(at, model("one"), starts))
    assert len(at.aws.sent("GetTrainedModel")) == 1


async def test_a_training_that_cannot_be_read_is_counted_as_one() -> None:
    at = desk_with(membership("m-1"), limits=Limits(trainings=1))
    at.aws.lists["ListTrainedModels"] = [training("foreign")]
    at.aws.answers["GetTrainedModel"] = make.error(Failure.DENIED)
    assert "trainings under way in the account" in told(await admit(at, model("one")))


@pytest.mark.parametrize("failure", [Failure.UNAVAILABLE, Failure.THROTTLED])
async def test_where_aws_does_not_answer_nothing_is_concluded(failure: Failure) -> None:
    at = desk_with(membership("m-1"))
    at.aws.lists["ListTrainedModels"] = [training("foreign")]
    at.aws.answers["GetTrainedModel"] = make.error(failure)
    with pytest.raises(type(make.error(failure))):
        await admit(at, model("one"))
    at.aws.lists["ListTrainedModels"] = make.error(failure)  # type: ignore[assignment]  # raised
    with pytest.raises(type(make.error(failure))):
        await admit(at, model("one"))


async def test_what_another_role_may_not_list_is_left_out() -> None:
    at = desk_with(membership("m-1"))
    at.aws.lists["ListTrainedModels"] = make.error(Failure.DENIED)  # type: ignore[assignment]  # raised
    assert await admit(at, model("one")) == Create()


async def test_what_is_about_to_start_is_reserved_until_it_shows() -> None:
    at, starts = desk_with(membership("m-1"), limits=Limits(trainings=1)), Starts()
    assert await admit(at, model("one"), starts) == Create()
    assert await admit(at, model("one"), starts) == Create()
    told(await admit(at, model("two"), starts))
    view(at, model("one", **running(attempt={"id": "x"})))
    told(await admit(at, model("two"), starts))
    view(at, model("one", **running(state="ACTIVE")))
    starts.concluded(Key(MODEL, "a", "one"), Create(), 0.0)
    assert await admit(at, model("two"), starts) == Create()


async def test_the_oldest_comes_first_unless_it_was_turned_away() -> None:
    at, starts = desk_with(membership("m-1"), limits=Limits(trainings=1)), Starts()
    first, second = model("a-first"), model("b-second")
    view(at, first)
    told(await admit(at, second, starts))
    view(at, replace(first, deleted=make.NOW))
    assert await admit(at, second, Starts()) == Create()
    view(at, first)
    starts.failed(first.key, 0.0)
    assert await admit(at, second, starts) == Create()


async def test_what_was_told_is_told_again_while_it_is_true() -> None:
    """R-23: quotas that are full by turns are no news."""
    limits = Limits(trainings=0, membership_trainings=0)
    before = "The quota of 0 trainings under way in the account is full"
    before = f"It needs 1 of {before.removeprefix('The quota of 0 ').removesuffix(' is full')}"
    condition = {"type": "Ready", "status": "False", "reason": "QueuedForQuota"}
    shown = {**condition, "message": f"{before}, but the quota is 0", "observedGeneration": 3}
    at = desk_with(membership("m-1"), limits=limits)
    assert told(await admit(at, model("one", conditions=[shown]))) == shown["message"]
    assert "membership" in told(await admit(at, model("one")))


class TestSyntheticData:
    """R-26: one List a collaboration decides."""

    async def test_its_channels_are_counted(self) -> None:
        at = desk_with(membership("m-1"), limits=Limits(synthetic_channels=1))
        assert await admit(at, channel("one")) == Create()
        view(at, channel("other", **running()))
        assert "synthetic" in told(await admit(at, channel("one")))
        assert {name for name, _ in at.aws.sightings} == {"ListMLInputChannels", TEMPLATES}

    async def test_those_of_others_are_read(self) -> None:
        at = desk_with(membership("m-1"), limits=Limits(synthetic_channels=1))
        shown = {"mlInputChannelArn": "foreign", "status": "CREATE_PENDING"}
        at.aws.lists["ListMLInputChannels"] = [shown]
        at.aws.answers["GetMLInputChannel"] = {"syntheticDataConfiguration": {"x": 1}}
        assert "synthetic" in told(await admit(at, channel("one")))

    async def test_a_query_of_its_own_or_an_unseen_template_is_none(self) -> None:
        at = desk_with(membership("m-1"), limits=Limits(synthetic_channels=0))
        assert await admit(at, channel("one", None)) == Create()
        assert TEMPLATES not in {name for name, _ in at.aws.sightings}
        assert await admit(at, channel("one", "unseen")) == Create()

    async def test_aws_tells_the_collaboration_of_a_membership_that_is_not_declared(self) -> None:
        at = desk_with(membership("m-2"), limits=Limits(synthetic_channels=0))
        at.aws.answers["GetMembership"] = {"membership": {"collaborationId": "c-1"}}
        assert "synthetic" in told(await admit(at, channel("one")))
