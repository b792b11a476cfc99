"""The command line: `cleanrooms-emulator serve`."""

import json
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cleanrooms_emulator.__main__ import main
from cleanrooms_playground.processes import Process
from cleanrooms_playground.servers import Emulator as Server
from cleanrooms_playground.servers import isolated_environment
from cleanrooms_playground.waiting import wait_for
from model_samples import COLLABORATION
from wire import send, signed

StartServer = Callable[..., Server]
Run = Callable[..., Process]

READY_SECONDS = 60


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Start the console script."""
    running: list[Process] = []

    def start(*arguments: str) -> Process:
        script = Path(sys.executable).with_name("cleanrooms-emulator")
        log = tmp_path / f"{len(running)}.log"
        process = Process("emulator", [script, "serve", *arguments], isolated_environment(), log)
        running.append(process)
        process.start()
        return process

    yield start
    for process in running:
        process.stop()


def refused(*arguments: str) -> Result:
    """Run what fails before it listens."""
    result = CliRunner().invoke(main, ["serve", *arguments])
    assert result.exit_code
    return result


def test_first_line_is_the_address_and_the_rest_is_to_be_exported(run: Run) -> None:
    process = run("--port", "0")
    url = process.wait_for_line(r"listening on (http://127\.0\.0\.1:\d+)\n", READY_SECONDS)[1]
    process.wait_for_line("AWS_DEFAULT_REGION", READY_SECONDS)
    lines = process.output().splitlines()
    assert lines[0] == f"listening on {url}"
    assert f"  export AWS_ENDPOINT_URL={url}" in lines
    assert send(url, "GET", "/_emulator/health").document["speed"] == 60


def test_address_as_json(run: Run) -> None:
    process = run("--port", "0", "-o", "json")
    printed = json.loads(process.wait_for_line(r"\{.*\}\n", READY_SECONDS)[0])
    assert printed["environment"]["AWS_ENDPOINT_URL"] == printed["url"]
    assert send(printed["url"], "GET", "/_emulator/health").status == 200


def test_the_clock_starts_when_it_is_told_to(run: Run) -> None:
    process = run("--port", "0", "--speed", "0", "--start", "2026-01-31T12:00:00+01:00")
    url = process.wait_for_line(r"http://127\.0\.0\.1:\d+", READY_SECONDS)[0]
    shown = send(url, "GET", "/_emulator/clock").document
    assert shown == {"now": "2026-01-31T11:00:00+00:00", "speed": 0}


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly_though_a_client_waits(run: Run, signum: signal.Signals) -> None:
    process = run("--port", "0", "--fault", "kind=lose-request,seconds=600")
    url = process.wait_for_line(r"http://127\.0\.0\.1:\d+", READY_SECONDS)[0]
    address = url.removeprefix("http://").split(":")
    headers = "".join(f"{name}: {value}\r\n" for name, value in signed("111111111111").items())
    with socket.create_connection((address[0], int(address[1]))) as waiting:
        waiting.sendall(f"GET /collaborations HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
        process.wait_until(
            "the request to be taken", lambda: bool(records(url)), timeout_seconds=20
        )
        process.send(signum)
        assert waiting.recv(1) == b""
        wait_for("its end", lambda: not process.alive)
    assert process.returncode == 0
    assert "Traceback" not in process.output()


def records(url: str) -> list[object]:
    found: list[object] = send(url, "GET", "/_emulator/log").document["records"]
    return found


def test_port_that_is_taken_is_told(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = run("--port", str(taken.getsockname()[1]))
        wait_for("its end", lambda: not process.alive)
    assert process.returncode == 1
    assert "address already in use" in process.output()
    assert "Traceback" not in process.output()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("--rule", "ER-9=perhaps"), "refuse, accept", id="an unknown reading"),
        pytest.param(("--rule", "ER-999=x"), "ER-9", id="an unknown rule"),
        pytest.param(("--fault", "kind=break"), "faults.0.kind", id="an unknown fault"),
        pytest.param(("--fault", "kind=lag"), "lag needs seconds", id="half a fault"),
        pytest.param(("--account", "AKIA=12"), "accounts.AKIA", id="no account"),
        pytest.param(("--role", "arn,x=1"), "trusts and externalId", id="an unknown word"),
        pytest.param(("--config", "nowhere.json"), "does not exist", id="no such file"),
        pytest.param(("--speed", "-1"), "-1.0 is not in the range", id="a clock that goes back"),
        pytest.param(("--start", "yesterday"), "start: Input should be", id="no moment"),
        pytest.param(("--start", "2026-01-31T12:00:00"), "timezone", id="a moment of no zone"),
        pytest.param(("--port", "70000"), "not in the range", id="no such port"),
    ],
)
def test_nonsense_is_refused_with_a_reason(arguments: tuple[str, ...], said: str) -> None:
    result = refused(*arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_config_that_is_wrong_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "emulator.json"
    config.write_text('{"fault": []}')
    assert "fault: Extra inputs are not permitted" in refused("--config", str(config)).output


def test_file_and_command_line_are_put_together(start_server: StartServer, tmp_path: Path) -> None:
    config = tmp_path / "emulator.json"
    document = {
        "rules": {"ER-9": "accept", "quota.members": 7},
        "faults": [{"kind": "deny", "operation": "ListMembers"}],
        "accounts": {"AKIAFILE": "111111111111"},
        "roles": [{"arn": "arn:aws:iam::111111111111:role/r", "externalIds": ["xy"]}],
        "rates": False,
        "sessionSeconds": 60,
    }
    config.write_text(json.dumps(document))
    more = ("--rule", "ER-9=refuse", "--rule", "ER-2=one", "--fault", "kind=deny,operation=Get*")
    server = start_server("--config", str(config), *more, "--account", "AKIALINE=222222222222")
    rules = send(server.url, "GET", "/_emulator/rules").document
    assert (rules["ER-9"], rules["ER-2"], rules["quota.members"]) == ("refuse", "one", 7)
    faults = send(server.url, "GET", "/_emulator/faults").document["faults"]
    assert [fault["operation"] for fault in faults] == ["ListMembers", "Get*"]
    for key, account in {"AKIAFILE": "111111111111", "AKIALINE": "222222222222"}.items():
        made = send(server.url, "POST", "/collaborations", signed(key), COLLABORATION)
        assert made.document["collaboration"]["creatorAccountId"] == account
    statuses = {
        send(server.url, "GET", "/memberships", signed("111111111111")).status for _ in range(9)
    }
    assert statuses == {200}


def test_rates_are_enforced_unless_told_otherwise(start_server: StartServer) -> None:
    server = start_server()
    codes = [
        send(server.url, "GET", "/memberships", signed("111111111111")).code for _ in range(60)
    ]
    assert codes[:5] == [None] * 5
    assert "ThrottlingException" in codes
