"""The wire: who is asked, what is read, and how answers look, byte for byte."""

import email.utils
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from botocore.exceptions import ClientError

from cleanrooms_playground.servers import Emulator as Server
from model_samples import COLLABORATION, UUID
from wire import Raw, send, signed

MakeClient = Callable[..., Any]
StartServer = Callable[..., Server]
Connect = Callable[[Server], MakeClient]


@pytest.fixture
def location(account: str) -> dict[str, Any]:
    """Name a place where ML output goes."""
    return {
        "roleArn": f"arn:aws:iam::{account}:role/ml",
        "destination": {"s3Destination": {"s3Uri": "s3://bucket/key"}},
    }


@pytest.fixture
def membership(client: MakeClient, account: str) -> str:
    """Join a collaboration of one's own."""
    cleanrooms = client("cleanrooms", account)
    made = cleanrooms.create_collaboration(**COLLABORATION)["collaboration"]
    joined = cleanrooms.create_membership(
        collaborationIdentifier=made["id"], queryLogStatus="DISABLED"
    )
    identifier: str = joined["membership"]["id"]
    return identifier


@pytest.mark.parametrize("target", ["/collaborations", "/nowhere", "/"])
def test_r29_unsigned_requests_are_refused(server: Server, target: str) -> None:
    answer = send(server.url, "GET", target)
    assert (answer.status, answer.code) == (403, "MissingAuthenticationToken")
    assert answer.document["message"]


@pytest.mark.parametrize("signing_name", ["cleanrooms", "cleanrooms-ml"])
def test_r29_unknown_paths_are_unknown_operations(server: Server, signing_name: str) -> None:
    answer = send(server.url, "GET", "/nowhere", signed("111111111111", signing_name))
    assert (answer.status, answer.code) == (404, "UnknownOperationException")


def test_r29_signing_name_decides_between_services_of_one_path(server: Server) -> None:
    target = f"/memberships/{UUID}"
    ml = send(server.url, "GET", target, signed("111111111111", "cleanrooms-ml"))
    assert ml.code == "UnknownOperationException"
    cleanrooms = send(server.url, "GET", target, signed("111111111111", "cleanrooms"))
    assert cleanrooms.code == "ResourceNotFoundException"
    tags = f"/tags/{quote('arn:aws:cleanrooms-ml:us-east-1:1:x', safe='')}"
    for name, fields in {"cleanrooms": True, "cleanrooms-ml": False}.items():
        answer = send(server.url, "GET", tags, signed("111111111111", name))
        assert answer.code == "ValidationException"
        assert ("fieldList" in answer.document) == fields


def test_r29_a_service_that_is_not_here_is_out_of_scope(server: Server) -> None:
    answer = send(server.url, "GET", "/", signed("111111111111", "s3"))
    assert (answer.status, answer.code) == (403, "InvalidSignatureException")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"Authorization": "Bearer abc"}, id="another scheme"),
        pytest.param({"Authorization": "AWS4-HMAC-SHA256 Credential=a/b"}, id="half a scope"),
        pytest.param({"X-Amz-Date": "yesterday"}, id="no date"),
    ],
)
def test_r29_signatures_of_another_form_are_refused(
    server: Server, changes: dict[str, str]
) -> None:
    headers = {**signed("111111111111"), **changes}
    answer = send(server.url, "GET", "/collaborations", headers)
    assert (answer.status, answer.code) == (403, "IncompleteSignature")


def test_r29_path_is_split_before_it_is_decoded(server: Server) -> None:
    headers = signed("111111111111", "cleanrooms-ml")
    arn = "arn:aws:cleanrooms-ml:us-east-1:111111111111:configured-model-algorithm/abc"
    encoded = f"/tags/{quote(arn, safe='')}"
    assert send(server.url, "GET", encoded, headers).code == "ResourceNotFoundException"
    whole = f"/tags/{quote(arn, safe='/:')}"
    assert send(server.url, "GET", whole, headers).code == "UnknownOperationException"


def test_region_is_that_of_the_scope(client: MakeClient, account: str) -> None:
    made = client("cleanrooms", account).create_collaboration(**COLLABORATION)["collaboration"]
    assert ":us-east-1:" in made["arn"]
    elsewhere = client("cleanrooms", account, "eu-west-1")
    assert elsewhere.list_collaborations()["collaborationList"] == []
    with pytest.raises(ClientError, match="AccessDeniedException"):
        elsewhere.get_collaboration(collaborationIdentifier=made["id"])


