"""kube-apiserver and etcd are found in the stated order, or fetched once, or an error helps."""

import hashlib
import http.server
import io
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from cleanrooms_playground.binaries import NAMES, cache_folder, find
from cleanrooms_playground.build import build
from cleanrooms_playground.download import choose, download
from cleanrooms_playground.errors import BinariesUnavailableError, PlaygroundError
from cleanrooms_playground.progress import Progress
from cleanrooms_playground.versions import KUBERNETES_VERSION, target

MINOR = KUBERNETES_VERSION.rsplit(".", 1)[0]
RELEASE = f"v{MINOR}.0"
ARCHIVE = f"envtest-{RELEASE}-{target()}.tar.gz"


def put_programs(folder: Path, script: str = "exit 0") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        put_program(folder / name, script)
    return folder


def put_program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


class Source:
    """A way to get the programs that counts how often it is taken."""

    def __init__(self, outcome: Callable[[Path], object] = put_programs) -> None:
        self.outcome = outcome
        self.calls = 0

    def __call__(self, folder: Path, progress: Progress) -> None:
        self.calls += 1
        progress.say("fetching")
        self.outcome(folder)


def refuse(reason: str) -> Callable[[Path], None]:
    def outcome(folder: Path) -> None:
        (folder / "half").touch()
        raise PlaygroundError(reason)

    return outcome


@pytest.fixture
def progress() -> Progress:
    return Progress(Console(file=io.StringIO()))


def said(progress: Progress) -> str:
    assert isinstance(progress.console.file, io.StringIO)
    return progress.console.file.getvalue()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return cache_folder()


class TestOrder:
    def test_the_given_folder_comes_first(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, progress: Progress
    ) -> None:
        find(progress, [Source()])
        given = put_programs(tmp_path / "given")
        monkeypatch.setenv("KUBEBUILDER_ASSETS", str(given))
        assert find(progress, []).folder == given

    def test_a_given_folder_without_the_programs_is_an_error_and_not_passed_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, progress: Progress
    ) -> None:
        monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
        source = Source()
        with pytest.raises(BinariesUnavailableError, match=r"KUBEBUILDER_ASSETS is .* not hold"):
            find(progress, [source])
        assert source.calls == 0

    def test_what_was_fetched_once_is_taken_from_the_cache(
        self, cache: Path, progress: Progress
    ) -> None:
        source = Source()
        first, second = find(progress, [source]), find(progress, [source])
        assert source.calls == 1
        assert first == second
        assert first.folder == cache / f"controlplane-{KUBERNETES_VERSION}-{target()}"
        assert first.kube_apiserver.exists()
        assert first.etcd.exists()

    def test_the_next_source_is_tried_when_one_has_nothing(
        self, cache: Path, progress: Progress
    ) -> None:
        sources = [Source(refuse("offline")), Source(), Source()]
        find(progress, sources)
        assert [source.calls for source in sources] == [1, 1, 0]
        assert sorted(path.name for path in cache.iterdir()) == [
            f"controlplane-{KUBERNETES_VERSION}-{target()}",
            "controlplane.lock",
        ]

    def test_programs_that_do_not_run_here_are_not_kept(
        self, cache: Path, progress: Progress
    ) -> None:
        broken = Source(partial(put_programs, script="exit 1"))
        with pytest.raises(BinariesUnavailableError, match="does not run on this machine"):
            find(progress, [broken])
        assert not list(cache.glob("controlplane-*"))

    def test_the_error_gives_every_reason_and_names_the_ways_out(self, progress: Progress) -> None:
        with pytest.raises(BinariesUnavailableError) as error:
            find(progress, [Source(refuse("offline")), Source(refuse("no compiler"))])
        text = str(error.value)
        assert text.index("offline") < text.index("no compiler")
        for way_out in ("KUBEBUILDER_ASSETS", "install Go", "make kind"):
            assert way_out in text

    def test_several_at_once_fetch_once(self, progress: Progress) -> None:
        source = Source(lambda folder: (time.sleep(0.2), put_programs(folder)))
        with ThreadPoolExecutor(4) as pool:
            found = set(pool.map(lambda _: find(progress, [source]), range(4)))
        assert len(found) == 1
        assert source.calls == 1

    def test_what_a_killed_run_left_half_done_is_cleared_away(
        self, cache: Path, progress: Progress
    ) -> None:
        (cache / "new-abandoned" / "programs").mkdir(parents=True)
        find(progress, [Source()])
        assert not list(cache.glob("new-*"))


