"""The chart's values: those that people look for are there, and a page tells all of them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cleanrooms_operator.kinds import DEFINITIONS
from cleanrooms_playground import helm, values

PROJECT = Path(__file__).parents[2]
CHART = PROJECT / helm.CHART
TEXT = (CHART / "values.yaml").read_text()
PAGE = (PROJECT / "docs" / "values.md").read_text()

LOOKED_FOR: list[str] = yaml.safe_load("""[
    nameOverride, fullnameOverride, commonLabels, image.repository, image.tag, image.digest,
    image.pullPolicy, imagePullSecrets, replicaCount, revisionHistoryLimit,
    leaderElection.enabled, watchNamespaces, watchLabelSelector, aws.region, aws.endpoints,
    defaultDeletionPolicy, reconcile.resyncPeriodSeconds, reconcile.maxConcurrent, crds.enabled,
    crds.keep, serviceAccount.create, serviceAccount.name, serviceAccount.annotations,
    rbac.create, rbac.aggregate, log.level, log.format, tracing, resources, nodeSelector,
    tolerations, affinity, topologySpreadConstraints, priorityClassName, podAnnotations,
    podLabels, extraEnv, extraArgs, extraVolumes, extraVolumeMounts, podDisruptionBudget,
    podSecurityContext, securityContext, metrics.enabled, metrics.port, metrics.serviceMonitor,
    metrics.prometheusRule, metrics.dashboard, probes, networkPolicy
]""")
"""The union of what the charts of cert-manager, External Secrets, Karpenter and ACK have."""

Document = dict[str, Any]


def has(path: str) -> bool:
    """Whether the chart has a value of this path."""
    found: Any = yaml.safe_load(TEXT)
    for name in path.split("."):
        if not isinstance(found, dict) or name not in found:
            return False
        found = found[name]
    return True


class TestWhatPeopleLookFor:
    @pytest.mark.parametrize("path", LOOKED_FOR)
    def test_it_is_there_or_the_page_says_why_not(self, path: str) -> None:
        assert has(path) is not (path in values.ELSEWHERE)
        assert has(path) or f"| `{path}` | {values.ELSEWHERE[path]} |" in PAGE

    def test_what_is_said_instead_exists(self) -> None:
        told = " ".join(values.ELSEWHERE.values())
        named = set(re.findall(r"`((?:aws|reconcile|networkPolicy|watch)[\w.]*)`", told))
        assert len(named) > 3
        assert {path for path in named if not has(path)} == set()
        assert values.ELSEWHERE.keys() <= set(LOOKED_FOR)


class TestThePage:
    def test_it_tells_of_every_value(self) -> None:
        told = {each.path for each in values.described(TEXT)}
        untold = [path for path in leaves(yaml.safe_load(TEXT)) if not covered(path, told)]
        assert untold == []
        assert len(told) > 70

    def test_it_is_what_would_be_made(self) -> None:
        for path, text in helm.documented(PROJECT).items():
            assert (PROJECT / path).read_text() == text, f"run make generate: {path}"

    def test_a_description_may_go_on_and_other_comments_are_none(self) -> None:
        text = "# all of it\na:\n  # -- One\n  # or two | three.\n  b: [1]\n# no\nc: 2\n"
        assert values.described(text) == (values.Value("a.b", "[1]", "One or two \\| three."),)


def leaves(given: Document, above: str = "") -> list[str]:
    found = []
    for name, below in given.items():
        path = f"{above}{name}"
        found += leaves(below, f"{path}.") if isinstance(below, dict) and below else [path]
    return found


def covered(path: str, told: set[str]) -> bool:
    return any(path == each or path.startswith(f"{each}.") for each in told)


class TestDefaultDeletionPolicy:
    """What a spec that says nothing of it means: a default of the definitions, as any other."""

    def definitions(self, *arguments: str) -> list[Document]:
        found = yaml.safe_load_all(helm.template(CHART, *arguments))
        return [each for each in found if each["kind"] == "CustomResourceDefinition"]

    def test_it_is_the_default_in_every_definition_that_has_one_and_all_that_differs(self) -> None:
        retained = self.definitions("--set", "defaultDeletionPolicy=Retain")
        changed = []
        for definition in retained:
            [version] = definition["spec"]["versions"]
            spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
            if (policy := spec.get("deletionPolicy")) is not None:
                assert policy["default"] == "Retain"
                policy["default"] = "Delete"
                changed.append(definition["spec"]["names"]["kind"])
        assert set(changed) == {each.name for each in DEFINITIONS} - {"AWSAccount"}
        assert retained == self.definitions()

    def test_it_is_refused_where_the_definitions_are_installed_apart(self) -> None:
        apart = "crds.enabled=false,defaultDeletionPolicy=Retain"
        with pytest.raises(helm.HelmError, match="defaultDeletionPolicy"):
            helm.template(CHART, "--set", apart)
        with pytest.raises(helm.HelmError, match="defaultDeletionPolicy"):
            helm.template(CHART, "--set", "defaultDeletionPolicy=Orphan")
