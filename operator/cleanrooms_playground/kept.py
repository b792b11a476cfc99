"""A demo that is left running: where it lies, what to type to use it, and how it is ended."""

import contextlib
import fcntl
import os
import shlex
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cleanrooms_playground.binaries import cache_folder
from cleanrooms_playground.errors import NotInTimeError, PlaygroundError
from cleanrooms_playground.processes import STOP_SECONDS
from cleanrooms_playground.stage import OPERATOR_ACCOUNT, Stage
from cleanrooms_playground.waiting import wait_for

STOP_COMMAND = "make stop"


@dataclass(frozen=True, slots=True)
class Kept:
    """How to reach what is left running: variables to export, accounts to act as, its logs."""

    exports: Mapping[str, str]
    accounts: Sequence[str]
    logs: Path

    @classmethod
    def of(cls, stage: Stage, accounts: Sequence[str]) -> Self:
        """Return how to reach a stage, at first as the first of the accounts."""
        identity = stage.identity(accounts[0] if accounts else OPERATOR_ACCOUNT)
        exports = {"KUBECONFIG": str(stage.kubeconfig), **identity.variables()}
        return cls(exports, accounts, stage.processes[-1].log_path.parent)

    def document(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {"environment": dict(self.exports), "logs": str(self.logs)}

    def text(self) -> str:
        """Return what to type, for a person."""
        return "\n".join(
            [
                "It goes on running. To look at it:",
                "",
                *(f"  export {name}={shlex.quote(value)}" for name, value in self.exports.items()),
                "",
                "  kubectl get cleanrooms --all-namespaces",
                "  kubectl explain collaboration.spec",
                "  aws cleanrooms list-collaborations",
                *(
                    f"  AWS_ACCESS_KEY_ID={account} aws cleanrooms list-memberships"
                    for account in self.accounts
                ),
                "",
                f"Logs are in {self.logs}. To end it: {STOP_COMMAND}",
            ]
        )


def folder() -> Path:
    """Return where the demo that is left running keeps its files; there is at most one."""
    return cache_folder() / "demo"


def prepare() -> Path:
    """Return an empty folder for a demo that is to be kept; an error if one is running."""
    if running():
        message = f"a demo is running already; `{STOP_COMMAND}` ends it"
        raise PlaygroundError(message)
    shutil.rmtree(folder(), ignore_errors=True)
    folder().mkdir(mode=0o700, parents=True)
    return folder()


def running() -> list[Path]:
    """Return the files with the ids of processes that still run, the latest started first."""
    records = [path for path in folder().glob("*.pid") if _is_held(path)]
    return sorted(records, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def stop() -> list[str]:
    """End what is left running and remove its files; return the names of what was ended."""
    ended = running()
    for record in ended:
        _end(record)
    shutil.rmtree(folder(), ignore_errors=True)
    return [record.stem for record in ended]


def _is_held(record: Path) -> bool:
    """Tell whether the process that was started with this file still runs: it holds its lock."""
    with record.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _end(record: Path) -> None:
    """End a process that is not our child: ask, wait, kill."""
    pid = int(record.read_text())
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
        with contextlib.suppress(NotInTimeError):
            _wait_until_let_go(record)
            return
        os.killpg(pid, signal.SIGKILL)
        _wait_until_let_go(record)


def _wait_until_let_go(record: Path) -> None:
    wait_for(f"the {record.stem} to end", lambda: not _is_held(record), STOP_SECONDS)
