"""What the operator tells: events, logs, metrics, probes."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest

from cleanrooms_operator.core.pace import Urgency
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.kube import logs
from cleanrooms_operator.kube.api import ApiError, Request
from cleanrooms_operator.kube.events import LONGEST_NAME, REPEAT_SECONDS, WAITING, Poster
from cleanrooms_operator.kube.health import Endpoint
from cleanrooms_operator.kube.metrics import new_metrics
from cleanrooms_operator.kube.passes import CURRENT, Pass
from cleanrooms_operator.runtime.outcome import Event
from kube_world import LoopClock, MemoryApi, Numbers, a_resource, metrics, ready_status, value

RESOURCE = a_resource("Collaboration", "study", version=7)
EVENT = Event("Warning", "AccessDenied", "AWS refuses")


# -- events ----------------------------------------------------------------------------------


class Post:
    """A poster, and what arrives."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.arrived: list[Request] = []
        self.refuses = False
        self.metrics = metrics()
        self.poster = Poster(
            MemoryApi(self._arrive), self.clock, Numbers(), "h" * 200, self.metrics
        )

    async def delivered(self) -> list[dict[str, Any]]:
        """Return the bodies of what was posted since the last question."""
        posting = asyncio.create_task(self.poster.run())
        await self.poster.flush()
        posting.cancel()
        bodies = [request.body for request in self.arrived]
        self.arrived.clear()
        assert all(isinstance(body, dict) for body in bodies)
        return bodies  # type: ignore[return-value]  # just asserted

    def _arrive(self, request: Request) -> dict[str, Any]:
        self.arrived.append(request)
        if self.refuses:
            raise ApiError(403, "Forbidden", "the namespace is being terminated")
        return {}


async def test_an_event_is_posted_with_all_that_the_api_server_wants() -> None:
    post = Post()
    post.poster.post(RESOURCE, EVENT)
    (body,) = await post.delivered()
    assert body["regarding"] == {
        "apiVersion": "cleanrooms-operator.dev/v1alpha1",
        "kind": "Collaboration",
        "namespace": "ns",
        "name": "study",
        "uid": RESOURCE.uid,
        "resourceVersion": "7",
    }
    assert (body["type"], body["reason"], body["note"]) == (
        "Warning",
        "AccessDenied",
        "AWS refuses",
    )
    assert body["reportingController"] == "cleanrooms-operator.dev/operator"
    assert body["metadata"]["namespace"] == "ns"
    assert body["metadata"]["name"].startswith("study.")
    assert len(body["reportingInstance"]) == 128
    assert body["action"]
    assert body["eventTime"].endswith("Z")
    written = "cleanrooms_kubernetes_writes_total"
    assert value(post.metrics, written, kind="Event", verb="create") == 1


async def test_a_long_note_and_a_long_name_are_cut() -> None:
    post = Post()
    named = a_resource("Collaboration", f"{'n' * (LONGEST_NAME - 1)}-more")
    post.poster.post(named, Event("Normal", "Created", "x" * 2000))
    (body,) = await post.delivered()
    assert body["note"] == "x" * 1024
    first, _, last = body["metadata"]["name"].partition(".")
    assert first == "n" * (LONGEST_NAME - 1)
    assert len(body["metadata"]["name"]) <= 253
    assert last


async def test_the_same_is_not_told_twice_of_a_resource_for_a_while() -> None:
    post = Post()
    post.poster.post(RESOURCE, EVENT)
    post.poster.post(a_resource("Collaboration", "study", version=8), EVENT)
    assert len(await post.delivered()) == 1
    post.poster.post(RESOURCE, Event("Warning", "AccessDenied", "another message"))
    post.poster.post(RESOURCE, Event("Warning", "InvalidSpec", EVENT.message))
    post.poster.post(a_resource("Collaboration", "study", uid="another"), EVENT)
    assert len(await post.delivered()) == 3
    post.clock.ahead = REPEAT_SECONDS + 1
    post.poster.post(RESOURCE, EVENT)
    assert len(await post.delivered()) == 1


async def test_what_was_told_long_ago_is_forgotten() -> None:
    post = Post()
    for number in range(50):
        post.poster.post(RESOURCE, Event("Normal", "Updated", str(number)))
        await post.delivered()
        post.clock.ahead += REPEAT_SECONDS / 10
    assert len(post.poster._told) <= 11


