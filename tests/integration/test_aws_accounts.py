"""Many accounts behind one gateway: roles through roles, keys that end, and one that is down."""

import asyncio
from typing import Any

import pytest

from cleanrooms_emulator.faults import FaultKind
from cleanrooms_emulator.identities import Role
from cleanrooms_operator.aws.gateway import Gateway
from cleanrooms_operator.aws.rates import Rate
from cleanrooms_operator.aws.settings import Observer
from cleanrooms_operator.core.failure import Failure
from cleanrooms_operator.runtime.ports import Identity, Via
from gateways import ACCOUNT, HANG, PARTNER, Aws, create, failure_of, memberships

HUB = f"arn:aws:iam::{PARTNER}:role/hub"
HUB_SESSION = f"arn:aws:sts::{PARTNER}:assumed-role/hub/cleanrooms-operator"
ACCOUNTS = [str(number) for number in range(300_000_000_000, 300_000_000_020)]
FOR_BOTOCORE = 15 * 60
"""How long before their end botocore begins to renew keys, in seconds."""


def role(account: str) -> str:
    return f"arn:aws:iam::{account}:role/team"


def direct(account: str) -> Identity:
    return Identity(account, "us-east-1", role(account), "cluster/team", "emulator")


def through_hub(account: str, external_id: str = "hub-id") -> Identity:
    way = (Via(HUB, external_id),)
    return Identity(account, "us-east-1", role(account), "cluster/team", "emulator", way)


@pytest.fixture
def hub(aws: Aws) -> Aws:
    """Let the operator assume one role alone, which alone may assume those of the accounts."""
    team = frozenset({"cluster/team"})
    roles = [Role(role(each), frozenset({HUB_SESSION}), team) for each in ACCOUNTS]
    roles.append(Role(HUB, frozenset({ACCOUNT}), frozenset({"hub-id"})))
    aws.emulator.identities.roles = {each.arn: each for each in roles}
    return aws


def assumed(aws: Aws) -> list[tuple[str, str]]:
    """Return who assumed which role, in order."""
    asked = [record for record in aws.emulator.log.since() if record.operation == "AssumeRole"]
    return [(record.principal, record.parameters["RoleArn"]) for record in asked]


class TestChains:
    async def test_a_role_is_assumed_through_another_each_with_its_external_id(
        self, hub: Aws
    ) -> None:
        gateway, account = hub.gateway(), ACCOUNTS[0]
        await asyncio.gather(*(memberships(gateway, through_hub(account)) for _ in range(10)))
        assert hub.operations() == [
            "AssumeRole",
            "AssumeRole",
            "GetCallerIdentity",
            *["ListMemberships"] * 10,
        ]
        root = f"arn:aws:iam::{ACCOUNT}:root"
        assert assumed(hub) == [(root, HUB), (HUB_SESSION, role(account))]
        assert {record.account for record in hub.emulator.log.since()[2:]} == {account}

    async def test_all_that_goes_through_a_role_shares_its_keys(self, hub: Aws) -> None:
        gateway = hub.gateway()
        await asyncio.gather(*(memberships(gateway, through_hub(each)) for each in ACCOUNTS))
        assert [arn for _, arn in assumed(hub)].count(HUB) == 1
        assert len(assumed(hub)) == 1 + len(ACCOUNTS)

    async def test_a_wrong_external_id_on_the_way_is_a_denial_that_stops_nobody_else(
        self, hub: Aws
    ) -> None:
        gateway = hub.gateway()
        error = await failure_of(create(gateway, through_hub(ACCOUNTS[0], "guessed")))
        assert (error.failure, error.code, error.harmless) == (
            Failure.DENIED,
            "AccessDenied",
            True,
        )
        assert HUB in error.message
        await memberships(gateway, through_hub(ACCOUNTS[0]))

    async def test_the_way_there_cannot_be_skipped(self, hub: Aws) -> None:
        error = await failure_of(memberships(hub.gateway(), direct(ACCOUNTS[0])))
        assert (error.failure, error.code) == (Failure.DENIED, "AccessDenied")

    async def test_keys_on_the_way_that_aws_forgot_are_fetched_anew(self, hub: Aws) -> None:
        moment = [0.0]
        gateway = hub.gateway(elapsed=lambda: moment[0])
        one, other = (through_hub(each) for each in ACCOUNTS[:2])
        await memberships(gateway, one)
        hub.emulator.identities._sessions.clear()
        error = await failure_of(memberships(gateway, other))
        assert error.code == "InvalidClientTokenId"
        moment[0] += HANG
        await memberships(gateway, other)
        assert [arn for _, arn in assumed(hub)].count(HUB) == 2


