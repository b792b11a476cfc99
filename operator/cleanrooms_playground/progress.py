"""Say what is being done while it takes long."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich import progress as rich_progress
from rich.console import Console

PLAIN_LINE_EVERY_SECONDS = 15

Report = Callable[[str], None]
"""Takes what the running task is at, in a few words."""


class Progress:
    """One live line with the elapsed time on a terminal; elsewhere a line now and then."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        """Say one thing that is done or decided."""
        self.console.print(text, markup=False, soft_wrap=True)

    @contextlib.contextmanager
    def task(self, title: str) -> Iterator[Report]:
        """Show `title` until the block ends; call what is yielded to tell how far it is."""
        started = time.monotonic()
        shown = self._live(title) if self.console.is_terminal else self._plain(title, started)
        with shown as report:
            yield report
        self.say(f"{title}: done in {time.monotonic() - started:.0f} s")

    @contextlib.contextmanager
    def _live(self, title: str) -> Iterator[Report]:
        columns = (
            rich_progress.SpinnerColumn(),
            rich_progress.TextColumn("{task.description}", markup=False),
            rich_progress.TimeElapsedColumn(),
            rich_progress.TextColumn("{task.fields[detail]}", markup=False),
        )
        with rich_progress.Progress(*columns, console=self.console, transient=True) as live:
            task = live.add_task(title, total=None, detail="")
            yield lambda detail: live.update(task, detail=detail)

    @contextlib.contextmanager
    def _plain(self, title: str, started: float) -> Iterator[Report]:
        said_at = started

        def report(detail: str) -> None:
            nonlocal said_at
            now = time.monotonic()
            if now - said_at >= PLAIN_LINE_EVERY_SECONDS:
                said_at = now
                self.say(f"{title}: {now - started:.0f} s, {detail}")

        self.say(f"{title} …")
        yield report
