"""Shapes of AWS's model become schemas that are bounded, described, and said in RE2."""

import re

import pytest

from cleanrooms_operator.core import cel, prose
from cleanrooms_operator.core.shape import Shape, UnboundedError, pattern, schema

PRINTABLE = r"(?!\s*$)[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDBFF-\uDC00\uDFFF\t]*"
TEXT = Shape("string", "Text", max=9)


def messages(made: dict[str, object]) -> list[str]:
    return [rule["message"] for rule in made["x-kubernetes-validations"]]


class TestShapes:
    def test_a_text_keeps_its_lengths_and_its_pattern_which_is_of_the_whole_text(self) -> None:
        shape = Shape("string", documentation="<p>A name.</p>", min=1, max=9, pattern="[a-z]+")
        assert schema(shape) == {
            "type": "string",
            "description": "A name.",
            "minLength": 1,
            "maxLength": 9,
            "pattern": "^[a-z]+$",
        }

    def test_a_text_without_a_maximum_is_refused(self) -> None:
        with pytest.raises(UnboundedError, match="Endless has no maximum"):
            schema(Shape("string", "Endless"))

    def test_an_enumeration_is_kept(self) -> None:
        assert schema(Shape("string", enum=("ON", "OFF"))) == {
            "type": "string",
            "enum": ["ON", "OFF"],
        }

    def test_an_enumeration_that_aws_extends_often_is_not_repeated(self) -> None:
        made = schema(Shape("string", "SupportedS3Region", enum=("eu-west-1",)))
        assert "enum" not in made
        assert re.search(made["pattern"], "mx-central-1")

    def test_a_list_of_an_enumeration_is_a_set_no_longer_than_the_enumeration(self) -> None:
        made = schema(Shape("list", item=Shape("string", enum=("A", "B"))))
        assert made["maxItems"] == 2
        assert made["x-kubernetes-list-type"] == "set"

    def test_a_list_of_texts_is_atomic_and_keeps_its_lengths(self) -> None:
        made = schema(Shape("list", item=TEXT, min=1, max=5))
        assert (made["minItems"], made["maxItems"]) == (1, 5)
        assert made["x-kubernetes-list-type"] == "atomic"

    def test_a_list_of_members_is_a_map_by_account(self) -> None:
        member = Shape("structure", members={"accountId": TEXT}, required=("accountId",))
        made = schema(Shape("list", "MemberList", item=member, min=0))
        assert made["maxItems"] == 9
        assert made["x-kubernetes-list-type"] == "map"
        assert made["x-kubernetes-list-map-keys"] == ["accountId"]
        assert "minItems" not in made

    def test_a_list_without_a_maximum_is_refused(self) -> None:
        with pytest.raises(UnboundedError, match="Endless"):
            schema(Shape("list", "Endless", item=TEXT))

    @pytest.mark.parametrize("type_", ["list", "map"])
    def test_a_list_or_map_of_nothing_is_refused(self, type_: str) -> None:
        with pytest.raises(ValueError, match="nothing"):
            schema(Shape(type_, "Hollow", max=1))

    def test_a_map_bounds_its_entries_and_its_keys(self) -> None:
        key = Shape("string", min=1, max=8, pattern=r"\w+")
        made = schema(Shape("map", item=TEXT, key=key, max=16))
        assert made["type"] == "object"
        assert made["maxProperties"] == 16
        assert made["additionalProperties"] == {"type": "string", "maxLength": 9}
        assert messages(made) == ["keys must have 1 to 8 characters", r"keys must match `^\w+$`"]

    def test_a_map_with_keys_of_any_form_bounds_their_length(self) -> None:
        made = schema(Shape("map", item=TEXT, key=TEXT, max=16))
        assert messages(made) == ["keys must have 0 to 9 characters"]

    @pytest.mark.parametrize(
        ("shape", "expected"),
        [
            (
                Shape("integer", min=1, max=5),
                {"type": "integer", "format": "int32", "minimum": 1, "maximum": 5},
            ),
            (Shape("long", min=0), {"type": "integer", "format": "int64", "minimum": 0}),
            (
                Shape("double", min=0.01, max=2.0),
                {"type": "number", "minimum": 0.01, "maximum": 2.0},
            ),
            (Shape("boolean"), {"type": "boolean"}),
        ],
        ids=lambda value: value.type if isinstance(value, Shape) else "",
    )
    def test_a_number_keeps_its_bounds(self, shape: Shape, expected: dict[str, object]) -> None:
        """Doubles of AWS stay numbers (R-40)."""
        assert schema(shape) == expected

    def test_a_structure_describes_every_member_and_says_what_is_required(self) -> None:
        told = Shape("boolean", documentation="Told.")
        shape = Shape("structure", members={"a": told, "b": Shape("boolean")}, required=("a",))
        made = schema(shape)
        assert made["required"] == ["a"]
        assert made["properties"]["a"]["description"] == "Told."
        assert made["properties"]["b"]["description"] == "AWS calls this `b` and says no more."

    def test_a_union_takes_exactly_one_member(self) -> None:
        both = {"a": Shape("boolean"), "b": Shape("boolean")}
        made = schema(Shape("structure", members=both, union=True))
        assert made["x-kubernetes-validations"] == [
            {
                "rule": "[has(self.a), has(self.b)].filter(given, given).size() == 1",
                "message": "exactly one of `a`, `b` must be given",
            }
        ]

    def test_a_union_of_one_says_so_simply(self) -> None:
        made = schema(Shape("structure", members={"s3": Shape("boolean")}, union=True))
        assert messages(made) == ["`s3` must be given"]


