"""The emulator as one synchronous object: what it makes of backends, time and rules."""

import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from cleanrooms_emulator.emulator import BackendDefectError, Emulator, created_by
from cleanrooms_emulator.model import operation
from cleanrooms_emulator.request import Answer, Caller, Clock, Ids, Request, ServiceError
from cleanrooms_emulator.rules import Rules
from cleanrooms_emulator.store import Store, Value
from cleanrooms_emulator.virtual import EPOCH, CountedIds, VirtualTime
from model_samples import COLLABORATION, UUID

CALLER = Caller("111111111111", "arn:aws:iam::111111111111:root", "us-east-1")


def behaving(**methods: Answer) -> Emulator:
    """Return an emulator whose cleanrooms has these methods and no others."""
    time = VirtualTime()

    def behaviour(_: Clock, __: Rules, ___: Ids, ____: Store) -> Mapping[str, object]:
        return {"cleanrooms": SimpleNamespace(**methods), "cleanroomsml": SimpleNamespace()}

    return Emulator(time, Rules(), CountedIds(), wall=time.wall, behaviour=behaviour)


def listed(emulator: Emulator) -> Mapping[str, Any]:
    return emulator.handle(Request(CALLER, "cleanrooms", "ListCollaborations", {}))


def raising(error: ServiceError) -> Answer:
    def raised(_: Caller, __: Mapping[str, Any]) -> Mapping[str, Any]:
        raise error

    return raised


def test_operation_without_behaviour_is_not_implemented() -> None:
    with pytest.raises(ServiceError, match="EmulatorNotImplemented"):
        listed(behaving())


@pytest.mark.parametrize("names", [("cleanrooms", "CreateNothing"), ("s3", "ListBuckets")], ids=str)
def test_what_is_no_operation_is_unknown(emulator: Emulator, names: tuple[str, str]) -> None:
    with pytest.raises(ServiceError, match="UnknownOperationException"):
        emulator.handle(Request(CALLER, *names, {}))


def test_backends_get_only_what_was_validated() -> None:
    asked: list[Mapping[str, Any]] = []

    def list_collaborations(caller: Caller, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        assert caller == CALLER
        asked.append(parameters)
        return {"collaborationList": []}

    emulator = behaving(list_collaborations=list_collaborations)
    parameters = {"maxResults": 3, "nextToken": None, "unknown": 1}
    emulator.handle(Request(CALLER, "cleanrooms", "ListCollaborations", parameters))
    assert asked == [{"maxResults": 3}]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({}, id="a required member missing"),
        pytest.param({"collaborationList": [], "more": 1}, id="an unknown member"),
        pytest.param({"collaborationList": [], "nextToken": None}, id="None for absent"),
        pytest.param({"collaborationList": "none"}, id="another type"),
    ],
)
def test_wrong_answer_of_a_backend_is_a_defect(answer: Mapping[str, Any]) -> None:
    emulator = behaving(list_collaborations=lambda _, __: answer)
    with pytest.raises(BackendDefectError, match="ListCollaborations"):
        listed(emulator)
    assert emulator.log.since()[-1].answered == "InternalFailure"


def test_error_that_an_operation_does_not_model_is_a_defect() -> None:
    error = ServiceError("ConflictException", "m")
    with pytest.raises(BackendDefectError, match="does not model ConflictException"):
        listed(behaving(list_collaborations=raising(error)))


def test_error_without_a_required_member_is_a_defect() -> None:
    def get_membership(_: Caller, __: Mapping[str, Any]) -> Mapping[str, Any]:
        raise missing

    missing = ServiceError("ResourceNotFoundException", "m", resourceId=UUID)
    request = Request(CALLER, "cleanrooms", "GetMembership", {"membershipIdentifier": UUID})
    with pytest.raises(BackendDefectError, match="resourceType"):
        behaving(get_membership=get_membership).handle(request)


def test_error_carries_only_the_members_of_its_shape() -> None:
    error = ServiceError("AccessDeniedException", "m", reason="INSUFFICIENT_PERMISSIONS", more=1)
    with pytest.raises(ServiceError) as caught:
        listed(behaving(list_collaborations=raising(error)))
    assert caught.value.members == {"reason": "INSUFFICIENT_PERMISSIONS"}


@dataclass(frozen=True, slots=True)
class Ticket(Value):
    """Waits for a minute, three times."""

    calls: int
    at: datetime

    @property
    def key(self) -> str:
        return "the one"

    @property
    def due(self) -> datetime | None:
        return self.at + timedelta(minutes=1) if self.calls < 3 else None

    def advanced(self, store: Store) -> "Ticket":
        del store
        assert self.due is not None
        return replace(self, calls=self.calls + 1, at=self.due)


