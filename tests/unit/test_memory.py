"""What one process remembers, and when that counts as nothing."""

from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import ObjectId
from cleanrooms_operator.core.situation import Refusal
from cleanrooms_operator.runtime.memory import MOST_LET_GO, Memories, is_settled
from scripted import recall

REFUSAL = Refusal(Reason.INVALID_SPEC, "no")


class TestRecalls:
    def test_a_resource_is_remembered_from_pass_to_pass(self) -> None:
        memories = Memories()
        first = memories.of(make.bound(), 10.0)
        assert memories.of(make.bound(version="8"), 20.0) is first
        assert (first.seen, first.taken) == (10.0, 10.0)

    def test_another_one_of_the_same_name_is_another(self) -> None:
        memories = Memories()
        first = memories.of(make.bound(), 10.0)
        assert memories.of(make.bound(uid="uid-2"), 20.0) is not first

    def test_what_is_gone_is_forgotten_once_or_twice(self) -> None:
        memories = Memories()
        memories.of(make.bound(), 10.0)
        memories.forget(make.KEY)
        memories.forget(make.KEY)
        assert memories.recalls == {}

    def test_r_3_what_a_deletion_left_unmarked_is_known_to_the_next_of_its_name(self) -> None:
        memories, left = Memories(), ObjectId("arn:of-one")
        memories.leave(make.KEY, left)
        assert memories.of(make.bound(), 10.0).let_go == left
        memories.take_over(make.KEY)
        assert memories.of(make.bound(), 20.0).let_go is None
        assert memories.let_go == {}

    def test_r_3_of_very_many_the_latest_are_known(self) -> None:
        memories, left = Memories(), ObjectId("arn:of-one")
        for number in range(MOST_LET_GO + 1):
            memories.leave(replace(make.KEY, name=f"n-{number}"), left)
        assert len(memories.let_go) == MOST_LET_GO
        assert replace(make.KEY, name="n-0") not in memories.let_go

    @pytest.mark.parametrize(
        ("over", "settled"),
        [
            pytest.param({}, True, id="an earlier process concluded"),
            pytest.param({"generation": 4}, False, id="on an older spec"),
            pytest.param({"deleted": make.NOW}, False, id="it is to go since"),
            pytest.param({"status": {"attempt": {"id": "x"}}}, False, id="an attempt is open"),
            pytest.param(
                {"status": {"conditions": [make.condition("Reconciling")]}},
                False,
                id="it was under way",
            ),
            pytest.param(
                {"status": {"conditions": [make.condition("Stalled")]}}, True, id="it was stalled"
            ),
        ],
    )
    def test_a_new_process_reads_only_what_was_not_concluded(
        self, over: dict[str, Any], *, settled: bool
    ) -> None:
        resource = make.bound(**over)
        assert is_settled(resource) is settled
        fresh = Memories().of(resource, 10.0)
        assert fresh.stale is not settled
        assert fresh.generation == make.GENERATION


class TestRefusals:
    def test_the_same_parameters_are_refused_for_longer_and_longer(self) -> None:
        memory = recall()
        for now in (10.0, 25.0):
            memory.refuse("hash", REFUSAL, now)
        assert memory.refused is not None
        assert (memory.refused.since, memory.refused.last) == (10.0, 25.0)
        assert memory.refused.lasted == 15.0

    def test_other_parameters_begin_anew(self) -> None:
        memory = recall()
        memory.refuse("hash", REFUSAL, 10.0)
        memory.refuse("other", REFUSAL, 25.0)
        assert memory.refused is not None
        assert memory.refused.lasted == 0.0


class TestDenials:
    def test_they_are_counted_from_the_first(self) -> None:
        memory = recall()
        assert [memory.deny(now) for now in (10.0, 40.0)] == [0.0, 30.0]
