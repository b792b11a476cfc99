"""What a policy scanner finds in the chart and in the Dockerfile is explained in a file.

The scanner has an environment of its own: `make scan` installs it and runs these tests.
"""

import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from cleanrooms_playground import helm
from install.installation import CHART, PROJECT

SCANNER = Path(os.environ.get("CHECKOV", PROJECT / ".venv" / "scan" / "bin" / "checkov"))
DOCKERFILE = PROJECT / "deploy" / "image" / "Dockerfile"
EXPLAINED = yaml.safe_load((PROJECT / "deploy" / "findings.yaml").read_text())
CASES = sorted((CHART / "ci").glob("*.yaml"))
TIMEOUT_SECONDS = 300

Findings = Mapping[str, Mapping[str, str]]

pytestmark = pytest.mark.skipif(not SCANNER.exists(), reason="no scanner: make scan")


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Return framework -> number of a check -> what it is called."""
    folder = tmp_path_factory.mktemp("scanned")
    for case in CASES:
        text = helm.template(CHART, "--values", case, "--set", "crds.enabled=false")
        (folder / case.name).write_text(text)
    (folder / "Dockerfile").write_text(DOCKERFILE.read_text())
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for report in scan(folder):
        assert report["summary"]["parsing_errors"] == 0
        for each in report["results"]["failed_checks"]:
            found[report["check_type"]][each["check_id"]] = each["check_name"]
    return found


def scan(folder: Path) -> list[dict[str, object]]:
    """Return a report of each framework: what is wrong by the checks that come with the scanner."""
    frameworks = ("--framework", "kubernetes", "dockerfile")
    how = ("--skip-download", "--quiet", "--compact", "--output", "json")
    done = subprocess.run(  # noqa: S603  the scanner of this project's own environment
        [SCANNER, "--directory", folder, *frameworks, *how],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    reports: list[dict[str, object]] = json.loads(done.stdout)
    return reports


def test_all_that_is_found_is_explained_and_all_that_is_explained_is_found(
    findings: Findings,
) -> None:
    explained = {
        framework: {number: each["finds"] for number, each in checks.items()}
        for framework, checks in EXPLAINED.items()
    }
    assert findings == explained


def test_each_explanation_says_why() -> None:
    reasons = [each["why"] for checks in EXPLAINED.values() for each in checks.values()]
    assert all(len(reason.split()) > 5 for reason in reasons)
