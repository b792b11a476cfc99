"""What may be edited on a real API server, and until when."""

import copy
import itertools
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from lightkube.exceptions import ApiError

import ml_manifests
from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.waiting import wait_for
from manifest_samples import (
    RESULTS,
    ROLE,
    UUID,
    VALID,
    Document,
    definitions,
    merged,
    resource,
    root,
    rules,
)

# -- what is frozen --------------------------------------------------------------------------

EDITS: Mapping[tuple[str, str], Document] = {
    ("Collaboration", "accountRef"): {"accountRef": {"name": "other"}},
    ("Collaboration", "creatorDisplayName"): {"creatorDisplayName": "Z"},
    ("Collaboration", "dataEncryptionMetadata"): {
        "dataEncryptionMetadata": {
            "allowCleartext": True,
            "allowDuplicates": True,
            "allowJoinsOnColumnsWithDifferentNames": True,
            "preserveNulls": True,
        }
    },
    ("Collaboration", "queryLogStatus"): {"queryLogStatus": "DISABLED"},
    ("Collaboration", "jobLogStatus"): {"jobLogStatus": "ENABLED"},
    ("Collaboration", "allowedResultRegions"): {"allowedResultRegions": ["us-east-1"]},
    ("Collaboration", "isMetricsEnabled"): {"isMetricsEnabled": True},
    ("Membership", "accountRef"): {"accountRef": {"name": "other"}},
    ("Membership", "collaborationIdentifier"): {
        "collaborationIdentifier": UUID,
        "invitation": None,
    },
    ("Membership", "collaborationRef"): {"collaborationRef": {"name": "c"}, "invitation": None},
    ("Membership", "invitation"): {"invitation": {"name": "other"}},
    ("Membership", "isMetricsEnabled"): {"isMetricsEnabled": True},
    **ml_manifests.EDITS,
}
"""(kind, frozen field) -> an edit of it."""

RECORDED = {
    "attempt": {
        "id": "a",
        "startedAt": "2026-11-22T00:00:00Z",
        "parametersHash": "h",
    },
    "identifier": UUID,
    "arn": f"arn:aws:cleanrooms:us-east-1:111111111111:collaboration/{UUID}",
}


def frozen_message(kind: str, field: str) -> str:
    return f"`{field}` is immutable once the {kind} is being created: create a new {kind} instead"


def assert_frozen(cluster: Cluster, place: str, edit: tuple[str, str, Document]) -> None:
    kind, field, change = edit
    with pytest.raises(ApiError) as refused:
        cluster.patch(kind, "one", {"spec": change}, namespace=place)
    assert refused.value.status.code == 422
    assert f"spec.{field}: Forbidden: {frozen_message(kind, field)}" in refused.value.status.message


@pytest.mark.parametrize(("kind", "field"), EDITS, ids=".".join)
def test_a_field_is_free_until_a_create_may_be_out_and_frozen_after(
    served: Cluster, place: str, kind: str, field: str
) -> None:
    change = EDITS[kind, field]
    served.create(resource(kind, place, VALID[kind]))
    served.patch(kind, "one", {"spec": change}, namespace=place)
    undo = {name: VALID[kind].get(name) for name in change}
    served.patch(kind, "one", {"spec": undo}, namespace=place)
    for name, value in RECORDED.items():
        served.patch_status(kind, "one", {name: value}, namespace=place)
        assert_frozen(served, place, (kind, field, change))
        served.patch_status(kind, "one", {name: None}, namespace=place)
    served.patch(kind, "one", {"spec": change}, namespace=place)


@pytest.mark.parametrize(
    ("kind", "field"), [key for key in EDITS if key[1] not in VALID[key[0]]], ids=".".join
)
def test_a_frozen_field_cannot_be_removed_either(
    served: Cluster, place: str, kind: str, field: str
) -> None:
    """A rule on the field itself would not run when it goes (conventions 28)."""
    change = EDITS[kind, field]
    served.create(resource(kind, place, merged(VALID[kind], change)))
    served.patch_status(kind, "one", {"attempt": RECORDED["attempt"]}, namespace=place)
    undo = {name: VALID[kind].get(name) for name in change}
    assert_frozen(served, place, (kind, field, undo))


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("Collaboration", {"name": "New", "description": "new", "analyticsEngine": "SPARK"}),
        ("Collaboration", {"tags": {"team": "growth"}}),
        ("Collaboration", {"members": [], "creatorMemberAbilities": []}),
        ("Collaboration", {"deletionPolicy": "Retain", "managementPolicy": "ObserveOnly"}),
        ("Membership", {"queryLogStatus": "DISABLED", "jobLogStatus": "ENABLED"}),
        ("Membership", {"defaultResultConfiguration": RESULTS}),
        ("Membership", {"paymentConfiguration": {"queryCompute": {"isResponsible": True}}}),
        ("Membership", {"mlConfiguration": {"defaultOutputLocation": {"roleArn": ROLE}}}),
        ("Membership", {"progressDeadlineSeconds": 60}),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_what_can_be_changed_in_aws_stays_free(
    served: Cluster, place: str, kind: str, change: Document
) -> None:
    served.create(resource(kind, place, VALID[kind]))
    served.patch_status(kind, "one", RECORDED, namespace=place)
    served.patch(kind, "one", {"spec": change}, namespace=place)


MEMBER = VALID["Collaboration"]["members"][0]

