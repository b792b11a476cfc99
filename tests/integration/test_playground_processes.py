"""Processes are started, waited for and ended, and their logs explain what went wrong."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cleanrooms_playground.errors import NotInTimeError, PlaygroundError, ProcessDiedError
from cleanrooms_playground.processes import Process, pid_path
from cleanrooms_playground.waiting import wait_for

READY = "import sys, time; print('listening on 4711', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + READY
Start = Callable[..., Process]


def has_ended(pid: int) -> bool:
    """Tell whether it is gone, or is only waiting for init to take notice."""
    shown = subprocess.run(  # noqa: S603  a fixed program
        ["/bin/ps", "-o", "stat=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return shown.stdout.strip()[:1] in {"", "Z"}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start Python programs that are ended with the test."""
    started = []

    def start_program(program: str, env: dict[str, str] | None = None) -> Process:
        argv = [sys.executable, "-c", program]
        process = Process("sample", argv, env, tmp_path / f"sample-{len(started)}.log")
        started.append(process)
        process.start()
        return process

    yield start_program
    for process in started:
        process.stop(timeout_seconds=0.1)


def test_a_line_of_its_output_is_waited_for(start: Start) -> None:
    process = start(READY)
    assert process.wait_for_line(r"listening on (\d+)", 20)[1] == "4711"
    assert process.alive
    assert process.returncode is None
    assert pid_path(process.log_path).read_text() == str(process.pid)


def test_the_environment_is_the_given_one_alone(start: Start) -> None:
    process = start("import os; print(sorted(os.environ)[:1])", {"A_COLOUR": "blue"})
    with pytest.raises(ProcessDiedError, match=r"exit code 0; .*\n\['A_COLOUR'\]"):
        process.wait_until("never", lambda: False, 20)


def test_an_answer_over_http_is_waited_for(start: Start) -> None:
    process = start(
        "import http.server\n"
        "server = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\n"
        "print(f'at {server.server_port};', flush=True); server.serve_forever()"
    )
    port = process.wait_for_line(r"at (\d+);", 20)[1]
    process.wait_for_url(f"http://127.0.0.1:{port}/", 20)


def test_one_that_is_late_shows_its_log(start: Start) -> None:
    process = start(READY)
    process.wait_for_line("listening", 20)
    with pytest.raises(NotInTimeError, match=r"(?s)sample: a miracle.*listening on 4711"):
        process.wait_until("a miracle", lambda: False, 0.2)


def test_stop_ends_it_gently(start: Start) -> None:
    process = start(READY)
    process.stop()
    assert process.returncode == -signal.SIGTERM
    process.stop()


def test_stop_kills_what_does_not_listen(start: Start) -> None:
    process = start(STUBBORN)
    process.wait_for_line("listening", 20)
    process.stop(timeout_seconds=0.2)
    assert process.returncode == -signal.SIGKILL


def test_its_children_end_with_it(start: Start) -> None:
    process = start(
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {READY!r}])\n"
        "print(f'child {child.pid};', flush=True); child.wait()"
    )
    child = int(process.wait_for_line(r"child (\d+);", 20)[1])
    process.kill9()
    assert process.returncode == -signal.SIGKILL
    wait_for(f"process {child} to end", lambda: has_ended(child), 20)


def test_it_can_be_started_again_and_its_old_output_is_not_taken_for_new(start: Start) -> None:
    process = start(READY)
    process.wait_for_line("listening", 20)
    first = process.pid
    process.kill9()
    process.argv = (sys.executable, "-c", READY.replace("4711", "4712"))
    process.start()
    assert process.wait_for_line(r"listening on (\d+)", 20)[1] == "4712"
    assert process.pid != first
    assert "4711" not in process.log_tail()


def test_it_is_not_started_twice(start: Start) -> None:
    process = start(READY)
    with pytest.raises(PlaygroundError, match="already running"):
        process.start()
    twin = Process("twin", process.argv, None, process.log_path)
    with pytest.raises(PlaygroundError, match="earlier run still holds"):
        twin.start()


def test_one_that_was_never_started_says_so(tmp_path: Path) -> None:
    process = Process("sample", ["true"], dict(os.environ), tmp_path / "sample.log")
    assert not process.alive
    process.stop()
    with pytest.raises(PlaygroundError, match="never started"):
        process.kill9()