class TestPatterns:
    def test_printable_characters_are_told_by_what_is_not_among_them(self) -> None:
        said = pattern(PRINTABLE)
        assert said is not None
        assert "\\u" not in said
        assert re.search(said, "Ärzte & 薬局 🏥\t")
        assert not re.search(said, "line\nbreak")

    def test_a_lookahead_becomes_a_rule(self) -> None:
        made = schema(Shape("string", max=9, pattern=PRINTABLE))
        assert made["x-kubernetes-validations"] == [
            {"rule": r"!self.matches('^\\s*$')", "message": "must not be blank"}
        ]

    def test_alternatives_are_bracketed_before_they_are_anchored(self) -> None:
        said = pattern("a|b")
        assert said == "^(?:a|b)$"

    @pytest.mark.parametrize("java", [r"(?=x)y", r"(?!x)y", r"(?<=x)y", r"\u0041"])
    def test_what_re2_cannot_say_is_refused(self, java: str) -> None:
        with pytest.raises(ValueError, match="cannot be said in RE2"):
            pattern(java)


class TestProse:
    @pytest.mark.parametrize(
        ("html", "text"),
        [
            pytest.param("", "", id="nothing"),
            pytest.param("<p>One. Two.</p>", "One. Two.", id="short"),
            pytest.param(
                "<p> Set <code>SPARK</code> , or\n<i>not</i> &amp; wait.</p>",
                "Set `SPARK`, or not & wait.",
                id="code, entities and space",
            ),
            pytest.param("speciﬁed", "specified", id="ligatures"),
            pytest.param(
                f"First. {'X' * 393}. Last.", "First.", id="whole sentences as long as they fit"
            ),
            pytest.param("y" * 500, "y" * 399 + "…", id="one sentence that is too long is cut"),
        ],
    )
    def test_the_first_sentences_are_kept(self, html: str, text: str) -> None:
        assert prose.summary(html) == text


class TestRules:
    def test_a_resource_name_stands_in_only_for_an_aws_name_that_it_fits(self) -> None:
        """The AWS name defaults to metadata.name (R-39)."""
        length, form = cel.fit_name(63, "^[a-z]+$")
        older = "(oldSelf.hasValue() && !has(oldSelf.value().spec.name))"
        assert length == {
            "rule": f"has(self.spec.name) || size(self.metadata.name) <= 63 || {older}",
            "message": "`metadata.name` must be no more than 63 characters, unless `spec.name` is "
            "set",
            "optionalOldSelf": True,
        }
        matches = "self.metadata.name.matches('^[a-z]+$')"
        assert form["rule"] == f"has(self.spec.name) || {matches} || {older}"

    @pytest.mark.parametrize("said", [None, "^[-.a-z0-9]+$"])
    def test_a_form_that_every_resource_name_has_is_not_asked_for(self, said: str | None) -> None:
        assert len(cel.fit_name(63, said)) == 1

    def test_a_quote_in_a_pattern_is_escaped(self) -> None:
        assert cel.match_keys("a'b")["rule"] == r"self.all(k, k.matches('a\'b'))"
