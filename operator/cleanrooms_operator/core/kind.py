"""What differs between two kinds of resource, as typed data that the engine interprets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

from cleanrooms_operator.core.payments import Cost
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, ObjectId, Resource
from cleanrooms_operator.core.situation import Neighbours, Situation
from cleanrooms_operator.core.step import Blocker, Change, Drift, Fact, Lifecycle, Present
from cleanrooms_operator.core.values import Value


@dataclass(frozen=True, slots=True)
class Listing:
    """The List call that shows all objects of one scope."""

    service: str
    operation: str
    items: str
    """The member of an answer that holds the summaries."""
    scope: tuple[str, ...] = ()
    """The parameters it needs, such as membershipIdentifier."""
    handle: tuple[str, ...] = ("id",)
    """The fields of a summary that together name its object; only the first is always there."""


@dataclass(frozen=True, slots=True)
class Handle:
    """How an object of a kind is named on the wire."""

    parameter: str
    """The parameter of Get, Update and Delete."""
    field: str = "id"
    """The field of an answer or summary that holds it."""
    arn: str = "arn"
    version: str | None = None
    """The parameter, and the field of answers and status, that tells objects of one ARN apart."""

    @classmethod
    def by_arn(cls, name: str, version: str | None = None) -> Self:
        """Return the handle of what every call and answer names by the ARN in one member."""
        return cls(name, field=name, arn=name, version=version)

    def of(self, shown: Document) -> ObjectId:
        """Return what names the object in an answer or a summary."""
        return ObjectId(shown[self.field], self._version(shown))

    def recorded(self, status: Document) -> ObjectId | None:
        """Return what names the object that a status records, or None where it records none."""
        identifier = status.get("identifier")
        return None if identifier is None else ObjectId(identifier, self._version(status))

    def naming(self, name: ObjectId) -> dict[str, str]:
        """Return the parameters of a call that name an object, its version always (OP-17)."""
        version = {} if self.version is None else {self.version: name.version}
        given = {self.parameter: name.identifier, **version}
        return {parameter: value for parameter, value in given.items() if value is not None}

    def recording(self, name: ObjectId) -> dict[str, str | None]:
        """Return the status fields that record an object."""
        version = {} if self.version is None else {self.version: name.version}
        return {"identifier": name.identifier, **version}

    def _version(self, shown: Document) -> str | None:
        return None if self.version is None else shown.get(self.version)


@dataclass(frozen=True, slots=True)
class Reading:
    """One more read that belongs to an object's details."""

    name: str
    service: str
    operation: str
    parameters: Callable[[Document], Document]
    """From the object's own fields."""
    result: str | None
    """The member of the answer that matters; None: the answer itself."""
    paged: bool = False
    optional: bool = False
    """Whether NotFound means that there is none, rather than that something is wrong."""
    wanted: Callable[[Resource, Document, Document], bool] = lambda *_: True
    """(resource, the object's fields, what was read before it) -> whether it is needed."""
    awaited: Callable[[Document], bool] = lambda _status: False
    """Whether, by the resource's status, people are awaited: it is read every list interval."""


@dataclass(frozen=True, slots=True)
class Glance:
    """A List that tells something beside an object: shared, and never what holds the object up."""

    listing: Listing
    asked: Callable[[Situation, Present], Document | None]
    """What it is asked with, by what was seen so far; None: it is not needed."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """What is read just before a create call, for AWS would refuse some of its parameters."""

    reading: Reading
    fields: Callable[[Document], Document | None]
    """From the create parameters to what the reading is asked with; None: it is not needed."""
    fit: Callable[[Document, Any, str], Document]
    """(create parameters, what was read, our account) -> the parameters that are sent."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Whom the output of a run is delivered to."""

    receiver: Callable[[Document], str]
    """The account, by the parameters of the run."""
    ability: str
    """What that member has to have."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Metadata of a spec field that names what another account made, found in a List.

    Its value names the account and the name in AWS: `{creatorAccountId, name}`.
    """

    kind: str
    """The kind of the resource that would manage it, were it in this cluster."""
    listing: Listing
    fills: Mapping[str, str]
    """The AWS parameters beside it that it stands for -> the fields of a summary."""
    matches: Callable[[Document, Document], bool]
    """(value of the field, summary) -> whether the summary is meant."""
    missing: Callable[[Document], str]
    """What a person is told while nothing matches."""
    optional: frozenset[str] = frozenset()
    """Those of the parameters that a summary may have nothing for."""
    is_ready: Callable[[Document], bool] = lambda _summary: True
    """Whether what a summary shows can be used already."""
    ours: str | None = None
    """The field of a summary with the ARN whose tags tell whether we are in it already."""


@dataclass(frozen=True, slots=True)
class Part:
    """A spec field that holds the parameters of a call besides the create call."""

    service: str
    operation: str
    without: tuple[str, ...]
    """Parameters that the operator fills in."""
    undone_by: str | None = None
    """The call that takes it away."""


@dataclass(frozen=True, slots=True)
class NaturalKey:
    """Finding the one object that can exist for a parameter, without a List."""

    service: str
    operation: str
    parameter: str
    """The parameter of the create call, and of this one, that is the key."""
    envelope: str
    identifier: str
    """The field of the answer that holds the object's identifier; absent: there is no object."""
    listed_as: str
    """The field of a summary of the kind's own List that holds the key."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The call that ends a run before its time."""

    operation: str
    states: frozenset[str]
    """The states in which AWS takes it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A CEL rule of the CRD."""

    rule: str
    message: str
    path: str | None = None
    """Where it is reported, such as `.analyticsEngine`."""
    root: bool = False
    """Whether it reads the whole resource rather than the spec."""


