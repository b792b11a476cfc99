"""The operator of an earlier commit made everything Ready; today's takes over and leaves it alone.

Chart, examples, definitions and operator are those of that commit, out of the repository's history.
The tests are the chapters of one story, and run in this order.
"""

import io
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cleanrooms_operator.core.resource import GROUP
from cleanrooms_playground import helm
from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.waiting import wait_for
from e2e.emulated import AWS
from install.installation import CHART, PROJECT, Installation
from pods import TODAY

EARLIER = "5fbe2eb"
"""The commit that introduced the last kinds."""

TREES = ("operator", "deploy/charts", "examples/walkthrough")
ACCOUNTS = ("111111111111", "222222222222")
READY_SECONDS = 240

Name = tuple[str, str, str]
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Yesterdays:
    """The product as it was, in a folder; its operator runs on the libraries of today."""

    root: Path

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "cleanrooms_operator", *arguments]

    def environment(self) -> Mapping[str, str]:
        """Return where Python finds it, and a name of the user, which that one still needs."""
        return {"PYTHONPATH": str(self.root / "operator"), "USER": "operator"}


@pytest.fixture(scope="module")
def yesterdays(tmp_path_factory: pytest.TempPathFactory) -> Yesterdays:
    git = shutil.which("git")
    assert git is not None
    done = subprocess.run(  # noqa: S603  git itself, on this repository
        [git, "archive", EARLIER, *TREES], cwd=PROJECT, capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"the repository's history does not go back to {EARLIER}")
    root = tmp_path_factory.mktemp("yesterdays")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as packed:
        packed.extractall(root, filter="data")
    return Yesterdays(root)


def resources(cluster: Cluster) -> dict[Name, Document]:
    """Return all our resources by kind, namespace and name."""
    return {
        (kind, each["metadata"]["namespace"], each["metadata"]["name"]): each
        for kind in cluster.our_kinds()
        for each in cluster.list(kind)
    }


def ready(document: Document) -> Document:
    """Return the condition Ready."""
    found = document.get("status", {}).get("conditions", ())
    return next((each for each in found if each["type"] == "Ready"), {"status": "Unknown"})


def all_ready(cluster: Cluster) -> bool:
    found = resources(cluster)
    return bool(found) and all(ready(each)["status"] == "True" for each in found.values())


def looks(aws: AWS, since: int) -> int:
    return sum(record["operation"] == "ListCollaborations" for record in aws.log(since))


def changes(aws: AWS, since: int) -> list[str]:
    """Return what was asked to be changed in AWS."""
    return [operation for account in ACCOUNTS for operation in aws.changes(account, since)]


def look_around(aws: AWS) -> None:
    """Wait until the operator has looked at everything twice."""
    mark = aws.mark()
    wait_for("two rounds of Lists", lambda: looks(aws, mark) > 2 * len(ACCOUNTS), READY_SECONDS)


def test_the_earlier_operator_makes_everything_ready(
    release: Installation, yesterdays: Yesterdays
) -> None:
    release.program = yesterdays
    release.install(yesterdays.root / helm.CHART, replicaCount=1)
    release.start()
    release.cluster.apply_files(yesterdays.root / "examples" / "walkthrough")
    wait_for("all to be Ready", lambda: all_ready(release.cluster), READY_SECONDS)


def test_todays_takes_over_without_a_change_in_aws_and_writes_only_what_is_new(
    release: Installation, aws: AWS
) -> None:
    before, mark = resources(release.cluster), aws.mark()
    release.program = TODAY
    release.upgrade(CHART, replicaCount=1)
    release.restart()
    look_around(aws)
    after = resources(release.cluster)
    assert after.keys() == before.keys()
    for name, was in before.items():
        now = after[name]
        assert now["spec"] == was["spec"], name
        assert ready(now) == ready(was), name
        for field in ("uid", "generation", "finalizers", "annotations", "labels"):
            assert now["metadata"].get(field) == was["metadata"].get(field), (name, field)
    changed = [name for name, was in before.items() if after[name]["status"] != was["status"]]
    look_around(aws)
    assert resources(release.cluster) == after
    assert release.writes(release.cluster.our_kinds()) == len(changed)
    assert changes(aws, mark) == []
    assert release.denied() == []


def test_todays_deletes_what_the_earlier_one_made(release: Installation, aws: AWS) -> None:
    permitted = {
        "metadata": {
            "annotations": {
                f"{GROUP}/delete-collaboration": "true",
                f"{GROUP}/delete-membership": "true",
            }
        }
    }
    for kind, namespace, name in resources(release.cluster):
        release.cluster.patch(kind, name, permitted, namespace=namespace)
        release.cluster.delete(kind, name, namespace=namespace)
    wait_for("all to be gone", lambda: not resources(release.cluster), READY_SECONDS)
    for account in ACCOUNTS:
        assert aws.arns(account)["Collaboration"] == []
        listed = aws.party(account).cleanrooms.list_memberships()["membershipSummaries"]
        assert [each for each in listed if each["status"] == "ACTIVE"] == []
    release.uninstall()
