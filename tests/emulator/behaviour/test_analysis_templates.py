"""R-33: analysis templates, as far as ML input channels and memberships need them."""

from typing import Any

import pytest

from parties import Party, Shared, refused

TEXT = {"name": "query", "format": "SQL", "source": {"text": "SELECT 1"}}


def create(party: Party, shared: Shared, **changes: Any) -> Any:
    return party.cleanrooms.create_analysis_template(
        membershipIdentifier=shared.of(party), **{**TEXT, **changes}
    )["analysisTemplate"]


def test_a_template_shows_what_was_asked_for(alice: Party, shared: Shared) -> None:
    declared = [{"name": "p", "type": "INTEGER", "defaultValue": "1"}]
    made = create(
        alice,
        shared,
        description="d",
        analysisParameters=declared,
        schema={"referencedTables": ["t"]},
    )
    found = alice.cleanrooms.get_analysis_template(
        membershipIdentifier=shared.of(alice), analysisTemplateIdentifier=made["id"]
    )["analysisTemplate"]
    assert found == made
    assert (found["analysisParameters"], found["source"]) == (declared, TEXT["source"])
    assert found["schema"] == {"referencedTables": ["t"]}


def test_other_members_see_it_and_whether_it_is_synthetic(
    alice: Party, bob: Party, shared: Shared
) -> None:
    columns = [
        {"columnName": f"c{n}", "columnType": "NUMERICAL", "isPredictiveValue": n == 0}
        for n in range(5)
    ]
    parameters = {
        "epsilon": 1.0,
        "maxMembershipInferenceAttackScore": 0.6,
        "columnClassification": {"columnMapping": columns},
    }
    create(alice, shared)
    made = create(
        alice,
        shared,
        name="synthetic",
        syntheticDataParameters={"mlSyntheticDataParameters": parameters},
    )
    listed = bob.cleanrooms.list_collaboration_analysis_templates(
        collaborationIdentifier=shared.id
    )["collaborationAnalysisTemplateSummaries"]
    assert [(each["name"], each["isSyntheticData"]) for each in listed] == [
        ("query", False),
        ("synthetic", True),
    ]
    found = bob.cleanrooms.get_collaboration_analysis_template(
        collaborationIdentifier=shared.id, analysisTemplateArn=made["arn"]
    )["collaborationAnalysisTemplate"]
    assert found["creatorAccountId"] == alice.account
    assert found["syntheticDataParameters"]["mlSyntheticDataParameters"] == parameters


def test_sql_is_text_and_pyspark_an_artifact(alice: Party, shared: Shared) -> None:
    with refused("ValidationException"):
        create(alice, shared, format="PYSPARK_1_0")


def test_er_7_a_template_holds_a_membership(bob: Party, shared: Shared) -> None:
    made = create(bob, shared)
    with refused("ConflictException") as error:
        bob.cleanrooms.delete_membership(membershipIdentifier=shared.of(bob))
    assert error["reason"] == "SUBRESOURCES_EXIST"
    gone = {
        "membershipIdentifier": shared.of(bob),
        "analysisTemplateIdentifier": made["id"],
    }
    bob.cleanrooms.delete_analysis_template(**gone)
    with refused("ResourceNotFoundException"):
        bob.cleanrooms.get_analysis_template(**gone)
    bob.cleanrooms.delete_membership(membershipIdentifier=shared.of(bob))


def test_templates_list_under_their_membership(alice: Party, bob: Party, shared: Shared) -> None:
    create(alice, shared)

    def listed(party: Party) -> list[str]:
        found = party.cleanrooms.list_analysis_templates(membershipIdentifier=shared.of(party))
        return [each["name"] for each in found["analysisTemplateSummaries"]]

    assert (listed(alice), listed(bob)) == (["query"], [])


@pytest.mark.rules("quota.analysis_templates_per_membership=1")
def test_templates_have_a_quota(alice: Party, shared: Shared) -> None:
    create(alice, shared)
    with refused("ServiceQuotaExceededException"):
        create(alice, shared)
