"""Where settings come from, and what a bad one says."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cleanrooms_operator.__main__ import main
from cleanrooms_operator.core.pace import Pace
from cleanrooms_operator.settings import Settings, SettingsError, load, unknown_variables


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, "anything"):
        monkeypatch.delenv(f"CLEANROOMS_{name.upper()}", raising=False)
    for name in ("KUBECONFIG", "POD_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)


def test_without_any_setting_the_defaults_hold() -> None:
    settings = load({})
    assert settings.pace == Pace()
    assert settings.workers == 32
    assert settings.leader_election
    assert settings.owner is None
    assert settings.kubeconfig is None


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("workers: 1\nsettle: 30\nlist_interval: 40\nlease_namespace: there\n")
    monkeypatch.setenv("CLEANROOMS_CONFIG", str(file))
    monkeypatch.setenv("CLEANROOMS_WORKERS", "2")
    monkeypatch.setenv("CLEANROOMS_SETTLE", "31")
    settings = load({"workers": "3"})
    assert (settings.workers, settings.settle, settings.list_interval) == (3, 31, 40)
    assert settings.lease_namespace == "there"


def test_the_usual_variables_of_a_pod_and_of_kubectl_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/a")
    monkeypatch.setenv("POD_NAMESPACE", "home")
    assert (load({}).kubeconfig, load({}).lease_namespace) == ("/a", "home")
    monkeypatch.setenv("CLEANROOMS_KUBECONFIG", "/b")
    monkeypatch.setenv("CLEANROOMS_LEASE_NAMESPACE", "elsewhere")
    assert (load({}).kubeconfig, load({}).lease_namespace) == ("/b", "elsewhere")
    assert load({"kubeconfig": "/c"}).kubeconfig == "/c"


def test_lists_are_joined_by_commas_and_maps_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEANROOMS_OWNER", "cluster-a")
    monkeypatch.setenv("CLEANROOMS_OWNER_INHERITS", "old-1, old-2")
    monkeypatch.setenv("CLEANROOMS_WATCH_NAMESPACES", "team-*,shared")
    monkeypatch.setenv("CLEANROOMS_OWN_IDENTITY_NAMESPACES", "admin")
    monkeypatch.setenv("CLEANROOMS_ROLES", '{"team-*": ["arn:aws:iam::1*:role/x"], "b": "c,d"}')
    monkeypatch.setenv("CLEANROOMS_ENDPOINT_PROFILES", '{"test": {"sts": "http://localhost:1"}}')
    monkeypatch.setenv("CLEANROOMS_RATES", '{"cleanrooms.List*": 2.5}')
    settings = load({})
    assert settings.watch_namespaces == ("team-*", "shared")
    assert settings.rates == {"cleanrooms.List*": 2.5}
    assert str(settings.endpoint_profiles["test"]["sts"]).startswith("http://localhost:1")
    policy = settings.policy("cluster-a")
    assert policy.owner.inherits == {"old-1", "old-2"}
    assert policy.own_identity_namespaces == ("admin",)
    assert policy.role_patterns == {"team-*": ("arn:aws:iam::1*:role/x",), "b": ("c", "d")}
    assert policy.endpoint_profiles == {"test"}


def test_intervals_reach_the_pace() -> None:
    given = {
        "list_interval": 1.0,
        "detail_interval": 2.0,
        "settle": 4.0,
        "send_window": 3.0,
        "progress_interval": 5.0,
        "denied_grace": 6.0,
        "release_limit": 7.0,
    }
    assert load(given).pace == Pace(**given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"workers": "0"}, ("workers='0'", "1 to 256"), id="too few workers"),
        pytest.param({"workers": "many"}, ("workers='many'", "integer"), id="no number"),
        pytest.param({"settle": "-1"}, ("settle='-1'", "seconds"), id="a negative interval"),
        pytest.param({"roles": "{"}, ("roles='{'", "not JSON", "role ARNs"), id="broken JSON"),
        pytest.param({"roles": '{"a": 5}'}, ("roles.a=5",), id="a map of something else"),
        pytest.param(
            {"endpoint_profiles": '{"a": {"s3": "http://x"}}'},
            ("endpoint_profiles.a.s3", "cleanroomsml"),
            id="a service that is not called",
        ),
        pytest.param({"endpoint_profiles": '{"a": {"sts": "x"}}'}, ("URL",), id="no URL"),
        pytest.param({"watch_namespaces": "Team"}, ("watch_namespaces.0='Team'",), id="no name"),
        pytest.param({"owner": "two words"}, ("owner='two words'", "tags"), id="no id"),
        pytest.param({"watch_namespaces": "a"}, ("owner is required",), id="namespaces, no owner"),
        pytest.param(
            {"send_window": "9", "settle": "8"},
            ("send_window (9) must be below settle (8)",),
            id="a window that outlasts the proof",
        ),
        pytest.param(
            {"lease_renew_deadline": "15"},
            ("lease_renew_deadline (15)", "lease_duration (15)"),
            id="two leaders at once",
        ),
        pytest.param({"lease_renew_interval": "10"}, ("lease_renew_interval (10)",), id="late"),
        pytest.param({"log_level": "loud"}, ("log_level='loud'", "warning"), id="no level"),
        pytest.param({"log_format": "xml"}, ("log_format='xml'", "json or plain"), id="no format"),
        pytest.param({"metrics_address": "8080"}, ("metrics_address", "host:port"), id="no host"),
        pytest.param({"wrokers": "1"}, ("wrokers is no setting, workers is",), id="no such field"),
        pytest.param({"config": "/nowhere"}, ("config=/nowhere", "no such file"), id="no file"),
    ],
)
def test_a_bad_value_is_named_with_its_field_and_what_to_do(
    given: dict[str, Any], words: tuple[str, ...]
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(given)
    assert [word for word in words if word not in str(caught.value)] == []


def test_all_bad_values_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"workers": "0", "settle": "x", "log_format": "y"})
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize("text", ["a: [", "just a text", "- a list"])
def test_a_broken_file_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=str(file)):
        load({"config": file})


def test_a_bad_value_ends_the_program_with_code_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEANROOMS_WORKERS", "none")
    result = CliRunner().invoke(main, ["run", "--log-level", "loud"])
    assert result.exit_code == 2
    assert "workers='none'" in result.output
    assert "log_level='loud'" in result.output


def test_a_variable_that_is_nearly_a_setting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEANROOMS_WROKERS", "1")
    monkeypatch.setenv("CLEANROOMS_OPERATOR_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("CLEANROOMS_OPERATOR_PORT_8080_TCP_ADDR", "10.0.0.1")
    assert unknown_variables() == ("CLEANROOMS_WROKERS is no setting, CLEANROOMS_WORKERS is",)


class TestTheKeyOfHashes:
    def test_without_one_it_is_the_owners_id(self) -> None:
        assert load({}).policy("cluster-1").hash_key == b"cluster-1"

    def test_it_is_given_or_read_from_a_file(self, tmp_path: Path) -> None:
        file = tmp_path / "key"
        file.write_text("from a file\n")
        assert load({"source_key": "given"}).policy("o").hash_key == b"given"
        assert load({"source_key_file": str(file)}).policy("o").hash_key == b"from a file"

    def test_a_file_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        settings = load({"source_key_file": str(tmp_path / "none")})
        with pytest.raises(SettingsError, match=r"source_key_file=.*none: No such file"):
            settings.policy("o")

    def test_both_are_one_too_many(self) -> None:
        with pytest.raises(SettingsError, match="are both given"):
            load({"source_key": "x", "source_key_file": "y"})

    def test_it_is_never_told(self) -> None:
        settings = load({"source_key": "hunter2"})
        assert "hunter2" not in repr((settings, settings.policy("o")))
        with pytest.raises(SettingsError) as raised:
            load({"source_key": ["hunter2"]})
        assert "hunter2" not in str(raised.value)
        assert "source_key: " in str(raised.value)


def test_quotas_are_given_by_name_or_by_instance_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-22: what AWS has granted; what is not named keeps its default."""
    monkeypatch.setenv("CLEANROOMS_QUOTAS", '{"trainingsPerMembership": 8, "ml.g5.2xlarge": 1}')
    limits = load({}).policy("owner").quotas
    assert (limits.membership_trainings, limits.trainings) == (8, 10)
    assert limits.training_instances_by_type["ml.g5.2xlarge"] == 1
    assert limits.training_instances_by_type["ml.m5.2xlarge"] == 3
    with pytest.raises(SettingsError, match="trainingInstances"):
        load({"quotas": {"trainigns": 3}})
