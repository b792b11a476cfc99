"""A pod of these tests can write where the chart mounts a volume, and nowhere else."""

import copy
import subprocess
from pathlib import Path
from typing import Any

import pytest

from confinement import Limits, confined
from pods import rendered

Document = dict[str, Any]


@pytest.fixture
def pod(tmp_path: Path) -> Document:
    found: Document = rendered({}, tmp_path)["spec"]["template"]["spec"]
    return found


def writes(pod: Document, folder: str) -> bool:
    """Whether a process of the pod can write into a folder of this machine."""
    limits = Limits.of(pod)
    if not confined(limits):
        pytest.skip("this machine lets nobody make namespaces: pods write where they like")
    script = f"echo written > {folder}/by-a-pod && rm {folder}/by-a-pod"
    ran = subprocess.run([*confined(limits), "sh", "-c", script], check=False)  # noqa: S603  a test's own
    return ran.returncode == 0


def test_it_writes_into_its_volume(pod: Document) -> None:
    assert writes(pod, "/tmp")  # noqa: S108  where the chart mounts it


@pytest.mark.parametrize("folder", ["/", "/var/tmp"])  # noqa: S108  to be refused
def test_it_writes_nowhere_else(pod: Document, folder: str) -> None:
    assert not writes(pod, folder)


def test_it_writes_nowhere_without_a_volume(pod: Document) -> None:
    without: Document = copy.deepcopy(pod)
    without["containers"][0]["volumeMounts"] = []
    assert not writes(without, "/tmp")  # noqa: S108  where the chart mounts it


def test_it_does_not_write_into_a_volume_that_is_read_only(pod: Document) -> None:
    read_only: Document = copy.deepcopy(pod)
    read_only["containers"][0]["volumeMounts"][0]["readOnly"] = True
    assert not writes(read_only, "/tmp")  # noqa: S108  where the chart mounts it


def test_it_is_nobody_who_may_do_more(pod: Document) -> None:
    limits = Limits.of(pod)
    if not confined(limits):
        pytest.skip("this machine lets nobody make namespaces: pods run as whoever tests")
    read = ("sh", "-c", "id -u; id -g; grep -E '^(NoNewPrivs|CapEff)' /proc/self/status")
    told = subprocess.run(  # noqa: S603  a test's own
        [*confined(limits), *read], check=True, capture_output=True, text=True
    ).stdout.split()
    assert told == ["65532", "65532", "CapEff:", "0" * 16, "NoNewPrivs:", "1"]
