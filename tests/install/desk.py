"""A desk at which somebody types what the pages show: a folder, a shell, a cluster, an AWS."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cleanrooms_playground import helm
from cleanrooms_playground.servers import AWSIdentity, isolated_environment
from cleanrooms_playground.waiting import wait_for
from install.installation import DEPLOYMENT, PROJECT, REGION, Installation
from typed import Command, files

CLONE = ("crds", "deploy", "examples")
"""What of the project stands in the folder, as it would in a clone."""

LEASE = "coordination.k8s.io/v1/Lease"
VALUES = "values.yaml"
TIMEOUT_SECONDS = 120
READY = 200


@dataclass
class Desk:
    """Commands are run in `folder`; the pods are what the Deployment says whenever they are needed.

    `meanings` says what a reader would put for a page's words in capitals.
    """

    release: Installation
    folder: Path
    endpoint: str
    meanings: dict[str, str]
    _generation: tuple[str, int] | None = None

    def __post_init__(self) -> None:
        for name in CLONE:
            (self.folder / name).symlink_to(PROJECT / name)
        programs = self.folder / "bin"
        programs.mkdir()
        for name in ("helm", "kubectl"):
            (programs / name).symlink_to(helm.find(name))
        (programs / "aws").symlink_to(Path(sys.executable).with_name("aws"))

    def take(self, page: Path) -> None:
        """Write the files that a page shows; values of the chart with those of the release."""
        for name, text in files(page).items():
            written = self._values(text) if name == VALUES else self._meant(text)
            (self.folder / name).write_text(written)

    def type(self, command: Command, code: int = 0) -> None:
        """Type a command; it has to end with this code, and print what its page shows."""
        if not self._leaves_pods(command.text):
            self._play_kubelet()
        # What is not emulated is checked by the AWS CLI itself, and not sent.
        unsent = " --generate-cli-skeleton output" if command.text.startswith("aws eks") else ""
        done = self.run(self._meant(command.text) + unsent)
        said = f"{command}\nended with {done.returncode}:\n{done.stdout}"
        assert done.returncode == code, said
        assert command.shows(done.stdout), said

    def run(self, text: str) -> subprocess.CompletedProcess[str]:
        """Run a line of a shell; what it prints is together, as a terminal shows it."""
        bash = shutil.which("bash")
        assert bash is not None
        return subprocess.run(  # noqa: S603  a page's own words
            [bash, "-c", text],
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )

    def _values(self, shown: str) -> str:
        """Return values with those of the release, but for the region, which a page chooses."""
        more = [each for each in self.release.values["extraEnv"] if each["name"] != "AWS_REGION"]
        ours = {**self.release.values, "extraEnv": more, "replicaCount": 1}
        return yaml.safe_dump(_merged(yaml.safe_load(shown), ours))

    def _leaves_pods(self, text: str) -> bool:
        """Tell whether a command asks for no more than another Deployment, or for nothing of it."""
        return not text.startswith(("kubectl", "helm install")) or " scale " in text

    def _meant(self, text: str) -> str:
        """Return a text as its reader means it."""
        return re.sub(r"\b[A-Z]+\b", lambda word: self.meanings.get(word[0], word[0]), text)

    def _environment(self) -> dict[str, str]:
        account = AWSIdentity(self.endpoint, "111111111111", REGION)
        return {
            **isolated_environment(),
            **account.variables(),
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.release.control_plane.kubeconfig),
        }

    def _play_kubelet(self) -> None:
        """Do what the Deployment's controller and kubelets would, if it is another than before."""
        found = self.release.cluster.get(DEPLOYMENT, helm.RELEASE, namespace=helm.NAMESPACE)
        metadata: dict[str, Any] = found["metadata"] if found else {}
        now = (metadata["uid"], metadata["generation"]) if found else None
        if now == self._generation:
            return
        self._generation = now
        self.release.stop()
        # A pod that outlives its service account cannot hand on the Lease: spare the next the wait.
        self.release.cluster.delete(LEASE, helm.RELEASE, namespace=helm.NAMESPACE)
        if found:
            self.release.start()
            self._tell(found)

    def _tell(self, deployment: dict[str, Any]) -> None:
        """Write the status of a Deployment whose pods have been started."""
        replicas = deployment["spec"]["replicas"]
        if replicas:
            wait_for("readiness", lambda: self.release.probe("readinessProbe") == READY)
        counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        status = {"observedGeneration": deployment["metadata"]["generation"]}
        self.release.cluster.patch_status(
            DEPLOYMENT,
            helm.RELEASE,
            status | dict.fromkeys(counts, replicas),
            namespace=helm.NAMESPACE,
        )


def _merged(one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return a map with the entries of another; where both have maps, these are merged."""
    inner = {
        name: _merged(value, other[name])
        for name, value in one.items()
        if isinstance(value, dict) and isinstance(other.get(name), Mapping)
    }
    return {**one, **other, **inner}
