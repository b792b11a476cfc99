"""What is listed for people who check what they run: all of the lock, all of the wheel."""

import functools
import json
import re

from install.installation import PROJECT
from install.locks import LOCK, locked, version
from install.sbom import listed, versions


@functools.cache
def of_lock() -> str:
    return listed("requirements", LOCK)


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
