"""What a person sees of the resources and of AWS: tables, live where there is a terminal."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cleanrooms_playground.account_view import AccountView
from cleanrooms_playground.readiness import Row

COLOURS = {"True": "green", "False": "red"}
PLAIN_WIDTH = 140


class Board(Protocol):
    """Shows the rows of the moment."""

    def show(self, rows: Sequence[Row]) -> None:
        """Replace what is shown by these rows."""


def console() -> Console:
    """Return the console for results; where there is no terminal it is wide and colourless."""
    made = Console()
    return made if made.is_terminal else Console(width=PLAIN_WIDTH)


@contextmanager
def board(console: Console) -> Iterator[Board]:
    """Yield a live table on a terminal, else one that prints a line for each change."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield _LiveTable(live)


class _LiveTable:
    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, rows: Sequence[Row]) -> None:
        self._live.update(resource_table(rows), refresh=True)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: dict[object, Row] = {}

    def show(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if self._shown.get(row.resource) != row:
                self._shown[row.resource] = row
                self._console.print(line(row), markup=False, highlight=False, soft_wrap=True)


def line(row: Row) -> str:
    """Return a row as one line of text."""
    resource = row.resource
    said = " ".join(part for part in (row.reason, row.message) if part)
    name = f"{resource.kind} {resource.namespace}/{resource.name}"
    state = f" {row.state}" if row.state else ""
    return f"{name}: Ready={row.status or 'Unknown'}{state} {said}".rstrip()


def resource_table(rows: Sequence[Row]) -> Table:
    """Return the resources as a table."""
    table = _table("Resources in the cluster", "KIND", "NAMESPACE/NAME", "READY", "STATE", "REASON")
    table.add_column("MESSAGE", overflow="fold")
    for row in rows:
        name = f"{row.resource.namespace}/{row.resource.name}"
        status = Text(row.status or "…", style=COLOURS.get(row.status, "yellow"))
        told = (Text(text) for text in (row.state, row.reason, row.message))
        table.add_row(row.resource.kind, name, status, *told)
    return table


def collaboration_table(views: Sequence[AccountView]) -> Table:
    """Return every collaboration that any of the accounts sees, with its members."""
    title = "Collaborations in AWS"
    table = _table(title, "COLLABORATION", "MEMBER", "STATUS", "ABILITIES", "PAYS FOR")
    found = {one.identifier: one for view in views for one in view.collaborations}
    for collaboration in found.values():
        for number, member in enumerate(collaboration.members):
            table.add_row(
                "" if number else collaboration.name,
                f"{member.account_id}\n{member.display_name}",
                member.status,
                "\n".join(member.abilities),
                "\n".join(member.pays),
            )
    return table


def membership_table(views: Sequence[AccountView]) -> Table:
    """Return the memberships of the accounts."""
    title = "Memberships in AWS"
    table = _table(title, "ACCOUNT", "MEMBERSHIP", "STATUS", "ACCEPTED TO PAY", "ML OUTPUT")
    for view in views:
        for membership in view.memberships:
            table.add_row(
                view.account_id,
                membership.identifier,
                membership.status,
                "\n".join(membership.pays),
                membership.ml_output_location or "",
            )
    return table


def run_table(views: Sequence[AccountView]) -> Table:
    """Return what the accounts have run, whose algorithm it ran, and who pays for it."""
    columns = ("RUN BY", "WHAT", "NAME", "VERSION", "STATE", "ALGORITHM OF", "PAID BY")
    table = _table("Runs in AWS", *columns)
    for view in views:
        for run in view.runs:
            told = (run.name, run.version or "", run.state, run.algorithm or "", run.payer or "")
            table.add_row(view.account_id, run.kind, *told)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
