"""What people read: the pages of the project, their links, and the YAML that they show."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cleanrooms_playground.documents import parse_documents

PROJECT = Path(__file__).parents[1]
DOCS = PROJECT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *PROJECT.glob("*.md")])

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
VALUES = "yaml values"
"""What a block begins with that holds values of the chart."""

PART = "yaml of "
"""What a block begins with, before a kind, that holds a part of a resource."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page, by its number there."""

    page: Path
    number: int
    info: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(PROJECT)}:{self.number}"

    def documents(self) -> list[dict[str, Any]]:
        """Return what its YAML holds."""
        return parse_documents(self.text)

    def objects(self) -> list[dict[str, Any]]:
        """Return the objects that it holds; a part is put into the example of its kind."""
        if not self.info.startswith(PART):
            return self.documents()
        kind = self.info.removeprefix(PART)
        example = (PROJECT / "examples" / f"{kind.lower()}.yaml").read_text()
        [part] = self.documents()
        return [_merged(yaml.safe_load(example), part)]


def _merged(whole: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Return a document with the fields of another; a list replaces a list."""
    fields = {
        name: _merged(whole[name], value)
        if isinstance(value, dict) and isinstance(whole.get(name), dict)
        else value
        for name, value in part.items()
    }
    return whole | fields


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    found = FENCE.finditer(page.read_text())
    return [
        Block(page, number, match["info"], textwrap.dedent(match["text"]))
        for number, match in enumerate(found, 1)
    ]


def every() -> Iterator[Block]:
    """Yield the blocks of all pages."""
    for page in PAGES:
        yield from blocks(page)


def values() -> list[Block]:
    """Return the blocks with values of the chart."""
    return [block for block in every() if block.info == VALUES]


def manifests() -> list[Block]:
    """Return the blocks with objects, or with parts of them."""
    return [block for block in every() if block.info == "yaml" or block.info.startswith(PART)]


def prose(page: Path) -> str:
    """Return a page without its blocks and its code."""
    return re.sub(r"`[^`\n]*`", "``", FENCE.sub("", page.read_text()))


def links(page: Path) -> Iterator[str]:
    """Yield where the links of a page lead within the project."""
    for match in LINK.finditer(prose(page)):
        if "://" not in match["target"]:
            yield match["target"]


def anchors(page: Path) -> set[str]:
    """Return the anchors that the headings of a page make, as GitHub and the site do."""
    headings = HEADING.findall(FENCE.sub("", page.read_text()))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}
