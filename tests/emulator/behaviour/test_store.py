"""The store: values in order, copies that stay, and changes that fall due."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cleanrooms_emulator.store import Failure, Store, Value

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Note(Value):
    """A value without a life of its own."""

    name: str
    folder: str = "a"

    @property
    def key(self) -> str:
        return self.name

    @property
    def scopes(self) -> tuple[str, ...]:
        return (self.folder,)


@dataclass(frozen=True, slots=True)
class Candle(Value):
    """A value that burns down by one each second, and says what others had left then."""

    name: str
    left: int
    lit: datetime
    seen: tuple[tuple[str, int], ...] = ()

    @property
    def key(self) -> str:
        return self.name

    @property
    def scopes(self) -> tuple[str, ...]:
        return ("table",)

    @property
    def due(self) -> datetime | None:
        return self.lit + timedelta(seconds=1) if self.left else None

    def advanced(self, store: Store) -> "Candle":
        seen = tuple((each.name, each.left) for each in store.list(Candle, "table"))
        return replace(self, left=self.left - 1, lit=self.lit + timedelta(seconds=1), seen=seen)


def test_values_are_listed_in_order_of_creation_also_after_a_change() -> None:
    store = Store()
    for name in ("b", "a", "c"):
        store.put(Note(name))
    store.put(Note("a"))
    store.put(Note("d", folder="other"))
    assert [each.name for each in store.list(Note, "a")] == ["b", "a", "c"]
    assert store.get(Note, "d") == Note("d", folder="other")


def test_a_removed_value_is_gone_from_its_lists() -> None:
    store = Store()
    store.remove(store.put(Note("a")))
    assert store.get(Note, "a") is None
    assert list(store.list(Note, "a")) == []


def test_values_of_different_types_do_not_meet() -> None:
    store = Store()
    store.put(Note("a"))
    assert store.get(Candle, "a") is None


def test_a_copy_is_not_reached_by_later_changes() -> None:
    store = Store()
    store.put(Note("a"))
    store.put(Candle("c", left=5, lit=START))
    copy = store.copy()
    store.put(Note("b"))
    store.advance(START + timedelta(seconds=3))
    assert [each.name for each in copy.list(Note, "a")] == ["a"]
    assert copy.get(Candle, "c") == Candle("c", left=5, lit=START)
    copy.advance(START + timedelta(seconds=1))
    candle = copy.get(Candle, "c")
    assert candle is not None
    assert candle.left == 4


def test_changes_take_place_in_the_order_in_which_they_fall_due() -> None:
    """A leap of the clock comes to the same as many small steps."""
    leap, steps = Store(), Store()
    for store in (leap, steps):
        store.put(Candle("slow", left=3, lit=START + timedelta(milliseconds=500)))
        store.put(Candle("fast", left=2, lit=START))
    leap.advance(START + timedelta(seconds=60))
    for second in range(61):
        steps.advance(START + timedelta(seconds=second))
    for name in ("slow", "fast"):
        assert leap.get(Candle, name) == steps.get(Candle, name)
    slow = leap.get(Candle, "slow")
    assert slow is not None
    assert (slow.left, slow.seen) == (0, (("slow", 1), ("fast", 0)))


def test_a_value_that_was_replaced_does_not_change_when_the_old_one_would_have() -> None:
    store = Store()
    store.put(Candle("c", left=1, lit=START))
    store.put(Candle("c", left=1, lit=START + timedelta(seconds=10)))
    store.advance(START + timedelta(seconds=5))
    candle = store.get(Candle, "c")
    assert candle is not None
    assert candle.left == 1


def test_a_failure_is_used_up_by_what_it_fits() -> None:
    store = Store()
    store.fail_next(Failure("TrainedModel", "A", "for one", name="one"))
    store.fail_next(Failure("TrainedModel", "B", "for any"))
    store.fail_next(Failure("TrainedModel", "C", "in deletion", action="delete"))
    assert store.failure_of("MLInputChannel", "one") is None
    for name, code in (("two", "B"), ("two", None), ("one", "A"), ("one", None)):
        found = store.failure_of("TrainedModel", name)
        assert (found and found.status_code) == code
    assert store.failure_of("TrainedModel", "x", "delete") is not None
