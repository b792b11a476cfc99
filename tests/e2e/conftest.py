"""Fixtures of the tests that run everything for real, but for AWS."""

import compileall
from collections.abc import Generator, Iterator
from typing import Any

import pytest

import api_server
from cleanrooms_playground import helm
from cleanrooms_playground.cluster import CRD, Cluster
from cleanrooms_playground.control_plane import ControlPlane
from e2e.granted import check_granted
from e2e.stage import OPERATOR_ACCOUNT, Ground, Stage
from pods import CHART, PROJECT

LOG_LINES = 60
SOURCES = PROJECT / "operator"


# The chart is installed into an API server that nobody else has put definitions into.
control_plane = pytest.fixture(scope="session")(api_server.serve)
cluster = pytest.fixture(scope="session")(api_server.connect)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, Any, Any]:
    """Show how the logs of the processes end when a test fails."""
    report = yield
    stages = (each for each in item.funcargs.values() if isinstance(each, Stage))
    if report.failed:
        for process in (process for stage in stages for process in stage.processes):
            title = f"The {process.name}'s log {process.log_path} ends with"
            report.sections.append((title, process.log_tail(LOG_LINES)))
    return report


@pytest.fixture(scope="session")
def ground(control_plane: ControlPlane, cluster: Cluster) -> Ground:
    """Install the chart: the definitions, and the rights of the operator's service account.

    The operator is compiled, as in its image: it is started a hundred times.
    """
    compileall.compile_dir(SOURCES, quiet=1)
    named = (helm.RELEASE, CHART, "--namespace", helm.NAMESPACE, "--create-namespace")
    helm.run("install", *named, kubeconfig=control_plane.kubeconfig)
    for each in cluster.list(CRD):
        cluster.wait_until_served(each["metadata"]["name"])
    return Ground(cluster, control_plane)


@pytest.fixture(scope="module")
def emulator_arguments() -> tuple[str, ...]:
    """Say how the emulator of a module is started: most tests are not about rates."""
    return ("--no-rates",)


@pytest.fixture(scope="module")
def stage(
    ground: Ground,
    tmp_path_factory: pytest.TempPathFactory,
    emulator_arguments: tuple[str, ...],
) -> Iterator[Stage]:
    """Set up an emulated AWS and a watch that the tests of a module share.

    At its end, all that operators did meanwhile is held against what they are allowed.
    """
    with Stage(ground, tmp_path_factory.mktemp("stage"), *emulator_arguments) as built:
        yield built
        check_granted(built.aws.log(), OPERATOR_ACCOUNT)
        assert built.forbidden() == []


@pytest.fixture(autouse=True)
def invariants(stage: Stage) -> Iterator[None]:
    """Hold every status that is written during a test against the invariants."""
    yield
    assert not stage.watch.violations
