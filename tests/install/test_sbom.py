"""What is listed for people who check what they run: all of the lock, all of the wheel."""

import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from install.image import TIMEOUT_SECONDS, Image, locked, version, wanted
from install.installation import PROJECT

LISTER = Path(sys.executable).with_name("cyclonedx-py")
LOCK = PROJECT / "requirements" / "run.lock"

Document = dict[str, Any]


def listed(*arguments: str | Path, **environment: str) -> str:
    """Return what `make sbom` would write."""
    how = ("--pyproject", PROJECT / "pyproject.toml", "--output-reproducible")
    done = subprocess.run(  # noqa: S603  one of the developers' dependencies
        [LISTER, *arguments[:1], *how, *arguments[1:]],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    return done.stdout


@functools.cache
def of_lock() -> str:
    return listed("requirements", LOCK)


def versions(document: Document) -> Mapping[str, str]:
    return {canonicalize_name(each["name"]): each["version"] for each in document["components"]}


def test_the_recipe_lists_in_this_way() -> None:
    recipe = (PROJECT / "Makefile").read_text()
    assert "BOM := --pyproject pyproject.toml --output-reproducible\n" in recipe
    assert "cyclonedx-py requirements $(BOM)" in recipe
    assert "cyclonedx-py environment $(BOM)" in recipe


class TestLock:
    def test_all_of_it_is_listed_for_every_platform(self) -> None:
        document = json.loads(of_lock())
        assert document["bomFormat"] == "CycloneDX"
        assert document["metadata"]["component"]["name"] == "cleanrooms-operator"
        assert versions(document) == {name: version(each) for name, each in locked().items()}

    def test_each_part_has_its_hashes(self) -> None:
        found = {
            hashed["content"]
            for component in json.loads(of_lock())["components"]
            for reference in component["externalReferences"]
            for hashed in reference.get("hashes", ())
        }
        assert found == set(re.findall(r"sha256:([0-9a-f]{64})", LOCK.read_text()))

    def test_it_is_the_same_each_time(self) -> None:
        assert listed("requirements", "--no-validate", LOCK, PYTHONHASHSEED="1") == of_lock()


def test_the_wheel_is_listed_with_what_it_is_installed_with(image: Image, tmp_path: Path) -> None:
    subprocess.run(  # noqa: S603  this interpreter
        [sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True
    )
    document = json.loads(listed("environment", tmp_path, PYTHONPATH=str(image.app)))
    assert versions(document) == wanted()
    [root] = [each for each in document["dependencies"] if each["ref"] == "root-component"]
    assert {"kopf", "boto3", "pydantic"} <= {each.partition("==")[0] for each in root["dependsOn"]}
    assert str(tmp_path) not in json.dumps(document)
