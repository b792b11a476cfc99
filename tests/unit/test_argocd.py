"""The scripts for Argo CD, with the test data recorded for its own suite, and the ConfigMap."""

from pathlib import Path
from typing import Any

import lupa.lua51
import pytest
import yaml

from cleanrooms_operator.core.resource import Annotation
from cleanrooms_operator.kinds import DEFINITIONS
from cleanrooms_playground import helm
from cleanrooms_playground.documents import parse_documents
from scripting import FOLDER, action, discovered, health, run, script

PROJECT = Path(__file__).parents[2]
GROUP = "cleanrooms-operator.dev"

Document = dict[str, Any]


def loaded(path: Path) -> Document:
    document = yaml.safe_load(path.read_text())
    assert isinstance(document, dict)
    return document


HEALTH = loaded(FOLDER / "health_test.yaml")["tests"]
ACTIONS = loaded(FOLDER / "actions" / "action_test.yaml")


class TestHealth:
    @pytest.mark.parametrize("case", HEALTH, ids=lambda case: Path(case["inputPath"]).stem)
    def test_a_recorded_state_gets_its_verdict(self, case: Document) -> None:
        assert health(loaded(FOLDER / case["inputPath"])) == case["healthStatus"]

    def test_all_verdicts_are_there_and_all_data_is_used(self) -> None:
        verdicts = {case["healthStatus"]["status"] for case in HEALTH}
        assert verdicts == {"Healthy", "Progressing", "Degraded", "Suspended"}
        used = {FOLDER / case["inputPath"] for case in HEALTH}
        assert used == set((FOLDER / "testdata").iterdir())

    @pytest.mark.parametrize("library", ["string.format('x')", "math.max(1)", "('x'):upper()"])
    def test_a_script_has_no_other_libraries_than_argo_cd_gives_it(self, library: str) -> None:
        with pytest.raises(lupa.lua51.LuaError):
            run(f"return {library}", {})


class TestActions:
    @pytest.mark.parametrize(
        "case",
        ACTIONS["actionTests"],
        ids=lambda case: Path(case["expectedOutputPath"]).stem,
    )
    def test_it_changes_what_was_recorded(self, case: Document) -> None:
        before = loaded(FOLDER / "actions" / case["inputPath"])
        expected = loaded(FOLDER / "actions" / case["expectedOutputPath"])
        changed = action(case["action"], before)
        assert changed["metadata"].get("annotations", {}) == expected["metadata"].get(
            "annotations", {}
        )

    @pytest.mark.parametrize("case", ACTIONS["discoveryTests"], ids=lambda c: c["inputPath"])
    def test_they_are_offered(self, case: Document) -> None:
        offered = discovered(loaded(FOLDER / "actions" / case["inputPath"]))
        assert [{"name": n, **each} for n, each in sorted(offered.items())] == case["result"]

    def test_they_set_the_annotations_that_the_operator_reads(self) -> None:
        bare: Document = {"metadata": {}}

        def annotations(name: str, document: Document) -> Document:
            found: Document = action(name, document)["metadata"].get("annotations", {})
            return found

        [(asked, when)] = annotations("check", bare).items()
        assert asked == Annotation.RECONCILE_REQUESTED_AT
        assert when.endswith("Z")
        assert annotations("pause", bare) == {Annotation.PAUSED: "true"}
        assert annotations("cancel", bare) == {Annotation.CANCEL: "true"}
        paused = {"metadata": {"annotations": {Annotation.PAUSED: "true", "other": "kept"}}}
        assert annotations("resume", paused) == {"other": "kept"}
        for_a_while = {"metadata": {"annotations": {Annotation.PAUSED_UNTIL: "2027", "o": "k"}}}
        assert annotations("resume", for_a_while) == {"o": "k"}


class TestConfigMap:
    def data(self) -> dict[str, str]:
        found: dict[str, str] = loaded(PROJECT / "deploy/argocd/argocd-cm.yaml")["data"]
        return found

    def test_every_kind_has_health_and_actions(self) -> None:
        expected = {
            f"resource.customizations.{what}.{GROUP}_{definition.name}"
            for definition in DEFINITIONS
            for what in ("health", "actions")
        }
        assert self.data().keys() == expected

    def test_they_are_the_scripts(self) -> None:
        for name, text in self.data().items():
            if ".health." in name:
                assert text.strip() == script("health.lua").strip()
                continue
            actions = yaml.safe_load(text)
            assert actions["discovery.lua"].strip() == script("actions/discovery.lua").strip()
            assert {each["name"] for each in actions["definitions"]} == {
                path.name
                for path in (FOLDER / "actions").iterdir()
                if (path / "action.lua").exists()
            }
            for each in actions["definitions"]:
                source = script(f"actions/{each['name']}/action.lua")
                assert each["action.lua"].strip() == source.strip()

    def test_the_chart_writes_the_same(self) -> None:
        argocd = ("--set", "argocd.healthChecks.enabled=true")
        rendered = helm.template(PROJECT / helm.CHART, *argocd)
        maps = [d for d in parse_documents(rendered) if d["kind"] == "ConfigMap"]
        assert [each["data"] for each in maps] == [self.data()]
