"""Whoever types what the pages say gets what they show: on a real API server, page after page.

The pages are the chapters of one story, and are read in this order. What is typed stands on them
alone; here is what they leave to others: the demo, Argo CD, the loss of a cluster.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cleanrooms_playground.waiting import wait_for
from e2e.emulated import AWS
from install.desk import Desk
from install.installation import PROJECT, Installation
from pages import DOCS, PAGES
from typed import Command, commands

STORY = (
    "install-eks",
    "quickstart",
    "concepts",
    "adopt",
    "argocd",
    "who-pays",
    "troubleshooting",
    *(f"runbooks/{page.stem}" for page in sorted((DOCS / "runbooks").glob("*.md"))),
    "backup",
    "upgrade",
    "uninstall",
)

MEANINGS = {
    "CLUSTER": "production",
    "KIND": "trainedmodel",
    "NAME": "churn-first",
    "NAMESPACE": "company-b",
}
"""What readers put for the words in capitals."""

NOT_TYPED: Mapping[str, str] = {
    "make ": "the Makefile is what runs the tests",
    "docker ": "there is no engine of containers",
    "export ": "the demo chooses its address by itself",
    "kubectl apply --server-side --filename crds/": "the chart has installed the definitions",
    "kubectl --namespace cleanrooms-system logs": "no kubelet keeps logs",
    "kubectl -n cleanrooms-system logs": "no kubelet keeps logs",
}
"""What commands begin with that cannot be typed here, and why."""

CODES: Mapping[str, int] = {"kubectl get cleanrooms -A | grep AccessDenied": 1}
"""Commands that end with another code than 0: nothing is denied."""


def play_the_demo(desk: Desk) -> None:
    """Apply the walk-through; the account that the reader has tried before is no part of it."""
    cluster = desk.release.cluster
    cluster.delete("AWSAccount", "default", namespace="company-a")
    cluster.wait_until_gone("AWSAccount", "default", namespace="company-a")
    cluster.apply_files(PROJECT / "examples" / "walkthrough")
    for name in ("churn-study", "churn-scores"):
        kind = "InferenceJob" if name == "churn-scores" else "Collaboration"
        namespace = "company-b" if name == "churn-scores" else "company-a"
        cluster.wait_for_condition(kind, name, namespace=namespace)


def install_argocd(desk: Desk) -> None:
    """Create what is patched of it."""
    named = {"name": "argocd-cm", "namespace": "argocd"}
    desk.release.cluster.create_namespace("argocd")
    desk.release.cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": named})


def ask_for_approval(desk: Desk) -> None:
    """Let company B hold its trainings, and ask for another one."""
    cluster = desk.release.cluster
    held = {"spec": {"spending": {"modelTraining": {"start": "Approve"}}}}
    cluster.patch("Membership", "churn-study", held, namespace="company-b")
    first = cluster.get("TrainedModel", "churn-first", namespace="company-b") or {}
    named = {"metadata": {"name": "churn", "namespace": "company-b"}}
    cluster.create({**{key: first[key] for key in ("apiVersion", "kind", "spec")}, **named})

    def planned() -> bool:
        found = cluster.get("TrainedModel", "churn", namespace="company-b") or {}
        return "plan" in found.get("status", {})

    wait_for("the plan", planned)


def think_better_of_it(desk: Desk) -> None:
    """Take back what asked for approval, and that approval is needed."""
    cluster = desk.release.cluster
    cluster.delete("TrainedModel", "churn", namespace="company-b")
    free = {"spec": {"spending": None}}
    cluster.patch("Membership", "churn-study", free, namespace="company-b")
    cluster.wait_until_gone("TrainedModel", "churn", namespace="company-b")


def lose_the_cluster(desk: Desk) -> None:
    """Take away all that a cluster holds, at once: nobody is asked to let go in AWS."""
    desk.release.uninstall()
    cluster = desk.release.cluster
    for kind in cluster.our_kinds():
        for each in cluster.list(kind):
            name, namespace = each["metadata"]["name"], each["metadata"]["namespace"]
            cluster.patch(kind, name, {"metadata": {"finalizers": None}}, namespace=namespace)
            cluster.delete(kind, name, namespace=namespace)
    desk.run("kubectl delete events --all --all-namespaces")


def make_an_algorithm(desk: Desk) -> None:
    """Make one by hand; its ARN is what readers put for the page's."""
    image = "111111111111.dkr.ecr.us-east-1.amazonaws.com/churn-training:1.3.0"
    made = desk.run(
        "aws cleanroomsml create-configured-model-algorithm --name churn-2025"
        " --role-arn arn:aws:iam::111111111111:role/cleanrooms/algorithm"
        f" --training-container-config imageUri={image}"
        " --query configuredModelAlgorithmArn --output text"
    )
    desk.meanings["ARN"] = made.stdout.strip()


BEFORE: Mapping[str, Callable[[Desk], None]] = {
    "kubectl get crcollab,crmember": play_the_demo,
    "aws cleanroomsml list-configured-model-algorithms": make_an_algorithm,
    "kubectl --namespace argocd": install_argocd,
    "kubectl get crmodel churn -n": ask_for_approval,
    "kubectl get cleanrooms --all-namespaces --output yaml": think_better_of_it,
    "helm install cleanrooms-operator deploy/charts/cleanrooms-operator \\\n": lose_the_cluster,
}
"""What happens before a command is typed."""


def typed(page: Path) -> list[Command]:
    """Return the commands of a page that can be typed here."""
    found = commands(page)
    return [each for each in found if not each.text.startswith(tuple(NOT_TYPED))]


@pytest.fixture(scope="module")
def desk(release: Installation, aws: AWS, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(release, tmp_path_factory.mktemp("desk"), aws.url, dict(MEANINGS))


@pytest.mark.parametrize("page", STORY)
def test_what_a_page_says_can_be_typed_and_does_what_it_shows(desk: Desk, page: str) -> None:
    for command in typed(DOCS / f"{page}.md"):
        for beginning, happens in BEFORE.items():
            if command.text.startswith(beginning):
                happens(desk)
        desk.take(command.page)
        desk.type(command, CODES.get(command.text, 0))


def test_in_the_end_nothing_is_left(desk: Desk) -> None:
    assert not desk.release.pods
    assert desk.release.cluster.our_kinds() == ()
    assert desk.release.denied() == []


class TestStory:
    def test_no_page_with_commands_is_left_out(self) -> None:
        chapters = {DOCS / f"{page}.md" for page in STORY}
        assert [page for page in PAGES if typed(page) and page not in chapters] == []

    def test_what_is_said_of_commands_is_said_of_some_that_exist(self) -> None:
        every = [command.text for page in PAGES for command in commands(page)]
        for beginning in (*NOT_TYPED, *CODES, *BEFORE):
            assert any(text.startswith(beginning) for text in every), beginning

    def test_another_answer_would_be_found(self) -> None:
        [shown] = [each for each in typed(DOCS / "backup.md") if each.shown]
        assert shown.shows("No resources found\n")
        assert not shown.shows("company-a   51s   Normal   Created\n")
