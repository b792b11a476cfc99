"""The control plane of the playground starts, serves, and leaves nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from lightkube.exceptions import ApiError

from cleanrooms_playground.binaries import Binaries
from cleanrooms_playground.cluster import CRD, Cluster
from cleanrooms_playground.control_plane import ControlPlane
from cleanrooms_playground.errors import ProcessDiedError
from cleanrooms_playground.waiting import wait_for

GADGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gadgets.example.test"},
    "spec": {
        "group": "example.test",
        "scope": "Namespaced",
        "names": {"kind": "Gadget", "plural": "gadgets"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {"size": {"type": "integer"}},
                                "x-kubernetes-validations": [
                                    {"rule": "self.size > 0", "message": "too small"}
                                ],
                            },
                            "status": {
                                "type": "object",
                                "x-kubernetes-preserve-unknown-fields": True,
                            },
                        },
                    }
                },
            }
        ],
    },
}


def gadget(namespace: str, size: int = 1) -> dict[str, object]:
    return {
        "apiVersion": "example.test/v1",
        "kind": "Gadget",
        "metadata": {"name": "g", "namespace": namespace},
        "spec": {"size": size},
    }


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def fake_binaries(folder: Path, etcd: str, kube_apiserver: str = "exit 0") -> Binaries:
    folder.mkdir()
    for name, script in (("etcd", etcd), ("kube-apiserver", kube_apiserver)):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return Binaries(folder)


@pytest.fixture(scope="module")
def gadgets(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("definitions")
    (folder / "gadgets.yaml").write_text(str(GADGETS).replace("True", "true"))
    applied = cluster.apply_files(folder)
    assert [one["metadata"]["name"] for one in applied] == ["gadgets.example.test"]


class TestControlPlane:
    def test_it_serves_what_a_cluster_has_at_first(self, cluster: Cluster) -> None:
        names = {one["metadata"]["name"] for one in cluster.list("v1/Namespace")}
        assert {"default", "kube-system"} <= names

    def test_two_run_at_once_and_both_end(
        self, control_plane: ControlPlane, tmp_path: Path
    ) -> None:
        other = ControlPlane(tmp_path / "other")
        with other, Cluster(other.kubeconfig) as cluster:
            assert other.server != control_plane.server
            cluster.create_namespace("only-here")
            pids = [process.pid for process in other.processes]
            assert all(is_running(pid) for pid in pids)
        assert not any(is_running(pid) for pid in pids)
        assert not (other.directory / "etcd").exists()
        assert (other.directory / "kube-apiserver.log").stat().st_size > 0
        with Cluster(control_plane.kubeconfig) as first:
            assert first.get("v1/Namespace", "only-here") is None

    def test_another_user_may_do_nothing_by_default(
        self, control_plane: ControlPlane, namespace: str
    ) -> None:
        with Cluster(control_plane.kubeconfig_for("jane", ["team"])) as jane:
            with pytest.raises(ApiError, match="cannot list resource") as refused:
                jane.list("v1/ConfigMap", namespace=namespace)
            assert refused.value.status.code == 403

    def test_an_etcd_that_dies_at_once_shows_the_end_of_its_log(self, tmp_path: Path) -> None:
        binaries = fake_binaries(tmp_path / "bin", etcd="echo the disk is full; exit 3")
        with pytest.raises(
            ProcessDiedError, match=r"(?s)etcd ended with exit code 3.*disk is full"
        ):
            ControlPlane(tmp_path / "cp", binaries).start()

    def test_a_failed_start_leaves_nothing_running(
        self, control_plane: ControlPlane, tmp_path: Path
    ) -> None:
        real = Path(control_plane.processes[0].argv[0])
        binaries = fake_binaries(tmp_path / "bin", f'exec {real} "$@"', "echo no; exit 1")
        broken = ControlPlane(tmp_path / "cp", binaries)
        with pytest.raises(ProcessDiedError, match="kube-apiserver ended"):
            broken.start()
        etcd, _ = broken.processes
        assert not is_running(etcd.pid)

    def test_servers_end_with_an_interpreter_that_does_not_stop_them(self, tmp_path: Path) -> None:
        script = (
            "import sys; from pathlib import Path\n"
            "from cleanrooms_playground.control_plane import ControlPlane\n"
            f"plane = ControlPlane(Path({str(tmp_path / 'cp')!r}))\n"
            "plane.start()\n"
            "print(*(process.pid for process in plane.processes))\n"
            "raise SystemExit(7)\n"
        )
        ended = subprocess.run(  # noqa: S603  our own interpreter
            [sys.executable, "-c", script], check=False, capture_output=True, text=True
        )
        assert ended.returncode == 7, ended.stderr
        pids = [int(pid) for pid in ended.stdout.split()]
        assert len(pids) == 2
        assert not any(is_running(pid) for pid in pids)


@pytest.mark.usefixtures("gadgets")
class TestCluster:
    def test_a_resource_is_created_changed_and_removed(
        self, cluster: Cluster, namespace: str
    ) -> None:
        kind = "example.test/v1/Gadget"
        cluster.create(gadget(namespace))
        assert cluster.apply(gadget(namespace, size=2))["spec"] == {"size": 2}
        cluster.patch(kind, "g", {"spec": {"size": 3}}, namespace=namespace)
        cluster.patch_status(kind, "g", {"seen": "yes"}, namespace=namespace)
        (found,) = cluster.list(kind, namespace=namespace)
        assert (found["spec"], found["status"]) == ({"size": 3}, {"seen": "yes"})
        cluster.delete(kind, "g", namespace=namespace)
        cluster.wait_until_gone(kind, "g", namespace=namespace)
        cluster.delete(kind, "g", namespace=namespace)

    def test_rules_of_a_definition_are_enforced(self, cluster: Cluster, namespace: str) -> None:
        with pytest.raises(ApiError, match="too small"):
            cluster.apply(gadget(namespace, size=0))

    def test_a_condition_counts_only_for_the_current_generation(
        self, cluster: Cluster, namespace: str
    ) -> None:
        kind = "example.test/v1/Gadget"
        created = cluster.create(gadget(namespace))
        generation = created["metadata"]["generation"]
        ready = {"type": "Ready", "status": "True", "observedGeneration": generation}
        cluster.patch_status(kind, "g", {"conditions": [ready]}, namespace=namespace)
        cluster.wait_for_condition(kind, "g", namespace=namespace)
        cluster.patch(kind, "g", {"spec": {"size": 5}}, namespace=namespace)
        with pytest.raises(TimeoutError, match="its status is"):
            cluster.wait_for_condition(kind, "g", namespace=namespace, timeout_seconds=0.3)

    def test_definitions_are_known_to_have_been_established(self, cluster: Cluster) -> None:
        definition = cluster.get(CRD, "gadgets.example.test")
        assert definition is not None
        assert "Established" in str(definition["status"]["conditions"])

    def test_waiting_says_what_it_waited_for(self) -> None:
        with pytest.raises(TimeoutError, match=r"waited 0\.2 s for a miracle; last seen: None"):
            wait_for("a miracle", lambda: None, timeout_seconds=0.2)
