"""Run the playground's servers as processes of their own, and leave none of them behind.

Each process has its own session, so that an interrupt typed at the terminal reaches the
playground alone, which then ends the processes in order. Beside its log lies a file with its
process id, locked for as long as the process lives: that tells a living process from another
one that was given the same id later.
"""

import atexit
import contextlib
import fcntl
import os
import re
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from cleanrooms_playground.errors import NotInTimeError, PlaygroundError, ProcessDiedError
from cleanrooms_playground.waiting import wait_for

PROBE_SECONDS = 2
STOP_SECONDS = 20
TAIL_LINES = 30


class Process:
    """A program that is started, waited for, and ended by its own process id.

    `argv[0]` is the program's path, `env` the whole environment (this process's own when it
    is None). Output of both kinds is appended to `log_path`. A process that is still running
    when the interpreter exits is stopped.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        env: Mapping[str, str] | None,
        log_path: Path,
    ) -> None:
        self.name = name
        self.argv = tuple(str(part) for part in argv)
        self.env = env
        self.log_path = log_path
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """The process id, also after the end; `PlaygroundError` before the first start."""
        return self._started().pid

    @property
    def alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self._popen is not None and self._popen.poll() is None

    @property
    def returncode(self) -> int | None:
        """The exit code, minus the signal's number if a signal ended it, None while it runs."""
        return self._started().poll()

    def start(self) -> None:
        """Start it, or start it again after it has ended."""
        if self.alive:
            message = f"{self.name} is already running"
            raise PlaygroundError(message)
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log, _locked(pid_path(self.log_path)) as record:
            self._log_start = log.tell()
            self._popen = subprocess.Popen(  # noqa: S603  no shell, and argv is the caller's own
                self.argv,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[record.fileno()],
            )
            record.write(str(self._popen.pid))
        atexit.register(self.stop)

    def stop(self, timeout_seconds: float = STOP_SECONDS) -> None:
        """Ask it to end, wait, and kill it and its children if it does not."""
        if self._popen is None:
            return
        self.send(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout_seconds)
        self.kill9()

    def kill9(self) -> None:
        """Kill it and its children at once, as a crash would, and wait until it is gone."""
        self.send(signal.SIGKILL)
        self._started().wait()
        atexit.unregister(self.stop)

    def send(self, signum: signal.Signals) -> None:
        """Send a signal to the process and its children, if it still runs."""
        if self.alive:  # not reaped yet, so the id cannot be another's
            os.killpg(self.pid, signum)

    def detach(self) -> None:
        """Let it run on after this interpreter has ended."""
        atexit.unregister(self.stop)

    def wait_until(self, what: str, ready: Callable[[], bool], timeout_seconds: float) -> None:
        """Wait until `ready()`; `ProcessDiedError` if it ends first, `NotInTimeError` if late."""
        try:
            wait_for(f"{self.name}: {what}", lambda: self._checked() and ready(), timeout_seconds)
        except NotInTimeError as error:
            message = f"{error}\n{self.describe_log()}"
            raise NotInTimeError(message) from error

    def wait_until_ended(self, timeout_seconds: float) -> None:
        """Wait until it has ended by itself; `NotInTimeError` if it does not."""
        wait_for(f"{self.name} to end", lambda: not self.alive, timeout_seconds)

    def wait_for_url(
        self, url: str, timeout_seconds: float, context: ssl.SSLContext | None = None
    ) -> None:
        """Wait until a GET of `url` (http or https) is answered with a status of 2xx."""
        self.wait_until(f"an answer at {url}", lambda: answers(url, context), timeout_seconds)

    def wait_for_line(self, pattern: str, timeout_seconds: float) -> re.Match[str]:
        """Wait until what it has written since its start matches; return the first match."""
        found: list[re.Match[str]] = []

        def matched() -> bool:
            found.extend(re.finditer(pattern, self.output()))
            return bool(found)

        self.wait_until(f"a line like {pattern!r}", matched, timeout_seconds)
        return found[0]

    def output(self) -> str:
        """Return what it has written since its latest start."""
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def log_tail(self, lines: int = TAIL_LINES) -> str:
        """Return the last lines of what it has written since its latest start."""
        return "\n".join(self.output().splitlines()[-lines:])

    def describe_log(self) -> str:
        """Return where the log is and how it ends, for an error message."""
        return f"the log {self.log_path} ends with:\n{self.log_tail()}"

    def _started(self) -> subprocess.Popen[bytes]:
        if self._popen is None:
            message = f"{self.name} was never started"
            raise PlaygroundError(message)
        return self._popen

    def _checked(self) -> bool:
        if not self.alive:
            message = f"{self.name} ended with exit code {self.returncode}; {self.describe_log()}"
            raise ProcessDiedError(message)
        return True


def answers(url: str, context: ssl.SSLContext | None = None) -> bool:
    """Tell whether a GET of `url` (http or https) is answered with a status of 2xx."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),  # a proxy cannot reach this machine's own servers
        urllib.request.HTTPSHandler(context=context),
    )
    try:
        with opener.open(url, timeout=PROBE_SECONDS):
            return True
    except (urllib.error.URLError, OSError):
        return False


def pid_path(log_path: Path) -> Path:
    """Return where the id of the process that writes this log is kept."""
    return log_path.with_suffix(".pid")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[IO[str]]:
    with path.open("a+") as record:
        try:
            fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"a process of an earlier run still holds {path}"
            raise PlaygroundError(message) from error
        record.truncate(0)
        yield record
