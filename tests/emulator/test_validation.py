"""Whatever the model constrains and the SDK does not, the emulator refuses."""

from typing import Any

import pytest

import model_samples as samples
from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.model import Operation, operation, service
from cleanrooms_emulator.request import Caller, Request, ServiceError
from cleanrooms_emulator.validation import examined, validated

OPERATIONS = [
    one for name in ("cleanrooms", "cleanroomsml") for one in service(name).operations.values()
]
CALLER = Caller("111111111111", "arn:aws:iam::111111111111:root", "us-east-1")
BREAKS = [
    pytest.param(samples.without_required, "must not be null", 150, id="a required member missing"),
    pytest.param(samples.too_long, "length less than or equal to", 160, id="too long"),
    pytest.param(samples.too_short, "length greater than or equal to", 155, id="too short"),
    pytest.param(samples.too_small, "value greater than or equal to", 50, id="too small"),
    pytest.param(samples.too_large, "value less than or equal to", 50, id="too large"),
    pytest.param(samples.unlike_pattern, "regular expression pattern", 145, id="another pattern"),
    pytest.param(samples.unlike_enum, "enum value set", 50, id="none of the enum"),
    pytest.param(samples.two_of_union, "exactly one of", 10, id="two members of a union"),
    pytest.param(samples.none_of_union, "exactly one of", 10, id="no member of a union"),
    pytest.param(samples.of_another_type, "must be a valid", 160, id="another type"),
]
"""What makes a value wrong, what is said of it, and how many operations have it at least."""


def named(one: Operation) -> str:
    return f"{one.service}:{one.name}"


def get(service_name: str, name: str) -> Operation:
    found = operation(service_name, name)
    assert found is not None
    return found


def refusal(one: Operation, parameters: dict[str, Any]) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        validated(one, parameters)
    assert caught.value.code == "ValidationException"
    return caught.value


@pytest.mark.parametrize("one", OPERATIONS, ids=named)
def test_smallest_request_of_each_operation_is_valid(one: Operation) -> None:
    assert validated(one, samples.request(one)) == samples.request(one)


@pytest.mark.parametrize(("broken", "said", "at_least"), BREAKS)
def test_one_wrong_value_is_refused_wherever_it_is(
    broken: samples.Break, said: str, at_least: int
) -> None:
    found = set()
    for one in OPERATIONS:
        for place in samples.places(one):
            value = broken(place.shape)
            if value is None or not (place.path or isinstance(value, dict)):
                continue
            found.add(named(one))
            message = refusal(one, place.request(one, value)).message
            assert said in message, (named(one), place.path)
            assert place.name.split("{}")[0] in message, (named(one), place.path)
    assert len(found) >= at_least


@pytest.mark.parametrize(
    "one", [one for one in OPERATIONS if one.input and one.input.required_members], ids=named
)
def test_validation_comes_before_the_lack_of_behaviour(emulator: Emulator, one: Operation) -> None:
    """R-29: 501 is answered only to a request that AWS could accept."""
    with pytest.raises(ServiceError, match="ValidationException"):
        emulator.handle(Request(CALLER, one.service, one.name, {}))


CREATE: dict[str, Any] = {
    "name": "n",
    "members": [],
    "creatorMemberAbilities": [],
    "creatorDisplayName": "c",
    "queryLogStatus": "ENABLED",
}


def create(**changes: Any) -> dict[str, Any]:
    return validated(get("cleanrooms", "CreateCollaboration"), {**CREATE, **changes})


def create_error(**changes: Any) -> ServiceError:
    return refusal(get("cleanrooms", "CreateCollaboration"), {**CREATE, **changes})


def test_null_equals_absent() -> None:
    assert create(description=None, dataEncryptionMetadata=None) == CREATE


def test_null_equals_absent_in_a_map() -> None:
    assert create(tags={"kept": "x", "gone": None})["tags"] == {"kept": "x"}


def test_null_is_not_a_required_member() -> None:
    assert "Value at 'name' failed to satisfy constraint" in create_error(name=None).message


def test_null_is_no_element_of_a_list() -> None:
    assert (
        "creatorMemberAbilities[1]"
        in create_error(creatorMemberAbilities=["CAN_QUERY", None]).message
    )


def test_unknown_members_are_ignored() -> None:
    member = {"accountId": "222222222222", "displayName": "d", "memberAbilities": []}
    assert create(members=[{**member, "new": 1}], newer=2) == {**CREATE, "members": [member]}


def test_unknown_member_alone_does_not_make_a_union() -> None:
    one = get("cleanrooms", "CreateMembership")
    parameters = {
        **samples.request(one),
        "defaultResultConfiguration": {"outputConfiguration": {"gcs": {}}},
    }
    assert "defaultResultConfiguration.outputConfiguration" in refusal(one, parameters).message


