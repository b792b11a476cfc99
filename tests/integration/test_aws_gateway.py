"""The gateway against the emulator over HTTP: what is sent, by whom, how often, and what is not."""

import asyncio
import logging
import socket
import time
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, web

from cleanrooms_emulator.faults import FaultKind
from cleanrooms_emulator.http.clock import WallClock
from cleanrooms_emulator.identities import Role
from cleanrooms_operator.aws.rates import Rate
from cleanrooms_operator.aws.settings import Observer
from cleanrooms_operator.aws.wire import Request
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.runtime.ports import Identity, NotSentError, PacedError
from gateways import (
    ACCOUNT,
    ASSUMED,
    COLLABORATION,
    HANG,
    LISTING,
    OWN,
    PARTNER,
    ROLE,
    SECRET,
    STRANGER,
    Aws,
    create,
    failure_of,
    memberships,
    serve,
)


class TestAnswers:
    async def test_an_answer_is_what_aws_said_and_nothing_of_botocore(self, aws: Aws) -> None:
        gateway = aws.gateway()
        made = await create(gateway)
        assert set(made) == {"collaboration"}
        parameters = {"collaborationIdentifier": made["collaboration"]["id"]}
        read = await gateway.call(OWN, "cleanrooms", "GetCollaboration", parameters)
        assert read["collaboration"]["name"] == "churn"
        last = aws.emulator.log.since()[-1]
        assert (last.account, last.region) == (ACCOUNT, "us-east-1")

    async def test_r_20_answers_tell_the_time_of_aws(self, aws: Aws) -> None:
        gateway = aws.gateway()
        assert await gateway.aws_time(OWN) is None
        made = (await create(gateway))["collaboration"]
        told = await gateway.aws_time(OWN)
        assert told is not None
        assert abs(told - made["createTime"]) < timedelta(minutes=1)

    async def test_an_answer_without_a_body_is_an_empty_one(self, aws: Aws) -> None:
        gateway = aws.gateway()
        made = (await create(gateway))["collaboration"]
        gone = {"collaborationIdentifier": made["id"]}
        assert await gateway.call(OWN, "cleanrooms", "DeleteCollaboration", gone) == {}

    async def test_both_services_are_spoken_to(self, aws: Aws) -> None:
        gateway = aws.gateway()
        made = (await create(gateway))["collaboration"]
        joining = {"collaborationIdentifier": made["id"], "queryLogStatus": "DISABLED"}
        joined = await gateway.call(OWN, "cleanrooms", "CreateMembership", joining)
        membership = {"membershipIdentifier": joined["membership"]["id"]}
        role = f"arn:aws:iam::{ACCOUNT}:role/ml"
        output = {"destination": {"s3Destination": {"s3Uri": "s3://results/ml"}}, "roleArn": role}
        parameters = {**membership, "defaultOutputLocation": output}
        assert await gateway.call(OWN, "cleanroomsml", "PutMLConfiguration", parameters) == {}
        read = await gateway.call(OWN, "cleanroomsml", "GetMLConfiguration", membership)
        assert read["defaultOutputLocation"] == output

    async def test_what_does_not_exist_is_denied(self, aws: Aws) -> None:
        parameters = {"collaborationIdentifier": "00000000-0000-0000-0000-000000000000"}
        error = await failure_of(
            aws.gateway().call(OWN, "cleanrooms", "GetCollaboration", parameters)
        )
        assert (error.failure, error.code) == (Failure.DENIED, "AccessDeniedException")
        assert error.request_id

    async def test_a_refusal_of_the_server_keeps_its_members(self, aws: Aws) -> None:
        parameters = {**COLLABORATION, "queryLogStatus": "PERHAPS"}
        call = aws.gateway().call(OWN, "cleanrooms", "CreateCollaboration", parameters)
        error = await failure_of(call)
        assert (error.failure, error.harmless) == (Failure.REFUSED, True)
        assert error.members["reason"] == "FIELD_VALIDATION_FAILED"

    async def test_what_botocore_refuses_is_never_sent(self, aws: Aws) -> None:
        error = await failure_of(
            aws.gateway().call(OWN, "cleanrooms", "CreateCollaboration", {"name": "x"})
        )
        assert (error.failure, error.harmless) == (Failure.REFUSED, True)
        assert aws.count("CreateCollaboration") == 0


