"""Hundreds of resources cost few writes to become ready, and next to nothing at rest."""

import re
import urllib.request
from collections import Counter
from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cleanrooms_operator.core.resource import Key
from e2e.emulated import Record
from e2e.stage import Company, Stage
from pods import Operator

EACH = 100
"""Collaborations, and Memberships, of each of two companies."""
BUDGET = {"Collaboration": 4, "Membership": 6}
"""Writes from apply to Ready (rule R-23)."""
READY_SECONDS = 240
LIST_INTERVAL = 3
CYCLES = 3
DETAIL_INTERVAL = 10
LISTS = {"Collaboration": "ListCollaborations", "Membership": "ListMemberships"}
DETAILS = {
    "Collaboration": (
        "GetCollaboration",
        "ListMembers",
        "ListCollaborationChangeRequests",
        "ListTagsForResource",
    ),
    "Membership": ("GetMembership", "GetMLConfiguration", "ListMembers", "ListTagsForResource"),
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
    operator = stage.run_operator(list_interval=LIST_INTERVAL, detail_interval=86400)
    companies = (stage.company(), stage.company())
    stage.wait_ready(*(company.key("AWSAccount", "default") for company in companies))
    pairs = [company.found(f"study-{n:03}") for n in range(EACH) for company in companies]
    keys = tuple(key for pair in pairs for key in pair)
    stage.wait_ready(*keys, timeout_seconds=READY_SECONDS)
    stage.watch.wait("all to have joined", lambda: all(has_joined(stage, key) for key in keys))
    return Crowd(companies, keys, operator)


def has_joined(stage: Stage, key: Key) -> bool:
    """Tell whether the status shows what joining has changed, which is seen after Ready."""
    status = stage.resource(key).status
    return status["state"] == "ACTIVE" and status.get("membersJoined") in {"1/1", None}


def writes(stage: Stage, *keys: Key) -> int:
    """Return how often these resources were written since they were applied."""
    return sum(len(stage.watch.versions(key)) - 1 for key in keys)


def writes_until_ready(stage: Stage, key: Key) -> int:
    versions = stage.watch.versions(key)
    return next(number for number, each in enumerate(versions) if each.is_true("Ready"))


def counted_by(operator: Operator) -> int:
    """Return how many writes of our resources an operator's own metrics tell of."""
    served = re.search(r"probes at (http://\S+)", operator.process.output())
    assert served is not None
    with urllib.request.urlopen(f"{served[1]}/metrics") as answer:  # noqa: S310  our own endpoint
        families = list(text_string_to_metric_families(answer.read().decode()))
    samples = [sample for family in families for sample in family.samples]
    return round(
        sum(
            sample.value
            for sample in samples
            if sample.name == "cleanrooms_kubernetes_writes_total"
            and sample.labels["kind"] in {"AWSAccount", *BUDGET}
        )
    )


def test_each_is_written_seldom_until_it_is_ready(stage: Stage, crowd: Crowd) -> None:
    """R-23."""
    for kind, budget in BUDGET.items():
        keys = [key for key in crowd.keys if key.kind == kind]
        spent = Counter(writes_until_ready(stage, key) for key in keys)
        most = max(keys, key=lambda key: writes_until_ready(stage, key))
        said = [version.condition("Ready") for version in stage.watch.versions(most)]
        assert max(spent) <= budget, (spent, said)


def test_every_write_says_something_new(stage: Stage, crowd: Crowd) -> None:
    """A patch that changes nothing makes no version, but costs the API server as much."""
    accounts = [company.key("AWSAccount", "default") for company in crowd.companies]

    def agree() -> bool:
        return counted_by(crowd.operator) == writes(stage, *crowd.keys, *accounts)

    # Some may be written once more, and one is counted before the other hears of it.
    stage.watch.wait("as many writes as versions", agree)


def test_each_is_made_once(stage: Stage, crowd: Crowd) -> None:
    """R-30, R-37."""
    stage.check_one_each(*crowd.keys)


# -- at rest ---------------------------------------------------------------------------------


def lists(records: list[Record], company: Company, kind: str) -> list[Record]:
    """Return the first pages of a company's Lists of a kind: one for each List."""
    return [
        record
        for record in records
        if record["account"] == company.account
        and record["operation"] == LISTS[kind]
        and "nextToken" not in record["parameters"]
    ]


def looks(records: list[Record], kind: str) -> Counter[str]:
    """Return how often the details of each object of a kind were read."""
    parameter = f"{kind.lower()}Identifier"
    operation = DETAILS[kind][0]
    return Counter(
        record["parameters"][parameter] for record in records if record["operation"] == operation
    )


def test_at_rest_there_are_shared_lists_and_details_in_turn_and_no_writes(
    stage: Stage, crowd: Crowd
) -> None:
    """R-21, R-23."""
    crowd.operator.process.stop()
    mark, before = stage.aws.mark(), writes(stage, *crowd.keys)
    intervals = {"list_interval": LIST_INTERVAL, "detail_interval": DETAIL_INTERVAL}
    operator = stage.run_operator(name="successor", **intervals)

    def has_had_its_turn(kind: str) -> bool:
        records = stage.aws.log(mark)
        cycles = min(len(lists(records, company, kind)) for company in crowd.companies)
        return cycles > CYCLES and len(looks(records, kind)) == len(crowd.keys) / 2

    for kind in BUDGET:
        stage.watch.wait(f"every {kind}'s turn", lambda k=kind: has_had_its_turn(k), READY_SECONDS)
    assert (counted_by(operator), writes(stage, *crowd.keys)) == (0, before)
    check_rhythms(stage.aws.log(mark), crowd)


def check_rhythms(records: list[Record], crowd: Crowd) -> None:
    """Assert that each scope is listed, and each object read, no more than once an interval."""
    seconds = records[-1]["wall"] - records[0]["wall"]
    asked = Counter(record["operation"] for record in records if record["service"] != "sts")
    allowed: Counter[str] = Counter()
    for kind in BUDGET:
        for company in crowd.companies:
            assert len(lists(records, company, kind)) <= seconds / LIST_INTERVAL + 2
        counted = looks(records, kind)
        assert max(counted.values()) <= seconds / DETAIL_INTERVAL + 1
        allowed.update(dict.fromkeys(DETAILS[kind], counted.total()))
    details = Counter({name: n for name, n in asked.items() if name not in LISTS.values()})
    assert details <= allowed
