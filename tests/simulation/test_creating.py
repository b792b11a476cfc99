"""How an object comes to be while requests get lost, wait, are refused, or come too late."""

from collections.abc import Callable
from typing import Any

import pytest

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.quotas import Quotas
from cleanrooms_emulator.rules import Rules
from cleanrooms_operator.core.ownership import ATTEMPT
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.runtime.ports import NotSentError, StaleError
from simulation import specs
from simulation.invariants import check_rest
from simulation.specs import COLLABORATION, CREATOR, CREATORS, EXAMPLES, PARTNER, PARTNERS
from simulation.world import Pass, World

CREATE = "CreateCollaboration"


def applied(*faults: Fault, rules: Rules | None = None) -> World:
    """Return a world in which a collaboration was just applied."""
    world = World(rules=rules)
    specs.accounts(world)
    world.settle()
    EXAMPLES["collaboration"].apply(world)
    for fault in faults:
        world.aws.faults.add(fault)
    return world


def conclusions(world: World) -> set[str]:
    """Return all that was ever concluded about the collaboration, from now back."""
    past = world.kubernetes.past[COLLABORATION]
    return {str(entry.status.get("conditions")) for _, entry in past if entry is not None}


def stopped_at(world: World, port: str, process: int = 0) -> Pass:
    """Run a pass over the collaboration to where it asks for this."""
    run = world.start(COLLABORATION, process)
    while run.request is not None and not str(run.request).startswith(port):
        world.step(run)
    assert run.request is not None
    return run


# -- answers -------------------------------------------------------------------------------------

LOST = [
    Fault(kind=FaultKind.LOSE_REQUEST, operation="Create*", count=1),
    Fault(kind=FaultKind.LOSE_REQUEST, operation="Create*", status=500, count=1),
    Fault(kind=FaultKind.LOSE_RESPONSE, operation="Create*", count=1),
    Fault(kind=FaultKind.LOSE_RESPONSE, operation="Create*", status=503, count=1),
    Fault(kind=FaultKind.GARBAGE, operation="Create*", count=1),
    Fault(kind=FaultKind.TRUNCATE, operation="Create*", count=1),
    Fault(kind=FaultKind.HTML, operation="Create*", status=403, count=1),
    Fault(kind=FaultKind.HTML, operation="Create*", status=503, count=1),
]


def _id(fault: Fault) -> str:
    return f"{fault.kind}-{fault.status}" if fault.status else str(fault.kind)


@pytest.mark.parametrize("lags", [0, 300])
@pytest.mark.parametrize("fault", LOST, ids=_id)
def test_r_8_what_proves_nothing_is_looked_up_before_anything_is_sent_again(
    fault: Fault, lags: float
) -> None:
    world = applied(fault)
    if lags:
        world.aws.faults.add(Fault(kind=FaultKind.LAG, operation="ListColl*", seconds=lags))
    world.run(COLLABORATION)
    assert world.aws.sent(CREATE) == 1
    assert "attempt" in world.resources[COLLABORATION].status
    world.rest(world.pace.settle - 30.0)
    applied_at_once = world.aws.applied(CREATE)
    assert world.aws.sent(CREATE) == 1, "sent again before it was certain"
    if not applied_at_once:
        assert world.told(COLLABORATION) == "Reconciling ConfirmingAbsence"
    world.aws.faults.clear()
    world.settle()
    assert world.told(COLLABORATION) == "Ready"
    assert world.aws.applied(CREATE) == 1
    check_rest(world)


def test_a_throttled_create_is_sent_again_as_it_was_and_without_a_write() -> None:
    world = applied(Fault(kind=FaultKind.THROTTLE, operation=CREATE, count=4))
    world.settle()
    sent = world.aws.records(CREATE)
    assert [record.applied for record in sent] == [False] * 4 + [True]
    assert len({record.parameters["tags"][ATTEMPT] for record in sent}) == 1
    assert world.kubernetes.patches[COLLABORATION] <= 5  # one tells of the throttling
    assert world.told(COLLABORATION) == "Ready"


