"""Collaborations with all that can be said of one: every parameter sent at least once."""

from typing import Any

from parties import QUERY, Party, Shared, member, payment, update

COSTS = ("queryCompute", "jobCompute", "modelTraining", "modelInference", "syntheticDataGeneration")
ENCRYPTION = dict.fromkeys(
    (
        "allowCleartext",
        "allowDuplicates",
        "allowJoinsOnColumnsWithDifferentNames",
        "preserveNulls",
    ),
    True,
)
SYNTHETIC = {
    "epsilon": 1.0,
    "maxMembershipInferenceAttackScore": 0.6,
    "columnClassification": {
        "columnMapping": [
            {"columnName": f"c{n}", "columnType": "NUMERICAL", "isPredictiveValue": n == 0}
            for n in range(5)
        ]
    },
}


def found_together(alice: Party, bob: Party) -> Shared:
    """Create a collaboration with all that can be said of one."""
    pays = payment(*COSTS)
    made = alice.cleanrooms.create_collaboration(
        name="all",
        description="d",
        creatorDisplayName="alice",
        creatorMemberAbilities=["CAN_RECEIVE_RESULTS"],
        creatorMLMemberAbilities={
            "customMLMemberAbilities": ["CAN_RECEIVE_MODEL_OUTPUT", "CAN_RECEIVE_INFERENCE_OUTPUT"]
        },
        creatorPaymentConfiguration=pays,
        members=[
            member(
                bob,
                [*QUERY, "CAN_RUN_JOB"],
                mlMemberAbilities={"customMLMemberAbilities": ["CAN_RECEIVE_MODEL_OUTPUT"]},
                paymentConfiguration=pays,
            )
        ],
        dataEncryptionMetadata=ENCRYPTION,
        queryLogStatus="ENABLED",
        jobLogStatus="ENABLED",
        analyticsEngine="SPARK",
        autoApprovedChangeRequestTypes=["ADD_MEMBER"],
        allowedResultRegions=["us-east-1"],
        isMetricsEnabled=True,
        tags={"a": "b"},
    )["collaboration"]
    return Shared(made["id"], made["arn"], alice)


def results(party: Party) -> dict[str, Any]:
    role = party.role("results-of-all-our-queries")
    s3 = {"resultFormat": "CSV", "bucket": "bucket", "keyPrefix": "k"}
    return {
        "defaultResultConfiguration": {
            "outputConfiguration": {"s3": {**s3, "singleFileOutput": True}},
            "roleArn": role,
        },
        "defaultJobResultConfiguration": {"outputConfiguration": {"s3": s3}, "roleArn": role},
    }


def join_and_change(shared: Shared, alice: Party, bob: Party) -> None:
    """Let both join, and change all that can be changed."""
    for party in (alice, bob):
        shared.join(
            party,
            queryLogStatus="ENABLED",
            jobLogStatus="ENABLED",
            paymentConfiguration=payment(*COSTS),
            isMetricsEnabled=True,
            tags={"a": "b"},
            **results(party),
        )
        party.cleanrooms.update_membership(
            membershipIdentifier=shared.of(party),
            queryLogStatus="DISABLED",
            jobLogStatus="DISABLED",
            membershipPaymentConfiguration=update(*COSTS),
            **results(party),
        )
        party.cleanrooms.list_memberships(status="ACTIVE")
        turn_pages(party.cleanrooms.list_memberships)
    alice.cleanrooms.update_collaboration(
        collaborationIdentifier=shared.id, name="n", description="e", analyticsEngine="SPARK"
    )
    turn_pages(alice.cleanrooms.list_collaborations, memberStatus="ACTIVE")
    alice.cleanrooms.get_collaboration(collaborationIdentifier=shared.id)
    turn_pages(alice.cleanrooms.list_members, collaborationIdentifier=shared.id)
    shared.show(alice)


def turn_pages(method: Any, **parameters: Any) -> None:
    """Ask for a page of one, and for the next if there is one."""
    first = method(maxResults=1, **parameters)
    if "nextToken" in first:
        method(maxResults=1, nextToken=first["nextToken"], **parameters)


def change_by_request(shared: Shared, alice: Party, bob: Party, carol: Party) -> None:
    """Ask for every kind of change."""
    outputs = {"customMLMemberAbilities": ["CAN_RECEIVE_MODEL_OUTPUT"]}
    new = {
        "accountId": carol.account,
        "memberAbilities": [],
        "mlMemberAbilities": outputs,
        "paymentConfiguration": payment(*COSTS),
        "displayName": "carol",
    }
    approved = {"autoApprovedChangeTypes": ["ADD_MEMBER"]}
    changes = [
        {"specificationType": "MEMBER", "specification": {"member": new}},
        {"specificationType": "COLLABORATION", "specification": {"collaboration": approved}},
    ]
    where = {"collaborationIdentifier": shared.id}
    for actions in ((), (), ("CANCEL",), ("APPROVE", "COMMIT")):
        made = alice.cleanrooms.create_collaboration_change_request(**where, changes=changes)
        identifier = made["collaborationChangeRequest"]["id"]
        request = {**where, "changeRequestIdentifier": identifier}
        for action in actions:
            party = bob if action == "APPROVE" else alice
            party.cleanrooms.update_collaboration_change_request(**request, action=action)
        bob.cleanrooms.get_collaboration_change_request(**request)

    views = alice.cleanrooms.list_collaboration_change_requests
    turn_pages(views, **where, status="PENDING")


def write_down(shared: Shared, alice: Party) -> str:
    """Write templates down, in SQL and in PySpark; return the one of synthetic data."""
    cleanrooms, where = alice.cleanrooms, {"membershipIdentifier": shared.of(alice)}
    location = {"location": {"bucket": "bucket", "key": "main.py"}}
    artifacts = {
        "entryPoint": location,
        "additionalArtifacts": [location],
        "roleArn": alice.role("the-code-of-our-analyses"),
    }
    common = {
        "description": "d",
        "analysisParameters": [{"name": "p", "type": "INTEGER", "defaultValue": "1"}],
        "schema": {"referencedTables": ["t"]},
        "errorMessageConfiguration": {"type": "DETAILED"},
        "syntheticDataParameters": {"mlSyntheticDataParameters": SYNTHETIC},
        "tags": {"a": "b"},
        **where,
    }
    arn = ""
    for kind, source in (("PYSPARK_1_0", {"artifacts": artifacts}), ("SQL", {"text": "SELECT 1"})):
        made = cleanrooms.create_analysis_template(name=kind, format=kind, source=source, **common)[
            "analysisTemplate"
        ]
        cleanrooms.get_analysis_template(**where, analysisTemplateIdentifier=made["id"])
        cleanrooms.get_collaboration_analysis_template(
            collaborationIdentifier=shared.id, analysisTemplateArn=made["arn"]
        )
        arn = made["arn"]
    turn_pages(cleanrooms.list_analysis_templates, **where)
    views = cleanrooms.list_collaboration_analysis_templates
    turn_pages(views, collaborationIdentifier=shared.id)
    other = cleanrooms.create_analysis_template(
        name="x", format="SQL", source={"text": "x"}, **where
    )["analysisTemplate"]["id"]
    cleanrooms.delete_analysis_template(**where, analysisTemplateIdentifier=other)
    return str(arn)
