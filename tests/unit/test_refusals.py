"""Who has a name that AWS refuses, and for how long a refusal is taken as its word (rule R-11)."""

from typing import Any

import pytest

import make
from cleanrooms_operator.core.failure import Failure
from cleanrooms_operator.core.kind import Listing
from cleanrooms_operator.core.pace import Pace
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.core.situation import Refusal
from cleanrooms_operator.runtime.memory import Holder
from cleanrooms_operator.runtime.refusals import LONGEST, holder, standing
from cleanrooms_operator.runtime.view import View
from scripted import START, desk, view

OTHERS = "ListCollaborationThings"
LISTING = Listing("cleanrooms", OTHERS, "things", ("collaborationIdentifier",), ("arn",))
OF_PARTNER = {"arn": "arn:theirs", "name": "blue", "status": "ACTIVE", "creatorAccountId": "2" * 12}
GIVEN = {"name": "blue", "membershipIdentifier": "m-1"}
PACE = Pace()


def looking(*own: Document, others: Any = (), parameters: Document = GIVEN) -> View:
    """Return the view of a resource whose create call was refused a while ago."""
    at = desk()
    at.aws.lists["ListThings"] = [*own]
    at.aws.lists[OTHERS] = others if isinstance(others, Exception) else [*others]
    at.aws.answers["GetMembership"] = {"membership": {"collaborationId": "c-1"}}
    return view(at, make.resource(), make.kind(everybodys=LISTING), parameters=parameters)


def thing(state: str = "ACTIVE", **over: Any) -> Document:
    return make.thing(id=f"id-{state}", name="blue", status=state) | over


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        pytest.param([thing()], [OF_PARTNER], "id-ACTIVE", id="ours comes first"),
        pytest.param([], [OF_PARTNER], f"arn:theirs of account {'2' * 12}", id="another member's"),
        pytest.param(
            [thing("INACTIVE")], [OF_PARTNER], f"arn:theirs of account {'2' * 12}", id="the living"
        ),
        pytest.param([thing("INACTIVE")], [], "id-INACTIVE", id="a record, where names stay"),
        pytest.param([thing(name="red")], [OF_PARTNER | {"name": "red"}], None, id="nothing"),
        pytest.param([], make.error(Failure.DENIED), None, id="that cannot be seen"),
    ],
)
async def test_what_lists_show_has_the_name(
    own: list[Document], others: Any, expected: str | None
) -> None:
    found = await holder(looking(*own, others=others), START)
    assert (None if found is None else found.what) == expected


async def test_aws_not_answering_is_no_proof_that_nothing_has_it() -> None:
    with pytest.raises(Exception, match="Throttl"):
        await holder(looking(others=make.error(Failure.THROTTLED)), START)


async def test_what_has_no_name_is_not_looked_for() -> None:
    nameless = looking(thing(), parameters={"membershipIdentifier": "m-1"})
    assert await holder(nameless, START) is None


async def test_without_a_list_of_all_members_ours_alone_tells() -> None:
    at = desk()
    at.aws.lists["ListThings"] = []
    assert await holder(view(at, make.resource(), make.kind(), parameters=GIVEN), START) is None


def refused(looked: View, reason: Reason, ago: float) -> View:
    looked.recall.refuse(looked.parameters_hash, Refusal(reason, "said"), looked.elapsed - ago)
    return looked


@pytest.mark.parametrize(
    ("reason", "held", "ago", "stands"),
    [
        pytest.param(Reason.NAME_TAKEN, True, PACE.detail_interval, True, id="while it is held"),
        pytest.param(Reason.NAME_TAKEN, True, PACE.detail_interval + 1, False, id="not for ever"),
        pytest.param(Reason.NAME_TAKEN, False, 1.0, False, id="until the name is free"),
        pytest.param(Reason.AWS_CONFLICT, False, 1.0, True, id="a conflict for a moment"),
        pytest.param(Reason.AWS_CONFLICT, False, PACE.detail_interval, False, id="and no longer"),
        pytest.param(Reason.INVALID_SPEC, False, PACE.detail_interval, True, id="what is invalid"),
    ],
)
async def test_a_refusal_stands_for_as_long_as_it_is_likely_to_come_again(
    reason: Reason, *, held: bool, ago: float, stands: bool
) -> None:
    looked = refused(looking(*([thing()] if held else [])), reason, ago)
    found = await standing(looked)
    assert (found is not None) is stands
    assert found is None or found.message == "said"


@pytest.mark.parametrize(
    ("reason", "lasted", "rest"),
    [
        pytest.param(
            Reason.NAME_TAKEN, 2 * PACE.detail_interval, 2 * PACE.detail_interval, id="a name"
        ),
        pytest.param(Reason.NAME_TAKEN, 9 * LONGEST, LONGEST, id="once a day at last"),
        pytest.param(Reason.AWS_CONFLICT, 700.0, 700.0, id="a conflict"),
        pytest.param(Reason.AWS_CONFLICT, 9e6, PACE.detail_interval, id="once an hour at last"),
    ],
)
async def test_r_11_what_conflicts_is_left_alone_for_as_long_as_it_has_lasted(
    reason: Reason, lasted: float, rest: float
) -> None:
    for ago, stands in ((rest - 1, True), (rest + 1, False)):
        looked = looking(thing())
        for moment in (ago + lasted, ago):
            refused(looked, reason, moment)
        assert (await standing(looked) is not None) is stands


async def test_a_name_may_be_free_once_what_has_it_is_only_a_record() -> None:
    """ER-1: it is tried once; where even a record keeps its name, once in an interval again."""
    looked = refused(looking(thing("INACTIVE")), Reason.NAME_TAKEN, 1.0)
    looked.recall.holder = Holder("id-INACTIVE", is_alive=True)
    assert await standing(looked) is None
    looked.recall.holder = Holder("id-INACTIVE", is_alive=False)
    assert await standing(looked) is not None


async def test_other_parameters_were_not_refused() -> None:
    looked = refused(looking(), Reason.INVALID_SPEC, 1.0)
    looked.recall.refuse("of other parameters", Refusal(Reason.INVALID_SPEC, "said"), START)
    assert await standing(looked) is None
