"""Download the official archive of kube-apiserver and etcd that Kubernetes makes for tests.

The index and the layout of the archives are those of the controller-tools project, which
publishes them as `envtest` releases.
"""

import hashlib
import http.client
import tarfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cleanrooms_playground.errors import PlaygroundError
from cleanrooms_playground.progress import Progress, Report
from cleanrooms_playground.versions import KUBERNETES_VERSION, target

INDEX_URL = (
    "https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml"
)
REACH_SECONDS = 2.5
STALL_SECONDS = 10
CHUNK_BYTES = 1 << 20
NAMES = ("kube-apiserver", "etcd")
FAILURES = (urllib.error.URLError, OSError, http.client.HTTPException)


@dataclass(frozen=True, slots=True)
class Archive:
    """Where an archive lies and the SHA-512 of its bytes, in hexadecimal."""

    url: str
    sha512: str


def download(folder: Path, progress: Progress, index_url: str = INDEX_URL) -> None:
    """Put kube-apiserver and etcd of the newest fitting release into `folder`.

    A machine without internet is told from a slow one within `REACH_SECONDS`. Raises
    `PlaygroundError` when there is no connection, no fitting release, or a broken archive.
    """
    archive = choose(_read_index(index_url))
    path = folder.parent / "archive.tar.gz"
    with progress.task(f"downloading {archive.url.rsplit('/', 1)[-1]}") as report:
        _fetch(archive, path, report)
    _unpack(path, folder)


def choose(index: Any) -> Archive:  # noqa: ANN401  a document that others wrote
    """Return the newest release of our minor version for this machine."""
    minor = KUBERNETES_VERSION.rsplit(".", 1)[0]
    try:
        fitting = {
            int(version.rsplit(".", 1)[1]): archives[f"envtest-{version}-{target()}.tar.gz"]
            for version, archives in index["releases"].items()
            if version.startswith(f"v{minor}.")
            and f"envtest-{version}-{target()}.tar.gz" in archives
        }
        if fitting:
            newest = fitting[max(fitting)]
            return Archive(newest["selfLink"], newest["hash"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"the index of official archives cannot be understood: {error!r}"
        raise PlaygroundError(message) from error
    message = f"no official archive of Kubernetes {minor} for {target()}"
    raise PlaygroundError(message)


def _read_index(url: str) -> Any:  # noqa: ANN401  a document that others wrote
    content = _within(REACH_SECONDS, lambda: _get(url, REACH_SECONDS))
    if content is None:
        message = "no official archive: the internet cannot be reached"
        raise PlaygroundError(message)
    try:
        return yaml.safe_load(content)
    except yaml.YAMLError as error:
        message = "the index of official archives is no YAML"
        raise PlaygroundError(message) from error


def _within(seconds: float, read: Callable[[], bytes]) -> bytes | None:
    """Return what `read` returns, or None if it fails or takes longer.

    Name resolution knows no timeout, so it runs in a thread that may be left behind.
    """
    answers: list[bytes] = []

    def run() -> None:
        try:
            answers.append(read())
        except FAILURES:
            return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else None


def _get(url: str, timeout_seconds: float) -> bytes:
    with urllib.request.urlopen(url, timeout=timeout_seconds) as answer:  # noqa: S310  the index
        content: bytes = answer.read()
        return content


def _fetch(archive: Archive, path: Path, report: Report) -> None:
    digest = hashlib.sha512()
    try:
        with (
            urllib.request.urlopen(archive.url, timeout=STALL_SECONDS) as answer,  # noqa: S310  ditto
            path.open("wb") as file,
        ):
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
                digest.update(chunk)
                report(f"{file.tell() / 1e6:.0f} MB")
    except FAILURES as error:
        message = f"{archive.url} cannot be downloaded: {error}"
        raise PlaygroundError(message) from error
    if digest.hexdigest() != archive.sha512:
        message = f"{archive.url} is not what its index says (SHA-512)"
        raise PlaygroundError(message)


def _unpack(path: Path, folder: Path) -> None:
    try:
        with tarfile.open(path) as archive:
            for name in NAMES:
                member = archive.getmember(f"controller-tools/envtest/{name}")
                member.name, member.mode = name, 0o755
                archive.extract(member, folder, filter="data")
    except (tarfile.TarError, KeyError, OSError) as error:
        message = f"the official archive does not hold the programs: {error}"
        raise PlaygroundError(message) from error
