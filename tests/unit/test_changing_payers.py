"""The edits of examples/changing-payers are what they say: the walk-through and a few lines."""

from pathlib import Path

import pytest

from cleanrooms_playground.documents import read_documents

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("company", ["company-a", "company-b"])
def test_an_edit_is_the_walk_through_and_what_it_marks(company: str) -> None:
    [edited] = read_documents(EXAMPLES / f"changing-payers/{company}.yaml")
    spec = edited["spec"]
    if company == "company-a":
        del spec["members"][0]["paymentConfiguration"]
    else:
        del spec["changeRequests"], spec["paymentConfiguration"]
    assert edited in read_documents(EXAMPLES / f"walkthrough/{company}.yaml")
