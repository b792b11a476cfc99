"""The repository itself is in order: sizes, names, what is committed, what is explained."""

import ast
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cleanrooms_emulator.rules import switches
from cleanrooms_operator.kinds import BY_NAME, DEFINITIONS

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "operator"
MODULES = sorted(SOURCES.rglob("*.py"))
PACKAGES = ("cleanrooms_operator", "cleanrooms_emulator", "cleanrooms_playground")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RULES = ROOT / "docs" / "rules.md"

LONGEST_MODULE, LONGEST_KIND, LONGEST_FUNCTION = 400, 80, 40

REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("proxy", "golang", "org"),
        ("sum", "golang", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("crates", "io"),
    )
]
"""Hosts that a user's own settings name, and a repository must not. Put together here, so that
this file does not contain them."""

MACHINE = re.compile(r"(?<![\w.~-])/(?:work|root|home|Users|tmp/bash)/?\b")
"""Paths of the machine that something was written on."""

NOT_DONE = re.compile(rf"\b(?:{'TO'}DO|{'FIX'}ME|{'X' * 3})\b")

PART_OF = {"pydantic_core": "pydantic"}
"""Modules that are released with another, and documented as a part of it."""

MADE_UP = {"ER-99", "ER-999"}
"""Numbers that tests use because they stand for no rule."""


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def committed() -> dict[str, str]:
    """Return the text of every committed file, by its path."""
    git = shutil.which("git")
    assert git is not None
    listed = subprocess.run(  # noqa: S603  git itself, on this repository
        [git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return {relative(path): path.read_text() for path in paths if path.is_file()}


def found(pattern: re.Pattern[str], texts: dict[str, str]) -> list[str]:
    """Return where a pattern occurs, as `path:line: text`."""
    return [
        f"{path}:{number}: {line.strip()}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


class TestLayout:
    def test_the_source_root_is_no_package(self) -> None:
        """`operator` is a module of the standard library."""
        assert not (SOURCES / "__init__.py").exists()
        code = "import collections, operator; print(operator.add(1, 2))"
        done = subprocess.run(  # noqa: S603  this very interpreter
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True
        )
        assert done.stdout == "3\n"

    def test_what_is_a_package_says_that_it_has_types(self) -> None:
        assert sorted(path.parent.name for path in SOURCES.glob("*/__init__.py")) == sorted(
            PACKAGES
        )
        for package in PACKAGES:
            assert (SOURCES / package / "py.typed").is_file()

    def test_the_licence_is_there(self) -> None:
        assert "Apache License" in (ROOT / "LICENSE").read_text()
        assert PROJECT["project"]["license"] == "Apache-2.0"

    def test_folders_of_tests_are_no_packages_so_their_names_are_unique(self) -> None:
        tests = [Path(path) for path in committed() if path.startswith("tests/")]
        assert not [path for path in tests if path.name == "__init__.py"]
        names = [path.name for path in tests if path.name.startswith("test_")]
        assert len(names) == len(set(names))


class TestKinds:
    """Every kind has its definition and its example, and nothing is left of one that went."""

    def test_every_kind_has_a_definition(self) -> None:
        expected = {f"{definition.plural}.yaml" for definition in DEFINITIONS}
        assert {path.name for path in (ROOT / "crds").iterdir()} == expected

    def test_every_kind_has_an_example(self) -> None:
        expected = {f"{definition.name.lower()}.yaml" for definition in DEFINITIONS}
        assert {path.name for path in (ROOT / "examples").glob("*.yaml")} == expected

    def test_every_module_is_a_kind(self) -> None:
        modules = {path.stem for path in (SOURCES / "cleanrooms_operator" / "kinds").glob("*.py")}
        found = {module.replace("_", "") for module in modules - {"__init__"}}
        assert found == {name.lower() for name in BY_NAME}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function's body has, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def kept_inside(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Return the functions inside a function that it neither returns nor hands to anybody."""
    inside = {inner.name for inner in functions(function) if inner is not function}
    called = {id(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
    handed_on = {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and id(node) not in called
    }
    return inside - handed_on


@pytest.mark.parametrize("path", MODULES, ids=relative)
class TestSizes:
    def test_a_module_fits_into_a_head(self, path: Path) -> None:
        longest = LONGEST_KIND if path.parent.name == "kinds" else LONGEST_MODULE
        assert len(path.read_text().splitlines()) <= longest

    def test_a_function_fits_on_a_screen(self, path: Path) -> None:
        lengths = {f.name: length(f) for f in functions(ast.parse(path.read_text()))}
        assert {n: lines for n, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}

    def test_a_function_inside_another_is_for_somebody_else(self, path: Path) -> None:
        tree = ast.parse(path.read_text())
        assert {f.name: kept_inside(f) for f in functions(tree) if kept_inside(f)} == {}


class TestWords:
    def test_nothing_is_left_to_be_done(self) -> None:
        assert found(NOT_DONE, committed()) == []

    def test_no_path_of_a_machine_is_committed(self) -> None:
        assert found(MACHINE, committed()) == []

    @pytest.mark.parametrize("before", ["", "'", "cd ", "=", "file://"])
    @pytest.mark.parametrize("folder", ["work", "root", "home"])
    def test_such_a_path_would_be_found(self, before: str, folder: str) -> None:
        assert MACHINE.search(f"{before}/{folder}/x")

    def test_no_host_of_a_package_registry_is_committed(self) -> None:
        hosts = re.compile("|".join(rf"\b{re.escape(host)}\b" for host in REGISTRIES))
        assert found(hosts, committed()) == []


class TestExceptions:
    """A check that is switched off says which one, and why."""

    SWITCHED_OFF = re.compile(r"#\s*(?:noqa|type:\s*ignore)\b")
    EXPLAINED = re.compile(
        r"#\s(?:noqa:\s[A-Z]+\d+(?:,\s?[A-Z]+\d+)*|type:\signore\[[a-z-]+(?:,\s?[a-z-]+)*\])"
        r"\s+[-#]?\s*\w.*\w"
    )

    def test_each_names_its_code_and_its_reason(self) -> None:
        sources = {path: text for path, text in committed().items() if path.endswith(".py")}
        switched_off = found(self.SWITCHED_OFF, sources)
        assert len(switched_off) > 10
        assert [where for where in switched_off if not self.EXPLAINED.search(where)] == []

    @pytest.mark.parametrize(
        "comment", ["noqa", "noqa: E731", "type: ignore", "type: ignore[arg-type]"]
    )
    def test_one_without_would_be_found(self, comment: str) -> None:
        line = f"x = 1  # {comment}"
        assert self.SWITCHED_OFF.search(line)
        assert not self.EXPLAINED.search(line)


def explained() -> set[str]:
    """Return the numbers that have a row of their own."""
    return set(re.findall(r"^\| ((?:R|ER|OP|C)-\d+) \|", RULES.read_text(), re.MULTILINE))


class TestRules:
    def test_every_number_that_is_named_is_explained(self) -> None:
        number = re.compile(r"\b(?:R|ER|OP|C)-[1-9]\d*\b")
        named = {
            rule
            for path, text in committed().items()
            if path.startswith(("operator/", "tests/")) and path.endswith(".py")
            for rule in number.findall(text)
        }
        assert named - explained() - MADE_UP == set()

    def test_no_number_is_left_out(self) -> None:
        expected = {f"R-{n}" for n in range(1, 43)} | {f"ER-{n}" for n in range(1, 39)}
        assert expected - explained() == set()

    def test_every_reading_of_a_switch_is_listed(self) -> None:
        rows = dict(re.findall(r"^\| (ER-\d+) \|(.*)$", RULES.read_text(), re.MULTILINE))
        for switch, readings in switches().values():
            named = re.findall(r"`([a-z0-9-]+)`", rows[switch.number])
            assert set(named) == set(readings), switch.number
            assert named[0] == readings[0], "the default comes first"

    def test_modules_that_are_named_exist(self) -> None:
        named = re.findall(r"`([\w/]+/[\w./]+)`", RULES.read_text())
        roots = (ROOT, SOURCES / "cleanrooms_operator")
        assert len(named) > 40
        assert [name for name in named if not any((root / name).exists() for root in roots)] == []


class TestArchitecture:
    def test_every_package_and_every_contract_is_explained(self) -> None:
        text = (ROOT / "ARCHITECTURE.md").read_text()
        contracts = [contract["id"] for contract in PROJECT["tool"]["importlinter"]["contracts"]]
        assert {name for name in (*PACKAGES, *contracts) if name not in text} == set()

    def test_every_part_of_the_operator_is_explained(self) -> None:
        text = (ROOT / "ARCHITECTURE.md").read_text()
        parts = [path.parent for path in (SOURCES / "cleanrooms_operator").glob("*/__init__.py")]
        names = {".".join(part.relative_to(SOURCES).parts) for part in parts}
        assert {name for name in names if name not in text} == set()


def imported() -> set[str]:
    """Return the top-level modules that the product imports."""
    nodes = (node for path in MODULES for node in ast.walk(ast.parse(path.read_text())))
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(node.module.partition(".")[0])
    return names - set(PACKAGES) - sys.stdlib_module_names


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


class TestDependencies:
    DECLARED = frozenset(
        normal(re.match(r"[\w.-]+", requirement)[0])  # type: ignore[index]  # each begins so
        for requirement in PROJECT["project"]["dependencies"]
    )

    def providers(self) -> dict[str, set[str]]:
        """Return the distributions that hold what the product imports, by module."""
        known: Any = importlib.metadata.packages_distributions()
        wholes = {PART_OF.get(name, name) for name in imported()}
        return {name: {normal(holder) for holder in known.get(name, ())} for name in wholes}

    def test_what_is_imported_is_declared(self) -> None:
        undeclared = {n for n, holders in self.providers().items() if not holders & self.DECLARED}
        assert undeclared == set()

    def test_what_is_declared_is_imported(self) -> None:
        assert self.DECLARED - set().union(*self.providers().values()) == set()