def test_unknown_keys_are_refused(client: MakeClient) -> None:
    with pytest.raises(ClientError, match="UnrecognizedClientException") as caught:
        client("cleanrooms", "AKIAUNKNOWN").list_collaborations()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_keys_are_those_of_the_account_map(start_server: StartServer, connect: Connect) -> None:
    server = start_server("--account", "AKIAMAPPED=123456789012")
    identity = connect(server)("sts", "AKIAMAPPED").get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert identity["Arn"] == "arn:aws:iam::123456789012:user/AKIAMAPPED"


def test_every_answer_has_a_request_id_of_its_own(server: Server) -> None:
    headers = signed("111111111111")
    targets = ("/collaborations", "/collaborations", "/nowhere", f"/memberships/{UUID}")
    answers = [send(server.url, "GET", target, headers) for target in targets]
    answers.append(send(server.url, "GET", "/collaborations"))
    assert len({answer.headers["x-amzn-requestid"] for answer in answers}) == len(answers)


def test_errors_carry_their_modelled_members(server: Server) -> None:
    answer = send(server.url, "GET", f"/memberships/{UUID}", signed("111111111111"))
    assert (answer.status, answer.code) == (404, "ResourceNotFoundException")
    assert answer.headers["content-type"] == "application/json"
    assert answer.document.keys() == {"message", "resourceId", "resourceType"}


def test_timestamps_of_cleanrooms_are_numbers(server: Server, account: str) -> None:
    answer = send(server.url, "POST", "/collaborations", signed(account), COLLABORATION)
    assert isinstance(answer.document["collaboration"]["createTime"], float)


def test_timestamps_of_ml_are_iso_strings(
    server: Server, account: str, membership: str, location: dict[str, Any]
) -> None:
    headers = signed(account, "cleanrooms-ml")
    target = f"/memberships/{membership}/ml-configurations"
    put = send(server.url, "PUT", target, headers, {"defaultOutputLocation": location})
    assert (put.status, put.body) == (200, b"")
    answer = send(server.url, "GET", target, headers)
    assert answer.document["createTime"][-5] == "."
    assert answer.document["createTime"][-1] == "Z"


def test_absent_members_are_absent(server: Server, account: str) -> None:
    answer = send(server.url, "POST", "/collaborations", signed(account), COLLABORATION)
    assert None not in answer.document["collaboration"].values()
    assert "dataEncryptionMetadata" not in answer.document["collaboration"]


def test_deletes_of_cleanrooms_are_204_without_a_body(server: Server, account: str) -> None:
    made = send(server.url, "POST", "/collaborations", signed(account), COLLABORATION)
    target = f"/collaborations/{made.document['collaboration']['id']}"
    answer = send(server.url, "DELETE", target, signed(account))
    assert (answer.status, answer.body) == (204, b"")


def test_deletes_of_ml_are_200_without_a_body(
    server: Server, account: str, membership: str, location: dict[str, Any]
) -> None:
    headers = signed(account, "cleanrooms-ml")
    target = f"/memberships/{membership}/ml-configurations"
    send(server.url, "PUT", target, headers, {"defaultOutputLocation": location})
    answer = send(server.url, "DELETE", target, headers)
    assert (answer.status, answer.body) == (200, b"")


def test_empty_output_structures_are_empty_objects(
    server: Server, client: MakeClient, account: str
) -> None:
    made = client("cleanrooms", account).create_collaboration(**COLLABORATION)["collaboration"]
    target = f"/tags/{quote(made['arn'], safe='')}"
    answer = send(server.url, "POST", target, signed(account), {"tags": {"a": "b"}})
    assert (answer.status, answer.body) == (200, b"{}")


def test_query_string_repeats_the_elements_of_a_list(client: MakeClient, account: str) -> None:
    cleanrooms = client("cleanrooms", account)
    tags = {"a": "1", "b ä&=+/": "2", "c": "3"}
    arn = cleanrooms.create_collaboration(**COLLABORATION, tags=tags)["collaboration"]["arn"]
    cleanrooms.untag_resource(resourceArn=arn, tagKeys=["a", "b ä&=+/"])
    assert cleanrooms.list_tags_for_resource(resourceArn=arn)["tags"] == {"c": "3"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="half an object"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"\xff", id="no UTF-8"),
        pytest.param(b'{"name": NaN}', id="no number"),
        pytest.param(b"[" * 100_000, id="too deep"),
    ],
)
def test_body_is_a_json_object(server: Server, body: bytes) -> None:
    answer = send(server.url, "POST", "/collaborations", signed("111111111111"), body)
    assert (answer.status, answer.code) == (400, "SerializationException")


