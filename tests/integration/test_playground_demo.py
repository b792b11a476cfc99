"""The demo waits for what it applied, tells why something is not Ready, and can be kept."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from cleanrooms_playground import kept
from cleanrooms_playground.account_view import look
from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.demo import Outcome, Script, play, show
from cleanrooms_playground.errors import PlaygroundError, ProcessDiedError
from cleanrooms_playground.processes import Process
from cleanrooms_playground.progress import Progress
from cleanrooms_playground.readiness import Resource, Row
from cleanrooms_playground.screen import board
from cleanrooms_playground.servers import AWSIdentity, Emulator, isolated_environment
from cleanrooms_playground.stage import Stage

PROJECT = Path(__file__).parents[2]
ACCOUNT = """\
apiVersion: cleanrooms-operator.dev/v1alpha1
kind: AWSAccount
metadata: {{name: default, namespace: {namespace}}}
spec: {{accountID: "111111111111", region: us-east-1}}
"""
SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Start an emulator that the tests of this file share."""
    running = Emulator(tmp_path_factory.mktemp("emulator"))
    running.start()
    yield running
    running.process.stop()


@pytest.fixture
def stage(cluster: Cluster, emulator: Emulator, tmp_path: Path) -> Stage:
    """Give the demo everything but an operator, whose part the test plays."""
    cluster.apply_files(PROJECT / "crds")
    return Stage(
        kubeconfig=tmp_path / "unused",
        cluster=cluster,
        endpoint_url=emulator.url,
        region="us-east-1",
        processes=(emulator.process,),
    )


@pytest.fixture
def manifests(tmp_path: Path, namespace: str) -> Path:
    path = tmp_path / "manifests" / "account.yaml"
    path.parent.mkdir()
    path.write_text(ACCOUNT.format(namespace=namespace))
    return path.parent


def set_ready(cluster: Cluster, namespace: str, status: str, message: str) -> None:
    condition = {
        "type": "Ready",
        "status": status,
        "reason": "Said",
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    change = {"observedGeneration": 1, "conditions": [condition]}
    cluster.patch_status("AWSAccount", "default", change, namespace=namespace)


def plain() -> Console:
    return Console(file=io.StringIO(), width=200)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


class TestPlay:
    def test_it_ends_when_all_is_ready(self, stage: Stage, manifests: Path, namespace: str) -> None:
        stage.cluster.apply_files(manifests)
        set_ready(stage.cluster, namespace, "True", "it answers")
        console = plain()
        outcome = play(stage, Script(manifests, timeout_seconds=60), Progress(console))
        assert outcome.ready
        assert [view.account_id for view in outcome.accounts] == ["111111111111"]
        row = f"AWSAccount {namespace}/default: Ready=True Said it answers"
        assert row in printed(console)
        assert outcome.document()["resources"] == [
            {
                "kind": "AWSAccount",
                "namespace": namespace,
                "name": "default",
                "ready": True,
                "status": "True",
                "reason": "Said",
                "message": "it answers",
                "state": "",
            }
        ]

    def test_what_is_not_ready_in_time_is_named_with_its_reason(
        self, stage: Stage, manifests: Path, namespace: str
    ) -> None:
        stage.cluster.apply_files(manifests)
        set_ready(stage.cluster, namespace, "False", "no such role")
        outcome = play(stage, Script(manifests, timeout_seconds=0), Progress(plain()))
        assert not outcome.ready
        console = plain()
        show(outcome, console)
        assert f"AWSAccount {namespace}/default: Ready=False Said no such role" in printed(console)

    def test_what_nobody_looked_at_is_not_ready(self, stage: Stage, manifests: Path) -> None:
        outcome = play(stage, Script(manifests, timeout_seconds=0), Progress(plain()))
        assert [row.message for row in outcome.rows] == ["not looked at yet"]

    def test_a_process_that_ends_meanwhile_ends_the_demo(
        self, stage: Stage, manifests: Path, tmp_path: Path
    ) -> None:
        argv = [sys.executable, "-c", "raise SystemExit('settings are wrong')"]
        operator = Process("operator", argv, None, tmp_path / "operator.log")
        operator.start()
        doomed = Stage(
            stage.kubeconfig, stage.cluster, stage.endpoint_url, stage.region, (operator,)
        )
        with pytest.raises(ProcessDiedError, match=r"(?s)operator ended.*settings are wrong"):
            play(doomed, Script(manifests, timeout_seconds=60), Progress(plain()))
        operator.stop()


class TestScreen:
    def test_without_a_terminal_only_changes_are_printed(self) -> None:
        console = plain()
        resource = Resource("Membership", "north", "m")
        waiting = Row(resource, ready=False, status="False", reason="Waiting", message="for it")
        with board(console) as shown:
            for row in (waiting, waiting, Row(resource, True, "True", "Ready", "")):  # noqa: FBT003  a row
                shown.show([row])
        assert printed(console).splitlines() == [
            "Membership north/m: Ready=False Waiting for it",
            "Membership north/m: Ready=True Ready",
        ]

    def test_what_aws_holds_is_shown_for_both_accounts(self, emulator: Emulator) -> None:
        creator = AWSIdentity(emulator.url, "333333333333", "us-east-1")
        create_collaboration(creator, invited="444444444444")
        views = tuple(
            look(AWSIdentity(emulator.url, account, "us-east-1"))
            for account in ("333333333333", "444444444444")
        )
        assert [len(view.collaborations) for view in views] == [1, 1]
        assert [len(view.memberships) for view in views] == [1, 0]
        assert views[0].memberships[0].pays == ("queryCompute",)
        console = plain()
        show(Outcome((), views, 0), console)
        text = printed(console)
        assert text.count("churn") == 1
        for part in ("333333333333", "444444444444", "ACTIVE", "INVITED", "CAN_QUERY"):
            assert part in text


def create_collaboration(identity: AWSIdentity, invited: str) -> None:
    """Create a collaboration and the creator's membership with the AWS CLI's own environment."""
    script = f"""
import boto3
client = boto3.client("cleanrooms")
made = client.create_collaboration(
    name="churn", description="d", creatorDisplayName="north", queryLogStatus="ENABLED",
    creatorMemberAbilities=[],
    creatorPaymentConfiguration={{"queryCompute": {{"isResponsible": True}}}},
    members=[{{"accountId": "{invited}", "displayName": "south",
               "memberAbilities": ["CAN_QUERY", "CAN_RECEIVE_RESULTS"]}}],
)["collaboration"]
client.create_membership(
    collaborationIdentifier=made["id"], queryLogStatus="ENABLED",
    paymentConfiguration={{"queryCompute": {{"isResponsible": True}}}},
)
"""
    environment = isolated_environment() | identity.variables()
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)  # noqa: S603  ours


