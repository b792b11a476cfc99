"""Specs that AWS accepts: two companies and what they agreed on."""

from typing import Any

from cleanrooms_operator.core.resource import Key
from simulation.world import World

CREATOR, PARTNER = "111111111111", "222222222222"

ROLE = "arn:aws:iam::{account}:role/service-role/results"


def account(number: str) -> dict[str, Any]:
    return {"accountID": number, "region": "us-east-1"}


def collaboration(**more: Any) -> dict[str, Any]:
    return {
        "name": "ads",
        "description": "Advertising",
        "creatorDisplayName": "A",
        "creatorMemberAbilities": [],
        "creatorMLMemberAbilities": {
            "customMLMemberAbilities": [
                "CAN_RECEIVE_MODEL_OUTPUT",
                "CAN_RECEIVE_INFERENCE_OUTPUT",
            ]
        },
        "creatorPaymentConfiguration": {
            "queryCompute": {"isResponsible": True},
            "machineLearning": {
                "modelTraining": {"isResponsible": True},
                "modelInference": {"isResponsible": True},
            },
        },
        "members": [
            {
                "accountId": PARTNER,
                "displayName": "B",
                "memberAbilities": ["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
            }
        ],
        "queryLogStatus": "ENABLED",
        "analyticsEngine": "SPARK",
        **more,
    }


def creators_membership(**more: Any) -> dict[str, Any]:
    return {
        "collaborationRef": {"name": "ads"},
        "queryLogStatus": "ENABLED",
        "paymentConfiguration": {
            "queryCompute": {"isResponsible": True},
            "machineLearning": {
                "modelTraining": {"isResponsible": True},
                "modelInference": {"isResponsible": True},
            },
        },
        "mlConfiguration": ml_configuration(CREATOR),
        **more,
    }


def partners_membership(**more: Any) -> dict[str, Any]:
    return {
        "invitation": {"creatorAccountId": CREATOR, "name": "ads"},
        "queryLogStatus": "ENABLED",
        "defaultResultConfiguration": {
            "outputConfiguration": {"s3": {"resultFormat": "PARQUET", "bucket": "results-of-b"}},
            "roleArn": ROLE.format(account=PARTNER),
        },
        "mlConfiguration": ml_configuration(PARTNER),
        **more,
    }


def ml_configuration(number: str) -> dict[str, Any]:
    return {
        "defaultOutputLocation": {
            "destination": {"s3Destination": {"s3Uri": f"s3://models-of-{number}/out"}},
            "roleArn": ROLE.format(account=number),
        }
    }


def accounts(world: World) -> None:
    world.apply("AWSAccount", "default", account(CREATOR), "a")
    world.apply("AWSAccount", "default", account(PARTNER), "b")


def walkthrough(world: World) -> tuple[Key, Key, Key]:
    """Apply all of both companies: the collaboration and both memberships."""
    accounts(world)
    return (
        world.apply("Collaboration", "ads", collaboration(), "a"),
        world.apply("Membership", "member", creators_membership(), "a"),
        world.apply("Membership", "member", partners_membership(), "b"),
    )