def test_null_in_a_body_equals_absent(server: Server, account: str) -> None:
    body = {**COLLABORATION, "description": None, "tags": None, "unknown": {"x": 1}}
    answer = send(server.url, "POST", "/collaborations", signed(account), body)
    assert answer.status == 200
    assert "description" not in answer.document["collaboration"]


def test_a_body_does_not_set_what_is_in_the_path(server: Server, account: str) -> None:
    made = send(server.url, "POST", "/collaborations", signed(account), COLLABORATION)
    identifier = made.document["collaboration"]["id"]
    body = {"name": "renamed", "collaborationIdentifier": UUID}
    answer = send(server.url, "PATCH", f"/collaborations/{identifier}", signed(account), body)
    assert answer.document["collaboration"]["id"] == identifier


@pytest.mark.parametrize("value", ["0", "101", "many", "1.5", ""])
def test_numbers_of_a_query_are_validated(server: Server, value: str) -> None:
    target = f"/collaborations?maxResults={value}"
    answer = send(server.url, "GET", target, signed("111111111111"))
    assert answer.code == "ValidationException"
    assert [field["name"] for field in answer.document["fieldList"]] == ["maxResults"]


def test_r28_date_header_is_of_the_emulated_clock(start_server: StartServer) -> None:
    server = start_server("--speed", "0")
    clock = send(server.url, "POST", "/_emulator/clock", body={"now": "2031-02-03T04:05:06Z"})
    assert clock.document == {"now": "2031-02-03T04:05:06+00:00", "speed": 0}
    answer = send(server.url, "GET", "/collaborations", signed("111111111111"))
    date = email.utils.parsedate_to_datetime(answer.headers["date"])
    assert date.isoformat() == "2031-02-03T04:05:06+00:00"


def test_r28_emulated_clock_gives_the_timestamps(start_server: StartServer) -> None:
    server = start_server("--speed", "0")
    send(server.url, "POST", "/_emulator/clock", body={"now": "2031-02-03T04:05:06Z"})
    made = send(server.url, "POST", "/collaborations", signed("111111111111"), COLLABORATION)
    assert made.document["collaboration"]["createTime"] == 1927857906.0


def received_first(server: Server, request: bytes) -> bytes:
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(request)
        return connection.recv(65536)


def test_headers_and_body_come_in_one_segment(server: Server) -> None:
    headers = "".join(f"{k}: {v}\r\n" for k, v in signed("111111111111").items())
    request = f"GET /collaborations HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode()
    for _ in range(20):
        head, _, body = received_first(server, request).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert body == b'{"collaborationList":[]}'


def refused(server: Server, age_seconds: int) -> Raw:
    headers = signed("111111111111", age_seconds=age_seconds)
    return send(server.url, "GET", "/collaborations", headers)


def test_r7_stale_signatures_are_refused(server: Server) -> None:
    answer = refused(server, age_seconds=400)
    assert (answer.status, answer.code) == (403, "InvalidSignatureException")
    assert answer.document["message"].startswith("Signature expired: ")


@pytest.mark.parametrize("age_seconds", [0, 200, -4000])
def test_r7_fresh_signatures_and_those_ahead_are_let_through(
    server: Server, age_seconds: int
) -> None:
    """An SDK that corrects its clock by the Date header follows the emulated one, far ahead."""
    assert refused(server, age_seconds).status == 200


def test_r7_switch_lets_any_age_through(start_server: StartServer) -> None:
    assert refused(start_server("--signature-life", "0"), age_seconds=10**6).status == 200


def test_r7_a_request_that_is_held_back_too_long_is_not_applied(
    start_server: StartServer, account: str
) -> None:
    """The signature was fresh when it was sent, but not when it arrived."""
    server = start_server("--signature-life", "3")
    fault = {"kind": "delay", "seconds": 2.5, "count": 1}
    send(server.url, "POST", "/_emulator/faults", body=fault)
    headers = signed(account, age_seconds=1)
    answer = send(server.url, "POST", "/collaborations", headers, COLLABORATION)
    assert answer.code == "InvalidSignatureException"
    listed = send(server.url, "GET", "/collaborations", signed(account))
    assert listed.document == {"collaborationList": []}
    records = send(server.url, "GET", "/_emulator/log").document["records"]
    assert [(r["operation"], r["applied"], r["answered"]) for r in records] == [
        ("CreateCollaboration", False, "InvalidSignatureException"),
        ("ListCollaborations", True, "OK"),
    ]
