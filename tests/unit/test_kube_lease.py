"""The election, in virtual time: never two leaders, and never long without one."""

import asyncio
import contextlib
import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cleanrooms_operator.kube.api import Api, ApiError, Request
from cleanrooms_operator.kube.lease import Election, LeaseLostError, Terms
from kube_world import LoopClock, metrics, seeded, value

pytestmark = pytest.mark.looptime

DURATION, DEADLINE, RENEW, RETRY = 15, 10.0, 5.0, 2.0
CONFLICT = ApiError(409, "Conflict", "")
LOST = ApiError(0, "Unreachable", "")


class LeaseServer(Api):
    """One Lease, with the precondition that the real one has, and faults."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.latency = 0.01

    async def send(self, request: Request) -> dict[str, Any]:
        """Answer after the latency, half of it before the request takes effect."""
        await asyncio.sleep(self.latency / 2)  # noqa: TID251  virtual time
        answer = self._handle(request)
        await asyncio.sleep(self.latency / 2)  # noqa: TID251  virtual time
        return answer

    def holder(self) -> str:
        return "" if self.lease is None else self.lease["spec"]["holderIdentity"]

    def _handle(self, request: Request) -> dict[str, Any]:
        if request.method == "GET":
            if self.lease is None:
                raise ApiError(404, "NotFound", "")
            return copy.deepcopy(self.lease)
        body = request.body
        assert isinstance(body, dict)
        if request.method == "POST" and self.lease is not None:
            raise ApiError(409, "AlreadyExists", "")
        if request.method == "PUT":
            assert self.lease is not None
            if body["metadata"]["resourceVersion"] != str(self.version):
                raise CONFLICT
        self.version += 1
        metadata = {**body["metadata"], "resourceVersion": str(self.version)}
        self.lease = copy.deepcopy({**body, "metadata": metadata})
        return copy.deepcopy(self.lease)


class Line(Api):
    """One candidate's connection to the server, which can be cut."""

    def __init__(self, server: LeaseServer) -> None:
        self.server = server
        self.up = True
        self.loses_answers = False

    async def send(self, request: Request) -> dict[str, Any]:
        if not self.up:
            timeout = request.timeout.total
            assert timeout is not None
            await asyncio.sleep(timeout)  # noqa: TID251  virtual time
            raise LOST
        answer = await self.server.send(request)
        if self.loses_answers and request.method != "GET":
            raise LOST
        return answer


class Candidate:
    """A replica's part, as a replica plays it."""

    def __init__(self, server: LeaseServer, name: str) -> None:
        self.name = name
        self.clock = LoopClock()
        self.line = Line(server)
        self.metrics = metrics()
        terms = Terms("ns", "lease", name, DURATION, DEADLINE, RENEW, RETRY)
        self.election = Election(self.line, terms, self.clock, self.metrics)
        self.lost: LeaseLostError | None = None

    @property
    def held(self) -> bool:
        return self.election.held()

    async def play(self) -> None:
        try:
            await self.election.acquire()
            await self.election.keep()
        except LeaseLostError as error:
            self.lost = error


@contextlib.asynccontextmanager
async def playing(*candidates: Candidate) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.create_task(candidate.play()) for candidate in candidates]
    yield tasks
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def lapse(seconds: float) -> None:
    await asyncio.sleep(seconds)  # noqa: TID251  virtual time


async def until_held(candidate: Candidate, limit: float) -> float:
    """Return the seconds until a candidate leads."""
    start = asyncio.get_running_loop().time()
    async with asyncio.timeout(limit):
        while not candidate.held:
            await lapse(0.05)
    return asyncio.get_running_loop().time() - start


async def test_the_first_candidate_leads_at_once_and_for_as_long_as_it_lives() -> None:
    server = LeaseServer()
    only = Candidate(server, "a")
    async with playing(only):
        assert await until_held(only, 1) < 0.2
        for _ in range(100):
            await lapse(1)
            assert only.held
    status = "leader_election_master_status"
    assert value(only.metrics, status, name="cleanrooms-operator") == 1
    assert server.lease is not None
    assert server.lease["spec"]["leaseDurationSeconds"] == DURATION


async def test_of_many_candidates_one_leads() -> None:
    server = LeaseServer()
    many = [Candidate(server, str(number)) for number in range(5)]
    async with playing(*many):
        for _ in range(200):
            await lapse(0.5)
            assert [c.name for c in many if c.held] == [server.holder()]


async def test_after_a_death_another_leads_once_the_lease_is_over() -> None:
    server = LeaseServer()
    first, second = Candidate(server, "a"), Candidate(server, "b")
    async with playing(first) as (life,):
        await until_held(first, 1)
        async with playing(second):
            await lapse(7)
            life.cancel()
            seconds = await until_held(second, 60)
    assert DEADLINE < seconds <= DURATION + RETRY + 0.5


