"""From a spec with references to the parameters of a create call, or to what is missing."""

from typing import Any, ClassVar

import pytest

import make
from cleanrooms_operator.core import references
from cleanrooms_operator.core.account import DEFINITION
from cleanrooms_operator.core.references import Missing, Named
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.core.values import Reference
from cleanrooms_operator.kinds import BY_NAME

PARENT, OTHER = Key("Parent", "a", "p"), Key("Parent", "a", "q")
REFERENCE = Named(("parentRef",), Reference("Parent", {"parentIdentifier": "identifier"}), PARENT)


def parent(**over: Any) -> Resource:
    return make.bound(**{"key": PARENT} | over)


class TestAccounts:
    @pytest.mark.parametrize(
        ("spec", "expected"),
        [
            pytest.param({}, "default", id="the one named default"),
            pytest.param({"accountRef": {"name": "other"}}, "other", id="the one that is named"),
        ],
    )
    def test_every_resource_uses_one_of_its_namespace(
        self, spec: dict[str, Any], expected: str
    ) -> None:
        assert references.account_of(make.resource(spec=spec)) == Key("AWSAccount", "a", expected)


class TestNames:
    def test_a_reference_names_a_resource_of_the_same_namespace(self) -> None:
        subject = make.resource(spec={"parentRef": {"name": "p"}})
        assert references.named(make.kind(), subject) == (REFERENCE,)

    @pytest.mark.parametrize("spec", [{}, {"parentRef": None}, {"parentIdentifier": "p-1"}])
    def test_what_is_left_out_names_nothing(self, spec: dict[str, Any]) -> None:
        assert references.named(make.kind(), make.resource(spec=spec)) == ()

    def test_a_resource_of_a_membership_acts_in_its_account(self) -> None:
        subject = make.resource(spec={"membershipRef": {"name": "m"}})
        assert references.account_of(subject) is None
        assert references.membership_of(subject) == Key("Membership", "a", "m")
        assert references.membership_of(make.resource()) is None

    def test_names_are_found_at_any_depth(self) -> None:
        spec = {
            "parts": [{"weight": 1}, {"parentRef": {"name": "q"}}],
            "main": {"parentRef": {"name": "r"}},
            "friendRefs": [{"name": "s"}, {"name": "t"}],
        }
        found = references.named(make.kind(), make.resource(spec=spec))
        assert {one.path: one.key.name for one in found} == {
            ("parts", 1, "parentRef"): "q",
            ("main", "parentRef"): "r",
            ("friendRefs", 0): "s",
            ("friendRefs", 1): "t",
        }

    def test_a_place_is_told_as_people_write_it(self) -> None:
        spec = {"parts": [{"find": {"name": "x"}}]}
        [one] = references.stand_ins(make.kind(), make.resource(spec=spec))
        assert str(one) == "parts[0].find"


class TestReferents:
    def test_one_that_is_ready_fills_its_parameter(self) -> None:
        filled, missing = references.resolved((REFERENCE,), {PARENT: parent()})
        assert (filled, missing) == ({("parentRef",): {"parentIdentifier": "id-1"}}, [])

    @pytest.mark.parametrize(
        ("referent", "problem"),
        [
            pytest.param(None, "does not exist in this namespace", id="there is none"),
            pytest.param(parent(deleted=make.NOW), "is being deleted", id="it is going"),
            pytest.param(make.resource(key=PARENT), PARENT, id="nobody has seen it yet"),
            pytest.param(
                parent(status={"conditions": [make.condition("Ready", "False")]}),
                PARENT,
                id="it says so itself",
            ),
            pytest.param(parent(generation=make.GENERATION + 1), PARENT, id="it was edited since"),
            pytest.param(
                parent(status={"identifier": None}), PARENT, id="it has nothing to fill in"
            ),
            pytest.param(
                parent(status={"conditions": [make.condition("Ready"), make.condition("Expired")]}),
                "has expired",
                id="it is of no use to whoever is new (R-36)",
            ),
        ],
    )
    def test_one_that_is_not_is_told(self, referent: Resource | None, problem: Missing) -> None:
        filled, [missing] = references.resolved((REFERENCE,), {PARENT: referent})
        assert filled == {}
        if isinstance(problem, Key):
            assert missing == problem
        else:
            assert missing == f"{PARENT} {problem}"

    def test_r_23_what_may_have_been_applied_together_is_not_said_to_be_missing(self) -> None:
        _, told = references.resolved((REFERENCE,), {PARENT: None}, by_new=True)
        assert told == references.resolved((REFERENCE,), {PARENT: make.resource(key=PARENT)})[1]

    @pytest.mark.parametrize(
        ("missing", "before", "told"),
        [
            ([PARENT], "", "Waits for Parent/p to be ready"),
            ([PARENT, OTHER], "", "Waits for Parent/p, Parent/q to be ready"),
            ([OTHER], "Waits for Parent/p, Parent/q to be ready", None),
            ([PARENT, OTHER], "Waits for Parent/p to be ready", "Waits for Parent/p, Parent/q to"),
            (
                [PARENT, "x is gone"],
                "Waits for Parent/p to be ready",
                "x is gone; Waits for Parent",
            ),
            (
                [PARENT],
                "x is gone; Waits for Parent/p to be ready",
                "Waits for Parent/p to be ready",
            ),
        ],
    )
    def test_r_23_what_is_waited_for_is_told_once(
        self, missing: list[Missing], before: str, told: str | None
    ) -> None:
        assert references.told(missing, before).startswith(before if told is None else told)

    def test_all_that_is_missing_is_told(self) -> None:
        to_other = Reference("Parent", {"other": "identifier"})
        other = Named(("otherRef",), to_other, Key("Parent", "a", "q"))
        filled, missing = references.resolved(
            (REFERENCE, other), {PARENT: None, other.key: parent()}
        )
        assert filled == {("otherRef",): {"other": "id-1"}}
        assert len(missing) == 1


