"""How an emulator is set up at its start, by a file and by the command line."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.faults import Fault
from cleanrooms_emulator.identities import Role

AccountId = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]


class TrustedRole(BaseModel):
    """A role that can be assumed, and by whom: accounts or principals, with which external ids."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    arn: str
    trusts: frozenset[str] = frozenset()
    external_ids: frozenset[str] = Field(default=frozenset(), alias="externalIds")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the role that `ARN,trusts=111111111111,externalId=x` describes."""
        arn, *pairs = (part.strip() for part in text.split(","))
        named = [pair.partition("=")[::2] for pair in pairs]
        unknown = {name for name, _ in named} - {"trusts", "externalId"}
        if unknown:
            message = f"{text}: a role has trusts and externalId, not {', '.join(sorted(unknown))}"
            raise ValueError(message)
        return cls(
            arn=arn,
            trusts=frozenset(value for name, value in named if name == "trusts"),
            external_ids=frozenset(value for name, value in named if name == "externalId"),
        )


class Settings(BaseModel):
    """What an emulator starts with.

    `rules` holds readings by number, and quotas; `accounts` the account of each access key id.
    Without `roles` anybody can assume any role. `rates` tells whether calls over their rate are
    refused, `session_seconds` the longest life of credentials.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    rules: Mapping[str, str | int] = Field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    accounts: Mapping[str, AccountId] = Field(default_factory=dict)
    roles: tuple[TrustedRole, ...] | None = None
    rates: bool = True
    session_seconds: float | None = Field(default=None, gt=0, alias="sessionSeconds")

    @property
    def readings(self) -> list[str]:
        """The rules as `Rules.parse` takes them."""
        return [f"{number}={reading}" for number, reading in self.rules.items()]

    def apply(self, emulator: Emulator) -> None:
        """Set up everything but the rules, which an emulator is made with."""
        for fault in self.faults:
            emulator.faults.add(fault)
        emulator.rates.enforced = self.rates
        emulator.identities.keys = dict(self.accounts)
        if self.roles is not None:
            roles = (Role(role.arn, role.trusts, role.external_ids) for role in self.roles)
            emulator.identities.roles = {role.arn: role for role in roles}
        emulator.sts.longest_session_seconds = self.session_seconds
