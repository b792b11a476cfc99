"""R-30: every request is on record, and a test can count them."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.log import CAPACITY, RequestLog
from cleanrooms_emulator.request import Caller, Request, ServiceError
from cleanrooms_emulator.virtual import EPOCH, VirtualTime
from cleanrooms_playground.servers import Emulator as Server
from model_samples import COLLABORATION
from wire import send

MakeClient = Callable[..., Any]
Ask = Callable[..., Any]


def test_r30_record_holds_everything(emulator: Emulator, time: VirtualTime) -> None:
    time.elapse(5)
    request = Request(
        caller=Caller("111111111111", "arn:aws:iam::111111111111:root", "us-east-1"),
        service="cleanrooms",
        operation="CreateCollaboration",
        parameters=COLLABORATION,
        invocation_id="invocation",
        attempt="attempt=1; max=1",
    )
    made = emulator.handle(request)["collaboration"]
    (record,) = emulator.log.since()
    assert record.sequence == 1
    assert (record.emulated - EPOCH).total_seconds() == 5
    assert record.wall == EPOCH.timestamp() + 5
    assert (record.account, record.region) == ("111111111111", "us-east-1")
    assert record.principal == "arn:aws:iam::111111111111:root"
    assert (record.service, record.operation) == ("cleanrooms", "CreateCollaboration")
    assert record.parameters == COLLABORATION
    assert (record.applied, record.created, record.answered) == (True, made["arn"], "OK")
    assert (record.invocation_id, record.attempt) == ("invocation", "attempt=1; max=1")


@pytest.mark.parametrize(
    ("operation", "parameters", "answered"),
    [
        ("CreateCollaboration", {}, "ValidationException"),
        ("GetCollaboration", {"collaborationIdentifier": "x" * 36}, "ValidationException"),
        ("ListSchemas", {"collaborationIdentifier": "0" * 8}, "ValidationException"),
        ("CreateNothing", {}, "UnknownOperationException"),
    ],
)
def test_r30_refused_requests_are_on_record(
    emulator: Emulator, ask: Ask, operation: str, parameters: Any, answered: str
) -> None:
    with pytest.raises(ServiceError):
        ask("111111111111", operation, **parameters)
    (record,) = emulator.log.since()
    assert (record.operation, record.applied, record.answered) == (operation, False, answered)


def test_r30_log_is_a_ring_of_a_hundred_thousand() -> None:
    assert RequestLog()._records.maxlen == CAPACITY == 100_000


def test_r30_oldest_records_go(emulator: Emulator, ask: Ask) -> None:
    emulator.log = RequestLog(capacity=3)
    for _ in range(5):
        ask("111111111111", "ListCollaborations")
    assert [record.sequence for record in emulator.log.since()] == [3, 4, 5]
    assert [record.sequence for record in emulator.log.since(4)] == [5]


def records(server: Server, since: int) -> dict[str, Any]:
    answer: dict[str, Any] = send(server.url, "GET", f"/_emulator/log?since={since}").document
    return answer


def test_r30_log_is_read_over_http_from_where_one_was(
    server: Server, client: MakeClient, account: str
) -> None:
    since = records(server, 0)["since"]
    made = client("cleanrooms", account).create_collaboration(**COLLABORATION)["collaboration"]
    (record,) = records(server, since)["records"]
    assert record["created"] == made["arn"]
    assert record["account"] == account
    assert record["attempt"] == "attempt=1; max=1"
    assert record["emulated"].endswith("+00:00")
    assert records(server, record["sequence"]) == {"records": [], "since": record["sequence"]}


def test_r30_retries_of_an_sdk_share_an_invocation_id(
    server: Server, client: MakeClient, account: str
) -> None:
    """So a create that is sent twice is seen by its invocation id, which comes twice."""
    since = records(server, 0)["since"]
    fault = {"kind": "lose-response", "status": 500, "account": account, "count": 1}
    number = send(server.url, "POST", "/_emulator/faults", body=fault).document["id"]
    careless = Config(retries={"mode": "standard", "total_max_attempts": 3})
    client("cleanrooms", account, config=careless).create_collaboration(**COLLABORATION)
    send(server.url, "DELETE", f"/_emulator/faults/{number}")
    sent = records(server, since)["records"]
    assert [record["applied"] for record in sent] == [True, True]
    assert len({record["invocation_id"] for record in sent}) == 1
    assert "attempt=1" in sent[0]["attempt"]
    assert "attempt=2" in sent[1]["attempt"]


def test_r30_requests_that_get_no_further_than_the_front_are_on_record(server: Server) -> None:
    since = records(server, 0)["since"]
    send(server.url, "GET", "/nowhere?x=1")
    (record,) = records(server, since)["records"]
    assert record["operation"] == "GET /nowhere?x=1"
    assert (record["applied"], record["answered"]) == (False, "MissingAuthenticationToken")
