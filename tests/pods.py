"""What kubelets make of the chart's Deployment, as processes of this machine.

There is no kubelet here, so what it would do is done to a process: the container's command line
and environment and no others, a token of the service account that the pod names, the user and
the group that it asks for, no privilege and no capability, and no place to write but its volumes.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml
from lightkube.models.authentication_v1 import TokenRequestSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ServiceAccountToken

from cleanrooms_playground import helm
from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.control_plane import ControlPlane
from cleanrooms_playground.processes import Process
from cleanrooms_playground.servers import NO_FILE
from confinement import Limits, confined

PROJECT = Path(__file__).parents[1]
CHART = PROJECT / helm.CHART
TOKEN_SECONDS = 7200

KEPT_OUT = {
    "AWS_CONFIG_FILE": NO_FILE,
    "AWS_SHARED_CREDENTIALS_FILE": NO_FILE,
    "NO_PROXY": "127.0.0.1",
}
"""What keeps a process away from what this machine has and no container."""
ONE_ADDRESS = {"CLEANROOMS_METRICS_ADDRESS": "127.0.0.1:0"}
"""Pods have an address each, and these processes share one."""

Document = dict[str, Any]


class Program(Protocol):
    """How the operator is started."""

    def command(self, *arguments: str) -> list[str]: ...

    def environment(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Today:
    """The operator that is tested, by the interpreter of the tests."""

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "cleanrooms_operator", *arguments]

    def environment(self) -> Mapping[str, str]:
        """Return what the image sets, and where Python finds the program instead of there."""
        found = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
        return {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", **found}


TODAY = Today()


@dataclass(frozen=True, slots=True)
class Operator:
    """A pod of the operator."""

    process: Process

    def start(self) -> None:
        """Start it; it says itself, in the statuses it writes, when it works."""
        self.process.start()


@dataclass(frozen=True, slots=True)
class Node:
    """Where pods run: a cluster, and a folder for what they are given and what they say."""

    control_plane: ControlPlane
    cluster: Cluster
    directory: Path
    program: Program = TODAY

    def process(
        self, name: str, deployment: Document, more: Mapping[str, str] | None = None
    ) -> Process:
        """Return the process of a pod of a Deployment, not started; `more` are variables."""
        pod = deployment["spec"]["template"]["spec"]
        [container] = pod["containers"]
        argv = [*confined(Limits.of(pod)), *self.program.command(*container["args"])]
        variables = {
            "PATH": os.environ["PATH"],
            **KEPT_OUT,
            **self.program.environment(),
            **_variables(container),
            "KUBECONFIG": str(self._kubeconfig(pod["serviceAccountName"])),
            **(more or {}),
        }
        return Process(name, argv, variables, self.directory / f"{name.replace(' ', '-')}.log")

    def _kubeconfig(self, account: str) -> Path:
        """Write a kubeconfig with a token of the service account, as a kubelet asks for one."""
        spec = TokenRequestSpec(audiences=[], expirationSeconds=TOKEN_SECONDS)
        request = ServiceAccountToken(spec=spec, metadata=ObjectMeta())
        made = self.cluster.client.create(request, account, namespace=helm.NAMESPACE)
        assert made.status is not None
        content = yaml.safe_load(self.control_plane.kubeconfig.read_text())
        content["users"][0]["user"] = {"token": made.status.token}
        path = self.directory / f"{account}.kubeconfig"
        path.write_text(yaml.safe_dump(content))
        return path


def rendered(values: Mapping[str, Any], directory: Path) -> Document:
    """Return the Deployment that the chart makes of values."""
    given = directory / "values.yaml"
    given.write_text(yaml.safe_dump(dict(values)))
    named = ("--namespace", helm.NAMESPACE, "--values", given)
    only = ("--show-only", "templates/deployment.yaml")
    made: Document = yaml.safe_load(helm.run("template", helm.RELEASE, CHART, *named, *only))
    return made


def _variables(container: Document) -> dict[str, str]:
    """Return the variables of a container; one that is taken from the pod is its namespace."""
    return {each["name"]: each.get("value", helm.NAMESPACE) for each in container["env"]}
