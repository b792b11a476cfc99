"""What would bring a present object in line with its spec, and what is told of the rest."""

from typing import Any

import pytest

import make
from cleanrooms_operator.core import converge
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.ownership import OWNER, RELEASED
from cleanrooms_operator.core.step import Apply, Change, Drift, InSync, Present

UPKEEP = Change("cleanrooms", "PutExtra", {}, (Drift("extra.x", "1", "2"),))


def pending(
    observed: Present, spec: dict[str, Any], status: dict[str, Any] | None = None, **kind: Any
) -> list[Change]:
    situation = make.situation(observed, resource=make.bound(spec=spec, status=status or {}))
    return list(converge.pending(make.kind(**kind), situation, observed))


def shown(tags: dict[str, str] | None = None, **fields: Any) -> Present:
    return make.present(details=make.details(tags, fields=fields))


class TestFields:
    @pytest.mark.parametrize(
        ("spec", "fields", "expected"),
        [
            pytest.param({}, {"color": "red"}, None, id="what the spec leaves out is AWS's"),
            pytest.param({"color": "red"}, {"color": "red"}, None, id="what is so already"),
            pytest.param(
                {"color": "red", "labels": ["a"]},
                {"color": "blue", "labels": ["a"]},
                {"color": "red"},
                id="what differs is sent, and nothing else",
            ),
            pytest.param(
                {"labels": ["a", "b"]}, {"labels": ["b", "a"]}, None, id="sets have no order"
            ),
            pytest.param(
                {"labels": ["a", "b"]},
                {"labels": ["a"]},
                {"labels": ["a", "b"]},
                id="a set is sent whole",
            ),
            pytest.param(
                {"size": "big", "votes": ["x"]},
                {"extent": "small", "votes": []},
                None,
                id="what no update takes is not sent",
            ),
        ],
    )
    def test_an_update_sends_what_differs(
        self, spec: dict[str, Any], fields: dict[str, Any], expected: dict[str, Any] | None
    ) -> None:
        changes = pending(shown(**fields), spec)
        sent = [c.parameters for c in changes if c.operation == "UpdateThing"]
        assert sent == ([] if expected is None else [{"thingIdentifier": "id-1", **expected}])

    def test_a_field_is_compared_under_the_name_of_the_answer(self) -> None:
        [change] = pending(shown(hue="blue"), {"color": "red"}, answered_as={"color": "hue"})
        assert change.parameters == {"thingIdentifier": "id-1", "color": "red"}
        assert change.drift == (Drift("color", "red", "blue"),)

    def test_a_kind_without_an_update_changes_its_tags_alone(self) -> None:
        changes = pending(shown(color="blue"), {"color": "red", "tags": {"a": "1"}}, update=None)
        assert [change.operation for change in changes] == ["TagResource"]

    def test_nothing_is_concluded_from_what_was_not_read(self) -> None:
        assert pending(make.present(details=None), {"color": "blue"}, upkeep=(_upkeep,)) == []


class TestTags:
    def test_missing_and_differing_tags_are_set_in_one_call(self) -> None:
        spec = {"tags": {"same": "1", "other": "2", "new": "3"}}
        [change] = pending(shown({"same": "1", "other": "x", "theirs": "y"}), spec)
        assert change.operation == "TagResource"
        assert change.parameters == {
            "resourceArn": make.ARN,
            "tags": {"other": "2", "new": "3"},
        }
        assert change.drift == (Drift("tags[other]", "2", "x"), Drift("tags[new]", "3", None))

    def test_what_is_set_is_written_down_first_so_that_it_can_be_taken_away(self) -> None:
        spec = {"tags": {"old": "1", "new": "3"}}
        [change] = pending(shown({"old": "1"}), spec, {"tagKeys": ["gone", "old"]})
        assert change.record == {"tagKeys": ["gone", "new", "old"]}

    @pytest.mark.parametrize(
        ("ours_before", "on_it", "wanted", "expected"),
        [
            pytest.param(["a"], {"a": "1"}, {"a": "1"}, ["a"], id="what we set"),
            pytest.param([], {"a": "1"}, {"a": "1"}, ["a"], id="what was as the spec wants it"),
            pytest.param(["a"], {"a": "1"}, {}, ["a"], id="what is to be taken away yet"),
            pytest.param(["a"], {}, {}, [], id="not what is gone: another may set it now"),
            pytest.param(["a"], {}, {"a": "1"}, ["a"], id="what AWS does not let us set yet"),
            pytest.param([], {"b": "1"}, {}, [], id="not what others set"),
        ],
    )
    def test_the_keys_on_the_object_that_are_ours_are_known(
        self,
        ours_before: list[str],
        on_it: dict[str, str],
        wanted: dict[str, str],
        expected: list[str],
    ) -> None:
        subject = make.bound(spec={"tags": wanted}, status={"tagKeys": ours_before})
        assert converge.tag_keys(subject, make.details(on_it)) == expected

    def test_our_own_are_set_again_and_are_nobodys_drift(self) -> None:
        stripped = {k: v for k, v in make.owner_tags().items() if k != OWNER}
        observed = make.present(details=make.details(tags=stripped))
        [change] = pending(observed, {})
        assert change.parameters["tags"] == {OWNER: "cluster-1"}
        assert change.drift == ()
        assert not change.record

    @pytest.mark.parametrize(
        ("ours_before", "on_it", "wanted", "expected"),
        [
            pytest.param(["a"], {"a": "1"}, {}, ["a"], id="what the spec had and has no more goes"),
            pytest.param([], {"a": "1"}, {}, [], id="what others set stays"),
            pytest.param(["a"], {}, {}, [], id="what is gone already needs no call"),
            pytest.param(["a"], {"a": "1"}, {"a": "1"}, [], id="what is wanted stays"),
            pytest.param(
                ["b", "a"], {"a": "1", "b": "2", "c": "3"}, {}, ["a", "b"], id="one call for all"
            ),
        ],
    )
    def test_tags_are_taken_away(
        self,
        ours_before: list[str],
        on_it: dict[str, str],
        wanted: dict[str, str],
        expected: list[str],
    ) -> None:
        changes = pending(shown(on_it), {"tags": wanted}, {"tagKeys": ours_before})
        keys = [key for c in changes for key in c.parameters["tagKeys"]]
        assert keys == expected
        assert len(changes) <= 1
        leaves = [leaf for change in changes for leaf in change.drift]
        assert leaves == [Drift(f"tags[{key}]", None, on_it[key]) for key in expected]


