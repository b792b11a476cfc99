"""The definitions on a real API server: what it accepts, what it refuses, and in which words."""

import copy
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from lightkube.exceptions import ApiError

from cleanrooms_operator.kube import manifests
from cleanrooms_playground.cluster import CRD, Cluster, is_true, read_documents
from cleanrooms_playground.waiting import wait_for

PROJECT = Path(__file__).parents[2]
VERSION = "cleanrooms-operator.dev/v1alpha1"
UUID = "12345678-1234-1234-1234-123456789012"
ROLE = "arn:aws:iam::111111111111:role/results"

Document = dict[str, Any]

VALID: Mapping[str, Document] = {
    "AWSAccount": {"accountID": "111111111111", "region": "us-east-1"},
    "Collaboration": {
        "creatorDisplayName": "A",
        "creatorMemberAbilities": ["CAN_QUERY"],
        "queryLogStatus": "ENABLED",
        "members": [
            {"accountId": "222222222222", "displayName": "B", "memberAbilities": []},
        ],
    },
    "Membership": {
        "invitation": {"creatorAccountId": "111111111111", "name": "churn"},
        "queryLogStatus": "ENABLED",
    },
}

S3 = {"bucket": "results", "resultFormat": "CSV"}
RESULTS = {"roleArn": ROLE, "outputConfiguration": {"s3": S3}}


def resource(kind: str, namespace: str, spec: Document, name: str = "one") -> Document:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def merged(document: Document, change: Document) -> Document:
    """Return a document with `change` merged in; None removes (RFC 7386)."""
    made = copy.deepcopy(document)
    for name, value in change.items():
        if value is None:
            made.pop(name, None)
        elif isinstance(value, dict) and isinstance(made.get(name), dict):
            made[name] = merged(made[name], value)
        else:
            made[name] = value
    return made


@functools.cache
def definitions() -> dict[str, Document]:
    return {made["spec"]["names"]["kind"]: made for made in manifests.definitions()}


