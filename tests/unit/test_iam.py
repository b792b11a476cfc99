"""R-42: policies of what kinds call and what these calls depend on, and nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest

import make
from cleanrooms_operator.core import permissions
from cleanrooms_operator.core.kind import Fitting, Kind, Part, Reading
from cleanrooms_operator.kinds import BY_NAME, KINDS
from cleanrooms_operator.kube import iam, iam_files
from cleanrooms_operator.kube.iam_files import EXAMPLE

PROJECT = Path(__file__).parents[2]
FILES = {str(path.relative_to(iam_files.FOLDER)): text for path, text in iam_files.files().items()}
SESSION = botocore.session.Session()

MOST = 6144
"""Characters of a managed policy, white space apart (IAM and AWS STS quotas)."""

CHANGING = re.compile(r":(Create|Update|Delete|Put|Start|Cancel|Tag|Untag)|^(logs|iam):")


def _name(path: Path) -> str:
    return path.name


def allowed(document: Any) -> set[str]:
    return {each for statement in document["Statement"] for each in statement["Action"]}


def documents(node: Any) -> list[Any]:
    """Return every policy document inside a file, also those that are texts in it."""
    if isinstance(node, str) and node.startswith("{"):
        return documents(json.loads(node))
    if isinstance(node, dict):
        own = [node] if "Statement" in node else []
        return own + [found for value in node.values() for found in documents(value)]
    if isinstance(node, list):
        return [found for value in node for found in documents(value)]
    return []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_call_is_an_operation_of_its_service(kind: Kind) -> None:
    for service, operation in permissions.reads(kind) | permissions.changes(kind):
        assert operation in SESSION.get_service_model(service).operation_names


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_whatever_a_kind_asks_of_ml_about_a_membership_may_pass_it(kind: Kind) -> None:
    """Source: AWS Clean Rooms User Guide, IAM behaviors for Clean Rooms ML Custom Models."""
    ml = {call for call in permissions.reads(kind) if call[0] == "cleanroomsml"}
    scoped = any("membershipIdentifier" in _members(*call) for call in ml)
    assert ("cleanrooms:PassMembership" in iam.actions(kind, observe_only=True)) == scoped


def _members(service: str, operation: str) -> Any:
    return SESSION.get_service_model(service).operation_model(operation).input_shape.members


def test_what_a_kind_calls_is_told_by_all_of_its_data() -> None:
    reading = Reading("x", "things", "ListX", dict, "x")
    kind = make.kind(
        parts={"p": Part("things", "PutPart", (), "DropPart"), "q": Part("things", "PutQ", ())},
        fitting=Fitting(reading, lambda _: None, lambda asked, *_: asked),
        calls=(("things", "Vote"),),
    )
    assert ("things", "ListX") in permissions.reads(kind)
    named = {("things", each) for each in ("PutPart", "DropPart", "PutQ", "Vote")}
    assert named <= permissions.changes(kind)


def test_who_only_looks_may_change_nothing() -> None:
    looks = allowed(iam.policy(EXAMPLE, observe_only=True))
    assert not [each for each in looks if CHANGING.search(each)]
    assert looks < allowed(iam.policy(EXAMPLE, observe_only=False))


@pytest.mark.parametrize("observe_only", [True, False])
def test_a_policy_allows_what_all_kinds_need_and_no_more(*, observe_only: bool) -> None:
    needed = {each for kind in KINDS for each in iam.actions(kind, observe_only=observe_only)}
    policy = iam.policy(EXAMPLE, observe_only=observe_only)
    assert allowed(policy) == needed
    assert not any("*" in each for each in needed)
    assert len(json.dumps(policy, separators=(",", ":"))) <= MOST


def test_roles_are_passed_to_clean_rooms_alone() -> None:
    for text in FILES.values():
        for document in documents(json.loads(text)):
            for statement in document["Statement"]:
                if iam.ROLES in statement["Action"]:
                    assert statement["Resource"] != "*"
                    services = statement["Condition"]["StringEquals"]["iam:PassedToService"]
                    assert services == list(iam.SERVICES)


def test_an_upkeep_of_a_membership_that_logs_queries_may_deliver_logs() -> None:
    needed = iam.actions(BY_NAME["Membership"], observe_only=False)
    assert {*permissions.LOG_DELIVERY, iam.ROLES} <= {*needed}


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_what_its_tool_reads(name: str) -> None:
    document = json.loads(FILES[name])
    assert documents(document)
    for found in documents(document):
        assert found["Version"] == iam.VERSION
    text = FILES[name]
    if "terraform" in name:
        used = set(re.findall(r"\bvar\.(\w+)", text))
        assert used == document["variable"].keys()
        assert set(re.findall(r"\blocal\.(\w+)", text)) == document["locals"].keys()
        assert "111111111111" not in text
    if "cloudformation" in name:
        used = set(re.findall(r'"Ref": "(\w+)"', text)) | set(re.findall(r"\$\{(\w+)\}", text))
        assert used == document["Parameters"].keys()
        assert "111111111111" not in text


def test_a_role_of_another_account_is_for_who_knows_its_external_id() -> None:
    [become, tag] = json.loads(FILES["trust/cross-account.json"])["Statement"]
    assert become["Condition"]["StringEquals"].keys() == {"sts:ExternalId"}
    assert (become["Action"], tag["Action"]) == (["sts:AssumeRole"], ["sts:TagSession"])


@pytest.mark.parametrize("path", sorted(PROJECT.glob("deploy/iam/service-roles/*.json")), ids=_name)
def test_a_service_role_is_trusted_to_its_service_from_its_own_account(path: Path) -> None:
    document = json.loads(path.read_text())
    if path.name.endswith(".trust.json"):
        [statement] = document["Statement"]
        assert statement["Principal"]["Service"] in iam.SERVICES
        assert "aws:SourceAccount" in statement["Condition"]["StringEquals"]
        assert path.with_name(path.name.replace(".trust.", ".policy.")).is_file()
    else:
        assert all(each != "*" for each in allowed(document))


def test_the_page_names_every_action() -> None:
    page = iam_files.page()
    for kind in KINDS:
        for each in iam.actions(kind, observe_only=False):
            assert f"`{each}`" in page
