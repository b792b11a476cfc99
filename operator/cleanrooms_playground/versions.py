"""Which control plane, for which machine."""

import platform
import sys

KUBERNETES_VERSION = "1.37.2"

GO_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}


def target() -> str:
    """Return this machine's operating system and architecture as Go names them: `linux-amd64`."""
    machine = platform.machine().lower()
    return f"{sys.platform}-{GO_NAMES.get(machine, machine)}"