def test_r_17_a_payment_that_nobody_assigned_is_not_sent_and_is_told() -> None:
    world = World()
    specs.accounts(world)
    payments = {
        "queryCompute": {"isResponsible": True},
        "machineLearning": {"modelTraining": {"isResponsible": True}},
    }
    spec = specs.partners_membership(paymentConfiguration=payments)
    world.apply("Membership", "member", spec, "b")
    EXAMPLES["collaboration"].apply(world)
    world.settle()
    assert world.told(PARTNERS) == "Ready"
    assert world.message(PARTNERS, "PaymentAccepted").startswith("Accepted, and not assigned")
    assert world.aws.sent("CreateMembership") == 1
    check_rest(world)


def test_a_spec_that_is_edited_while_its_create_is_throttled_is_what_is_made() -> None:
    world = applied(Fault(kind=FaultKind.THROTTLE, operation=CREATE))
    world.rest(60.0)
    first = world.resources[COLLABORATION].status["attempt"]["id"]
    EXAMPLES["collaboration"].edit(world)
    world.rest(60.0)
    assert world.resources[COLLABORATION].status["attempt"]["id"] != first
    world.aws.faults.clear()
    world.settle()
    assert world.told(COLLABORATION) == "Ready"
    (made,) = [record for record in world.aws.records(CREATE) if record.applied]
    assert made.parameters["description"] == "Changed"
    check_rest(world)


def test_a_create_that_is_throttled_and_then_deleted_makes_nothing() -> None:
    world = applied(Fault(kind=FaultKind.THROTTLE, operation=CREATE))
    world.rest(60.0)
    world.delete(COLLABORATION)
    world.settle()
    assert COLLABORATION not in world.resources
    world.aws.faults.clear()
    world.rest(3600.0)
    assert world.aws.applied(CREATE) == 0


def test_a_full_quota_is_waited_out() -> None:
    world = applied(rules=Rules(quotas=Quotas(collaborations=1)))
    other = world.ask(CREATOR, "cleanrooms", CREATE, **specs.collaboration())["collaboration"]
    world.rest(1800.0)
    assert world.told(COLLABORATION) in {"Reconciling QuotaExceeded", "Stalled QuotaExceeded"}
    world.ask(CREATOR, "cleanrooms", "DeleteCollaboration", collaborationIdentifier=other["id"])
    world.rest(1800.0)
    assert world.told(COLLABORATION) == "Ready"


def test_r_8_what_aws_calls_invalid_is_told_and_not_sent_again() -> None:
    world = applied()
    world.mistaken.add(COLLABORATION)
    without_querier = specs.collaboration(members=[])
    world.apply("Collaboration", "ads", without_querier, "a")
    world.settle()
    assert world.told(COLLABORATION) == "Stalled InvalidSpec"
    assert "attempt" not in world.resources[COLLABORATION].status
    assert world.resources[COLLABORATION].status["lastAWSError"]["code"] == "ValidationException"
    world.rest(1800.0)
    assert world.aws.sent(CREATE) == 1
    said = conclusions(world)
    world.rest(6 * 3600.0)
    assert conclusions(world) == said, "the same is told again"
    EXAMPLES["collaboration"].apply(world)
    world.settle()
    assert world.told(COLLABORATION) == "Ready"
    assert "lastAWSError" not in world.resources[COLLABORATION].status


# -- denied for a while --------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [CREATE, "ListColl*", "*Collaboration*"])
def test_access_denied_is_taken_for_delay_and_then_told_until_it_is_granted(
    operation: str,
) -> None:
    world = applied(Fault(kind=FaultKind.DENY, operation=operation))
    world.rest(200.0)
    assert world.told(COLLABORATION) == "Reconciling AccessDenied"
    world.rest(3600.0)
    assert world.told(COLLABORATION) == "Stalled AccessDenied"
    said = conclusions(world)
    world.rest(6 * 3600.0)
    assert conclusions(world) == said, "the same is told again"
    world.aws.faults.clear()
    world.rest(1200.0)
    assert world.told(COLLABORATION) == "Ready"
    assert world.aws.applied(CREATE) == 1
    check_rest(world)