def root(kind: str) -> Document:
    schema: Document = definitions()[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def rules(schema: Document) -> Iterator[Document]:
    """Yield the validation rules at and below a place."""
    yield from schema.get("x-kubernetes-validations", ())
    for below in schema.get("properties", {}).values():
        yield from rules(below)
    if "items" in schema:
        yield from rules(schema["items"])


@pytest.fixture(scope="module")
def served(cluster: Cluster) -> Cluster:
    """Apply the definitions as a user does, from the files."""
    cluster.apply_files(PROJECT / "crds")
    return cluster


@pytest.fixture
def place(served: Cluster, namespace: str) -> str:
    assert served
    return namespace


# -- definitions -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", VALID)
def test_the_definition_is_accepted_and_established(served: Cluster, kind: str) -> None:
    found = served.get(CRD, definitions()[kind]["metadata"]["name"])
    assert found is not None
    assert is_true(found, "Established")
    assert is_true(found, "NamesAccepted")
    assert not [c for c in found["status"]["conditions"] if c["type"] == "NonStructuralSchema"]


@pytest.mark.parametrize("kind", VALID)
def test_the_status_says_at_once_that_nobody_has_looked(
    served: Cluster, place: str, kind: str
) -> None:
    """Otherwise Helm and Flux take what nobody has seen for ready (conventions 1)."""
    served.create(resource(kind, place, VALID[kind]))
    found = served.get(kind, "one", namespace=place)
    assert found is not None
    assert found["status"] == {"observedGeneration": -1}


def test_a_user_cannot_write_the_status_with_the_spec(served: Cluster, place: str) -> None:
    made = resource("Membership", place, VALID["Membership"])
    served.create({**made, "status": {"identifier": UUID}})
    served.patch("Membership", "one", {"status": {"identifier": UUID}}, namespace=place)
    found = served.get("Membership", "one", namespace=place)
    assert found is not None
    assert "identifier" not in found["status"]


def test_policies_have_defaults(served: Cluster, place: str) -> None:
    served.create(resource("Membership", place, VALID["Membership"]))
    found = served.get("Membership", "one", namespace=place)
    assert found is not None
    assert found["spec"]["deletionPolicy"] == "Delete"
    assert found["spec"]["onMissing"] == "Report"
    assert found["spec"]["progressDeadlineSeconds"] == 600
    assert "managementPolicy" not in found["spec"]


# -- what is accepted and refused at creation ------------------------------------------------

ACCEPTED = [
    pytest.param("Collaboration", {"members": []}, id="nobody is invited yet"),
    pytest.param("Collaboration", {"name": "Ärzte & 薬局 🏥"}, id="a name of any printable text"),
    pytest.param("Collaboration", {"description": ""}, id="an empty description"),
    pytest.param("Collaboration", {"description": "two\nlines"}, id="a description of two lines"),
    pytest.param("Collaboration", {"analyticsEngine": "SPARK"}, id="the engine there is"),
    pytest.param("Collaboration", {"allowedResultRegions": ["xx-new-9"]}, id="a new region"),
    pytest.param("Collaboration", {"tags": {f"k{n}": "" for n in range(44)}}, id="44 tags"),
    pytest.param("Collaboration", {"tags": {"k" * 128: "v" * 256}}, id="the longest tag"),
    pytest.param("Collaboration", {"tags": {"awsome": "v"}}, id="a tag that only resembles AWS's"),
    pytest.param(
        "Membership",
        {"invitation": None, "collaborationIdentifier": UUID},
        id="a collaboration by id",
    ),
    pytest.param(
        "Membership",
        {"invitation": None, "collaborationRef": {"name": "c"}},
        id="a collaboration by reference",
    ),
    pytest.param("Membership", {"defaultResultConfiguration": RESULTS}, id="a result location"),
    pytest.param(
        "AWSAccount", {"roleARN": ROLE, "externalID": "clean-rooms/a"}, id="a role and its id"
    ),
]

REFUSED = [
    pytest.param(
        "Collaboration",
        {"analyticsEngine": "CLEAN_ROOMS_SQL"},
        "analyticsEngine must not be CLEAN_ROOMS_SQL",
        id="the engine that AWS ended",
    ),
    pytest.param("Collaboration", {"name": " \t"}, "must not be blank", id="a blank name"),
    pytest.param("Collaboration", {"name": "a\nb"}, "should match", id="a name of two lines"),
    pytest.param("Collaboration", {"name": "n" * 101}, "may not be more than 100", id="long name"),
    pytest.param(
        "Collaboration",
        {"description": " \n"},
        "must not consist of white space alone",
        id="a description of white space",
    ),
    pytest.param(
        "Collaboration", {"creatorDisplayName": " "}, "must not be blank", id="a blank display name"
    ),
    pytest.param(
        "Collaboration",
        {"members": [{"accountId": "222222222222", "displayName": " ", "memberAbilities": []}]},
        "must not be blank",
        id="a member's blank display name",
    ),
    pytest.param("Collaboration", {"members": None}, "spec.members: Required", id="no members"),
    pytest.param(
        "Collaboration",
        {"members": [*VALID["Collaboration"]["members"]] * 2},
        "Duplicate value",
        id="the same member twice",
    ),
    pytest.param(
        "Collaboration",
        {
            "members": [
                {"accountId": f"{n:012d}", "displayName": "B", "memberAbilities": []}
                for n in range(10)
            ]
        },
        "must have at most 9 items",
        id="ten members",
    ),
    pytest.param(
        "Collaboration",
        {"creatorMemberAbilities": ["CAN_QUERY", "CAN_QUERY"]},
        "Duplicate value",
        id="the same ability twice",
    ),
    pytest.param(
        "Collaboration",
        {"creatorMemberAbilities": ["CAN_FLY"]},
        "Unsupported value",
        id="an ability that there is not",
    ),
    pytest.param(
        "Collaboration", {"tags": {"": "v"}}, "1 to 128 characters", id="a tag without a key"
    ),
    pytest.param(
        "Collaboration", {"tags": {"k" * 129: "v"}}, "1 to 128 characters", id="a tag's long key"
    ),
    pytest.param(
        "Collaboration", {"tags": {"k": "v" * 257}}, "may not be more than 256", id="long value"
    ),
    pytest.param(
        "Collaboration",
        {"tags": {f"k{n}": "" for n in range(45)}},
        "must have at most 44 items",
        id="45 tags (R-3)",
    ),
    pytest.param(
        "Collaboration",
        {"tags": {"AWS:x": "v"}},
        "keys must not start with `aws:`",
        id="a tag of AWS's (R-3)",
    ),
    pytest.param(
        "Collaboration",
        {"tags": {"cleanrooms-operator.dev/owner": "v"}},
        "keys must not start with `cleanrooms-operator.dev/`",
        id="a tag of the operator's (R-3)",
    ),
    pytest.param(
        "Collaboration", {"onMissing": "Recreate"}, "Unsupported value", id="Recreate (R-12)"
    ),
    pytest.param("Membership", {"invitation": None}, "exactly one of", id="no collaboration"),
    pytest.param(
        "Membership",
        {"collaborationIdentifier": UUID},
        "exactly one of `collaborationIdentifier`, `collaborationRef`, `invitation` must be given",
        id="a collaboration by two names",
    ),
    pytest.param(
        "Membership",
        {"invitation": None, "collaborationIdentifier": "churn"},
        "at least 36 chars",
        id="a name for an identifier",
    ),
    pytest.param(
        "Membership",
        {"defaultResultConfiguration": {"roleArn": ROLE, "outputConfiguration": {}}},
        "`s3` must be given",
        id="a result location that is none",
    ),
    pytest.param(
        "Membership",
        {"defaultJobResultConfiguration": {"roleArn": ROLE, "outputConfiguration": {}}},
        "`s3` must be given",
        id="a job result location that is none",
    ),
    pytest.param(
        "Membership",
        {
            "defaultResultConfiguration": merged(
                RESULTS, {"outputConfiguration": {"s3": {**S3, "bucket": "1.2.3.4"}}}
            )
        },
        "must not be formatted as an IP address",
        id="a bucket like an address",
    ),
    pytest.param(
        "Membership",
        {"defaultResultConfiguration": {**RESULTS, "roleArn": "results"}},
        "should be at least 32 chars",
        id="a role's name for its ARN",
    ),
    pytest.param(
        "Membership",
        {"mlConfiguration": {"defaultOutputLocation": {}}},
        "roleArn: Required",
        id="an ML configuration without a role",
    ),
    pytest.param("AWSAccount", {"accountID": "1111"}, "at least 12 chars", id="a short account"),
    pytest.param("AWSAccount", {"region": "Virginia"}, "should match", id="a region's other name"),
]

NAMES = "`metadata.name` must be no more than 100 characters, unless `spec.name` is set"


@pytest.mark.parametrize(("kind", "change"), ACCEPTED)
def test_is_accepted(served: Cluster, place: str, kind: str, change: Document) -> None:
    spec = merged(VALID[kind], change)
    made = served.create(resource(kind, place, spec))
    assert merged(made["spec"], spec) == made["spec"]


@pytest.mark.parametrize(("kind", "change", "message"), REFUSED)
def test_is_refused(served: Cluster, place: str, kind: str, change: Document, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        served.create(resource(kind, place, merged(VALID[kind], change)))
    assert refused.value.status.code == 422
    assert message in refused.value.status.message


def test_a_long_name_needs_an_aws_name(served: Cluster, place: str) -> None:
    """Rule R-39: metadata.name has to fit where it is the name in AWS."""
    spec = VALID["Collaboration"]
    served.create(resource("Collaboration", place, spec, name="n" * 100))
    served.create(resource("Collaboration", place, {**spec, "name": "short"}, name="n" * 101))
    with pytest.raises(ApiError, match=NAMES):
        served.create(resource("Collaboration", place, spec, name="m" * 101))
    with pytest.raises(ApiError, match=NAMES):
        served.patch("Collaboration", "n" * 101, {"spec": {"name": None}}, namespace=place)


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


def test_every_rule_is_seen_to_refuse() -> None:
    """A rule that no row of these tables breaks could be one that always holds."""
    tried = {row.values[2] for row in REFUSED} | {NAMES} | {message for _, message in IDENTITY}
    tried |= {frozen_message(kind, field) for kind, field in EDITS}
    for kind in VALID:
        for rule in rules(root(kind)):
            assert any(message in rule["message"] for message in tried), rule


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
    """Finalizers and status pass though the spec became invalid: ratcheting (conventions 29)."""
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

    def tightened() -> bool:
        try:
            cluster.patch(kind, "n" * 101, {"spec": {"description": "new"}}, namespace=namespace)
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


# -- examples --------------------------------------------------------------------------------

EXAMPLES = [
    pytest.param(document, id=f"{path.relative_to(PROJECT)}:{document['kind']}")
    for path in sorted((PROJECT / "examples").rglob("*.yaml"))
    for document in read_documents(path)
    if document["apiVersion"] == VERSION
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_accepted_whole(served: Cluster, place: str, example: Document) -> None:
    """A field that the definition does not know would be dropped without a word."""
    metadata = {**example["metadata"], "namespace": place}
    made = served.create({**example, "metadata": metadata})
    assert merged(made["spec"], example["spec"]) == made["spec"]
    defaults = {"deletionPolicy", "onMissing", "progressDeadlineSeconds"}
    assert made["spec"].keys() - example["spec"].keys() <= defaults
