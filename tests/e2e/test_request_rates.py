"""AWS's request rates are kept by asking slowly enough, not by being told so."""

from collections import Counter
from contextlib import suppress

import pytest
from botocore.exceptions import ClientError

from e2e import declared
from e2e.stage import Stage

COLLABORATIONS = 8
RATE = 5
"""Requests a second of each operation of Clean Rooms, per account and region."""


@pytest.fixture(scope="module")
def emulator_arguments() -> tuple[str, ...]:
    """Let the emulator refuse what comes too fast, by the clock on the wall."""
    return ("--rates",)


def test_the_rates_are_in_force(stage: Stage) -> None:
    company = stage.company()
    with suppress(ClientError):
        for _ in range(10 * RATE):
            company.party.cleanrooms.list_memberships()
    asked = stage.aws.calls(company.account, "ListMemberships")
    assert asked[-1]["answered"] == "ThrottlingException"


def test_nothing_is_ever_throttled(stage: Stage) -> None:
    """R-21: below 80 % of a rate for what nobody waits for; below all of it for the rest."""
    mark = stage.aws.mark()
    stage.run_operator(rates={}, list_interval=3)
    creator, partner = stage.company(), stage.company()
    keys = []
    for number in range(COLLABORATIONS):
        name = f"study-{number}"
        spec = declared.collaboration(partner.account)
        keys += [
            creator.apply("Collaboration", name, spec),
            creator.apply("Membership", name, declared.creators_membership(creator.account, name)),
            partner.apply(
                "Membership",
                name,
                declared.partners_membership(partner.account, creator.account, name),
            ),
        ]
    stage.wait_ready(*keys)
    records = stage.aws.log(mark)
    assert "ThrottlingException" not in {record["answered"] for record in records}
    busiest = Counter((record["account"], record["operation"]) for record in records)
    assert busiest.most_common(1)[0][1] > 2 * RATE, "nothing was asked often enough to be paced"
    stage.check_one_each(*keys)
