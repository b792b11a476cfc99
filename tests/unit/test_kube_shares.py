"""One account that is down slows no other: which turns are given, in virtual time."""

import asyncio
from collections import Counter

import pytest

from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.pace import Urgency
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.kube.cache import Cache
from cleanrooms_operator.kube.events import Poster
from cleanrooms_operator.kube.queue import WorkQueue
from cleanrooms_operator.kube.shares import Shares, by_account
from cleanrooms_operator.kube.workers import Engine, Surroundings, Worker
from cleanrooms_operator.runtime.outcome import Outcome
from kube_world import LoopClock, MemoryApi, Numbers, a_resource, metrics, seeded

pytestmark = pytest.mark.looptime

WORKERS = 32
SHARE = 8
DEAD = "000000000000"
HEALTHY = [f"{number:012}" for number in range(1, 21)]
READ_TIMEOUT = 20.0
CALL = 0.1


def an_account(account: str, region: str = "us-east-1", name: str = "default") -> Resource:
    spec = {"accountID": account, "region": region}
    return a_resource("AWSAccount", name, namespace=f"ns-{account}", spec=spec)


def a_user(account: str, number: int) -> Resource:
    return a_resource("Collaboration", f"c-{number}", namespace=f"ns-{account}")


class Floor:
    """Workers whose passes hang in accounts that are down, and take a moment in others."""

    def __init__(self, *down: str, each: int = 3) -> None:
        self.down = {f"ns-{account}" for account in down}
        self.under_way: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.began: list[tuple[float, Key]] = []
        self.ended: dict[Key, float] = {}
        self.clock = LoopClock()
        self.cache = Cache()
        for account in (*down, *HEALTHY):
            self.cache.put(an_account(account))
            for number in range(100 if account in down else each):
                self.cache.put(a_user(account, number))
        shares = by_account(self.cache, WORKERS)
        counted = metrics()
        self.queue = WorkQueue(self.clock.elapsed, seeded(), counted.queue, shares=shares)
        poster = Poster(MemoryApi(lambda _: {}), self.clock, Numbers(), "me", counted)
        around = Surroundings(
            self.queue, self.cache, poster, counted, self.clock, Numbers(), seeded()
        )
        engine = Engine(self.run_pass, lambda _: None, lambda: True)
        self.workers = [Worker(engine, around) for _ in range(WORKERS)]

    async def run_pass(self, key: Key) -> Outcome:
        place = key.namespace
        self.began.append((self.clock.elapsed(), key))
        self.under_way[place] += 1
        self.most[place] = max(self.most[place], self.under_way[place])
        try:
            await asyncio.sleep(READ_TIMEOUT if place in self.down else CALL)  # noqa: TID251  virtual time
        finally:
            self.under_way[place] -= 1
        if place in self.down:
            raise ServiceError(Failure.UNAVAILABLE, "ReadTimeoutError", "no answer")
        self.ended[key] = self.clock.elapsed()
        return Outcome("InSync", None, Urgency.DRIFT)

    async def work(self, seconds: float) -> None:
        """Queue everything, first what is in accounts that are down, and work that long."""
        for resource in self.cache.list("Collaboration"):
            self.queue.add(resource.key, Urgency.CHANGE)
        working = [asyncio.create_task(worker.run()) for worker in self.workers]
        await asyncio.sleep(seconds)  # noqa: TID251  virtual time
        for each in working:
            each.cancel()
        await asyncio.wait(working)


async def test_one_account_that_hangs_leaves_the_others_their_turns() -> None:
    floor = Floor(DEAD)
    await floor.work(READ_TIMEOUT / 2)
    assert len(floor.ended) == 60, "all of the healthy, before a single call of the dead one ended"
    assert floor.most[f"ns-{DEAD}"] == SHARE


