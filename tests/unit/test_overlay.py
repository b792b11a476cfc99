"""The overlay in the examples changes what it says, in what the chart renders, and nothing else."""

import functools
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cleanrooms_operator.settings import PREFIX, Settings, load
from cleanrooms_playground import helm
from cleanrooms_playground.documents import parse_documents

PROJECT = Path(__file__).parents[2]
BASE = PROJECT / "deploy" / "manifests"
OVERLAY = PROJECT / "examples" / "kustomize"

Document = dict[str, Any]
Name = tuple[str, str]


@functools.cache
def built(folder: Path) -> dict[Name, Document]:
    """Return what kustomize makes of a folder, by kind and name."""
    done = subprocess.run(  # noqa: S603  kubectl, without a cluster
        [helm.find("kubectl"), "kustomize", folder],
        capture_output=True,
        text=True,
        check=True,
    )
    return named(done.stdout)


def named(text: str) -> dict[Name, Document]:
    return {(each["kind"], each["metadata"]["name"]): each for each in parse_documents(text)}


def deployment(folder: Path) -> Document:
    spec: Document = built(folder)["Deployment", helm.RELEASE]["spec"]
    return spec


def environment(folder: Path) -> dict[str, str]:
    [container] = deployment(folder)["template"]["spec"]["containers"]
    return {each["name"]: each.get("value", "a-namespace") for each in container["env"]}


def test_the_base_is_all_that_the_chart_renders() -> None:
    expected = named(helm.template(PROJECT / helm.CHART))
    found = dict(built(BASE))
    del found["Namespace", helm.NAMESPACE]
    assert found == expected


def test_the_overlay_changes_a_deployment_and_an_account() -> None:
    base, overlay = built(BASE), built(OVERLAY)
    assert base.keys() == overlay.keys()
    changed = {name for name, document in overlay.items() if document != base[name]}
    assert changed == {("Deployment", helm.RELEASE), ("ServiceAccount", helm.RELEASE)}


def test_the_image_is_that_of_a_registry_of_ones_own() -> None:
    [container] = deployment(OVERLAY)["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/cleanrooms-operator:0.1.0"
    assert deployment(OVERLAY)["replicas"] == 3


def test_the_operator_reads_what_is_set_and_keeps_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)
    for name, value in environment(OVERLAY).items():
        monkeypatch.setenv(name, value)
    settings = load({})
    assert settings.owner == "production"
    assert settings.roles == {"company-*": ("arn:aws:iam::*:role/cleanrooms-operator",)}
    assert settings.log_level == "warning"
    kept = environment(BASE).keys() - {"CLEANROOMS_LOG_LEVEL"}
    for name in kept:
        assert environment(OVERLAY)[name] == environment(BASE)[name]
