"""All that a demo stands on: a control plane, the emulator, the operator."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cleanrooms_playground.binaries import find
from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.control_plane import ControlPlane
from cleanrooms_playground.processes import Process
from cleanrooms_playground.progress import Progress
from cleanrooms_playground.servers import AWSIdentity, Emulator, Operator

OPERATOR_ACCOUNT = "999999999999"

OPERATOR_NAMESPACE = "cleanrooms-system"
OPERATOR_USER = f"system:serviceaccount:{OPERATOR_NAMESPACE}:cleanrooms-operator"
"""Whom `deploy/rbac.yaml` gives what the operator needs, and no more."""

SETTINGS = {
    "CLEANROOMS_LEASE_NAMESPACE": OPERATOR_NAMESPACE,
    "CLEANROOMS_ROLES": '{"company-*": ["arn:aws:iam::*:role/cleanrooms-operator"]}',
    "CLEANROOMS_PROGRESS_INTERVAL": "0.3",
    "CLEANROOMS_LIST_INTERVAL": "10",
    "CLEANROOMS_SETTLE": "60",
    "CLEANROOMS_METRICS_ADDRESS": "127.0.0.1:0",
    "CLEANROOMS_LOG_FORMAT": "plain",
}
"""The roles that the examples name are allowed; looks are as frequent as people are impatient."""


HEAD_START = timedelta(days=30)
"""How long ago the emulated clock starts: it is fast, and kubectl calls a start in the future
invalid."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What to set up.

    Logs and certificates go to `directory`; `definitions`, files or folders, are applied before
    the operator starts; `kubeconfig` is that of an existing cluster, None to start one. The
    emulated clock runs `speed` times faster than the real one.
    """

    directory: Path
    definitions: Sequence[Path]
    kubeconfig: Path | None
    region: str
    speed: float


@dataclass(frozen=True, slots=True)
class Stage:
    """What is up: `processes` in the order of their start, and how to reach them."""

    kubeconfig: Path
    cluster: Cluster
    endpoint_url: str
    region: str
    processes: tuple[Process, ...]

    def identity(self, account_id: str) -> AWSIdentity:
        """Return how to act as an account against the emulator."""
        return AWSIdentity(self.endpoint_url, account_id, self.region)


class StageBuilder:
    """Brings things up one after another and hands their ends to an exit stack."""

    def __init__(self, setting: Setting, progress: Progress, stack: ExitStack) -> None:
        self._setting = setting
        self._progress = progress
        self._stack = stack
        self._processes: list[Process] = []

    def build(self) -> Stage:
        """Bring everything up; the exit stack takes it down, also after a failure half-way."""
        setting = self._setting
        emulator = Emulator(setting.directory, _clock_options(setting.speed))
        self._start(emulator.process)  # it gets ready while the control plane does
        kubeconfig, operators = self._kubeconfigs()
        cluster = self._stack.enter_context(Cluster(kubeconfig))
        with self._progress.task("applying the definitions"):
            cluster.apply_files(*setting.definitions)
        with self._progress.task("waiting for the emulator of AWS"):
            emulator.wait_until_ready()
        identity = AWSIdentity(emulator.url, OPERATOR_ACCOUNT, setting.region)
        self._start(Operator(setting.directory, operators, identity, SETTINGS).process)
        return Stage(kubeconfig, cluster, emulator.url, setting.region, tuple(self._processes))

    def _kubeconfigs(self) -> tuple[Path, Path]:
        """Return the user's and the operator's; on a cluster of the user's they are the same."""
        if self._setting.kubeconfig is not None:
            return self._setting.kubeconfig, self._setting.kubeconfig
        control_plane = self._control_plane()
        return control_plane.kubeconfig, control_plane.kubeconfig_for(OPERATOR_USER)

    def _control_plane(self) -> ControlPlane:
        control_plane = ControlPlane(self._setting.directory, find(self._progress))
        with self._progress.task("starting kube-apiserver and etcd"):
            self._stack.enter_context(control_plane)
        self._processes += control_plane.processes
        return control_plane

    def _start(self, process: Process) -> None:
        self._stack.callback(process.stop)
        process.start()
        self._processes.append(process)


def _clock_options(speed: float) -> list[str]:
    start = datetime.now(UTC) - HEAD_START  # noqa: TID251  kubectl compares with the real clock
    return ["--speed", f"{speed:g}", "--start", start.isoformat()]
