"""What others run at a member's expense, by the Lists that all members of a collaboration see.

Only the member that can query starts channels, trainings and inference jobs, so that it is charged
for no run of others (SOURCE: AWS Clean Rooms User Guide, custom ML modelling). Queries and
PySpark jobs of others are in no List, and of a model with versions only the latest is (rule R-19).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from cleanrooms_operator.core import accepting, channels, jobs, models, payers, payments, shared
from cleanrooms_operator.core.kind import Fresh, Glance, Listing
from cleanrooms_operator.core.payments import Cost, name_of
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import Present
from cleanrooms_operator.core.times import timestamp
from cleanrooms_operator.core.values import Value

MOST = 5
"""How many runs of a cost type are told one by one."""

# -- what is declared, and what the status says ------------------------------------------------

OWN = frozenset({"charges"})
"""The field of a Membership's spec that says whether charges are reported."""

Reporting: TypeAlias = Annotated[
    Literal["Report", "Ignore"] | None,
    Field(
        description="Whether `status.charges`, events and metrics tell what other members run at "
        "this account's expense: `Report`, or `Ignore`, which saves up to three List calls every "
        "ten minutes. Default: `Report`."
    ),
]


class ChargedRun(Value):
    """A run of another member that this account pays for."""

    account_id: Annotated[str, Field(description="The account that started it.")]
    kind: Annotated[str, Field(description="MLInputChannel, TrainedModel or InferenceJob.")]
    name: Annotated[str, Field(description="Its name in AWS.")]
    arn: Annotated[str, Field(description="Its ARN.")]
    version_identifier: Annotated[
        str | None, Field(description="The version, where a model has several.")
    ] = None
    state: Annotated[str, Field(description="AWS's own word for its state.")]
    start_time: Annotated[datetime, Field(description="When AWS took the order; by AWS's clock.")]
    inferred: Annotated[
        bool | None,
        Field(description="Whether AWS does not say who pays, but only this account may."),
    ] = None


class Charges(Value):
    """What others run at this account's expense, of one cost type."""

    cost_type: Annotated[str, Field(description="Such as `queryCompute` or `modelTraining`.")]
    pending: Annotated[int | None, Field(ge=0, description="Runs that have not begun.")] = None
    running: Annotated[int | None, Field(ge=0, description="Runs under way.")] = None
    finished: Annotated[
        int | None,
        Field(ge=0, description="Runs that have ended, well or not, deleted ones included."),
    ] = None
    unknown: Annotated[
        int | None,
        Field(
            ge=0,
            description="Further runs of which AWS does not say who pays, where this account is "
            "one of several that may.",
        ),
    ] = None
    latest: Annotated[
        list[ChargedRun] | None, Field(description="The latest of the runs, newest first.")
    ] = None
    unseen: Annotated[
        str | None, Field(description="What of this cost type cannot be seen, and so is missing.")
    ] = None


STATUS_TEXT = (
    "What other members run at this account's expense, by cost type; absent where it pays for "
    "nothing, or can query itself."
)

# -- where runs are seen -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _View:
    """A List of the runs of all members."""

    kind: str
    listing: Listing
    costs: tuple[Cost, ...]


VIEWS = (
    _View("MLInputChannel", shared.CHANNELS, channels.COSTS),
    _View("TrainedModel", shared.MODELS, models.COSTS),
    _View("InferenceJob", shared.JOBS, jobs.COSTS),
)

_SEEN = {name_of(_cost.path): (_view, _cost) for _view in VIEWS for _cost in _view.costs}
"""Name of a cost type -> (where its runs are seen, which of their costs it is)."""

_MEMBERS = shared.MEMBERS.operation

UNSEEN = {
    "queryCompute": "Queries of others cannot be seen: only ML input channels are counted",
    "jobCompute": "PySpark jobs of others cannot be seen",
}
"""Name of a cost type -> what of it is in no List."""

UNSEEN_VERSIONS = "Of a model with versions only the latest can be seen: there may be more runs"


