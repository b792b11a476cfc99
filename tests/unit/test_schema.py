"""Specs and AWS's shapes become resource definitions."""

from typing import Annotated, Any

import pytest
from pydantic import Field

from cleanrooms_operator.core import schema as made
from cleanrooms_operator.core.account import DEFINITION as ACCOUNT
from cleanrooms_operator.core.kind import Column, Definition, Rule
from cleanrooms_operator.core.shape import Shape
from cleanrooms_operator.core.status import CommonStatus, Status
from cleanrooms_operator.core.values import NameRef, Reference, Structure, Value
from cleanrooms_operator.kinds import BY_NAME

TEXT = Shape("string", documentation="From AWS.", min=1, max=9)


class Channel(Value):
    """A channel of data."""

    channel_arn: str | None = None
    channel_ref: Annotated[
        NameRef | None,
        Reference("Channel", {"channelArn": "arn"}),
        Field(description="The channel, in this namespace."),
    ] = None
    channel_name: str


class Nested(Value):
    """Parameters with twins inside a list."""

    channels: Annotated[list[Channel], Field(description="What is read.")]
    only: Annotated[Channel, Field(description="One of them.")]
    algorithms: list[str] | None = None
    algorithm_refs: Annotated[
        list[NameRef] | None,
        Reference("Algorithm", {"algorithms": "arn"}),
        Field(description="The algorithms, in this namespace."),
    ] = None
    remark: Structure | None = None


CHANNEL = Shape(
    "structure",
    members={"channelArn": TEXT, "channelName": TEXT},
    required=("channelArn", "channelName"),
)
NESTED = Shape(
    "structure",
    members={
        "channels": Shape("list", "ChannelList", item=CHANNEL, min=1, max=20),
        "only": CHANNEL,
        "algorithms": Shape("list", "AlgorithmList", item=TEXT, min=1, max=3),
        "remark": Shape("structure", documentation="A remark.", members={"text": TEXT}),
    },
    required=("channels", "algorithms"),
)


class TestStructures:
    def test_a_list_takes_its_bounds_from_aws_and_its_items_from_both(self) -> None:
        channels = made.structure(Nested, NESTED)["properties"]["channels"]
        assert channels["description"] == "What is read."
        assert (channels["minItems"], channels["maxItems"]) == (1, 20)
        properties = channels["items"]["properties"]
        assert properties["channelArn"]["maxLength"] == 9
        assert properties["channelRef"]["required"] == ["name"]
        assert channels["items"]["required"] == ["channelName"]

    def test_names_that_stand_in_for_a_list_have_its_bounds_and_are_different(self) -> None:
        nested = made.structure(Nested, NESTED)
        refs = nested["properties"]["algorithmRefs"]
        assert (refs["type"], refs["minItems"], refs["maxItems"]) == ("array", 1, 3)
        assert refs["x-kubernetes-list-map-keys"] == ["name"]
        assert refs["items"]["required"] == ["name"]
        assert [rule["message"] for rule in nested["x-kubernetes-validations"]] == [
            "exactly one of `algorithms`, `algorithmRefs` must be given"
        ]

    @pytest.mark.parametrize("place", ["channels", "only"])
    def test_twins_exclude_each_other_at_any_depth(self, place: str) -> None:
        found = made.structure(Nested, NESTED)["properties"][place]
        rules = found.get("items", found)["x-kubernetes-validations"]
        assert [rule["message"] for rule in rules] == [
            "exactly one of `channelArn`, `channelRef` must be given"
        ]

    def test_twins_of_an_optional_parameter_may_both_be_absent(self) -> None:
        optional = Shape("structure", members=CHANNEL.members, required=("channelName",))
        rules = made.structure(Channel, optional)["x-kubernetes-validations"]
        assert [rule["message"] for rule in rules] == [
            "at most one of `channelArn`, `channelRef` may be given"
        ]

    def test_a_plain_structure_comes_from_aws_whole(self) -> None:
        remark = made.structure(Nested, NESTED)["properties"]["remark"]
        assert remark["description"] == "A remark."
        assert remark["properties"]["text"]["maxLength"] == 9

    def test_what_the_type_says_wins_over_aws(self) -> None:
        class Told(Value):
            """A type with opinions."""

            text: Annotated[str, Field(description="Ours.", max_length=5)] = "x"

        told = made.structure(Told, Shape("structure", members={"text": TEXT}))
        assert told["properties"]["text"] == {
            "type": "string",
            "description": "Ours.",
            "minLength": 1,
            "maxLength": 5,
            "default": "x",
        }

    @pytest.mark.parametrize(
        ("annotation", "expected"),
        [
            (str, {"type": "string", "maxLength": made.LONGEST_TEXT}),
            (Annotated[int, Field(le=9)], {"type": "integer", "format": "int32", "maximum": 9}),
            (int | None, {"type": "integer", "format": "int64"}),
            (bool, {"type": "boolean"}),
            (
                dict[str, str],
                {
                    "type": "object",
                    "maxProperties": made.LONGEST_LIST,
                    "additionalProperties": {"type": "string", "maxLength": made.LONGEST_TEXT},
                },
            ),
            (
                list[int],
                {
                    "type": "array",
                    "maxItems": made.LONGEST_LIST,
                    "x-kubernetes-list-type": "atomic",
                    "items": {"type": "integer", "format": "int64"},
                },
            ),
        ],
        ids=str,
    )
    def test_what_is_the_operators_own_is_bounded(
        self, annotation: Any, expected: dict[str, Any]
    ) -> None:
        holder = type("Holder", (Value,), {"__annotations__": {"it": annotation}, "__doc__": "It."})
        assert made.structure(holder, None)["properties"]["it"] == expected


