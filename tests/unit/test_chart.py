"""The chart renders to what the operator needs, and says no to what would not work."""

import functools
import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cleanrooms_operator.core.resource import GROUP, VERSION
from cleanrooms_operator.kinds import DEFINITIONS
from cleanrooms_operator.kube import manifests, rights
from cleanrooms_operator.settings import PREFIX, Settings, load
from cleanrooms_playground import helm
from cleanrooms_playground.documents import parse_documents

PROJECT = Path(__file__).parents[2]
CHART = PROJECT / manifests.CHART
CASES = {path.stem: path for path in sorted((CHART / "ci").glob("*.yaml"))}
OPTIONAL = "deletionProtection.enabled=true,argocd.healthChecks.enabled=true"

ABSENT = {
    "config": "the values are the configuration",
    "kubeconfig": "a pod has its service account",
    "context": "a pod has its service account",
    "lease_namespace": "POD_NAMESPACE says it",
    "source_key": "a key is mounted, and never part of a manifest",
}
"""Settings that the chart leaves alone, and why."""

PER_INSTALLATION = {"metrics_address", "lease_namespace"}

Document = dict[str, Any]


@functools.cache
def documents(*arguments: str) -> tuple[Document, ...]:
    """Return what the chart renders to."""
    return tuple(parse_documents(helm.template(CHART, *arguments)))


def case(name: str) -> tuple[Document, ...]:
    return documents("--values", str(CASES[name]))


def of_kind(kind: str, found: tuple[Document, ...]) -> list[Document]:
    return [document for document in found if document["kind"] == kind]


def pod(found: tuple[Document, ...]) -> Document:
    [deployment] = of_kind("Deployment", found)
    spec = deployment["spec"]["template"]["spec"]
    assert isinstance(spec, dict)
    return spec


def variables(found: tuple[Document, ...]) -> dict[str, str]:
    """Return the environment with which the operator is started."""
    [container] = pod(found)["containers"]
    return {each["name"]: each.get("value", "a-namespace") for each in container["env"]}


