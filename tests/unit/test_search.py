"""Finding the object of a resource that has none recorded."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import make
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.kind import NaturalKey
from cleanrooms_operator.core.ownership import ATTEMPT, RELEASED, Claim, Owner
from cleanrooms_operator.core.pace import Pace
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.core.step import (
    Absent,
    Clash,
    Disproved,
    Hidden,
    Observed,
    Present,
    Uncertain,
)
from passes import asked, present, seen
from scripted import START, Desk, recall

PACE = Pace()
MOVED = make.NOW + timedelta(seconds=5)
NOT_FOUND, DENIED = make.error(Failure.NOT_FOUND), make.error(Failure.DENIED)
BUSY = make.error(Failure.THROTTLED)
READ = make.details()


OTHERS = {"tags": make.owner_tags(name="two")}
ELSEWHERE = {"tags": make.owner_tags(owner="cluster-2")}


class TestByName:
    """Nothing is recorded: an object may exist from an earlier life."""

    async def test_normally_there_is_none_and_it_costs_no_call(self) -> None:
        at = asked(make.thing(name="two"))
        assert await seen(at, make.resource()) == Absent()
        assert at.aws.calls == []
        assert at.aws.sightings == [("ListThings", START - 600)], "once since it was first seen"

    async def test_ours_is_found_and_not_bound_yet(self) -> None:
        found = present(await seen(asked(make.thing()), make.resource()))
        assert found == make.present(bound=False, details=None)

    async def test_what_we_inherit_is_found(self) -> None:
        at = asked(make.thing(), tags={"tags": make.owner_tags(owner="cluster-0")})
        owner = Owner("cluster-1", inherits=frozenset({"cluster-0"}))
        heir = replace(at.ports, policy=replace(at.ports.policy, owner=owner))
        assert present(await seen(at, make.resource(), ports=heir)).claim is Claim.INHERITED

    @pytest.mark.parametrize(
        "tags",
        [
            pytest.param({}, id="nobody's"),
            pytest.param(OTHERS["tags"], id="another resource's"),
            pytest.param({**make.owner_tags(), RELEASED: "true"}, id="ours, and released (R-3)"),
        ],
    )
    async def test_what_is_not_ours_does_not_keep_us_from_making_one(
        self, tags: dict[str, str]
    ) -> None:
        assert await seen(asked(make.thing(), tags={"tags": tags}), make.resource()) == Absent()

    async def test_what_another_resource_has_recorded_is_not_even_read(self) -> None:
        at = asked(make.thing())
        at.cluster.resources[Key("Thing", "b", "x")] = make.bound(key=Key("Thing", "b", "x"))
        assert await seen(at, make.resource()) == Absent()
        assert at.aws.calls == []

    async def test_what_another_account_made_is_not_either(self) -> None:
        at = asked(make.thing(creatorAccountId=make.OTHER_ACCOUNT))
        assert await seen(at, make.resource()) == Absent()
        assert at.aws.calls == []

    async def test_two_of_ours_are_both_named_and_neither_is_chosen(self) -> None:
        """R-35: neither is deleted."""
        at = asked(make.thing(id="id-2", arn=f"{make.ARN}-2"), make.thing())
        clash = await seen(at, make.resource())
        assert isinstance(clash, Clash)
        assert clash.reason is Reason.ADOPTION_CONFLICT
        assert f"{make.ARN}, {make.ARN}-2" in clash.message

    async def test_another_clusters_keeps_us_from_making_one(self) -> None:
        """R-2: never a create beside it without a word."""
        clash = await seen(asked(make.thing(), tags=ELSEWHERE), make.resource())
        assert isinstance(clash, Clash)
        assert clash.reason is Reason.OWNED_ELSEWHERE
        assert "cluster-2" in clash.message
        assert "owner.inherits" in clash.message

    async def test_a_person_may_want_one_beside_it(self) -> None:
        """R-2: the remedy `external-id: none`."""
        beside = make.resource(annotations=make.annotations(external_id="none"))
        assert await seen(asked(make.thing(), tags=ELSEWHERE), beside) == Absent()

    async def test_one_whose_tags_are_denied_is_perhaps_ours(self) -> None:
        found = await seen(asked(make.thing(), tags=DENIED), make.resource())
        assert isinstance(found, Hidden)
        assert found.reason is Reason.ACCESS_DENIED

    async def test_one_whose_tags_are_not_there_is_perhaps_ours_too(self) -> None:
        with pytest.raises(ServiceError):
            await seen(asked(make.thing(), tags=NOT_FOUND), make.resource())

    async def test_ours_is_ours_though_the_tags_of_others_are_denied(self) -> None:
        at = asked(make.thing(id="id-2", arn="x"), make.thing())
        at.aws.answers["ListTagsForResource"] = [DENIED, {"tags": make.owner_tags()}]
        assert present(await seen(at, make.resource())).identifier == "id-1"

    async def test_an_error_while_reading_tags_is_the_callers(self) -> None:
        with pytest.raises(ServiceError):
            await seen(asked(make.thing(), tags=BUSY), make.resource())


ATTEMPTED = make.resource(status={"attempt": {"id": "attempt-1", "name": "one"}})
TAGGED = {"tags": {**make.owner_tags(), ATTEMPT: "attempt-1"}}


class TestAnOpenAttempt:
    async def test_what_it_made_is_found(self) -> None:
        found = present(await seen(asked(make.thing(), tags=TAGGED), ATTEMPTED))
        assert (found.identifier, found.bound) == ("id-1", False)

    async def test_what_the_attempt_made_is_found_though_the_owner_has_another_id_since(
        self,
    ) -> None:
        tags = {"tags": {**make.owner_tags(owner="cluster-0"), ATTEMPT: "attempt-1"}}
        assert present(await seen(asked(make.thing(), tags=tags), ATTEMPTED)).bound is False

    async def test_an_earlier_attempts_object_is_as_good(self) -> None:
        tags = {"tags": {**make.owner_tags(), ATTEMPT: "attempt-0"}}
        assert present(await seen(asked(make.thing(), tags=tags), ATTEMPTED)).identifier == "id-1"

    async def test_it_is_looked_for_by_the_name_that_was_sent(self) -> None:
        edited = replace(ATTEMPTED, spec={"name": "two"})
        assert isinstance(await seen(asked(make.thing(), tags=TAGGED), edited), Present)

    @pytest.mark.parametrize(
        ("seconds", "expected"),
        [
            pytest.param(0, Uncertain(), id="at once"),
            pytest.param(PACE.settle, Uncertain(), id="at the end of the settle time"),
            pytest.param(PACE.settle + 1, Disproved(unsent=False), id="after it"),
        ],
    )
    async def test_it_made_nothing_when_a_late_list_lacks_it(
        self, seconds: float, expected: Observed
    ) -> None:
        """R-7: settle outlasts signature, timeout and lag together."""
        at, memory = asked(), recall()
        await seen(at, ATTEMPTED, memory)
        at.clock.seconds = seconds
        assert await seen(at, ATTEMPTED, memory) == expected

    async def test_the_settle_time_begins_when_this_process_first_sees_it(self) -> None:
        at = asked()
        at.clock.seconds = PACE.settle + 1
        assert await seen(at, ATTEMPTED) == Uncertain()

    async def test_it_begins_anew_with_another_attempt(self) -> None:
        at, memory = asked(), recall(attempt="attempt-0", attempt_since=START, unsent=True)
        at.clock.seconds = PACE.settle + 1
        assert await seen(at, ATTEMPTED, memory) == Uncertain()

    async def test_what_aws_refused_needs_no_look(self) -> None:
        at = asked()
        memory = recall(attempt="attempt-1", unsent=True)
        assert await seen(at, ATTEMPTED, memory) == Disproved(unsent=True)
        assert at.aws.sightings == []

    async def test_nobody_elses_is_taken_for_it(self) -> None:
        assert await seen(asked(make.thing(), tags=OTHERS), ATTEMPTED) == Uncertain()

    async def test_one_whose_tags_are_denied_is_perhaps_it(self) -> None:
        at, memory = asked(make.thing(), tags=DENIED), recall()
        await seen(at, ATTEMPTED, memory)
        at.clock.seconds = PACE.settle + 1
        assert isinstance(await seen(at, ATTEMPTED, memory), Hidden)


PARENTAL = make.kind(
    natural_key=NaturalKey(
        "cleanrooms",
        "GetParent",
        parameter="parentIdentifier",
        envelope="parent",
        identifier="thingId",
        listed_as="parentId",
    )
)
UNDER = {"parentIdentifier": "p-1"}
LISTED = make.thing(parentId="p-1")
CHILDLESS, FATHER = {"parent": {"id": "p-1"}}, {"parent": {"thingId": "id-1"}}


async def by_key(at: Desk, resource: Resource | None = None, **over: Any) -> Observed:
    subject = resource or make.resource()
    return await seen(at, subject, kind=PARENTAL, parameters=UNDER, **over)


class TestByNaturalKey:
    """R-4: there can be only one, and its referent names it."""

    async def test_there_is_none(self) -> None:
        at = asked(GetParent=CHILDLESS)
        assert await by_key(at) == Absent()
        assert at.aws.calls == [("GetParent", UNDER)]

    async def test_ours_is_found(self) -> None:
        assert present(await by_key(asked(GetParent=FATHER))).bound is False

    @pytest.mark.parametrize(
        ("tags", "reason", "words"),
        [
            pytest.param({}, Reason.ADOPTION_CONFLICT, f"external-id: {make.ARN}", id="a person's"),
            pytest.param(OTHERS["tags"], Reason.ADOPTION_CONFLICT, "external-id", id="another's"),
            pytest.param(
                {**make.owner_tags(), RELEASED: "true"},
                Reason.ADOPTION_CONFLICT,
                "external-id",
                id="released",
            ),
            pytest.param(ELSEWHERE["tags"], Reason.OWNED_ELSEWHERE, "cluster-2", id="a cluster's"),
        ],
    )
    async def test_what_is_not_ours_is_not_taken(
        self, tags: dict[str, str], reason: Reason, words: str
    ) -> None:
        clash = await by_key(asked(GetParent=FATHER, tags={"tags": tags}))
        assert isinstance(clash, Clash)
        assert clash.reason is reason
        assert words in clash.message

    async def test_it_may_be_observed_whosever_it_is(self) -> None:
        """R-35: ObserveOnly finds its object by the natural key."""
        observing = make.resource(spec={"managementPolicy": "ObserveOnly"})
        at = asked(GetParent=FATHER, tags={"tags": {}})
        assert present(await by_key(at, observing)).claim is Claim.NOBODY

    async def test_one_whose_tags_are_denied_is_perhaps_ours(self) -> None:
        assert isinstance(await by_key(asked(GetParent=FATHER, tags=DENIED)), Hidden)

    async def test_one_that_is_named_and_not_shown_is_waited_for(self) -> None:
        hidden = await by_key(asked(GetParent=FATHER, GetThing=NOT_FOUND))
        assert isinstance(hidden, Hidden)
        assert hidden.reason is Reason.DEPENDENCY_NOT_READY

    async def test_a_referent_that_is_gone_leaves_what_is_listed(self) -> None:
        at = asked(LISTED, GetParent=DENIED)
        assert present(await by_key(at)).identifier == "id-1"
        assert at.aws.sightings == [("ListThings", START)]

    async def test_a_referent_that_is_denied_is_no_proof_of_absence(self) -> None:
        assert isinstance(await by_key(asked(make.thing(parentId="p-2"), GetParent=DENIED)), Hidden)

    @pytest.mark.parametrize(
        ("resource", "expected"),
        [
            pytest.param(make.resource(deleted=make.NOW), Absent(), id="when it is to go"),
            pytest.param(ATTEMPTED, Uncertain(), id="when an attempt was made under it"),
        ],
    )
    async def test_what_is_over_has_nothing_listed(
        self, resource: Resource, expected: Observed
    ) -> None:
        assert await by_key(asked(GetParent=DENIED), resource) == expected

    async def test_other_errors_are_the_callers(self) -> None:
        with pytest.raises(ServiceError):
            await by_key(asked(GetParent=BUSY))


class TestAnOpenAttemptByNaturalKey:
    async def test_what_it_made_is_found(self) -> None:
        assert present(await by_key(asked(GetParent=FATHER), ATTEMPTED)).bound is False

    @pytest.mark.parametrize(
        ("seconds", "expected"),
        [(PACE.settle, Uncertain()), (PACE.settle + 1, Disproved(unsent=False))],
    )
    async def test_it_made_nothing_when_a_late_look_lacks_it(
        self, seconds: float, expected: Observed
    ) -> None:
        at = asked(GetParent=CHILDLESS)
        memory = recall(attempt="attempt-1", attempt_since=START)
        at.clock.seconds = seconds
        found = await seen(at, ATTEMPTED, memory, PARENTAL, parameters=UNDER)
        assert found == expected

    async def test_one_that_is_named_and_not_shown_yet_is_waited_for(self) -> None:
        at = asked(GetParent=FATHER, GetThing=NOT_FOUND)
        at.clock.seconds = PACE.settle + 1
        memory = recall(attempt="attempt-1", attempt_since=START)
        assert await seen(at, ATTEMPTED, memory, PARENTAL, parameters=UNDER) == Uncertain()


def named(by: str, **over: Any) -> Resource:
    return make.resource(annotations=make.annotations(external_id=by), **over)


class TestByAPersonsWord:
    """R-35: `external-id` names an ARN or an identifier."""

    @pytest.mark.parametrize("by", ["id-1", make.ARN])
    @pytest.mark.parametrize(
        "tags",
        [
            pytest.param({}, id="nobody's"),
            pytest.param(make.owner_tags(), id="ours"),
            pytest.param({**OTHERS["tags"], RELEASED: "true"}, id="another's, released"),
        ],
    )
    async def test_it_is_found(self, by: str, tags: dict[str, str]) -> None:
        at = asked(tags={"tags": tags})
        found = present(await seen(at, named(by)))
        assert at.aws.sent("GetThing") == [{"thingIdentifier": "id-1"}]
        assert (found.bound, found.released) == (False, RELEASED in tags)

    @pytest.mark.parametrize("tags", [OTHERS, ELSEWHERE])
    async def test_what_carries_anothers_tags_is_not_taken(self, tags: Any) -> None:
        clash = await seen(asked(tags=tags), named("id-1"))
        assert isinstance(clash, Clash)
        assert clash.reason is Reason.ADOPTION_CONFLICT

    @pytest.mark.parametrize("tags", [OTHERS, ELSEWHERE, DENIED])
    async def test_it_may_be_observed(self, tags: Any) -> None:
        observing = named("id-1", spec={"managementPolicy": "ObserveOnly"})
        assert isinstance(await seen(asked(tags=tags), observing), Present)

    async def test_what_another_resource_has_recorded_is_not_taken(self) -> None:
        at = asked()
        at.cluster.resources[Key("Thing", "b", "x")] = make.bound(key=Key("Thing", "b", "x"))
        clash = await seen(at, named("id-1"))
        assert isinstance(clash, Clash)
        assert "Thing/x in namespace b" in clash.message

    async def test_it_does_not_matter_what_others_have_recorded(self) -> None:
        at = asked()
        other = Key("Thing", "b", "x")
        at.cluster.resources[other] = make.bound(key=other, status={"identifier": "id-2"})
        assert present(await seen(at, named("id-1"))).identifier == "id-1"

    async def test_one_whose_tags_are_denied_is_perhaps_anothers(self) -> None:
        assert isinstance(await seen(asked(tags=DENIED), named("id-1")), Hidden)

    async def test_what_aws_does_not_show_is_waited_for(self) -> None:
        hidden = await seen(asked(GetThing=NOT_FOUND), named("id-1"))
        assert isinstance(hidden, Hidden)
        assert hidden.reason is Reason.DEPENDENCY_NOT_READY
        assert "Thing id-1" in hidden.message

    async def test_other_errors_are_the_callers(self) -> None:
        with pytest.raises(ServiceError):
            await seen(asked(GetThing=BUSY), named("id-1"))

    async def test_once_recorded_the_word_is_not_needed(self) -> None:
        at = asked(make.thing())
        annotated = make.bound(annotations=make.annotations(external_id="id-9"))
        assert present(await seen(at, annotated)).identifier == "id-1"