FIXED = [
    pytest.param(
        {"members": [{**MEMBER, "displayName": "Z"}]},
        "AWS lets nobody change a member's displayName",
        id="a display name",
    ),
    pytest.param(
        {"members": [{**MEMBER, "memberAbilities": ["CAN_QUERY"]}]},
        "CAN_QUERY and CAN_RUN_JOB stay with the member that had them at creation",
        id="who queries",
    ),
    pytest.param(
        {
            "creatorMemberAbilities": ["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
            "autoApprovedChangeRequestTypes": ["ADD_MEMBER"],
            "members": [
                {**MEMBER, "accountId": f"{number:012d}", "displayName": "C"} for number in range(9)
            ],
        },
        "one change request carries at most 10 changes: make them in two edits",
        id="too much at once",
    ),
]


@pytest.mark.parametrize(("change", "message"), FIXED)
def test_what_no_change_request_can_carry_is_refused_once_a_create_may_be_out(
    served: Cluster, place: str, change: Document, message: str
) -> None:
    served.create(resource("Collaboration", place, VALID["Collaboration"]))
    served.patch_status("Collaboration", "one", RECORDED, namespace=place)
    with pytest.raises(ApiError, match=message):
        served.patch("Collaboration", "one", {"spec": change}, namespace=place)


def test_members_come_and_go_and_change_after_a_create(served: Cluster, place: str) -> None:
    served.create(resource("Collaboration", place, VALID["Collaboration"]))
    served.patch_status("Collaboration", "one", RECORDED, namespace=place)
    pays = {"queryCompute": {"isResponsible": True}}
    more = [
        {**MEMBER, "memberAbilities": ["CAN_RECEIVE_RESULTS"], "paymentConfiguration": pays},
        {**MEMBER, "accountId": "333333333333"},
    ]
    for members in (more, more[1:], []):
        served.patch("Collaboration", "one", {"spec": {"members": members}}, namespace=place)


IDENTITY = [
    ({"accountID": "222222222222"}, "accountID is immutable, create another AWSAccount"),
    ({"region": "eu-west-1"}, "region is immutable, create another AWSAccount"),
]


@pytest.mark.parametrize(("change", "message"), IDENTITY, ids=["accountID", "region"])
def test_an_identity_is_frozen_from_the_start(
    served: Cluster, place: str, change: Document, message: str
) -> None:
    served.create(resource("AWSAccount", place, VALID["AWSAccount"]))
    with pytest.raises(ApiError, match=message):
        served.patch("AWSAccount", "one", {"spec": change}, namespace=place)
    served.patch("AWSAccount", "one", {"spec": {"roleARN": ROLE}}, namespace=place)


def test_every_rule_about_edits_is_seen_to_refuse() -> None:
    tried = {frozen_message(kind, field) for kind, field in EDITS}
    tried |= {message for _, message in IDENTITY}
    tried |= {str(row.values[1]) for row in FIXED}
    found = {rule["message"] for kind in VALID for rule in rules(root(kind)) if about_edits(rule)}
    assert found == tried


def about_edits(rule: Document) -> bool:
    return "oldSelf" in rule["rule"] and "optionalOldSelf" not in rule


# -- objects that are older than a rule ------------------------------------------------------


def variant(*, strict: bool) -> Document:
    """Return the Collaboration's definition under another group, with or without its rules."""
    made = copy.deepcopy(definitions()["Collaboration"])
    made["spec"]["group"] = "ratchet.example.test"
    made["metadata"]["name"] = "collaborations.ratchet.example.test"
    made["spec"]["names"] |= {"shortNames": ["ratchet"], "categories": []}
    if not strict:
        schema = made["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        del schema["x-kubernetes-validations"]
        del schema["properties"]["spec"]["x-kubernetes-validations"]
        del schema["properties"]["spec"]["properties"]["creatorDisplayName"]["maxLength"]
    return made


def test_an_object_older_than_a_rule_can_still_be_worked_on(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    """Finalizers and status pass though the spec became invalid: ratcheting."""
    kind = "ratchet.example.test/v1alpha1/Collaboration"
    spec = {
        **VALID["Collaboration"],
        "analyticsEngine": "CLEAN_ROOMS_SQL",
        "creatorDisplayName": "A" * 101,
    }
    old = resource("Collaboration", namespace, spec, name="n" * 101)
    old["apiVersion"] = "ratchet.example.test/v1alpha1"
    (tmp_path / "loose.yaml").write_text(yaml.safe_dump(variant(strict=False)))
    cluster.apply_files(tmp_path)
    cluster.create(old)
    cluster.apply(variant(strict=True))

    attempts = itertools.count()

    def tightened() -> bool:
        # Each is another edit: one that changes nothing would not be judged at all.
        edit = {"spec": {"description": f"edit {next(attempts)}"}}
        try:
            cluster.patch(kind, "n" * 101, edit, namespace=namespace)
        except ApiError as error:
            return "analyticsEngine must not be" in error.status.message
        return False

    wait_for("the rules to be enforced", tightened)
    finalizers = {"metadata": {"finalizers": ["cleanrooms-operator.dev/aws-object"]}}
    cluster.patch(kind, "n" * 101, finalizers, namespace=namespace)
    cluster.patch_status(kind, "n" * 101, {"identifier": UUID}, namespace=namespace)
    cluster.patch(kind, "n" * 101, {"metadata": {"finalizers": None}}, namespace=namespace)
    cluster.delete(kind, "n" * 101, namespace=namespace)
    cluster.wait_until_gone(kind, "n" * 101, namespace=namespace)
