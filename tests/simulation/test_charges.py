"""What a member is told of the runs that others start at its expense (rule R-19)."""

from collections import Counter
from functools import cache
from typing import Any

import pytest

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.rules import Rules
from cleanrooms_operator.core import charges
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document
from simulation import specs, trainings
from simulation.specs import COLLABORATION, CREATOR, CREATORS, PARTNER, PARTNERS
from simulation.world import World

INTERVAL = 600.0
VIEWS = {view.listing.operation for view in charges.VIEWS}
YES = {"isResponsible": True}
INPUT = {"protectedQueryInputParameters": {"sqlParameters": {"queryString": "SELECT 1"}}}
IDLE = {"pending": 0, "running": 0, "finished": 0}


@cache
def _base(rules: Rules | None = None) -> World:
    """Return a world at rest: A pays, B alone can query."""
    world = World(rules=rules)
    specs.walkthrough(world)
    world.settle()
    return world


def agreed(rules: Rules | None = None) -> World:
    return _base(rules).fork()


def start(world: World, operation: str, **parameters: Any) -> Document:
    """Let people of B start something."""
    where = world.resources[PARTNERS].status["identifier"]
    answer: Document = world.ask(
        PARTNER, "cleanroomsml", operation, membershipIdentifier=where, **parameters
    )
    return answer


def make_channel(world: World, name: str = "customers", **more: Any) -> str:
    answer = start(
        world,
        "CreateMLInputChannel",
        configuredModelAlgorithmAssociations=[trainings.association(world)],
        inputChannel={"dataSource": INPUT, "roleArn": specs.ROLE.format(account=PARTNER)},
        name=name,
        retentionInDays=30,
        **more,
    )
    arn: str = answer["mlInputChannelArn"]
    return arn


def train(world: World, arn: str, name: str = "churn", **more: Any) -> str:
    answer = start(
        world,
        "CreateTrainedModel",
        configuredModelAlgorithmAssociationArn=trainings.association(world),
        dataChannels=[{"mlInputChannelArn": arn, "channelName": "customers"}],
        resourceConfig={"instanceType": "ml.m5.2xlarge", "volumeSizeInGB": 10},
        name=name,
        **more,
    )
    made: str = answer["trainedModelArn"]
    return made


def infer(world: World, model: str, arn: str) -> None:
    start(
        world,
        "StartTrainedModelInferenceJob",
        trainedModelArn=model,
        dataSource={"mlInputChannelArn": arn},
        resourceConfig={"instanceType": "ml.m5.2xlarge"},
        outputConfiguration={"members": [{"accountId": CREATOR}]},
        name="october",
    )


def look(world: World) -> list[str]:
    """Let A look at once, and return what it is told of charges by events."""
    world.annotate(CREATORS, reconcile_requested_at=f"{world.seconds}")
    events = getattr(world.run(CREATORS).result, "events", ())
    return [event.message for event in events if event.reason == Reason.RUN_CHARGED.value]


def of(world: World, name: str) -> Document:
    found: list[Document] = world.resources[CREATORS].status["charges"]
    return next(each for each in found if each["costType"] == name)


def counts(world: World, name: str) -> tuple[int, int, int]:
    """Return how many runs are (pending, running, finished)."""
    told = of(world, name)
    return told["pending"], told["running"], told["finished"]


def asked(world: World, since: int) -> Counter[tuple[str, str]]:
    """Return how often each account's operator looked at each view."""
    made = world.aws.records(*VIEWS, "ListMembers")[since:]
    return Counter((record.account, record.operation) for record in made)


