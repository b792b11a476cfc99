"""The cluster's cache and writes, against a real API server."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cleanrooms_operator.core.resource import FINALIZER, GROUP, VERSION, Key, Resource
from cleanrooms_operator.kube import api as api_module
from cleanrooms_operator.kube.api import Api, ApiError, Request
from cleanrooms_operator.kube.cache import Cache, parse
from cleanrooms_operator.kube.cluster import CachedCluster
from cleanrooms_operator.kube.login import from_kubeconfig
from cleanrooms_operator.runtime.ports import StaleError
from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.control_plane import ControlPlane
from kube_world import BreakableApi

PROJECT = Path(__file__).parents[2]
KIND = "AWSAccount"
OTHER_FINALIZER = "example.com/other"


@pytest.fixture
async def api(control_plane: ControlPlane) -> AsyncIterator[BreakableApi]:
    """Connect as the operator would."""
    login = from_kubeconfig(str(control_plane.kubeconfig), None)
    async with login.session() as session:
        yield BreakableApi(login.connection.server, session)


@dataclass
class Told:
    """A listener that remembers."""

    changes: list[tuple[Resource | None, Resource | None, bool]] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)

    def changed(self, before: Resource | None, after: Resource | None, *, own: bool) -> None:
        self.changes.append((before, after, own))

    def wrote(self, key: Key, verb: str) -> None:
        assert key.kind == KIND
        self.writes.append(verb)

    def since(self) -> list[tuple[str, bool]]:
        """Return what was told since the last question: what happened, and whether we did it."""
        told = [
            ("new" if before is None else "gone" if after is None else "changed", own)
            for before, after, own in self.changes
        ]
        self.changes.clear()
        return told


@dataclass
class Stage:
    """One namespace with one AWSAccount in it, seen by others and by us."""

    api: BreakableApi
    others: Cluster
    namespace: str
    told: Told = field(default_factory=Told)
    edge: CachedCluster = field(init=False)

    def __post_init__(self) -> None:
        self.edge = CachedCluster(self.api, Cache(), self.told)

    @property
    def key(self) -> Key:
        return Key(KIND, self.namespace, "a")

    def create(self, name: str = "a", **metadata: Any) -> Resource:
        document = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "metadata": {"name": name, "namespace": self.namespace, **metadata},
            "spec": {"accountID": "111111111111", "region": "us-east-1"},
        }
        self.others.create(document)
        return self.now(name)

    def annotate(self, value: str, name: str = "a") -> Resource:
        change = {"metadata": {"annotations": {f"{GROUP}/paused": value}}}
        self.others.patch(KIND, name, change, namespace=self.namespace)
        return self.now(name)

    def now(self, name: str = "a") -> Resource:
        document = self.others.get(KIND, name, namespace=self.namespace)
        assert document is not None
        return parse(KIND, document)

    def delete(self, name: str = "a") -> None:
        self.others.delete(KIND, name, namespace=self.namespace)

    def is_gone(self, name: str = "a") -> bool:
        return self.others.get(KIND, name, namespace=self.namespace) is None

    async def seen(self) -> Resource:
        """Create the resource, and let the cache see it."""
        self.edge.saw(self.create())
        self.told.since()
        resource = await self.edge.read(self.key)
        assert resource is not None
        return resource

    def while_writing(self, act: Callable[[], None]) -> None:
        """Do something after the API server has written, before we hear of it."""

        def after(request: Request) -> None:
            if request.method == "PATCH":
                self.api.after = lambda _request: None
                act()

        self.api.after = after


@pytest.fixture
def stage(served: Cluster, namespace: str, api: BreakableApi) -> Stage:
    """Prepare an empty namespace."""
    return Stage(api, served, namespace)


# -- writes and their echoes -----------------------------------------------------------------


async def test_our_own_write_is_in_the_cache_at_once_and_its_event_is_no_news(stage: Stage) -> None:
    resource = await stage.seen()
    written = await stage.edge.write_status(resource, {"observedGeneration": 1})
    assert await stage.edge.read(stage.key) is written
    assert written.status["observedGeneration"] == 1
    assert stage.told.since() == [("changed", True)]
    stage.edge.saw(stage.now())
    assert stage.told.since() == []
    assert stage.told.writes == ["status"]


async def test_an_event_that_overtakes_the_answer_to_our_write_is_its_echo(stage: Stage) -> None:
    resource = await stage.seen()
    stage.while_writing(lambda: stage.edge.saw(stage.now()))
    await stage.edge.write_status(resource, {"observedGeneration": 1})
    assert stage.told.since() == [("changed", True)]


async def test_a_change_by_others_during_our_write_is_not_taken_for_its_echo(stage: Stage) -> None:
    resource = await stage.seen()
    stage.while_writing(lambda: stage.edge.saw(stage.annotate("true")))
    await stage.edge.write_status(resource, {"observedGeneration": 1})
    assert stage.told.since() == [("changed", True), ("changed", False)]
    latest = await stage.edge.read(stage.key)
    assert latest is not None
    assert latest.annotations == {f"{GROUP}/paused": "true"}


async def test_an_end_during_our_write_is_noticed_after_it(stage: Stage) -> None:
    resource = await stage.seen()

    def vanish() -> None:
        last = stage.now()
        stage.delete()
        stage.edge.saw_deleted(last)

    stage.while_writing(vanish)
    await stage.edge.write_status(resource, {"observedGeneration": 1})
    assert stage.told.since() == [("changed", True), ("gone", False)]
    assert await stage.edge.read(stage.key) is None


async def test_a_write_that_fails_lets_the_events_through(stage: Stage) -> None:
    resource = await stage.seen()

    def fail(request: Request) -> Exception | None:
        if request.method == "PATCH":
            stage.edge.saw(stage.annotate("true"))
            return ApiError(500, "InternalError", "")
        return None

    stage.api.fails = fail
    with pytest.raises(ApiError):
        await stage.edge.write_status(resource, {"observedGeneration": 1})
    assert stage.told.since() == [("changed", False)]
    assert stage.told.writes == []


async def test_a_write_to_a_version_that_is_not_current_changes_nothing(stage: Stage) -> None:
    resource = await stage.seen()
    newer = stage.annotate("true")
    for write in (
        stage.edge.write_status(resource, {"observedGeneration": 1}),
        stage.edge.hold(resource),
    ):
        with pytest.raises(StaleError):
            await write
    assert stage.now() == newer
    assert stage.told.writes == []


async def test_a_write_to_what_is_gone_is_stale_and_so_is_one_to_its_successor(
    stage: Stage,
) -> None:
    resource = await stage.seen()
    stage.delete()
    with pytest.raises(StaleError):
        await stage.edge.write_status(resource, {"observedGeneration": 1})
    stage.create()
    with pytest.raises(StaleError):
        await stage.edge.write_status(resource, {"observedGeneration": 1})
    assert stage.now().status["observedGeneration"] == -1


async def test_none_removes_a_status_field_and_the_others_stay(stage: Stage) -> None:
    resource = await stage.seen()
    account = {"accountID": "111111111111", "arn": "arn:aws:iam::111111111111:role/x"}
    resource = await stage.edge.write_status(resource, {**account, "observedGeneration": 1})
    resource = await stage.edge.write_status(resource, {"arn": None})
    assert resource.status == {"accountID": "111111111111", "observedGeneration": 1}


async def test_what_the_schema_refuses_is_an_error_of_its_own(stage: Stage) -> None:
    resource = await stage.seen()
    with pytest.raises(ApiError) as caught:
        await stage.edge.write_status(resource, {"accountID": "not an account"})
    assert caught.value.status == 422


async def test_an_api_server_that_cannot_be_reached_leaves_the_outcome_open() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ApiError) as caught:
            await Api("http://127.0.0.1:1", session).get("/version")
    assert caught.value.status == 0


# -- the finalizer ---------------------------------------------------------------------------


async def test_the_finalizer_goes_on_and_off_beside_those_of_others(stage: Stage) -> None:
    stage.edge.saw(stage.create(finalizers=[OTHER_FINALIZER]))
    resource = await stage.edge.read(stage.key)
    assert resource is not None
    held = await stage.edge.hold(resource)
    assert set(stage.now().finalizers) == {OTHER_FINALIZER, FINALIZER}
    assert held.held
    await stage.edge.release(held)
    assert stage.now().finalizers == (OTHER_FINALIZER,)
    assert stage.told.writes == ["hold", "release"]
    cached = await stage.edge.read(stage.key)
    assert cached is not None
    assert not cached.held


async def test_the_finalizer_is_found_where_others_moved_it(stage: Stage) -> None:
    held = await stage.edge.hold(await stage.seen())
    finalizers = [OTHER_FINALIZER, FINALIZER]
    change = {"metadata": {"finalizers": finalizers}}
    stage.others.patch(KIND, "a", change, namespace=stage.namespace)
    await stage.edge.release(held)
    assert stage.now().finalizers == (OTHER_FINALIZER,)


async def test_a_finalizer_that_is_off_already_is_no_error(stage: Stage) -> None:
    held = await stage.edge.hold(await stage.seen())
    change = {"metadata": {"finalizers": None}}
    stage.others.patch(KIND, "a", change, namespace=stage.namespace)
    await stage.edge.release(held)
    stage.delete()
    await stage.edge.release(held)
    assert stage.is_gone()


async def test_the_finalizer_of_a_successor_is_left_alone(stage: Stage) -> None:
    held = await stage.edge.hold(await stage.seen())
    stage.others.patch(KIND, "a", {"metadata": {"finalizers": None}}, namespace=stage.namespace)
    stage.delete()
    stage.create(finalizers=[FINALIZER])
    await stage.edge.release(held)
    assert stage.now().held


async def test_the_last_finalizer_off_a_deleted_resource_is_its_end(stage: Stage) -> None:
    await stage.edge.hold(await stage.seen())
    stage.delete()
    deleted = stage.now()
    stage.edge.saw(deleted)
    stage.told.since()
    await stage.edge.release(deleted)
    assert stage.is_gone()
    assert stage.told.since() == [("gone", False)]
    stage.edge.saw(deleted)
    assert await stage.edge.read(stage.key) is None


# -- reads -----------------------------------------------------------------------------------


async def test_a_current_version_is_confirmed_and_an_old_one_is_not(stage: Stage) -> None:
    resource = await stage.seen()
    await stage.edge.confirm(resource)
    newer = stage.annotate("true")
    with pytest.raises(StaleError):
        await stage.edge.confirm(resource)
    assert await stage.edge.read(stage.key) == newer
    stage.delete()
    with pytest.raises(StaleError):
        await stage.edge.confirm(newer)


async def test_an_audit_finds_what_watches_missed(stage: Stage) -> None:
    for name in ("ghost", "differing", "same"):
        stage.edge.saw(stage.create(name))
    stage.delete("ghost")
    stage.annotate("true", "differing")
    stage.create("unknown")
    stage.told.since()
    found = await stage.edge.audit((stage.namespace,))
    assert dict(found.ghosts) == {KIND: 1}
    assert dict(found.differing) == {KIND: 1}
    assert dict(found.unknown) == {KIND: 1}
    assert sorted(stage.told.since()) == [("changed", False), ("gone", False), ("new", False)]
    names = {r.key.name for r in await stage.edge.list(KIND, stage.namespace)}
    assert names == {"differing", "same", "unknown"}
    assert (await stage.edge.audit((stage.namespace,))).is_clean


async def test_an_audit_spares_what_is_younger_than_its_list(stage: Stage) -> None:
    stage.edge.saw(stage.create("old"))

    def create_another(request: Request) -> None:
        if request.path.endswith("/awsaccounts"):
            stage.edge.saw(stage.create("young"))

    stage.api.after = create_another
    assert (await stage.edge.audit((stage.namespace,))).is_clean
    assert len(await stage.edge.list(KIND, stage.namespace)) == 2


async def test_an_audit_does_not_revive_what_ended_meanwhile(stage: Stage) -> None:
    stage.edge.saw(stage.create("ending"))
    last = stage.now("ending")

    def end(request: Request) -> None:
        if request.path.endswith("/awsaccounts"):
            stage.delete("ending")
            stage.edge.saw_deleted(last)

    stage.api.after = end
    await stage.edge.audit((stage.namespace,))
    assert await stage.edge.list(KIND, stage.namespace) == ()


async def test_long_lists_are_read_in_pages(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_module, "PAGE_SIZE", 2)
    for number in range(5):
        stage.create(f"n-{number}")
    found = await stage.edge.audit((stage.namespace,))
    assert dict(found.unknown) == {KIND: 5}
    asked = [r for r in stage.api.requests if r.path.endswith("/awsaccounts")]
    assert len(asked) == 3
