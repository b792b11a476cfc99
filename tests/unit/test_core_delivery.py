"""R-25: whether who is to receive a job's output can, as far as that can be seen."""

from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core import delivering, jobs
from cleanrooms_operator.core.delivering import Receivers
from cleanrooms_operator.core.resource import Key

HERE, RECEIVER = "collaboration-1", "2" * 12
MEMBER = {
    "accountId": RECEIVER,
    "status": "ACTIVE",
    "mlAbilities": {"customMLMemberAbilities": [jobs.DELIVERY.ability]},
}
JOINED = {"collaborationIdentifier": HERE, "accountID": RECEIVER, "state": "ACTIVE"}
READY = {"conditions": [make.condition("Ready")]}
DECLARED = {"mlConfiguration": {"defaultOutputLocation": {"destination": {}}}}


def told(member: dict[str, Any], spec: Any = None, status: Any = None) -> str | None:
    """Return what is told of a receiver, by a List and by a Membership if there is one."""
    resource = make.resource(spec=spec or {}, status=status or {})
    found = [] if status is None else [replace(resource, key=Key("Membership", "b", "member"))]
    parameters = {"outputConfiguration": {"members": [{"accountId": RECEIVER}]}}
    return delivering.lack(jobs.DELIVERY, parameters, Receivers(HERE, [member], found))


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        pytest.param({**MEMBER, "accountId": "3" * 12}, "no member", id="somebody else"),
        pytest.param(
            {**MEMBER, "mlAbilities": None}, jobs.DELIVERY.ability, id="no ability at all"
        ),
        pytest.param({**MEMBER, "mlAbilities": {}}, jobs.DELIVERY.ability, id="none of learning"),
        pytest.param({**MEMBER, "status": "INVITED"}, "has not joined", id="invited"),
    ],
)
def test_who_cannot_receive_is_told(member: dict[str, Any], expected: str) -> None:
    message = told(member)
    assert message is not None
    assert expected in message
    assert RECEIVER in message


def test_of_who_is_in_another_cluster_the_rest_cannot_be_seen() -> None:
    assert told(MEMBER) is None
    assert told(MEMBER, DECLARED, {**JOINED, "collaborationIdentifier": "another"}) is None


def test_the_membership_of_this_cluster_has_to_have_its_configuration() -> None:
    assert told(MEMBER, DECLARED, {**JOINED, **READY}) is None
    message = told(MEMBER, DECLARED, JOINED)
    assert message is not None
    assert message.startswith("Membership/member in namespace b, ")


def test_without_a_destination_nothing_can_be_delivered() -> None:
    for declared in ({}, {"defaultOutputLocation": {}}):
        message = told(MEMBER, {"mlConfiguration": {"x": 1, **declared}}, {**JOINED, **READY})
        assert message is not None
        assert message.endswith("declares no destination for it")


def test_what_is_not_declared_may_be_there_by_hand() -> None:
    assert told(MEMBER, {}, JOINED) is None


def test_the_cluster_may_know_sooner_than_a_list_who_has_joined() -> None:
    assert told({**MEMBER, "status": "INVITED"}, DECLARED, {**JOINED, **READY}) is None
