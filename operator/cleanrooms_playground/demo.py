"""The demo: manifests are applied to a real API server and become true in AWS's emulator."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from cleanrooms_playground.account_view import AccountView, look
from cleanrooms_playground.documents import Document
from cleanrooms_playground.errors import ProcessDiedError
from cleanrooms_playground.payer_change import PayerChange
from cleanrooms_playground.progress import Progress
from cleanrooms_playground.readiness import Row, observe, ours
from cleanrooms_playground.screen import (
    board,
    collaboration_table,
    line,
    membership_table,
    resource_table,
    run_table,
)
from cleanrooms_playground.stage import Setting, Stage, StageBuilder

POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Script:
    """What is played, and how long it may take until all is Ready.

    `payer_change` is the folder of the second act, see there; without it there is none.
    """

    manifests: Path
    timeout_seconds: float
    payer_change: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: every resource, and what AWS holds for every account, after `seconds`."""

    rows: tuple[Row, ...]
    accounts: tuple[AccountView, ...]
    seconds: float

    @property
    def ready(self) -> bool:
        """Whether all resources are Ready."""
        return all(row.ready for row in self.rows)

    def document(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {
            "ready": self.ready,
            "seconds": round(self.seconds, 1),
            "resources": [_flat(row) for row in self.rows],
            "accounts": [view.document() for view in self.accounts],
        }


def _flat(row: Row) -> dict[str, Any]:
    fields = asdict(row)
    resource: dict[str, Any] = fields.pop("resource")
    return resource | fields


def set_up(setting: Setting, progress: Progress, stack: ExitStack) -> Stage:
    """Bring up everything that a demo needs; the exit stack takes it down."""
    return StageBuilder(setting, progress, stack).build()


def play(stage: Stage, script: Script, progress: Progress) -> Outcome:
    """Apply the manifests and wait until all are Ready or the time is over; then the second act.

    Raises `ProcessDiedError` when a process of the stage ends meanwhile, `NotInTimeError` when
    the companies do not come to an agreement in time.
    """
    started = time.monotonic()
    deadline = started + script.timeout_seconds
    with progress.task(f"applying {_from_here(script.manifests)}"):
        documents = stage.cluster.apply_files(script.manifests)
    rows = _wait(stage, documents, deadline, progress)
    if script.payer_change is not None and all(row.ready for row in rows):
        added = PayerChange(stage.cluster, script.payer_change, deadline).play(progress)
        _wait(stage, added, deadline, progress)
        rows = observe(stage.cluster, ours([*documents, *added]))
    seconds = time.monotonic() - started
    accounts = tuple(look(stage.identity(account)) for account in _accounts(documents))
    return Outcome(rows, accounts, seconds)


def _from_here(path: Path) -> Path:
    """Return a path as somebody would type it here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _wait(
    stage: Stage, documents: Sequence[Document], deadline: float, progress: Progress
) -> tuple[Row, ...]:
    resources = ours(documents)
    with board(progress.console) as shown:
        while True:
            rows = observe(stage.cluster, resources)
            shown.show(rows)
            if all(row.ready for row in rows) or time.monotonic() > deadline:
                return rows
            _check_processes(stage)
            time.sleep(POLL_SECONDS)


def _check_processes(stage: Stage) -> None:
    for process in stage.processes:
        if not process.alive:
            message = f"the {process.name} ended; {process.describe_log()}"
            raise ProcessDiedError(message)


def _accounts(documents: Sequence[Document]) -> list[str]:
    """Return the account ids that the manifests declare, sorted."""
    return sorted(
        {
            document["spec"]["accountID"]
            for document in documents
            if document["kind"] == "AWSAccount"
        }
    )


def show(outcome: Outcome, console: Console) -> None:
    """Print the resources, and what AWS holds."""
    for table in (
        resource_table(outcome.rows),
        collaboration_table(outcome.accounts),
        membership_table(outcome.accounts),
        run_table(outcome.accounts),
    ):
        console.print(table)
        console.print()
    if outcome.ready:
        console.print(f"All {len(outcome.rows)} resources were Ready in {outcome.seconds:.0f} s.")
        return
    console.print(f"Not Ready after {outcome.seconds:.0f} s:")
    for row in outcome.rows:
        if not row.ready:
            console.print(f"  {line(row)}", markup=False, highlight=False, soft_wrap=True)