class TestKept:
    @pytest.fixture(autouse=True)
    def cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def test_what_is_left_running_is_ended_by_stop_in_reverse_order(self) -> None:
        folder = kept.prepare()
        started = [
            Process(name, SLEEPER, None, folder / f"{name}.log") for name in ("etcd", "operator")
        ]
        for process in started:
            process.start()
            process.detach()
        with pytest.raises(PlaygroundError, match="running already; `make stop`"):
            kept.prepare()
        assert kept.stop() == ["operator", "etcd"]
        assert not any(process.alive for process in started)
        assert not folder.exists()
        assert kept.stop() == []

    def test_the_id_of_a_process_that_ended_is_not_used(self) -> None:
        folder = kept.prepare()
        ended = Process("operator", SLEEPER, None, folder / "operator.log")
        ended.start()
        ended.kill9()
        (folder / "operator.pid").write_text(str(os.getpid()))
        assert kept.running() == []
        assert kept.stop() == []

    def test_it_says_what_to_export_and_how_to_end_it(self, tmp_path: Path) -> None:
        process = Process("operator", SLEEPER, None, tmp_path / "operator.log")
        cluster: Cluster = SimpleNamespace()
        stage = Stage(tmp_path / "admin", cluster, "http://127.0.0.1:1", "us-east-1", (process,))
        text = kept.Kept.of(stage, ["111111111111", "222222222222"]).text()
        for part in (
            f"export KUBECONFIG={tmp_path / 'admin'}",
            "export AWS_ENDPOINT_URL=http://127.0.0.1:1",
            "export AWS_ACCESS_KEY_ID=111111111111",
            "AWS_ACCESS_KEY_ID=222222222222 aws cleanrooms list-memberships",
            "make stop",
        ):
            assert part in text


class TestCommandLine:
    def test_both_acts_end_well_and_the_last_run_is_charged_to_the_new_payer(self) -> None:
        argv = [
            sys.executable,
            "-m",
            "cleanrooms_playground",
            "demo",
            "--timeout=600",
            "-o",
            "json",
        ]
        ended = subprocess.run(  # noqa: S603  our own command
            argv, check=False, capture_output=True, text=True, timeout=900
        )
        assert ended.returncode == 0, ended.stderr
        outcome = json.loads(ended.stdout)
        assert outcome["ready"]
        runs = [run for account in outcome["accounts"] for run in account["runs"]]
        assert {(run["name"], run["payer"]) for run in runs} == {
            ("customers", "111111111111"),
            ("churn-first", "111111111111"),
            ("churn-second", "111111111111"),
            ("churn-scores", "111111111111"),
            ("churn-third", "222222222222"),
        }
        assert "you would become a candidate to pay for modelTraining" in ended.stderr

    @pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
    def test_the_control_plane_runs_until_it_is_told_to_end(
        self, tmp_path: Path, signum: signal.Signals
    ) -> None:
        argv = [sys.executable, "-m", "cleanrooms_playground", "control-plane"]
        command = Process("control-plane", argv, None, tmp_path / "command.log")
        command.start()
        kubeconfig = Path(command.wait_for_line(r"export KUBECONFIG=(\S+)", 120)[1])
        with Cluster(kubeconfig) as cluster:
            assert cluster.get("v1/Namespace", "default") is not None
        pids = [int(path.read_text()) for path in kubeconfig.parent.glob("*.pid")]
        assert len(pids) == 2
        os.kill(command.pid, signum)
        command.wait_until_ended(60)
        assert not kubeconfig.exists()
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)

    def test_a_missing_program_is_a_sentence_and_not_a_traceback(self, tmp_path: Path) -> None:
        environment = os.environ | {"KUBEBUILDER_ASSETS": str(tmp_path)}
        ended = subprocess.run(
            [sys.executable, "-m", "cleanrooms_playground", "binaries"],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
        )
        assert ended.returncode == 1
        assert ended.stderr.startswith("Error: KUBEBUILDER_ASSETS is")
        assert "Traceback" not in ended.stderr

    def test_nothing_of_a_real_account_reaches_the_processes(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_PROFILE", "production")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
        environment = isolated_environment()
        assert {name for name in environment if name.startswith("AWS_")} == {
            "AWS_CONFIG_FILE",
            "AWS_SHARED_CREDENTIALS_FILE",
            "AWS_EC2_METADATA_DISABLED",
        }
