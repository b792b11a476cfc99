"""Builders: a test names what it is about, all else has a sensible default.

The kind is made up, a Thing: it has every state, which no real kind has, and every sort of field.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from cleanrooms_operator.core import kind as kinds
from cleanrooms_operator.core import runs, specs
from cleanrooms_operator.core.attempt import parameters_hash
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.ownership import NAME, NAMESPACE, OWNER, Claim, Owner, Signature
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import parameters
from cleanrooms_operator.core.resource import FINALIZER, GROUP, Key, Resource
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.status import Status
from cleanrooms_operator.core.step import Details, Lifecycle, Observed, Present
from cleanrooms_operator.core.values import NameRef, Reference, Structure, Value

ACCOUNT, OTHER_ACCOUNT = "111111111111", "222222222222"
REGION = "us-east-1"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = Key("Thing", "a", "one")
SIGNATURE = Signature(Owner("cluster-1"), KEY)
ARN = f"arn:aws:cleanrooms:{REGION}:{ACCOUNT}:thing/id-1"
GENERATION = 3
HASH_KEY = b"a key"


FIND = kinds.Lookup(
    kind="Parent",
    listing=kinds.Listing("cleanrooms", "ListParents", "parents"),
    fills={"parentIdentifier": "id", "parentVersion": "version"},
    optional=frozenset({"parentVersion"}),
    matches=lambda wanted, shown: bool(wanted["name"] == shown["name"]),
    missing=lambda wanted: f"nobody made {wanted['name']}",
    is_ready=lambda shown: shown.get("status") in {None, "LIVE"},
    ours="thingArn",
)


class ThingPart(Value):
    """A structure inside a Thing that names what it is made from."""

    parent_identifier: str | None = None
    parent_version: str | None = None
    parent_ref: Annotated[
        NameRef | None,
        Reference(
            "Parent",
            {"parentIdentifier": "identifier", "parentVersion": "versionIdentifier"},
            optional=frozenset({"parentVersion"}),
        ),
    ] = None
    find: Annotated[Structure | None, FIND] = None
    weight: int | None = None


class ThingSpec(specs.NamedSpec):
    """What is asked of a Thing."""

    color: str | None = None
    labels: list[str] | None = None
    size: str | None = None
    votes: list[str] | None = None
    extra: Structure | None = None
    parent_identifier: str | None = None
    parent_ref: Annotated[
        NameRef | None, Reference("Parent", {"parentIdentifier": "identifier"})
    ] = None
    find: Annotated[Structure | None, FIND] = None
    parts: list[ThingPart] | None = None
    main: ThingPart | None = None
    friends: list[str] | None = None
    friend_refs: Annotated[list[NameRef] | None, Reference("Parent", {"friends": "identifier"})] = (
        None
    )
    on_missing: Literal["Report", "Recreate"] = "Report"


class ThingStatus(Status):
    """What is seen of a Thing."""

    parent_identifier: str | None = None


THING = kinds.Kind(
    definition=kinds.Definition(
        name="Thing",
        plural="things",
        short_name="thing",
        description="A thing.",
        spec=ThingSpec,
        status=ThingStatus,
        columns=(),
    ),
    service="cleanrooms",
    create="CreateThing",
    read="GetThing",
    update="UpdateThing",
    delete="DeleteThing",
    listing=kinds.Listing("cleanrooms", "ListThings", "things"),
    handle=kinds.Handle("thingIdentifier"),
    envelope="thing",
    lifecycle={
        "MAKING": Lifecycle.CHANGING,
        "LIVE": Lifecycle.READY,
    },
    ends={"BROKEN": Reason.REMOVED},
    in_place=frozenset({"color", "labels"}),
    by_request=frozenset({"votes"}),
    answered_as={"size": "extent"},
    unordered=frozenset({"labels"}),
    parts={"extra": kinds.Part("cleanrooms", "PutExtra", ())},
)


RUN = replace(
    THING,
    update=None,
    in_place=frozenset(),
    delete=None,
    lifecycle={
        **runs.UNDER_WAY,
        "ACTIVE": Lifecycle.DONE,
        "CREATE_FAILED": Lifecycle.GONE,
        "INACTIVE": Lifecycle.GONE,
    },
    ends=runs.JOB_ENDS,
    cancel=kinds.Cancellation("CancelThing", runs.CREATING),
    published=("metricsStatus", "logsStatus"),
    facts=lambda situation, found: runs.facts(situation, found, Reason.INFERENCE_FAILED),
    report=lambda situation, found: {
        **runs.report(situation, found),
        **runs.publications(found.details),
    },
)
"""A Thing that runs and ends."""


def kind(**over: Any) -> kinds.Kind:
    """Return the kind Thing, which differs as told."""
    return replace(THING, **over)


def run(**over: Any) -> kinds.Kind:
    """Return the kind of a Thing that runs and ends, which differs as told."""
    return replace(RUN, **over)


def after(seconds: float) -> datetime:
    """Return a moment some seconds from the present one."""
    return NOW + timedelta(seconds=seconds)


def text(moment: datetime) -> str:
    """Return a moment as Kubernetes writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def annotations(**named: str) -> dict[str, str]:
    """Return annotations of the operator's group: `external_id="x"` for `…/external-id: x`."""
    return {f"{GROUP}/{name.replace('_', '-')}": value for name, value in named.items()}


