"""boto3 clients that an emulator in this process answers: no port, no thread, no waiting."""

import io
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.http.answers import failure, success
from cleanrooms_emulator.http.parsing import RawRequest, parsed
from cleanrooms_emulator.model import service
from cleanrooms_emulator.request import Caller, Request, ServiceError

CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 1})


@lru_cache(maxsize=1)
def session() -> boto3.Session:
    """Read the SDK's models once."""
    return boto3.Session()


class Body(io.BytesIO):
    """The body of an answer, as urllib3 would give it."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


class Wire:
    """What stands in for the network: each request goes to the emulator that is plugged in.

    Clients are kept from test to test, for they take long to make; `exchanges` are what one
    emulator was asked and has answered, errors apart.
    """

    def __init__(self) -> None:
        self.emulator: Emulator | None = None
        self.exchanges: list[tuple[Request, Mapping[str, Any]]] = []
        self._clients: dict[tuple[str, str, str], Any] = {}

    def client(self, name: str, account: str, region: str) -> Any:
        """Return the boto3 client of an account."""
        made = self._clients.get((name, account, region))
        if made is None:
            made = session().client(
                name,
                endpoint_url="http://emulator.invalid",
                region_name=region,
                aws_access_key_id=account,
                aws_secret_access_key="any",  # noqa: S106 - nobody looks at it
                config=CONFIG,
            )
            caller = Caller(account, f"arn:aws:iam::{account}:root", region)
            made.meta.events.register(
                "before-send", lambda request, **_: self._answer(name, caller, request)
            )
            self._clients[name, account, region] = made
        return made

    def _answer(self, name: str, caller: Caller, http: AWSPreparedRequest) -> AWSResponse:
        parts = urlsplit(http.url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        raw = RawRequest(http.method, target, dict(http.headers), http.body or b"")
        asked, parameters = parsed(service(name), raw)
        assert self.emulator is not None
        try:
            request = Request(caller, name, asked.name, parameters)
            result = self.emulator.handle(request)
            self.exchanges.append((request, result))
            answer = success(asked, result, "id")
        except ServiceError as error:
            answer = failure(name, asked, error, "id")
        return AWSResponse(http.url, answer.status, answer.headers, Body(answer.body))