def _names(situation: Situation, present: Present) -> tuple[str, ...]:
    """Return the names of the cost types that others can charge to this account."""
    resource = situation.resource
    unwanted = resource.deleting or resource.spec.get("charges") == "Ignore"
    if unwanted or present.state != "ACTIVE":
        return ()
    before: Sequence[Document] = resource.status.get("charges") or ()
    if present.details is None:
        return tuple(charges["costType"] for charges in before)
    if "CAN_QUERY" in present.details.fields.get("memberAbilities", ()):
        return ()
    # What is under way is charged to the end to whom it was charged at the start.
    due = {charges["costType"] for charges in before if _under_way(charges)}
    due |= {name_of(path) for path, true in accepting.accepted(present).items() if true}
    return tuple(name for name in map(name_of, payments.COST_TYPES) if name in due)


def _scope(situation: Situation, present: Present) -> Document:
    if present.details is not None:
        return {shared.COLLABORATION: present.details.fields["collaborationId"]}
    return {shared.COLLABORATION: situation.resource.status["collaborationIdentifier"]}


def _asked(view: _View, situation: Situation, present: Present) -> Document | None:
    names = _names(situation, present)
    needed = any(name_of(cost.path) in names for cost in view.costs)
    return _scope(situation, present) if needed else None


def _asked_of_members(situation: Situation, present: Present) -> Document | None:
    """Ask who may pay, where a run does not say who does."""
    seen = (_SEEN[name] for name in _names(situation, present) if name in _SEEN)
    needed = any(_is_silent(situation, view, cost) for view, cost in seen)
    return _scope(situation, present) if needed else None


def _is_silent(situation: Situation, view: _View, cost: Cost) -> bool:
    """Whether some run does not say who pays a cost that it has in any case."""
    runs = situation.glances.get(view.listing.operation) or ()
    return not cost.synthetic and any(cost.named(run) is None for run in runs)


GLANCES = (
    *(Glance(view.listing, partial(_asked, view)) for view in VIEWS),
    Glance(shared.MEMBERS, _asked_of_members),
)

# -- counting ----------------------------------------------------------------------------------

_PENDING = "CREATE_PENDING"
_OVER = frozenset(
    {
        "ACTIVE",
        "INACTIVE",
        "CREATE_FAILED",
        "CANCEL_FAILED",
        "DELETE_PENDING",
        "DELETE_IN_PROGRESS",
        "DELETE_FAILED",
    }
)
"""The states of what has run to its end; what is being cancelled runs still."""

_Payer: TypeAlias = Literal["shown", "inferred", "unknown"]


def report(situation: Situation, present: Present) -> Document:
    """Return `status.charges`: of each cost type that others can charge to this account."""
    names = _names(situation, present)
    if not names and "charges" not in situation.resource.status:
        return {}
    return {"charges": [_charges(situation, name) for name in names] or None}


def _charges(situation: Situation, name: str) -> Document:
    """Return what is seen of a cost type; what was seen before, where nothing is seen now."""
    unseen = UNSEEN.get(name)
    if name not in _SEEN:
        return {"costType": name, "unseen": unseen}
    view, cost = _SEEN[name]
    operation, glances = view.listing.operation, situation.glances
    known = _of_type(situation.resource.status, name) or {"costType": name}
    needed = {operation, *([_MEMBERS] if _is_silent(situation, view, cost) else ())}
    if not needed <= glances.keys():
        return known if "finished" in known else {**known, "unseen": "Not seen yet"}
    runs = glances[operation]
    if runs is None:
        return {**known, "unseen": f"AWS denies {operation}: the rest is as it was seen before"}
    if any(run.get("versionIdentifier") is not None for run in runs):
        unseen = UNSEEN_VERSIONS if cost in models.COSTS else unseen
    told = {"costType": name, **_counted(situation, view, cost, runs), "unseen": unseen}
    return {field: value for field, value in told.items() if value is not None}


def _of_type(status: Document, name: str) -> Document | None:
    found: Iterable[Document] = status.get("charges") or ()
    return next((charges for charges in found if charges["costType"] == name), None)


