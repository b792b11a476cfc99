"""A Kubernetes control plane on this machine: etcd and kube-apiserver, and nothing else.

There is no kube-controller-manager: owned objects are not collected, namespaces do not finish,
Deployments start nothing. What is there behaves as in any cluster: validation, CEL, RBAC,
watches, conflicts, finalizers.
"""

import base64
import contextlib
import os
import shutil
import socket
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from cleanrooms_playground.binaries import Binaries, find
from cleanrooms_playground.certificates import Authority, Identity, signing_key
from cleanrooms_playground.processes import Process

READY_SECONDS = 120

GARBAGE_PERCENT = "200"
"""How far the heap of kube-apiserver may grow before Go collects it: memory for less work."""
FIRST_NAMESPACES = ("default", "kube-system")
ADMIN = "admin"
ADMIN_GROUPS = ("system:masters",)


class ControlPlane:
    """An API server that lives as long as the `with` block, in a directory of its own.

    The directory keeps certificates, kubeconfigs and logs; the data of etcd is removed at the
    end. Any number of control planes can run side by side.
    """

    def __init__(self, directory: Path, binaries: Binaries | None = None) -> None:
        self.directory = directory
        self._binaries = binaries
        self._authority = Authority()
        self._processes: list[Process] = []
        self._port = 0

    @property
    def server(self) -> str:
        """The API server's URL, `https://127.0.0.1:<port>`."""
        return f"https://127.0.0.1:{self._port}"

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of an administrator who may do everything."""
        return self.directory / f"{ADMIN}.kubeconfig"

    @property
    def processes(self) -> tuple[Process, ...]:
        """Etcd and kube-apiserver, in the order of their start."""
        return tuple(self._processes)

    def start(self) -> None:
        """Start both servers and return when the API server is ready and has its namespaces.

        Raises `BinariesUnavailableError`, `ProcessDiedError` and `NotInTimeError`; then
        nothing is left running and the logs stay in the directory.
        """
        binaries = self._binaries or find()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.ExitStack() as reserved:
            ports = [reserved.enter_context(_reserved_port()) for _ in range(3)]
            self._port = ports[0]
            self._write_certificates()
            self._processes = [
                self._etcd(binaries.etcd, ports[1], ports[2]),
                self._kube_apiserver(binaries.kube_apiserver, ports[1]),
            ]
            try:
                self._start_processes(ports[1])
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """End both servers; a second call does nothing."""
        for process in reversed(self._processes):
            process.stop()
        shutil.rmtree(self.directory / "etcd", ignore_errors=True)

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Write a kubeconfig for another user, known by a client certificate; return its path."""
        path = self.directory / f"{user.replace(':', '-')}.kubeconfig"
        identity = self._authority.client(user, groups)
        content = _kubeconfig(self.server, self._authority.certificate, user, identity)
        path.write_text(yaml.safe_dump(content))
        return path

    def _write_certificates(self) -> None:
        server = self._authority.server(["localhost"], ["127.0.0.1"])
        (self.directory / "ca.crt").write_bytes(self._authority.certificate)
        (self.directory / "server.crt").write_bytes(server.certificate)
        (self.directory / "server.key").write_bytes(server.key)
        (self.directory / "service-accounts.key").write_bytes(signing_key())
        self.kubeconfig_for(ADMIN, ADMIN_GROUPS)

    def _etcd(self, program: Path, port: int, peer_port: int) -> Process:
        client_url = f"http://127.0.0.1:{port}"
        flags = [
            f"--data-dir={self.directory / 'etcd'}",
            f"--listen-client-urls={client_url}",
            f"--advertise-client-urls={client_url}",
            f"--listen-peer-urls=http://127.0.0.1:{peer_port}",
            "--socket-reuse-port=true",
            "--unsafe-no-fsync=true",
            "--log-level=warn",
        ]
        return Process("etcd", [program, *flags], None, self.directory / "etcd.log")

    def _kube_apiserver(self, program: Path, etcd_port: int) -> Process:
        signing_key_path = self.directory / "service-accounts.key"
        flags = [
            f"--etcd-servers=http://127.0.0.1:{etcd_port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--secure-port={self._port}",
            "--permit-port-sharing=true",
            f"--tls-cert-file={self.directory / 'server.crt'}",
            f"--tls-private-key-file={self.directory / 'server.key'}",
            f"--client-ca-file={self.directory / 'ca.crt'}",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--allow-privileged=true",
            f"--service-account-issuer={self.server}/",
            f"--service-account-key-file={signing_key_path}",
            f"--service-account-signing-key-file={signing_key_path}",
        ]
        log_path = self.directory / "kube-apiserver.log"
        variables = {"GOGC": GARBAGE_PERCENT, **os.environ}
        return Process("kube-apiserver", [program, *flags], variables, log_path)

    def _start_processes(self, etcd_port: int) -> None:
        etcd, kube_apiserver = self._processes
        etcd.start()
        etcd.wait_for_url(f"http://127.0.0.1:{etcd_port}/health", READY_SECONDS)
        kube_apiserver.start()
        context = self._admin_context()
        kube_apiserver.wait_for_url(f"{self.server}/readyz", READY_SECONDS, context)
        for namespace in FIRST_NAMESPACES:
            url = f"{self.server}/api/v1/namespaces/{namespace}"
            kube_apiserver.wait_for_url(url, READY_SECONDS, context)

    def _admin_context(self) -> ssl.SSLContext:
        """Return how the administrator talks to the API server."""
        context = ssl.create_default_context(cadata=self._authority.certificate.decode())
        identity = self._authority.client(ADMIN, ADMIN_GROUPS)
        with tempfile.NamedTemporaryFile() as pem:  # the ssl module reads keys from files only
            pem.write(identity.certificate + identity.key)
            pem.flush()
            context.load_cert_chain(pem.name)
        return context


@contextlib.contextmanager
def _reserved_port() -> Iterator[int]:
    """Choose a free port and keep it from everybody but our own servers, who share it.

    A port that is found free and then let go can be taken before the server listens on it.
    """
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]


def _kubeconfig(server: str, authority: bytes, user: str, identity: Identity) -> dict[str, Any]:
    name = "cleanrooms-playground"
    cluster = {"server": server, "certificate-authority-data": _base64(authority)}
    credentials = {
        "client-certificate-data": _base64(identity.certificate),
        "client-key-data": _base64(identity.key),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }


def _base64(pem: bytes) -> str:
    return base64.b64encode(pem).decode()
