"""References of a spec, resolved against the cluster and against what others made in AWS."""

from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core.kind import Listing, Lookup
from cleanrooms_operator.core.ownership import Owner
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.core.step import Stall, Wait
from cleanrooms_operator.runtime.resolve import Search, resolve
from scripted import IDENTITY, START, Desk, desk, recall

PARENT = Key("Parent", "a", "p")
FIND = Lookup(
    field="find",
    listing=Listing("cleanrooms", "ListParents", "parents"),
    fills="parentIdentifier",
    source="id",
    matches=lambda wanted, shown: bool(wanted["name"] == shown["name"]),
    ours="thingArn",
    missing=lambda wanted: f"nobody made {wanted['name']}",
    is_expected=lambda wanted, _neighbours: bool(wanted["name"] == "known"),
)
FINDS = {"find": {"name": "x"}}


async def found(at: Desk, spec: dict[str, Any], **over: Any) -> Any:
    """Return what a Thing's references are resolved to."""
    waits = over.pop("waits", 0)
    seen = over.pop("seen", START - 600)
    return await resolve(
        Search(
            make.kind(lookups=(FIND,)),
            make.resource(spec=spec, **over),
            IDENTITY,
            at.ports,
            recall(waits=waits, seen=seen),
            {},
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
        assert await found(at, {"parentRef": {"name": "p"}}) == {"parentIdentifier": "id-1"}

    async def test_one_that_is_missing(self) -> None:
        step = await found(desk(), {"parentRef": {"name": "p"}})
        assert isinstance(step, Wait)
        assert step.reason is Reason.DEPENDENCY_NOT_READY

    async def test_a_literal_needs_no_look(self) -> None:
        assert await found(desk(), {"parentIdentifier": "p-1"}) == {}

    async def test_what_is_recorded_is_not_asked_again(self) -> None:
        """Referents may go first."""
        recorded = {"parentIdentifier": "p-1"}
        assert await found(desk(), {"parentRef": {"name": "p"}}, status=recorded) == recorded


class TestLookups:
    async def test_the_only_match(self) -> None:
        at = listing({"id": "p-1"}, {"id": "p-2", "name": "y"})
        assert await found(at, FINDS) == {"parentIdentifier": "p-1"}
        assert at.aws.calls == []

    async def test_no_match_is_waited_for(self) -> None:
        step = await found(listing({"id": "p-1", "name": "y"}), FINDS)
        assert step == Wait(Reason.DEPENDENCY_NOT_READY, "nobody made x")

    async def test_several_are_listed_and_none_is_guessed(self) -> None:
        step = await found(listing({"id": "p-2"}, {"id": "p-1"}), FINDS)
        assert isinstance(step, Stall)
        assert step.reason is Reason.AMBIGUOUS
        assert "p-1, p-2" in step.message
        assert "`parentIdentifier`" in step.message

    @pytest.mark.parametrize("owner", ["cluster-1", "cluster-0"])
    async def test_of_several_the_one_that_we_are_in_wins(self, owner: str) -> None:
        """R-4: one we already hold a tagged object of, also one that we inherit."""
        tags = [{"tags": {}}, {"tags": make.owner_tags(owner=owner)}]
        at = listing({"id": "p-1", "thingArn": "a"}, {"id": "p-2", "thingArn": "b"}, tags=tags)
        owners = Owner("cluster-1", inherits=frozenset({"cluster-0"}))
        at.ports = replace(at.ports, policy=replace(at.ports.policy, owner=owners))
        assert await found(at, FINDS) == {"parentIdentifier": "p-2"}

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
        assert isinstance(await found(at, FINDS), Stall)


class TestHowOftenIsLooked:
    @pytest.mark.parametrize(
        ("spec", "over", "since"),
        [
            pytest.param(FINDS, {"seen": START}, START, id="once it is first seen"),
            pytest.param(FINDS, {}, START - 7.5, id="soon again"),
            pytest.param(FINDS, {"waits": 30}, START - 300, id="less and less often"),
            pytest.param(
                {"find": {"name": "known"}},
                {"waits": 30},
                START,
                id="at once where this cluster knows that there is a match",
            ),
        ],
    )
    async def test_lists_are_shared(
        self, spec: dict[str, Any], over: dict[str, Any], since: float
    ) -> None:
        at = listing()
        await found(at, spec, **over)
        assert at.aws.sightings == [("ListParents", since)]
