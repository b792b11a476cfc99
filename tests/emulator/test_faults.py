"""Faults strike the calls that they are meant for, and say truly whether those were applied."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.faults import (
    AnswerLostError,
    ConnectionCutError,
    DamagedAnswerError,
    Fault,
    FaultKind,
)
from cleanrooms_emulator.log import Record
from cleanrooms_emulator.request import Caller, Request, ServiceError
from cleanrooms_emulator.rules import Rules
from cleanrooms_emulator.virtual import VirtualTime
from model_samples import COLLABORATION, UUID

Ask = Callable[..., Any]


def listed(ask: Ask, account: str) -> int:
    return len(ask(account, "ListCollaborations")["collaborationList"])


def arm(emulator: Emulator, kind: str, **more: Any) -> None:
    emulator.faults.add(Fault.model_validate({"kind": kind, **more}))


def last(emulator: Emulator) -> Record:
    return emulator.log.since()[-1]


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        pytest.param({"kind": "throttle"}, "ThrottlingException", 429, id="throttled"),
        pytest.param(
            {"kind": "throttle", "status": 400}, "ThrottlingException", 400, id="in front (ER-32)"
        ),
        pytest.param({"kind": "deny"}, "AccessDeniedException", None, id="denied"),
        pytest.param({"kind": "lose-request", "status": 500}, "InternalFailure", None, id="a 500"),
        pytest.param(
            {"kind": "lose-request", "status": 503}, "ServiceUnavailable", None, id="a 503"
        ),
    ],
)
def test_refusals_apply_nothing(
    emulator: Emulator, ask: Ask, fault: Mapping[str, Any], code: str, status: int | None
) -> None:
    arm(emulator, **fault, operation="CreateCollaboration")
    with pytest.raises(ServiceError) as caught:
        ask("111111111111", "CreateCollaboration", **COLLABORATION)
    assert (caught.value.code, caught.value.status) == (code, status)
    assert (last(emulator).applied, last(emulator).answered) == (False, code)
    assert listed(ask, "111111111111") == 0


def test_lost_request_is_cut_and_applies_nothing(emulator: Emulator, ask: Ask) -> None:
    arm(emulator, "lose-request", operation="CreateCollaboration")
    with pytest.raises(ConnectionCutError) as caught:
        ask("111111111111", "CreateCollaboration", **COLLABORATION)
    assert not caught.value.applied
    assert (last(emulator).applied, last(emulator).answered) == (False, "cut")
    assert listed(ask, "111111111111") == 0


@pytest.mark.parametrize("status", [None, 500, 503])
def test_er29_lost_response_was_applied(emulator: Emulator, ask: Ask, status: int | None) -> None:
    arm(emulator, "lose-response", operation="CreateCollaboration", status=status)
    with pytest.raises((ConnectionCutError, ServiceError)):
        ask("111111111111", "CreateCollaboration", **COLLABORATION)
    record = last(emulator)
    assert record.applied
    assert record.created is not None
    assert (
        record.answered == {None: "cut", 500: "InternalFailure", 503: "ServiceUnavailable"}[status]
    )
    assert listed(ask, "111111111111") == 1


def test_silence_is_answered_by_nothing(emulator: Emulator, ask: Ask) -> None:
    """R-30: `answered` is none where the client was left waiting."""
    arm(emulator, "lose-response", operation="CreateCollaboration", seconds=30)
    with pytest.raises(ConnectionCutError) as caught:
        ask("111111111111", "CreateCollaboration", **COLLABORATION)
    assert caught.value.silent_seconds == 30
    assert (last(emulator).applied, last(emulator).answered) == (True, None)


@pytest.mark.parametrize("kind", ["garbage", "truncate"])
def test_r31_damaged_success_was_applied(emulator: Emulator, ask: Ask, kind: str) -> None:
    arm(emulator, kind, operation="CreateCollaboration")
    with pytest.raises(DamagedAnswerError) as caught:
        ask("111111111111", "CreateCollaboration", **COLLABORATION)
    assert (caught.value.applied, caught.value.status) == (True, 200)
    assert (last(emulator).applied, last(emulator).answered) == (True, kind)
    assert listed(ask, "111111111111") == 1


@pytest.mark.parametrize("status", [403, 503])
def test_r31_page_of_a_proxy_applies_nothing(emulator: Emulator, ask: Ask, status: int) -> None:
    arm(emulator, "html", operation="CreateCollaboration", status=status)
    with pytest.raises(DamagedAnswerError) as caught:
        ask("111111111111", "CreateCollaboration", **COLLABORATION)
    assert (caught.value.applied, caught.value.status) == (False, status)
    assert listed(ask, "111111111111") == 0


@pytest.mark.parametrize("kind", ["garbage", "truncate"])
def test_a_refusal_is_not_damaged_into_a_success(emulator: Emulator, ask: Ask, kind: str) -> None:
    arm(emulator, kind)
    with pytest.raises(ServiceError, match="AccessDeniedException"):
        ask("111111111111", "GetCollaboration", collaborationIdentifier=UUID)
    assert not last(emulator).applied


def test_a_refusal_can_be_lost_too(emulator: Emulator, ask: Ask) -> None:
    arm(emulator, "lose-response")
    with pytest.raises(ConnectionCutError) as caught:
        ask("111111111111", "GetCollaboration", collaborationIdentifier=UUID)
    assert not caught.value.applied
    assert (last(emulator).applied, last(emulator).answered) == (False, "cut")


def outcomes(ask: Ask, account: str, times: int) -> list[bool]:
    found = []
    for _ in range(times):
        try:
            ask(account, "ListCollaborations")
        except ServiceError:
            found.append(False)
        else:
            found.append(True)
    return found


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        pytest.param({}, [False] * 5, id="for ever"),
        pytest.param({"count": 2}, [False, False, True, True, True], id="the first two"),
        pytest.param({"first": 3}, [True, True, False, False, False], id="from the third on"),
        pytest.param({"first": 2, "count": 1}, [True, False, True, True, True], id="the second"),
    ],
)
def test_er29_faults_strike_the_nth_calls(
    emulator: Emulator, ask: Ask, limits: Mapping[str, int], expected: list[bool]
) -> None:
    arm(emulator, "deny", **limits)
    assert outcomes(ask, "111111111111", 5) == expected
    (armed,) = emulator.faults.armed()
    assert (armed.matched, armed.struck) == (5, expected.count(False))


@pytest.mark.parametrize(
    ("aim", "struck"),
    [
        pytest.param({"operation": "ListCollaborations"}, True, id="its name"),
        pytest.param({"operation": "List*"}, True, id="a pattern"),
        pytest.param({"operation": "Create*"}, False, id="another pattern"),
        pytest.param({"account": "111111111111"}, True, id="its account"),
        pytest.param({"account": "222222222222"}, False, id="another account"),
        pytest.param({"service": "cleanrooms"}, True, id="its service"),
        pytest.param({"service": "cleanroomsml"}, False, id="another service"),
    ],
)
def test_faults_strike_only_what_they_aim_at(
    emulator: Emulator,
    ask: Ask,
    aim: Mapping[str, str],
    struck: bool,  # noqa: FBT001 - a table
) -> None:
    arm(emulator, "deny", **aim)
    assert outcomes(ask, "111111111111", 1) == [not struck]


def test_calls_that_are_invalid_do_not_count(emulator: Emulator, ask: Ask) -> None:
    arm(emulator, "deny", count=1)
    with pytest.raises(ServiceError, match="ValidationException"):
        ask("111111111111", "ListCollaborations", maxResults=0)
    assert outcomes(ask, "111111111111", 2) == [False, True]


def test_faults_are_lifted_one_by_one_or_all(emulator: Emulator, ask: Ask) -> None:
    first = emulator.faults.add(Fault(kind=FaultKind.DENY))
    emulator.faults.add(Fault(kind=FaultKind.DENY))
    assert emulator.faults.remove(first.number)
    assert not emulator.faults.remove(first.number)
    assert outcomes(ask, "111111111111", 1) == [False]
    emulator.faults.clear()
    assert outcomes(ask, "111111111111", 1) == [True]


def test_delays_are_told_once_a_request_and_never_waited_for(emulator: Emulator) -> None:
    """R-27: the emulator does not sleep; whoever can, asks how long."""
    arm(emulator, "delay", seconds=2, count=1)
    arm(emulator, "delay-response", seconds=3, count=2)
    arm(emulator, "delay-response", seconds=4, first=2)
    request = Request(
        Caller("111111111111", "arn:aws:iam::111111111111:root", "us-east-1"),
        "cleanrooms",
        "ListCollaborations",
        {},
    )
    assert [emulator.delays(request) for _ in range(3)] == [(2, 3), (0, 7), (0, 4)]
    assert emulator.handle(request) == {"collaborationList": []}


def seen(ask: Ask, account: str, identifier: str) -> bool:
    try:
        ask(account, "GetCollaboration", collaborationIdentifier=identifier)
    except ServiceError:
        return False
    return True


def test_r31_er28_lists_and_gets_lag_by_wall_time(
    emulator: Emulator, ask: Ask, time: VirtualTime
) -> None:
    arm(emulator, "lag", operation="List*", seconds=10)
    arm(emulator, "lag", operation="GetCollaboration", seconds=20)
    made = ask("111111111111", "CreateCollaboration", **COLLABORATION)["collaboration"]["id"]
    views = []
    for _ in range(5):
        views.append((listed(ask, "111111111111"), seen(ask, "111111111111", made)))
        time.elapse(5)
    assert views == [(0, False), (0, False), (1, False), (1, False), (1, True)]


def test_r31_deleted_objects_are_seen_until_the_lag_is_over(
    emulator: Emulator, ask: Ask, time: VirtualTime
) -> None:
    made = ask("111111111111", "CreateCollaboration", **COLLABORATION)["collaboration"]["id"]
    arm(emulator, "lag", operation="List*", seconds=10)
    ask("111111111111", "DeleteCollaboration", collaborationIdentifier=made)
    assert listed(ask, "111111111111") == 1
    assert not seen(ask, "111111111111", made)
    time.elapse(9)
    assert listed(ask, "111111111111") == 1
    time.elapse(1)
    assert listed(ask, "111111111111") == 0


def test_lag_shows_each_moment_of_the_past(emulator: Emulator, ask: Ask, time: VirtualTime) -> None:
    arm(emulator, "lag", operation="List*", seconds=10)
    counts = []
    for _ in range(8):
        ask("111111111111", "CreateCollaboration", **COLLABORATION)
        time.elapse(4)
        counts.append(listed(ask, "111111111111"))
    assert counts == [0, 0, 1, 2, 3, 4, 5, 6]


def test_a_lag_of_some_calls_only_flickers(emulator: Emulator, ask: Ask) -> None:
    arm(emulator, "lag", operation="List*", seconds=10, first=2, count=1)
    ask("111111111111", "CreateCollaboration", **COLLABORATION)
    assert [listed(ask, "111111111111") for _ in range(3)] == [1, 0, 1]


def test_lag_is_for_reads(emulator: Emulator, ask: Ask) -> None:
    arm(emulator, "lag", seconds=10)
    made = ask("111111111111", "CreateCollaboration", **COLLABORATION)["collaboration"]["id"]
    changed = ask("111111111111", "UpdateCollaboration", collaborationIdentifier=made, name="new")
    assert changed["collaboration"]["name"] == "new"


def test_lifted_lag_leaves_nothing_behind(emulator: Emulator, ask: Ask, time: VirtualTime) -> None:
    arm(emulator, "lag", operation="List*", seconds=10)
    ask("111111111111", "CreateCollaboration", **COLLABORATION)
    emulator.faults.clear()
    assert listed(ask, "111111111111") == 1
    time.elapse(100)
    arm(emulator, "lag", operation="List*", seconds=10)
    assert listed(ask, "111111111111") == 1


def test_faults_are_written_on_a_line() -> None:
    text = "kind=throttle, operation=Create*,account=111111111111,first=2,count=3,status=400"
    assert Fault.parse(text) == Fault(
        kind=FaultKind.THROTTLE,
        operation="Create*",
        account="111111111111",
        first=2,
        count=3,
        status=400,
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("operation=List*", id="no kind"),
        pytest.param("kind=break", id="an unknown kind"),
        pytest.param("kind=deny,opration=List*", id="an unknown name"),
        pytest.param("kind=deny,first=0", id="a zeroth call"),
        pytest.param("kind=deny,status=403", id="a status of no choice"),
        pytest.param("kind=throttle,status=503", id="another kind's status"),
        pytest.param("kind=lag", id="a lag of no time"),
        pytest.param("kind=throttle,seconds=1", id="seconds of no meaning"),
        pytest.param("kind=deny,service=s3", id="an unknown service"),
    ],
)
def test_faults_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Fault.parse(text)


def times_admitted(ask: Ask, account: str, operation: str, times: int) -> int:
    admitted = 0
    for _ in range(times):
        try:
            ask(account, operation)
        except ServiceError as error:
            assert error.code == "ThrottlingException"  # noqa: PT017 - some calls pass
        else:
            admitted += 1
    return admitted


def test_rates_are_of_account_and_operation_and_refill_with_the_wall(
    emulator: Emulator, ask: Ask, time: VirtualTime
) -> None:
    emulator.rates.enforced = True
    assert times_admitted(ask, "111111111111", "ListCollaborations", 8) == 5
    assert times_admitted(ask, "111111111111", "ListMemberships", 8) == 5
    assert times_admitted(ask, "222222222222", "ListCollaborations", 8) == 5
    time.elapse(0.4)
    assert times_admitted(ask, "111111111111", "ListCollaborations", 8) == 2
    time.elapse(60)
    assert times_admitted(ask, "111111111111", "ListCollaborations", 8) == 5


def test_rates_are_off_in_process_unless_asked_for(ask: Ask) -> None:
    assert times_admitted(ask, "111111111111", "ListCollaborations", 100) == 100


def test_er32_rates_are_refused_in_either_form(emulator: Emulator, ask: Ask) -> None:
    emulator.rates.enforced = True
    statuses = []
    for reading in ("429", "400"):
        emulator.use_rules(Rules.parse([f"ER-32={reading}"]))
        times_admitted(ask, "111111111111", "ListCollaborations", 5)
        with pytest.raises(ServiceError) as caught:
            ask("111111111111", "ListCollaborations")
        statuses.append(caught.value.status)
    assert statuses == [429, 400]


def test_er32_operations_that_model_no_throttling_are_refused_in_front(
    emulator: Emulator, ask: Ask
) -> None:
    """The tagging operations of cleanrooms."""
    emulator.rates.enforced = True
    made = ask("111111111111", "CreateCollaboration", **COLLABORATION)["collaboration"]["arn"]
    for _ in range(5):
        ask("111111111111", "ListTagsForResource", resourceArn=made)
    with pytest.raises(ServiceError, match="ThrottlingException") as caught:
        ask("111111111111", "ListTagsForResource", resourceArn=made)
    assert caught.value.status == 400


def test_in_process_all_lost_answers_are_of_one_family() -> None:
    """So that a port of a simulation needs one `except` for an unknown outcome."""
    assert issubclass(ConnectionCutError, AnswerLostError)
    assert issubclass(DamagedAnswerError, AnswerLostError)