class TestFreezing:
    def test_a_membership_is_frozen_but_for_what_can_be_updated(self) -> None:
        kind = BY_NAME["Membership"]
        members = dict.fromkeys((*kind.in_place, *kind.by_request, *kind.parts, "tags"), TEXT)
        members |= {"collaborationIdentifier": TEXT, "isMetricsEnabled": TEXT}
        assert made.frozen(kind, Shape("structure", members=members)) == [
            "accountRef",
            "collaborationIdentifier",
            "collaborationRef",
            "invitation",
            "isMetricsEnabled",
        ]


class TestDefinitions:
    def test_an_identity_has_its_own_rules_and_nothing_to_select_by(self) -> None:
        spec = made.resource_definition(ACCOUNT)["spec"]
        [version] = spec["versions"]
        root = version["schema"]["openAPIV3Schema"]
        assert spec["names"]["listKind"] == "AWSAccountList"
        assert "selectableFields" not in version
        assert len(root["properties"]["spec"]["x-kubernetes-validations"]) == len(ACCOUNT.rules)
        assert root["x-kubernetes-validations"] == []

    def test_a_rule_of_the_root_stands_at_the_root(self) -> None:
        rule = Rule("self.metadata.name != 'x'", "no x", root=True)
        definition = Definition(
            "Thing", "things", "th", "A thing.", Channel, CommonStatus, (), rules=(rule,)
        )
        [version] = made.resource_definition(definition)["spec"]["versions"]
        assert version["schema"]["openAPIV3Schema"]["x-kubernetes-validations"] == [
            {"rule": "self.metadata.name != 'x'", "message": "no x"}
        ]

    def test_columns_begin_with_ready_and_the_wide_ones_come_last(self) -> None:
        columns = (Column("Wide", ".w", "W.", wide=True), Column("State", ".s", "S."))
        definition = Definition("Thing", "things", "th", "A thing.", Channel, Status, columns)
        [version] = made.resource_definition(definition)["spec"]["versions"]
        shown = version["additionalPrinterColumns"]
        assert [(column["name"], column["priority"]) for column in shown] == [
            ("Ready", 0),
            ("State", 0),
            ("Reason", 0),
            ("Age", 0),
            ("Wide", 1),
            ("Message", 1),
        ]
        assert version["selectableFields"] == [
            {"jsonPath": ".spec.channelRef.name"},
            {"jsonPath": ".status.state"},
        ]

    def test_the_status_is_there_before_anybody_has_seen_the_resource(self) -> None:
        [version] = made.resource_definition(ACCOUNT)["spec"]["versions"]
        status = version["schema"]["openAPIV3Schema"]["properties"]["status"]
        assert status["default"] == {"observedGeneration": -1}
        assert version["subresources"] == {"status": {}}
