"""Accounts that share collaborations: in an emulator in process, or at AWS with --aws.

A test marked `aws` may run against two real accounts, the profiles that the environment variable
CLEANROOMS_TEST_PROFILES names ("first,second"). All others need the emulator: its clock, its
rules, or a third account.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.rules import Rules
from cleanrooms_emulator.virtual import CountedIds, VirtualTime
from in_process import CONFIG, Wire
from lab import Lab
from parties import Party, Shared, collaboration, member

REGION = "us-east-1"

MakeParty = Callable[..., Party]
Share = Callable[..., Shared]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "rules(*settings): the emulator's rules, as ER-9=accept")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--aws", default=False):
        return
    for item in items:
        if item.get_closest_marker("aws") is None:
            item.add_marker(pytest.mark.skip(reason="needs the emulator"))


@pytest.fixture(scope="session")
def wire() -> Wire:
    """Keep the clients that emulators answer."""
    return Wire()


@pytest.fixture
def emulator(request: pytest.FixtureRequest, time: VirtualTime, wire: Wire) -> Emulator:
    """Plug an empty emulator in, with the rules that the test is marked with."""
    marker = request.node.get_closest_marker("rules")
    rules = Rules.parse(marker.args if marker else ())
    wire.exchanges.clear()
    wire.emulator = Emulator(time, rules, CountedIds(), wall=time.wall)
    return wire.emulator


@pytest.fixture
def party(emulator: Emulator, wire: Wire) -> MakeParty:
    """Make any number of accounts: `party("333333333333", region="eu-west-1")`."""
    assert emulator is wire.emulator

    def make(account: str, region: str = REGION) -> Party:
        cleanrooms = wire.client("cleanrooms", account, region)
        return Party(account, region, cleanrooms, wire.client("cleanroomsml", account, region))

    return make


def real(profile: str) -> Party:
    """Return an account at AWS."""
    session = boto3.Session(profile_name=profile)
    account = session.client("sts").get_caller_identity()["Account"]
    clients = [session.client(name, config=CONFIG) for name in ("cleanrooms", "cleanroomsml")]
    return Party(account, session.region_name, *clients)


@pytest.fixture
def alice(request: pytest.FixtureRequest) -> Party:
    """Name the account that creates collaborations."""
    return one_of_two(request, 0)


@pytest.fixture
def bob(request: pytest.FixtureRequest) -> Party:
    """Name the account that is invited, and can query."""
    return one_of_two(request, 1)


@pytest.fixture
def carol(party: MakeParty) -> Party:
    """Name a third account."""
    return party("333333333333")


def one_of_two(request: pytest.FixtureRequest, number: int) -> Party:
    if request.config.getoption("--aws", default=False):
        return real(os.environ["CLEANROOMS_TEST_PROFILES"].split(",")[number])
    make: MakeParty = request.getfixturevalue("party")
    return make(str(number + 1) * 12)


@pytest.fixture
def share() -> Iterator[Share]:
    """Create a collaboration, which its parties then join: `share(alice, bob)`.

    The creator has the ML abilities, the first party can query, all others just contribute.
    """
    made: list[Shared] = []

    def create(creator: Party, *parties: Party, **changes: Any) -> Shared:
        invited = [member(each) if not i else member(each, []) for i, each in enumerate(parties)]
        found: Mapping[str, Any] = creator.cleanrooms.create_collaboration(
            **collaboration(*invited, **changes)
        )["collaboration"]
        shared = Shared(found["id"], found["arn"], creator)
        made.append(shared)
        return shared

    yield create
    for shared in made:
        shared.clear()


@pytest.fixture
def lab(alice: Party, bob: Party, share: Share, time: VirtualTime) -> Lab:
    """Set up all that a training needs; alice has an ML configuration, bob has none."""
    made = Lab(share(alice, bob), alice, bob, time)
    made.shared.join(alice)
    made.shared.join(bob)
    made.algorithm = made.configure()
    made.association = made.associate()
    made.receive(alice)
    return made


@pytest.fixture
def shared(alice: Party, bob: Party, share: Share) -> Shared:
    """Let alice and bob be in a collaboration, in which bob queries and pays."""
    made: Shared = share(alice, bob)
    made.join(alice)
    made.join(bob)
    return made
