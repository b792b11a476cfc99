"""The API server accepts every object that the pages show, as people would apply it."""

import json
import subprocess

import pytest
import yaml

from cleanrooms_operator.core.resource import GROUP
from cleanrooms_playground import helm
from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.control_plane import ControlPlane
from pages import PROJECT, Block, manifests

OURS = f"{GROUP}/v1alpha1"


def ours(block: Block) -> bool:
    return any(document["apiVersion"] == OURS for document in block.objects())


@pytest.fixture(scope="module")
def served(cluster: Cluster) -> Cluster:
    cluster.apply_files(PROJECT / "crds")
    return cluster


def apply(control_plane: ControlPlane, text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  kubectl, with a page's own words
        [
            helm.find("kubectl"),
            f"--kubeconfig={control_plane.kubeconfig}",
            *("apply", "--server-side", "--dry-run=server", "--validate=strict"),
            "--filename=-",
        ],
        input=text,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("block", [*filter(ours, manifests())], ids=str)
def test_what_a_page_shows_can_be_applied(
    served: Cluster, control_plane: ControlPlane, block: Block
) -> None:
    for document in block.objects():
        namespace = document["metadata"].get("namespace")
        if namespace and served.get("v1/Namespace", namespace) is None:
            served.create_namespace(namespace)
    done = apply(control_plane, yaml.safe_dump_all(block.objects()))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(block.objects())


def test_a_misspelt_field_would_be_refused(served: Cluster, control_plane: ControlPlane) -> None:
    assert served
    account = {
        "apiVersion": OURS,
        "kind": "AWSAccount",
        "metadata": {"name": "default", "namespace": "default"},
        "spec": {"accountID": "111111111111", "regoin": "us-east-1", "region": "us-east-1"},
    }
    assert "regoin" in apply(control_plane, json.dumps(account)).stderr
