"""The emulator and the operator as processes of their own, kept away from any real account."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cleanrooms_playground.processes import Process

READY_SECONDS = 60
ADDRESS = r"http://127\.0\.0\.1:\d+"
SECRET = "anything"  # noqa: S105  the emulator knows accounts by their key id alone
NO_FILE = "/dev/null"


@dataclass(frozen=True, slots=True)
class AWSIdentity:
    """Whom a program acts as: an account of 12 digits, in a region, at an endpoint."""

    endpoint_url: str
    account_id: str
    region: str

    def variables(self) -> dict[str, str]:
        """Return what boto3 and the AWS CLI read; the emulator takes an account as a key id."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.account_id,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }


def isolated_environment() -> dict[str, str]:
    """Return this process's environment without anything that could lead to a real account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_CONFIG_FILE": NO_FILE,
        "AWS_SHARED_CREDENTIALS_FILE": NO_FILE,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONUNBUFFERED": "1",
    }


class Emulator:
    """The emulator of AWS, on a port that the system chooses."""

    def __init__(self, directory: Path, arguments: Sequence[str] = ("--speed", "60")) -> None:
        command = [sys.executable, "-m", "cleanrooms_emulator", "serve", "--port", "0"]
        log_path = directory / "emulator.log"
        self.process = Process("emulator", [*command, *arguments], isolated_environment(), log_path)
        self.url = ""

    def start(self) -> None:
        """Start it and learn its address."""
        self.process.start()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until it answers, and learn its address."""
        self.url = self.process.wait_for_line(ADDRESS, READY_SECONDS)[0]


class Operator:
    """The operator, run as the user of a kubeconfig against an AWS endpoint.

    `settings` are environment variables, `CLEANROOMS_…`, without which the defaults hold.
    """

    def __init__(
        self,
        directory: Path,
        kubeconfig: Path,
        identity: AWSIdentity,
        settings: Mapping[str, str] | None = None,
        name: str = "operator",
    ) -> None:
        environment = {
            **isolated_environment(),
            **identity.variables(),
            "KUBECONFIG": str(kubeconfig),
            **(settings or {}),
        }
        command = [sys.executable, "-m", "cleanrooms_operator", "run"]
        self.process = Process(name, command, environment, directory / f"{name}.log")

    def start(self) -> None:
        """Start it; it says itself, in the statuses it writes, when it works."""
        self.process.start()
