"""The switches themselves: how they are set, and that each reading has a test."""

import re
from pathlib import Path

import pytest

from cleanrooms_emulator.backends import OPERATIONS
from cleanrooms_emulator.model import service
from cleanrooms_emulator.rules import Rules, UnknownRuleError, switches

HERE = Path(__file__).parent
OF_THE_WIRE = {"ER-27", "ER-32"}
"""The switches of rates, which are tested with them."""
BEHAVING = {name: found for name, found in switches().items() if found[0].number not in OF_THE_WIRE}


def test_settings_are_readings_and_quotas() -> None:
    rules = Rules.parse(["ER-9=accept", "quota.members=9"])
    assert rules.declining == "accept"
    assert rules.quotas.members == 9
    assert rules.unentitled == Rules().unentitled


@pytest.mark.parametrize(
    ("setting", "choice"),
    [
        pytest.param("ER-99=accept", "ER-9", id="no such switch"),
        pytest.param("ER-9=perhaps", "refuse, accept", id="no such reading"),
        pytest.param("quota.members=many", "whole number", id="no number"),
        pytest.param("quota.moons=1", "quota.members", id="no such quota"),
    ],
)
def test_a_wrong_setting_says_what_there_is(setting: str, choice: str) -> None:
    with pytest.raises(UnknownRuleError, match=re.escape(choice)):
        Rules.parse([setting])


def test_every_switch_takes_its_first_reading_by_default_and_has_another() -> None:
    for name, (switch, readings) in switches().items():
        assert getattr(Rules(), name) == readings[0], switch.number
        assert len(set(readings)) > 1, switch.number


def test_every_other_reading_has_a_test() -> None:
    texts = "".join(path.read_text() for path in HERE.glob("test_*.py"))
    for switch, readings in BEHAVING.values():
        for reading in readings[1:]:
            assert f'"{switch.number}={reading}"' in texts, f"{switch.number}={reading}"


def test_every_switch_is_named_by_a_test_of_its_default() -> None:
    texts = "".join(path.read_text() for path in HERE.glob("test_*.py"))
    for switch, _ in BEHAVING.values():
        assert f"def test_{switch.number.lower().replace('-', '_')}_" in texts, switch.number


def test_what_behaves_is_in_the_model_once() -> None:
    for name, operations in OPERATIONS.items():
        methods = {one.method_name for one in service(name).operations.values()}
        names = [each.__name__ for each in operations]
        assert set(names) <= methods
        assert len(set(names)) == len(names)
