"""Find kube-apiserver and etcd, or get them once and keep them outside the checkout."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cleanrooms_playground.build import build
from cleanrooms_playground.download import download
from cleanrooms_playground.errors import BinariesUnavailableError, PlaygroundError
from cleanrooms_playground.progress import Progress
from cleanrooms_playground.versions import KUBERNETES_VERSION, target

NAMES = ("kube-apiserver", "etcd")
VERSION_SECONDS = 60

Source = Callable[[Path, Progress], None]
"""Puts both programs into a folder, or raises `PlaygroundError` with the reason why not."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder that holds both programs."""

    folder: Path

    @property
    def kube_apiserver(self) -> Path:
        """The API server."""
        return self.folder / "kube-apiserver"

    @property
    def etcd(self) -> Path:
        """Its store."""
        return self.folder / "etcd"


def find(
    progress: Progress | None = None, sources: Sequence[Source] = (download, build)
) -> Binaries:
    """Return the programs: those of `KUBEBUILDER_ASSETS`, else of the cache, filled if empty.

    The cache is filled by the first of `sources` that succeeds, while a lock keeps other
    processes from doing the same. Raises `BinariesUnavailableError`, which names the ways out.
    """
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets:
        return _given(Path(assets))
    cached = cache_folder() / f"controlplane-{KUBERNETES_VERSION}-{target()}"
    if not _holds_both(cached):
        with _locked(cached.parent / "controlplane.lock"):
            if not _holds_both(cached):  # another process may have filled it meanwhile
                _fill(cached, sources, progress or Progress())
    return Binaries(cached)


def cache_folder() -> Path:
    """Return this user's cache folder for the project."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "cleanrooms-operator"


def _given(folder: Path) -> Binaries:
    if not _holds_both(folder):
        message = f"KUBEBUILDER_ASSETS is {folder}, which does not hold {' and '.join(NAMES)}"
        raise BinariesUnavailableError(message)
    return Binaries(folder)


def _holds_both(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in NAMES)


def _fill(cached: Path, sources: Sequence[Source], progress: Progress) -> None:
    for abandoned in cached.parent.glob("new-*"):  # we hold the lock: its maker was killed
        shutil.rmtree(abandoned, ignore_errors=True)
    reasons = []
    for source in sources:
        with tempfile.TemporaryDirectory(dir=cached.parent, prefix="new-") as staging:
            folder = Path(staging) / "programs"
            folder.mkdir()
            try:
                source(folder, progress)
                _check_that_they_run(folder)
            except PlaygroundError as error:
                reasons.append(str(error))
                continue
            shutil.rmtree(cached, ignore_errors=True)
            folder.rename(cached)
            return
    raise BinariesUnavailableError(_ways_out(reasons))


def _check_that_they_run(folder: Path) -> None:
    for name in NAMES:
        try:
            subprocess.run(  # noqa: S603  a program that was just fetched from a trusted source
                [folder / name, "--version"],
                check=True,
                capture_output=True,
                timeout=VERSION_SECONDS,
            )
        except (OSError, subprocess.SubprocessError) as error:
            message = f"{name} does not run on this machine: {error}"
            raise PlaygroundError(message) from error


def _ways_out(reasons: Sequence[str]) -> str:
    lines = [
        f"kube-apiserver {KUBERNETES_VERSION} and etcd cannot be had for this machine:",
        *(f"  - {reason}" for reason in reasons),
        "Any one of these helps:",
        "  - set KUBEBUILDER_ASSETS to a folder that holds kube-apiserver and etcd",
        "    (setup-envtest of the Kubernetes project downloads one)",
        "  - install Go 1.26 or newer, and be able to reach a Go module proxy",
        "  - with a container engine, use a kind cluster instead: make kind",
    ]
    return "\n".join(lines)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
