"""The chart's whole life on a real API server: install, work, upgrade, roll back, uninstall.

The tests are the chapters of one story, and run in this order.
"""

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from lightkube.types import PatchType

from cleanrooms_operator.core.resource import GROUP
from cleanrooms_operator.kinds import DEFINITIONS
from cleanrooms_playground import helm
from cleanrooms_playground.cluster import Cluster, kind_of
from cleanrooms_playground.documents import parse_documents, read_documents
from cleanrooms_playground.waiting import wait_for
from e2e.emulated import AWS
from install.installation import CHART, PROJECT, Installation

WALKTHROUGH = PROJECT / "examples" / "walkthrough"
COMPANIES = ["company-a", "company-b"]
READY_SECONDS = 240
KINDS = {definition.name for definition in DEFINITIONS}
SECRET_BYTES = 1_048_576
READS = ("Get", "List", "AssumeRole")

Document = dict[str, Any]


def ours() -> list[Document]:
    return [d for d in read_documents(WALKTHROUGH) if d["apiVersion"].startswith(GROUP)]


def wait_ready(release: Installation) -> None:
    for document in ours():
        metadata = document["metadata"]
        release.cluster.wait_for_condition(
            document["kind"],
            metadata["name"],
            namespace=metadata["namespace"],
            timeout_seconds=READY_SECONDS,
        )
    wait_for("all charges to be told", lambda: all_are_charged(release), READY_SECONDS)


def all_are_charged(release: Installation) -> bool:
    """Whether Memberships tell that runs at their expense have ended: they see it a List later."""
    memberships = release.cluster.list("Membership")
    told = [c for each in memberships for c in each["status"].get("charges") or ()]
    return bool(told) and all(c["finished"] and not c["running"] and not c["pending"] for c in told)


def writes(aws: AWS, since: int) -> list[str]:
    asked = (record["operation"] for record in aws.log(since))
    return [operation for operation in asked if not operation.startswith(READS)]


def looks(aws: AWS, since: int) -> int:
    """Return how often the collaborations were listed."""
    return sum(record["operation"] == "ListCollaborations" for record in aws.log(since))


def rest(release: Installation, aws: AWS, before: dict[Any, str]) -> None:
    """Assert that pods that have just started look at everything, and write nothing anywhere."""
    mark = aws.mark()
    wait_for("two rounds of Lists", lambda: looks(aws, mark) > 2 * len(COMPANIES), READY_SECONDS)
    assert writes(aws, mark) == []
    assert release.versions() == before
    assert release.denied() == []


def earlier(folder: Path) -> Path:
    """Return a chart of an earlier version, in which no Collaboration has a short name."""
    chart = folder / "earlier"
    shutil.copytree(CHART, chart)
    definition = chart / "files" / "crds" / "collaborations.yaml"
    short = "    shortNames:\n    - crcollab\n"
    assert short in definition.read_text()
    definition.write_text(definition.read_text().replace(short, ""))
    described = yaml.safe_load((chart / "Chart.yaml").read_text())
    described |= {"version": "0.0.9", "appVersion": "0.0.9"}
    (chart / "Chart.yaml").write_text(yaml.safe_dump(described))
    return chart


def short_names(release: Installation) -> list[str]:
    found: list[str] = release.definitions()["Collaboration"].get("shortNames", [])
    return found


def test_an_earlier_chart_is_installed_and_its_operator_works(
    release: Installation, tmp_path: Path
) -> None:
    release.install(earlier(tmp_path), replicaCount=1)
    assert release.definitions().keys() == KINDS
    assert short_names(release) == []
    release.start()
    wait_for("readiness", lambda: release.probe("readinessProbe") == 200)
    release.cluster.apply_files(WALKTHROUGH)
    wait_ready(release)
    assert release.probe("livenessProbe") == 200
    assert release.denied() == []


def test_the_release_is_far_from_the_limit_of_a_secret(cluster: Cluster) -> None:
    secrets = cluster.list("v1/Secret", namespace=helm.NAMESPACE)
    sizes = [
        len(base64.b64decode(secret["data"]["release"]))
        for secret in secrets
        if secret["metadata"]["name"].startswith("sh.helm.release")
    ]
    assert sizes
    assert max(sizes) < SECRET_BYTES / 2


def test_an_upgrade_brings_what_is_new_and_writes_nothing_else(
    release: Installation, aws: AWS
) -> None:
    before = release.versions()
    release.upgrade(CHART)
    assert release.deployment()["spec"]["replicas"] == 2
    assert short_names(release) == ["crcollab"]
    release.restart()
    rest(release, aws, before)


