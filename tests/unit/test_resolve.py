"""References of a spec, resolved against the cluster and against what others made in AWS."""

from dataclasses import replace
from typing import Annotated, Any, ClassVar

import pytest

import make
from cleanrooms_operator.core.ownership import Owner
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.core.step import Stall, Wait
from cleanrooms_operator.core.values import Structure
from cleanrooms_operator.runtime.resolve import Resolution, Search, resolve
from scripted import IDENTITY, START, Desk, desk, recall

PARENT = Key("Parent", "a", "p")
FINDS = {"find": {"creatorAccountId": make.OTHER_ACCOUNT, "name": "x"}}
AT_REF, AT_FIND = ("parentRef",), ("find",)


class Publisher(make.ThingSpec):
    """The spec of a kind that lives under a membership."""

    membership_identifier: str | None = None
    find: Annotated[
        Structure | None,
        replace(make.FIND, listing=replace(make.FIND.listing, scope=("collaborationIdentifier",))),
    ] = None


async def found(at: Desk, spec: dict[str, Any], **over: Any) -> Any:
    """Return what a Thing's references are resolved to."""
    waits = over.pop("waits", 0)
    seen = over.pop("seen", START - 600)
    kind = over.pop("kind", {})
    return await resolve(
        Search(
            make.kind(**kind),
            make.resource(spec=spec, **over),
            IDENTITY,
            at.ports,
            recall(waits=waits, seen=seen),
            make.NOW,
        )
    )


def listing(*parents: dict[str, Any], tags: Any = None, resources: Any = ()) -> Desk:
    """Return a desk at which AWS lists these parents."""
    at = desk(*resources)
    at.aws.lists["ListParents"] = [{"name": "x", **parent} for parent in parents]
    at.aws.answers["ListTagsForResource"] = tags
    return at


class TestReferences:
    async def test_a_referent_in_the_cluster(self) -> None:
        at = desk(make.bound(key=PARENT))
        resolution = await found(at, {"parentRef": {"name": "p"}})
        assert resolution == Resolution({AT_REF: {"parentIdentifier": "id-1"}})

    async def test_one_that_is_missing(self) -> None:
        lack = (await found(desk(), {"parentRef": {"name": "p"}})).lack
        assert isinstance(lack, Wait)
        assert lack.reason is Reason.DEPENDENCY_NOT_READY

    async def test_a_literal_needs_no_look(self) -> None:
        assert await found(desk(), {"parentIdentifier": "p-1"}) == Resolution()

    async def test_what_is_recorded_is_not_asked_again(self) -> None:
        """Referents may go first."""
        recorded = {"parentIdentifier": "p-1"}
        resolution = await found(desk(), {"parentRef": {"name": "p"}}, status=recorded)
        assert resolution == Resolution()