class TestExpiry:
    @pytest.mark.parametrize(
        "session_seconds",
        [
            pytest.param(FOR_BOTOCORE + 1.0, id="keys that are renewed while they last"),
            pytest.param(2.0, id="keys that hardly last for a request"),
        ],
    )
    async def test_no_request_is_ever_signed_with_keys_that_are_over(
        self, hub: Aws, session_seconds: float
    ) -> None:
        hub.emulator.sts.longest_session_seconds = session_seconds
        gateway = hub.gateway()
        async with asyncio.timeout(HANG):
            while len(assumed(hub)) < 6:
                calls = (memberships(gateway, through_hub(each)) for each in ACCOUNTS[:2])
                await asyncio.gather(*calls)
        assert {record.answered for record in hub.emulator.log.since()} == {"OK"}


class TestManyAccounts:
    async def test_clients_are_as_many_as_services_however_many_accounts_and_calls(
        self, aws: Aws
    ) -> None:
        gateway = aws.gateway()
        for _ in range(3):
            await asyncio.gather(*(memberships(gateway, direct(each)) for each in ACCOUNTS))
        clients = gateway._wire._clients
        assert sorted(service for service, _, _ in clients) == ["cleanrooms", "sts"]
        each = ("AssumeRole", "GetCallerIdentity", "ListMemberships")
        assert [aws.count(operation) for operation in each] == [20, 20, 60]

    @pytest.mark.parametrize(
        ("kind", "operation"),
        [
            pytest.param(FaultKind.DELAY, "ListMemberships", id="it hangs"),
            pytest.param(FaultKind.THROTTLE, "ListMemberships", id="it is throttled"),
            pytest.param(FaultKind.DELAY, "GetCallerIdentity", id="its credentials hang"),
        ],
    )
    async def test_one_that_is_down_costs_the_others_neither_a_request_nor_a_wait(
        self, aws: Aws, kind: FaultKind, operation: str
    ) -> None:
        waits: list[str] = []
        observer = Observer(on_wait=lambda account, *_: waits.append(account))
        rates = {"rates": {"*": Rate(1000, 1000)}, "patience": 1.0}
        gateway = aws.gateway(rates, observer=observer)
        how = {"seconds": HANG} if kind is FaultKind.DELAY else {}
        aws.fault(kind, operation, account=PARTNER, **how)
        down = [asyncio.create_task(memberships(gateway, direct(PARTNER))) for _ in range(40)]
        await aws.until_asked("AssumeRole")
        async with asyncio.timeout(HANG / 2):
            await _all_thrice(gateway)
        assert not [each for each in down if each.done() and each.exception() is None]
        for account in ACCOUNTS:
            asked = [r.operation for r in aws.emulator.log.since() if r.account == account]
            assert asked == ["GetCallerIdentity", *["ListMemberships"] * 3]
        assert set(waits) <= {PARTNER}
        await _end(down)


async def _all_thrice(gateway: Gateway) -> None:
    for _ in range(3):
        await asyncio.gather(*(memberships(gateway, direct(each)) for each in ACCOUNTS))


async def _end(tasks: list[asyncio.Task[Any]]) -> None:
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
