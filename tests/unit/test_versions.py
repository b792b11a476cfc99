"""R-1: objects that share an ARN, and perhaps its tags; told apart by a version."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import make
from cleanrooms_operator.core.failure import Failure
from cleanrooms_operator.core.kind import Handle, Kind, Listing
from cleanrooms_operator.core.ownership import OWNER, Claim, Owner, SharedSignature
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document, Key, ObjectId, Resource
from cleanrooms_operator.core.step import Absent, Clash, Disproved, Hidden, Missing, Observed
from passes import Operator, present, seen
from scripted import Desk, desk, recall

VERSIONED: Kind = replace(
    make.THING,
    handle=Handle("thingArn", field="arn", version="version"),
    listing=replace(make.THING.listing, handle=("arn", "version")),
    versions=Listing("cleanrooms", "ListThingVersions", "things", handle=("arn", "version")),
)
SECOND, THIRD = Key("Thing", "a", "two"), Key("Thing", "a", "three")
SIGNED = SharedSignature(Owner("cluster-1"), make.KEY)
SIBLINGS = SharedSignature(Owner("cluster-1"), SECOND)
BASE = ObjectId(make.ARN)
VERSION = ObjectId(make.ARN, "v-2")
EARLY, LATE = make.NOW, make.NOW + timedelta(minutes=1)


def base(**over: Any) -> dict[str, Any]:
    return make.thing(createTime=EARLY, updateTime=EARLY, **over)


def version(number: str = "v-2", **over: Any) -> dict[str, Any]:
    made = make.thing(name="two", version=number, createTime=LATE, updateTime=LATE)
    return {**made, **over}


def asked(*versions: Document, tags: Document | None = None) -> Desk:
    """Return a desk at which an ARN has these versions, of which Lists and Gets show the last."""
    at = desk()
    at.aws.lists["ListThings"] = list(versions[-1:])
    at.aws.lists["ListThingVersions"] = list(versions)

    def get(parameters: Document) -> Document:
        wanted = parameters.get("version")
        found = next((v for v in versions if v.get("version") == wanted), None)
        chosen = versions[-1] if wanted is None else found
        if chosen is None:
            raise make.error(Failure.NOT_FOUND)
        return {"thing": chosen}

    at.aws.answers |= {"GetThing": get, "ListTagsForResource": {"tags": tags or {}}}
    return at


def recorded(name: ObjectId, **status: Any) -> Resource:
    made = {"identifier": name.identifier, "arn": name.identifier, "version": name.version}
    known = {"state": "LIVE", "updateTime": EARLY.isoformat(), **made, **status}
    return make.bound(status={k: v for k, v in known.items() if v is not None})


class TestSignatures:
    """Whose a version is, where the tags are those of all versions of its ARN (ER-4)."""

    @pytest.mark.parametrize(
        ("tags", "expected"),
        [
            pytest.param({}, Claim.NOBODY, id="none"),
            pytest.param({"team": "ads"}, Claim.NOBODY, id="of people"),
            pytest.param(SIGNED.tags("x"), Claim.OURS, id="this resource's"),
            pytest.param(SIGNED.marks(), Claim.OURS, id="adopted"),
            pytest.param(SIBLINGS.tags("y"), Claim.SIBLING, id="those of a sibling alone"),
            pytest.param(
                {**SIGNED.tags("x"), **SIBLINGS.tags("y")}, Claim.OURS, id="joined by a sibling's"
            ),
            pytest.param(
                SharedSignature(Owner("cluster-2"), make.KEY).tags("x"),
                Claim.ELSEWHERE,
                id="of this resource in another cluster (R-2)",
            ),
            pytest.param(
                SharedSignature(Owner("cluster-2"), SECOND).tags("x"),
                Claim.OTHER,
                id="of another cluster alone",
            ),
        ],
    )
    def test_marks_tell_whose_a_version_is(self, tags: dict[str, str], expected: Claim) -> None:
        assert SIGNED.claim(tags) is expected

    def test_what_an_earlier_cluster_signed_is_inherited(self) -> None:
        heir = SharedSignature(Owner("cluster-2", frozenset({"cluster-1"})), make.KEY)
        assert heir.claim(SIGNED.tags("x")) is Claim.INHERITED
        assert heir.claim({**SIGNED.tags("x"), **heir.marks()}) is Claim.OURS

    def test_a_mark_tells_the_attempt(self) -> None:
        assert SIGNED.is_of(SIGNED.tags("attempt-1"), "attempt-1")
        assert not SIGNED.is_of(SIGNED.tags("attempt-1"), "attempt-2")
        assert not SIGNED.is_of(SIBLINGS.tags("attempt-1"), "attempt-1")

    def test_r_3_what_is_released_is_one_object_not_the_next_of_the_resource(self) -> None:
        """A version that was deleted for good leaves its mark on the ARN of the next one."""
        made = SIGNED.tags("attempt-1")
        released = {**made, **SIGNED.release(made)}
        assert SIGNED.claim(released) is Claim.RELEASED
        assert SIGNED.claim({**released, **SIGNED.tags("attempt-2")}) is Claim.OURS
        assert SIBLINGS.claim({**released, **SIBLINGS.tags("x")}) is Claim.OURS

    def test_r_3_what_has_lost_its_mark_is_released_all_the_same(self) -> None:
        assert SIGNED.is_released(SIGNED.release({}))
        assert SIGNED.claim({**SIBLINGS.tags("y"), **SIGNED.release({})}) is Claim.RELEASED

    def test_lost_marks_are_missed_but_common_tags_are_anybodys(self) -> None:
        assert SIGNED.missing({**SIGNED.tags("x"), **SIBLINGS.tags("y")}) == {}
        assert SIGNED.missing(SIBLINGS.tags("y")) == SIGNED.marks()

    def test_er_4_a_versions_own_mark_and_what_was_written_on_the_arn_are_joined(self) -> None:
        heir = SharedSignature(Owner("cluster-2", frozenset({"cluster-1"})), make.KEY)
        inherited, made = SIGNED.tags("x"), heir.tags("y")
        assert heir.claim(heir.joined(heir.marks(), inherited)) is Claim.OURS
        of_arn = {**heir.marks(), **heir.release(heir.marks())}
        assert heir.claim(heir.joined(of_arn, inherited)) is Claim.RELEASED
        assert heir.claim(heir.joined(of_arn, made)) is Claim.OURS

    def test_the_tags_of_people_are_those_of_the_arn(self) -> None:
        signed = make.SIGNATURE
        assert signed.joined({"team": "b"}, {"team": "a"}) == {"team": "b"}

    def test_the_keys_are_valid_and_at_most_six(self) -> None:
        """R-3: users have 44 of the 50 tags that AWS allows."""
        made = SIGNED.tags("x")
        keys = {*made, *SIGNED.release(made)}
        assert len(keys) == 6
        assert all(len(key) <= 128 for key in keys)


class TestState:
    """Whatever a List or a Get without a version answers for: it is not taken for another."""

    async def test_what_the_list_shows_itself_costs_no_further_call(self) -> None:
        at = asked(base(), version())
        resource = recorded(VERSION, updateTime=LATE.isoformat())
        found = present(await seen(at, resource, kind=VERSIONED))
        assert found.name == VERSION
        assert [operation for operation, _ in at.aws.sightings] == ["ListThings"]
        assert at.aws.calls == []

    async def test_a_base_with_versions_is_seen_in_the_list_of_them(self) -> None:
        at = asked(base(), version(status="BAKING"))
        found = present(await seen(at, recorded(BASE), kind=VERSIONED))
        assert (found.name, found.state) == (BASE, "LIVE")
        assert [operation for operation, _ in at.aws.sightings] == [
            "ListThings",
            "ListThingVersions",
        ]
        assert at.aws.calls == []

    async def test_its_details_are_not_those_of_the_latest_version(self) -> None:
        at = asked(base(), version(color="blue"), tags=SIGNED.tags("x"))
        found = present(await seen(at, recorded(BASE), recall(stale=True), VERSIONED))
        assert found.details is not None
        assert found.details.fields["color"] == "red"
        assert found.claim is Claim.OURS

    async def test_the_only_object_of_an_arn_is_read_by_get(self) -> None:
        at = asked(base(tags=SIGNED.tags("x")))
        found = present(await seen(at, recorded(BASE), recall(stale=True), VERSIONED))
        assert found.claim is Claim.OURS
        assert at.aws.operations == ["GetThing"], "which shows the tags too"

    async def test_op_17_a_version_is_named_in_every_call(self) -> None:
        at = asked(base(), version(), tags=SIGNED.tags("x"))
        await seen(at, recorded(VERSION), recall(stale=True), VERSIONED)
        assert at.aws.sent("GetThing") == [{"thingArn": make.ARN, "version": "v-2"}]

    async def test_a_version_that_is_not_there_is_missing_though_its_arn_is(self) -> None:
        at = asked(base())
        gone = recorded(VERSION)
        found = await seen(at, gone, recall(stale=True, missed=10.0), VERSIONED)
        assert found == Missing(f"{make.ARN}#v-2", proved=True)

    async def test_a_base_that_no_list_of_versions_shows_is_missing(self) -> None:
        at = asked(version())
        found = await seen(at, recorded(BASE), recall(stale=True, missed=10.0), VERSIONED)
        assert found == Missing(make.ARN, proved=True)

    async def test_an_arn_that_is_not_listed_is_not_asked_about(self) -> None:
        at = asked(base())
        at.aws.lists["ListThings"] = []
        at.aws.answers["GetThing"] = make.error(Failure.NOT_FOUND)
        found = await seen(at, recorded(BASE), recall(stale=True, missed=10.0), VERSIONED)
        assert found == Missing(make.ARN, proved=True)
        assert {operation for operation, _ in at.aws.sightings} == {"ListThings"}


class TestByName:
    """Nothing is recorded, as after a restore."""

    async def test_a_base_is_found_behind_its_versions(self) -> None:
        tags = {**SIGNED.tags("x"), **SIBLINGS.tags("y")}
        at = asked(base(), version(), tags=tags)
        found = present(await seen(at, make.resource(), kind=VERSIONED))
        assert (found.name, found.claim, found.bound) == (BASE, Claim.OURS, False)

    async def test_er_4_a_base_whose_mark_a_version_has_replaced_is_found_by_name(self) -> None:
        at = asked(base(), version(), tags=SIBLINGS.tags("y"))
        found = present(await seen(at, make.resource(), kind=VERSIONED))
        assert (found.name, found.claim) == (BASE, Claim.INHERITED)

    async def test_er_4_where_none_is_lost_a_namesake_without_our_mark_is_anothers(self) -> None:
        tags = {**SIBLINGS.tags("y"), **SharedSignature(Owner("cluster-1"), THIRD).tags("z")}
        assert await seen(asked(base(), version(), tags=tags), make.resource(), kind=VERSIONED) == (
            Absent()
        )

    async def test_r_2_what_another_clusters_version_has_replaced_is_perhaps_its_own(self) -> None:
        tags = SharedSignature(Owner("cluster-2"), SECOND).tags("y")
        clash = await seen(asked(base(), version(), tags=tags), make.resource(), kind=VERSIONED)
        assert isinstance(clash, Clash)
        assert clash.reason is Reason.OWNED_ELSEWHERE
        assert "cluster-2" in clash.message

    async def test_a_person_may_want_another_beside_it(self) -> None:
        beside = make.resource(annotations=make.annotations(external_id="none"))
        at = asked(base(), version(), tags=SIBLINGS.tags("y"))
        assert await seen(at, beside, kind=VERSIONED) == Absent()

    async def test_er_4_a_version_is_known_by_tags_that_only_its_own_get_shows(self) -> None:
        second = make.resource(key=SECOND)
        at = asked(base(), version(tags=SIBLINGS.tags("y")), tags=SIGNED.tags("x"))
        found = present(await seen(at, second, kind=VERSIONED))
        assert (found.name, found.claim) == (VERSION, Claim.OURS)

    async def test_of_two_versions_of_one_resource_the_later_is_meant(self) -> None:
        """The earlier was deleted for good, and its record is left."""
        made = SIBLINGS.tags("y-1")
        tags = {**made, **SIBLINGS.release(made), **SIBLINGS.tags("y-2")}
        later = version("v-3", createTime=LATE + timedelta(minutes=1))
        at = asked(base(), later, version(status="OVER"), tags=tags)
        found = present(await seen(at, make.resource(key=SECOND), kind=VERSIONED))
        assert found.version == "v-3"

    async def test_what_another_resource_has_recorded_is_told_by_its_version(self) -> None:
        at = asked(base(), version(), tags=SIGNED.tags("x"))
        at.cluster.resources[SECOND] = replace(recorded(VERSION), key=SECOND)
        assert present(await seen(at, make.resource(), kind=VERSIONED)).name == BASE

    async def test_two_arns_with_siblings_are_not_guessed_between(self) -> None:
        at = asked(base(), version(), tags=SIBLINGS.tags("y"))
        other = make.ARN + "-2"
        at.aws.lists["ListThingVersions"] += [base(arn=other), version("v-9", arn=other)]
        clash = await seen(at, make.resource(), kind=VERSIONED)
        assert isinstance(clash, Clash)
        assert clash.reason is Reason.ADOPTION_CONFLICT
        assert other in clash.message


class TestAttempts:
    async def found(self, at: Desk, **attempt: Any) -> Observed:
        status = {"attempt": {"id": "attempt-1", "name": "two", **attempt}}
        resource = make.resource(key=SECOND, status=status, spec={"name": "two"})
        memory = recall(attempt="attempt-1", attempt_since=0.0)
        return await seen(at, resource, memory, VERSIONED)

    async def test_what_it_made_is_found_by_its_mark(self) -> None:
        at = asked(base(), version(), tags=SIBLINGS.tags("attempt-1"))
        assert present(await self.found(at)).name == VERSION

    async def test_a_version_outside_the_baseline_is_ours_where_its_mark_is_lost(self) -> None:
        at = asked(base(), version("v-1"), version(), tags=SIGNED.tags("x"))
        found = await self.found(at, baseline=[f"{make.ARN}#v-1"])
        assert present(found).name == VERSION

    async def test_a_version_of_the_baseline_is_not_what_it_made(self) -> None:
        """Its mark is on the ARN, but the attempt came to nothing."""
        at = asked(base(), version(), tags=SIBLINGS.tags("attempt-1"))
        assert await self.found(at, baseline=[str(VERSION)]) == Disproved(unsent=False)

    async def test_a_create_records_the_versions_of_its_name_that_are_there(self) -> None:
        tags = SIGNED.tags("x")
        operator = Operator(make.resource(), kind=VERSIONED)
        at = asked(base(), version(), tags={**tags, **SIGNED.release(tags)})
        operator.aws.lists |= at.aws.lists
        operator.aws.answers |= at.aws.answers
        operator.aws.answers["CreateThing"] = {"thing": version("v-3")}
        await operator.look()
        written = next(c["attempt"] for c in operator.changes if "attempt" in c)
        assert written["baseline"] == [make.ARN]
        (sent,) = operator.aws.sent("CreateThing")
        assert sent["tags"] == SIGNED.tags(written["id"])
        assert operator.status["identifier"] == make.ARN
        assert operator.status["version"] == "v-3"


class TestEnding:
    @pytest.mark.parametrize("name", [BASE, VERSION], ids=["base", "version"])
    async def test_op_17_it_is_released_and_deleted_by_its_version(self, name: ObjectId) -> None:
        resource = replace(recorded(name), deleted=make.NOW)
        operator = Operator(resource, kind=VERSIONED)
        tags = {**SIGNED.tags("x"), **SIBLINGS.tags("y")}
        at = asked(base(), version(), tags=tags)
        operator.aws.lists |= at.aws.lists
        operator.aws.answers |= at.aws.answers
        await operator.look()
        (marked,) = operator.aws.sent("TagResource")
        assert marked == {"resourceArn": make.ARN, "tags": SIGNED.release(tags)}
        operator.aws.answers["ListTagsForResource"] = {"tags": {**tags, **marked["tags"]}}
        await operator.look()
        assert operator.aws.sent("DeleteThing") == [VERSIONED.handle.naming(name)]


class TestByWord:
    """R-35: `external-id: <arn>[#<version>]`."""

    @pytest.mark.parametrize("name", [BASE, VERSION], ids=["base", "version"])
    async def test_a_version_is_named_after_its_arn(self, name: ObjectId) -> None:
        at = asked(base(), version())
        told = make.resource(annotations=make.annotations(external_id=str(name)))
        assert present(await seen(at, told, kind=VERSIONED)).name == name

    async def test_a_version_that_does_not_exist_is_waited_for(self) -> None:
        at = asked(base())
        told = make.resource(annotations=make.annotations(external_id=str(VERSION)))
        found = await seen(at, told, kind=VERSIONED)
        assert isinstance(found, Hidden)
        assert str(VERSION) in found.message

    async def test_the_version_of_another_resource_is_not_taken(self) -> None:
        at = asked(base(), version())
        at.cluster.resources[SECOND] = replace(recorded(VERSION), key=SECOND)
        told = make.resource(annotations=make.annotations(external_id=str(VERSION)))
        assert isinstance(await seen(at, told, kind=VERSIONED), Clash)
        beside = make.resource(annotations=make.annotations(external_id=str(BASE)))
        assert present(await seen(at, beside, kind=VERSIONED)).name == BASE


def test_the_hash_tells_resources_apart() -> None:
    keys = {key for key in (*SIGNED.tags("x"), *SIBLINGS.tags("x")) if key.startswith(f"{OWNER}.")}
    assert len(keys) == 2


def test_what_a_resource_records_is_its_own_where_its_mark_is_lost() -> None:
    assert SIGNED.claim_recorded(SIBLINGS.tags("y")) is Claim.OURS
    others = SharedSignature(Owner("cluster-2"), make.KEY)
    assert SIGNED.claim_recorded(others.tags("y")) is Claim.ELSEWHERE
