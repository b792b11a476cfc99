"""What the chart renders is valid for the oldest Kubernetes that it accepts and the newest."""

import json
import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from cleanrooms_playground import helm
from cleanrooms_playground.documents import parse_documents
from install.installation import CHART

FOREIGN = ("monitoring.coreos.com/",)
"""Groups that are not of Kubernetes."""

Document = dict[str, Any]


def oldest() -> str:
    """Return the version that Chart.yaml demands, as `1.30`."""
    demanded = yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]
    found = re.fullmatch(r">=(\d+\.\d+)\.0-0", demanded)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    """Return each different document of all sets of values."""
    texts = (
        helm.template(CHART, "--values", case, "--set", "crds.enabled=false")
        for case in sorted((CHART / "ci").glob("*.yaml"))
    )
    rendered = (each for text in texts for each in parse_documents(text))
    own = (each for each in rendered if not each["apiVersion"].startswith(FOREIGN))
    return list({json.dumps(each, sort_keys=True): each for each in own}.values())


@pytest.mark.parametrize("version", [oldest(), kubernetes_validate.latest_version()])
def test_it_is_valid(documents: list[Document], version: str) -> None:
    assert len({each["kind"] for each in documents}) > 10
    for document in documents:
        kubernetes_validate.validate(document, version, strict=True)


def test_what_is_not_would_be_found(documents: list[Document]) -> None:
    [service] = [each for each in documents if each["kind"] == "Service"][:1]
    service = {**service, "spec": {**service["spec"], "prots": []}}
    with pytest.raises(kubernetes_validate.ValidationError, match="prots"):
        kubernetes_validate.validate(service, oldest(), strict=True)


def test_a_kind_that_came_later_would_be_found(documents: list[Document]) -> None:
    [policy] = [each for each in documents if each["kind"] == "ValidatingAdmissionPolicy"][:1]
    with pytest.raises(kubernetes_validate.SchemaNotFoundError):
        kubernetes_validate.validate(policy, "1.29", strict=True)