def _upkeep(*_: object) -> Change:
    return UPKEEP


def _no_upkeep(*_: object) -> None:
    return None


class TestOrder:
    SPEC = {"color": "red", "size": "big", "tags": {"new": "1"}}  # noqa: RUF012  never changed
    OBSERVED = shown({"old": "1"}, color="blue", extent="small")
    KIND = {"upkeep": (_no_upkeep, _upkeep)}  # noqa: RUF012  never changed

    def test_one_change_at_a_time_the_kinds_own_last(self) -> None:
        changes = pending(self.OBSERVED, self.SPEC, {"tagKeys": ["old"]}, **self.KIND)
        assert [change.operation for change in changes] == [
            "UpdateThing",
            "TagResource",
            "UntagResource",
            "PutExtra",
        ]
        situation = make.situation(self.OBSERVED, resource=make.bound(spec=self.SPEC))
        first = converge.next_step(make.kind(**self.KIND), situation, self.OBSERVED)
        assert first == Apply(changes[0], self.OBSERVED)

    def test_no_change_is_harmony(self) -> None:
        observed = shown(color="red")
        situation = make.situation(observed)
        assert converge.next_step(make.kind(), situation, observed) == InSync(observed)

    def test_drift_tells_of_all_that_differs(self) -> None:
        kind = make.kind(**self.KIND, unapplied=lambda *_: (Drift("votes", "x", None),))
        assert [leaf.path for leaf in _drift(kind, self.OBSERVED, self.SPEC)] == [
            "color",
            "tags[new]",
            "extra.x",
            "size",
            "votes",
        ]


def _drift(kind: Kind, observed: Present, spec: dict[str, Any]) -> tuple[Drift, ...]:
    situation = make.situation(observed, resource=make.bound(spec=spec))
    return converge.drift(kind, situation, observed)


class TestWhatCannotBeChanged:
    @pytest.mark.parametrize(
        ("spec", "fields", "expected"),
        [
            pytest.param(
                {"size": "big"},
                {"extent": "small"},
                (Drift("size", "big", "small"),),
                id="a frozen parameter that differs is told, by the name that the spec has",
            ),
            pytest.param({"size": "big"}, {}, (), id="what AWS does not show is not known"),
            pytest.param(
                {"votes": ["x"]}, {"votes": []}, (), id="what others must agree to is the kind's"
            ),
            pytest.param(
                {"extra": {"x": "1"}}, {"extra": {}}, (), id="what another call takes is the kind's"
            ),
        ],
    )
    def test_it_is_told(
        self, spec: dict[str, Any], fields: dict[str, Any], expected: tuple[Drift, ...]
    ) -> None:
        assert _drift(make.kind(), shown(**fields), spec) == expected

    def test_what_was_not_read_is_not_drift(self) -> None:
        assert _drift(make.kind(), make.present(details=None), {"size": "big"}) == ()


class TestClaims:
    def test_an_object_gets_our_tags(self) -> None:
        step = converge.claim(make.situation(make.present()), make.present())
        assert isinstance(step, Apply)
        assert step.change.parameters == {"resourceArn": make.ARN, "tags": make.owner_tags()}

    def test_a_deleted_objects_mark_is_taken_away(self) -> None:
        step = converge.revive(make.situation(make.present()), make.present())
        assert isinstance(step, Apply)
        assert step.change.parameters == {"resourceArn": make.ARN, "tagKeys": [RELEASED]}