def test_what_is_ready_is_not_called_otherwise_by_a_short_denial() -> None:
    world = specs.settled()
    world.aws.faults.add(Fault(kind=FaultKind.THROTTLE))
    written = world.kubernetes.version
    world.rest(2 * 3600.0)
    assert world.kubernetes.version == written
    assert world.told(COLLABORATION) == "Ready"


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_change_that_is_denied_for_long_is_told_once(name: str) -> None:
    world = specs.settled()
    world.aws.faults.add(Fault(kind=FaultKind.DENY, operation="[PUT]*"))
    EXAMPLES[name].edit(world)
    world.rest(3600.0)
    assert world.told(EXAMPLES[name].key) == "Stalled AccessDenied"
    written = world.kubernetes.version
    world.rest(6 * 3600.0)
    assert world.kubernetes.version == written, "a stalled resource is quiet"
    world.aws.faults.clear()
    world.rest(1200.0)
    assert world.told(EXAMPLES[name].key) == "Ready"
    check_rest(world)


# -- the send window -----------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.0, 9.9, 10.1, 3600.0])
def test_r_7_a_create_is_sent_within_its_window_or_never(seconds: float) -> None:
    world = applied()
    run = stopped_at(world, "call cleanrooms Create")
    world.tick(seconds)
    world.finish(run)
    in_time = seconds < 10.0
    assert world.aws.sent(CREATE) == int(in_time)
    assert isinstance(run.result, NotSentError) != in_time
    world.settle()
    assert world.told(COLLABORATION) == "Ready"
    assert world.aws.applied(CREATE) == 1


def test_r_7_nothing_is_sent_without_the_lease() -> None:
    world = applied()
    run = stopped_at(world, "call cleanrooms Create", process=1)
    world.process(1).leads = False
    world.settle()
    world.finish(run)
    assert isinstance(run.result, NotSentError)
    assert world.told(COLLABORATION) == "Ready"
    assert world.aws.sent(CREATE) == 1


def test_r_7_who_sends_again_asks_the_api_server_whether_the_attempt_still_stands() -> None:
    """Its cache may show an attempt that another process has resolved meanwhile."""
    world = applied(Fault(kind=FaultKind.THROTTLE, operation=CREATE, count=1))
    world.run(COLLABORATION, 1)
    world.process(1).cache.stands_at = world.kubernetes.version
    world.rest(world.pace.settle + 60.0)
    assert world.told(COLLABORATION) == "Ready"
    late = world.run(COLLABORATION, 1)
    assert isinstance(late.result, StaleError)
    assert world.aws.applied(CREATE) == 1
    check_rest(world)


# -- missing -------------------------------------------------------------------------------------


def _deny_reads(world: World) -> None:
    world.aws.faults.add(Fault(kind=FaultKind.DENY, operation="GetCollaboration"))


def _deny_all(world: World) -> None:
    world.aws.faults.add(Fault(kind=FaultKind.DENY, operation="GetCollaboration"))
    world.aws.faults.add(Fault(kind=FaultKind.DENY, operation="ListCollaborations"))


def _lag(world: World) -> None:
    world.aws.faults.add(Fault(kind=FaultKind.LAG, operation="Get*", seconds=7200))


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        pytest.param(_deny_reads, "ConfirmingAbsence", id="the List still shows it"),
        pytest.param(_deny_all, "AccessDenied", id="the List is denied too"),
    ],
)
def test_r_9_access_denied_alone_never_means_missing(
    happens: Callable[[World], None], told: str
) -> None:
    world = specs.settled()
    happens(world)
    world.annotate(COLLABORATION, reconcile_requested_at="now")
    world.rest(5 * 3600.0)
    assert told in world.told(COLLABORATION)
    world.aws.faults.clear()
    world.rest(3700.0)
    assert world.told(COLLABORATION) == "Ready"
    assert world.aws.applied(CREATE) == 1
    check_rest(world)