async def test_after_a_clean_stop_another_leads_at_its_next_try() -> None:
    server = LeaseServer()
    first, second = Candidate(server, "a"), Candidate(server, "b")
    async with playing(first) as (life,):
        await until_held(first, 1)
        async with playing(second):
            await lapse(7)
            life.cancel()
            await first.election.release()
            assert not first.held
            assert await until_held(second, 60) <= RETRY + 0.2
    assert server.lease is not None
    assert server.lease["spec"]["leaseTransitions"] == 1


@pytest.mark.parametrize("moment", range(4))
async def test_a_stop_during_a_renewal_still_releases(moment: int) -> None:
    server = LeaseServer()
    server.latency = 1.0
    only = Candidate(server, "a")
    async with playing(only) as (life,):
        await until_held(only, 5)
        await lapse(RENEW + moment * 0.3)
        life.cancel()
        await only.election.release()
    assert server.holder() == ""


async def test_a_leader_that_is_cut_off_stops_before_another_begins() -> None:
    server = LeaseServer()
    first, second = Candidate(server, "a"), Candidate(server, "b")
    async with playing(first):
        await until_held(first, 1)
        async with playing(second):
            await lapse(6)
            first.line.up = False
            ended = began = 0.0
            while not second.held:
                await lapse(0.05)
                assert not (first.held and second.held)
                ended = ended or (asyncio.get_running_loop().time() if not first.held else 0)
            began = asyncio.get_running_loop().time()
    assert began - ended > (DURATION - DEADLINE) / 2
    assert first.lost is not None


async def test_a_leader_that_was_suspended_knows_at_once_that_it_may_not_lead() -> None:
    """A clock that stood still with the machine would let it go on for some seconds."""
    server = LeaseServer()
    only = Candidate(server, "a")
    async with playing(only):
        await until_held(only, 1)
        only.clock.ahead += DEADLINE
        assert not only.held
        await lapse(RENEW + 1)
        assert only.lost is not None


async def test_a_short_outage_is_no_loss() -> None:
    server = LeaseServer()
    first, second = Candidate(server, "a"), Candidate(server, "b")
    async with playing(first, second):
        await until_held(first, 1)
        for _ in range(50):
            first.line.up = False
            await lapse(2)
            first.line.up = True
            await lapse(5.3)
            assert first.held
    assert first.lost is None
    assert not second.held


async def test_a_renewal_whose_answer_is_lost_is_recognised() -> None:
    server = LeaseServer()
    only = Candidate(server, "a")
    async with playing(only):
        await until_held(only, 1)
        await lapse(RENEW - 1)
        only.line.loses_answers = True
        await lapse(2)
        only.line.loses_answers = False
        for _ in range(30):
            await lapse(1)
            assert only.held


async def test_a_lease_taken_without_hearing_so_is_taken_again_without_waiting() -> None:
    server = LeaseServer()
    only = Candidate(server, "a")
    only.line.loses_answers = True
    async with playing(only):
        await lapse(1)
        assert not only.held
        assert server.holder() == "a"
        only.line.loses_answers = False
        assert await until_held(only, 60) <= RETRY + 0.2


async def test_a_lease_that_another_took_is_lost_at_once() -> None:
    server = LeaseServer()
    only = Candidate(server, "a")
    async with playing(only) as (life,):
        await until_held(only, 1)
        assert server.lease is not None
        server.version += 1
        server.lease["metadata"]["resourceVersion"] = str(server.version)
        server.lease["spec"]["holderIdentity"] = "thief"
        async with asyncio.timeout(RENEW + 1):
            await life
    assert not only.held
    assert "thief" in str(only.lost)
    assert server.holder() == "thief"


async def test_a_lease_that_somebody_annotated_is_kept() -> None:
    server = LeaseServer()
    only = Candidate(server, "a")
    async with playing(only):
        await until_held(only, 1)
        assert server.lease is not None
        server.version += 1
        server.lease["metadata"] |= {
            "resourceVersion": str(server.version),
            "annotations": {"a": "b"},
        }
        await lapse(20)
        assert only.held
        assert server.lease["metadata"]["annotations"] == {"a": "b"}


async def test_the_wall_clock_of_another_does_not_matter() -> None:
    """A Lease renewed by a clock that is hours behind or ahead is as good as any."""
    for hours in (-5, 5):
        server = LeaseServer()
        first, second = Candidate(server, "a"), Candidate(server, "b")
        second.clock.ahead = hours * 3600
        async with playing(first, second):
            await until_held(first, 5)
            await lapse(60)
            assert first.held
            assert not second.held


async def test_there_are_never_two_leaders_whatever_is_cut_off_when() -> None:
    for seed in range(6):
        chance, server = seeded(seed), LeaseServer()
        candidates = [Candidate(server, str(number)) for number in range(3)]
        server.latency = chance.uniform(0, 2)
        led: set[str] = set()
        async with playing(*candidates):
            for _ in range(300):
                for candidate in candidates:
                    if chance.random() < 0.02:
                        candidate.line.up = not candidate.line.up
                    candidate.line.loses_answers = chance.random() < 0.05
                await lapse(0.5)
                leaders = [c.name for c in candidates if c.held]
                assert len(leaders) <= 1
                led |= set(leaders)
        assert led
