"""Whom the operator is in the cluster: a kubeconfig's user, or the pod's service account."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import kopf
import yaml

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
HOME_CONFIG = Path("~/.kube/config")
CONNECTIONS = 40
"""How many requests of ours may be under way; watches have connections of their own."""


class LoginError(Exception):
    """There is no usable way into a cluster; the text says what was looked for."""


@dataclass(frozen=True, slots=True)
class Login:
    """A server, and how to prove who asks."""

    connection: kopf.ConnectionInfo
    token_file: Path | None = None
    """A token that is replaced from time to time, so it is read for each request."""

    @property
    def namespace(self) -> str:
        """The namespace that the operator is at home in."""
        return self.connection.default_namespace or "default"

    def session(self, connections: int = CONNECTIONS) -> aiohttp.ClientSession:
        """Return a new session; 0 connections are any number."""
        headers = {} if self.token_file else self.connection.as_http_headers()
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=connections, ssl=self.connection.as_ssl_context(), keepalive_timeout=60
            ),
            headers={"User-Agent": "cleanrooms-operator", **headers},
            middlewares=() if self.token_file is None else (_Bearer(self.token_file),),
        )


class _Bearer:
    """Signs each request with the token that is in the file now."""

    def __init__(self, token_file: Path) -> None:
        self._token_file = token_file

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send a request."""
        request.headers["Authorization"] = f"Bearer {self._token_file.read_text().strip()}"
        return await handler(request)


def find(kubeconfig: str | None, context: str | None) -> Login:
    """Return the way in: the kubeconfig that is named, else the pod's, else the user's own."""
    if kubeconfig is not None:
        return from_kubeconfig(kubeconfig, context)
    if (SERVICE_ACCOUNT / "token").exists():
        return _from_service_account()
    if HOME_CONFIG.expanduser().exists():
        return from_kubeconfig(str(HOME_CONFIG), context)
    message = (
        f"no cluster: KUBECONFIG is not set, and there is neither {SERVICE_ACCOUNT} nor "
        f"{HOME_CONFIG}"
    )
    raise LoginError(message)


def _from_service_account() -> Login:
    connection = kopf.login_with_service_account(settings=kopf.OperatorSettings())
    if connection is None:
        message = f"{SERVICE_ACCOUNT} vanished"
        raise LoginError(message)
    return Login(connection, SERVICE_ACCOUNT / "token")


def from_kubeconfig(paths: str, context: str | None) -> Login:
    """Return what a kubeconfig, or several joined by colons, says; the first to say it wins."""
    files = [Path(path).expanduser() for path in paths.split(os.pathsep) if path]
    try:
        documents = [(file, yaml.safe_load(file.read_text()) or {}) for file in files]
        current = context or _current(documents)
        where, chosen = _named(documents, "contexts", "context", current)
        _, cluster = _named(documents, "clusters", "cluster", chosen["cluster"])
        where, user = _named(documents, "users", "user", chosen["user"])
    except (OSError, yaml.YAMLError, LookupError, AttributeError, TypeError) as error:
        message = f"kubeconfig {paths}: {error}"
        raise LoginError(message) from error
    if "exec" in user or "auth-provider" in user:
        message = (
            f"kubeconfig {where}: user {chosen['user']} logs in by a program, which the operator "
            "does not run. In a cluster it needs no kubeconfig. Elsewhere give it a token: kubectl "
            'config set-credentials cleanrooms-operator --token "$(kubectl create token '
            'cleanrooms-operator --namespace cleanrooms-system)"; kubectl config set-context '
            "--current --user cleanrooms-operator"
        )
        raise LoginError(message)
    return Login(_connection(cluster, user, chosen.get("namespace")), _token_file(user))


def _current(documents: list[tuple[Path, Mapping[str, Any]]]) -> str:
    for _, document in documents:
        if name := document.get("current-context"):
            return str(name)
    message = "no current-context is set"
    raise LookupError(message)


def _named(
    documents: list[tuple[Path, Mapping[str, Any]]], section: str, what: str, name: str
) -> tuple[Path, dict[str, Any]]:
    """Return an entry by its name, its file paths made absolute, and the file it is in."""
    for file, document in documents:
        for entry in document.get(section) or ():
            if entry["name"] == name:
                return file, _absolute(entry.get(what) or {}, file.parent)
    message = f"there is no {what} {name}"
    raise LookupError(message)


def _absolute(entry: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    paths = {"certificate-authority", "client-certificate", "client-key", "tokenFile"}
    return {k: str(folder / v) if k in paths and v else v for k, v in entry.items()}


def _token_file(user: Mapping[str, Any]) -> Path | None:
    return Path(user["tokenFile"]) if user.get("tokenFile") else None


def _connection(
    cluster: Mapping[str, Any], user: Mapping[str, Any], namespace: str | None
) -> kopf.ConnectionInfo:
    return kopf.ConnectionInfo(
        server=cluster["server"],
        ca_path=cluster.get("certificate-authority"),
        ca_data=cluster.get("certificate-authority-data"),
        insecure=cluster.get("insecure-skip-tls-verify"),
        certificate_path=user.get("client-certificate"),
        certificate_data=user.get("client-certificate-data"),
        private_key_path=user.get("client-key"),
        private_key_data=user.get("client-key-data"),
        username=user.get("username"),
        password=user.get("password"),
        token=user.get("token"),
        default_namespace=namespace,
    )