def test_r_9_what_is_gone_is_called_missing_after_a_settle_time() -> None:
    world = specs.settled()
    identifier = world.resources[COLLABORATION].status["identifier"]
    parameters = {"collaborationIdentifier": identifier}
    world.ask(CREATOR, "cleanrooms", "DeleteCollaboration", **parameters)
    world.annotate(COLLABORATION, reconcile_requested_at="now")
    world.rest(world.pace.settle - 60.0)
    assert world.told(COLLABORATION) == "Reconciling ConfirmingAbsence"
    world.rest(120.0)
    assert world.told(COLLABORATION) == "Stalled Missing"


# -- invitations and references ------------------------------------------------------------------


def invited(**more: Any) -> World:
    """Return a world with a partner's membership, and no collaboration yet."""
    world = World()
    specs.accounts(world)
    world.apply("Membership", "member", specs.partners_membership(**more), "b")
    return world


def test_an_invitation_that_comes_late_is_found() -> None:
    world = invited()
    world.rest(120.0)
    assert world.told(PARTNERS) == "Reconciling DependencyNotReady"
    assert CREATOR in world.message(PARTNERS)
    world.rest(1800.0)
    assert world.told(PARTNERS) == "Stalled ProgressDeadlineExceeded"
    written = world.kubernetes.version
    world.rest(6 * 3600.0)
    assert world.kubernetes.version == written
    world.ask(CREATOR, "cleanrooms", CREATE, **specs.collaboration())
    world.rest(900.0)
    assert world.told(PARTNERS) == "Ready"


def test_an_invitation_from_this_cluster_is_found_at_once() -> None:
    world = invited()
    world.rest(5 * 3600.0)
    EXAMPLES["collaboration"].apply(world)
    world.rest(30.0)
    assert world.told(PARTNERS) == "Ready"


def test_between_two_invitations_nobody_guesses() -> None:
    world = invited()
    made = [
        world.ask(CREATOR, "cleanrooms", CREATE, **specs.collaboration())["collaboration"]["id"]
        for _ in range(2)
    ]
    world.settle()
    assert world.told(PARTNERS) == "Stalled Ambiguous"
    assert all(identifier in world.message(PARTNERS) for identifier in made)
    assert world.aws.sent("CreateMembership") == 0
    world.ask(CREATOR, "cleanrooms", "DeleteCollaboration", collaborationIdentifier=made[0])
    world.rest(900.0)
    assert world.told(PARTNERS) == "Ready"
    assert world.resources[PARTNERS].status["collaborationIdentifier"] == made[1]


def test_a_membership_waits_for_its_collaboration_and_is_woken_by_it() -> None:
    world = World()
    specs.accounts(world)
    EXAMPLES["creator"].apply(world)
    world.rest(5 * 3600.0)
    assert world.told(CREATORS) == "Stalled ProgressDeadlineExceeded"
    EXAMPLES["collaboration"].apply(world)
    world.rest(30.0)
    assert world.told(CREATORS) == "Ready"


def test_without_an_account_nothing_is_done_as_somebody_else() -> None:
    world = World()
    EXAMPLES["collaboration"].apply(world)
    world.rest(3600.0)
    assert world.told(COLLABORATION) == "Stalled ProgressDeadlineExceeded"
    assert world.aws.records() == []
    specs.accounts(world)
    world.rest(30.0)
    assert world.told(COLLABORATION) == "Ready"


def test_the_deadline_counts_from_when_waiting_for_something_else_began() -> None:
    world = applied(Fault(kind=FaultKind.THROTTLE, operation=CREATE))
    world.rest(3600.0)
    assert world.told(COLLABORATION) == "Reconciling ProgressingWithRetry"
    world.delete(Key("AWSAccount", "a", "default"))
    world.rest(300.0)
    assert world.told(COLLABORATION) == "Reconciling DependencyNotReady"
    world.rest(900.0)
    assert world.told(COLLABORATION) == "Stalled ProgressDeadlineExceeded"


def test_an_object_never_moves_to_another_account() -> None:
    world = specs.settled()
    world.apply("AWSAccount", "other", specs.account(PARTNER), "a")
    spec = specs.collaboration(accountRef={"name": "other"})
    world.apply("Collaboration", "ads", spec, "a")
    world.settle()
    assert world.told(COLLABORATION) == "Stalled AccountChanged"
    assert world.aws.applied(CREATE) == 1
