"""The definitions on a real API server: what it accepts, what it refuses, and in which words."""

from typing import Any

import pytest
from lightkube.exceptions import ApiError

import ml_manifests
from cleanrooms_playground.cluster import CRD, Cluster, is_true
from cleanrooms_playground.documents import read_documents
from manifest_samples import (
    PROJECT,
    RESULTS,
    ROLE,
    S3,
    UUID,
    VALID,
    VERSION,
    Document,
    definitions,
    merged,
    resource,
    root,
    rules,
)

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


def query(**sql: Any) -> Document:
    """Return the change of a channel that gives its query so."""
    parameters = {"sqlParameters": {"queryString": None, **sql}}
    return {"inputChannel": {"dataSource": {"protectedQueryInputParameters": parameters}}}


APPROVAL = {"kind": "TrainedModel", "name": "churn", "hash": "0f" * 32}
ENTRY = {"name": "queries", "key": "churn.sql"}

ACCEPTED = [
    pytest.param(
        "MLInputChannel",
        query(
            queryStringFrom={"configMapKeyRef": ENTRY},
            parameters={"plan": "gold"},
            parametersFrom=[{"secretRef": {"name": "s"}}],
        ),
        id="a query from elsewhere",
    ),
    pytest.param(
        "InferenceJob",
        {"environmentFrom": [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}}]},
        id="an environment from elsewhere",
    ),
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
        "Membership",
        {"changeRequests": {"approve": [UUID], "deny": [], "autoApprove": ["ADD_MEMBER"]}},
        id="answers to change requests",
    ),
    pytest.param(
        "Membership",
        {
            "spending": {
                "modelTraining": {"start": "Approve", "maxConcurrent": 0, "maxRunsPerDay": 5},
                "approvals": [APPROVAL],
            }
        },
        id="a guard of what is spent",
    ),
    pytest.param(
        "AWSAccount", {"roleARN": ROLE, "externalID": "clean-rooms/a"}, id="a role and its id"
    ),
    pytest.param(
        "AWSAccount",
        {"roleARN": ROLE, "intermediateRoles": [{"roleARN": ROLE, "externalID": "hub"}]},
        id="a role through another",
    ),
]


REFUSED = [
    pytest.param(
        "Membership",
        {"spending": {"modelTraining": {"start": "Ask"}}},
        "Unsupported value",
        id="a guard that is none",
    ),
    pytest.param(
        "Membership",
        {"spending": {"queryCompute": {"maxRunsPerDay": -1}}},
        "greater than or equal to 0",
        id="less than no run a day",
    ),
    pytest.param(
        "Membership",
        {"spending": {"approvals": [{**APPROVAL, "kind": "Membership"}]}},
        "Unsupported value",
        id="an approval of what is no run",
    ),
    pytest.param(
        "Membership",
        {"spending": {"approvals": [{**APPROVAL, "hash": "0f"}]}},
        "at least 64",
        id="an approval of no hash",
    ),
    pytest.param(
        "Membership",
        {"changeRequests": {"approve": [UUID], "deny": [UUID]}},
        "a change request can be approved or denied, not both",
        id="two answers to one request",
    ),
    pytest.param(
        "Membership",
        {"changeRequests": {"approve": ["it"]}},
        "at least 36",
        id="an answer to no request",
    ),
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
    pytest.param("MLInputChannel", query(), "exactly one of `queryString`", id="no query"),
    pytest.param(
        "MLInputChannel",
        query(queryString="SELECT 1", queryStringFrom={"secretKeyRef": ENTRY}),
        "exactly one of `queryString`",
        id="two queries",
    ),
    pytest.param(
        "MLInputChannel",
        query(queryStringFrom={"secretKeyRef": ENTRY, "configMapKeyRef": ENTRY}),
        "exactly one of `configMapKeyRef`, `secretKeyRef`",
        id="a query from two places",
    ),
    pytest.param(
        "MLInputChannel",
        query(queryString="SELECT 1", parametersFrom=[{}]),
        "exactly one of `configMapRef`, `secretRef`",
        id="parameters from nowhere",
    ),
    pytest.param(
        "AWSAccount",
        {"intermediateRoles": [{"roleARN": ROLE}]},
        "intermediateRoles lead to a role",
        id="a way to no role",
    ),
    pytest.param("AWSAccount", {"accountID": "1111"}, "at least 12 chars", id="a short account"),
    pytest.param("AWSAccount", {"region": "Virginia"}, "should match", id="a region's other name"),
    *(pytest.param(*row) for row in ml_manifests.REFUSED),
]

LONGEST = {"Collaboration": 100} | dict.fromkeys(ml_manifests.VALID, 63)
"""Kind -> how long its names are in AWS."""


def too_long(kind: str) -> str:
    """Return what is told of a name that AWS would not take."""
    longest = LONGEST[kind]
    return f"`metadata.name` must be no more than {longest} characters, unless `spec.name` is set"


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


@pytest.mark.parametrize("kind", LONGEST)
def test_a_long_name_needs_an_aws_name(served: Cluster, place: str, kind: str) -> None:
    """Rule R-39: metadata.name has to fit where it is the name in AWS."""
    spec, longest = VALID[kind], LONGEST[kind]
    served.create(resource(kind, place, spec, name="n" * longest))
    long = "n" * (longest + 1)
    served.create(resource(kind, place, {**spec, "name": "short"}, name=long))
    with pytest.raises(ApiError, match=too_long(kind)):
        served.create(resource(kind, place, spec, name="m" * (longest + 1)))
    with pytest.raises(ApiError, match=too_long(kind)):
        served.patch(kind, long, {"spec": {"name": None}}, namespace=place)


def test_every_rule_is_seen_to_refuse() -> None:
    """A rule that no row of these tables breaks could be one that always holds."""
    tried = {row.values[2] for row in REFUSED} | {too_long(kind) for kind in LONGEST}
    for kind in VALID:
        for rule in rules(root(kind)):
            about_edits = "oldSelf" in rule["rule"] and "optionalOldSelf" not in rule
            assert about_edits or any(message in rule["message"] for message in tried), rule


# -- examples --------------------------------------------------------------------------------

EXAMPLES = [
    pytest.param(
        document,
        id=f"{path.relative_to(PROJECT)}:{document['kind']}/{document['metadata']['name']}",
    )
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
