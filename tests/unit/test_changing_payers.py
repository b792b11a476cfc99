"""The edits of examples/changing-payers are what they say: the walk-through and a few lines."""

from pathlib import Path
from typing import Any

import pytest
import yaml

EXAMPLES = Path(__file__).parents[2] / "examples"


def documents(path: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((EXAMPLES / path).read_text()))


@pytest.mark.parametrize("company", ["company-a", "company-b"])
def test_an_edit_is_the_walk_through_and_what_it_marks(company: str) -> None:
    [edited] = documents(f"changing-payers/{company}.yaml")
    spec = edited["spec"]
    if company == "company-a":
        del spec["members"][0]["paymentConfiguration"]
    else:
        del spec["changeRequests"], spec["paymentConfiguration"]
    assert edited in documents(f"walkthrough/{company}.yaml")
