"""`make demo`, as the README shows it: both acts, on a control plane of its own."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.cluster

COMPANY_A, COMPANY_B = "111111111111", "222222222222"


def test_both_acts_end_well_and_the_last_run_is_charged_to_the_new_payer() -> None:
    argv = [sys.executable, "-m", "cleanrooms_playground", "demo", "--timeout=600", "-o", "json"]
    ended = subprocess.run(  # noqa: S603  our own command
        argv, check=False, capture_output=True, text=True, timeout=900
    )
    assert ended.returncode == 0, ended.stderr
    outcome = json.loads(ended.stdout)
    assert outcome["ready"]
    runs = [run for account in outcome["accounts"] for run in account["runs"]]
    assert {(run["name"], run["payer"]) for run in runs} == {
        ("customers", COMPANY_A),
        ("churn-first", COMPANY_A),
        ("churn-second", COMPANY_A),
        ("churn-scores", COMPANY_A),
        ("churn-third", COMPANY_B),
    }
    assert "you would become a candidate to pay for modelTraining" in ended.stderr
