"""Creates whose answer is lost, damaged or refused in passing end as those that are answered."""

from collections.abc import Mapping
from typing import Any

import pytest

from cleanrooms_operator.core.resource import Key
from e2e.stage import Company, Stage

LAG_SECONDS = 2.0
CREATES = ("CreateCollaboration", "CreateMembership")

PASSING: Mapping[str, Mapping[str, Any]] = {
    "throttled by the service": {"kind": "throttle", "status": 429, "count": 2},
    "throttled by its front end": {"kind": "throttle", "status": 400, "count": 2},
}
"""What proves that nothing happened: the same attempt is sent again."""

APPLIED: Mapping[str, Mapping[str, Any]] = {
    "applied, then cut": {"kind": "lose-response"},
    "applied, then 500": {"kind": "lose-response", "status": 500},
    "applied, then 503": {"kind": "lose-response", "status": 503},
    "applied, then garbage": {"kind": "garbage"},
    "applied, then half an answer": {"kind": "truncate"},
}
"""What hides that the object was made: it is found by its attempt."""

NOT_APPLIED: Mapping[str, Mapping[str, Any]] = {
    "cut": {"kind": "lose-request"},
    "500": {"kind": "lose-request", "status": 500},
    "503": {"kind": "lose-request", "status": 503},
    "the 403 of a proxy": {"kind": "html", "status": 403},
    "the 503 of a proxy": {"kind": "html", "status": 503},
}
"""What may hide an object, and does not: another attempt is made, once that is certain."""

MISHAPS = {**PASSING, **APPLIED, **NOT_APPLIED}

READ_MISHAPS = ("throttle", "lose-request", "garbage", "truncate", "html")
STRUCK_READS = (2, 5, 8, 11)
"""Which reads of a company go wrong: of credentials, of what is there, of what was made."""


@pytest.fixture(scope="module")
def companies(stage: Stage) -> dict[str, Company]:
    """Let each mishap befall both creates of a company of its own, at the first try."""
    made = {mishap: stage.company() for mishap in MISHAPS}
    for mishap, fault in MISHAPS.items():
        for operation in CREATES:
            fields = {"count": 1, "account": made[mishap].account, **fault}
            stage.aws.fail(operation=operation, **fields)
    return made


@pytest.fixture(scope="module")
def laggards(stage: Stage) -> dict[str, Company]:
    """Let answers be lost where lists, gets or both show what was there some seconds ago."""
    made = {reads: stage.company() for reads in ("List*", "Get*", "[GL]*")}
    for reads, company in made.items():
        stage.aws.fail("lag", reads, account=company.account, seconds=LAG_SECONDS)
        for operation in CREATES:
            stage.aws.fail("lose-response", operation, account=company.account, count=1)
    return made


@pytest.fixture(scope="module")
def readers(stage: Stage) -> dict[str, Company]:
    """Let some reads go wrong, in each way for a company of its own."""
    made = {f"reads: {kind}": stage.company() for kind in READ_MISHAPS}
    for kind, company in zip(READ_MISHAPS, made.values(), strict=True):
        for number in STRUCK_READS:
            stage.aws.fail(kind, "[GL]*", account=company.account, first=number, count=1)
    return made


@pytest.fixture(scope="module")
def keys(
    stage: Stage,
    companies: dict[str, Company],
    laggards: dict[str, Company],
    readers: dict[str, Company],
) -> dict[str, tuple[Key, Key]]:
    """Create it all at once, and wait until all is Ready."""
    everybody = {**companies, **laggards, **readers}
    found = {name: company.found() for name, company in everybody.items()}
    stage.run_operator()
    stage.wait_ready(*(key for pair in found.values() for key in pair))
    return found


def attempts(stage: Stage, key: Key) -> list[str]:
    """Return the ids of all attempts that were ever recorded, in their order."""
    recorded = (version.status.get("attempt") for version in stage.watch.versions(key))
    return list(dict.fromkeys(attempt["id"] for attempt in recorded if attempt))


def asked(stage: Stage, key: Key) -> list[Any]:
    """Return how the creates of a resource were answered."""
    operation = f"Create{key.kind}"
    account = stage.resource(key).status["accountID"]
    return [record["answered"] for record in stage.aws.calls(account, operation)]


def test_nothing_is_made_twice_or_orphaned(stage: Stage, keys: dict[str, tuple[Key, Key]]) -> None:
    stage.check_one_each(*(key for pair in keys.values() for key in pair))


@pytest.mark.parametrize("mishap", PASSING)
def test_what_was_throttled_is_sent_again_under_the_same_attempt(
    stage: Stage, keys: dict[str, tuple[Key, Key]], mishap: str
) -> None:
    for key in keys[mishap]:
        assert asked(stage, key) == ["ThrottlingException", "ThrottlingException", "OK"]
        assert len(attempts(stage, key)) == 1


@pytest.mark.parametrize("mishap", APPLIED)
def test_what_was_made_unheard_is_found_and_not_asked_for_again(
    stage: Stage, keys: dict[str, tuple[Key, Key]], mishap: str
) -> None:
    for key in keys[mishap]:
        assert len(asked(stage, key)) == 1
        assert len(attempts(stage, key)) == 1


@pytest.mark.parametrize("mishap", NOT_APPLIED)
def test_what_was_not_made_is_asked_for_again_under_another_attempt(
    stage: Stage, keys: dict[str, tuple[Key, Key]], mishap: str
) -> None:
    for key in keys[mishap]:
        answers = asked(stage, key)
        assert len(answers) == 2
        assert answers[1] == "OK"
        assert len(attempts(stage, key)) == 2


@pytest.mark.parametrize("reads", ["List*", "Get*", "[GL]*"])
def test_what_lags_is_waited_for(
    stage: Stage, keys: dict[str, tuple[Key, Key]], reads: str
) -> None:
    for key in keys[reads]:
        assert len(asked(stage, key)) == 1
        assert len(attempts(stage, key)) == 1


@pytest.mark.parametrize("kind", READ_MISHAPS)
def test_reads_that_go_wrong_are_made_up_for(
    stage: Stage, keys: dict[str, tuple[Key, Key]], readers: dict[str, Company], kind: str
) -> None:
    account = readers[f"reads: {kind}"].account
    wrong = [record for record in stage.aws.calls(account) if record["answered"] != "OK"]
    assert len(wrong) >= len(STRUCK_READS)
    for key in keys[f"reads: {kind}"]:
        assert asked(stage, key) == ["OK"]
