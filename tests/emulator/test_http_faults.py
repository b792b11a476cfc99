"""What an SDK makes of each fault: the errors that a client has to live with."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    ReadTimeoutError,
)

from cleanrooms_playground.servers import Emulator as Server
from cleanrooms_playground.waiting import wait_for
from model_samples import COLLABORATION
from wire import send, signed

MakeClient = Callable[..., Any]
Arm = Callable[..., None]
Count = Callable[[], int]


@pytest.fixture
def arm(server: Server, account: str) -> Iterator[Arm]:
    """Put faults on this test's account alone, and lift them after it."""
    numbers = []

    def armed(kind: str, **more: Any) -> None:
        fault = {"kind": kind, "account": account, **more}
        answer = send(server.url, "POST", "/_emulator/faults", body=fault)
        assert answer.status == 201, answer.document
        numbers.append(answer.document["id"])

    yield armed
    for number in numbers:
        send(server.url, "DELETE", f"/_emulator/faults/{number}")


@pytest.fixture
def cleanrooms(client: MakeClient, account: str) -> Any:
    """Ask as the account that the faults are put on."""
    return client("cleanrooms", account, read_timeout=1)


@pytest.fixture
def count(server: Server, account: str) -> Count:
    """Count the account's collaborations."""

    def counted() -> int:
        listed = send(server.url, "GET", "/collaborations", signed(account)).document
        return len(listed["collaborationList"])

    return counted


@pytest.mark.parametrize("status", [429, 400])
def test_er32_throttles_come_in_both_forms(arm: Arm, cleanrooms: Any, status: int) -> None:
    arm("throttle", operation="CreateCollaboration", status=status)
    with pytest.raises(ClientError, match="ThrottlingException") as caught:
        cleanrooms.create_collaboration(**COLLABORATION)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_denied(arm: Arm, cleanrooms: Any) -> None:
    arm("deny", operation="CreateCollaboration")
    with pytest.raises(ClientError, match="AccessDeniedException") as caught:
        cleanrooms.create_collaboration(**COLLABORATION)
    assert caught.value.response["reason"] == "INSUFFICIENT_PERMISSIONS"


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        pytest.param("lose-request", 0, id="request"),
        pytest.param("lose-response", 1, id="response"),
    ],
)
def test_er29_cut_connections_look_alike(
    arm: Arm, cleanrooms: Any, count: Count, kind: str, made: int
) -> None:
    arm(kind, operation="CreateCollaboration")
    with pytest.raises(ConnectionClosedError):
        cleanrooms.create_collaboration(**COLLABORATION)
    assert count() == made


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        pytest.param("lose-request", 0, id="request"),
        pytest.param("lose-response", 1, id="response"),
    ],
)
def test_er29_silence_times_out(
    arm: Arm, cleanrooms: Any, count: Count, kind: str, made: int
) -> None:
    arm(kind, operation="CreateCollaboration", seconds=60)
    with pytest.raises(ReadTimeoutError):
        cleanrooms.create_collaboration(**COLLABORATION)
    assert count() == made


@pytest.mark.parametrize(
    ("status", "code"), [(500, "InternalFailure"), (503, "ServiceUnavailable")]
)
def test_er29_lost_response_as_5xx(
    arm: Arm, cleanrooms: Any, count: Count, status: int, code: str
) -> None:
    arm("lose-response", operation="CreateCollaboration", status=status)
    with pytest.raises(ClientError, match=code) as caught:
        cleanrooms.create_collaboration(**COLLABORATION)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert count() == 1


@pytest.mark.parametrize("status", [403, 503])
def test_r31_page_of_a_proxy_has_no_code(
    arm: Arm, cleanrooms: Any, count: Count, status: int
) -> None:
    """Botocore then makes a code of the status: '403', '503'."""
    arm("html", operation="CreateCollaboration", status=status)
    with pytest.raises(ClientError) as caught:
        cleanrooms.create_collaboration(**COLLABORATION)
    assert caught.value.response["Error"]["Code"] == str(status)
    assert "x-amzn-errortype" not in caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert count() == 0


@pytest.mark.parametrize("kind", ["truncate", "garbage"])
def test_r31_damaged_200_passes_for_success(
    arm: Arm, cleanrooms: Any, count: Count, kind: str
) -> None:
    """Botocore takes it without complaint, and it has no handle."""
    arm(kind, operation="CreateCollaboration")
    try:
        answer = cleanrooms.create_collaboration(**COLLABORATION)
    except HTTPClientError:
        pytest.fail("botocore has become stricter: tell the operator's error table")
    assert "collaboration" not in answer
    assert count() == 1


def test_delayed_request_is_applied_though_the_client_has_gone(
    arm: Arm, cleanrooms: Any, count: Count
) -> None:
    arm("delay", operation="CreateCollaboration", seconds=2)
    with pytest.raises(ReadTimeoutError):
        cleanrooms.create_collaboration(**COLLABORATION)
    assert count() == 0
    assert wait_for("the late create", lambda: count() == 1)


def test_delayed_response_was_applied_at_once(arm: Arm, cleanrooms: Any, count: Count) -> None:
    arm("delay-response", operation="CreateCollaboration", seconds=2)
    with pytest.raises(ReadTimeoutError):
        cleanrooms.create_collaboration(**COLLABORATION)
    assert count() == 1


def test_r31_lag_over_http(arm: Arm, cleanrooms: Any, count: Count) -> None:
    arm("lag", operation="List*", seconds=60)
    made = cleanrooms.create_collaboration(**COLLABORATION)["collaboration"]
    assert cleanrooms.get_collaboration(collaborationIdentifier=made["id"])
    assert count() == 0
