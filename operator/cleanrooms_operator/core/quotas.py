"""How many runs AWS lets an account have at once, and whose turn it is to start (rule R-22)."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from cleanrooms_operator.core import plans, references, runs
from cleanrooms_operator.core.kind import Kind, Lookup
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Annotation, Document, Key, Resource

MODEL, JOB, CHANNEL = "TrainedModel", "InferenceJob", "MLInputChannel"

KINDS = frozenset({MODEL, JOB, CHANNEL})
"""The kinds whose starts are counted."""

COMMON_TYPES = {"ml.m5.2xlarge": 3, "ml.m5.4xlarge": 3, "ml.m5.12xlarge": 3}


class Quota(Enum):
    """What AWS counts apart; the value is what people read."""

    MEMBERSHIP_TRAININGS = "trainings under way in membership {}"
    TRAININGS = "trainings under way in the account"
    INSTANCES = "training instances of the account"
    TYPE_INSTANCES = "training instances of type {}"
    MEMBERSHIP_JOBS = "inference jobs under way in membership {}"
    JOBS = "inference jobs under way in the account"
    MEMBERSHIP_CHANNELS = "active ML input channels of membership {}"
    SYNTHETIC_CHANNELS = "ML input channels of synthetic data under way in the account"
    SPENT_AT_ONCE = "runs at once that `spending` allows for {}"
    SPENT_TODAY = "runs a day that `spending` allows for {}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much there may be at once, in an account and region or a membership of it.

    Source of the defaults: the quota page of the user guide of Clean Rooms ML (2026).
    """

    trainings: int = 10
    membership_trainings: int = 5
    training_instances: int = 10
    training_instances_by_type: Mapping[str, int] = field(
        default_factory=lambda: dict(COMMON_TYPES)
    )
    """Instance type -> how many; a type that is not named has none."""
    inference_jobs: int = 10
    membership_inference_jobs: int = 5
    membership_channels: int = 100
    synthetic_channels: int = 2

    def of(self, pool: "Pool") -> int:
        """Return how much a pool holds."""
        if pool.quota is Quota.TYPE_INSTANCES:
            return self.training_instances_by_type.get(pool.subject or "", 0)
        return {
            Quota.TRAININGS: self.trainings,
            Quota.MEMBERSHIP_TRAININGS: self.membership_trainings,
            Quota.INSTANCES: self.training_instances,
            Quota.JOBS: self.inference_jobs,
            Quota.MEMBERSHIP_JOBS: self.membership_inference_jobs,
            Quota.MEMBERSHIP_CHANNELS: self.membership_channels,
            Quota.SYNTHETIC_CHANNELS: self.synthetic_channels,
        }[pool.quota]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run is counted."""

    account: str
    region: str
    membership: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a run besides its place is counted."""

    instance_type: str | None = None
    instances: int = 1
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class Pool:
    """What is counted together."""

    quota: Quota
    account: str
    region: str
    subject: str | None = None
    """The membership or instance type, where each has its own count."""

    def __str__(self) -> str:
        """Return it in words."""
        return self.quota.value.format(self.subject)


@dataclass(frozen=True, slots=True)
class Need:
    """How much a run takes of a pool."""

    pool: Pool
    amount: int = 1


Needs: TypeAlias = tuple[Need, ...]

# -- what a run takes ------------------------------------------------------------------------


def needs(kind: str, shape: Shape, place: Place, state: str | None = None) -> Needs:
    """Return what a run takes in a state; one without a state is about to start.

    A run that is being cancelled is counted still: its instances are.
    """
    under_way = state is None or state in runs.UNDER_WAY
    if kind == CHANNEL:
        return _of_channel(shape, place, state, under_way=under_way)
    if not under_way:
        return ()
    if kind == JOB:
        return (_here(Quota.MEMBERSHIP_JOBS, place), _need(Quota.JOBS, place))
    if kind == MODEL:
        return _of_training(shape, place)
    return ()


def _of_training(shape: Shape, place: Place) -> Needs:
    count = shape.instances
    counted = (
        _here(Quota.MEMBERSHIP_TRAININGS, place),
        _need(Quota.TRAININGS, place),
        _need(Quota.INSTANCES, place, amount=count),
    )
    if shape.instance_type is None:
        return counted
    return (*counted, _need(Quota.TYPE_INSTANCES, place, shape.instance_type, count))


