"""The AWS CLI works against the emulator as it does against AWS."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cleanrooms_playground.servers import AWSIdentity, isolated_environment
from cleanrooms_playground.servers import Emulator as Server
from model_samples import COLLABORATION

AWS = Path(sys.executable).with_name("aws")
Aws = Callable[..., Any]


@pytest.fixture
def aws(server: Server, account: str) -> Aws:
    """Run the AWS CLI: `aws("cleanrooms", "list-collaborations")` returns what it prints."""
    environment = isolated_environment() | AWSIdentity(server.url, account, "us-east-1").variables()

    def run(*arguments: str) -> Any:
        done = subprocess.run(  # noqa: S603 - arguments of this module's own
            [AWS, *arguments, "--output", "json"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


def test_collaboration_and_ml_configuration_from_the_command_line(aws: Aws, account: str) -> None:
    made = aws(
        *("cleanrooms", "create-collaboration", "--tags", "team=a,stage=b,owner=c"),
        *("--name", "n", "--creator-display-name", "c", "--query-log-status", "DISABLED"),
        *("--members", "[]", "--creator-member-abilities", "CAN_QUERY", "CAN_RECEIVE_RESULTS"),
    )["collaboration"]
    arn = ("--resource-arn", made["arn"])
    assert not aws("cleanrooms", "untag-resource", *arn, "--tag-keys", "team", "stage")
    assert aws("cleanrooms", "list-tags-for-resource", *arn)["tags"] == {"owner": "c"}
    joining = ("--collaboration-identifier", made["id"], "--query-log-status", "DISABLED")
    joined = aws("cleanrooms", "create-membership", *joining)["membership"]
    location = {
        "roleArn": f"arn:aws:iam::{account}:role/ml",
        "destination": {"s3Destination": {"s3Uri": "s3://bucket/key"}},
    }
    membership = ("--membership-identifier", joined["id"])
    put = ("put-ml-configuration", *membership)
    assert not aws("cleanroomsml", *put, "--default-output-location", json.dumps(location))
    found = aws("cleanroomsml", "get-ml-configuration", *membership)
    assert found["defaultOutputLocation"] == location
    assert not aws("cleanroomsml", "delete-ml-configuration", *membership)


def test_pages_of_one_and_starting_tokens(
    aws: Aws, client: Callable[..., Any], account: str
) -> None:
    names = ["a", "b", "c"]
    for name in names:
        client("cleanrooms", account).create_collaboration(**{**COLLABORATION, "name": name})
    lists = ("cleanrooms", "list-collaborations", "--page-size", "1")
    every = aws(*lists)["collaborationList"]
    assert [one["name"] for one in every] == names
    first = aws(*lists, "--max-items", "2")
    assert [one["name"] for one in first["collaborationList"]] == ["a", "b"]
    rest = aws(*lists, "--starting-token", first["NextToken"])
    assert [one["name"] for one in rest["collaborationList"]] == ["c"]


def test_caller_identity_from_the_command_line(aws: Aws, account: str) -> None:
    assert aws("sts", "get-caller-identity") == {
        "UserId": account,
        "Account": account,
        "Arn": f"arn:aws:iam::{account}:root",
    }