class TestARun:
    def test_it_is_told_from_its_beginning_to_its_end(self) -> None:
        world = agreed()
        arn = make_channel(world)
        [told] = look(world)
        assert f"Account {PARTNER} started MLInputChannel 'customers'" in told
        assert "(queryCompute)" in told
        assert counts(world, "queryCompute") == (1, 0, 0)
        world.tick(70.0)
        assert look(world) == []
        assert counts(world, "queryCompute") == (0, 1, 0)
        world.tick(INTERVAL)
        assert look(world) == []
        assert counts(world, "queryCompute") == (0, 0, 1)
        [latest] = of(world, "queryCompute")["latest"]
        assert (latest["accountId"], latest["kind"]) == (PARTNER, "MLInputChannel")
        assert (latest["name"], latest["arn"]) == ("customers", arn)
        assert latest["state"] == "ACTIVE"
        assert counts(world, "modelTraining") == (0, 0, 0)

    def test_each_kind_is_told_under_its_own_cost(self) -> None:
        world = agreed()
        arn = make_channel(world)
        world.tick(INTERVAL)
        model = train(world, arn)
        world.tick(2 * INTERVAL)
        infer(world, model, arn)
        told = look(world)
        assert [any(kind in each for each in told) for kind in ("Input", "Model", "Job")] == [
            True
        ] * 3
        assert counts(world, "queryCompute") == counts(world, "modelTraining") == (0, 0, 1)
        assert counts(world, "modelInference") == (1, 0, 0)

    def test_what_is_deleted_has_been_paid_all_the_same(self) -> None:
        world = agreed()
        arn = make_channel(world)
        world.tick(INTERVAL)
        look(world)
        start(world, "DeleteMLInputChannelData", mlInputChannelArn=arn)
        world.tick(INTERVAL)
        assert look(world) == []
        assert counts(world, "queryCompute") == (0, 0, 1)
        assert of(world, "queryCompute")["latest"][0]["state"] == "INACTIVE"

    def test_one_that_was_never_seen_under_way_is_told_too(self) -> None:
        world = agreed()
        make_channel(world)
        world.tick(INTERVAL)
        assert len(look(world)) == 1
        assert counts(world, "queryCompute") == (0, 0, 1)

    def test_more_than_fit_are_told_as_a_number(self) -> None:
        world = agreed()
        for number in range(charges.MOST + 2):
            make_channel(world, f"c-{number}")
            world.tick(1.0)
        *each, rest = look(world)
        assert len(each) == charges.MOST
        assert rest.startswith("2 more runs")
        assert sum(counts(world, "queryCompute")) == charges.MOST + 2

    def test_what_a_declared_run_costs_is_told_once(self) -> None:
        """All of B's runs are resources of the same cluster, and all passes are the queue's."""
        world = agreed()
        told: list[str] = []
        passed = world.guard.passed

        def listen(run: Any) -> None:
            passed(run)
            told.extend(
                f"{run.key.namespace} {event.message.split(' at ')[0]}"
                for event in getattr(run.result, "events", ())
                if event.reason == Reason.RUN_CHARGED.value
            )

        setattr(world.guard, "passed", listen)  # noqa: B010  a method of this one world's guard
        for example in specs.RUNS.values():
            example.apply(world)
        world.settle(seconds=6000.0)
        world.rest(2 * INTERVAL)
        kinds = ("MLInputChannel 'customers'", "TrainedModel 'churn'", "InferenceJob 'score'")
        assert sorted(told) == sorted(f"a Account {PARTNER} started {run}" for run in kinds)
        assert counts(world, "modelInference") == (0, 0, 1)


