"""The command line: `cleanrooms-playground demo | control-plane | binaries | stop`."""

import json
import math
import os
import shutil
import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from cleanrooms_playground import kept
from cleanrooms_playground.binaries import find
from cleanrooms_playground.control_plane import ControlPlane
from cleanrooms_playground.demo import Outcome, Script, play, set_up, show
from cleanrooms_playground.errors import PlaygroundError
from cleanrooms_playground.progress import Progress
from cleanrooms_playground.screen import console
from cleanrooms_playground.servers import isolated_environment
from cleanrooms_playground.stage import Setting

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = click.Path(exists=True, path_type=Path)


class _Group(click.Group):
    """Prints our own errors as a sentence, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  as click has it
        try:
            return super().invoke(ctx)
        except PlaygroundError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group)
def main() -> None:
    """Try the operator on this machine: a real API server, and AWS emulated."""
    # SIGTERM unwinds as an interrupt does, so that no server is left behind. A script that runs
    # this in the background has interrupts ignored; one that is sent is meant all the same.
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, signal.default_int_handler)
    # Whatever this process and its children do, they never reach a real account.
    environment = isolated_environment()
    os.environ.clear()
    os.environ.update(environment)


@main.command()
def binaries() -> None:
    """Find kube-apiserver and etcd, or fetch or build them; print their folder."""
    click.echo(find().folder)


@main.command("control-plane")
def control_plane() -> None:
    """Run an API server until interrupted."""
    with (
        tempfile.TemporaryDirectory(prefix="cleanrooms-control-plane-") as directory,
        ControlPlane(Path(directory)) as running,
    ):
        click.echo(f"export KUBECONFIG={running.kubeconfig}")
        running.processes[-1].wait_until_ended(math.inf)


@main.command()
def stop() -> None:
    """End the demo that was left running."""
    ended = kept.stop()
    click.echo(f"ended: {', '.join(ended)}" if ended else "nothing was running")


@main.command()
@click.option(
    "--definitions",
    type=FOLDER,
    multiple=True,
    default=[CHECKOUT / "crds", CHECKOUT / "deploy" / "rbac.yaml"],
    help="Files or folders to apply before the operator starts.",
)
@click.option(
    "--manifests",
    type=FOLDER,
    default=CHECKOUT / "examples" / "walkthrough",
    help="The resources to apply.",
)
@click.option(
    "--payer-change",
    type=FOLDER,
    default=CHECKOUT / "examples" / "changing-payers",
    help="The edits of the second act.",
)
@click.option("--kubeconfig", type=FOLDER, help="Use this cluster instead of starting one.")
@click.option("--region", default="us-east-1", show_default=True, help="Where the operator is.")
@click.option("--speed", default=360.0, show_default=True, help="How fast emulated time runs.")
@click.option("--timeout", default=120.0, show_default=True, help="Seconds until all is Ready.")
@click.option("--keep", is_flag=True, help="Leave everything running and say how to use it.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table")
@click.pass_context
def demo(context: click.Context, /, **options: Any) -> None:  # noqa: ANN401  click's own values
    """Apply the walk-through and watch it become true, then let a payer be added."""
    progress = Progress()
    directory = kept.prepare() if options["keep"] else Path(tempfile.mkdtemp(prefix="cleanrooms-"))
    setting = Setting(
        directory=directory,
        definitions=options["definitions"],
        kubeconfig=options["kubeconfig"],
        region=options["region"],
        speed=options["speed"],
    )
    script = Script(options["manifests"], options["timeout"], options["payer_change"])
    try:
        outcome, left = _perform(setting, script, progress, keep=options["keep"])
    except BaseException:
        progress.say(f"logs are in {directory}")
        raise
    _print(outcome, left, options["output"])
    if not outcome.ready:
        progress.say(f"logs are in {directory}")
        context.exit(1)
    if left is None:
        shutil.rmtree(directory)


def _perform(
    setting: Setting, script: Script, progress: Progress, *, keep: bool
) -> tuple[Outcome, kept.Kept | None]:
    """Play the demo; take everything down, or tell how to reach what is left running."""
    with ExitStack() as stack:
        stage = set_up(setting, progress, stack)
        outcome = play(stage, script, progress)
        if not keep:
            return outcome, None
        for process in stage.processes:
            process.detach()
        stack.pop_all()
        accounts = [view.account_id for view in outcome.accounts]
        return outcome, kept.Kept.of(stage, accounts)


def _print(outcome: Outcome, left: kept.Kept | None, output: str) -> None:
    if output == "json":
        document = outcome.document() | (left.document() if left else {})
        click.echo(json.dumps(document, indent=2))
        return
    show(outcome, console())
    if left is not None:
        click.echo(left.text())


if __name__ == "__main__":
    main()