def _counted(situation: Situation, view: _View, cost: Cost, runs: Iterable[Document]) -> Document:
    ours = [
        (run, payer)
        for run in runs
        if run["creatorAccountId"] != situation.account
        and (payer := _payer(situation, cost, run)) is not None
    ]
    charged = [_run(view, run, payer) for run, payer in ours if payer != "unknown"]
    pending = sum(run["state"] == _PENDING for run in charged)
    finished = sum(run["state"] in _OVER for run in charged)
    return {
        "pending": pending,
        "running": len(charged) - pending - finished,
        "finished": finished,
        "unknown": (len(ours) - len(charged)) or None,
        "latest": sorted(charged, key=_order, reverse=True)[:MOST] or None,
    }


def _payer(situation: Situation, cost: Cost, run: Document) -> _Payer | None:
    """Return how it is known that this account pays for a run; None: it does not (rule R-19)."""
    named = cost.named(run)
    if named is not None:
        return "shown" if named == situation.account else None
    members = situation.glances.get(_MEMBERS)
    if cost.synthetic or members is None:
        return None if cost.synthetic else "unknown"
    found = [member["accountId"] for member in payers.candidates(members, cost.path)[0]]
    if situation.account not in found:
        return None
    return "inferred" if len(found) == 1 else "unknown"


def _run(view: _View, run: Document, payer: _Payer) -> dict[str, Any]:
    told = {
        "accountId": run["creatorAccountId"],
        "kind": view.kind,
        "name": run["name"],
        "arn": run[view.listing.handle[0]],
        "versionIdentifier": run.get("versionIdentifier"),
        "state": run["status"],
        "startTime": timestamp(run["createTime"]),
        "inferred": payer == "inferred" or None,
    }
    return {field: value for field, value in told.items() if value is not None}


# -- what is new -------------------------------------------------------------------------------


def news(before: Document, after: Document) -> tuple[Fresh, ...]:
    """Return what to tell of runs that one status of a membership counts and an earlier does not.

    Where nothing was counted before, what is under way is news, and what has ended is not.
    """
    started: dict[tuple[str, ...], tuple[Document, list[str]]] = {}
    more: list[str] = []
    for charges in after.get("charges") or ():
        name = charges["costType"]
        known = _of_type(before, name) or {}
        fresh = _fresh(known, charges)
        for run in fresh:
            started.setdefault(_order(run), (run, []))[1].append(name)
        if (rest := _grown(known, charges) - len(fresh)) > 0 and len(fresh) == MOST:
            more.append(f"{rest} more runs have been started that this account pays for ({name})")
    told = (_words(run, names) for run, names in started.values())
    return tuple((Reason.RUN_CHARGED, message) for message in (*told, *more))


def _fresh(known: Document, charges: Document) -> list[Document]:
    latest: list[Document] = charges.get("latest") or []
    if "finished" not in known:
        return [run for run in latest if run["state"] not in _OVER]
    told = [_order(run) for run in known.get("latest") or ()]
    # Older ones than the last of a full list were told long ago.
    since = told[-1] if len(told) == MOST else ("",)
    return [run for run in latest if _order(run) > since and _order(run) not in told]


def _grown(known: Document, charges: Document) -> int:
    if "finished" not in known:
        return _under_way(charges)
    return _all(charges) - _all(known)


def _under_way(charges: Document) -> int:
    return int(charges.get("pending", 0) + charges.get("running", 0))


def _all(charges: Document) -> int:
    return _under_way(charges) + int(charges.get("finished", 0))


def _order(run: Document) -> tuple[str, ...]:
    """Return what a run is told from others by, and comes after them by: times are of one zone."""
    return (run["startTime"], run["arn"], run.get("versionIdentifier", ""))


def _words(run: Document, names: Iterable[str]) -> str:
    return (
        f"Account {run['accountId']} started {run['kind']} {run['name']!r} at {run['startTime']}; "
        f"this account pays for it ({', '.join(names)})"
    )