class TestAtRest:
    def test_r_21_it_takes_one_list_a_view_and_interval_and_no_write(self) -> None:
        world = agreed()
        make_channel(world)
        world.tick(INTERVAL)
        world.settle()
        world.rest(2 * INTERVAL)
        before, version = len(world.aws.records(*VIEWS, "ListMembers")), world.kubernetes.version
        world.rest(6 * INTERVAL)
        assert world.kubernetes.version == version
        made = asked(world, before)
        assert {account for account, name in made if name in VIEWS} == {CREATOR}
        assert all(4 <= made[CREATOR, name] <= 6 for name in VIEWS)

    def test_r_23_a_membership_that_pays_is_ready_after_six_writes_as_before(self) -> None:
        world = agreed()
        assert world.kubernetes.patches[CREATORS] <= 6
        assert of(world, "modelTraining") == {"costType": "modelTraining", **IDLE}

    def test_a_new_process_tells_nothing_again(self) -> None:
        world = agreed()
        make_channel(world)
        assert len(look(world)) == 1
        world.crash()
        version = world.kubernetes.version
        assert world.run(CREATORS).result is not None
        assert look(world) == []
        assert world.kubernetes.version == version + 2, "nothing but the question and its echo"

    @pytest.mark.parametrize("after", [False, True])
    def test_a_process_that_dies_tells_at_most_once_and_leaves_the_truth(
        self, *, after: bool
    ) -> None:
        """Once the status counts a run, it is told by the process that wrote it, or by none."""
        base = agreed()
        make_channel(base)
        for number in range(1, 20):
            world = base.fork()
            written = world.kubernetes.version
            world.dies_at = (world.requests + number, after)
            told = look(world)
            if world.dies_at is not None:
                assert len(told) == 1, "the pass was over before"
                break
            was_counted = world.kubernetes.version > written + 1
            assert told == []
            assert len(look(world)) == (0 if was_counted else 1)
            assert counts(world, "queryCompute") == (1, 0, 0)
            assert look(world) == []
        else:
            pytest.fail("a pass takes fewer requests")

    def test_who_can_query_itself_is_told_nothing_and_asks_nothing(self) -> None:
        world = agreed()
        assert "charges" not in world.resources[PARTNERS].status
        assert PARTNER not in {record.account for record in world.aws.records(*VIEWS)}

    def test_who_pays_for_nothing_is_told_nothing_and_asks_nothing(self) -> None:
        world = World()
        specs.accounts(world)
        pays = {"queryCompute": YES, "machineLearning": {"modelTraining": YES}}
        querier = {**specs.collaboration()["members"][0], "paymentConfiguration": pays}
        free = {"queryCompute": {"isResponsible": False}}
        world.apply(
            "Collaboration",
            "ads",
            specs.collaboration(creatorPaymentConfiguration=free, members=[querier]),
        )
        world.apply("Membership", "member", specs.creators_membership(paymentConfiguration=free))
        partner = specs.partners_membership(paymentConfiguration=pays)
        world.apply("Membership", "member", partner, "b")
        world.settle()
        assert world.told(CREATORS) == world.told(PARTNERS) == "Ready"
        assert "charges" not in world.resources[CREATORS].status
        assert world.aws.sent(*VIEWS) == 0

    def test_it_can_be_turned_off(self) -> None:
        world = agreed()
        world.apply("Membership", "member", specs.creators_membership(charges="Ignore"))
        world.settle()
        assert "charges" not in world.resources[CREATORS].status
        before = world.aws.sent(*VIEWS)
        make_channel(world)
        world.rest(2 * INTERVAL)
        assert world.aws.sent(*VIEWS) == before


@pytest.mark.parametrize("reading", ["always", "named"])
class TestViews:
    def test_er_39_a_run_without_a_named_payer_is_the_only_candidates(self, reading: Any) -> None:
        world = agreed(Rules(shown_payer=reading))
        before = len(world.aws.records(*VIEWS, "ListMembers"))
        make_channel(world)
        assert len(look(world)) == 1
        assert counts(world, "queryCompute") == (1, 0, 0)
        [latest] = of(world, "queryCompute")["latest"]
        assert latest.get("inferred", False) == (reading == "named")
        looked = asked(world, before)[CREATOR, "ListMembers"]
        assert looked == (2 if reading == "named" else 1), "once for what is assigned"

    def test_er_39_a_named_payer_is_no_inference(self, reading: Any) -> None:
        world = agreed(Rules(shown_payer=reading))
        make_channel(world, payerConfiguration={"computePayerAccountId": CREATOR})
        look(world)
        assert "inferred" not in of(world, "queryCompute")["latest"][0]

    def test_er_39_of_several_candidates_none_is_guessed(self, reading: Any) -> None:
        """ER-11: the member that queries pays where none of several is named."""
        world = agreed(Rules(shown_payer=reading, unnamed_payer="querier"))
        partner = {
            **specs.collaboration()["members"][0],
            "paymentConfiguration": {"queryCompute": YES},
        }
        world.apply("Collaboration", "ads", specs.collaboration(members=[partner]))
        world.settle()
        [request] = world.ask(
            PARTNER,
            "cleanrooms",
            "ListCollaborationChangeRequests",
            collaborationIdentifier=world.resources[COLLABORATION].status["identifier"],
        )["collaborationChangeRequestSummaries"]
        spec = specs.partners_membership(
            changeRequests={"approve": [request["id"]]},
            paymentConfiguration={"queryCompute": YES},
        )
        world.apply("Membership", "member", spec, "b")
        world.rest(2 * INTERVAL)
        make_channel(world)
        assert look(world) == []
        assert counts(world, "queryCompute") == (0, 0, 0)
        assert of(world, "queryCompute").get("unknown", 0) == (reading == "named")