async def test_an_event_that_is_refused_harms_nobody() -> None:
    post = Post()
    post.refuses = True
    post.poster.post(RESOURCE, EVENT)
    post.poster.post(RESOURCE, Event("Normal", "Created", "arn"))
    assert len(await post.delivered()) == 2


async def test_too_many_events_are_dropped_rather_than_kept() -> None:
    post = Post()
    for number in range(WAITING + 5):
        post.poster.post(RESOURCE, Event("Normal", "Updated", str(number)))
    assert len(await post.delivered()) == WAITING


# -- logs ------------------------------------------------------------------------------------


@pytest.fixture
def _configured_anew() -> Iterator[None]:
    root, kopf = logging.getLogger(), logging.getLogger("kopf")
    handlers, levels = root.handlers[:], (root.level, kopf.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    kopf.setLevel(levels[1])


@pytest.mark.usefixtures("_configured_anew")
def test_a_line_of_json_names_the_pass(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    token = CURRENT.set(Pass(Key("Membership", "ns", "m"), "abc", 3))
    logs.LOG.warning("AWS said %s", "no", extra=logs.fields(awsRequestID="r-1", again=None))
    CURRENT.reset(token)
    logs.LOG.info("Later")
    first, second = map(json.loads, capfd.readouterr().err.splitlines())
    moment = first.pop("ts")
    assert moment.endswith("Z")
    assert first == {
        "level": "warning",
        "msg": "AWS said no",
        "logger": "cleanrooms_operator",
        "controller": "membership",
        "namespace": "ns",
        "name": "m",
        "generation": 3,
        "reconcileID": "abc",
        "awsRequestID": "r-1",
    }
    assert second.keys() == {"ts", "level", "msg", "logger"}


@pytest.mark.usefixtures("_configured_anew")
@pytest.mark.parametrize("form", ["json", "plain"])
def test_a_traceback_is_told_in_both_forms(capfd: pytest.CaptureFixture[str], form: Any) -> None:
    logs.configure("info", form)
    logs.LOG.error("Failed", exc_info=ValueError("the cause"), extra=logs.fields(again=2))
    written = capfd.readouterr().err
    assert "the cause" in written
    assert len(written.splitlines()) == 1 or form == "plain"


@pytest.mark.usefixtures("_configured_anew")
def test_libraries_are_heard_only_when_they_warn(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug", "plain")
    logging.getLogger("botocore.configprovider").info("chatter")
    logging.getLogger("kopf.objects").info("chatter")
    logging.getLogger("kopf.objects").error("trouble")
    logs.LOG.debug("ours")
    written = capfd.readouterr().err
    assert "chatter" not in written
    assert "trouble" in written
    assert "ours" in written


@pytest.mark.usefixtures("_configured_anew")
def test_the_level_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("error", "plain")
    logs.LOG.warning("unheard")
    logging.getLogger("kopf").warning("unheard")
    assert capfd.readouterr().err == ""


# -- metrics ---------------------------------------------------------------------------------


def test_conditions_are_those_of_the_resources_that_exist_now() -> None:
    counted = metrics()
    leaving = a_resource(
        "Membership", "m", status=ready_status(), deletionTimestamp="2026-01-01T00:00:00Z"
    )
    deleted = leaving.deleted
    assert deleted is not None
    counted.resources.sample((leaving, RESOURCE), deleted.timestamp() + 90)
    named = {"kind": "Membership", "namespace": "ns", "name": "m"}
    condition = "cleanrooms_resource_condition"
    assert value(counted, condition, **named, type="Ready", status="True") == 1
    assert value(counted, "cleanrooms_resource_deletion_pending_seconds", **named) == 90
    assert value(counted, "cleanrooms_resources", kind="Membership", ready="True") == 1
    ready = {"kind": "Membership", "type": "Ready", "status": "True"}
    assert value(counted, "cleanrooms_resources_by_condition", **ready) == 1
    assert value(counted, "cleanrooms_resources", kind="Collaboration", ready="Unknown") == 1
    counted.resources.sample((), 0)
    assert counted.registry.get_sample_value(condition, {**named, "type": "Ready"}) is None
    assert value(counted, "cleanrooms_resources", kind="Membership", ready="True") == 0


def test_series_of_each_resource_can_be_turned_off() -> None:
    counted = new_metrics("host", 1, each_resource=False)
    counted.resources.sample((a_resource("Membership", "m", status=ready_status()),), 0)
    names = {sample.name for family in counted.registry.collect() for sample in family.samples}
    assert "cleanrooms_resources" in names
    assert not {name for name in names if name.startswith("cleanrooms_resource_")}


def test_open_attempts_are_counted_by_kind() -> None:
    counted = metrics()
    trying = a_resource("Membership", "m", status={**ready_status(), "attempt": {"id": "x"}})
    counted.resources.sample((trying, RESOURCE), 0)
    assert value(counted, "cleanrooms_open_attempts", kind="Membership") == 1
    assert value(counted, "cleanrooms_open_attempts", kind="Collaboration") == 0


def test_charged_runs_are_counted_by_the_account_that_pays() -> None:
    """R-19: of what cannot be seen there is no number."""
    seen = {"costType": "modelTraining", "pending": 1, "running": 0, "finished": 2}
    told = {"accountID": "111111111111", "charges": [seen, {"costType": "jobCompute"}]}
    counted = metrics()
    counted.resources.sample(
        tuple(a_resource("Membership", name, status={**ready_status(), **told}) for name in "mn"),
        0,
    )
    name, labels = "cleanrooms_charged_runs", {"account": "111111111111"}
    training = {**labels, "cost_type": "modelTraining"}
    assert value(counted, name, **training, state="finished") == 4
    assert value(counted, name, **training, state="running") == 0
    unseen = {**labels, "cost_type": "jobCompute", "state": "running"}
    assert counted.registry.get_sample_value(name, unseen) is None


def test_requests_to_aws_are_counted_and_throttles_apart() -> None:
    counted = metrics()
    for code in ("OK", "ThrottlingException", "TooManyRequestsException", "AccessDenied"):
        counted.aws.requested("1", "cleanrooms", "ListMembers", code, 0.1)
    counted.aws.waited("1", "cleanrooms", "ListMembers", 2.5)
    labels = {"service": "cleanrooms", "operation": "ListMembers"}
    of_account = {**labels, "account": "1"}
    assert value(counted, "cleanrooms_aws_requests_total", **of_account, code="OK") == 1
    assert value(counted, "cleanrooms_aws_throttles_total", **of_account) == 2
    assert value(counted, "cleanrooms_aws_request_duration_seconds_count", **labels) == 4
    assert value(counted, "cleanrooms_aws_paced_seconds_total", **of_account) == 2.5


def test_the_queue_is_told_as_it_is_when_scraped() -> None:
    counted = metrics()
    counted.queue.sample(lambda urgency: 10 * urgency, [3.0, 4.5])
    labels = {"name": "cleanrooms-operator"}
    for urgency in Urgency:
        found = value(counted, "workqueue_depth", **labels, priority=urgency.name.lower())
        assert found == 10 * urgency
    assert value(counted, "workqueue_unfinished_work_seconds", **labels) == 7.5
    assert value(counted, "workqueue_longest_running_processor_seconds", **labels) == 4.5


# -- probes ----------------------------------------------------------------------------------


class Probed:
    """An endpoint whose checks a test decides."""

    def __init__(self) -> None:
        self.wrong: dict[str, str | None] = {"alive": None, "ready": None}
        self.metrics = metrics()
        self.endpoint = Endpoint(
            self.metrics,
            {"tasks": lambda: self.wrong["alive"]},
            {"cache": lambda: self.wrong["ready"]},
        )
        self.url = ""

    async def ask(self, path: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.url}/{path}") as answer,
        ):
            return answer.status, await answer.text()


@pytest.fixture
async def probed() -> AsyncIterator[Probed]:
    """Serve at a port that the system chooses."""
    served = Probed()
    served.url = f"http://{await served.endpoint.start('127.0.0.1:0')}"
    yield served
    await served.endpoint.stop()


async def test_probes_say_what_is_wrong(probed: Probed) -> None:
    assert await probed.ask("healthz") == (200, "[+]tasks ok\n")
    assert await probed.ask("readyz") == (200, "[+]cache ok\n")
    probed.wrong = {"alive": "over: worker 1", "ready": "filling the cache"}
    assert await probed.ask("healthz") == (503, "[-]tasks over: worker 1\n")
    assert await probed.ask("readyz") == (503, "[-]cache filling the cache\n")


async def test_a_scrape_asks_the_samplers_first(probed: Probed) -> None:
    probed.metrics.samplers.append(lambda: probed.metrics.cluster.leads(now=True))
    status, text = await probed.ask("metrics")
    assert status == 200
    assert 'leader_election_master_status{name="cleanrooms-operator"} 1.0' in text
    assert "cleanrooms_build_info" in text
    assert "process_resident_memory_bytes" in text
