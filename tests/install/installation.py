"""A release of the chart on a real API server, and its pods as processes of this machine."""

import http.client
import json
import socket
import urllib.request
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from cleanrooms_playground import helm
from cleanrooms_playground.cluster import CRD, GROUP, Cluster
from cleanrooms_playground.control_plane import ControlPlane
from cleanrooms_playground.processes import Process
from cleanrooms_playground.servers import AWSIdentity
from pods import ONE_ADDRESS, TODAY, Node, Program

PROJECT = Path(__file__).parents[2]
CHART = PROJECT / helm.CHART
OPERATOR_ACCOUNT = "999999999999"
REGION = "us-east-1"
DEPLOYMENT = "apps/v1/Deployment"

Values = Mapping[str, Any]
Document = dict[str, Any]


def values(endpoint: str) -> dict[str, Any]:
    """Return what is set in each installation: an emulated AWS, and people who are impatient."""
    identity = AWSIdentity(endpoint, OPERATOR_ACCOUNT, REGION)
    return {
        "aws": {"roles": {"company-*": ["arn:aws:iam::*:role/cleanrooms-operator"]}},
        "reconcile": {
            "listIntervalSeconds": 2,
            "progressIntervalSeconds": 1,
            "settleSeconds": 20,
        },
        "metrics": {"port": free_port()},
        "extraEnv": [{"name": n, "value": v} for n, v in identity.variables().items()],
    }


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Installation:
    """A release, the pods of its Deployment as processes, and what is set in all its versions."""

    control_plane: ControlPlane
    cluster: Cluster
    directory: Path
    values: Values
    program: Program = TODAY
    pods: list[Process] = field(default_factory=list)
    _ends: ExitStack = field(default_factory=ExitStack)

    # -- the release -------------------------------------------------------------------------

    def helm(self, command: str, *arguments: str | Path) -> str:
        """Run a command of Helm on the release, as the cluster's administrator."""
        namespaced = ("--namespace", helm.NAMESPACE)
        kubeconfig = self.control_plane.kubeconfig
        return helm.run(command, helm.RELEASE, *arguments, *namespaced, kubeconfig=kubeconfig)

    def install(self, chart: Path, **more: Any) -> None:
        self.helm("install", chart, "--create-namespace", "--values", self._file(more))

    def upgrade(self, chart: Path, **more: Any) -> None:
        self.helm("upgrade", chart, "--values", self._file(more))

    def uninstall(self) -> None:
        self.stop()
        self.helm("uninstall")

    def revision(self) -> int:
        status = json.loads(self.helm("status", "--output", "json"))
        return int(status["version"])

    def _file(self, more: Values) -> Path:
        path = self.directory / "values.yaml"
        path.write_text(yaml.safe_dump({**self.values, **more}))
        return path

    # -- its pods ----------------------------------------------------------------------------

    def deployment(self) -> Document:
        found = self.cluster.get(DEPLOYMENT, helm.RELEASE, namespace=helm.NAMESPACE)
        assert found is not None
        return found

    def start(self) -> None:
        """Do what kubelets would: run the container of each replica, as its service account."""
        node = Node(self.control_plane, self.cluster, self.directory, self.program)
        deployment = self.deployment()
        for number in range(deployment["spec"]["replicas"]):
            process = node.process(f"pod {number}", deployment, ONE_ADDRESS if number else {})
            self._ends.callback(process.stop)
            process.start()
            self.pods.append(process)

    def stop(self) -> None:
        """End the pods, in the reverse order of their start."""
        self._ends.close()
        assert [pod.returncode for pod in self.pods] == [0] * len(self.pods)
        self.pods.clear()

    def restart(self) -> None:
        """Replace the pods by what the Deployment says now."""
        self.stop()
        self.start()

    def probe(self, name: str) -> int:
        """Return the status code that a probe of the first pod gets."""
        [container] = self.deployment()["spec"]["template"]["spec"]["containers"]
        try:
            with self._ask(container[name]["httpGet"]["path"]) as answer:
                return int(answer.status)
        except OSError:
            return 0

    def writes(self, kinds: Collection[str]) -> int:
        """Return how many writes of these kinds the first pod has counted since its start."""
        with self._ask("/metrics") as answer:
            families = text_string_to_metric_families(answer.read().decode())
            samples = [sample for family in families for sample in family.samples]
        counted = (each for each in samples if each.name == "cleanrooms_kubernetes_writes_total")
        return round(sum(each.value for each in counted if each.labels["kind"] in kinds))

    def _ask(self, path: str) -> http.client.HTTPResponse:
        [container] = self.deployment()["spec"]["template"]["spec"]["containers"]
        [port] = container["ports"]
        asked = urllib.request.urlopen(f"http://127.0.0.1:{port['containerPort']}{path}")
        assert isinstance(asked, http.client.HTTPResponse)
        return asked

    def denied(self) -> list[str]:
        """Return what the API server refused to the pods, by their own logs."""
        return [
            line
            for pod in self.pods
            for line in pod.output().splitlines()
            if "forbidden" in line.lower()
        ]

    # -- what is there -----------------------------------------------------------------------

    def definitions(self) -> dict[str, Document]:
        """Return kind -> its names, as the cluster serves them."""
        specs = (definition["spec"] for definition in self.cluster.list(CRD))
        return {each["names"]["kind"]: each["names"] for each in specs if each["group"] == GROUP}

    def versions(self) -> dict[tuple[str, str, str], str]:
        """Return kind, namespace, name -> resourceVersion of all our resources."""
        found = {}
        for kind in self.cluster.our_kinds():
            for each in self.cluster.list(kind):
                metadata = each["metadata"]
                key = (kind, metadata["namespace"], metadata["name"])
                found[key] = metadata["resourceVersion"]
        return found
