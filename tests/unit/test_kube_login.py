"""Ways into a cluster."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from cleanrooms_operator.kube import login as login_module
from cleanrooms_operator.kube.api import Api
from cleanrooms_operator.kube.login import Login, LoginError, find, from_kubeconfig


def a_kubeconfig(path: Path, user: dict[str, Any], server: str = "http://127.0.0.1:1") -> Path:
    """Write a kubeconfig with two contexts, `first` the current one."""
    document = {
        "current-context": "first",
        "contexts": [
            {"name": "first", "context": {"cluster": "c", "user": "u", "namespace": "home"}},
            {"name": "second", "context": {"cluster": "d", "user": "u"}},
        ],
        "clusters": [
            {"name": "c", "cluster": {"server": server, "certificate-authority": "ca.crt"}},
            {"name": "d", "cluster": {"server": "https://other:6443"}},
        ],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


def test_the_current_context_is_used_unless_another_is_named(tmp_path: Path) -> None:
    path = a_kubeconfig(tmp_path / "config", {"token": "t"})
    login = from_kubeconfig(str(path), None)
    assert login.connection.server == "http://127.0.0.1:1"
    assert login.namespace == "home"
    assert login.connection.as_http_headers() == {"Authorization": "Bearer t"}
    other = from_kubeconfig(str(path), "second")
    assert other.connection.server == "https://other:6443"
    assert other.namespace == "default"


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    user = {"client-certificate": "u.crt", "client-key": "/elsewhere/u.key"}
    connection = from_kubeconfig(str(a_kubeconfig(tmp_path / "config", user)), None).connection
    assert connection.ca_path == str(tmp_path / "ca.crt")
    assert connection.certificate_path == str(tmp_path / "u.crt")
    assert connection.private_key_path == "/elsewhere/u.key"


def test_of_several_files_the_first_that_says_it_wins(tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.write_text(yaml.safe_dump({"current-context": "second"}))
    second = a_kubeconfig(tmp_path / "second", {"token": "t"})
    login = from_kubeconfig(f"{first}:{second}", None)
    assert login.connection.server == "https://other:6443"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("contexts: []", "no current-context", id="no current context"),
        pytest.param("current-context: a", "there is no context a", id="no such context"),
        pytest.param("{", "parsing", id="no YAML"),
        pytest.param(None, "No such file", id="no file"),
    ],
)
def test_a_kubeconfig_that_does_not_do_is_named(
    tmp_path: Path, text: str | None, words: str
) -> None:
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)
    with pytest.raises(LoginError) as caught:
        from_kubeconfig(str(path), None)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


def test_a_user_that_needs_a_program_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = a_kubeconfig(tmp_path / "config", {"exec": {"command": "aws"}})
    with pytest.raises(LoginError, match="kubectl create token cleanrooms-operator"):
        from_kubeconfig(str(path), None)


def test_without_any_way_in_it_is_said_where_was_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_module, "SERVICE_ACCOUNT", tmp_path / "none")
    monkeypatch.setattr(login_module, "HOME_CONFIG", tmp_path / "config")
    with pytest.raises(LoginError, match="KUBECONFIG is not set"):
        find(None, None)
    a_kubeconfig(tmp_path / "config", {"token": "t"})
    assert find(None, "second").connection.server == "https://other:6443"


async def test_a_token_in_a_file_is_read_anew_for_each_request(tmp_path: Path) -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/version", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = f"http://127.0.0.1:{runner.addresses[0][1]}"
    token = tmp_path / "token"
    path = a_kubeconfig(tmp_path / "config", {"tokenFile": "token"}, server)
    login = from_kubeconfig(str(path), None)
    login = Login(login.connection.__class__(server=server), login.token_file)
    async with login.session() as session:
        api = Api(server, session)
        for value in ("one", "two\n"):
            token.write_text(value)
            await api.get("/version")
    await runner.cleanup()
    assert seen == ["Bearer one", "Bearer two"]
