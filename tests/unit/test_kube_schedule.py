"""Which resource is looked at when."""

from typing import Any

import pytest

from cleanrooms_operator.core.pace import Pace, Urgency, spread
from cleanrooms_operator.core.resource import GROUP, Key, Resource
from cleanrooms_operator.kube.cache import Cache
from cleanrooms_operator.kube.passes import CURRENT, Pass
from cleanrooms_operator.kube.queue import WorkQueue
from cleanrooms_operator.kube.schedule import Schedule, is_at_rest
from kube_world import LoopClock, a_resource, metrics, ready_status, seeded, value

REST = a_resource("Collaboration", "rest", status=ready_status())
WAITING = a_resource(
    "Membership",
    "waiting",
    status={
        "observedGeneration": 1,
        "conditions": [
            {"type": "Ready", "status": "False", "observedGeneration": 1},
            {"type": "Reconciling", "status": "True", "observedGeneration": 1},
        ],
    },
)


class Stage:
    """A schedule with a queue to look into."""

    def __init__(self, *resources: Resource) -> None:
        self.metrics = metrics()
        self.seen: list[Resource] = []
        self.cache = Cache()
        self.clock = LoopClock()
        self.queue = WorkQueue(self.clock.elapsed, seeded(), self.metrics.queue)
        self.schedule = Schedule(self.queue, self.cache, Pace(), self.metrics, saw=self.seen.append)
        for resource in resources:
            self.put(resource)

    def put(self, resource: Resource, *, own: bool = False) -> None:
        before = self.cache.get(resource.key)
        self.cache.put(resource)
        self.schedule.changed(before, resource, own=own)

    async def turns(self) -> list[tuple[str, str]]:
        """Return who is queued for now, in order."""
        queued = sum(self.queue.depth(urgency) for urgency in Urgency)
        found = []
        for _ in range(queued):
            turn = await self.queue.get()
            assert turn is not None
            self.queue.done(turn.key)
            found.append((turn.key.name, turn.urgency.name))
        return found


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        pytest.param({}, True, id="ready"),
        pytest.param({"generation": 2}, False, id="a spec that was not looked at"),
        pytest.param({"deletionTimestamp": "2026-01-01T00:00:00Z"}, False, id="to be deleted"),
        pytest.param({"status": {}}, False, id="never seen"),
        pytest.param({"status": {**ready_status(), "attempt": {"id": "a"}}}, False, id="attempt"),
        pytest.param(
            {"annotations": {f"{GROUP}/reconcile-requested-at": "now"}}, False, id="a request"
        ),
        pytest.param(
            {
                "annotations": {f"{GROUP}/reconcile-requested-at": "now"},
                "status": {**ready_status(), "lastHandledReconcileAt": "now"},
            },
            True,
            id="an answered request",
        ),
    ],
)
def test_only_what_is_well_and_unchanged_is_at_rest(
    over: dict[str, Any], *, expected: bool
) -> None:
    given = {"status": ready_status(), **over}
    assert is_at_rest(a_resource("Collaboration", "study", **given)) is expected


def test_what_is_stalled_or_paused_is_not_at_rest() -> None:
    for type_, status in (("Ready", "False"), ("Paused", "True")):
        told = ready_status()
        told["conditions"].append({"type": type_, "status": status, "observedGeneration": 1})
        if type_ == "Ready":
            del told["conditions"][0]
        assert not is_at_rest(a_resource("Collaboration", "study", status=told))


async def test_what_is_there_is_told_as_seen_before_its_turn() -> None:
    stage = Stage(REST)
    assert stage.seen == []  # whoever does not lead asks nothing of AWS
    stage.schedule.begin()
    new = a_resource("Collaboration", "new")
    stage.put(new)
    stage.schedule.changed(REST, None, own=False)
    assert stage.seen == [REST, new]


async def test_nothing_is_queued_while_the_cache_is_filled() -> None:
    stage = Stage(REST, a_resource("Collaboration", "new"))
    assert await stage.turns() == []


@pytest.mark.looptime
async def test_a_restart_spreads_what_is_at_rest_and_takes_the_rest_at_once() -> None:
    new = a_resource("Collaboration", "new")
    leaving = a_resource(
        "Collaboration",
        "leaving",
        status=ready_status(),
        deletionTimestamp="2026-01-01T00:00:00Z",
    )
    many = [
        a_resource("Collaboration", f"rest-{n}", uid=f"u{n}", status=ready_status())
        for n in range(200)
    ]
    stage = Stage(new, leaving, WAITING, *many)
    stage.schedule.begin()
    assert sorted(await stage.turns()) == [
        ("leaving", "CHANGE"),
        ("new", "CHANGE"),
        ("waiting", "PROGRESS"),
    ]
    interval = Pace().list_interval
    moments = []
    for _ in many:
        turn = await stage.queue.get()
        assert turn is not None
        assert turn.urgency is Urgency.DRIFT
        resource = stage.cache.get(turn.key)
        assert resource is not None
        moments.append(stage.clock.elapsed())
        assert moments[-1] == pytest.approx(spread(resource.uid) * interval, abs=0.1)
    assert moments[-1] <= interval
    in_each_tenth = [sum(m // (interval / 10) == n for m in moments) for n in range(10)]
    assert min(in_each_tenth) > 5


async def test_a_change_by_others_is_queued_and_our_own_is_not() -> None:
    stage = Stage(REST)
    stage.schedule.begin()
    stage.put(a_resource("Collaboration", "rest", version=2, status=ready_status()), own=True)
    assert await stage.turns() == []
    stage.put(a_resource("Collaboration", "rest", version=3, status=ready_status()))
    assert await stage.turns() == [("rest", "CHANGE")]


async def test_our_own_write_wakes_those_that_waited_for_it() -> None:
    waiting = a_resource("Membership", "m", spec={"collaborationRef": {"name": "study"}})
    stage = Stage(a_resource("Collaboration", "study"), waiting)
    stage.schedule.begin()
    await stage.turns()
    done = {**ready_status(), "identifier": "c-1"}
    stage.put(a_resource("Collaboration", "study", version=2, status=done), own=True)
    assert await stage.turns() == [("m", "PROGRESS")]


async def test_the_end_of_a_resource_is_queued_too() -> None:
    stage = Stage(REST)
    stage.schedule.begin()
    stage.cache.remove(REST)
    stage.schedule.changed(REST, None, own=False)
    assert await stage.turns() == [("rest", "CHANGE")]


async def test_writes_are_counted_by_kind_and_verb_and_for_the_pass() -> None:
    stage = Stage()
    key = Key("Collaboration", "ns", "study")
    current = Pass(key, "1", None)
    token = CURRENT.set(current)
    stage.schedule.wrote(key, "status")
    stage.schedule.wrote(key, "status")
    CURRENT.reset(token)
    stage.schedule.wrote(key, "hold")
    name = "cleanrooms_kubernetes_writes_total"
    assert value(stage.metrics, name, kind="Collaboration", verb="status") == 2
    assert value(stage.metrics, name, kind="Collaboration", verb="hold") == 1
    assert current.writes == 2
