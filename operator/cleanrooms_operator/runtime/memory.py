"""What one process remembers of the resources it has seen: lost with it, and never relied on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cleanrooms_operator.core.paying import Known
from cleanrooms_operator.core.resource import Document, Key, ObjectId, Resource
from cleanrooms_operator.core.situation import Refusal
from cleanrooms_operator.core.step import Details
from cleanrooms_operator.runtime.starts import Starts

TOGETHER = 10.0
"""Within how many seconds what was applied together has been seen, in whatever order."""

MOST_LET_GO = 10_000
"""How many records that could not be marked as released are remembered."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A create call that AWS would not do."""

    parameters: str
    """The hash of its parameters."""
    refusal: Refusal
    since: float
    """When these parameters were refused first."""
    last: float
    """When they were refused last."""

    @property
    def lasted(self) -> float:
        """Seconds from the first refusal to the last."""
        return self.last - self.since


@dataclass(frozen=True, slots=True)
class Holder:
    """What has the name that a create call asked for (rule R-11)."""

    what: str
    is_alive: bool
    """Whether it is more than a record, whose name may be free again (rule ER-1)."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Whether AWS would take the payers of a run was open when it was sent."""

    accounts: tuple[str, ...]
    known: Known
    """By what was known then: where that changes, it is worth another try."""


@dataclass(slots=True)
class Recall:
    """What this process knows of one resource. Times are of `Clock.elapsed()`."""

    uid: str
    seen: float
    """When it first saw the resource."""
    stale: bool
    """Whether the details must be read before anything is concluded."""
    generation: int
    """The generation that the details were read for."""
    taken: float
    """When the details were read; before the first reading, when it saw the resource."""
    pages: int = 1
    """How many requests it took to see the resource in the List of its scope."""
    details: Details | None = None
    supplied: float | None = None
    """When the ConfigMaps and Secrets that it names were read last."""
    attempt: str | None = None
    attempt_since: float = 0.0
    """When it first saw the attempt, or last sent it."""
    read_at: Mapping[str, float] = field(default_factory=dict)
    """When each further reading of the details began last."""
    asking: Document | None = None
    asking_since: float = 0.0
    """When it first saw the open attempt at a change request."""
    unsent: bool = False
    """Whether AWS's answer proved that the attempt did nothing."""
    refused: Refused | None = None
    holder: Holder | None = None
    """What had the name when AWS last said that something conflicts."""
    missed: float | None = None
    ended: float | None = None
    """When AWS took the deletion last."""
    endings: int = 0
    """How often AWS took the deletion."""
    closed: float | None = None
    """Since when it has seen that the membership that the object is under is over."""
    collaborations: dict[str, str] = field(default_factory=dict)
    """By a membership that it names, where no resource of the cluster tells."""
    deliverable: bool = False
    """Whether the receiver of the output was seen to have a place for it, or cannot be seen."""
    doubt: Doubt | None = None
    """Who was to pay when it was sent last, if nobody knew whether they had agreed."""
    denied: float | None = None
    """Since when AWS has denied something."""
    unmarkable: bool = False
    untaggable: bool = False
    let_go: ObjectId | None = None
    """The record that an earlier resource of this name left for good, without the mark (R-3)."""
    resume: float | None = None
    """In how many seconds more may be spent, if it is known what for a run waits."""
    waits: int = 0
    """How many passes in a row ended in waiting."""
    deed: str | None = None
    """What the last pass did."""
    repeats: int = 0
    """How many passes in a row did that before, as where reads lag behind what was done."""

    def is_new(self, elapsed: float) -> bool:
        """Whether nothing was told of it before, and what it names may not have been seen yet."""
        return self.generation < 0 and elapsed - self.seen < TOGETHER

    def last_look(self, elapsed: float, now: datetime) -> datetime:
        """Return by the wall clock when the details were read, or the resource first seen."""
        return now - timedelta(seconds=elapsed - self.taken)

    def ask(self, attempt: Document | None, now: float) -> None:
        """Remember since when an attempt at a change request is known to be open."""
        if attempt != self.asking:
            self.asking, self.asking_since = attempt, now

    def deny(self, now: float) -> float:
        """Remember that AWS denies something; return for how many seconds it has done so."""
        if self.denied is None:
            self.denied = now
        return now - self.denied

    def remember(self, deed: str) -> None:
        """Count how often the same was done in a row."""
        self.repeats = self.repeats + 1 if deed == self.deed else 0
        self.deed = deed

    def refuse(self, parameters: str, refusal: Refusal, now: float) -> None:
        """Remember that AWS refuses these parameters, and since when."""
        before = self.refused
        same = before is not None and before.parameters == parameters
        since = before.since if before is not None and same else now
        self.refused = Refused(parameters, refusal, since, now)


@dataclass(slots=True)
class Memories:
    """The recall of every resource this process has seen, and what it is about to start."""

    recalls: dict[Key, Recall] = field(default_factory=dict)
    starts: Starts = field(default_factory=Starts)
    let_go: dict[Key, ObjectId] = field(default_factory=dict)
    """What the last deletion under each name left for good and could not mark (rule R-3)."""

    def of(self, resource: Resource, now: float) -> Recall:
        """Return what is known of a resource, which may be nothing yet."""
        known = self.recalls.get(resource.key)
        if known is None or known.uid != resource.uid:
            known = Recall(
                uid=resource.uid,
                seen=now,
                stale=not is_settled(resource),
                generation=resource.status.get("observedGeneration", -1),
                taken=now,
                let_go=self.let_go.get(resource.key),
            )
            self.recalls[resource.key] = known
        return known

    def leave(self, key: Key, record: ObjectId) -> None:
        """Remember a record that is left for good; of very many, the latest."""
        self.let_go.pop(key, None)
        self.let_go[key] = record
        if len(self.let_go) > MOST_LET_GO:
            del self.let_go[next(iter(self.let_go))]

    def take_over(self, key: Key) -> None:
        """Forget that the record had been left: it has a resource again."""
        self.let_go.pop(key, None)
        self.recalls[key].let_go = None

    def forget(self, key: Key) -> None:
        """Let go of a resource that does not exist any more."""
        self.recalls.pop(key, None)
        self.starts.forget(key)


def is_settled(resource: Resource) -> bool:
    """Whether an earlier pass concluded on this very generation, and nothing is under way."""
    observed = resource.status.get("observedGeneration") == resource.generation
    moving = resource.condition("Reconciling") is not None or resource.deleting
    return observed and not moving and resource.status.get("attempt") is None