def condition(type_: str, status: str = "True", **over: Any) -> dict[str, Any]:
    """Return a condition, of the present generation and an hour old."""
    return {
        "type": type_,
        "status": status,
        "observedGeneration": GENERATION,
        "lastTransitionTime": text(after(-3600)),
        "reason": Reason.SUCCEEDED.value,
        "message": "It was so",
        **over,
    }


def resource(**over: Any) -> Resource:
    """Return a Thing that nobody has looked at yet, with our finalizer on."""
    made = Resource(
        key=KEY,
        uid="uid-1",
        version="7",
        generation=GENERATION,
        created=after(-7200),
        spec={"color": "red"},
        status={"observedGeneration": -1},
        finalizers=(FINALIZER,),
    )
    return replace(made, **over)


def bound(**over: Any) -> Resource:
    """Return a Thing that was ready when it was looked at last; `status` adds to what it says."""
    status: dict[str, Any] = {
        "observedGeneration": GENERATION,
        "conditions": [condition("Ready")],
        "identifier": "id-1",
        "arn": ARN,
        "state": "LIVE",
        "accountID": ACCOUNT,
        "region": REGION,
    }
    return resource(**over | {"status": status | over.get("status", {})})


def account(**over: Any) -> Resource:
    """Return the namespace's AWSAccount, which is ready."""
    made = Resource(
        key=Key("AWSAccount", "a", "default"),
        uid="uid-account",
        version="1",
        generation=1,
        created=after(-7200),
        spec={"accountID": ACCOUNT, "region": REGION},
        status={
            "observedGeneration": 1,
            "accountID": ACCOUNT,
            "conditions": [condition("Ready", observedGeneration=1)],
        },
        finalizers=(FINALIZER,),
    )
    return replace(made, **over)


def thing(**over: Any) -> dict[str, Any]:
    """Return the red Thing as AWS shows it, in a List or by itself."""
    return {"id": "id-1", "arn": ARN, "name": "one", "status": "LIVE", "color": "red", **over}


def owner_tags(**over: str) -> dict[str, str]:
    """Return the tags by which cluster-1 marks the Thing, without the attempt's."""
    own = {"owner": "cluster-1", "namespace": KEY.namespace, "name": KEY.name, **over}
    return {OWNER: own["owner"], NAMESPACE: own["namespace"], NAME: own["name"]}


def details(more_tags: Mapping[str, str] | None = None, **over: Any) -> Details:
    """Return what was read of a red Thing that carries our tags, and some more."""
    return replace(Details({"color": "red"}, owner_tags() | dict(more_tags or {})), **over)


def present(**over: Any) -> Present:
    """Return our Thing, recorded and read in detail, in the lifecycle that its state stands for."""
    state = over.get("state", "LIVE")
    made = Present(
        identifier="id-1",
        arn=ARN,
        state=state,
        lifecycle=THING.lifecycle_of(state),
        claim=Claim.OURS,
        details=details(),
    )
    return replace(made, **over)


def situation(observed: Observed, **over: Any) -> Situation:
    """Return what a decision about a Thing sees; a present one was recorded, unless told so."""
    subject = over.pop("resource", None) or (
        bound() if isinstance(observed, Present) else resource()
    )
    sent = parameters(THING, subject, {})
    made = Situation(
        resource=subject,
        parameters=sent,
        parameters_hash=parameters_hash(over.get("parameters", sent), HASH_KEY),
        observed=observed,
        account=ACCOUNT,
        now=NOW,
        service=THING.service,
        signature=SIGNATURE,
        denied_grace=300.0,
        release_limit=3600.0,
        watched=86_400.0,
    )
    return replace(made, **over)


def error(failure: Failure = Failure.REFUSED, code: str = "", **over: Any) -> ServiceError:
    """Return an error of AWS."""
    message = over.pop("message", "no")
    return ServiceError(failure, code or f"{failure.value}Exception", message, **over)