def _of_channel(shape: Shape, place: Place, state: str | None, *, under_way: bool) -> Needs:
    if state in {"CREATE_FAILED", "INACTIVE"}:
        return ()
    active = _here(Quota.MEMBERSHIP_CHANNELS, place)
    if shape.synthetic and under_way:
        return (active, _need(Quota.SYNTHETIC_CHANNELS, place))
    return (active,)


def _here(quota: Quota, place: Place) -> Need:
    return _need(quota, place, place.membership)


def _need(quota: Quota, place: Place, subject: str | None = None, amount: int = 1) -> Need:
    return Need(Pool(quota, place.account, place.region, subject), amount)


def shape(kind: str, given: Document, *, synthetic: bool = False) -> Shape:
    """Return the shape of a run by its spec, its parameters or its fields in AWS."""
    if kind != MODEL:
        return Shape(synthetic=synthetic or given.get("syntheticDataConfiguration") is not None)
    resources = given.get("resourceConfig") or {}
    return Shape(resources.get("instanceType"), resources.get("instanceCount") or 1)


# -- runs in the cluster ---------------------------------------------------------------------


def held(resource: Resource, *, synthetic: bool = False) -> Needs:
    """Return what the run of a resource takes, from its attempt on until it is over."""
    status = resource.status
    is_open = status.get("attempt") is not None
    if not is_open and status.get("identifier") is None:
        return ()
    where = [status.get(name) for name in ("accountID", "region", "membershipIdentifier")]
    account, region, membership = map(str, where)
    known = synthetic or status.get("syntheticData") is not None
    made = shape(resource.key.kind, resource.spec, synthetic=known)
    state = None if is_open else status.get("state")
    return needs(resource.key.kind, made, Place(account, region, membership), state)


def order(resource: Resource) -> tuple[datetime, str, str]:
    """Return what runs are started in the order of."""
    return (resource.created, resource.key.namespace, resource.key.name)


Found: TypeAlias = Mapping[Key, Resource]
"""Resources of the cluster."""


def is_in_line(kind: Kind, resource: Resource, found: Found) -> bool:
    """Whether a resource's run may start as soon as quotas let it, as far as the cluster shows."""
    status = resource.status
    begun = status.get("attempt") is not None or status.get("identifier") is not None
    named_ = resource.annotations.get(Annotation.EXTERNAL_ID) not in {None, "none"}
    quiet = Annotation.PAUSED in resource.annotations or resource.condition("Paused") is not None
    unwanted = resource.deleting or resource.observe_only or runs.is_called_off(kind, resource)
    if begun or named_ or quiet or unwanted or _is_held(resource):
        return False
    if is_queued(resource):
        return True
    ways = references.stand_ins(kind, resource)
    if any(isinstance(one.how, Lookup) for one in ways):
        return False
    named = references.named(kind, resource)
    return not references.resolved(named, {one.key: found.get(one.key) for one in named})[1]


_QUEUED = frozenset({Reason.QUEUED_FOR_QUOTA.value, Reason.QUEUED_FOR_BUDGET.value})


def is_queued(resource: Resource) -> bool:
    """Whether all that a resource waits for is a quota, of AWS or of its Membership."""
    ready = resource.condition("Ready")
    return (
        resource.key.kind in KINDS
        and ready is not None
        and ready["reason"] in _QUEUED
        and ready["observedGeneration"] == resource.generation
    )


def _is_held(resource: Resource) -> bool:
    """Whether more than time is needed, by what was concluded of this generation."""
    return plans.is_awaited(resource) or _is_stuck(resource)


def _is_stuck(resource: Resource) -> bool:
    stalled = resource.condition("Stalled")
    return (
        stalled is not None
        and stalled["reason"] != Reason.PROGRESS_DEADLINE_EXCEEDED.value
        and stalled["observedGeneration"] == resource.generation
    )