@pytest.mark.parametrize(
    ("how", "code"),
    [
        pytest.param({"kind": "lose-response"}, "ConnectionClosedError", id="applied-and-cut"),
        pytest.param({"kind": "lose-request"}, "ConnectionClosedError", id="cut"),
        pytest.param(
            {"kind": "lose-response", "status": 500}, "InternalFailure", id="applied-and-500"
        ),
        pytest.param({"kind": "lose-request", "status": 503}, "ServiceUnavailable", id="503"),
        pytest.param({"kind": "garbage"}, "ForeignAnswerError", id="applied-and-garbled"),
        pytest.param({"kind": "truncate"}, "ForeignAnswerError", id="applied-and-truncated"),
        pytest.param({"kind": "html", "status": 403}, "403", id="a-proxy-says-403"),
        pytest.param({"kind": "html", "status": 503}, "503", id="a-proxy-says-503"),
        pytest.param(
            {"kind": "delay-response", "seconds": HANG}, "ReadTimeoutError", id="applied-and-silent"
        ),
        pytest.param({"kind": "delay", "seconds": HANG}, "ReadTimeoutError", id="silent"),
    ],
)
async def test_a_create_whose_outcome_is_unknown_is_sent_once(
    aws: Aws, how: dict[str, Any], code: str
) -> None:
    """R-8: nothing but a named refusal proves that nothing happened."""
    aws.fault(operation="CreateCollaboration", **how)
    seen: list[tuple[Any, ...]] = []
    gateway = aws.gateway(
        {"read_timeout": 0.5}, observer=Observer(on_request=lambda *request: seen.append(request))
    )
    error = await failure_of(create(gateway))
    assert (error.failure, error.code, error.harmless) == (Failure.UNAVAILABLE, code, False)
    assert [request[:4] for request in seen] == [
        (ACCOUNT, "sts", "GetCallerIdentity", "OK"),
        (ACCOUNT, "cleanrooms", "CreateCollaboration", code),
    ]
    invocations = [record.invocation_id for record in aws.emulator.log.since()]
    assert len(invocations) == len(set(invocations))
    assert aws.count("CreateCollaboration") == (0 if how["kind"] == "delay" else 1)


@pytest.mark.parametrize("status", [429, 400])
async def test_a_throttle_is_sent_once_and_slows_the_operation_down(aws: Aws, status: int) -> None:
    aws.fault(FaultKind.THROTTLE, "CreateCollaboration", status=status, count=1)
    gateway = aws.gateway({"rates": {}, "patience": 0.0}, elapsed=lambda: 0.0)
    error = await failure_of(create(gateway))
    assert (error.failure, error.harmless) == (Failure.THROTTLED, True)
    assert aws.count("CreateCollaboration") == 1
    with pytest.raises(PacedError):
        await gateway.reserve(OWN, "cleanrooms", "CreateCollaboration")
    await gateway.reserve(OWN, "cleanrooms", "CreateMembership")


class TestScripted:
    """Answers that no emulator gives."""

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"{}", id="no-envelope"),
            pytest.param(b'{"collaboration": {"name": "churn"}}', id="no-handle"),
            pytest.param(b'{"collaboration": null}', id="null"),
        ],
    )
    async def test_a_success_without_its_handle_is_an_unknown_outcome(
        self, aws: Aws, body: bytes
    ) -> None:
        """R-8: botocore takes it for a success."""
        asked = []

        async def answer(request: web.Request) -> web.Response:
            asked.append(request.headers["amz-sdk-invocation-id"])
            return web.Response(body=body, content_type="application/json")

        error, count = await self.scripted(aws, answer, asked)
        assert (error.failure, error.code) == (Failure.UNAVAILABLE, "IncompleteAnswer")
        assert not error.harmless
        assert count == 1

    async def test_a_code_in_the_body_is_as_good_as_one_in_the_header(self, aws: Aws) -> None:
        asked = []

        async def answer(_: web.Request) -> web.Response:
            asked.append("once")
            return web.json_response({"__type": "ThrottlingException", "message": "x"}, status=400)

        error, count = await self.scripted(aws, answer, asked)
        assert (error.failure, error.harmless, count) == (Failure.THROTTLED, True, 1)

    async def scripted(self, aws: Aws, answer: Any, asked: list[str]) -> tuple[ServiceError, int]:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", answer)
        runner, url = await serve(application)
        try:
            gateway = aws.gateway(others={"cleanrooms": url})
            return await failure_of(create(gateway)), len(asked)
        finally:
            await runner.cleanup()


