"""The image that the Dockerfile describes: small, fixed, without rights, and it starts."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.control_plane import ControlPlane
from cleanrooms_playground.waiting import wait_for
from confinement import Limits, confined
from e2e.emulated import AWS
from install.image import DOCKERFILE, TIMEOUT_SECONDS, USER, Image, pairs, said, stages
from install.installation import CHART, PROJECT, Installation, values
from install.locks import wanted
from install.sbom import listed, versions

VERSION = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
IGNORE = DOCKERFILE.with_name("Dockerfile.dockerignore")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """Return what the Dockerfile's steps make, in a folder of this machine."""
    built = Image(tmp_path_factory.mktemp("image"))
    built.build()
    yield built
    for path in (built.app, *built.app.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)


class TestDockerfile:
    def test_the_linter_finds_nothing(self) -> None:
        linter = Path(sys.executable).with_name("hadolint")
        done = subprocess.run(  # noqa: S603  one of the developers' dependencies
            [linter, "--failure-threshold", "style", DOCKERFILE],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert (done.stdout, done.returncode) == ("", 0)

    def test_it_copies_what_is_let_through_and_nothing_else_is(self) -> None:
        let = [line[1:] for line in IGNORE.read_text().splitlines() if line.startswith("!")]
        copied = [source for value in said(stages()[0], "COPY") for source in value.split()[:-1]]
        assert sorted(copied) == sorted(let)
        assert all((PROJECT / path).exists() for path in let)

    def test_the_pod_that_the_chart_makes_is_the_same_user(self) -> None:
        [user] = said(stages()[1], "USER")
        assert user == f"{USER}:{USER}"
        assert f"runAsUser: {USER}" in (CHART / "values.yaml").read_text()

    def test_labels_are_filled_in_from_outside(self) -> None:
        labels = {
            name.removeprefix("org.opencontainers.image."): value
            for name, value in pairs(stages()[1], "LABEL").items()
        }
        assert labels.keys() >= {"title", "description", "licenses", "source", "url"}
        assert {labels[name] for name in ("version", "revision", "created")} == {
            "${VERSION}",
            "${REVISION}",
            "${CREATED}",
        }
        assert f"VERSION={VERSION}" in said(stages()[1], "ARG")

    def test_both_stages_have_the_same_python(self) -> None:
        """Debian 12 has Python 3.11."""
        text = DOCKERFILE.read_text()
        assert "ARG BUILD=python:3.11-" in text
        assert "ARG RUNTIME=gcr.io/distroless/python3-debian12:nonroot" in text


class TestWhatIsBuilt:
    def test_it_holds_the_operator_and_what_is_locked_for_it(self, image: Image) -> None:
        installed = metadata.distributions(path=[str(image.app)])
        found = {canonicalize_name(each.name): each.version for each in installed}
        assert found == {**wanted(), "cleanrooms-operator": VERSION}

    def test_all_of_it_is_compiled_and_nobody_may_write_it(self, image: Image) -> None:
        package = image.app / "cleanrooms_operator"
        sources = list(package.rglob("*.py"))
        assert sources
        compiled = {path.name.partition(".")[0] for path in package.rglob("*.pyc")}
        assert {path.stem for path in sources} == compiled
        assert not [path for path in package.rglob("*") if path.stat().st_mode & 0o222]

    def test_it_says_how_it_is_used(self, image: Image) -> None:
        done = subprocess.run(  # noqa: S603  what was just built
            [*confined(Limits(USER, USER, ())), *image.command("run", "--help")],
            env=image.environment(),
            cwd="/",
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert (done.stderr, done.returncode) == ("", 0)
        assert "-m cleanrooms_operator run [OPTIONS]" in done.stdout

    def test_all_of_it_is_listed(self, image: Image, tmp_path: Path) -> None:
        subprocess.run(  # noqa: S603  this interpreter
            [sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True
        )
        document = json.loads(listed("environment", tmp_path, PYTHONPATH=str(image.app)))
        assert versions(document) == wanted()
        [root] = [each for each in document["dependencies"] if each["ref"] == "root-component"]
        direct = {each.partition("==")[0] for each in root["dependsOn"]}
        assert {"kopf", "boto3", "pydantic"} <= direct
        assert str(tmp_path) not in json.dumps(document)


def test_it_runs_as_the_chart_says_and_writes_no_file(
    image: Image,
    control_plane: ControlPlane,
    cluster: Cluster,
    aws: AWS,
    tmp_path: Path,
) -> None:
    before = image.files()
    release = Installation(control_plane, cluster, tmp_path, values(aws.url), image)
    release.install(CHART, replicaCount=1)
    try:
        release.start()
        wait_for("readiness", lambda: release.probe("readinessProbe") == 200)
        assert release.denied() == []
    finally:
        release.uninstall()
    assert image.files() == before
