"""The bills of materials that `make sbom` writes."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from install.installation import PROJECT

LISTER = Path(sys.executable).with_name("cyclonedx-py")
TIMEOUT_SECONDS = 300

Document = dict[str, Any]


def listed(*arguments: str | Path, **environment: str) -> str:
    """Return what `make sbom` would write."""
    how = ("--pyproject", PROJECT / "pyproject.toml", "--output-reproducible")
    done = subprocess.run(  # noqa: S603  one of the developers' dependencies
        [LISTER, *arguments[:1], *how, *arguments[1:]],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    return done.stdout


def versions(document: Document) -> Mapping[str, str]:
    return {canonicalize_name(each["name"]): each["version"] for each in document["components"]}