@pytest.mark.parametrize("reading", ["same", "new"])
def test_er_24_of_a_model_with_versions_the_status_says_that_there_may_be_more(
    reading: Any,
) -> None:
    world = agreed(Rules(version_arn=reading))
    arn = make_channel(world)
    world.tick(INTERVAL)
    model = train(world, arn)
    world.tick(2 * INTERVAL)
    assert len(look(world)) == 2
    assert "unseen" not in of(world, "modelTraining")
    known = [{"trainedModelArn": model, "channelName": "before"}]
    train(world, arn, "churn-2", incrementalTrainingDataChannels=known)
    [told] = look(world)
    assert "TrainedModel 'churn-2'" in told
    assert counts(world, "modelTraining") == (1, 0, 0 if reading == "same" else 1)
    assert of(world, "modelTraining")["unseen"] == charges.UNSEEN_VERSIONS


class TestWhatGoesWrong:
    def test_a_view_that_is_denied_is_told_and_holds_nothing_up(self) -> None:
        world = agreed()
        make_channel(world)
        look(world)
        view = "ListCollaborationMLInputChannels"
        world.aws.faults.add(Fault(kind=FaultKind.DENY, operation=view, count=1))
        assert look(world) == []
        assert world.told(CREATORS) == "Ready"
        assert of(world, "queryCompute")["unseen"].startswith(f"AWS denies {view}")
        assert counts(world, "queryCompute") == (1, 0, 0)
        world.tick(INTERVAL)
        assert look(world) == []
        assert of(world, "queryCompute")["unseen"] == charges.UNSEEN["queryCompute"]
        assert counts(world, "queryCompute") == (0, 0, 1)

    def test_a_view_that_does_not_answer_changes_nothing(self) -> None:
        world = agreed()
        make_channel(world)
        look(world)
        before = world.resources[CREATORS].status["charges"]
        throttle = Fault(kind=FaultKind.THROTTLE, operation="ListCollaboration*", count=3)
        world.aws.faults.add(throttle)
        world.tick(INTERVAL)
        assert look(world) == []
        assert world.resources[CREATORS].status["charges"] == before
        assert world.told(CREATORS) == "Ready"

    def test_who_pays_no_more_is_told_to_the_end_of_what_is_under_way(self) -> None:
        """ER-9: by one reading a candidate may decline, and what runs is charged to the end."""
        world = agreed(Rules(declining="accept"))
        make_channel(world)
        look(world)
        declined = {"queryCompute": {"isResponsible": False}}
        world.ask(
            CREATOR,
            "cleanrooms",
            "UpdateMembership",
            membershipIdentifier=world.resources[CREATORS].status["identifier"],
            membershipPaymentConfiguration=declined,
        )
        spec = specs.creators_membership(paymentConfiguration=declined)
        world.apply("Membership", "member", spec)
        look(world)
        assert counts(world, "queryCompute") == (1, 0, 0)
        for _ in range(2):
            world.tick(INTERVAL)
            look(world)
        left = {each["costType"] for each in world.resources[CREATORS].status["charges"]}
        assert left == {"modelTraining", "modelInference"}
