"""The operator as a process of its own, against a real API server. AWS is never asked."""

import contextlib
import json
import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from lightkube.exceptions import ApiError

from cleanrooms_operator.core.resource import GROUP, VERSION
from cleanrooms_playground.cluster import CRD, Cluster, condition_of
from cleanrooms_playground.control_plane import ControlPlane
from cleanrooms_playground.documents import Document
from cleanrooms_playground.processes import Process
from cleanrooms_playground.servers import AWSIdentity, Operator
from cleanrooms_playground.waiting import wait_for

pytestmark = pytest.mark.cluster

PROJECT = Path(__file__).parents[2]
HOME = "cleanrooms-system"
USER = f"system:serviceaccount:{HOME}:cleanrooms-operator"
LEASE = "coordination.k8s.io/v1/Lease"
EVENT = "events.k8s.io/v1/Event"
KIND = "AWSAccount"
NOBODY = AWSIdentity("http://127.0.0.1:1", "999999999999", "us-east-1")
MARKS = "cleanrooms_kubernetes_writes_total"


@pytest.fixture(scope="module")
def own_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Start an API server whose definitions and Leases no other test touches."""
    with ControlPlane(tmp_path_factory.mktemp("own-plane")) as running:
        yield running


@pytest.fixture
def cluster(own_plane: ControlPlane) -> Iterator[Cluster]:
    """Connect as administrator, with definitions and rights applied and nothing left over."""
    with Cluster(own_plane.kubeconfig) as connected:
        connected.apply_files(PROJECT / "crds", PROJECT / "deploy" / "rbac.yaml")
        for left in all_accounts(connected):
            name, namespace = left["metadata"]["name"], left["metadata"]["namespace"]
            freed = {"metadata": {"finalizers": None}}
            connected.patch(KIND, name, freed, namespace=namespace)
            connected.delete(KIND, name, namespace=namespace)
        yield connected


def all_accounts(cluster: Cluster) -> list[Document]:
    """List the AWSAccounts, as soon as the definition that was just applied lets us."""
    found: list[list[Document]] = []

    def listed() -> bool:
        with contextlib.suppress(ApiError):  # the storage is initialised
            found.append(cluster.list(KIND))
        return bool(found)

    wait_for("the AWSAccounts to be listed", listed, 30)
    return found[0]


class Replica:
    """One process of the operator, with what it answers over HTTP."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.url = ""

    def start(self) -> None:
        self.process.start()
        self.url = self.process.wait_for_line(r"http://127\.0\.0\.1:\d+", 60)[0]

    def wait_until_working(self) -> None:
        self.process.wait_for_line("Began to work", 60)

    def probe(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"{self.url}/{path}", timeout=5) as answer:  # noqa: S310  ours
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, series: str) -> float:
        """Return the sum of the series that begin like this."""
        status, text = self.probe("metrics")
        assert status == 200
        found = re.findall(rf"^{re.escape(series)}\S* (\S+)$", text, re.MULTILINE)
        return sum(map(float, found))

    def leads(self) -> bool:
        return self.metric("leader_election_master_status") == 1

    def end(self) -> int:
        """Ask it to end; return its exit code."""
        self.process.send(signal.SIGTERM)
        self.process.wait_until_ended(30)
        assert self.process.returncode is not None
        return self.process.returncode


class Fleet:
    """Starts replicas, and ends them all with the test."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self.kubeconfig = plane.kubeconfig_for(USER, ["system:serviceaccounts"])
        self.folder = folder
        self.replicas: list[Replica] = []

    def prepare(self, **settings: str) -> Replica:
        variables = {
            "CLEANROOMS_METRICS_ADDRESS": "127.0.0.1:0",
            "CLEANROOMS_LEASE_NAMESPACE": HOME,
            **{f"CLEANROOMS_{name.upper()}": value for name, value in settings.items()},
        }
        name = f"replica-{len(self.replicas)}"
        operator = Operator(self.folder, self.kubeconfig, NOBODY, variables, name)
        replica = Replica(operator.process)
        self.replicas.append(replica)
        return replica

    def start(self, **settings: str) -> Replica:
        replica = self.prepare(**settings)
        replica.start()
        return replica

    def started(self, **settings: str) -> Replica:
        """Start a replica that works."""
        replica = self.start(**settings)
        replica.wait_until_working()
        return replica


@pytest.fixture
def fleet(own_plane: ControlPlane, cluster: Cluster, tmp_path: Path) -> Iterator[Fleet]:
    """Start replicas as the operator's own service account."""
    fleet = Fleet(own_plane, tmp_path)
    yield fleet
    for replica in fleet.replicas:
        replica.process.stop()
    if cluster.get(LEASE, "cleanrooms-operator", namespace=HOME) is not None:
        cluster.delete(LEASE, "cleanrooms-operator", namespace=HOME)