def test_r27_due_changes_are_applied_by_each_call() -> None:
    time = VirtualTime()
    seen: list[Ticket | None] = []

    def behaviour(_: Clock, __: Rules, ___: Ids, store: Store) -> Mapping[str, object]:
        def list_collaborations(_: Caller, __: Mapping[str, Any]) -> Mapping[str, Any]:
            seen.append(store.get(Ticket, "the one"))
            return {"collaborationList": []}

        return {"cleanrooms": SimpleNamespace(list_collaborations=list_collaborations)}

    emulator = Emulator(time, Rules(), CountedIds(), wall=time.wall, behaviour=behaviour)
    emulator.store.put(Ticket(0, EPOCH))
    for _ in range(5):
        listed(emulator)
        time.step(timedelta(seconds=45))
    assert [ticket.calls for ticket in seen if ticket] == [0, 0, 1, 2, 3]


def test_r27_same_history_gives_the_same_answers() -> None:
    def history() -> list[Mapping[str, Any]]:
        time = VirtualTime()
        emulator = Emulator(time, Rules(), CountedIds(), wall=time.wall)
        answers = []
        for name in ("a", "b"):
            parameters = {**COLLABORATION, "name": name}
            request = Request(CALLER, "cleanrooms", "CreateCollaboration", parameters)
            answers.append(emulator.handle(request))
            time.elapse(1)
        return [*answers, listed(emulator)]

    assert history() == history()


def test_r27_emulators_share_nothing_and_start_no_thread(ask: Any, emulator: Emulator) -> None:
    threads = threading.active_count()
    other = VirtualTime()
    ask(CALLER.account, "CreateCollaboration", **COLLABORATION)
    fresh = Emulator(other, Rules(), CountedIds(), wall=other.wall)
    assert len(listed(emulator)["collaborationList"]) == 1
    assert listed(fresh)["collaborationList"] == []
    assert threading.active_count() == threads


def test_r27_in_process_there_is_no_loop_and_no_http() -> None:
    code = """if True:
        import sys
        import cleanrooms_emulator.emulator, cleanrooms_emulator.virtual
        print([name for name in ("asyncio", "aiohttp", "uvloop") if name in sys.modules])
    """
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout.strip() == "[]"


def test_r27_answers_and_requests_share_nothing_with_the_store(ask: Any) -> None:
    members = [{"accountId": "222222222222", "displayName": "d", "memberAbilities": []}]
    regions = ["eu-west-1"]
    made = ask(
        CALLER.account,
        "CreateCollaboration",
        **{**COLLABORATION, "members": members, "allowedResultRegions": regions},
    )["collaboration"]
    regions.append("us-east-1")
    made["allowedResultRegions"].append("us-west-2")
    found = ask(CALLER.account, "GetCollaboration", collaborationIdentifier=made["id"])
    assert found["collaboration"]["allowedResultRegions"] == ["eu-west-1"]


def test_rules_can_be_changed_while_it_runs(emulator: Emulator, ask: Any) -> None:
    for _ in range(3):
        ask(CALLER.account, "CreateCollaboration", **COLLABORATION)
    assert "nextToken" not in listed(emulator)
    emulator.use_rules(Rules.parse(["ER-2=one"]))
    assert len(listed(emulator)["collaborationList"]) == 1
    assert "nextToken" in listed(emulator)


@pytest.mark.parametrize(
    ("names", "result", "created"),
    [
        pytest.param(
            ("cleanrooms", "CreateCollaboration"),
            {"collaboration": {"id": "i", "arn": "a"}},
            "a",
            id="an ARN within",
        ),
        pytest.param(
            ("cleanrooms", "CreateCollaborationChangeRequest"),
            {"collaborationChangeRequest": {"id": "i"}},
            "i",
            id="an identifier within",
        ),
        pytest.param(
            ("cleanroomsml", "CreateTrainedModel"),
            {"trainedModelArn": "a", "versionIdentifier": "v"},
            "a",
            id="an ARN",
        ),
        pytest.param(("cleanroomsml", "StartTrainedModelExportJob"), {}, None, id="nothing"),
        pytest.param(("cleanrooms", "GetCollaboration"), {"collaboration": {"arn": "a"}}, None),
    ],
)
def test_r30_created_handle_is_found(
    names: tuple[str, str], result: Mapping[str, Any], created: str | None
) -> None:
    asked = operation(*names)
    assert asked is not None
    assert created_by(asked, result) == created