def may_block(resource: Resource) -> bool:
    """Whether others may wait for a quota because of a resource: they are told when that ends."""
    status, kind = resource.status, resource.key.kind
    if kind not in KINDS:
        return False
    if status.get("attempt") is not None:
        return True
    if status.get("identifier") is None:
        return not (resource.deleting or _is_held(resource))
    state = status.get("state")
    return state is None or state in runs.UNDER_WAY or (kind == CHANNEL and state == "ACTIVE")


def place_of(resource: Resource, found: Found) -> Place | None:
    """Return where the run of a resource that waits would be counted; None: nobody can tell."""
    named = references.membership_of(resource)
    if named is not None:
        membership = found.get(named)
    else:
        given = resource.spec.get(references.MEMBERSHIP_IDENTIFIER)
        membership = next((each for each in _memberships(found) if _is(each, given)), None)
    if membership is None:
        return None
    where = [membership.status.get(name) for name in ("accountID", "region", "identifier")]
    return None if None in where else Place(*map(str, where))


def _memberships(found: Found) -> Iterator[Resource]:
    return (each for key, each in found.items() if key.kind == references.MEMBERSHIP)


def _is(membership: Resource, identifier: object) -> bool:
    return membership.status.get("identifier") == identifier


def memberships_of(account: str, region: str, found: Found) -> tuple[tuple[str, str | None], ...]:
    """Return (identifier, its collaboration) of an account's memberships that are declared."""
    return tuple(
        (each.status["identifier"], each.status.get("collaborationIdentifier"))
        for each in _memberships(found)
        if (each.status.get("accountID"), each.status.get("region")) == (account, region)
        and each.status.get("identifier") is not None
    )


# -- whose turn it is ------------------------------------------------------------------------


def full(
    limit: Callable[[Pool], int],
    running: Iterable[Needs],
    older: Iterable[Needs],
    wanted: Needs,
) -> tuple[Need, ...]:
    """Return those of the needs that are not met; none: the run may start.

    `older` may start too and come first, in this order: what they can take is theirs. One of
    them that has to wait takes nothing, so that it holds back none that needs something else.
    """
    taken: Counter[Pool] = Counter()
    for each in running:
        _take(taken, each)
    for each in older:
        if not _unmet(limit, taken, each):
            _take(taken, each)
    return _unmet(limit, taken, wanted)


def _unmet(limit: Callable[[Pool], int], taken: Counter[Pool], wanted: Needs) -> tuple[Need, ...]:
    return tuple(each for each in wanted if taken[each.pool] + each.amount > limit(each.pool))


def _take(taken: Counter[Pool], wanted: Needs) -> None:
    for each in wanted:
        taken[each.pool] += each.amount


def told(need: Need, limit: int) -> str:
    """Return which quota a run waits for: never how many wait before it, which changes often."""
    if need.amount > limit:
        return f"It needs {need.amount} of {need.pool}, but the quota is {limit}"
    return f"The quota of {limit} {need.pool} is full"


def recognised(message: str) -> Quota | None:
    """Return the quota that such a message tells of."""
    return next((quota for quota in Quota if quota.value.partition("{")[0] in message), None)


# -- what AWS calls them ---------------------------------------------------------------------

_TYPE = re.compile(r"\bml\.[a-z0-9]+\.[a-z0-9]+")


def meant(name: str) -> tuple[Quota, str | None] | None:
    """Return the quota that a 402 names, with the instance type; None for all others.

    Assumption: AWS's own words are not documented; these tell the quotas apart by what each must
    speak of.
    """
    words = name.lower()
    found = _TYPE.search(words)
    by_membership = "membership" in words
    if "inference job" in words:
        return (Quota.MEMBERSHIP_JOBS if by_membership else Quota.JOBS), None
    if "input channel" in words:
        synthetic = "synthetic" in words
        return (Quota.SYNTHETIC_CHANNELS if synthetic else Quota.MEMBERSHIP_CHANNELS), None
    if "training" not in words:
        return None
    if found is not None:
        return Quota.TYPE_INSTANCES, found[0]
    if "instance" in words:
        return Quota.INSTANCES, None
    return (Quota.MEMBERSHIP_TRAININGS if by_membership else Quota.TRAININGS), None
