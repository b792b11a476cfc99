"""What the lock of the operator names."""

import re

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from install.installation import PROJECT

LOCK = PROJECT / "requirements" / "run.lock"


def locked() -> dict[str, Requirement]:
    """Return what the lock of the operator names, by its normal name."""
    lines = [
        line.removesuffix("\\") for line in LOCK.read_text().splitlines() if re.match(r"\w", line)
    ]
    return {canonicalize_name(each.name): each for each in map(Requirement, lines)}


def version(requirement: Requirement) -> str:
    """Return the one version that a lock names."""
    return str(requirement.specifier).removeprefix("==")


def wanted() -> dict[str, str]:
    """Return what of the lock is for this interpreter: name -> version."""
    return {
        name: version(each)
        for name, each in locked().items()
        if each.marker is None or each.marker.evaluate()
    }