class TestRecords:
    """Referents may go before what was made of them: then the record stands in for them."""

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            pytest.param({}, {}, id="nothing was made"),
            pytest.param(
                {"attempt": {"scope": {"parentIdentifier": "p-1"}}},
                {"parentIdentifier": "p-1"},
                id="by the attempt",
            ),
            pytest.param(
                {"parentIdentifier": "p-2"}, {"parentIdentifier": "p-2"}, id="by the status"
            ),
            pytest.param(
                {"attempt": {"scope": {"parentIdentifier": "p-1"}}, "parentIdentifier": "p-2"},
                {"parentIdentifier": "p-1"},
                id="an open attempt knows best",
            ),
            pytest.param({"attempt": {"id": "x"}}, {}, id="an attempt without a scope"),
        ],
    )
    def test_what_was_resolved_is_known(
        self, status: dict[str, Any], expected: dict[str, str]
    ) -> None:
        assert references.recorded(make.kind(), make.resource(status=status)) == expected

    def test_what_the_status_has_room_for_is_kept(self) -> None:
        assert references.recordable(make.kind()) == {"parentIdentifier"}
        assert references.recordable(BY_NAME["Membership"]) == {"collaborationIdentifier"}
        assert references.recordable(BY_NAME["Collaboration"]) == frozenset()

    def test_what_is_kept_in_part_only_is_not_known(self) -> None:
        """Else a model might be named by a record of its ARN, without its version."""
        status = {"parentIdentifier": "p-1"}
        both = {"parentRef": {"name": "p"}, "find": {"name": "x"}, "main": {"find": {"name": "y"}}}
        subject = make.resource(spec=both, status=status)
        open_ = references.unrecorded(make.kind(), subject)
        assert [str(one) for one in open_] == ["find", "main.find"]

    def test_some_kinds_name_nothing(self) -> None:
        names = {name for name, kind in BY_NAME.items() if references.names_anything(kind)}
        assert "Membership" in names
        assert "Collaboration" not in names


class TestNestedParameters:
    SPEC: ClassVar[dict[str, Any]] = {
        "parts": [
            {"parentRef": {"name": "p"}, "weight": 1},
            {"parentIdentifier": "p-9"},
        ],
        "main": {"find": {"name": "x"}},
        "friendRefs": [{"name": "q"}, {"name": "r"}],
    }
    FILLED: ClassVar[dict[references.Path, dict[str, str]]] = {
        ("parts", 0, "parentRef"): {"parentIdentifier": "p-1", "parentVersion": "v-1"},
        ("main", "find"): {"parentIdentifier": "p-2"},
        ("friendRefs", 0): {"friends": "p-3"},
        ("friendRefs", 1): {"friends": "p-4"},
    }

    def test_what_is_named_is_filled_in_where_it_stands(self) -> None:
        subject = make.resource(spec=self.SPEC)
        assert references.parameters(make.kind(), subject, self.FILLED) == {
            "name": "one",
            "parts": [
                {"parentIdentifier": "p-1", "parentVersion": "v-1", "weight": 1},
                {"parentIdentifier": "p-9"},
            ],
            "main": {"parentIdentifier": "p-2"},
            "friends": ["p-3", "p-4"],
        }

    @pytest.mark.parametrize("path", FILLED)
    def test_a_parameter_of_which_anything_is_unknown_is_left_out(
        self, path: references.Path
    ) -> None:
        filled = {one: values for one, values in self.FILLED.items() if one != path}
        whole = references.parameters(make.kind(), make.resource(spec=self.SPEC), self.FILLED)
        made = references.parameters(make.kind(), make.resource(spec=self.SPEC), filled)
        [left_out] = whole.keys() - made.keys()
        assert left_out == {"friendRefs": "friends"}.get(str(path[0]), path[0])

    def test_an_empty_structure_is_none(self) -> None:
        made = references.parameters(make.kind(), make.resource(spec={"main": None}), {})
        assert made == {"name": "one", "main": None}


class TestParameters:
    @pytest.mark.parametrize(
        ("spec", "filled", "expected"),
        [
            pytest.param({}, {}, {"name": "one"}, id="the name is the resource's by default"),
            pytest.param({"name": "x"}, {}, {"name": "x"}, id="or what the spec says"),
            pytest.param(
                {
                    "color": "red",
                    "tags": {"a": "1"},
                    "accountRef": {"name": "x"},
                    "deletionPolicy": "Retain",
                    "parentRef": {"name": "p"},
                },
                {("parentRef",): {"parentIdentifier": "p-1"}},
                {"name": "one", "color": "red", "parentIdentifier": "p-1"},
                id="what is the operator's own is not sent, and references are what they name",
            ),
        ],
    )
    def test_a_create_call_gets_what_the_spec_says(
        self, spec: dict[str, Any], filled: dict[str, str], expected: dict[str, Any]
    ) -> None:
        made = references.parameters(make.kind(), make.resource(spec=spec), filled)
        assert made == expected

    def test_what_has_no_name_in_aws_gets_none(self) -> None:
        subject = make.resource(spec={"queryLogStatus": "ENABLED", "invitation": {"name": "ads"}})
        made = references.parameters(BY_NAME["Membership"], subject, {})
        assert made == {"queryLogStatus": "ENABLED"}

    def test_a_kind_with_a_spec_of_its_own_making_sends_all_of_it(self) -> None:
        kind = make.kind(definition=DEFINITION)
        assert references.parameters(kind, make.resource(spec={"region": "x"}), {}) == {
            "region": "x"
        }
