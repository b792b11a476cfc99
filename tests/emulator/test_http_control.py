"""The control endpoints: what a test sets and sees while the server runs."""

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.http.clock import ScaledClock, WallClock
from cleanrooms_emulator.http.control import TOKEN_HEADER, Control
from cleanrooms_playground.servers import Emulator as Server
from wire import send, signed

StartServer = Callable[..., Server]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server whose clock, faults and rules this module may change."""
    running = Server(tmp_path_factory.mktemp("emulator"), ("--speed", "0"))
    running.start()
    yield running
    running.process.stop()


@pytest.fixture
def server(own: Server) -> Server:
    """Stand in for the server that all tests share."""
    return own


def now(server: Server) -> datetime:
    return datetime.fromisoformat(send(server.url, "GET", "/_emulator/clock").document["now"])


def test_health_tells_the_emulated_time(server: Server) -> None:
    answer = send(server.url, "GET", "/_emulator/health")
    assert answer.status == 200
    assert answer.document["status"] == "ok"
    assert datetime.fromisoformat(answer.document["now"]) == now(server)


def test_clock_is_stopped_set_stepped_and_run(server: Server) -> None:
    begin = now(server)
    assert now(server) == begin
    stepped = send(server.url, "POST", "/_emulator/clock", body={"stepSeconds": 90}).document
    assert (datetime.fromisoformat(stepped["now"]) - begin).total_seconds() == 90
    change = {"now": "2030-01-01T00:00:00+01:00", "speed": 1_000_000}
    assert send(server.url, "POST", "/_emulator/clock", body=change).document["speed"] == 1e6
    running = now(server)
    assert running > datetime.fromisoformat("2029-12-31T23:00:00+00:00")
    assert now(server) > running
    send(server.url, "POST", "/_emulator/clock", body={"speed": 0})
    assert now(server) == now(server)


def test_faults_are_added_shown_and_lifted(server: Server) -> None:
    fault = {"kind": "deny", "operation": "ListMemberships", "count": 1}
    added = send(server.url, "POST", "/_emulator/faults", body=fault)
    number = added.document["id"]
    assert (added.status, added.document) == (
        201,
        {"id": number, **fault, "matched": 0, "struck": 0},
    )
    codes = [send(server.url, "GET", "/memberships", signed("111111111111")).code for _ in range(2)]
    assert codes == ["AccessDeniedException", None]
    shown = send(server.url, "GET", "/_emulator/faults").document["faults"]
    assert shown == [{"id": number, **fault, "matched": 2, "struck": 1}]
    assert send(server.url, "DELETE", f"/_emulator/faults/{number}").status == 200
    assert send(server.url, "DELETE", f"/_emulator/faults/{number}").status == 404
    send(server.url, "POST", "/_emulator/faults", body=fault)
    send(server.url, "DELETE", "/_emulator/faults")
    assert send(server.url, "GET", "/_emulator/faults").document == {"faults": []}


def test_failures_of_runs_are_ordered(server: Server) -> None:
    order = {"kind": "TrainedModel", "statusCode": "OUT_OF_MEMORY", "message": "m"}
    answer = send(server.url, "POST", "/_emulator/failures", body=order)
    assert (answer.status, answer.document) == (201, {**order, "name": None, "action": "create"})


def test_rules_are_shown_and_replaced(server: Server) -> None:
    shown = send(server.url, "GET", "/_emulator/rules").document
    assert shown["ER-9"] == "refuse"
    readings = {"ER-9": "accept", "quota.members": 7}
    changed = send(server.url, "PUT", "/_emulator/rules", body=readings).document
    assert changed == {**shown, **readings}
    assert send(server.url, "PUT", "/_emulator/rules", body={}).document == shown


@pytest.mark.parametrize(
    ("verb", "target", "body"),
    [
        ("POST", "/_emulator/faults", {"kind": "break"}),
        ("POST", "/_emulator/faults", b"{"),
        ("POST", "/_emulator/failures", {"kind": "Collaboration"}),
        ("POST", "/_emulator/clock", {"speed": -1}),
        ("POST", "/_emulator/clock", {"hands": 2}),
        ("PUT", "/_emulator/rules", {"ER-9": "perhaps"}),
        ("PUT", "/_emulator/rules", {"ER-999": "accept"}),
        ("PUT", "/_emulator/rules", b"[]]"),
        ("PUT", "/_emulator/rules", b"[]"),
        ("GET", "/_emulator/log?since=yesterday", None),
    ],
)
def test_nonsense_is_refused_with_a_reason(
    server: Server, verb: str, target: str, body: object
) -> None:
    answer = send(server.url, verb, target, body=body)
    assert answer.status == 400
    assert answer.document["message"]


def test_other_control_paths_are_not_found(server: Server) -> None:
    assert send(server.url, "GET", "/_emulator/nothing").status == 404


def test_r29_token_is_asked_for_where_one_is_set(start_server: StartServer) -> None:
    server = start_server("--control-token", "secret")
    target = "/_emulator/health"
    statuses = [
        send(server.url, "GET", target, headers).status
        for headers in ({}, {TOKEN_HEADER: "other"}, {TOKEN_HEADER: "secret"})
    ]
    assert statuses == [403, 403, 200]
    assert send(server.url, "GET", "/memberships", signed("111111111111")).status == 200


@pytest.mark.parametrize(
    ("remote", "admitted"),
    [("127.0.0.1", True), ("127.8.0.1", True), ("::1", True), ("192.0.2.7", False), (None, False)],
)
def test_r29_only_this_machine_controls_without_a_token(
    emulator: Emulator,
    remote: str | None,
    admitted: bool,  # noqa: FBT001 - a table's column
) -> None:
    clock = ScaledClock(WallClock(), speed=0)
    assert Control(emulator, clock).admits(remote, "") == admitted
    assert not Control(emulator, clock, token="set").admits(remote, "")  # noqa: S106 - a test's own
