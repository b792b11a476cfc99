"""Shared Lists, page by page, each page answered by the test."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from cleanrooms_operator.aws.settings import Settings
from cleanrooms_operator.aws.sightings import KEPT_SECONDS, MOST_PAGES, Sightings
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.kind import Listing
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.runtime.ports import Identity, PacedError, Sighting

US = Identity("111111111111", "us-east-1")
THEM = Identity("222222222222", "us-east-1")
COLLABORATIONS = Listing("cleanrooms", "ListCollaborations", "collaborationList")
MODELS = Listing(
    "cleanroomsml",
    "ListTrainedModels",
    "trainedModels",
    ("membershipIdentifier",),
    ("trainedModelArn", "versionIdentifier"),
)
BROKEN = ServiceError(Failure.UNAVAILABLE, "503", "Service Unavailable", harmless=True)


@dataclass
class Page:
    """A page that was asked for."""

    identity: Identity
    parameters: Document
    answer: asyncio.Future[Document] = field(default_factory=asyncio.Future)

    def show(self, *ids: str, more: str | None = None) -> None:
        items = [{"id": each, "page": self.parameters.get("nextToken")} for each in ids]
        self.answer.set_result(
            {"collaborationList": items, **({"nextToken": more} if more else {})}
        )


class World:
    """The Lists, the pages asked of AWS, and a clock that moves by hand."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.now = 100.0
        self.pages: asyncio.Queue[Page] = asyncio.Queue()
        self.lists = Sightings(self._page, settings or Settings(), lambda: self.now)

    async def _page(self, identity: Identity, _: Listing, parameters: Document) -> Document:
        page = Page(identity, parameters)
        self.pages.put_nowait(page)
        return await page.answer

    def ask(
        self, since: float, identity: Identity = US, scope: Document | None = None
    ) -> asyncio.Task[Sighting]:
        return asyncio.create_task(
            self.lists.sighting(identity, COLLABORATIONS, scope or {}, since)
        )

    async def page(self) -> Page:
        """Return the next page that is asked for."""
        return await asyncio.wait_for(self.pages.get(), 10)

    async def settle(self) -> None:
        """Let everything run that can."""
        for _ in range(20):
            await asyncio.sleep(0)  # noqa: TID251  gives way, and waits for no time


def seen(sighting: Sighting) -> list[str]:
    return [item["id"] for item in sighting.items]


async def test_a_sighting_is_all_pages_of_a_hundred_each() -> None:
    world = World()
    asked = world.ask(since=100.0)
    first = await world.page()
    assert first.parameters == {"maxResults": 100}
    first.show("a", more="t1")
    second = await world.page()
    assert second.parameters == {"maxResults": 100, "nextToken": "t1"}
    world.now = 105.0
    second.show(more="t2")  # a page may be empty and not the last
    (await world.page()).show("b")
    assert await asked == Sighting(
        100.0, ({"id": "a", "page": None}, {"id": "b", "page": "t2"}), pages=3
    )


async def test_the_scope_is_sent_with_every_page() -> None:
    world = World()
    asked = asyncio.create_task(
        world.lists.sighting(US, MODELS, {"membershipIdentifier": "m"}, since=0)
    )
    page = await world.page()
    assert page.parameters == {"membershipIdentifier": "m", "maxResults": 100}
    page.answer.set_result({"trainedModels": []})
    assert (await asked).items == ()


async def test_one_flight_serves_all_that_ask_while_it_is_under_way() -> None:
    world = World()
    asked = [world.ask(since=100.0) for _ in range(50)]
    (await world.page()).show("a")
    assert {id(await each) for each in asked} == {id(await asked[0])}
    assert world.pages.empty()


async def test_one_that_is_new_enough_is_shown_again() -> None:
    world = World()
    asked = world.ask(since=100.0)
    (await world.page()).show("a")
    shown = await asked
    world.now = 700.0
    assert await world.ask(since=100.0) is shown
    assert await world.ask(since=50.0) is shown
    assert world.pages.empty()