async def test_twenty_take_as_long_beside_a_dead_one_as_three_quarters_of_the_workers_take() -> (
    None
):
    floor = Floor(DEAD)
    await floor.work(READ_TIMEOUT / 2)
    turns = -(-60 // (WORKERS - SHARE))
    assert max(floor.ended.values()) == pytest.approx(turns * CALL)


async def test_an_account_that_has_failed_holds_one_worker_until_it_succeeds() -> None:
    """Many may be down at once, as in an outage of a region."""
    down = [f"{number:012}" for number in range(100, 110)]
    floor = Floor(*down)
    await floor.work(10 * READ_TIMEOUT)
    late = Counter(
        key.namespace
        for moment, key in floor.began
        if 6 * READ_TIMEOUT <= moment < 7 * READ_TIMEOUT
    )
    assert {late[f"ns-{account}"] for account in down} == {1}
    assert len(floor.ended) == 60
    floor.down.clear()
    floor.most.clear()
    await floor.work(10.0)
    assert {floor.most[f"ns-{account}"] for account in down} == {SHARE}


async def test_an_account_alone_has_its_share_and_all_of_its_keys_get_their_turn() -> None:
    floor = Floor(each=0)
    for number in range(100):
        floor.cache.put(a_user(HEALTHY[0], number))
    await floor.work(60.0)
    assert len(floor.ended) == 100
    assert floor.most[f"ns-{HEALTHY[0]}"] == SHARE
    assert [key.name for _, key in floor.began] == [f"c-{number}" for number in range(100)]


class TestTurns:
    """What is put off comes back, the urgent first, and once."""

    def queue(self) -> WorkQueue:
        shares = Shares(lambda key: key.namespace, 1)
        clock = LoopClock()
        return WorkQueue(clock.elapsed, seeded(), metrics().queue, shares=shares)

    async def taken(self, queue: WorkQueue) -> str:
        async with asyncio.timeout(1000):
            turn = await queue.get()
        assert turn is not None
        return turn.key.name

    async def test_the_urgent_goes_before_what_was_parked_earlier(self) -> None:
        queue = self.queue()
        for name, urgency in (
            ("running", Urgency.CHANGE),
            ("drift", Urgency.DRIFT),
            ("progress", Urgency.PROGRESS),
        ):
            queue.add(Key("Thing", "a", name), urgency)
        queue.add(Key("Thing", "b", "other"), Urgency.DRIFT)
        assert [await self.taken(queue), await self.taken(queue)] == ["running", "other"]
        for before, after in (("running", "progress"), ("progress", "drift")):
            queue.done(Key("Thing", "a", before))
            assert await self.taken(queue) == after
        assert queue.depth(Urgency.DRIFT) == 0

    async def test_what_was_parked_and_became_urgent_has_one_turn(self) -> None:
        queue = self.queue()
        for name in ("running", "parked"):
            queue.add(Key("Thing", "a", name), Urgency.DRIFT)
        queue.add(Key("Thing", "b", "other"), Urgency.DRIFT)
        assert [await self.taken(queue), await self.taken(queue)] == ["running", "other"]
        queue.add(Key("Thing", "a", "parked"), Urgency.CHANGE)
        queue.done(Key("Thing", "a", "running"))
        assert await self.taken(queue) == "parked"
        queue.done(Key("Thing", "a", "parked"))
        with pytest.raises(TimeoutError):
            await self.taken(queue)


class TestOwners:
    def test_a_resource_counts_for_the_account_and_region_that_it_acts_in(self) -> None:
        cache = Cache()
        for resource in (
            an_account(DEAD),
            an_account(DEAD, "eu-west-1", name="europe"),
            a_user(DEAD, 1),
            a_resource(
                "Membership", "m", namespace=f"ns-{DEAD}", spec={"accountRef": {"name": "europe"}}
            ),
            a_resource(
                "TrainedModel", "t", namespace=f"ns-{DEAD}", spec={"membershipRef": {"name": "m"}}
            ),
            a_resource(
                "TrainedModel", "u", namespace=f"ns-{DEAD}", spec={"membershipRef": {"name": "-"}}
            ),
        ):
            cache.put(resource)
        shares = by_account(cache, WORKERS)
        place = f"ns-{DEAD}"
        american, european = (DEAD, "us-east-1"), (DEAD, "eu-west-1")
        assert shares.owner(Key("AWSAccount", place, "default")) == american
        assert shares.owner(Key("Collaboration", place, "c-1")) == american
        assert shares.owner(Key("TrainedModel", place, "t")) == european
        for kind, name in (("TrainedModel", "u"), ("Collaboration", "gone")):
            assert shares.owner(Key(kind, place, name)) == Key(kind, place, name)

    @pytest.mark.parametrize(("workers", "most"), [(1, 1), (7, 1), (32, 8)])
    def test_a_share_is_a_quarter_of_the_workers(self, workers: int, most: int) -> None:
        assert by_account(Cache(), workers).left("anybody") == most