def test_one_of_two_replicas_leads_and_the_other_takes_over(
    release: Installation, aws: AWS
) -> None:
    before = release.versions()
    leases = "coordination.k8s.io/v1/Lease"

    def holder() -> str:
        lease = release.cluster.get(leases, helm.RELEASE, namespace=helm.NAMESPACE) or {}
        held = lease.get("spec", {}).get("holderIdentity", "")
        assert isinstance(held, str)
        return held

    first = holder()
    leader = next(pod for pod in release.pods if "Acquired the lease" in pod.output())
    leader.stop()
    wait_for("another leader", lambda: holder() not in {"", first}, READY_SECONDS)
    rest(release, aws, before)


def test_a_rollback_keeps_definitions_and_resources(release: Installation, aws: AWS) -> None:
    before = release.versions()
    release.helm("rollback", "1")
    assert release.revision() == 3
    assert release.deployment()["spec"]["replicas"] == 1
    assert short_names(release) == []
    release.restart()
    rest(release, aws, before)


def test_an_uninstall_keeps_definitions_and_resources_and_nothing_else(
    release: Installation, aws: AWS
) -> None:
    before, mark = release.versions(), aws.mark()
    release.uninstall()
    assert release.definitions().keys() == KINDS
    assert release.versions() == before
    assert writes(aws, mark) == []
    kinds = ("apps/v1/Deployment", "v1/ServiceAccount", "v1/Service")
    names = [
        each["metadata"]["name"]
        for kind in kinds
        for each in release.cluster.list(kind, namespace=helm.NAMESPACE)
    ]
    assert helm.RELEASE not in names
    roles = release.cluster.list("rbac.authorization.k8s.io/v1/ClusterRole")
    assert not [r for r in roles if r["metadata"]["name"].startswith(helm.RELEASE)]


def test_a_second_installation_with_named_namespaces_takes_up_where_the_first_ended(
    release: Installation, aws: AWS
) -> None:
    """Without any right in the whole cluster, so that somebody has to say whose it is."""
    before = release.versions()
    system = release.cluster.get("v1/Namespace", "kube-system")
    assert system is not None
    owner = {"id": system["metadata"]["uid"]}
    only = {"watchNamespaces": COMPANIES, "owner": owner, "rbac": {"aggregate": False}}
    release.install(CHART, **only)
    roles = release.cluster.list("rbac.authorization.k8s.io/v1/ClusterRole")
    assert not [r for r in roles if r["metadata"]["name"].startswith(helm.RELEASE)]
    release.start()
    rest(release, aws, before)
    change = {"spec": {"description": "Predicts who stays."}}
    release.cluster.patch("Collaboration", "churn-study", change, namespace="company-a")
    wait_for(
        "the change to be made in AWS",
        lambda: [r for r in aws.log() if r["operation"] == "UpdateCollaboration"],
    )
    wait_ready(release)
    assert release.denied() == []


def test_protected_resources_are_not_deleted(release: Installation) -> None:
    protect = {"metadata": {"annotations": {f"{GROUP}/deletion-protection": "enabled"}}}
    release.cluster.patch("Membership", "churn-study", protect, namespace="company-a")
    release.upgrade(CHART, deletionProtection={"enabled": True})

    def refused() -> str:
        client = release.cluster.client
        try:
            client.delete(
                release.cluster._class("Membership"),
                "churn-study",
                namespace="company-a",
                dry_run=True,
            )
        except Exception as error:  # noqa: BLE001  which one is what is asserted
            return str(error)
        return ""

    told = wait_for("the policy to be in force", refused, READY_SECONDS)
    assert f"remove the annotation {GROUP}/deletion-protection from churn-study" in told
    free = {"metadata": {"annotations": {f"{GROUP}/deletion-protection": None}}}
    release.cluster.patch("Membership", "churn-study", free, namespace="company-a")
    wait_for("the policy to let go", lambda: not refused(), READY_SECONDS)
    release.uninstall()


