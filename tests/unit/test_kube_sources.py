"""What is read of ConfigMaps and Secrets, and what the operator says where it may not."""

import base64
from typing import Any

import pytest

from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.kube.api import ApiError, Request
from cleanrooms_operator.kube.cache import Cache
from cleanrooms_operator.kube.cluster import CachedCluster
from cleanrooms_operator.kube.sources import Sources
from cleanrooms_operator.runtime.ports import UnreadableError
from kube_world import MemoryApi

CONFIG, SECRET = Key("ConfigMap", "a", "c"), Key("Secret", "a", "s")


def encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


def answering(**document: Any) -> MemoryApi:
    return MemoryApi(lambda _request: document)


def failing(status: int) -> MemoryApi:
    def fail(_request: Request) -> dict[str, Any]:
        raise ApiError(status, "Reason", "a message with secret words")

    return MemoryApi(fail)


async def test_a_config_map_is_read_by_name() -> None:
    api = answering(data={"sql": "SELECT 1"}, binaryData={"blob": "AAEC"})
    assert await Sources(api).read(CONFIG) == {"sql": "SELECT 1", "blob": None}
    assert [(r.method, r.path) for r in api.requests] == [
        ("GET", "/api/v1/namespaces/a/configmaps/c")
    ]


async def test_a_secret_is_decoded() -> None:
    data = {"text": encoded("ä".encode()), "blob": encoded(b"\xff"), "odd": "%"}
    api = answering(data=data)
    assert await Sources(api).read(SECRET) == {"text": "ä", "blob": None, "odd": None}
    assert api.requests[0].path == "/api/v1/namespaces/a/secrets/s"


@pytest.mark.parametrize("key", [CONFIG, SECRET], ids=["config", "secret"])
async def test_an_empty_one_has_no_entries(key: Key) -> None:
    assert await Sources(answering()).read(key) == {}


async def test_one_that_does_not_exist_is_none() -> None:
    assert await Sources(failing(404)).read(CONFIG) is None


@pytest.mark.parametrize(("key", "what"), [(CONFIG, "configmaps"), (SECRET, "secrets")])
async def test_what_may_not_be_read_is_said(key: Key, what: str) -> None:
    with pytest.raises(UnreadableError, match=f"{key} cannot be read: .* may not `get` {what}"):
        await Sources(failing(403)).read(key)


async def test_what_cannot_be_read_now_is_another_matter() -> None:
    with pytest.raises(ApiError):
        await Sources(failing(500)).read(CONFIG)


async def test_secrets_can_be_switched_off() -> None:
    class Nobody:
        """Listens to nothing."""

        def changed(self, *_: Any, **__: Any) -> None: ...

        def wrote(self, *_: Any) -> None: ...

    api = answering(data={"x": "y"})
    cluster = CachedCluster(api, Cache(), Nobody(), secret_sources=False)
    with pytest.raises(UnreadableError, match="secret_sources is off"):
        await cluster.read_source(SECRET)
    assert api.requests == []
    assert await cluster.read_source(CONFIG) == {"x": "y"}
