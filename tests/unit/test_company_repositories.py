"""The example of two companies' repositories: nothing in it is forgotten or left dangling."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cleanrooms_playground.documents import read_documents

GITOPS = Path(__file__).parents[2] / "examples" / "gitops"
COMPANIES = {"company-a": "111111111111", "company-b": "222222222222"}
NOT_IN_GIT = {("Secret", "training-secrets")}

each_company = pytest.mark.parametrize("company", COMPANIES)


def kustomizations(company: str) -> dict[Path, Any]:
    found = sorted((GITOPS / company).rglob("kustomization.yaml"))
    return {path.parent: yaml.safe_load(path.read_text()) for path in found}


def built(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what a folder's kustomization is made of."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    for name in kustomization["resources"]:
        if (folder / name).is_dir():
            yield from built(folder / name)
        else:
            yield from read_documents(folder / name)
    for made in kustomization.get("configMapGenerator", ()):
        yield {"kind": "ConfigMap", "metadata": {"name": made["name"]}}


def named(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Yield (kind as far as the field tells it, name) of everything that a spec refers to."""
    if isinstance(value, list):
        for item in value:
            yield from named(item, field)
    elif isinstance(value, dict):
        if field.endswith("Ref"):
            yield field.removesuffix("Ref").removesuffix("Key"), value["name"]
        for name, item in value.items():
            yield from named(item, name)


@each_company
def test_every_file_is_part_of_a_kustomization(company: str) -> None:
    found = kustomizations(company)
    assert [folder.name for folder in found] == ["base", "production"]
    for folder, kustomization in found.items():
        listed = {folder / name for name in kustomization["resources"] if name != "../base"}
        for generator in kustomization.get("configMapGenerator", ()):
            files = (name.partition("=")[2] for name in generator.get("files", ()))
            listed |= {folder / name for name in files}
        there = {path for path in folder.rglob("*.*") if path.name != "kustomization.yaml"}
        assert listed == there


@each_company
def test_what_is_referred_to_is_there(company: str) -> None:
    documents = list(built(GITOPS / company / "production"))
    there = {(one["kind"], one["metadata"]["name"]) for one in documents} | NOT_IN_GIT
    asked = {reference for one in documents for reference in named(one.get("spec"))}
    assert asked
    for field, name in asked:
        assert any(kind.lower() == field.lower() and name == n for kind, n in there), (field, name)


@each_company
def test_each_acts_in_its_own_account(company: str) -> None:
    (account,) = (
        one for one in built(GITOPS / company / "production") if one["kind"] == "AWSAccount"
    )
    assert account["spec"]["accountID"] == COMPANIES[company]
    assert f":{COMPANIES[company]}:" in account["spec"]["roleARN"]