async def test_one_that_is_too_old_is_renewed() -> None:
    world = World()
    asked = world.ask(since=100.0)
    (await world.page()).show("a")
    await asked
    world.now = 700.0
    renewed = world.ask(since=100.1)
    (await world.page()).show("b")
    assert (await renewed).started == 700.0


async def test_a_flight_that_started_too_early_serves_nobody_later() -> None:
    """R-9: it may have turned its first page before the moment that matters."""
    world = World()
    early = world.ask(since=100.0)
    first = await world.page()
    world.now = 110.0
    late = [world.ask(since=110.0) for _ in range(3)]
    await world.settle()
    assert world.pages.empty()  # one at a time
    first.show("a")
    assert seen(await early) == ["a"]
    (await world.page()).show("a", "b")
    assert [seen(await each) for each in late] == [["a", "b"]] * 3
    assert {(await each).started for each in late} == {110.0}
    assert world.pages.empty()  # all of them shared it


async def test_a_failure_reaches_all_that_wait_for_it_and_nobody_else() -> None:
    world = World()
    early = [world.ask(since=100.0) for _ in range(3)]
    first = await world.page()
    world.now = 110.0
    late = world.ask(since=110.0)
    await world.settle()
    first.answer.set_exception(BROKEN)
    for each in early:
        with pytest.raises(ServiceError) as error:
            await each
        assert error.value.code == "503"
    (await world.page()).show("a")
    assert seen(await late) == ["a"]


async def test_pages_that_break_off_are_no_sighting() -> None:
    """R-9."""
    world = World()
    asked = world.ask(since=100.0)
    (await world.page()).show("a", more="t1")
    (await world.page()).answer.set_exception(BROKEN)
    with pytest.raises(ServiceError):
        await asked
    world.now = 200.0
    again = world.ask(since=100.0)
    assert (await world.page()).parameters == {"maxResults": 100}
    again.cancel()


async def test_a_failure_answers_for_a_moment_for_those_who_ask_the_same() -> None:
    world = World(Settings(failure_memory=5.0))
    asked = world.ask(since=100.0)
    (await world.page()).answer.set_exception(BROKEN)
    with pytest.raises(ServiceError):
        await asked
    world.now = 104.9
    with pytest.raises(ServiceError):
        await world.ask(since=100.0)
    assert world.pages.empty()
    newer = world.ask(since=104.0)  # of a moment that the failure says nothing about
    (await world.page()).show("a")
    assert seen(await newer) == ["a"]
    assert seen(await world.ask(since=100.0)) == ["a"]


async def test_a_failure_is_forgotten_after_that() -> None:
    world = World(Settings(failure_memory=5.0))
    asked = world.ask(since=100.0)
    (await world.page()).answer.set_exception(BROKEN)
    with pytest.raises(ServiceError):
        await asked
    world.now = 105.0
    again = world.ask(since=100.0)
    (await world.page()).show("a")
    assert seen(await again) == ["a"]


async def test_a_rate_that_is_used_up_is_no_failure_to_remember() -> None:
    world = World()
    asked = world.ask(since=100.0)
    (await world.page()).answer.set_exception(PacedError("ListCollaborations", 3.0))
    with pytest.raises(PacedError):
        await asked
    again = world.ask(since=100.0)
    (await world.page()).show("a")
    assert seen(await again) == ["a"]


async def test_who_is_cancelled_leaves_the_flight_to_the_others() -> None:
    world = World()
    first, second = world.ask(since=100.0), world.ask(since=100.0)
    page = await world.page()
    first.cancel()
    await world.settle()
    assert first.cancelled()
    page.show("a")
    assert seen(await second) == ["a"]


async def test_a_flight_that_all_have_left_still_lands() -> None:
    world = World()
    asked = world.ask(since=100.0)
    page = await world.page()
    asked.cancel()
    page.show("a")
    await world.settle()
    assert seen(await world.ask(since=100.0)) == ["a"]
    assert world.pages.empty()