ACCOUNT_OF_MEMBERSHIP = Rule(
    "!has(self.accountRef) || !has(self.membershipRef)",
    "`accountRef` must not be given beside `membershipRef`, whose account acts",
    ".accountRef",
)
"""Of kinds that live under a membership."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`."""

    name: str
    path: str
    description: str
    type: str = "string"
    wide: bool = False


Fresh: TypeAlias = tuple[Reason, str]
"""The reason and the message of an event."""


def _nothing(_situation: object, _present: object) -> tuple[()]:
    return ()


def _never(_resource: Resource, _neighbours: Neighbours) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Definition:
    """What a CustomResourceDefinition is made of."""

    name: str
    plural: str
    short_name: str
    description: str
    spec: type[Value]
    status: type[Value]
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """Everything that differs between two kinds that have an object in AWS."""

    definition: Definition
    service: str
    create: str
    read: str
    delete: str | None
    """None: what it leaves behind is a record, which nothing removes."""
    listing: Listing
    handle: Handle
    lifecycle: Mapping[str, Lifecycle]
    state: str | None = "status"
    """The field that holds AWS's own word for the state; None: it exists, or it does not."""
    ends: Mapping[str, Reason] = field(default_factory=dict)
    """State -> why it is not simply ready; FAILED where the lifecycle says nothing else."""
    cancel: Cancellation | None = None
    published: tuple[str, ...] = ()
    """Fields that AWS shows some time after a run has ended (rule R-24)."""
    envelope: str | None = None
    """The member of an answer that holds the object; None: the answer itself."""
    update: str | None = None
    in_place: frozenset[str] = frozenset()
    """Create parameters that the update call changes, under the same names."""
    by_request: frozenset[str] = frozenset()
    """Create parameters that others must agree to change; all the rest but tags are frozen."""
    answered_as: Mapping[str, str] = field(default_factory=dict)
    """Create parameter -> field of the answer, where the names differ."""
    unordered: frozenset[str] = frozenset()
    """Parameters whose lists are sets."""
    readings: tuple[Reading, ...] = ()
    glances: tuple[Glance, ...] = ()
    """What is looked at beside an object of ours, every list interval."""
    everybodys: Listing | None = None
    """The List of what all members of a collaboration have, where there is one."""
    versions: Listing | None = None
    """The List of all objects that share an ARN, where the kind's own shows one of them (R-1)."""
    parts: Mapping[str, Part] = field(default_factory=dict)
    """Spec field -> the call whose parameters it holds."""
    natural_key: NaturalKey | None = None
    costs: tuple[Cost, ...] = ()
    """What its objects cost, each to be paid by somebody who can."""
    delivery: Delivery | None = None
    """Of what makes something that a member has to be able to receive."""
    fitting: Fitting | None = None
    denied_is_missing: bool = False
    """Whether the read says AccessDenied of what does not exist (GetCollaboration does)."""
    neighbours: tuple[str, ...] = ()
    """Kinds whose resources its decisions look at."""
    is_outdated: Callable[[Resource, Neighbours], bool] = _never
    """Whether its neighbours show that what was read of it does not hold any more."""
    upkeep: tuple[Callable[[Situation, Present], Change | None], ...] = ()
    """Further changes that bring an object in line, after its own parameters."""
    unapplied: Callable[[Situation, Present], tuple[Drift, ...]] = _nothing
    """What differs and cannot be changed by the operator."""
    facts: Callable[[Situation, Present], tuple[Fact, ...]] = _nothing
    """Conditions of its own."""
    report: Callable[[Situation, Present], Document] = lambda *_: {}
    """Status fields of its own."""
    news: Callable[[Document, Document], tuple[Fresh, ...]] = _nothing
    """What people are told by events, where a status (before, after) says that it happened."""
    dismantle: Callable[[Situation, Present], Change | None] = lambda *_: None
    """What has to be deleted before the object itself."""
    blockers: Callable[[Situation, Present], tuple[Blocker, ...]] = _nothing
    """What its deletion has to wait for."""
    calls: tuple[tuple[str, str], ...] = ()
    """(service, operation) of changes that its own functions make, besides those named above."""
    users: "tuple[Kind, ...]" = ()
    """Kinds whose objects are made of its own, and keep them while they are being made."""
    kept_by_live: frozenset[str] = frozenset()
    """Names of those of them that keep its objects as long as theirs exist."""
    actions: tuple[str, ...] = ()
    """IAM actions that its changes depend on but that never appear as calls (rule R-42)."""

    @property
    def name(self) -> str:
        """The kind as manifests name it."""
        return self.definition.name

    @property
    def scope(self) -> tuple[str, ...]:
        """The parameters that every call names besides the object itself."""
        return self.listing.scope

    @property
    def is_run(self) -> bool:
        """Whether its objects run and end, after which only their records are left."""
        return Lifecycle.GONE in self.lifecycle.values()

    @property
    def can_drift(self) -> bool:
        """Whether more than tags can differ from the spec, so that it is read hourly (R-21)."""
        return self.update is not None

    def is_over(self, state: str | None) -> bool:
        """Whether an object in that state never changes again."""
        return self.is_run and self.lifecycle_of(state) in {Lifecycle.DONE, Lifecycle.GONE}

    def state_of(self, shown: Document) -> str | None:
        """Return AWS's word for the state of an object; None where the kind has no states."""
        state: str | None = None if self.state is None else shown[self.state]
        return state

    def lifecycle_of(self, state: str | None) -> Lifecycle:
        """Return what a state means; one that AWS has added since counts as changing."""
        if state is None:
            return Lifecycle.READY
        ended = Lifecycle.FAILED if state in self.ends else Lifecycle.CHANGING
        return self.lifecycle.get(state, ended)
