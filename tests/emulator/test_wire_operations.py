"""Each operation of both services, over HTTP, asked by boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

import model_samples as samples
from cleanrooms_emulator.backends import OPERATIONS as BEHAVING
from cleanrooms_emulator.model import Operation, service

OPERATIONS = [
    one for name in ("cleanrooms", "cleanroomsml") for one in service(name).operations.values()
]
NOT_YET = "EmulatorNotImplemented"


def named(one: Operation) -> str:
    return f"{one.service}:{one.name}"


@pytest.mark.parametrize("one", OPERATIONS, ids=named)
def test_each_operation_is_routed_and_answers_as_it_models(
    client: Any, account: str, one: Operation
) -> None:
    """An operation without behaviour says so; it never makes up a success."""
    behaves = one.method_name in {each.__name__ for each in BEHAVING[one.service]}
    method = getattr(client(one.service, account), one.method_name)
    try:
        answer = method(**samples.request(one))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert (code, status) == (NOT_YET, 501) if not behaves else code in one.errors
    else:
        assert behaves
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == one.status