async def test_r_8_a_create_that_found_no_server_made_nothing(aws: Aws) -> None:
    with socket.socket() as reserved:  # bound, and not listening: connections are refused
        reserved.bind(("127.0.0.1", 0))
        gateway = aws.gateway(
            others={"cleanrooms": f"http://127.0.0.1:{reserved.getsockname()[1]}"}
        )
        error = await failure_of(create(gateway))
    assert (error.failure, error.code) == (Failure.UNAVAILABLE, "EndpointConnectionError")
    assert error.harmless


class TestSendWindow:
    """R-7: nothing is sent once the window is over or the lease is lost."""

    async def test_a_window_that_is_over_lets_nothing_out(self, aws: Aws) -> None:
        with pytest.raises(NotSentError):
            await create(aws.gateway(), not_after=time.monotonic() - 1)
        assert aws.count("CreateCollaboration") == 0

    async def test_one_that_is_open_lets_it_out(self, aws: Aws) -> None:
        await create(aws.gateway(), not_after=time.monotonic() + HANG)
        assert aws.count("CreateCollaboration") == 1

    @pytest.mark.parametrize(
        "threads", [{"threads": 1}, {"threads_per_identity": 1}], ids=["pool", "lane"]
    )
    async def test_it_may_end_while_no_thread_is_free(
        self, aws: Aws, threads: dict[str, int]
    ) -> None:
        aws.fault(FaultKind.DELAY_RESPONSE, "ListMemberships", seconds=1.0)
        gateway = aws.gateway(threads)
        await gateway.call(OWN, "cleanrooms", "ListCollaborations", {})
        busy = asyncio.create_task(memberships(gateway))
        await aws.until_asked("ListMemberships")
        with pytest.raises(NotSentError):
            await create(gateway, not_after=time.monotonic() + 0.2)
        await busy
        assert aws.count("CreateCollaboration") == 0

    async def test_while_it_is_open_a_thread_is_waited_for(self, aws: Aws) -> None:
        """An attempt is written: it would be worse to come back later than to wait a little."""
        aws.fault(FaultKind.DELAY_RESPONSE, "ListMemberships", seconds=0.5)
        gateway = aws.gateway({"threads_per_identity": 1, "patience": 0.1})
        busy = asyncio.create_task(memberships(gateway))
        await aws.until_asked("ListMemberships")
        await create(gateway, not_after=time.monotonic() + HANG)
        await busy

    @pytest.mark.parametrize("slow", ["AssumeRole", "GetCallerIdentity"])
    async def test_it_may_end_while_credentials_are_fetched(self, aws: Aws, slow: str) -> None:
        aws.fault(FaultKind.DELAY, slow, seconds=0.5)
        with pytest.raises(NotSentError):
            await create(aws.gateway(), ASSUMED, not_after=time.monotonic() + 0.2)
        assert aws.operations() == ["AssumeRole", "GetCallerIdentity"]

    async def test_it_is_looked_at_after_signing(self, aws: Aws) -> None:
        """A thread that stands still before it signs must not make a young signature."""
        moment = [0.0]
        gateway = aws.gateway(elapsed=lambda: moment[0])
        await memberships(gateway)
        client = gateway._wire._client(Request(OWN, "cleanrooms", "CreateCollaboration", {}))
        client.meta.events.register_last("before-sign", lambda **_: moment.append(moment.pop() + 9))
        with pytest.raises(NotSentError):
            await create(gateway, reserved=True, not_after=8.0)
        assert moment == [9.0]
        assert aws.count("CreateCollaboration") == 0

    async def test_without_the_lease_only_reads_go_out(self, aws: Aws) -> None:
        gateway = aws.gateway(lease_held=lambda: False)
        await memberships(gateway)
        for not_after in (None, time.monotonic() + HANG):
            with pytest.raises(NotSentError):
                await create(gateway, not_after=not_after)
        assert aws.operations() == ["GetCallerIdentity", "ListMemberships"]

    async def test_what_breaks_before_a_request_leaves_is_no_unknown_outcome(
        self, aws: Aws
    ) -> None:
        def break_down(**_: object) -> None:
            message = "no signature"
            raise RuntimeError(message)

        gateway = aws.gateway()
        client = gateway._wire._client(Request(OWN, "cleanrooms", "CreateCollaboration", {}))
        client.meta.events.register_last("before-sign", break_down)
        with pytest.raises(NotSentError):
            await create(gateway)
        error = await failure_of(memberships(gateway))
        assert (error.failure, error.harmless) == (Failure.UNAVAILABLE, True)
        assert aws.operations() == ["GetCallerIdentity"]

    async def test_a_create_whose_credentials_cannot_be_asked_for_was_not_sent(
        self, aws: Aws
    ) -> None:
        """It is no refusal: the attempt stands, and is sent again."""
        aws.fault(FaultKind.LOSE_REQUEST, "AssumeRole")
        gateway = aws.gateway()
        with pytest.raises(NotSentError):
            await create(gateway, ASSUMED)
        error = await failure_of(memberships(gateway, ASSUMED))
        assert (error.failure, error.harmless) == (Failure.UNAVAILABLE, True)
        assert "CreateCollaboration" not in aws.operations()