def test_error_of_cleanrooms_lists_the_fields() -> None:
    error = create_error(name="", queryLogStatus="SOMETIMES")
    assert error.message.startswith("2 validation errors detected: Value at '")
    assert error.members["reason"] == "FIELD_VALIDATION_FAILED"
    fields = error.members["fieldList"]
    assert isinstance(fields, list)
    assert {field["name"] for field in fields} == {"name", "queryLogStatus"}
    assert "[ENABLED, DISABLED]" in error.message


def test_error_of_ml_has_a_message_only() -> None:
    assert refusal(get("cleanroomsml", "CreateTrainedModel"), {}).members == {}


@pytest.mark.parametrize(
    ("name", "good"),
    [
        pytest.param("Größe\t∑", True, id="letters of any script"),
        pytest.param("rocket \U0001f680", True, id="above U+FFFF, a surrogate pair in Java"),
        pytest.param("two\nlines", False, id="a line feed, which names may not have"),
        pytest.param("name\n", False, id="one at the end, which $ would forgive"),
        pytest.param(" \t ", False, id="nothing but space"),
        pytest.param("\ud800", False, id="half a surrogate pair"),
        pytest.param("\x7f", True, id="DEL, which the pattern lets through"),
        pytest.param("\x1f", False, id="a control character"),
    ],
)
def test_printable_patterns(name: str, good: bool) -> None:  # noqa: FBT001 - a table's column
    if good:
        assert create(name=name)["name"] == name
    else:
        assert "regular expression pattern" in create_error(name=name).message


def test_digits_are_ascii_digits() -> None:
    arabic = "\u0661" * 12
    member = {"accountId": arabic, "displayName": "d", "memberAbilities": []}
    assert "members[0].accountId" in create_error(members=[member]).message


def test_classes_of_unicode_properties() -> None:
    one = get("cleanrooms", "CreateConfiguredTable")
    snowflake = {
        "secretArn": "arn:aws:secretsmanager:us-east-1:111111111111:secret:abc",
        "accountIdentifier": "größe.x",
        "databaseName": "d",
        "tableName": "t",
        "schemaName": "s",
        "tableSchema": {"v1": [{"columnName": "c", "columnType": "text"}]},
    }
    table = {"tableReference": {"snowflake": snowflake}}
    assert validated(one, {**samples.request(one), **table})["tableReference"] == {
        "snowflake": snowflake
    }
    snowflake["databaseName"] = "semi;colon"
    assert "databaseName" in refusal(one, {**samples.request(one), **table}).message


def test_pattern_with_nested_repeats_is_refused_at_once() -> None:
    """A value of 127 letters and a dash would take Python's engine for ever."""
    one = get("cleanrooms", "CreateConfiguredTable")
    athena = {"workGroup": "w", "databaseName": "d", "tableName": "a" * 127 + "-"}
    error = refusal(one, {**samples.request(one), "tableReference": {"athena": athena}})
    assert "tableReference.athena.tableName" in error.message


def test_values_never_appear_in_a_message() -> None:
    one = get("cleanrooms", "StartProtectedQuery")
    parameters = {
        **samples.request(one),
        "sqlParameters": {
            "queryString": "SECRET" * 200_000,
            "analysisTemplateArn": "SECRET",
            "parameters": {"SECRET-NAME": "SECRET" * 200},
        },
        "resultConfiguration": "SECRET",
        "type": "SECRET",
    }
    error = refusal(one, parameters)
    assert error.message.startswith("6 validation errors")
    assert "SECRET" not in error.message + str(error.members)


@pytest.mark.parametrize("value", [True, 1.0, "1"], ids=repr)
def test_only_whole_numbers_are_integers(value: object) -> None:
    one = get("cleanrooms", "ListCollaborations")
    assert "maxResults" in refusal(one, {"maxResults": value}).message


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        pytest.param({"extra": 1}, "extra", id="an unknown member"),
        pytest.param({"createTime": None}, "createTime", id="None for absent"),
        pytest.param({"createTime": "2026-01-01"}, "createTime", id="another type"),
        pytest.param({"membershipIdentifier": "x"}, "membershipIdentifier", id="a bad value"),
    ],
)
def test_answers_of_backends_are_checked(changes: dict[str, Any], path: str) -> None:
    shape = get("cleanroomsml", "GetMLConfiguration").output
    assert shape is not None
    good = samples.sample(shape)
    assert examined(shape, good) == (good, [])
    _, problems = examined(shape, {**good, **changes})
    assert [problem.path for problem in problems] == [path]


def test_answers_lack_no_required_member() -> None:
    shape = get("cleanroomsml", "GetMLConfiguration").output
    assert shape is not None
    _, problems = examined(shape, {})
    assert {problem.path for problem in problems} == set(shape.required_members)


def test_operation_without_output_answers_nothing() -> None:
    assert examined(None, {}) == ({}, [])
    _, problems = examined(None, {"a": 1})
    assert [problem.path for problem in problems] == ["a"]