class TestWhatIsRendered:
    """The API server accepts all of it, by server-side apply that refuses unknown fields."""

    CASES = sorted((CHART / "ci").glob("*.yaml"))

    @pytest.fixture(scope="class", autouse=True)
    @staticmethod
    def _definitions(cluster: Cluster) -> None:
        """Serve the Prometheus operator's kinds too."""
        cluster.apply_files(Path(__file__).with_name("definitions"))

    @pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
    def test_the_api_server_accepts_it(self, cluster: Cluster, case: Path) -> None:
        found = parse_documents(helm.template(CHART, "--values", case))
        for namespace in ("team-a", "team-b", helm.NAMESPACE):
            if cluster.get("v1/Namespace", namespace) is None:
                cluster.create_namespace(namespace)
        accepted = [try_out(cluster, document) for document in found]
        assert accepted

    @pytest.mark.parametrize("kind", ["Service", "ServiceMonitor", "PrometheusRule"])
    def test_an_unknown_field_would_be_refused(self, cluster: Cluster, kind: str) -> None:
        rendered = helm.template(CHART, "--values", CHART / "ci" / "observability.yaml")
        [found] = [d for d in parse_documents(rendered) if d["kind"] == kind]
        found["spec"]["prots"] = []
        with pytest.raises(Exception, match="prots"):
            try_out(cluster, found)

    def test_the_alerts_that_are_applied_apart_are_accepted(self, cluster: Cluster) -> None:
        for document in read_documents(PROJECT / "deploy" / "monitoring" / "prometheusrule.yaml"):
            try_out(cluster, document)

    @pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
    def test_its_pods_are_admitted_where_pods_are_restricted(
        self, cluster: Cluster, restricted: str, case: Path
    ) -> None:
        try_out(cluster, pod(case, restricted))

    def test_another_pod_would_not_be(self, cluster: Cluster, restricted: str) -> None:
        loose = pod(self.CASES[0], restricted)
        del loose["spec"]["containers"][0]["securityContext"]["capabilities"]
        with pytest.raises(Exception, match="violates PodSecurity"):
            try_out(cluster, loose)

    def test_the_kustomize_base_is_what_is_rendered(self, cluster: Cluster) -> None:
        base = yaml.safe_load((PROJECT / "deploy/manifests/kustomization.yaml").read_text())
        [name] = base["resources"]
        for document in read_documents(PROJECT / "deploy/manifests" / name):
            try_out(cluster, document)


@pytest.fixture(scope="module")
def restricted(cluster: Cluster) -> str:
    """Make a namespace in which only restricted pods are admitted."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    name = "restricted"
    cluster.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    )
    return name


def pod(case: Path, namespace: str) -> Document:
    """Return a pod of the Deployment, as its controller would make it."""
    found = parse_documents(helm.template(CHART, "--values", case))
    [template] = [d["spec"]["template"] for d in found if d["kind"] == "Deployment"]
    metadata = {
        "name": "operator",
        "namespace": namespace,
        "labels": template["metadata"]["labels"],
    }
    # A class and a controller of priorities are the cluster's own.
    spec = {name: value for name, value in template["spec"].items() if name != "priorityClassName"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def try_out(cluster: Cluster, document: Document) -> Document:
    """Have the API server do all but store a document."""
    metadata = document["metadata"]
    answered = cluster.client.patch(
        cluster._class(kind_of(document)),
        metadata["name"],
        document,
        namespace=metadata.get("namespace"),
        patch_type=PatchType.APPLY,
        force=True,
        dry_run=True,
    )
    shown: Document = answered.to_dict()
    return shown


class TestUsers:
    """What the roles that are added to Kubernetes' own let people do."""

    @pytest.fixture(scope="class", autouse=True)
    @staticmethod
    def _roles(cluster: Cluster) -> None:
        for document in parse_documents(helm.template(CHART)):
            if document["kind"] == "ClusterRole":
                cluster.apply(document)

    @pytest.mark.parametrize(
        ("role", "asked", "expected"),
        [
            ("view", "list memberships", "allowed"),
            ("view", "patch memberships", "denied"),
            ("view", "create trainedmodels", "denied"),
            ("edit", "create trainedmodels", "allowed"),
            ("edit", "patch memberships", "denied"),
            ("edit", "patch collaborations", "denied"),
            ("edit", "create awsaccounts", "denied"),
            ("admin", "patch memberships", "allowed"),
            ("admin", "create awsaccounts", "allowed"),
            ("admin", "patch memberships/status", "denied"),
        ],
    )
    def test_each_may_do_its_part(
        self, cluster: Cluster, namespace: str, role: str, asked: str, expected: str
    ) -> None:
        cluster.apply(bound(role, namespace))
        verb, _, resource = asked.partition(" ")
        what, _, subresource = resource.partition("/")
        attributes = {
            "namespace": namespace,
            "verb": verb,
            "group": GROUP,
            "resource": what,
            "subresource": subresource,
        }
        spec = {"user": f"{role}-of-{namespace}", "resourceAttributes": attributes}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}

        def answer() -> str:
            status = cluster.create({**review, "metadata": {}, "spec": spec})["status"]
            return "allowed" if status["allowed"] else "denied"

        wait_for(f"{expected} for {role}", lambda: answer() == expected, 20)


def bound(role: str, namespace: str) -> Document:
    """Return a binding of a user to one of the chart's roles."""
    group = "rbac.authorization.k8s.io"
    user = f"{role}-of-{namespace}"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": user, "namespace": namespace},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": f"{helm.RELEASE}-{role}"},
        "subjects": [{"kind": "User", "name": user, "apiGroup": group}],
    }
