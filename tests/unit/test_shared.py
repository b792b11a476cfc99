"""What other members have published in a collaboration."""

from typing import Any

import pytest
from botocore.model import Shape

import make
from cleanrooms_operator.core import shared
from cleanrooms_operator.core.kind import Lookup
from cleanrooms_operator.kube.manifests import service_model

LOOKUPS = {
    "association": shared.association("configuredModelAlgorithmAssociationArn"),
    "channel": shared.channel(),
    "model": shared.model("versionIdentifier"),
    "template": shared.template(),
}
VALUE = {"creatorAccountId": make.OTHER_ACCOUNT, "name": "x"}


def summary(**over: Any) -> dict[str, Any]:
    return {**VALUE, **over}


@pytest.mark.parametrize("lookup", LOOKUPS.values(), ids=LOOKUPS)
def test_summaries_have_all_that_is_looked_at(lookup: Lookup) -> None:
    listing = lookup.listing
    call = service_model(listing.service).operation_model(listing.operation)
    members: dict[str, Shape] = call.output_shape.members[listing.items].member.members
    assert {*lookup.fills.values(), *listing.handle, *VALUE} <= members.keys()
    assert set(call.input_shape.required_members) == set(listing.scope)


@pytest.mark.parametrize(
    ("shown", "is_meant"),
    [
        pytest.param(summary(), True, id="the account and the name are right"),
        pytest.param(summary(status="ACTIVE"), True, id="it is there"),
        pytest.param(summary(status="CREATE_PENDING"), True, id="it is being made"),
        pytest.param(summary(name="y"), False, id="another name"),
        pytest.param(summary(creatorAccountId=make.ACCOUNT), False, id="another account"),
        pytest.param(summary(status="INACTIVE"), False, id="it is over, and stays listed"),
        pytest.param(summary(status="CREATE_FAILED"), False, id="it was never made"),
    ],
)
def test_what_is_meant(shown: dict[str, Any], is_meant: bool) -> None:  # noqa: FBT001  a table
    assert shared.channel().matches(VALUE, shown) == is_meant


@pytest.mark.parametrize(
    ("shown", "is_ready"),
    [
        pytest.param(summary(), True, id="it has no states"),
        pytest.param(summary(status="ACTIVE"), True, id="it is there"),
        pytest.param(summary(status="CREATE_IN_PROGRESS"), False, id="it is being made"),
    ],
)
def test_what_can_be_used(shown: dict[str, Any], is_ready: bool) -> None:  # noqa: FBT001  a table
    assert shared.channel().is_ready(shown) == is_ready


def test_what_is_missing_is_named() -> None:
    told = shared.model("versionIdentifier").missing(VALUE)
    assert (
        told == f"account {make.OTHER_ACCOUNT} has no TrainedModel named 'x' in the collaboration"
    )
