"""The files for Argo CD and Flux fit the chart, the kinds and each other."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cleanrooms_operator.kinds import DEFINITIONS
from cleanrooms_operator.kube import manifests
from cleanrooms_playground import helm
from cleanrooms_playground.documents import parse_documents, read_documents

PROJECT = Path(__file__).parents[2]
GITOPS = PROJECT / "examples" / "gitops"
WAVES = PROJECT / "deploy" / "argocd" / "sync-waves"
WAVE = "argocd.argoproj.io/sync-wave"

Document = dict[str, Any]


def documents(path: Path) -> dict[str, Document]:
    return {each["kind"]: each for each in read_documents(path)}


class TestOperator:
    @pytest.fixture(params=["argocd", "flux"])
    def given(self, request: pytest.FixtureRequest) -> tuple[str, Document]:
        """Return the chart's place and the values that a tool is told."""
        found = documents(GITOPS / request.param / "operator.yaml")
        if request.param == "argocd":
            source = found["Application"]["spec"]["source"]
            return source["path"], source["helm"]["valuesObject"]
        spec = found["HelmRelease"]["spec"]
        return spec["chart"]["spec"]["chart"], spec["values"]

    def test_it_is_the_chart_with_values_that_it_accepts(
        self, given: tuple[str, Document], tmp_path: Path
    ) -> None:
        place, values = given
        (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
        assert "Deployment" in helm.template(PROJECT / place, "--values", tmp_path / "values.yaml")


class TestCompany:
    def test_nothing_is_deleted_because_it_left_git(self) -> None:
        application = documents(GITOPS / "argocd" / "company-a.yaml")["Application"]
        assert application["spec"]["syncPolicy"]["automated"]["prune"] is False
        kustomization = documents(GITOPS / "flux" / "company-a.yaml")["Kustomization"]
        assert kustomization["spec"]["prune"] is False
        assert kustomization["spec"]["wait"] is True

    def test_a_kustomization_reads_the_source_that_is_beside_it(self) -> None:
        found = documents(GITOPS / "flux" / "company-a.yaml")
        source = found["Kustomization"]["spec"]["sourceRef"]
        assert found[source["kind"]]["metadata"]["name"] == source["name"]


def waves() -> dict[str, int]:
    component = yaml.safe_load((WAVES / "kustomization.yaml").read_text())
    patches = [yaml.safe_load(each["patch"]) for each in component["patches"]]
    return {each["kind"]: int(each["metadata"]["annotations"][WAVE]) for each in patches}


def referents(definition: Document) -> set[str]:
    """Return the names, in small letters, of the kinds that a kind refers to at any depth."""
    return {name.lower() for name in re.findall(r"'(\w+?)Refs?': ", str(definition["spec"]))}


def built(folder: Path) -> list[Document]:
    """Return what kustomize makes of a folder, of our kinds."""
    done = subprocess.run(  # noqa: S603  the kubectl that was just found
        [helm.find("kubectl"), "kustomize", folder],
        capture_output=True,
        check=True,
        text=True,
    )
    return [each for each in parse_documents(done.stdout) if each["kind"] in waves()]


def check_waves(declared: list[Document]) -> None:
    assert len(declared) > 3
    for each in declared:
        assert each["metadata"]["annotations"][WAVE] == str(waves()[each["kind"]])


class TestWaves:
    def test_every_kind_has_one_after_those_of_what_it_refers_to(self) -> None:
        ordered = waves()
        assert {definition.name for definition in DEFINITIONS} <= ordered.keys()
        small = {kind.lower(): wave for kind, wave in ordered.items()}
        followed = 0
        for definition in manifests.definitions():
            kind = definition["spec"]["names"]["kind"]
            for referent in referents(definition) & small.keys():
                # A trained model may go on from another one.
                assert small[referent] < ordered[kind] or referent == kind.lower()
                followed += 1
        assert followed > 4

    def test_kustomize_annotates_what_is_declared(self, tmp_path: Path) -> None:
        declared = tmp_path / "resources.yaml"
        walkthrough = sorted((PROJECT / "examples" / "walkthrough").glob("*.yaml"))
        declared.write_text("\n---\n".join(path.read_text() for path in walkthrough))
        component = tmp_path / "waves"
        component.mkdir()
        name = "kustomization.yaml"
        (component / name).write_text((WAVES / name).read_text())
        kustomization = {"resources": [declared.name], "components": ["waves"]}
        (tmp_path / name).write_text(yaml.safe_dump(kustomization))
        check_waves(built(tmp_path))

    @pytest.mark.parametrize("company", ["company-a", "company-b"])
    def test_the_examples_have_them(self, company: str) -> None:
        check_waves(built(GITOPS / company / "production"))
