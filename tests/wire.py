"""Requests as bytes, for what an SDK would never send."""

import calendar
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer as it came; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        """The error code of the header."""
        return self.headers.get("x-amzn-errortype")

    @property
    def document(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


def signed(
    key: str, signing_name: str = "cleanrooms", region: str = "us-east-1", age_seconds: int = 0
) -> dict[str, str]:
    """Return headers that look signed; the emulator verifies no signature."""
    moment = time.gmtime(calendar.timegm(time.gmtime()) - age_seconds)
    scope = f"{key}/{time.strftime('%Y%m%d', moment)}/{region}/{signing_name}/aws4_request"
    return {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ", moment),
    }


def send(
    url: str, verb: str, target: str, headers: Mapping[str, str] | None = None, body: Any = None
) -> Raw:
    """Send one request; a body that is not bytes is sent as JSON."""
    address = urlsplit(url)
    assert address.hostname is not None
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    sent = body if body is None or isinstance(body, bytes) else json.dumps(body)
    try:
        connection.request(verb, target, sent, dict(headers or {}))
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Raw(answer.status, found, answer.read())
    finally:
        connection.close()
