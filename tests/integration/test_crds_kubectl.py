"""The definitions as people meet them: through kubectl, and through what they may do."""

import shutil
import subprocess
from pathlib import Path

import pytest

import ml_manifests
from cleanrooms_operator.core.kind import Definition
from cleanrooms_operator.kinds import DEFINITIONS
from cleanrooms_operator.kube import rights
from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.control_plane import ControlPlane
from cleanrooms_playground.documents import read_documents

PROJECT = Path(__file__).parents[2]
VERSION = "cleanrooms-operator.dev/v1alpha1"
KUBECTL = shutil.which("kubectl")
OPERATOR = f"system:serviceaccount:{rights.NAMESPACE}:{rights.NAME}"

with_kubectl = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not on the PATH")


class Kubectl:
    """kubectl, as the administrator of a cluster."""

    def __init__(self, kubeconfig: Path, cache: Path) -> None:
        self.command = [KUBECTL or "", f"--kubeconfig={kubeconfig}", f"--cache-dir={cache}"]

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - kubectl, with this test's own words
            [*self.command, *arguments], check=False, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def served(cluster: Cluster) -> Cluster:
    cluster.apply_files(PROJECT / "crds", PROJECT / "deploy" / "rbac.yaml")
    return cluster


@pytest.fixture(scope="module")
def kubectl(
    served: Cluster, control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Kubectl:
    assert served
    return Kubectl(control_plane.kubeconfig, tmp_path_factory.mktemp("kubectl"))


@pytest.fixture
def walkthrough(cluster: Cluster, namespace: str, served: Cluster) -> str:
    """Create one resource of each kind, and a Ready condition on the Membership."""
    assert served
    metadata = {"name": "one", "namespace": namespace}
    specs = {
        "AWSAccount": {"accountID": "111111111111", "region": "us-east-1"},
        "Collaboration": {
            "creatorDisplayName": "A",
            "creatorMemberAbilities": [],
            "queryLogStatus": "ENABLED",
            "members": [],
        },
        "Membership": {"collaborationRef": {"name": "one"}, "queryLogStatus": "ENABLED"},
        **ml_manifests.VALID,
    }
    for kind, spec in specs.items():
        cluster.create({"apiVersion": VERSION, "kind": kind, "metadata": metadata, "spec": spec})
    ready = {
        "type": "Ready",
        "status": "True",
        "observedGeneration": 1,
        "reason": "Succeeded",
        "message": "All is as the spec asks",
        "lastTransitionTime": "2026-11-22T00:00:00Z",
    }
    status = {"conditions": [ready], "state": "ACTIVE", "accountID": "111111111111"}
    cluster.patch_status("Membership", "one", status, namespace=namespace)
    return namespace


@with_kubectl
@pytest.mark.parametrize("part", ["", ".spec", ".status"])
@pytest.mark.parametrize("plural", [definition.plural for definition in DEFINITIONS])
def test_explain_has_a_word_about_every_field(kubectl: Kubectl, plural: str, part: str) -> None:
    told = kubectl("explain", f"{plural}{part}")
    assert "FIELDS" in told
    assert "<no description>" not in told
    assert "<empty>" not in told


@with_kubectl
def test_explain_tells_what_a_deep_field_means(kubectl: Kubectl) -> None:
    path = "collaborations.spec.members.paymentConfiguration.queryCompute.isResponsible"
    assert "payer candidates" in " ".join(kubectl("explain", path).split())


@with_kubectl
def test_get_lists_every_kind_of_the_category(kubectl: Kubectl, walkthrough: str) -> None:
    shown = kubectl("get", "cleanrooms", "--namespace", walkthrough)
    for definition in DEFINITIONS:
        assert f"{definition.name.lower()}.cleanrooms-operator.dev/one" in shown


@with_kubectl
@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)
def test_columns_show_what_one_acts_on_first(
    kubectl: Kubectl, walkthrough: str, definition: Definition
) -> None:
    short = definition.short_name
    narrow = [column.name.upper() for column in definition.columns if not column.wide]
    wide = [column.name.upper() for column in definition.columns if column.wide]
    shown = kubectl("get", short, "--namespace", walkthrough, "--output", "wide").splitlines()
    assert shown[0].split() == ["NAME", "READY", *narrow, "REASON", "AGE", *wide, "MESSAGE"]


@with_kubectl
def test_cells_come_from_the_status(kubectl: Kubectl, walkthrough: str) -> None:
    [_, row] = kubectl("get", "crmember", "--namespace", walkthrough).splitlines()
    assert row.split()[:5] == ["one", "True", "ACTIVE", "111111111111", "Succeeded"]


