"""The write-ahead record of a create call."""

import make
from cleanrooms_operator.core.attempt import parameters_hash, record
from cleanrooms_operator.core.kind import Lookup
from cleanrooms_operator.core.references import declared
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.kinds import BY_NAME


def hashed(parameters: Document, key: bytes = make.HASH_KEY) -> str:
    return parameters_hash(parameters, key)


class TestHashes:
    def test_the_order_of_members_does_not_matter(self) -> None:
        assert hashed({"a": "1", "b": {"c": 1, "d": 2}}) == hashed(
            {"b": {"d": 2, "c": 1}, "a": "1"}
        )

    def test_the_order_of_a_list_does(self) -> None:
        assert hashed({"a": [1, 2]}) != hashed({"a": [2, 1]})

    def test_any_difference_shows(self) -> None:
        given = [{}, {"a": None}, {"a": ""}, {"a": "1"}, {"a": 1}, {"a": True}, {"b": "1"}]
        assert len({hashed(parameters) for parameters in given}) == len(given)

    def test_without_the_key_nobody_can_try_out_what_was_hashed(self) -> None:
        assert hashed({"a": "1"}, b"one") != hashed({"a": "1"}, b"another")


class TestRecords:
    def test_it_tells_how_to_find_out_what_became_of_the_call(self) -> None:
        parameters = {"name": "one", "color": "red", "parentIdentifier": "p-1"}
        written = record(make.kind(), parameters, "attempt-1", make.NOW)
        assert written == {
            "id": "attempt-1",
            "startedAt": "2026-01-01T12:00:00Z",
            "name": "one",
            "scope": {"parentIdentifier": "p-1"},
        }

    def test_what_there_is_not_is_left_out(self) -> None:
        written = record(make.kind(), {"color": "red"}, "attempt-1", make.NOW)
        assert written.keys() == {"id", "startedAt"}

    def test_what_a_lookup_found_is_part_of_the_scope(self) -> None:
        """The invitation may be gone by the time that the outcome is looked for."""
        kind = BY_NAME["Membership"]
        ways = declared(kind.definition.spec)
        assert isinstance(ways["invitation"], Lookup)
        parameters = {"collaborationIdentifier": "c-1", "queryLogStatus": "ENABLED"}
        written = record(kind, parameters, "attempt-1", make.NOW)
        assert written["scope"] == {"collaborationIdentifier": "c-1"}