def an_account(namespace: str, name: str = "a") -> Document:
    """Return an AWSAccount that the settings do not allow: it is judged without asking AWS."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"accountID": "111111111111", "region": "us-east-1"},
    }


def wait_until_judged(cluster: Cluster, namespace: str, name: str = "a") -> Document:
    """Wait until the operator has come to its conclusion."""

    def judged() -> Document | None:
        found = cluster.get(KIND, name, namespace=namespace) or {}
        condition = condition_of(found, "Stalled")
        return found if condition and condition["reason"] == "NotAllowed" else None

    found = wait_for(f"{namespace}/{name} to be judged", judged, 40)
    assert found is not None
    return found


def holder(cluster: Cluster) -> str:
    lease = cluster.get(LEASE, "cleanrooms-operator", namespace=HOME) or {"spec": {}}
    return str(lease["spec"].get("holderIdentity") or "")


# -- one replica -----------------------------------------------------------------------------


def test_a_replica_works_with_its_own_rights_and_ends_in_order(
    fleet: Fleet, cluster: Cluster, namespace: str
) -> None:
    replica = fleet.started()
    assert replica.probe("healthz") == (200, "[+]tasks ok\n[+]passes ok\n")
    assert replica.probe("readyz") == (200, "[+]cache ok\n")
    assert holder(cluster)
    cluster.create(an_account(namespace))
    judged = wait_until_judged(cluster, namespace)
    assert judged["metadata"]["finalizers"] == [f"{GROUP}/aws-object"]
    assert replica.metric(f'{MARKS}{{kind="AWSAccount",verb="status"}}') == 1
    assert replica.metric(f'{MARKS}{{kind="AWSAccount",verb="hold"}}') == 1
    assert replica.metric("cleanrooms_build_info") == 1
    ready = f'{{kind="AWSAccount",name="a",namespace="{namespace}",status="False",type="Ready"}}'
    assert replica.metric(f"cleanrooms_resource_condition{ready}") == 1
    cluster.delete(KIND, "a", namespace=namespace)
    cluster.wait_until_gone(KIND, "a", namespace=namespace)
    assert replica.end() == 0
    assert holder(cluster) == ""
    assert "Traceback" not in replica.process.output()


def test_logs_are_json_with_the_pass_they_belong_to(
    fleet: Fleet, cluster: Cluster, namespace: str
) -> None:
    replica = fleet.started()
    cluster.create(an_account(namespace))
    wait_until_judged(cluster, namespace)
    replica.process.wait_for_line(r'"name": "a"', 20)
    lines = [json.loads(line) for line in replica.process.output().splitlines()]
    told = [line for line in lines if line.get("name") == "a"]
    assert len(told) == 1
    assert told[0]["controller"] == "awsaccount"
    assert told[0]["namespace"] == namespace
    assert told[0]["generation"] == 1
    assert told[0]["reconcileID"]
    assert {"ts", "level", "msg"} <= told[0].keys()
    assert all(line["level"] == "info" for line in lines)


def test_a_restart_writes_nothing_anew(fleet: Fleet, cluster: Cluster, namespace: str) -> None:
    first = fleet.started()
    names = [f"n-{number}" for number in range(5)]
    for name in names:
        cluster.create(an_account(namespace, name))
    before = [wait_until_judged(cluster, namespace, name)["metadata"] for name in names]
    assert first.end() == 0
    second = fleet.started()
    done = 'controller_runtime_reconcile_total{controller="awsaccount"'
    wait_for("all to be looked at", lambda: second.metric(done) >= len(names), 30)
    assert second.metric(f'{MARKS}{{kind="AWSAccount"') == 0
    now = [cluster.get(KIND, name, namespace=namespace) for name in names]
    versions = [(document or {})["metadata"]["resourceVersion"] for document in now]
    assert versions == [metadata["resourceVersion"] for metadata in before]


def test_namespaces_by_pattern_are_served_also_those_that_come_later(
    fleet: Fleet, cluster: Cluster, namespace: str
) -> None:
    cluster.create_namespace(f"{namespace}-first")
    cluster.create(an_account(f"{namespace}-first"))
    patterns = f"{namespace}-*"
    fleet.started(watch_namespaces=patterns, owner="a-cluster", audit_interval="2")
    wait_until_judged(cluster, f"{namespace}-first")
    cluster.create(an_account(namespace))
    cluster.create_namespace(f"{namespace}-later")
    cluster.create(an_account(f"{namespace}-later"))
    wait_until_judged(cluster, f"{namespace}-later")
    outside = cluster.get(KIND, "a", namespace=namespace)
    assert outside is not None
    assert "finalizers" not in outside["metadata"]


def test_namespaces_by_name_are_served_and_no_others(
    fleet: Fleet, cluster: Cluster, namespace: str
) -> None:
    cluster.create_namespace(f"{namespace}-other")
    cluster.create(an_account(f"{namespace}-other"))
    cluster.create(an_account(namespace))
    replica = fleet.started(watch_namespaces=namespace, owner="a-cluster")
    wait_until_judged(cluster, namespace)
    cluster.create(an_account(namespace, "b"))
    wait_until_judged(cluster, namespace, "b")
    assert replica.metric("cleanrooms_resources{") == 2


def test_without_definitions_a_replica_waits_and_says_so(fleet: Fleet, cluster: Cluster) -> None:
    name = f"awsaccounts.{GROUP}"
    cluster.delete(CRD, name)
    cluster.wait_until_gone(CRD, name)
    replica = fleet.start()
    replica.process.wait_for_line("are the resource definitions applied", 30)
    assert replica.probe("readyz") == (503, "[-]cache filling the cache\n")
    assert replica.probe("healthz")[0] == 200
    cluster.apply_files(PROJECT / "crds")
    replica.wait_until_working()
    assert replica.probe("readyz")[0] == 200


def test_an_outage_of_the_api_server_is_waited_out(
    fleet: Fleet, cluster: Cluster, own_plane: ControlPlane, namespace: str
) -> None:
    replica = fleet.started(leader_election="false")
    cluster.create(an_account(namespace))
    wait_until_judged(cluster, namespace)
    server = own_plane.processes[1]
    server.kill9()
    replica.process.wait_for_line("will retry", 60)
    server.start()
    wait_for("the API server", lambda: can_create(cluster, an_account(namespace, "b")), 60)
    wait_until_judged(cluster, namespace, "b")
    assert replica.process.alive


def can_create(cluster: Cluster, document: Document) -> bool:
    try:
        cluster.create(document)
    except (ApiError, httpx2.HTTPError):
        return False
    return True


def test_a_watch_that_cannot_go_on_ends_the_process(fleet: Fleet, cluster: Cluster) -> None:
    """Also where the definition goes before kopf has looked for it: an audit notices."""
    replica = fleet.started(audit_interval="5")
    cluster.delete(CRD, f"awsaccounts.{GROUP}")
    replica.process.wait_until_ended(60)
    assert replica.process.returncode == 1
    assert holder(cluster) == ""
    assert re.search("Ended: (watches|audits) is over", replica.process.output())


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        pytest.param({"metrics_address": "203.0.113.1:80"}, 1, "cannot run: ", id="address"),
        pytest.param({"kubeconfig": "/nowhere"}, 2, "kubeconfig /nowhere", id="kubeconfig"),
        pytest.param({"context": "none"}, 2, "there is no context none", id="context"),
    ],
)
def test_what_it_cannot_run_with_is_said(
    fleet: Fleet, settings: dict[str, str], code: int, words: str
) -> None:
    replica = fleet.prepare(**settings)
    replica.process.start()
    replica.process.wait_until_ended(30)
    assert replica.process.returncode == code
    assert words in replica.process.output()
    assert "Traceback" not in replica.process.output()


# -- several replicas ------------------------------------------------------------------------


def test_a_standby_is_ready_and_does_nothing(
    fleet: Fleet, cluster: Cluster, namespace: str
) -> None:
    leader, standby = fleet.started(), fleet.start()
    standby.process.wait_for_line("Stood by", 30)
    cluster.create(an_account(namespace))
    wait_until_judged(cluster, namespace)
    assert leader.leads()
    assert not standby.leads()
    assert standby.probe("readyz")[0] == 200
    assert standby.metric("cleanrooms_kubernetes_writes_total") == 0
    assert standby.metric("controller_runtime_reconcile_total") == 0
    assert standby.end() == 0
    assert leader.leads()


def test_after_a_crash_another_replica_works_within_30_seconds(
    fleet: Fleet, cluster: Cluster, namespace: str
) -> None:
    first, second = fleet.started(), fleet.start()
    second.process.wait_for_line("Stood by", 30)
    killed = time.monotonic()
    first.process.kill9()
    cluster.create(an_account(namespace))
    wait_until_judged(cluster, namespace)
    took = time.monotonic() - killed
    assert second.leads()
    assert took <= 30
    print(f"after a crash: {took:.1f} s")  # noqa: T201  a figure that people want to see


def test_after_a_clean_stop_another_replica_works_within_3_seconds(
    fleet: Fleet, cluster: Cluster, namespace: str
) -> None:
    first, second = fleet.started(), fleet.start()
    second.process.wait_for_line("Stood by", 30)
    cluster.create(an_account(namespace))
    wait_until_judged(cluster, namespace)
    assert first.end() == 0
    ended = time.monotonic()
    cluster.create(an_account(namespace, "b"))
    wait_until_judged(cluster, namespace, "b")
    took = time.monotonic() - ended
    assert took <= 3
    print(f"after a clean stop: {took:.1f} s")  # noqa: T201  a figure that people want to see


def test_a_leader_whose_lease_is_taken_ends_and_leaves_it_alone(
    fleet: Fleet, cluster: Cluster
) -> None:
    replica = fleet.started()
    change: dict[str, Any] = {"spec": {"holderIdentity": "another"}}
    cluster.patch(LEASE, "cleanrooms-operator", change, namespace=HOME)
    replica.process.wait_until_ended(30)
    assert replica.process.returncode == 1
    assert holder(cluster) == "another"