async def test_nobody_waits_long_and_who_comes_back_finds_the_result() -> None:
    world = World(Settings(sighting_patience=0.01))
    with pytest.raises(PacedError) as paced:
        await world.ask(since=100.0)
    assert paced.value.seconds == 0.01
    (await world.page()).show("a")
    await world.settle()
    assert seen(await world.ask(since=100.0)) == ["a"]
    assert world.pages.empty()


async def test_who_comes_back_finds_the_failure_too() -> None:
    world = World(Settings(sighting_patience=0.01))
    with pytest.raises(PacedError):
        await world.ask(since=100.0)
    (await world.page()).answer.set_exception(BROKEN)
    await world.settle()
    with pytest.raises(ServiceError):
        await world.ask(since=100.0)


async def test_a_moment_that_has_not_come_is_waited_for_elsewhere() -> None:
    world = World()
    with pytest.raises(PacedError) as paced:
        await world.ask(since=520.0)
    assert paced.value.seconds == 420.0
    assert world.pages.empty()


async def test_an_object_on_two_pages_is_shown_once_as_it_was_seen_last() -> None:
    world = World()
    asked = world.ask(since=100.0)
    (await world.page()).show("a", "b", more="t1")
    (await world.page()).show("b", "c")
    shown = await asked
    assert seen(shown) == ["a", "b", "c"]
    assert shown.items[1]["page"] == "t1"


async def test_versions_of_a_model_are_not_one_object() -> None:
    """R-1: the base is the entry without a version."""
    world = World()
    scope = {"membershipIdentifier": "m"}
    asked = asyncio.create_task(world.lists.sighting(US, MODELS, scope, since=0))
    base: dict[str, Any] = {"trainedModelArn": "arn"}
    version = {"trainedModelArn": "arn", "versionIdentifier": "v1"}
    (await world.page()).answer.set_result({"trainedModels": [base, version, base]})
    assert (await asked).items == (base, version)


async def test_an_object_without_its_handle_makes_the_list_fail() -> None:
    world = World()
    asked = world.ask(since=100.0)
    (await world.page()).answer.set_result({"collaborationList": [{"name": "x"}]})
    with pytest.raises(ServiceError) as error:
        await asked
    assert error.value.code == "IncompleteAnswer"


def repeated(_: int) -> str:
    return "again"


def counted(turn: int) -> str:
    return f"t{turn}"


@pytest.mark.parametrize(("tokens", "pages"), [(repeated, 2), (counted, MOST_PAGES + 1)])
async def test_a_list_without_an_end_fails(tokens: Callable[[int], str], pages: int) -> None:
    world = World()
    asked = world.ask(since=100.0)
    for turn in range(pages):
        (await world.page()).show(more=tokens(turn))
    with pytest.raises(ServiceError) as error:
        await asked
    assert error.value.code == "EndlessList"


async def test_scopes_and_identities_share_nothing() -> None:
    world = World()
    asked = [
        world.ask(since=100.0),
        world.ask(since=100.0, identity=THEM),
        world.ask(since=100.0, scope={"membershipIdentifier": "m"}),
        world.ask(since=100.0, identity=Identity("111111111111", "us-east-1", "arn:role")),
    ]
    pages = [await world.page() for _ in asked]
    pages[0].answer.set_exception(BROKEN)
    for number, page in enumerate(pages[1:], start=1):
        page.show(str(number))
    with pytest.raises(ServiceError):
        await asked[0]
    assert [seen(await each) for each in asked[1:]] == [["1"], ["2"], ["3"]]
    assert pages[1].identity == THEM


async def test_what_nobody_renews_is_dropped_in_the_end() -> None:
    world = World()
    asked = world.ask(since=100.0)
    (await world.page()).show("a")
    await asked
    world.now += KEPT_SECONDS + 1
    other = world.ask(since=0.0, identity=THEM)
    (await world.page()).show("b")
    await other
    again = world.ask(since=0.0)
    (await world.page()).show("c")
    assert seen(await again) == ["c"]


async def test_closing_ends_the_flights_and_those_who_wait() -> None:
    world = World()
    asked = world.ask(since=100.0)
    await world.page()
    world.lists.close()
    with pytest.raises(asyncio.CancelledError):
        await asked