@with_kubectl
@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("spec.collaborationRef.name=one", 1),
        ("spec.collaborationRef.name=other", 0),
        ("status.state=ACTIVE", 1),
    ],
)
def test_resources_can_be_selected_by_what_they_refer_to(
    kubectl: Kubectl, walkthrough: str, selector: str, found: int
) -> None:
    shown = kubectl(
        "get", "memberships", "--namespace", walkthrough, f"--field-selector={selector}", "-o=name"
    )
    assert len(shown.splitlines()) == found


@with_kubectl
@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted((PROJECT / "examples").rglob("*.yaml"))
        if {one["apiVersion"] for one in read_documents(path)} <= {VERSION, "v1"}
    ],
    ids=lambda path: str(path.relative_to(PROJECT / "examples")),
)
def test_examples_pass_a_strict_dry_run(kubectl: Kubectl, cluster: Cluster, path: Path) -> None:
    """A field that the definitions do not know is refused by kubectl."""
    for namespace in ("company-a", "company-b"):
        if cluster.get("v1/Namespace", namespace) is None:
            cluster.create_namespace(namespace)
    kubectl("apply", "--dry-run=server", "--validate=strict", "--filename", str(path))


@with_kubectl
@pytest.mark.parametrize("company", ["company-a", "company-b"])
def test_what_a_company_keeps_in_git_is_whole(
    kubectl: Kubectl, cluster: Cluster, company: str
) -> None:
    """As `kubectl apply -k`, Argo CD and Flux build it."""
    if cluster.get("v1/Namespace", company) is None:
        cluster.create_namespace(company)
    folder = PROJECT / "examples" / "gitops" / company / "production"
    told = kubectl("apply", "--dry-run=server", "--validate=strict", "--kustomize", str(folder))
    assert "membership.cleanrooms-operator.dev/churn-study created" in told


# -- rights ----------------------------------------------------------------------------------


def may(cluster: Cluster, verb: str, group: str, resource: str, **attributes: str) -> bool:
    """Ask the API server whether the operator may do something."""
    plural, _, subresource = resource.partition("/")
    asked = {"verb": verb, "group": group, "resource": plural, "subresource": subresource}
    review = cluster.create(
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "metadata": {},
            "spec": {"user": OPERATOR, "resourceAttributes": {**asked, **attributes}},
        }
    )
    return bool(review["status"]["allowed"])


OURS = "cleanrooms-operator.dev"


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)
@pytest.mark.parametrize(
    ("verb", "part", "allowed"),
    [
        ("list", "", True),
        ("watch", "", True),
        ("patch", "", True),
        ("patch", "/status", True),
        ("update", "/status", False),
        ("create", "", False),
        ("update", "", False),
        ("delete", "", False),
    ],
)
def test_the_operator_may_patch_and_nothing_more(
    served: Cluster, definition: Definition, verb: str, part: str, *, allowed: bool
) -> None:
    resource = f"{definition.plural}{part}"
    assert may(served, verb, OURS, resource, namespace="anywhere") == allowed


LEASES = "coordination.k8s.io"
HOME = {"namespace": rights.NAMESPACE}


@pytest.mark.parametrize(
    ("verb", "group", "resource", "where"),
    [
        ("create", "events.k8s.io", "events", {"namespace": "anywhere"}),
        ("get", "", "namespaces", {"name": "kube-system"}),
        ("get", "", "secrets", {"namespace": "anywhere"}),
        ("get", "", "configmaps", {"namespace": "anywhere"}),
        ("list", "", "namespaces", {}),
        ("watch", "", "namespaces", {}),
        ("create", LEASES, "leases", HOME),
        ("get", LEASES, "leases", {**HOME, "name": rights.NAME}),
        ("update", LEASES, "leases", {**HOME, "name": rights.NAME}),
    ],
)
def test_the_operator_may_tell_and_lead(
    served: Cluster, verb: str, group: str, resource: str, where: dict[str, str]
) -> None:
    assert may(served, verb, group, resource, **where)


@pytest.mark.parametrize(
    ("verb", "group", "resource", "where"),
    [
        ("get", "", "namespaces", {"name": "default"}),
        ("list", "", "secrets", {"namespace": "anywhere"}),
        ("watch", "", "secrets", {"namespace": "anywhere"}),
        ("patch", "", "secrets", {"namespace": "anywhere"}),
        ("list", "", "configmaps", {"namespace": "anywhere"}),
        ("create", LEASES, "leases", {"namespace": "anywhere"}),
        ("update", LEASES, "leases", {**HOME, "name": "another"}),
        ("patch", LEASES, "leases", {**HOME, "name": rights.NAME}),
        ("patch", "events.k8s.io", "events", {"namespace": "anywhere"}),
    ],
)
def test_the_operator_may_do_nothing_else(
    served: Cluster, verb: str, group: str, resource: str, where: dict[str, str]
) -> None:
    assert not may(served, verb, group, resource, **where)
