"""Metrics as people see them: the page, the dashboard and the alerts name what there is."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cleanrooms_operator.kube import monitoring
from cleanrooms_operator.kube.monitoring import ALERTS, PANELS, families

PROJECT = Path(__file__).parents[2]

SERIES = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_sum", "_count"),
    "gauge": ("",),
}
KNOWN = {
    f"{family.name}{suffix}": {*labels, *({"le"} if suffix == "_bucket" else ())}
    for family, labels in families()
    for suffix in SERIES[family.type]
}
EXPRESSIONS = [each.expression for each in (*ALERTS, *PANELS)]
NAMES = re.compile(r"\b(?:cleanrooms|controller_runtime|workqueue|leader_election)_\w+")


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_is_asked_for_is_told(expression: str) -> None:
    used = set(NAMES.findall(expression))
    assert used
    assert used <= KNOWN.keys()
    labels = set().union(*(KNOWN[name] for name in used))
    matched = re.findall(r"[{,](\w+)[=!]~?=?\"", expression)
    grouped = [name for by in re.findall(r"by \(([^)]*)\)", expression) for name in by.split(", ")]
    assert {*matched, *grouped} <= labels


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_a_legend_shows_what_a_panel_is_grouped_by(panel: Any) -> None:
    shown = set(re.findall(r"{{(\w+)}}", panel.legend))
    grouped = re.search(r"by \(([^)]*)\)", panel.expression)
    assert shown == (set(grouped[1].split(", ")) - {"le"} if grouped else set())


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_names_what_it_is_grouped_by(alert: Any) -> None:
    used = set(re.findall(r"\$labels\.(\w+)", alert.summary))
    grouped = re.search(r"by \(([^)]*)\)", alert.expression)
    assert used <= (set(grouped[1].split(", ")) if grouped else set())


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    pages = {path.stem: path.read_text() for path in (PROJECT / monitoring.RUNBOOKS).glob("*.md")}
    assert pages.keys() == {alert.runbook for alert in ALERTS}
    for alert in ALERTS:
        assert pages[alert.runbook].startswith(f"# CleanRooms{alert.name}\n")
        for part in ("What it means", "What to look at", "What to do"):
            assert f"## {part}\n" in pages[alert.runbook]


def test_the_page_names_every_metric_and_alert() -> None:
    page = monitoring.page()
    for family, labels in families():
        assert f"`{family.name}" in page
        assert family.documentation
        assert all(f"`{label}`" in page for label in labels)
    for alert in ALERTS:
        assert f"(runbooks/{alert.runbook}.md)" in page


def test_panels_do_not_overlap_and_have_names_of_their_own() -> None:
    panels = json.loads(monitoring.dashboard())["panels"]
    for name in ("id", "title"):
        assert len({panel[name] for panel in panels}) == len(PANELS)
    assert len({(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels}) == len(PANELS)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(monitoring.rules()))
    subprocess.run(["promtool", "check", "rules", path], check=True)  # noqa: S603,S607  as installed
