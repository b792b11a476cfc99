"""What there is of a recorded object in AWS, and how few calls it takes to know."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import make
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.kind import Kind, Reading
from cleanrooms_operator.core.ownership import Claim
from cleanrooms_operator.core.pace import Pace
from cleanrooms_operator.core.resource import Resource
from cleanrooms_operator.core.step import (
    Hidden,
    Lifecycle,
    Missing,
)
from cleanrooms_operator.runtime.memory import Recall
from passes import asked, present, seen
from scripted import START, Desk, recall

PACE = Pace()
MOVED = make.NOW + timedelta(seconds=5)
NOT_FOUND, DENIED = make.error(Failure.NOT_FOUND), make.error(Failure.DENIED)
BUSY = make.error(Failure.THROTTLED)
READ = make.details()


class TestAtRest:
    """The object is recorded, and nothing calls for a closer look."""

    async def test_a_shared_list_is_enough(self) -> None:
        at = asked(make.thing())
        found = present(await seen(at, make.bound()))
        assert found == make.present(details=None)
        assert at.aws.calls == []
        assert at.aws.sightings == [("ListThings", START - PACE.list_interval)]

    async def test_what_is_under_way_is_listed_more_often(self) -> None:
        going = make.bound(status={"conditions": [make.condition("Reconciling")]})
        at = asked(make.thing())
        await seen(at, going)
        assert at.aws.sightings == [("ListThings", START - PACE.progress_interval)]

    async def test_a_list_older_than_the_details_says_nothing_new(self) -> None:
        at = asked(make.thing(status="MAKING"))
        at.aws.age = 90
        memory = recall(details=replace(READ, fields=make.thing()))
        found = present(await seen(at, make.bound(), memory))
        assert (found.state, found.details) == ("LIVE", memory.details)

    async def test_r_21_where_the_list_takes_more_requests_it_is_read_itself(self) -> None:
        at, memory = asked(make.thing()), recall(pages=2)
        at.cluster.resources[make.KEY] = make.bound()
        found = present(await seen(at, make.bound(), memory))
        assert found == make.present(details=None)
        assert (at.aws.sightings, at.aws.operations) == ([], ["GetThing"])

    async def test_what_is_read_itself_is_read_whole_where_it_moved(self) -> None:
        at, memory = asked(GetThing={"thing": make.thing(status="MAKING")}), recall(pages=2)
        at.cluster.resources[make.KEY] = make.bound()
        found = present(await seen(at, make.bound(), memory))
        assert found.state == "MAKING"
        assert at.aws.operations == ["GetThing", "ListTagsForResource"]

    async def test_what_is_read_itself_and_not_there_is_proved_missing_by_lists(self) -> None:
        at, memory = asked(GetThing=NOT_FOUND), recall(pages=2)
        at.cluster.resources[make.KEY] = make.bound()
        assert await seen(at, make.bound(), memory) == Missing("id-1", proved=False)
        assert len(at.aws.sightings) == 1

    async def test_how_many_requests_a_list_took_is_remembered(self) -> None:
        at, memory = asked(make.thing()), recall()
        at.aws.pages = 3
        await seen(at, make.bound(), memory)
        assert memory.pages == 3

    async def test_others_of_the_list_are_not_looked_at(self) -> None:
        at = asked(make.thing(id="id-0", arn="x", status="BROKEN"), make.thing())
        assert present(await seen(at, make.bound())).state == "LIVE"

    @pytest.mark.parametrize(
        ("listed", "recorded"),
        [
            pytest.param(make.thing(status="MAKING"), {}, id="its state moved"),
            pytest.param(make.thing(updateTime=MOVED), {}, id="it has a time of update"),
            pytest.param(
                make.thing(updateTime=MOVED),
                {"updateTime": make.NOW.isoformat()},
                id="its time of update moved",
            ),
            pytest.param(make.thing(id="id-2"), {}, id="it is not listed"),
        ],
    )
    async def test_what_moved_is_read(
        self, listed: dict[str, Any], recorded: dict[str, str]
    ) -> None:
        at = asked(listed)
        found = present(await seen(at, make.bound(status=recorded)))
        assert at.aws.operations == ["GetThing", "ListTagsForResource"]
        assert found.details is not None

    async def test_what_did_not_move_is_not(self) -> None:
        at = asked(make.thing(updateTime=MOVED))
        found = present(await seen(at, make.bound(status={"updateTime": MOVED.isoformat()})))
        assert at.aws.calls == []
        assert found.update_time == MOVED.isoformat()


class TestDetails:
    @pytest.mark.parametrize(
        ("resource", "memory", "kind"),
        [
            pytest.param(make.bound(), recall(stale=True), None, id="something was just changed"),
            pytest.param(make.bound(deleted=make.NOW), recall(), None, id="it is being deleted"),
            pytest.param(make.bound(generation=4), recall(), None, id="its spec was edited"),
            pytest.param(
                make.bound(annotations=make.annotations(reconcile_requested_at="now")),
                recall(),
                None,
                id="a person asked for a look",
            ),
            pytest.param(
                make.bound(),
                recall(),
                make.kind(is_outdated=lambda *_: True),
                id="a neighbour knows better",
            ),
            pytest.param(
                make.bound(), recall(taken=START - PACE.detail_interval), None, id="it is time"
            ),
        ],
    )
    async def test_they_are_read_when_something_calls_for_it(
        self, resource: Resource, memory: Recall, kind: Kind | None
    ) -> None:
        """R-21: by a changed spec, a request, or once an hour."""
        at = asked()
        found = present(await seen(at, resource, memory, kind))
        assert at.aws.sightings == [], "a List would tell nothing more"
        assert found.details == memory.details
        assert (memory.taken, memory.stale) == (START, False)
        assert memory.generation == resource.generation

    async def test_a_request_is_answered_once(self) -> None:
        answered = make.bound(
            annotations=make.annotations(reconcile_requested_at="now"),
            status={"lastHandledReconcileAt": "now"},
        )
        at = asked(make.thing())
        await seen(at, answered)
        assert at.aws.calls == []

    async def test_tags_that_come_with_the_object_need_no_call(self) -> None:
        at = asked(GetThing={"thing": make.thing(tags=make.owner_tags())})
        found = present(await seen(at, make.bound(), recall(stale=True)))
        assert at.aws.operations == ["GetThing"]
        assert found.claim is Claim.OURS

    @pytest.mark.parametrize(
        ("tags", "claim"),
        [
            (make.owner_tags(), Claim.OURS),
            (make.owner_tags(name="two"), Claim.OTHER),
            (make.owner_tags(owner="cluster-2"), Claim.ELSEWHERE),
            ({}, Claim.OURS),
        ],
    )
    async def test_tags_tell_whose_a_recorded_object_is(
        self, tags: dict[str, str], claim: Claim
    ) -> None:
        at = asked(tags={"tags": tags})
        assert present(await seen(at, make.bound(), recall(stale=True))).claim is claim

    async def test_an_answer_without_envelope_is_the_object(self) -> None:
        at = asked(GetThing=make.thing(status="BROKEN"))
        found = present(await seen(at, make.bound(), recall(stale=True), make.kind(envelope=None)))
        assert found.lifecycle is Lifecycle.FAILED


def reading(**over: Any) -> Reading:
    """Return a further read of a Thing: its friends."""
    made = Reading(
        "friends",
        "cleanrooms",
        "ListFriends",
        lambda fields: {"thingIdentifier": fields["id"]},
        "friends",
    )
    return replace(made, **over)


async def read(given: Reading, answer: Any) -> tuple[Desk, Any]:
    """Return what a reading gives, and the desk that it was asked at."""
    at = asked(ListFriends=answer)
    kind = make.kind(readings=(given,))
    found = present(await seen(at, make.bound(), recall(stale=True), kind))
    assert found.details is not None
    return at, found.details.readings


class TestReadings:
    async def test_a_member_of_the_answer(self) -> None:
        at, found = await read(reading(), {"friends": ["x"], "more": 1})
        assert found == {"friends": ["x"]}
        assert at.aws.sent("ListFriends") == [{"thingIdentifier": "id-1"}]

    async def test_the_whole_answer(self) -> None:
        _, found = await read(reading(result=None), {"a": 1})
        assert found == {"friends": {"a": 1}}

    async def test_all_pages(self) -> None:
        pages = [
            {"friends": ["x"], "nextToken": "1"},
            {"friends": [], "nextToken": "2"},
            {"friends": ["y"]},
        ]
        at, found = await read(reading(paged=True), list(pages))
        assert found == {"friends": ["x", "y"]}
        tokens = [sent.get("nextToken") for sent in at.aws.sent("ListFriends")]
        assert tokens == [None, "1", "2"]

    async def test_there_may_be_no_such_thing(self) -> None:
        _, found = await read(reading(optional=True), NOT_FOUND)
        assert found == {"friends": None}

    @pytest.mark.parametrize(
        ("given", "error"),
        [
            pytest.param(reading(), NOT_FOUND, id="it is there for certain"),
            pytest.param(reading(optional=True), BUSY, id="AWS was busy"),
        ],
    )
    async def test_otherwise_an_error_is_an_error(
        self, given: Reading, error: ServiceError
    ) -> None:
        with pytest.raises(ServiceError) as raised:
            await read(given, error)
        assert raised.value is error

    async def test_what_is_not_wanted_is_not_read(self) -> None:
        at, found = await read(reading(wanted=lambda *_: False), None)
        assert found == {}
        assert at.aws.sent("ListFriends") == []


class TestPeopleAreAwaited:
    """R-21: at rest too, what tells of people who are awaited is read with every List."""

    KIND = make.kind(
        readings=(
            reading(awaited=lambda status: bool(status.get("lonely"))),
            reading(name="foes", operation="ListFoes"),
        )
    )

    async def test_only_that_is_read(self) -> None:
        at = asked(make.thing(), ListFriends={"friends": ["x"]})
        memory = recall(
            details=replace(READ, fields=make.thing(), readings={"friends": [], "foes": ["z"]})
        )
        found = present(await seen(at, make.bound(status={"lonely": True}), memory, self.KIND))
        assert at.aws.operations == ["ListFriends"]
        assert found.details == memory.details
        assert found.details is not None
        assert found.details.readings == {"friends": ["x"], "foes": ["z"]}

    async def test_nothing_is_read_while_nobody_is_awaited(self) -> None:
        at = asked(make.thing())
        assert present(await seen(at, make.bound(), kind=self.KIND)).details is None
        assert at.aws.calls == []

    async def test_in_a_new_process_all_is_read(self) -> None:
        at = asked(make.thing(), ListFriends={"friends": ["x"]}, ListFoes={"friends": ["z"]})
        found = present(await seen(at, make.bound(status={"lonely": True}), kind=self.KIND))
        assert found.details is not None
        assert found.details.readings == {"friends": ["x"], "foes": ["z"]}

    async def test_what_is_listed_may_be_gone_by_then(self) -> None:
        at = asked(make.thing(), GetThing=NOT_FOUND)
        found = present(await seen(at, make.bound(status={"lonely": True}), kind=self.KIND))
        assert found.details is None


class TestMissing:
    """R-9: Get says NotFound, and every List lacks it, over at least a settle time."""

    async def test_one_look_proves_nothing(self) -> None:
        at = asked(GetThing=NOT_FOUND)
        assert await seen(at, make.bound(), recall(stale=True)) == Missing("id-1", proved=False)

    async def test_a_settle_time_of_looking_does(self) -> None:
        at, memory = asked(GetThing=NOT_FOUND), recall(stale=True)
        await seen(at, make.bound(), memory)
        for seconds, proved in ((PACE.settle - 1, False), (PACE.settle, True)):
            at.clock.seconds = seconds
            assert await seen(at, make.bound(), memory) == Missing("id-1", proved=proved)

    async def test_a_list_that_began_before_that_does_not_count(self) -> None:
        at, memory = asked(GetThing=NOT_FOUND), recall(stale=True)
        await seen(at, make.bound(), memory)
        at.clock.seconds = PACE.settle
        await seen(at, make.bound(), memory)
        assert at.aws.sightings[-1] == ("ListThings", START + PACE.settle)

    async def test_a_list_that_shows_it_begins_the_proof_anew(self) -> None:
        at, memory = asked(GetThing=NOT_FOUND), recall(stale=True)
        await seen(at, make.bound(), memory)
        at.clock.seconds = PACE.settle
        at.aws.lists["ListThings"] = [make.thing()]
        assert await seen(at, make.bound(), memory) == Missing("id-1", proved=False)
        at.aws.lists["ListThings"] = []
        at.clock.seconds = PACE.settle * 2 - 1
        await seen(at, make.bound(), memory)
        assert await seen(at, make.bound(), memory) == Missing("id-1", proved=False)

    async def test_one_that_is_shown_again_was_never_gone(self) -> None:
        at, memory = asked(GetThing=[NOT_FOUND, {"thing": make.thing()}]), recall(stale=True)
        await seen(at, make.bound(), memory)
        await seen(at, make.bound(), memory)
        assert memory.missed is None

    async def test_what_aws_confirmed_to_delete_is_gone_with_the_next_list(self) -> None:
        at = asked(GetThing=NOT_FOUND)
        memory = recall(stale=True, ended=START - 1)
        assert await seen(at, make.bound(), memory) == Missing("id-1", proved=True)

    async def test_a_denial_is_how_some_kinds_say_so(self) -> None:
        at = asked(GetThing=DENIED)
        kind = make.kind(denied_is_missing=True)
        found = await seen(at, make.bound(), recall(stale=True), kind)
        assert found == Missing("id-1", proved=False)

    async def test_but_not_while_lists_are_denied_too(self) -> None:
        """R-9: then it is AccessDenied, never missing."""
        at = asked(GetThing=DENIED)
        at.aws.lists["ListThings"] = DENIED
        kind, memory = make.kind(denied_is_missing=True), recall(stale=True)
        found = await seen(at, make.bound(), memory, kind)
        assert found == Hidden("DeniedException: no", 0.0)


class TestDenials:
    async def test_they_are_timed(self) -> None:
        at, memory = asked(GetThing=DENIED), recall(stale=True)
        await seen(at, make.bound(), memory)
        at.clock.seconds = 70
        assert await seen(at, make.bound(), memory) == Hidden("DeniedException: no", 70.0)

    async def test_other_errors_are_the_callers(self) -> None:
        with pytest.raises(ServiceError):
            await seen(asked(GetThing=BUSY), make.bound(), recall(stale=True))