def settings(found: tuple[Document, ...], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return what the operator reads of that environment."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    for name, value in variables(found).items():
        monkeypatch.setenv(name, value)
    return load({})


def refusal(*arguments: str) -> str:
    with pytest.raises(helm.HelmError) as caught:
        helm.template(CHART, *arguments)
    return str(caught.value)


class TestEveryCase:
    """What is true of the chart whatever its values are."""

    @pytest.mark.parametrize("name", CASES)
    def test_it_passes_the_linter(self, name: str) -> None:
        told = helm.run("lint", "--strict", "--with-subcharts", CHART, "--values", CASES[name])
        assert "0 chart(s) failed" in told

    @pytest.mark.parametrize("name", CASES)
    def test_what_is_rendered_is_labelled_and_has_a_short_name(self, name: str) -> None:
        for document in case(name):
            metadata = document["metadata"]
            if document["kind"] == "CustomResourceDefinition":
                continue
            assert len(metadata["name"]) <= 63
            assert metadata["labels"]["app.kubernetes.io/managed-by"] == "Helm"
            assert metadata["labels"]["helm.sh/chart"] == "cleanrooms-operator-0.1.0"

    @pytest.mark.parametrize("name", CASES)
    def test_pods_are_restricted(self, name: str) -> None:
        spec = pod(case(name))
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        [container] = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        assert "memory" in container["resources"]["limits"]
        assert "cpu" not in container["resources"]["limits"]

    @pytest.mark.parametrize("name", CASES)
    def test_the_operator_accepts_its_environment(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings(case(name), monkeypatch)

    @pytest.mark.parametrize("name", CASES)
    def test_no_role_gives_everything_and_secrets_are_got_by_name_alone(self, name: str) -> None:
        roles = [d for d in case(name) if d["kind"] in {"Role", "ClusterRole"}]
        for rule in (rule for role in roles for rule in role["rules"]):
            assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert "escalate" not in rule["verbs"]
            if {"secrets", "configmaps"} & {*rule["resources"]}:
                assert rule["verbs"] == ["get"]


class TestSettings:
    """A setting that nobody can give by a value is either an oversight or listed."""

    def test_every_setting_has_a_value_or_a_reason_why_not(self) -> None:
        source = (CHART / "templates" / "_helpers.tpl").read_text()
        given = {name.lower() for name in re.findall(r'\(list "([A-Z_]+)"', source)}
        assert given | ABSENT.keys() == Settings.model_fields.keys()
        assert given & ABSENT.keys() == set()

    def test_by_default_they_are_what_they_are_without_a_chart(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        got = settings(documents(), monkeypatch).model_dump(exclude=PER_INSTALLATION)
        for name in list(variables(documents())):
            monkeypatch.delenv(name)
        assert got == load({}).model_dump(exclude=PER_INSTALLATION)

    def test_each_reaches_the_operator(self, monkeypatch: pytest.MonkeyPatch) -> None:
        got = settings(case("tuned"), monkeypatch)
        assert (got.owner, got.owner_inherits) == ("new", ("old-1", "old-2"))
        assert got.rates == {"cleanrooms.List*": 2, "*": 0.5}
        assert got.quotas == {"trainings": 20, "ml.m5.2xlarge": 6}
        assert set(got.endpoint_profiles["vpc"]) == {"cleanrooms", "cleanroomsml"}
        assert (got.workers, got.settle, got.send_window) == (64, 600, 8.5)
        assert (got.list_interval, got.detail_interval, got.progress_interval) == (1200, 7200, 20)
        assert (got.denied_grace, got.release_limit, got.audit_interval) == (60, 86400, 900)
        assert (got.lease_duration, got.lease_renew_deadline) == (30, 20)
        assert (got.lease_renew_interval, got.lease_retry_interval) == (7.5, 3)
        assert got.drain_seconds == 45
        [container] = pod(case("tuned"))["containers"]
        assert container["livenessProbe"]["periodSeconds"] == 60
        assert container["livenessProbe"]["failureThreshold"] == 3
        assert pod(case("tuned"))["terminationGracePeriodSeconds"] > got.drain_seconds

    def test_lists_and_maps_arrive_whole(self, monkeypatch: pytest.MonkeyPatch) -> None:
        got = settings(case("pod-identity"), monkeypatch)
        assert got.roles == {"team-*": ("arn:aws:iam::111111111111:role/cleanrooms-*",)}
        assert variables(case("pod-identity"))["AWS_REGION"] == "eu-west-1"
        got = settings(case("namespaced"), monkeypatch)
        assert got.watch_namespaces == ("team-a", "team-b")

    def test_a_large_number_stays_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = documents("--set", "reconcile.releaseLimitSeconds=86400")
        assert variables(found)["CLEANROOMS_RELEASE_LIMIT"] == "86400"
        assert settings(found, monkeypatch).release_limit == 86400


class TestRights:
    def test_they_are_those_of_the_kinds(self) -> None:
        """The chart and deploy/rbac.yaml, which is good for all settings, have one source."""
        expected = [d["rules"] for d in rights.manifests() if "rules" in d]
        expected[0] = [rule for rule in expected[0] if rule not in rights.for_patterns()]
        all_secrets = documents("--set", "sources.secretNamespaces={*}")
        found = [d["rules"] for d in all_secrets if d["kind"] in {"Role", "ClusterRole"}]
        assert sorted(map(json.dumps, found)) == sorted(map(json.dumps, expected))

    def test_with_named_namespaces_there_is_no_cluster_role(self) -> None:
        found = case("namespaced")
        assert not of_kind("ClusterRole", found) + of_kind("ClusterRoleBinding", found)
        home = [d["metadata"]["namespace"] for d in of_kind("Role", found)]
        assert sorted(home) == ["cleanrooms-system", "team-a", "team-b"]
        for binding in of_kind("RoleBinding", found):
            [subject] = binding["subjects"]
            assert subject["namespace"] == "cleanrooms-system"

    def test_with_patterns_there_is_one_that_lists_namespaces(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = case("patterns")
        role = of_kind("ClusterRole", found)[0]
        expected = [*rights.in_namespaces(), *rights.for_patterns()]
        assert role["rules"] == expected
        assert settings(found, monkeypatch).watch_namespaces == ("team-*", "data")

    @pytest.mark.parametrize(
        ("arguments", "where"),
        [
            ((), []),
            (("--set", "sources.secretNamespaces={*}"), [("ClusterRole", None)]),
            (
                ("--values", str(CASES["extended"])),
                [("Role", "team-a"), ("Role", "team-b")],
            ),
            (
                ("--values", str(CASES["namespaced"]), "--set", "sources.secretNamespaces={*}"),
                [("Role", "team-a"), ("Role", "team-b")],
            ),
        ],
        ids=["none", "all", "some", "all-that-are-watched"],
    )
    def test_secrets_are_read_where_the_values_say_so(
        self,
        arguments: tuple[str, ...],
        where: list[tuple[str, str | None]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        found = documents(*arguments)
        readers = [
            (document["kind"], document["metadata"].get("namespace"))
            for document in found
            if document["kind"] in {"Role", "ClusterRole"}
            and any("secrets" in rule["resources"] for rule in document["rules"])
        ]
        assert readers == where
        assert settings(found, monkeypatch).secret_sources == bool(where)

    def test_the_key_of_hashes_is_mounted(self) -> None:
        found = case("extended")
        [volume] = [v for v in pod(found)["volumes"] if v["name"] == "source-key"]
        assert volume["secret"] == {"secretName": "key-of-hashes"}
        [mount] = [
            m for m in pod(found)["containers"][0]["volumeMounts"] if m["name"] == "source-key"
        ]
        assert variables(found)["CLEANROOMS_SOURCE_KEY_FILE"] == f"{mount['mountPath']}/key"

    def test_who_says_whose_the_cluster_is_needs_no_namespace_read(self) -> None:
        def reads(found: tuple[Document, ...]) -> list[str]:
            rules = [r for d in of_kind("ClusterRole", found) for r in d["rules"]]
            return [r["resourceNames"] for r in rules if "namespaces" in r["resources"]]

        assert reads(documents()) == [["kube-system"]]
        assert reads(case("pod-identity")) == []

    def test_only_an_admin_writes_what_approves_pays_and_invites(self) -> None:
        roles = {d["metadata"]["name"]: d for d in of_kind("ClusterRole", documents())}
        writes = {
            name.rpartition("-")[2]: {kind for rule in role["rules"] for kind in rule["resources"]}
            for name, role in roles.items()
            if name != rights.NAME
        }
        plurals = {definition.name: definition.plural for definition in DEFINITIONS}
        runs = {plurals[name] for name in rights.RUNS if name in plurals}
        assert writes["edit"] == runs
        assert {"memberships", "collaborations", "awsaccounts"} <= writes["admin"]
        assert writes["edit"] | writes["admin"] == writes["view"] == set(plurals.values())

    def test_a_role_for_users_extends_those_above_it(self) -> None:
        for role in of_kind("ClusterRole", documents()):
            name = role["metadata"]["name"].removeprefix(f"{rights.NAME}-")
            extended = {
                label.rpartition("-")[2]
                for label in role["metadata"]["labels"]
                if "aggregate-to" in label
            }
            assert extended == set(rights.EXTENDED.get(name, ()))

    def test_the_lease_is_the_one_that_the_operator_asks_for(self) -> None:
        for found in (documents(), documents("--set", "fullnameOverride=other")):
            [role] = of_kind("Role", found)
            named = [rule.get("resourceNames") for rule in role["rules"]]
            assert named == [None, [variables(found)["CLEANROOMS_LEASE_NAME"]]]


class TestDefinitions:
    def test_they_are_kept_when_the_release_goes(self) -> None:
        found = of_kind("CustomResourceDefinition", documents())
        assert len(found) == len(DEFINITIONS)
        for definition in found:
            assert definition["metadata"]["annotations"] == manifests.KEPT
            bare = {**definition, "metadata": {"name": definition["metadata"]["name"]}}
            assert bare in manifests.definitions()

    def test_they_go_only_if_somebody_says_so(self) -> None:
        found = of_kind("CustomResourceDefinition", case("throwaway"))
        expected = sorted(manifests.definitions(), key=lambda each: each["metadata"]["name"])
        assert sorted(found, key=lambda each: each["metadata"]["name"]) == expected

    def test_they_can_be_installed_apart(self) -> None:
        assert not of_kind("CustomResourceDefinition", case("namespaced"))


class TestOptions:
    def test_two_replicas_share_a_lease_and_survive_a_drain(self) -> None:
        [deployment] = of_kind("Deployment", documents())
        assert deployment["spec"]["replicas"] == 2
        assert deployment["spec"]["strategy"] == {"type": "RollingUpdate"}
        [budget] = of_kind("PodDisruptionBudget", documents())
        assert budget["spec"]["maxUnavailable"] == 1
        assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"

    def test_one_without_election_is_never_two(self) -> None:
        [deployment] = of_kind("Deployment", case("single"))
        assert deployment["spec"]["strategy"] == {"type": "Recreate"}
        assert not of_kind("Role", case("single"))

    def test_the_network_is_closed_but_for_what_is_needed(self) -> None:
        [policy] = of_kind("NetworkPolicy", documents())
        allowed = [
            (sorted({each["port"] for each in rule["ports"]}), "to" in rule)
            for rule in policy["spec"]["egress"]
        ]
        assert allowed == [([53], False), ([443, 6443], False), ([80], True)]
        agent = [each["ipBlock"]["cidr"] for each in policy["spec"]["egress"][2]["to"]]
        assert agent == ["169.254.170.23/32", "fd00:ec2::23/128"]

    def test_names_do_not_depend_on_the_release(self) -> None:
        other = parse_documents(helm.run("template", "another", CHART))
        assert {d["metadata"]["name"] for d in other} == {
            d["metadata"]["name"] for d in documents()
        }

    def test_selectors_hold_nothing_that_an_upgrade_changes(self) -> None:
        selected = {"app.kubernetes.io/name", "app.kubernetes.io/instance"}
        for kind, place in (("Deployment", "selector"), ("PodDisruptionBudget", "selector")):
            [found] = of_kind(kind, case("observability"))
            assert found["spec"][place]["matchLabels"].keys() == selected
        [service] = of_kind("Service", documents())
        assert service["spec"]["selector"].keys() == selected

    def test_a_digest_wins_and_the_version_of_the_chart_is_the_default(self) -> None:
        [container] = pod(documents())["containers"]
        assert container["image"].endswith(":0.1.0")
        [container] = pod(case("elsewhere"))["containers"]
        assert "@sha256:" in container["image"]

    def test_an_account_of_somebody_else_is_used(self) -> None:
        assert pod(case("elsewhere"))["serviceAccountName"] == "clean-rooms"
        assert not of_kind("ServiceAccount", case("elsewhere"))

    def test_a_role_of_irsa_is_an_annotation(self) -> None:
        [account] = of_kind("ServiceAccount", case("irsa"))
        assert list(account["metadata"]["annotations"]) == ["eks.amazonaws.com/role-arn"]

    def test_a_monitor_selects_the_metrics(self) -> None:
        [monitor] = of_kind("ServiceMonitor", case("observability"))
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        [container] = pod(case("observability"))["containers"]
        assert container["ports"][0]["containerPort"] == 9090
        assert variables(case("observability"))["CLEANROOMS_METRICS_ADDRESS"] == ":9090"

    def test_alerts_and_dashboard_are_those_of_the_metrics(self) -> None:
        folder = PROJECT / helm.MONITORING
        [rule] = of_kind("PrometheusRule", case("observability"))
        assert rule["spec"] == yaml.safe_load((folder / "alerts.yaml").read_text())
        [board] = of_kind("ConfigMap", case("observability"))
        assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
        [text] = board["data"].values()
        assert json.loads(text) == json.loads((folder / "dashboard.json").read_text())


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--set", "image.tagg=1"], "tagg"),
            (["--set", "replicas=3"], "replicas"),
            (["--set", "leaderElection.enabled=false"], "leaderElection"),
            (["--set", "watchNamespaces={a}"], "owner"),
            (["--set", "watchNamespaces={Team},owner.id=x"], "watchNamespaces"),
            (["--set", "log.level=loud"], "log"),
            (["--set", "image.digest=latest"], "digest"),
            (["--set", "reconcile.settleSeconds=0"], "settleSeconds"),
            (["--set", "probes.liveness.periods=9"], "periods"),
            (["--set", "sources.secretNamespaces={team-*}"], "secretNamespaces"),
        ],
        ids=lambda value: value[-1] if isinstance(value, list) else "",
    )
    def test_what_cannot_work_is_refused(self, arguments: list[str], told: str) -> None:
        assert told in refusal(*arguments)

    def test_the_schema_knows_every_value_and_no_other(self) -> None:
        schema = json.loads((CHART / "values.schema.json").read_text())
        check(yaml.safe_load((CHART / "values.yaml").read_text()), schema, "")

    def test_every_value_is_described(self) -> None:
        """With `# --`, by which helm-docs and Artifact Hub know it."""
        described = None
        for before, line in itertools.pairwise((CHART / "values.yaml").read_text().splitlines()):
            key = re.match(r"( *)[a-zA-Z]+:(.*)", line)
            if key is None or (described is not None and len(key[1]) > described):
                continue
            described = len(key[1]) if before.lstrip().startswith("#") else None
            assert described is not None or not key[2], line


def check(values: Document, schema: Document, path: str) -> None:
    """Assert that a schema names what the values hold, down to where anything goes."""
    if "properties" not in schema:
        return
    assert schema["additionalProperties"] is False, path
    assert values.keys() == schema["properties"].keys(), path
    for name, below in schema["properties"].items():
        if isinstance(values[name], dict):
            check(values[name], below, f"{path}.{name}")


class TestAddOn:
    """What the validator of EKS add-ons refuses."""

    @pytest.mark.parametrize(
        "forbidden", ["helm.sh/hook", "lookup ", ".Capabilities", ".Release.Service"]
    )
    def test_templates_do_without(self, forbidden: str) -> None:
        for path in (CHART / "templates").rglob("*"):
            assert path.is_dir() or forbidden not in path.read_text(), path

    def test_what_it_would_render_is_rendered(self) -> None:
        """By the very command of the validator."""
        folder = ("--namespace", helm.NAMESPACE, "--include-crds", "--no-hooks")
        told = helm.run("template", helm.RELEASE, CHART, *folder)
        assert tuple(parse_documents(told)) == documents()

    def test_there_are_no_dependencies_and_eks_versions_pass(self) -> None:
        chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
        assert "dependencies" not in chart
        assert documents("--kube-version", "v1.33.1-eks-1234567")
        assert "kubeVersion" in refusal("--kube-version", "v1.29.0")


class TestListing:
    """What Artifact Hub is told agrees with what there is."""

    ANNOTATIONS: dict[str, str] = yaml.safe_load((CHART / "Chart.yaml").read_text())["annotations"]

    def test_it_names_the_definitions(self) -> None:
        listed = yaml.safe_load(self.ANNOTATIONS["artifacthub.io/crds"])
        found = [(each["kind"], each["version"], each["name"]) for each in listed]
        assert found == [(d.name, VERSION, f"{d.plural}.{GROUP}") for d in DEFINITIONS]
        assert all(each["description"] for each in listed)

    def test_it_has_an_example_of_each_kind(self) -> None:
        shown = yaml.safe_load(self.ANNOTATIONS["artifacthub.io/crdsExamples"])
        assert [each["kind"] for each in shown] == [d.name for d in DEFINITIONS]
        for path, text in helm.listed(PROJECT).items():
            assert (PROJECT / path).read_text() == text, f"run make generate: {path}"

    def test_it_names_the_image(self) -> None:
        [image] = yaml.safe_load(self.ANNOTATIONS["artifacthub.io/images"])
        [container] = pod(documents())["containers"]
        assert image["image"] == container["image"]


class TestNotes:
    def notes(self, *arguments: str) -> str:
        dry = ("install", helm.RELEASE, CHART, "--dry-run=client", "--output", "json")
        found = json.loads(helm.run(*dry, *arguments))["info"]["notes"]
        assert isinstance(found, str)
        return found

    def test_they_tell_the_next_step(self) -> None:
        told = self.notes()
        assert "create-pod-identity-association" in told
        assert "aws.roles" in told
        assert "kubectl get cleanrooms" in told

    def test_they_do_not_tell_what_was_done(self) -> None:
        told = self.notes("--values", str(CASES["irsa"]))
        assert "create-pod-identity-association" not in told
        assert "aws.roles" not in told


class TestFiles:
    """What is committed of what the chart renders is what it would render."""

    def test_what_the_chart_needs_of_other_folders_is_there(self) -> None:
        for path, text in helm.copied(PROJECT).items():
            assert (PROJECT / path).read_text() == text, f"run make generate: {path}"

    def test_what_is_committed_is_what_would_be_rendered(self) -> None:
        for path, text in helm.rendered(PROJECT).items():
            assert (PROJECT / path).read_text() == text, f"run make generate: {path}"

    def test_writing_twice_gives_the_same(self, tmp_path: Path) -> None:
        examples = PROJECT / "examples"
        for path in (CHART, PROJECT / helm.ARGOCD, PROJECT / helm.MONITORING, examples):
            copied = tmp_path / path.relative_to(PROJECT)
            for file in (each for each in path.rglob("*") if each.is_file()):
                target = copied / file.relative_to(path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
        helm.write(tmp_path)
        for path in helm.rendered(PROJECT):
            assert (tmp_path / path).read_text() == (PROJECT / path).read_text()
