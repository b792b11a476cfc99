"""The objects of the service Clean Rooms, as values of the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cleanrooms_emulator.store import Value

Leaves = Mapping[str, bool]
"""Payment by cost type, TRUE or FALSE; a cost type that was not mentioned is absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collaboration(Value):
    """A collaboration; it is kept when it is deleted, for the memberships that outlive it.

    `fixed` holds members of the output that nothing changes.
    """

    id: str
    region: str
    creator: str
    creator_display_name: str
    name: str
    description: str | None
    analytics_engine: str
    auto_approved: tuple[str, ...] | None
    fixed: Mapping[str, Any]
    created: datetime
    updated: datetime
    is_deleted: bool = False

    @property
    def key(self) -> str:
        """The id."""
        return self.id

    @property
    def arn(self) -> str:
        """The ARN, which carries the creator's account for every reader."""
        return f"arn:aws:cleanrooms:{self.region}:{self.creator}:collaboration/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Value):
    """An account in a collaboration; `assigned` are the payments that the creator gave it."""

    collaboration: str
    account: str
    region: str
    display_name: str
    abilities: tuple[str, ...]
    ml_abilities: tuple[str, ...] | None
    assigned: Leaves
    created: datetime
    updated: datetime
    status: str = "INVITED"
    membership: str | None = None

    @property
    def key(self) -> str:
        """Collaboration and account."""
        return f"{self.collaboration}/{self.account}"

    @property
    def scopes(self) -> tuple[str, ...]:
        """The collaboration, and the account in its region."""
        return self.collaboration, f"{self.region}/{self.account}"

    @property
    def is_present(self) -> bool:
        """Whether it is invited or active, rather than gone."""
        return self.status in {"INVITED", "ACTIVE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership(Value):
    """What an account made of an invitation; `accepted` are the payments it has agreed to."""

    id: str
    region: str
    account: str
    collaboration: str
    query_log_status: str
    job_log_status: str
    is_metrics_enabled: bool
    results: Mapping[str, Any] = field(default_factory=dict)
    accepted: Leaves = field(default_factory=dict)
    created: datetime
    updated: datetime
    status: str = "ACTIVE"

    @property
    def key(self) -> str:
        """The id."""
        return self.id

    @property
    def scopes(self) -> tuple[str, ...]:
        """The account in its region."""
        return (f"{self.region}/{self.account}",)

    @property
    def arn(self) -> str:
        """The ARN, with the member's own account."""
        return f"arn:aws:cleanrooms:{self.region}:{self.account}:membership/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags(Value):
    """The tags of the object with this ARN, which only its account sees."""

    arn: str
    tags: Mapping[str, str]

    @property
    def key(self) -> str:
        """The ARN."""
        return self.arn


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisTemplate(Value):
    """A query that a member has written down; `given` are the members that are shown."""

    id: str
    arn: str
    account: str
    membership: str
    collaboration: str
    name: str
    given: Mapping[str, Any]
    created: datetime

    @property
    def key(self) -> str:
        """The ARN."""
        return self.arn

    @property
    def scopes(self) -> tuple[str, ...]:
        """The membership and the collaboration."""
        return self.membership, self.collaboration

    @property
    def is_synthetic(self) -> bool:
        """Whether what it yields is synthetic data."""
        return "syntheticDataParameters" in self.given


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest(Value):
    """A request to change a collaboration; it has neither ARN nor tags nor name.

    `changes` are as they were sent, each with its `types`; `approvals` are the votes by account.
    """

    id: str
    collaboration: str
    status: str
    is_auto_approved: bool
    changes: tuple[Mapping[str, Any], ...]
    approvals: Mapping[str, str]
    created: datetime
    updated: datetime

    @property
    def key(self) -> str:
        """The id."""
        return self.id

    @property
    def scopes(self) -> tuple[str, ...]:
        """The collaboration."""
        return (self.collaboration,)