class TestLookups:
    async def test_the_only_match(self) -> None:
        at = listing({"id": "p-1"}, {"id": "p-2", "name": "y"})
        assert await found(at, FINDS) == Resolution({AT_FIND: {"parentIdentifier": "p-1"}})
        assert at.aws.calls == []

    async def test_what_a_match_may_lack_is_taken_where_it_is_there(self) -> None:
        at = listing({"id": "p-1", "version": "v-1"})
        filled = {AT_FIND: {"parentIdentifier": "p-1", "parentVersion": "v-1"}}
        assert await found(at, FINDS) == Resolution(filled)

    async def test_each_of_a_list_at_its_place(self) -> None:
        at = listing({"id": "p-1"}, {"id": "p-2", "name": "y"})
        other = {"creatorAccountId": make.OTHER_ACCOUNT, "name": "y"}
        resolution = await found(at, {"parts": [{"find": other}, {"weight": 1}, FINDS]})
        assert resolution.filled == {
            ("parts", 0, "find"): {"parentIdentifier": "p-2"},
            ("parts", 2, "find"): {"parentIdentifier": "p-1"},
        }

    async def test_a_match_that_is_not_ready_is_waited_for(self) -> None:
        lack = (await found(listing({"id": "p-1", "status": "MAKING"}), FINDS)).lack
        assert lack == Wait(Reason.DEPENDENCY_NOT_READY, "Parent x is MAKING")

    async def test_nothing_is_looked_up_for_what_is_made_already(self) -> None:
        at = listing()
        resolution = await found(at, {"parts": [FINDS]}, status={"identifier": "id-1"})
        assert resolution == Resolution()
        assert at.aws.sightings == []

    async def test_of_what_is_made_only_that_is_asked_for_by_which_it_is_seen(self) -> None:
        """R-4: a natural key, or what it lives under."""
        listing_ = replace(make.THING.listing, scope=("parentIdentifier",))
        at = desk(make.bound(key=PARENT))
        spec = {"parentRef": {"name": "p"}, "main": {"parentRef": {"name": "gone"}}}
        status = {"identifier": "id-1"}
        resolution = await found(at, spec, status=status, kind={"listing": listing_})
        assert resolution == Resolution({AT_REF: {"parentIdentifier": "id-1"}})

    async def test_no_match_is_waited_for(self) -> None:
        lack = (await found(listing({"id": "p-1", "name": "y"}), FINDS)).lack
        assert lack == Wait(Reason.DEPENDENCY_NOT_READY, "nobody made x")

    async def test_several_are_listed_and_none_is_guessed(self) -> None:
        lack = (await found(listing({"id": "p-2"}, {"id": "p-1"}), {"main": FINDS})).lack
        assert isinstance(lack, Stall)
        assert lack.reason is Reason.AMBIGUOUS
        assert "`main.find`" in lack.message
        assert "p-1, p-2" in lack.message
        assert "`parentIdentifier`" in lack.message

    @pytest.mark.parametrize("owner", ["cluster-1", "cluster-0"])
    async def test_of_several_the_one_that_we_are_in_wins(self, owner: str) -> None:
        """R-4: one we already hold a tagged object of, also one that we inherit."""
        tags = [{"tags": {}}, {"tags": make.owner_tags(owner=owner)}]
        at = listing({"id": "p-1", "thingArn": "a"}, {"id": "p-2", "thingArn": "b"}, tags=tags)
        owners = Owner("cluster-1", inherits=frozenset({"cluster-0"}))
        at.ports = replace(at.ports, policy=replace(at.ports.policy, owner=owners))
        assert await found(at, FINDS) == Resolution({AT_FIND: {"parentIdentifier": "p-2"}})

    @pytest.mark.parametrize(
        "tags",
        [
            pytest.param([{"tags": {}}] * 2, id="none is ours"),
            pytest.param([{"tags": make.owner_tags()}] * 2, id="both are ours"),
        ],
    )
    async def test_of_several_none_is_guessed(self, tags: list[Any]) -> None:
        at = listing(
            {"id": "p-1", "thingArn": "a"}, {"id": "p-2", "thingArn": "b"}, tags=list(tags)
        )
        assert isinstance((await found(at, FINDS)).lack, Stall)


class TestScopes:
    """What members publish is listed for a collaboration, which a membership is of."""

    KIND: ClassVar[dict[str, Any]] = {"definition": replace(make.THING.definition, spec=Publisher)}
    SPEC: ClassVar[dict[str, Any]] = {"membershipIdentifier": "m-1", **FINDS}

    async def test_the_memberships_resource_knows_it(self) -> None:
        status = {"identifier": "m-1", "collaborationIdentifier": "c-1"}
        at = listing(
            {"id": "p-1"},
            resources=(
                make.bound(key=Key("Membership", "a", "other")),
                make.bound(key=Key("Membership", "b", "m"), status=status),
            ),
        )
        resolution = await found(at, self.SPEC, kind=self.KIND)
        assert resolution.filled == {AT_FIND: {"parentIdentifier": "p-1"}}
        assert at.aws.calls == []

    async def test_else_aws_does(self) -> None:
        at = listing({"id": "p-1"})
        at.aws.answers["GetMembership"] = [{"membership": {"collaborationId": "c-1"}}]
        resolution = await found(at, self.SPEC, kind=self.KIND)
        assert resolution.filled == {AT_FIND: {"parentIdentifier": "p-1"}}
        assert at.aws.calls == [("GetMembership", {"membershipIdentifier": "m-1"})]

    async def test_aws_is_asked_only_once(self) -> None:
        at = listing({"id": "p-1"})
        known = recall(collaborations={"m-1": "c-1"})
        kind, subject = make.kind(**self.KIND), make.resource(spec=self.SPEC)
        resolution = await resolve(Search(kind, subject, IDENTITY, at.ports, known, make.NOW))
        assert resolution.filled == {AT_FIND: {"parentIdentifier": "p-1"}}
        assert at.aws.calls == []


class TestHowOftenIsLooked:
    @pytest.mark.parametrize(
        ("spec", "over", "since"),
        [
            pytest.param(FINDS, {"seen": START}, START, id="once it is first seen"),
            pytest.param(FINDS, {}, START - 7.5, id="soon again"),
            pytest.param(FINDS, {"waits": 30}, START - 300, id="less and less often"),
            pytest.param(
                {"find": {"creatorAccountId": make.ACCOUNT, "name": "known"}},
                {"waits": 30},
                START,
                id="at once where this cluster knows that there is a match",
            ),
        ],
    )
    async def test_lists_are_shared(
        self, spec: dict[str, Any], over: dict[str, Any], since: float
    ) -> None:
        known = make.bound(key=PARENT, spec={"name": "known"})
        at = listing(resources=(known,))
        await found(at, spec, **over)
        assert at.aws.sightings == [("ListParents", since)]
