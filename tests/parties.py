"""Accounts that share a collaboration, and the steps that most tests begin with."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

QUERY = ["CAN_QUERY", "CAN_RECEIVE_RESULTS"]
OUTPUTS = {"customMLMemberAbilities": ["CAN_RECEIVE_MODEL_OUTPUT", "CAN_RECEIVE_INFERENCE_OUTPUT"]}
PAYS = {"isResponsible": True}
PAYS_NOT = {"isResponsible": False}


@dataclass(frozen=True, slots=True)
class Party:
    """An account in a region, and its clients."""

    account: str
    region: str
    cleanrooms: Any
    ml: Any

    def role(self, name: str = "ml") -> str:
        return f"arn:aws:iam::{self.account}:role/{name}"


@dataclass(slots=True)
class Shared:
    """A collaboration, and the id of each account's membership in it."""

    id: str
    arn: str
    creator: Party
    members: dict[str, str] = field(default_factory=dict)
    joined: list[Party] = field(default_factory=list)

    def of(self, party: Party) -> str:
        return self.members[party.account]

    def show(self, party: Party) -> Any:
        """Return the party's membership."""
        found = party.cleanrooms.get_membership(membershipIdentifier=self.of(party))
        return found["membership"]

    def seen_by(self, party: Party) -> dict[str, Any]:
        """Return the members by account, as the party sees them."""
        listed = party.cleanrooms.list_members(collaborationIdentifier=self.id)
        return {each["accountId"]: each for each in listed["memberSummaries"]}

    def join(self, party: Party, **parameters: Any) -> Any:
        """Let the party make its membership."""
        made = party.cleanrooms.create_membership(
            collaborationIdentifier=self.id, **{"queryLogStatus": "DISABLED", **parameters}
        )["membership"]
        self.members[party.account] = made["id"]
        self.joined.append(party)
        return made

    def clear(self) -> None:
        """Leave nothing behind at AWS; what cannot be deleted was deleted by the test."""
        with suppress(ClientError):
            self.creator.cleanrooms.delete_collaboration(collaborationIdentifier=self.id)
        for party in self.joined:
            with suppress(ClientError):
                party.cleanrooms.delete_membership(membershipIdentifier=self.of(party))


def member(party: Party, abilities: list[str] | None = None, **more: Any) -> Mapping[str, Any]:
    """Return the MemberSpecification of an invited account; by default it can query."""
    given = QUERY if abilities is None else abilities
    name = f"member {party.account}"
    return {"accountId": party.account, "displayName": name, "memberAbilities": given, **more}


def collaboration(*invited: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the parameters of a collaboration whose creator has ML abilities only."""
    return {
        "name": "contract",
        "creatorDisplayName": "creator",
        "creatorMemberAbilities": [],
        "creatorMLMemberAbilities": OUTPUTS,
        "queryLogStatus": "DISABLED",
        "members": list(invited),
        **changes,
    }


def payment(*costs: str, no: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a payment configuration that is TRUE for these cost types, FALSE for those in `no`."""
    leaves = {**dict.fromkeys(no, PAYS_NOT), **dict.fromkeys(costs, PAYS)}
    leaves.setdefault("queryCompute", PAYS_NOT)
    top = {name: leaf for name, leaf in leaves.items() if name in {"queryCompute", "jobCompute"}}
    learning = {name: leaf for name, leaf in leaves.items() if name not in top}
    return {**top, **({"machineLearning": learning} if learning else {})}


def update(*costs: str, no: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the payments of UpdateMembership, which needs no leaf."""
    given = payment(*costs, no=no)
    if "queryCompute" not in {*costs, *no}:
        del given["queryCompute"]
    return given


def paid(configuration: Mapping[str, Any]) -> dict[str, bool]:
    """Return a payment configuration by cost type."""
    flat = {**configuration, **configuration.get("machineLearning", {})}
    flat.pop("machineLearning", None)
    return {name: leaf["isResponsible"] for name, leaf in flat.items()}


@contextmanager
def refused(code: str) -> Iterator[dict[str, Any]]:
    """Expect an error of this code; its members are in the dict, when it has come."""
    response: dict[str, Any] = {}
    with pytest.raises(ClientError) as caught:
        yield response
    response.update(caught.value.response)
    assert response["Error"]["Code"] == code, response["Error"]
