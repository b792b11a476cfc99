"""What pages ask their readers to type, and what they show of the answer."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pages import blocks

CONSOLE = "console"
LEFT_OUT = "..."
"""A line that stands for any others."""

FILE = re.compile(
    r"`(?P<name>[\w-]+\.yaml)`[^\n]*:\n\n *```yaml[^\n]*\n(?P<text>.*?)^ *```",
    re.MULTILINE | re.DOTALL,
)

VOLATILE = (
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "HASH"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)"), "TIME"),
    (re.compile(r"<invalid>|\b(?:\d+[dhms])+\b(?!\S)"), "AGE"),
    (re.compile(r"[ \t]+"), " "),
)
"""What is another each time, and the width of columns, which depends on it."""


@dataclass(frozen=True, slots=True)
class Command:
    """What stands after a prompt, and the lines that a page shows below it."""

    page: Path
    text: str
    shown: str

    def __str__(self) -> str:
        return f"{self.page.name}: {self.text}"

    def shows(self, printed: str) -> bool:
        """Tell whether that is what the page shows; all is, where it shows nothing."""
        return not self.shown or _pattern(self.shown).fullmatch(_steady(printed)) is not None


def commands(page: Path) -> Iterator[Command]:
    """Yield the commands of a page, in their order."""
    for block in blocks(page):
        if block.info == CONSOLE:
            for said in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
                yield _command(page, said)


def files(page: Path) -> dict[str, str]:
    """Return name -> content of the files that a page names above their blocks."""
    return {
        found["name"]: textwrap.dedent(found["text"]) for found in FILE.finditer(page.read_text())
    }


def _command(page: Path, said: str) -> Command:
    lines = said.splitlines(keepends=True)
    end = next(n for n, line in enumerate(lines, 1) if not line.endswith("\\\n"))
    return Command(page, "".join(lines[:end]).rstrip("\n"), "".join(lines[end:]).strip())


def _pattern(shown: str) -> re.Pattern[str]:
    lines = (
        "(?:.*\n)*?" if line == LEFT_OUT else re.escape(f"{line}\n")
        for line in _steady(shown).splitlines()
    )
    return re.compile("".join(lines))


def _steady(text: str) -> str:
    for volatile, word in VOLATILE:
        text = volatile.sub(word, text)
    return "".join(f"{line.strip()}\n" for line in text.strip().splitlines())