class TestIdentities:
    async def test_an_own_identity_is_proved_once_and_then_used(self, aws: Aws) -> None:
        gateway = aws.gateway()
        await asyncio.gather(*(memberships(gateway) for _ in range(10)))
        assert aws.operations() == ["GetCallerIdentity"] + ["ListMemberships"] * 10

    async def test_keys_of_another_account_send_nothing(self, aws: Aws) -> None:
        gateway = aws.gateway()
        wrong = Identity(STRANGER, "us-east-1", endpoint_profile="emulator")
        for _ in range(3):
            error = await failure_of(create(gateway, wrong))
            assert (error.failure, error.code) == (Failure.DENIED, "WrongAccount")
            assert error.harmless
            assert ACCOUNT in error.message
        assert aws.operations() == ["GetCallerIdentity"]
        await memberships(gateway)

    async def test_a_role_is_assumed_with_its_external_id_and_proved(self, aws: Aws) -> None:
        aws.emulator.identities.roles = {
            ROLE: Role(ROLE, frozenset({ACCOUNT}), frozenset({"cluster/team"}))
        }
        gateway = aws.gateway()
        await asyncio.gather(*(memberships(gateway, ASSUMED) for _ in range(10)))
        records = aws.emulator.log.since()
        assert [record.operation for record in records] == [
            "AssumeRole",
            "GetCallerIdentity",
            *["ListMemberships"] * 10,
        ]
        assert records[0].account == ACCOUNT
        assert records[0].parameters["ExternalId"] == "cluster/team"
        assert {record.principal for record in records[1:]} == {
            f"arn:aws:sts::{PARTNER}:assumed-role/team/cleanrooms-operator"
        }

    async def test_who_the_keys_belong_to_can_be_asked(self, aws: Aws) -> None:
        answer = await aws.gateway().call(ASSUMED, "sts", "GetCallerIdentity", {})
        assert answer["Account"] == PARTNER

    async def test_a_role_that_does_not_trust_us_stops_nobody_else(self, aws: Aws) -> None:
        aws.emulator.identities.roles = {ROLE: Role(ROLE, external_ids=frozenset({"other"}))}
        gateway = aws.gateway()
        error = await failure_of(create(gateway, ASSUMED))
        assert (error.failure, error.code) == (Failure.DENIED, "AccessDenied")
        assert error.harmless
        await memberships(gateway)

    async def test_a_failure_is_shared_for_a_moment_and_then_tried_again(self, aws: Aws) -> None:
        aws.emulator.identities.roles = {}
        moment = [0.0]
        gateway = aws.gateway(elapsed=lambda: moment[0])
        for _ in range(3):
            await failure_of(memberships(gateway, ASSUMED))
        assert aws.operations() == ["AssumeRole"]
        moment[0] = 6.0
        aws.emulator.identities.roles = None
        await memberships(gateway, ASSUMED)

    async def test_refreshed_keys_are_proved_again(self, aws: Aws) -> None:
        aws.emulator.sts.longest_session_seconds = 60.0  # too short to be kept
        gateway = aws.gateway()
        for _ in range(3):
            await memberships(gateway, ASSUMED)
        each = ["AssumeRole", "GetCallerIdentity", "ListMemberships"]
        assert aws.operations() == each * 3

    async def test_keys_that_turn_out_to_be_another_accounts_send_nothing(self, aws: Aws) -> None:
        sts = Sts([PARTNER, STRANGER])
        runner, url = await serve(sts.application())
        aws.emulator.identities.keys = {"KEY1": PARTNER, "KEY2": STRANGER}
        try:
            gateway = aws.gateway(others={"sts": url})
            await memberships(gateway, ASSUMED)
            error = await failure_of(create(gateway, ASSUMED))
        finally:
            await runner.cleanup()
        assert error.code == "WrongAccount"
        assert aws.operations() == ["ListMemberships"]

    async def test_keys_that_aws_forgot_are_fetched_anew(self, aws: Aws) -> None:
        gateway = aws.gateway()
        await memberships(gateway, ASSUMED)
        aws.emulator.identities._sessions.clear()
        error = await failure_of(create(gateway, ASSUMED))
        assert (error.failure, error.code) == (Failure.DENIED, "UnrecognizedClientException")
        await memberships(gateway, ASSUMED)
        assert aws.count("AssumeRole") == 2

    async def test_without_credentials_of_its_own_all_is_denied(
        self, aws: Aws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        error = await failure_of(create(aws.gateway()))
        assert (error.failure, error.code) == (Failure.DENIED, "NoCredentialsError")
        assert aws.operations() == []

    async def test_a_profile_that_nobody_defined_is_refused(self, aws: Aws) -> None:
        nowhere = Identity(ACCOUNT, "us-east-1", endpoint_profile="nowhere")
        error = await failure_of(memberships(aws.gateway(), nowhere))
        assert (error.failure, error.code) == (Failure.DENIED, "UnknownEndpointProfile")

    async def test_a_url_that_is_none_is_refused(self, aws: Aws) -> None:
        error = await failure_of(memberships(aws.gateway(others={"cleanrooms": "no url"})))
        assert (error.failure, error.harmless) == (Failure.DENIED, True)

    async def test_without_a_profile_the_standard_environment_decides(
        self, aws: Aws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        await memberships(aws.gateway(), Identity(ACCOUNT, "us-east-1"))
        assert aws.count("ListMemberships") == 1

    async def test_a_proxy_that_the_environment_names_is_gone_through(
        self, aws: Aws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        proxy = Proxy(aws.url)
        runner, url = await serve(proxy.application())
        monkeypatch.setenv("HTTP_PROXY", url)
        far = dict.fromkeys(("cleanrooms", "sts"), "http://aws.invalid")
        await memberships(aws.gateway(others=far))
        await runner.cleanup()
        assert proxy.asked == ["http://aws.invalid/", "http://aws.invalid/memberships"]
        assert aws.operations() == ["GetCallerIdentity", "ListMemberships"]

    async def test_sts_is_asked_in_the_region(
        self, aws: Aws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
        request = Request(Identity(ACCOUNT, "us-east-1"), "sts", "GetCallerIdentity", {})
        client = aws.gateway()._wire._client(request)
        assert client.meta.endpoint_url == "https://sts.us-east-1.amazonaws.com"

    async def test_no_secret_is_ever_logged_or_told(
        self, aws: Aws, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        aws.emulator.sts.longest_session_seconds = 60.0
        gateway = aws.gateway()
        await memberships(gateway, ASSUMED)
        aws.emulator.identities.roles = {}
        error = await failure_of(memberships(gateway, ASSUMED))
        sessions = list(aws.emulator.identities._sessions.values())
        assert sessions
        told = caplog.text + repr(error) + repr(vars(error))
        for secret in (SECRET, *(s.secret for s in sessions), *(s.token for s in sessions)):
            assert secret not in told


class Proxy:
    """A proxy that sends everything to one server, wherever it was to go."""

    def __init__(self, server: str) -> None:
        self._server = server
        self.asked: list[str] = []

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._forward)
        return application

    async def _forward(self, request: web.Request) -> web.Response:
        self.asked.append(str(request.url))
        passed_on = {"headers": request.headers, "data": await request.read()}
        async with (
            ClientSession(self._server) as session,
            session.request(request.method, request.url.relative(), **passed_on) as answer,
        ):
            body, kind = await answer.read(), answer.content_type
            return web.Response(body=body, status=answer.status, content_type=kind)


class Sts:
    """A security token service whose keys belong to one account after the other."""

    def __init__(self, accounts: list[str]) -> None:
        self.accounts = accounts
        self.assumed = 0

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_post("/", self.answer)
        return application

    async def answer(self, request: web.Request) -> web.Response:
        action = (await request.post())["Action"]
        if action == "AssumeRole":
            self.assumed = min(self.assumed + 1, len(self.accounts))
            result = (
                f"<Credentials><AccessKeyId>KEY{self.assumed}</AccessKeyId>"
                "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
                f"<Expiration>{_soon()}</Expiration></Credentials>"
                "<AssumedRoleUser><Arn>arn</Arn><AssumedRoleId>id</AssumedRoleId></AssumedRoleUser>"
            )
        else:
            key = request.headers["Authorization"].split("Credential=KEY")[1].split("/")[0]
            result = (
                f"<Arn>arn</Arn><UserId>u</UserId><Account>{self.accounts[int(key) - 1]}</Account>"
            )
        return web.Response(
            text=f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<{action}Result>{result}</{action}Result></{action}Response>",
            content_type="text/xml",
        )


def _soon() -> str:
    """Return a moment so near that keys which end then are due for renewal at each use."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(WallClock()() + 60))


class TestSharing:
    async def test_an_identity_that_hangs_leaves_the_others_alone(self, aws: Aws) -> None:
        aws.fault(FaultKind.DELAY, "ListMemberships", seconds=HANG, account=PARTNER)
        gateway = aws.gateway({"threads": 8, "threads_per_identity": 4, "patience": 1.0})
        hanging = [asyncio.create_task(memberships(gateway, ASSUMED)) for _ in range(16)]
        calls = [memberships(gateway) for _ in range(16)]
        answers = await asyncio.wait_for(asyncio.gather(*calls), 8)
        assert len(answers) == 16
        done, stuck = await asyncio.wait(hanging, timeout=2)
        assert len(stuck) == 4  # no more threads than its own
        assert {type(each.exception()) for each in done} == {PacedError}
        for each in stuck:
            each.cancel()
        await asyncio.wait(stuck)

    async def test_a_call_that_is_cancelled_is_not_sent_again(self, aws: Aws) -> None:
        aws.fault(FaultKind.DELAY_RESPONSE, "CreateCollaboration", seconds=0.5)
        gateway = aws.gateway()
        call = asyncio.create_task(create(gateway))
        await aws.until_asked("CreateCollaboration")
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await memberships(gateway)
        assert aws.count("CreateCollaboration") == 1

    async def test_a_request_that_was_reserved_does_not_pay_twice(self, aws: Aws) -> None:
        gateway = aws.gateway({"rates": {"*": Rate(0.001, 1)}, "patience": 0.0})
        await gateway.reserve(OWN, "cleanrooms", "CreateCollaboration")
        await create(gateway, reserved=True)
        with pytest.raises(PacedError):
            await create(gateway)
        assert aws.count("CreateCollaboration") == 1

    async def test_a_short_wait_is_waited_and_told(self, aws: Aws) -> None:
        waits: list[tuple[Any, ...]] = []
        observer = Observer(on_wait=lambda *wait: waits.append(wait))
        gateway = aws.gateway({"rates": {"*": Rate(20, 1)}}, observer=observer, elapsed=lambda: 0.0)
        await memberships(gateway)
        await memberships(gateway)
        assert waits == [(ACCOUNT, "cleanrooms", "ListMemberships", 0.05)]

    async def test_a_list_is_asked_once_for_all(self, aws: Aws) -> None:
        """R-21."""
        gateway = aws.gateway()
        for _ in range(3):
            await create(gateway)
        since = time.monotonic()
        shown = await asyncio.gather(
            *(gateway.sighting(OWN, LISTING, {}, since) for _ in range(50))
        )
        assert len({id(each) for each in shown}) == 1
        assert len(shown[0].items) == 3
        assert shown[0].started >= since
        lists = [r for r in aws.emulator.log.since() if r.operation == "ListCollaborations"]
        assert [record.parameters for record in lists] == [{"maxResults": 100}]

    @pytest.mark.parametrize("kind", ["garbage", "truncate", "html", "lose-response", "throttle"])
    async def test_a_list_that_fails_never_shows_an_empty_scope(self, aws: Aws, kind: str) -> None:
        """R-9."""
        gateway = aws.gateway()
        await create(gateway)
        aws.fault(FaultKind(kind), "ListCollaborations", count=1)
        error = await failure_of(gateway.sighting(OWN, LISTING, {}, time.monotonic()))
        assert error.failure in {Failure.UNAVAILABLE, Failure.THROTTLED}
        assert aws.count("ListCollaborations") == 1

    async def test_drift_detection_leaves_room_for_a_users_change(self, aws: Aws) -> None:
        """R-21."""
        gateway = aws.gateway({"rates": {"*": Rate(1, 6)}, "patience": 0.0})
        for _ in range(4):
            await gateway.call(OWN, "cleanrooms", "ListMemberships", {}, background=True)
        with pytest.raises(PacedError):
            await gateway.call(OWN, "cleanrooms", "ListMemberships", {}, background=True)
        await memberships(gateway)
