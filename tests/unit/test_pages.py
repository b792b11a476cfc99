"""The pages are whole: links lead somewhere, YAML is what it says, and each page can be found."""

import re
from pathlib import Path
from typing import Any

import pytest

from cleanrooms_operator.core.resource import GROUP, Annotation
from cleanrooms_playground import helm
from cleanrooms_playground.documents import read_documents
from pages import DOCS, PAGES, PROJECT, Block, anchors, blocks, every, links, manifests, values
from typed import commands, files

CHART = PROJECT / helm.CHART
GITOPS = PROJECT / "examples" / "gitops"
APPLIED = (f"{GROUP}/v1alpha1", "v1")


def broken(page: Path) -> list[str]:
    """Return the links of a page that lead nowhere."""
    found = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            found.append(target)
    return found


class TestLinks:
    @pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
    def test_each_leads_to_a_file_and_a_heading_that_exist(self, page: Path) -> None:
        assert broken(page) == []

    def test_one_that_leads_nowhere_would_be_found(self, tmp_path: Path) -> None:
        page = tmp_path / "page.md"
        page.write_text(
            "# One\n\n[a](gone.md) [b](#one) [c](#two) [d](https://example.com) `[e](f)`"
        )
        assert broken(page) == ["gone.md", "#two"]

    def test_there_are_many(self) -> None:
        assert sum(1 for page in PAGES for _ in links(page)) > 50

    def test_each_page_is_in_the_contents(self) -> None:
        listed = {DOCS / "index.md"}
        for page in (DOCS / "index.md", DOCS / "alerts.md"):
            for block in blocks(page):
                names = re.findall(r"^[a-z].*$", block.text, re.MULTILINE)
                listed |= {page.parent / f"{name}.md" for name in names}
        assert set(DOCS.rglob("*.md")) == listed


def of_chart(document: dict[str, Any]) -> dict[str, Any] | None:
    """Return the values that an object of Argo CD or Flux gives to the chart, if it does."""
    spec = document["spec"]
    values = spec.get("source", {}).get("helm", {}).get("valuesObject") or spec.get("values")
    return values if isinstance(values, dict) else None


class TestYaml:
    """Our own objects are held against their schemas with the examples, and applied elsewhere."""

    @pytest.mark.parametrize("block", manifests(), ids=str)
    def test_a_block_holds_whole_objects(self, block: Block) -> None:
        """Of a foreign kind they are those of the examples, so that there is one truth."""
        known = [document for path in GITOPS.glob("*/*.yaml") for document in read_documents(path)]
        assert block.objects()
        for document in block.objects():
            assert {"apiVersion", "kind", "metadata"} <= document.keys()
            assert document["apiVersion"] in APPLIED or document in known

    @pytest.mark.parametrize("block", values(), ids=str)
    def test_the_chart_accepts_values_and_knows_their_names(
        self, block: Block, tmp_path: Path
    ) -> None:
        (tmp_path / "values.yaml").write_text(block.text)
        assert "Deployment" in helm.template(CHART, "--values", tmp_path / "values.yaml")

    def test_values_with_a_typing_error_would_be_refused(self) -> None:
        with pytest.raises(helm.HelmError, match="ownr"):
            helm.template(CHART, "--set", "ownr.id=x")

    def test_no_other_block_holds_yaml(self) -> None:
        known = {block.info for block in (*values(), *manifests())}
        others = {"console", "mermaid", "{toctree}", ""}
        assert {block.info for block in every()} <= known | others


class TestWords:
    def test_every_annotation_is_explained(self) -> None:
        text = (DOCS / "concepts.md").read_text()
        names = [
            value.removeprefix(f"{GROUP}/")
            for name, value in vars(Annotation).items()
            if name.isupper()
        ]
        assert [name for name in names if f"`{name}: " not in text] == []

    def test_options_of_commands_are_files_that_exist(self) -> None:
        """`deploy/…` and `crds/` in a command are places of this repository."""
        named = {
            path
            for block in every()
            if block.info == "console"
            for path in re.findall(r"(?<![\w/.-])(?:deploy|crds|examples)/[\w./-]*", block.text)
        }
        assert len(named) > 2
        assert [path for path in named if not (PROJECT / path).exists()] == []


PAGE = """\
Write `job.yaml`, which is short:

```yaml
kind: Job
```

1. Apply it:

   ```console
   $ kubectl apply \\
       --filename job.yaml
   job/one created
   $ kubectl get job
   NAME   STARTED     AGE
   ...
   one    <invalid>   12s
   ```
"""


class TestTyped:
    @pytest.fixture
    def page(self, tmp_path: Path) -> Path:
        (tmp_path / "page.md").write_text(PAGE)
        return tmp_path / "page.md"

    def test_commands_are_what_follows_prompts_and_the_rest_is_their_answer(
        self, page: Path
    ) -> None:
        [apply, get] = commands(page)
        assert apply.text == "kubectl apply \\\n    --filename job.yaml"
        assert apply.shown == "job/one created"
        assert get.text == "kubectl get job"

    def test_files_are_named_above_their_blocks(self, page: Path) -> None:
        assert files(page) == {"job.yaml": "kind: Job\n"}

    def test_ages_and_widths_may_differ_and_nothing_else(self, page: Path) -> None:
        [_, get] = commands(page)
        head = "NAME    STARTED   AGE\n"
        assert get.shows(f"{head}one   3m2s   <invalid>\n")
        assert get.shows(f"{head}nil   1d   2d\none   3m2s   1h\n")
        assert not get.shows(f"{head}two   3m2s   1h\n")
        assert not get.shows(f"{head}one   3m2s   1h\nmore\n")
