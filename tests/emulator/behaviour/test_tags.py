"""Tags of both services' objects."""

from typing import Any

import pytest

from parties import Party, refused


def tags(party: Party, arn: str) -> Any:
    return party.cleanrooms.list_tags_for_resource(resourceArn=arn)["tags"]


@pytest.mark.aws
def test_tags_come_with_the_create_and_are_merged_and_removed(
    alice: Party, bob: Party, share: Any
) -> None:
    shared = share(alice, bob, tags={"a": "1", "b": "2"})
    assert tags(alice, shared.arn) == {"a": "1", "b": "2"}
    alice.cleanrooms.tag_resource(resourceArn=shared.arn, tags={"b": "3", "c": ""})
    alice.cleanrooms.untag_resource(resourceArn=shared.arn, tagKeys=["a", "unknown"])
    assert tags(alice, shared.arn) == {"b": "3", "c": ""}


@pytest.mark.aws
def test_a_membership_has_tags_of_its_own(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob, tags={"a": "1"})
    made = shared.join(bob, tags={"mine": "yes"})
    assert tags(bob, made["arn"]) == {"mine": "yes"}


@pytest.mark.aws
def test_tags_are_their_owners_alone(alice: Party, bob: Party, share: Any) -> None:
    """Tagging in Clean Rooms models no AccessDeniedException."""
    shared = share(alice, bob)
    with refused("ResourceNotFoundException"):
        tags(bob, shared.arn)
    with refused("ResourceNotFoundException"):
        bob.cleanrooms.tag_resource(resourceArn=shared.arn, tags={"a": "1"})
    with refused("ResourceNotFoundException"):
        bob.cleanrooms.untag_resource(resourceArn=shared.arn, tagKeys=["a"])


@pytest.mark.aws
def test_reserved_keys_are_refused(alice: Party, bob: Party, share: Any) -> None:
    with refused("ValidationException"):
        share(alice, bob, tags={"aws:a": "1"})
    shared = share(alice, bob)
    with refused("ValidationException"):
        alice.cleanrooms.tag_resource(resourceArn=shared.arn, tags={"aws:a": "1"})
    with refused("ValidationException"):
        alice.cleanrooms.untag_resource(resourceArn=shared.arn, tagKeys=["aws:a"])


def test_tags_go_with_what_is_deleted(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob, tags={"a": "1"})
    made = shared.join(bob)
    bob.cleanrooms.delete_membership(membershipIdentifier=made["id"])
    alice.cleanrooms.delete_collaboration(collaborationIdentifier=shared.id)
    with refused("ResourceNotFoundException"):
        tags(alice, shared.arn)
    with refused("ResourceNotFoundException"):
        tags(bob, made["arn"])


def algorithm(party: Party, **parameters: Any) -> str:
    made = party.ml.create_configured_model_algorithm(
        name="a",
        roleArn=party.role(),
        inferenceContainerConfig={"imageUri": IMAGE},
        **parameters,
    )
    return str(made["configuredModelAlgorithmArn"])


IMAGE = "111111111111.dkr.ecr.us-east-1.amazonaws.com/a:1"


def test_ml_objects_have_fifty_tags_at_most(alice: Party) -> None:
    """C-7: the shape says 200, the documentation 50."""
    fifty = {f"k{n}": "" for n in range(50)}
    with refused("ValidationException"):
        algorithm(alice, tags={**fifty, "more": ""})
    arn = algorithm(alice, tags=fifty)
    with refused("ValidationException"):
        alice.ml.tag_resource(resourceArn=arn, tags={"more": ""})
    assert alice.ml.list_tags_for_resource(resourceArn=arn)["tags"] == fifty


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("AccessDeniedException", id="denied"),
        pytest.param(
            "ResourceNotFoundException", id="missing", marks=pytest.mark.rules("ER-3=not-found")
        ),
    ],
)
def test_er_3_tags_of_another_accounts_ml_object(code: str, alice: Party, bob: Party) -> None:
    with refused(code):
        bob.ml.list_tags_for_resource(resourceArn=algorithm(alice))
