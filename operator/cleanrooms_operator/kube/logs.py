"""How logs are written: JSON for machines, plain for people, each line with its pass."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from cleanrooms_operator.kube.passes import CURRENT

LOG = logging.getLogger("cleanrooms_operator")

QUIET = {"kopf", "aiohttp", "asyncio", "botocore", "boto3", "urllib3"}
"""Whose lines say nothing that ours do not, unless they warn."""


def fields(**told: object) -> dict[str, dict[str, object]]:
    """Return the `extra` of a log call: values that the line carries besides its message."""
    return {"fields": told}


def configure(level: str, form: Literal["json", "plain"]) -> None:
    """Send all logs to standard error in that form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONLines() if form == "json" else PlainLines())
    handler.addFilter(_is_worth_a_line)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # kopf has a line for each event: it does not even have to make it.
    logging.getLogger("kopf").setLevel(max(logging.WARNING, logging.getLogger().level))


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] not in QUIET


class JSONLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line of JSON."""
        line: dict[str, Any] = {
            "ts": _moment(record),
            "level": record.levelname.lower(),
            "msg": record.getMessage(),
            "logger": record.name,
            **_fields(record),
        }
        if record.exc_info:
            line["stacktrace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class PlainLines(logging.Formatter):
    """One line for people, with the fields at its end."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as a line of text, and its traceback where it has one."""
        told = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        text = f"{_moment(record)} {record.levelname:7} {record.getMessage()}  {told}".rstrip()
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> Mapping[str, object]:
    """Return whose pass a record belongs to, then its own fields; nothing that is None."""
    told: dict[str, object] = {}
    current = CURRENT.get()
    if current is not None:
        told = {
            "controller": current.key.kind.lower(),
            "namespace": current.key.namespace,
            "name": current.key.name,
            "generation": current.generation,
            "reconcileID": current.id,
        }
    told |= getattr(record, "fields", {})
    return {name: value for name, value in told.items() if value is not None}
