"""The command line: `cleanrooms-emulator serve`."""

import asyncio
import json
import logging
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import click
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, ValidationError

from cleanrooms_emulator.faults import Fault
from cleanrooms_emulator.http.serve import Edge, application, run
from cleanrooms_emulator.http.server import SIGNATURE_LIFE_SECONDS
from cleanrooms_emulator.settings import Settings, TrustedRole

DEFAULT_PORT = 4571
DEFAULT_SPEED = 60.0


class Options(BaseModel):
    """The options of `serve`, as click gives them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    port: int
    speed: float
    start: AwareDatetime | None
    config: Path | None
    rules: tuple[str, ...]
    faults: tuple[Annotated[Fault, BeforeValidator(Fault.parse)], ...]
    accounts: tuple[str, ...]
    roles: tuple[Annotated[TrustedRole, BeforeValidator(TrustedRole.parse)], ...]
    rates: bool | None
    session_seconds: float | None
    signature_life: float
    control_token: str | None
    output: Literal["text", "json"]
    log_level: str

    def settings(self) -> Settings:
        """Return what the file says, with what the command line says on top of it."""
        filed = Settings()
        if self.config is not None:
            filed = Settings.model_validate_json(self.config.read_bytes())
        return Settings(
            rules={**filed.rules, **_pairs(self.rules)},
            faults=(*filed.faults, *self.faults),
            accounts={**filed.accounts, **_pairs(self.accounts)},
            roles=(*(filed.roles or ()), *self.roles) or filed.roles,
            rates=filed.rates if self.rates is None else self.rates,
            session_seconds=self.session_seconds or filed.session_seconds,
        )

    def edge(self) -> Edge:
        """Return where and how to listen."""
        return Edge(
            self.host,
            self.port,
            self.speed,
            self.start and self.start.astimezone(UTC),
            self.signature_life,
            self.control_token,
        )


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    """Return "name=value" texts as a mapping."""
    return dict(text.partition("=")[::2] for text in texts)


@click.group()
def main() -> None:
    """Emulate AWS Clean Rooms and Clean Rooms ML, strictly."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen on; 0 lets the system choose.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    default=DEFAULT_SPEED,
    show_default=True,
    help="How many times faster than real the emulated clock runs; 0 stops it.",
)
@click.option(
    "--start",
    metavar="TIMESTAMP",
    help="What the emulated clock shows at first, as 2026-01-31T12:00:00Z; by default the present.",
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False),
    help="JSON with any of rules, faults, accounts, roles, rates, sessionSeconds.",
)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="ER-n=READING",
    help="How to read a point that AWS does not document, or a quota: quota.NAME=COUNT.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="kind=KIND,...",
    help="What goes wrong: kind=throttle,operation=Create*,count=2 and the like.",
)
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="KEY=ACCOUNT",
    help="An access key id and its account; a key id of 12 digits is its own account.",
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="ARN[,trusts=WHO][,externalId=ID]",
    help="A role that can be assumed; without any, all can.",
)
@click.option(
    "--rates/--no-rates", default=None, help="Refuse calls over AWS's request rates, or do not."
)
@click.option(
    "--session-seconds",
    type=click.FloatRange(min=0, min_open=True),
    help="The longest life of a role's credentials.",
)
@click.option(
    "--signature-life",
    type=click.FloatRange(min=0),
    default=SIGNATURE_LIFE_SECONDS,
    show_default=True,
    help="How many seconds old a signature may be; 0 lets any age through.",
)
@click.option(
    "--control-token",
    envvar="CLEANROOMS_EMULATOR_CONTROL_TOKEN",
    help="What /_emulator wants in x-emulator-token; without it, it is for this machine only.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print the address.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
    help="What to log, on standard error.",
)
@click.pass_context
def serve(context: click.Context, /, **_: object) -> None:
    """Serve both services, and STS, over HTTP until interrupted."""
    try:
        options = Options.model_validate(context.params)
        served = application(options.settings(), options.edge())
        logging.basicConfig(level=options.log_level.upper())
        asyncio.run(run(served, options.edge(), partial(_announce, options.output)))
    except ValidationError as error:
        raise click.UsageError(_told(error)) from None
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise click.ClickException(str(error)) from None


def _told(error: ValidationError) -> str:
    places = ((".".join(map(str, one["loc"])), one["msg"]) for one in error.errors())
    return "; ".join(f"{place}: {message}" for place, message in places)


def _announce(output: str, url: str) -> None:
    environment = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "111111111111",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    if output == "json":
        click.echo(json.dumps({"url": url, "environment": environment}))
        return
    click.echo(f"listening on {url}\n")
    click.echo("For boto3 and the AWS CLI; the key id is the account:")
    for name, value in environment.items():
        click.echo(f"  export {name}={value}")


if __name__ == "__main__":
    main()