class Website:
    """A web server on this machine with the files of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        handler = partial(_QuietHandler, directory=str(folder))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def publish_index(self, sha512: str) -> str:
        entry = {"hash": sha512, "selfLink": f"{self.url}/{ARCHIVE}"}
        index = {"releases": {RELEASE: {ARCHIVE: entry}}}
        (self.folder / "index.yaml").write_text(yaml.safe_dump(index))
        return f"{self.url}/index.yaml"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as the base has it
        pass


@pytest.fixture
def website(tmp_path: Path) -> Iterator[Website]:
    folder = tmp_path / "website"
    folder.mkdir()
    site = Website(folder)
    yield site
    site.close()


def publish_archive(website: Website, programs: Path) -> str:
    path = website.folder / ARCHIVE
    with tarfile.open(path, "w:gz") as archive:
        archive.add(programs, "controller-tools/envtest")
    return hashlib.sha512(path.read_bytes()).hexdigest()


class TestDownload:
    def test_the_official_archive_is_fetched_checked_and_unpacked(
        self, tmp_path: Path, website: Website, progress: Progress
    ) -> None:
        digest = publish_archive(website, put_programs(tmp_path / "programs"))
        source = partial(download, index_url=website.publish_index(digest))
        assert find(progress, [source]).etcd.read_text() == "#!/bin/sh\nexit 0\n"
        assert f"downloading {ARCHIVE}: done" in said(progress)

    def test_an_archive_that_is_not_what_its_index_says_is_refused(
        self, tmp_path: Path, website: Website, progress: Progress
    ) -> None:
        publish_archive(website, put_programs(tmp_path / "programs"))
        source = partial(download, index_url=website.publish_index("00"))
        with pytest.raises(BinariesUnavailableError, match="not what its index says"):
            find(progress, [source])

    def test_an_archive_without_the_programs_is_refused(
        self, tmp_path: Path, website: Website, progress: Progress
    ) -> None:
        (tmp_path / "empty").mkdir()
        digest = publish_archive(website, tmp_path / "empty")
        source = partial(download, index_url=website.publish_index(digest))
        with pytest.raises(BinariesUnavailableError, match="does not hold the programs"):
            find(progress, [source])

    def test_a_machine_without_internet_knows_it_soon(
        self, tmp_path: Path, website: Website, progress: Progress
    ) -> None:
        website.close()
        started = time.monotonic()
        with pytest.raises(PlaygroundError, match="internet cannot be reached"):
            download(tmp_path, progress, f"{website.url}/index.yaml")
        assert time.monotonic() - started < 20

    def test_the_newest_patch_release_of_our_minor_version_is_chosen(self) -> None:
        def archives(version: str) -> dict[str, dict[str, str]]:
            name = f"envtest-{version}-{target()}.tar.gz"
            return {name: {"selfLink": version, "hash": ""}}

        wanted = [f"v{MINOR}.{patch}" for patch in (2, 10, 9)]
        releases = {version: archives(version) for version in [*wanted, "v1.20.99"]}
        assert choose({"releases": releases}).url == f"v{MINOR}.10"

    @pytest.mark.parametrize(
        ("index", "reason"),
        [
            pytest.param({"releases": {}}, "no official archive", id="no fitting release"),
            pytest.param({"releases": []}, "cannot be understood", id="another shape"),
            pytest.param("<html>", "cannot be understood", id="not a mapping"),
        ],
    )
    def test_an_index_of_no_use_is_a_reason_to_go_on(self, index: object, reason: str) -> None:
        with pytest.raises(PlaygroundError, match=reason):
            choose(index)


GO = """
case "$1" in
  env) echo go1.26.8;;
  build)
    for argument; do case "$argument" in -o=*) out="${argument#-o=}";; esac; done
    pwd; echo "$@"
    for name in kube-apiserver etcd; do printf '#!/bin/sh\\nexit 0\\n' > "$out$name"; done
    chmod +x "$out"*;;
esac
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder that is searched for programs before all others."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


class TestBuild:
    def test_an_installed_go_builds_both_programs(self, path: Path, progress: Progress) -> None:
        put_program(path / "go", GO)
        assert find(progress, [build]).kube_apiserver.exists()
        assert f"building kube-apiserver {KUBERNETES_VERSION}" in said(progress)

    def test_a_failed_build_shows_the_compilers_last_words(
        self, path: Path, progress: Progress
    ) -> None:
        failing = 'if [ "$1" = env ]; then echo go1.27; else echo "disk full" >&2; exit 1; fi'
        put_program(path / "go", failing)
        with pytest.raises(BinariesUnavailableError, match=r"(?s)go build -v failed.*disk full"):
            find(progress, [build])

    @pytest.mark.parametrize("old", ["go1.25.9", "go1.9", "", "devel"])
    def test_a_go_that_is_too_old_is_not_used(
        self, path: Path, progress: Progress, monkeypatch: pytest.MonkeyPatch, old: str
    ) -> None:
        put_program(path / "go", f"echo {old}")
        put_program(path / "python", "echo no package index; exit 1")
        monkeypatch.setattr("sys.executable", str(path / "python"))
        with pytest.raises(BinariesUnavailableError, match="no package index"):
            find(progress, [build])

    def test_without_go_the_packaged_one_builds(
        self, path: Path, progress: Progress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put_program(path / "go.sh", GO)
        put_program(path / "go", "echo go1.20")
        put_program(
            path / "python",
            f"""
            for argument; do
              case "$argument" in --target=*) out="${{argument#--target=}}/go/bin";; esac
            done
            mkdir -p "$out"; cp {path / "go.sh"} "$out/go"
            """,
        )
        monkeypatch.setattr("sys.executable", str(path / "python"))
        find(progress, [build])
        assert "installing Go for the build: done" in said(progress)
