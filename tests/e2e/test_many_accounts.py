"""Many accounts: roles through roles, roles that refuse, and one account that is down."""

from collections import Counter
from collections.abc import Iterator

import pytest

from cleanrooms_operator.core.resource import Key
from e2e import declared
from e2e.stage import OPERATOR_ACCOUNT, Company, Stage

HUB_ACCOUNT = "300000000000"
HUB = f"arn:aws:iam::{HUB_ACCOUNT}:role/hub"
HUB_SESSION = f"arn:aws:sts::{HUB_ACCOUNT}:assumed-role/hub/cleanrooms-operator"
CHAINED = ("300000000001", "300000000002")
DIRECT = [str(number) for number in range(300_000_000_100, 300_000_000_122)]
DEAD, BEFORE, *HEALTHY = DIRECT
DEAD_RESOURCES = 60
OUTAGE_SECONDS = 600


def role(account: str) -> str:
    return f"arn:aws:iam::{account}:role/cleanrooms-operator"


@pytest.fixture(scope="module")
def emulator_arguments() -> tuple[str, ...]:
    """Let the operator assume the roles of some accounts, and a hub's, which may assume others."""
    roles = [
        f"{HUB},trusts={OPERATOR_ACCOUNT},externalId=hub-id",
        *(f"{role(account)},trusts={HUB_SESSION},externalId=agreed" for account in CHAINED),
        *(f"{role(account)},trusts={OPERATOR_ACCOUNT}" for account in DIRECT),
    ]
    return ("--no-rates", *(word for each in roles for word in ("--role", each)))


@pytest.fixture(scope="module", autouse=True)
def operator(stage: Stage) -> Iterator[None]:
    """Run an operator that looks for drift so seldom that only work costs requests.

    It is killed in the end: to stop in good order it would wait for the account that hangs.
    """
    allowed = {"*": [HUB, "arn:aws:iam::*:role/cleanrooms-operator"]}
    seldom = {"list_interval": 3600, "detail_interval": 3600}
    made = stage.run_operator(roles=allowed, progress_interval=0.5, **seldom)
    yield
    made.process.kill9()


def company(stage: Stage, account: str) -> Company:
    made = Company(f"many-{account[-3:]}", account, stage)
    stage.cluster.create_namespace(made.namespace)
    return made


def through_hub(stage: Stage, account: str, external_id: str) -> tuple[Company, Key]:
    made = company(stage, account)
    way = [{"roleARN": HUB, "externalID": external_id}]
    return made, made.open_account(externalID="agreed", intermediateRoles=way)


def study(made: Company, number: int = 0) -> Key:
    return made.apply("Collaboration", f"study-{number}", declared.collaboration())


def told(stage: Stage, key: Key, type_: str) -> tuple[str, str, str] | None:
    condition = stage.resource(key).condition(type_)
    return condition and (condition["status"], condition["reason"], condition["message"])


def test_a_role_is_assumed_through_another_with_an_external_id_each(stage: Stage) -> None:
    made, _ = through_hub(stage, CHAINED[0], "hub-id")
    stage.wait_ready(study(made))
    assumed = [
        (record["principal"].split(":")[4], record["parameters"]["RoleArn"])
        for record in stage.aws.log()
        if record["operation"] == "AssumeRole"
    ]
    assert assumed == [(OPERATOR_ACCOUNT, HUB), (HUB_ACCOUNT, role(CHAINED[0]))]


def test_a_wrong_external_id_is_told_on_the_account_and_its_users_and_mended_by_an_edit(
    stage: Stage,
) -> None:
    mark = stage.aws.mark()
    made, account = through_hub(stage, CHAINED[1], "guessed")
    user = study(made)
    stage.watch.wait(
        "the user to tell why",
        lambda: "is not ready: AccessDenied" in str(told(stage, user, "Reconciling")),
    )
    assert (told(stage, user, "Ready") or ())[:2] == ("False", "DependencyNotReady")
    status, reason, message = told(stage, account, "Ready") or ("", "", "")
    assert (status, reason) == ("False", "AccessDenied")
    assert HUB in message
    refused = [r for r in stage.aws.log(mark) if r["operation"] == "AssumeRole"]
    assert 1 <= len(refused) <= 8, "it is asked less and less often"
    stage.edit(account, intermediateRoles=[{"roleARN": HUB, "externalID": "hub-id"}])
    stage.wait_ready(account, user)


def test_a_role_that_is_not_allowed_is_refused_where_it_is_named(stage: Stage) -> None:
    mark = stage.aws.mark()
    made = company(stage, "300000000003")
    other = "arn:aws:iam::300000000003:role/admin"
    account = made.open_account(roleARN=other)
    stage.watch.wait("the refusal", lambda: told(stage, account, "Stalled") is not None)
    status, reason, message = told(stage, account, "Stalled") or ("", "", "")
    assert (status, reason) == ("True", "NotAllowed")
    assert message.startswith(f"Namespace {made.namespace} may not assume {other}")
    assert not [r for r in stage.aws.log(mark) if r["operation"] == "AssumeRole"]


def asked(stage: Stage, account: str) -> Counter[str]:
    return Counter(record["operation"] for record in stage.aws.calls(account))


def test_an_account_that_hangs_slows_none_of_twenty_others_and_costs_them_nothing(
    stage: Stage,
) -> None:
    before, dead = company(stage, BEFORE), company(stage, DEAD)
    stage.wait_ready(dead.open_account())
    before.open_account()
    stage.wait_ready(study(before))
    stage.aws.fail("delay", "*", account=DEAD, seconds=OUTAGE_SECONDS)
    hanging = [study(dead, number) for number in range(DEAD_RESOURCES)]
    healthy = [company(stage, account) for account in HEALTHY]
    for each in healthy:
        each.open_account()
    stage.wait_ready(*(study(each) for each in healthy), timeout_seconds=180)
    assert not any(stage.resource(key).is_true("Ready") for key in hanging)
    usual = asked(stage, BEFORE)
    assert {account: asked(stage, account) for account in HEALTHY} == dict.fromkeys(HEALTHY, usual)
