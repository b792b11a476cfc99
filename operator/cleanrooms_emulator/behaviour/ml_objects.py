"""The objects of the service Clean Rooms ML, as values of the store.

What costs money is a `Run`: it has a state that moves by itself, along steps that are known from
its beginning. A record of a run never goes away; what is deleted is what it has made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from cleanrooms_emulator.store import Store, Value

UNFINISHED = frozenset({"CREATE_PENDING", "CREATE_IN_PROGRESS"})
CANCELLING = frozenset({"CANCEL_PENDING", "CANCEL_IN_PROGRESS"})
OVER = frozenset({"INACTIVE", "CREATE_FAILED"})
"""The states in which nothing is left of a run but its record."""

_PUBLISHING = timedelta(minutes=1)
"""How long after a run's end its metrics and logs are published. Assumption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MLConfiguration(Value):
    """Where a member receives models and results: one for each membership, or none."""

    membership: str
    collaboration: str
    account: str
    location: Mapping[str, Any]
    created: datetime
    updated: datetime

    @property
    def key(self) -> str:
        """The membership's id."""
        return self.membership

    @property
    def scopes(self) -> tuple[str, ...]:
        """The collaboration."""
        return (self.collaboration,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm(Value):
    """A configured model algorithm; `given` are the members of its create that are shown."""

    arn: str
    owner: str
    name: str
    given: Mapping[str, Any]
    created: datetime

    @property
    def key(self) -> str:
        """The ARN."""
        return self.arn

    @property
    def scopes(self) -> tuple[str, ...]:
        """The account in its region, as "us-east-1/111111111111"."""
        return (self.owner,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Association(Value):
    """An algorithm made available to a collaboration."""

    arn: str
    account: str
    membership: str
    collaboration: str
    algorithm: str
    name: str
    given: Mapping[str, Any]
    created: datetime

    @property
    def key(self) -> str:
        """The ARN."""
        return self.arn

    @property
    def scopes(self) -> tuple[str, ...]:
        """The membership, the collaboration, and the algorithm."""
        return self.membership, self.collaboration, self.algorithm

    @property
    def policies(self) -> Mapping[str, Any]:
        """The privacy policies, which may say nothing."""
        policies: Mapping[str, Any] = self.given.get("privacyConfiguration", {}).get("policies", {})
        return policies


@dataclass(frozen=True, slots=True)
class Step:
    """A state that a run takes up by itself; `details` are its statusDetails."""

    at: datetime
    status: str
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Value):
    """What is common to channels, models, inference jobs and export jobs.

    `given` are the members of its create that are shown, with what the service fills in.
    `ended` is when it became ACTIVE (`has_succeeded`) or failed, and `configured` are the
    accounts of the collaboration that had an ML configuration then: its metrics and logs go
    to these. `shown_payer` is the member of its views that says who pays, empty where none does.
    """

    arn: str
    account: str
    region: str
    membership: str
    collaboration: str
    name: str
    given: Mapping[str, Any]
    created: datetime
    updated: datetime
    status: str = "CREATE_PENDING"
    details: Mapping[str, Any] | None = None
    steps: tuple[Step, ...] = ()
    ended: datetime | None = None
    has_succeeded: bool = False
    configured: frozenset[str] = frozenset()
    shown_payer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The ARN."""
        return self.arn

    @property
    def scopes(self) -> tuple[str, ...]:
        """The membership, the collaboration, and the account in its region."""
        return self.membership, self.collaboration, f"{self.region}/{self.account}"

    @property
    def due(self) -> datetime | None:
        """When it takes up its next state."""
        return self.steps[0].at if self.steps else None

    @property
    def is_unfinished(self) -> bool:
        """Whether it is still being made."""
        return self.status in UNFINISHED

    @property
    def is_over(self) -> bool:
        """Whether nothing is left of it but its record."""
        return self.status in OVER

    def advanced(self, store: Store) -> Self:
        """Return the run in its next state."""
        step = self.delivered(store, self.steps[0])
        entered = self.entering(step.at, step.status, step.details, self.steps[1:])
        if not self.is_unfinished or entered.is_unfinished:
            return entered
        configured = frozenset(
            each.account for each in store.list(MLConfiguration, self.collaboration)
        )
        has_succeeded = step.status == "ACTIVE"
        return replace(entered, ended=step.at, has_succeeded=has_succeeded, configured=configured)

    def delivered(self, store: Store, step: Step) -> Step:
        """Return the step, or the failure in its place where the result finds no receiver."""
        receiver = self.receiver
        if receiver is None or not self.is_unfinished or step.status != "ACTIVE":
            return step
        for each in store.list(MLConfiguration, self.collaboration):
            if each.account == receiver and "destination" in each.location:
                return step
        message = f"Account {receiver} has no ML configuration with an output destination."
        details = {"statusCode": "OUTPUT_LOCATION_NOT_CONFIGURED", "message": message}
        return Step(step.at, "CREATE_FAILED", details)

    @property
    def receiver(self) -> str | None:
        """The account that its output goes to, if it has any."""
        members = self.given.get("outputConfiguration", {}).get("members", ())
        return next((str(member["accountId"]) for member in members), None)

    def entering(
        self,
        at: datetime,
        status: str,
        details: Mapping[str, Any] | None = None,
        steps: tuple[Step, ...] = (),
    ) -> Self:
        """Return the run in this state from that moment on, with these steps to come."""
        return replace(self, updated=at, status=status, details=details, steps=steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(Run):
    """An ML input channel; `query` is the protected query that fills it.

    `synthetic` are the parameters by which it holds synthetic data, None where it does not.
    """

    association: str
    query: str
    synthetic: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation(Run):
    """A training or an inference job; `readers` are the accounts that may read its logs."""

    association: str
    digest: str
    readers: frozenset[str]

    @property
    def published(self) -> datetime | None:
        """When its metrics and logs are there."""
        return self.ended + _PUBLISHING if self.ended else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel(Computation):
    """A trained model, or the version of one; the base has no version."""

    version: str | None
    channels: tuple[str, ...]

    @property
    def key(self) -> str:
        """The ARN, and the version if it has one."""
        return version_key(self.arn, self.version)

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes of any run, and the ARN, which lists the versions."""
        return self.membership, self.collaboration, f"{self.region}/{self.account}", self.arn


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceJob(Computation):
    """A trained model applied to a channel; ACTIVE means that it is done."""

    model: str
    version: str | None
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportJob(Run):
    """The delivery of a trained model to a member; it has no ARN that anyone sees."""

    model: str
    version: str | None


def version_key(arn: str, version: str | None) -> str:
    """Return what a version of a model is found by."""
    return arn if version is None else f"{arn}#{version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessBudget(Value):
    """How many channels may still be made over the table `resource` of a collaboration.

    It refills at `renews`, if it does; there is no operation for it here, a test sets it.
    """

    collaboration: str
    resource: str
    kind: str = "LIFETIME"
    budget: int
    remaining: int
    starts: datetime
    renews: datetime | None = None

    @property
    def key(self) -> str:
        """Collaboration and table."""
        return f"{self.collaboration} {self.resource}"

    @property
    def scopes(self) -> tuple[str, ...]:
        """The collaboration."""
        return (self.collaboration,)

    @property
    def due(self) -> datetime | None:
        """When it refills."""
        return self.renews

    def advanced(self, store: Store) -> "AccessBudget":  # noqa: ARG002  # what any value is given
        """Return the budget of the next period, which is as long as this one."""
        renews = self.renews or self.starts
        following = renews + (renews - self.starts)
        return replace(self, remaining=self.budget, starts=renews, renews=following)
