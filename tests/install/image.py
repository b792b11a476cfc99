"""What the Dockerfile says, done in a folder without an engine, and the result started."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dockerfile_parse import DockerfileParser

from install.installation import PROJECT

DOCKERFILE = PROJECT / "deploy" / "image" / "Dockerfile"
APP, PYTHON, USER = "/app", "/usr/bin/python3", 65532
TIMEOUT_SECONDS = 300

Instruction = tuple[str, str]


def stages() -> list[list[Instruction]]:
    """Return the instructions of each stage, each a pair of its word and what follows it."""
    parsed = DockerfileParser(str(DOCKERFILE)).structure
    found: list[list[Instruction]] = []
    for each in parsed:
        if each["instruction"] == "FROM":
            found.append([])
        if found and each["instruction"] != "COMMENT":
            found[-1].append((each["instruction"], each["value"]))
    return found


def said(stage: list[Instruction], word: str) -> list[str]:
    """Return what follows each occurrence of a word."""
    return [value for instruction, value in stage if instruction == word]


def pairs(stage: list[Instruction], word: str) -> dict[str, str]:
    """Return the names and values of a stage's ENV or LABEL."""
    texts = (text for value in said(stage, word) for text in value.split())
    return dict(text.replace('"', "").split("=", 1) for text in texts if "=" in text)


@dataclass(frozen=True)
class Image:
    """The image's files, which nobody may write, below a folder of this machine."""

    root: Path

    @cached_property
    def app(self) -> Path:
        return self.root / APP.removeprefix("/")

    def build(self) -> None:
        """Do the steps of the first stage, and take what the second one copies from it."""
        workshop = Workshop(self.root)
        for word, value in stages()[0]:
            getattr(workshop, word.lower(), workshop.skip)(value)
        for path in (self.app, *self.app.rglob("*")):
            path.chmod(path.stat().st_mode & ~0o222)

    def command(self, *arguments: str) -> list[str]:
        """Return the entry point with these arguments.

        Python finds nothing but its own library and what the image names.
        """
        [entry] = said(stages()[1], "ENTRYPOINT")
        program, *fixed = json.loads(entry)
        assert program == PYTHON
        interpreter = str(Path(sys.base_prefix) / "bin" / "python3")
        return [interpreter, "-S", *fixed, *arguments]

    def environment(self) -> dict[str, str]:
        own = pairs(stages()[1], "ENV")
        return {name: value.replace(APP, str(self.app)) for name, value in own.items()}

    def files(self) -> dict[Path, tuple[int, int]]:
        """Return the size and the time of the last change of each file."""
        stats = ((path, path.stat()) for path in self.root.rglob("*") if path.is_file())
        return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in stats}


class Workshop:
    """A folder in which instructions are followed: its `/app` is the one that they name."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._here = root
        self._python = root / "python"
        subprocess.run([sys.executable, "-m", "venv", self._python], check=True)  # noqa: S603  this interpreter
        self._environment: Mapping[str, str] = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            "PATH": f"{self._python / 'bin'}:{os.environ['PATH']}",
        }

    def workdir(self, value: str) -> None:
        self._here = self._root / value.removeprefix("/")
        self._here.mkdir()

    def copy(self, value: str) -> None:
        *sources, target = value.split()
        for source in map(PROJECT.joinpath, sources):
            if source.is_dir():
                shutil.copytree(
                    source, self._here / target, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                (self._here / target).mkdir(exist_ok=True)
                shutil.copy(source, self._here / target)

    def run(self, value: str) -> None:
        command = value.replace(f" {APP}", f" {self._root}{APP}")
        subprocess.run(  # noqa: S602  a shell is what RUN is
            command,
            shell=True,
            check=True,
            cwd=self._here,
            env=self._environment,
            timeout=TIMEOUT_SECONDS,
        )

    def skip(self, value: str) -> None:
        """Leave out what says nothing about files."""
