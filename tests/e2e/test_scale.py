"""Hundreds of resources cost few writes to become ready, and next to nothing at rest."""

import re
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cleanrooms_operator.core.resource import Key
from cleanrooms_playground.servers import Operator
from e2e.emulated import Record
from e2e.stage import Company, Stage

EACH = 100
"""Collaborations, and Memberships, of each of two companies."""
BUDGET = {"Collaboration": 4, "Membership": 6}
"""Writes from apply to Ready (rule R-23)."""
READY_SECONDS = 240
LIST_INTERVAL = 3
CYCLES = 3
DETAIL_INTERVAL = 12
LISTS = {"Collaboration": "ListCollaborations", "Membership": "ListMemberships"}
DETAILS = {
    "Collaboration": ["GetCollaboration", "ListMembers", "ListTagsForResource"],
    "Membership": ["GetMembership", "GetMLConfiguration", "ListMembers", "ListTagsForResource"],
}
"""What is read of an object once every detail interval (rule R-21)."""


@dataclass(frozen=True)
class Crowd:
    """All that there is, Ready, and the operator that made it so."""

    companies: tuple[Company, Company]
    keys: tuple[Key, ...]
    operator: Operator


@pytest.fixture(scope="module")
def crowd(stage: Stage) -> Crowd:
    """Apply everything at once to an operator that is running, and wait until all is Ready."""
    operator = stage.run_operator(list_interval=LIST_INTERVAL)
    companies = (stage.company(), stage.company())
    stage.wait_ready(*(company.key("AWSAccount", "default") for company in companies))
    pairs = [company.found(f"study-{n:03}") for n in range(EACH) for company in companies]
    keys = tuple(key for pair in pairs for key in pair)
    stage.wait_ready(*keys, timeout_seconds=READY_SECONDS)
    stage.watch.wait(
        "all to be joined",
        lambda: all(
            stage.status(key, "state") == "ACTIVE"
            and stage.status(key, "membersJoined") in {"1/1", None}
            for key in keys
        ),
    )
    return Crowd(companies, keys, operator)


def writes(stage: Stage, keys: tuple[Key, ...]) -> Counter[Key]:
    """Return how often each resource was written since it was applied."""
    return Counter({key: len(stage.watch.versions(key)) - 1 for key in keys})


def writes_until_ready(stage: Stage, key: Key) -> int:
    versions = stage.watch.versions(key)
    return next(number for number, each in enumerate(versions) if each.is_true("Ready"))


def counted_by_the_operator(operator: Operator) -> int:
    """Return how many writes of our resources the operator's own metrics tell of."""
    served = re.search(r"probes at (http://\S+)", operator.process.output())
    assert served is not None
    with urllib.request.urlopen(f"{served[1]}/metrics") as answer:  # noqa: S310  our own endpoint
        families = text_string_to_metric_families(answer.read().decode())
        samples = [each for family in families for each in family.samples]
    return round(
        sum(
            sample.value
            for sample in samples
            if sample.name == "cleanrooms_kubernetes_writes_total"
            and sample.labels["kind"] in {*BUDGET, "AWSAccount"}
        )
    )


def test_each_is_written_seldom_until_it_is_ready(stage: Stage, crowd: Crowd) -> None:
    """R-23."""
    spent: dict[str, Counter[int]] = {kind: Counter() for kind in BUDGET}
    for key in crowd.keys:
        spent[key.kind][writes_until_ready(stage, key)] += 1
    for kind, budget in BUDGET.items():
        assert max(spent[kind]) <= budget, f"{kind}: {spent[kind]}"


def test_every_write_says_something_new(stage: Stage, crowd: Crowd) -> None:
    """A patch that changes nothing is no version, but costs the API server as much."""
    accounts = tuple(company.key("AWSAccount", "default") for company in crowd.companies)
    seen = writes(stage, (*crowd.keys, *accounts)).total()
    assert counted_by_the_operator(crowd.operator) == seen


def test_each_is_made_once(stage: Stage, crowd: Crowd) -> None:
    stage.check_one_each(*crowd.keys)


# -- at rest ---------------------------------------------------------------------------------


def flights(records: list[Record], company: Company, operation: str) -> list[Record]:
    """Return the first pages of a company's Lists: one for each List."""
    return [
        record
        for record in records
        if record["account"] == company.account
        and record["operation"] == operation
        and "nextToken" not in record["parameters"]
    ]


def scopes(crowd: Crowd) -> Iterator[tuple[Company, str]]:
    return ((company, operation) for company in crowd.companies for operation in LISTS.values())


def seconds(records: list[Record]) -> float:
    """Return how long it took to ask for all that."""
    return float(records[-1]["wall"] - records[0]["wall"])


def assert_lists_are_shared(records: list[Record], crowd: Crowd) -> None:
    """Assert that each scope is listed once an interval, however many resources it has (R-21)."""
    most = seconds(records) / LIST_INTERVAL + 2
    for company, operation in scopes(crowd):
        lists = flights(records, company, operation)
        assert len(lists) <= most, f"{len(lists)} {operation} in {seconds(records):.0f} s"
        assert {record["parameters"]["maxResults"] for record in lists} == {100}


def test_at_rest_there_are_shared_lists_and_nothing_else(stage: Stage, crowd: Crowd) -> None:
    """R-21, R-23."""
    mark, before = stage.aws.mark(), writes(stage, crowd.keys)

    def cycled() -> bool:
        records = stage.aws.log(mark)
        return all(len(flights(records, *scope)) > CYCLES for scope in scopes(crowd))

    stage.watch.wait(f"{CYCLES} cycles", cycled)
    records = stage.aws.log(mark)
    assert {record["operation"] for record in records} == set(LISTS.values())
    assert_lists_are_shared(records, crowd)
    assert writes(stage, crowd.keys) == before


def read(records: list[Record], operation: str, parameter: str) -> Counter[str]:
    """Return how often each object was read."""
    return Counter(
        record["parameters"][parameter] for record in records if record["operation"] == operation
    )


def test_details_are_read_once_an_interval(stage: Stage, crowd: Crowd) -> None:
    """R-21, R-23."""
    crowd.operator.process.stop()
    mark, before = stage.aws.mark(), writes(stage, crowd.keys)
    stage.run_operator(name="second", list_interval=LIST_INTERVAL, detail_interval=DETAIL_INTERVAL)
    ids = {key: stage.status(key, "identifier") for key in crowd.keys}

    def all_read() -> bool:
        asked = {str(record["parameters"]) for record in stage.aws.log(mark)}
        told = " ".join(asked)
        return all(identifier in told for identifier in ids.values())

    stage.watch.wait("all details to be read", all_read, READY_SECONDS)
    records = stage.aws.log(mark)
    most = seconds(records) // DETAIL_INTERVAL + 1
    looks = {
        "Collaboration": read(records, "GetCollaboration", "collaborationIdentifier"),
        "Membership": read(records, "GetMembership", "membershipIdentifier"),
    }
    for kind, counted in looks.items():
        assert max(counted.values()) <= most, f"{kind}: {Counter(counted.values())}"
    asked = Counter(record["operation"] for record in records)
    for operation in {*DETAILS["Collaboration"], *DETAILS["Membership"]}:
        allowed = sum(looks[kind].total() for kind in looks if operation in DETAILS[kind])
        assert asked[operation] <= allowed
    assert asked.keys() <= {
        *LISTS.values(),
        *DETAILS["Collaboration"],
        *DETAILS["Membership"],
        "AssumeRole",
        "GetCallerIdentity",
    }
    assert_lists_are_shared(records, crowd)
    assert writes(stage, crowd.keys) == before
