"""Who signed a request, for what and when. Signatures themselves are not verified."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cleanrooms_emulator.request import ServiceError

_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 .*\bCredential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[^/,\s]+)"
    r"/(?P<service>[^/,\s]+)/aws4_request\b",
)
_DATE_FORMAT = "%Y%m%dT%H%M%SZ"

_NOT_VERSION_4 = "Authorization header is not of Signature Version 4"
_NO_DATE = "X-Amz-Date is missing or not of the form 20260101T000000Z"


@dataclass(frozen=True, slots=True)
class Signature:
    """What the Authorization header of Signature Version 4 and its companions say."""

    key_id: str
    token: str | None
    region: str
    signing_name: str
    date: datetime

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> "Signature":
        """Return what the headers say.

        Raises ServiceError MissingAuthenticationToken without an Authorization header, and
        IncompleteSignature where it is none of version 4.
        """
        authorization = headers.get("Authorization")
        if not authorization:
            raise _missing()
        credential = _CREDENTIAL.match(authorization)
        if credential is None:
            raise _incomplete(_NOT_VERSION_4)
        key, region, name = credential.group("key", "region", "service")
        token = headers.get("X-Amz-Security-Token")
        return cls(key, token, region, name, _date(headers.get("X-Amz-Date", "")))

    def check_age(self, wall: float, life_seconds: float) -> None:
        """Raise ServiceError InvalidSignatureException if the signature was made too long ago.

        A date ahead of the wall is let through: SDKs that correct their clock by the Date header
        follow the emulated one.
        """
        age = wall - self.date.timestamp()
        if age > life_seconds:
            raise _expired(self.date, datetime.fromtimestamp(wall - life_seconds, UTC))


def _date(text: str) -> datetime:
    try:
        return datetime.strptime(text, _DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise _incomplete(_NO_DATE) from None


def _missing() -> ServiceError:
    return ServiceError("MissingAuthenticationToken", "Missing Authentication Token")


def _incomplete(message: str) -> ServiceError:
    return ServiceError("IncompleteSignature", message)


def _expired(signed: datetime, earliest: datetime) -> ServiceError:
    then, now = signed.strftime(_DATE_FORMAT), earliest.strftime(_DATE_FORMAT)
    message = f"Signature expired: {then} is now earlier than {now}"
    return ServiceError("InvalidSignatureException", message)


def wrong_scope(signing_name: str) -> ServiceError:
    """Return the refusal of a request that is signed for a service which is not here."""
    message = f"Credential should be scoped to a service of this endpoint, not {signing_name}"
    return ServiceError("InvalidSignatureException", message)
