"""STS tells who a caller is, and hands out credentials of roles that others accept."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.identities import Role
from cleanrooms_emulator.request import Caller, Request, ServiceError
from cleanrooms_emulator.virtual import VirtualTime
from cleanrooms_playground.servers import Emulator as Server
from model_samples import COLLABORATION
from wire import send, signed

MakeClient = Callable[..., Any]
StartServer = Callable[..., Server]
Connect = Callable[[Server], MakeClient]

ROLE = "arn:aws:iam::333333333333:role/path/operator"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def assume(make: MakeClient, account: str, role: str = ROLE, **more: Any) -> dict[str, Any]:
    sts = make("sts", account)
    answer: dict[str, Any] = sts.assume_role(RoleArn=role, RoleSessionName="session", **more)
    return answer


def as_role(make: MakeClient, service: str, credentials: dict[str, Any]) -> Any:
    token = credentials["SessionToken"]
    return make(service, credentials["AccessKeyId"], aws_session_token=token)


def test_r29_account_keys_are_root(client: MakeClient, account: str) -> None:
    identity = client("sts", account).get_caller_identity()
    assert {name: identity[name] for name in ("Account", "Arn", "UserId")} == {
        "Account": account,
        "Arn": f"arn:aws:iam::{account}:root",
        "UserId": account,
    }
    assert identity["ResponseMetadata"]["RequestId"]


def test_r29_keys_of_a_role_are_of_its_account(client: MakeClient, account: str) -> None:
    assumed = assume(client, account)
    arn = "arn:aws:sts::333333333333:assumed-role/operator/session"
    assert assumed["AssumedRoleUser"]["Arn"] == arn
    identity = as_role(client, "sts", assumed["Credentials"]).get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == ("333333333333", arn)
    assert identity["UserId"] == assumed["AssumedRoleUser"]["AssumedRoleId"]


def test_r29_what_a_role_makes_belongs_to_its_account(
    client: MakeClient, account: str, partner: str
) -> None:
    credentials = assume(client, account, f"arn:aws:iam::{partner}:role/r")["Credentials"]
    made = as_role(client, "cleanrooms", credentials).create_collaboration(**COLLABORATION)
    assert made["collaboration"]["creatorAccountId"] == partner


@pytest.mark.parametrize("token", [None, "another"])
def test_session_token_is_required(client: MakeClient, account: str, token: str | None) -> None:
    key = assume(client, account)["Credentials"]["AccessKeyId"]
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        client("cleanrooms", key, aws_session_token=token).list_collaborations()
    with pytest.raises(ClientError, match="InvalidClientTokenId") as caught:
        client("sts", key, aws_session_token=token).get_caller_identity()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_r28_credentials_expire_in_wall_time(
    start_server: StartServer, connect: Connect, account: str
) -> None:
    """The emulated clock has run a day ahead, and the credentials are still good."""
    make = connect(start_server("--speed", "100000", "--session-seconds", "600"))
    credentials = assume(make, account)["Credentials"]
    as_role(make, "cleanrooms", credentials).list_collaborations()


def test_r28_expired_credentials_are_refused(
    start_server: StartServer, connect: Connect, account: str
) -> None:
    make = connect(start_server("--session-seconds", "0.001"))
    credentials = assume(make, account)["Credentials"]
    with pytest.raises(ClientError, match="ExpiredTokenException") as caught:
        as_role(make, "cleanrooms", credentials).list_collaborations()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    with pytest.raises(ClientError, match=r"\(ExpiredToken\)"):
        as_role(make, "sts", credentials).get_caller_identity()


def test_r28_lifetime_is_what_was_asked_for(
    emulator: Emulator, ask: Any, time: VirtualTime
) -> None:
    parameters = {"RoleArn": ROLE, "RoleSessionName": "s1", "DurationSeconds": 900}
    credentials = ask("111111111111", "AssumeRole", service="sts", **parameters)["Credentials"]
    assert credentials["Expiration"].timestamp() == time.wall() + 900
    key, token = credentials["AccessKeyId"], credentials["SessionToken"]
    time.elapse(899)
    assert emulator.identities.caller(key, token, "us-east-1").account == "333333333333"
    time.elapse(1)
    with pytest.raises(ServiceError, match="ExpiredTokenException"):
        emulator.identities.caller(key, token, "us-east-1")


@pytest.fixture
def trusting(emulator: Emulator) -> Emulator:
    """Let only these roles be assumed."""
    roles = (
        Role(ROLE, trusts=frozenset({"111111111111"})),
        Role(f"{ROLE}-2", trusts=frozenset({"arn:aws:iam::222222222222:user/u"})),
        Role(f"{ROLE}-3", external_ids=frozenset({"id-x", "id-y"})),
    )
    emulator.identities.roles = {role.arn: role for role in roles}
    return emulator


@pytest.mark.parametrize(
    ("role", "principal", "external_id", "admitted"),
    [
        pytest.param(ROLE, "111111111111:root", None, True, id="a trusted account"),
        pytest.param(
            ROLE, "111111111111:root", "id-x", True, id="with an id that is not asked for"
        ),
        pytest.param(ROLE, "222222222222:root", None, False, id="another account"),
        pytest.param(f"{ROLE}-2", "222222222222:user/u", None, True, id="a trusted principal"),
        pytest.param(f"{ROLE}-2", "222222222222:user/v", None, False, id="another principal"),
        pytest.param(f"{ROLE}-3", "222222222222:root", "id-y", True, id="one of the external ids"),
        pytest.param(f"{ROLE}-3", "222222222222:root", "id-z", False, id="another external id"),
        pytest.param(f"{ROLE}-3", "222222222222:root", None, False, id="no external id"),
        pytest.param(f"{ROLE}-4", "111111111111:root", None, False, id="a role that there is not"),
    ],
)
def test_r29_trust_and_external_ids(
    trusting: Emulator,
    role: str,
    principal: str,
    external_id: str | None,
    admitted: bool,  # noqa: FBT001 - a table's column
) -> None:
    caller = Caller(principal[:12], f"arn:aws:iam::{principal}", "us-east-1")
    parameters = {"RoleArn": role, "RoleSessionName": "s1", "ExternalId": external_id}
    request = Request(caller, "sts", "AssumeRole", parameters)
    if admitted:
        assert trusting.handle(request)["Credentials"]
        return
    with pytest.raises(ServiceError, match="AccessDenied") as caught:
        trusting.handle(request)
    assert role in caught.value.message


def test_denied_role_is_403_in_xml(
    start_server: StartServer, connect: Connect, account: str
) -> None:
    make = connect(start_server("--role", f"{ROLE},trusts=444444444444,externalId=id-x"))
    with pytest.raises(ClientError, match="AccessDenied") as caught:
        assume(make, account)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert assume(make, "444444444444", ExternalId="id-x")["Credentials"]


@pytest.mark.parametrize("role", ["arn:aws:iam::333333333333:user/operator", "x" * 20])
def test_role_arn_of_another_form_is_invalid(client: MakeClient, account: str, role: str) -> None:
    with pytest.raises(ClientError, match="ValidationError") as caught:
        assume(client, account, role)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_sts_validates_as_its_model_says(client: MakeClient, account: str) -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        assume(client, account, DurationSeconds=50_000)


def test_other_operations_of_sts_are_not_implemented(client: MakeClient, account: str) -> None:
    with pytest.raises(ClientError, match="EmulatorNotImplemented"):
        client("sts", account).get_session_token()


@pytest.mark.parametrize(
    ("verb", "target", "body"),
    [
        pytest.param("POST", "/", b"Action=Nothing", id="an unknown action"),
        pytest.param("POST", "/", b"", id="no action"),
        pytest.param("GET", "/", b"Action=GetCallerIdentity", id="another verb"),
        pytest.param("POST", "/path", b"Action=GetCallerIdentity", id="another path"),
    ],
)
def test_r29_sts_is_a_post_of_a_form_to_the_root(
    server: Server, verb: str, target: str, body: bytes
) -> None:
    headers = {**signed("111111111111", "sts"), **FORM}
    answer = send(server.url, verb, target, headers, body)
    assert answer.status == 404
    assert b"<Code>InvalidAction</Code>" in answer.body
    assert answer.headers["content-type"].startswith("text/xml")


def test_r29_errors_of_sts_are_xml(server: Server) -> None:
    answer = send(server.url, "POST", "/", signed("unknown", "sts"), b"Action=GetCallerIdentity")
    assert answer.status == 403
    assert b"<Code>InvalidClientTokenId</Code>" in answer.body
