"""Two replicas: one works, and the other takes over when it dies or is stopped."""

import re
from datetime import datetime

import pytest

from cleanrooms_operator.core.resource import Key
from e2e import declared
from e2e.stage import Company, Stage
from pods import Operator

COMPANIES = 5
EACH = 4
"""Collaborations of each company that are being created when a replica goes."""
TAKE_OVER_SECONDS = 30
HAND_OVER_SECONDS = 3
LATE = 4.0
WORKING = r"Began to work"
STANDING_BY = r"Stood by for the lease"


@pytest.fixture(scope="module")
def companies(stage: Stage) -> list[Company]:
    return [stage.company() for _ in range(COMPANIES)]


@pytest.fixture(scope="module")
def replicas(stage: Stage, companies: list[Company]) -> tuple[Operator, Operator]:
    """Start two replicas with the settings of the election that are the default."""
    elected = {"leader_election": True, "workers": 32}
    leader, other = (stage.operator(name=name, **elected) for name in ("leader", "other"))
    leader.start()
    leader.process.wait_for_line(WORKING, 60)
    other.start()
    other.process.wait_for_line(STANDING_BY, 60)
    stage.wait_ready(*(company.key("AWSAccount", "default") for company in companies))
    return leader, other


def begin(companies: list[Company], name: str) -> list[Key]:
    """Declare some Collaborations of each company."""
    return [
        company.apply("Collaboration", f"{name}-{number}", declared.collaboration())
        for company in companies
        for number in range(EACH)
    ]


def moment(operator: Operator, line: str) -> datetime:
    """Return when a line was written to a log."""
    (found,) = re.findall(rf"^(\S+) .*{line}", operator.process.output(), re.MULTILINE)
    return datetime.fromisoformat(found)


def test_the_other_takes_over_from_one_that_is_killed_while_it_creates(
    stage: Stage, replicas: tuple[Operator, Operator], companies: list[Company]
) -> None:
    leader, other = replicas
    kinds = ("delay", "delay-response")
    held = [
        stage.aws.fail(
            kind, "CreateCollaboration", account=company.account, first=n + 1, count=1, seconds=LATE
        )
        for company in companies
        for n, kind in enumerate(kinds * (EACH // len(kinds)))
    ]
    keys = begin(companies, "killed")
    stage.watch.wait("the creates to be held", lambda: all(map(stage.aws.struck, held)))
    assert not re.search(WORKING, other.process.output())
    leader.process.kill9()
    other.process.wait_for_line(WORKING, TAKE_OVER_SECONDS)
    stage.wait_ready(*keys)
    stage.check_one_each(*keys)


def test_the_other_takes_over_at_once_from_one_that_is_stopped_while_it_creates(
    stage: Stage, replicas: tuple[Operator, Operator], companies: list[Company]
) -> None:
    successor, leader = replicas
    successor.start()
    successor.process.wait_for_line(STANDING_BY, 60)
    mark = stage.aws.mark()
    keys = begin(companies, "stopped")
    stage.watch.wait("the first create", lambda: stage.aws.creates(mark))
    leader.process.stop()
    successor.process.wait_for_line(WORKING, 60)
    waited = moment(successor, "Acquired the lease") - moment(leader, "Released the lease")
    assert waited.total_seconds() <= HAND_OVER_SECONDS
    stage.wait_ready(*keys)
    stage.check_one_each(*(each.key for each in stage.watch.current("Collaboration")))
