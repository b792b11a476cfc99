"""The two operations of STS that a client of several accounts needs."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cleanrooms_emulator.identities import Identities, Role
from cleanrooms_emulator.request import Caller, Document, ServiceError

DEFAULT_LIFETIME_SECONDS = 3600

_ROLE_ARN = re.compile(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)


class SecurityTokenService:
    """The backend of the service "sts".

    `longest_session_seconds` cuts the credentials' life below what AWS allows to be asked for, so
    that a test sees them expire.
    """

    def __init__(self, identities: Identities) -> None:
        """Hand out credentials that `identities` then recognises."""
        self._identities = identities
        self.longest_session_seconds: float | None = None

    def get_caller_identity(self, caller: Caller, parameters: Mapping[str, Any]) -> Document:
        """Tell the caller who it is."""
        del parameters  # there are none
        kind, _, name = caller.principal.rpartition(":")[-1].partition("/")
        user = caller.account if kind == "root" else _unique_id("AIDA", name)
        if kind == "assumed-role":
            role, _, session = name.partition("/")
            user = f"{_role_id(caller.account, role)}:{session}"
        return {"UserId": user, "Account": caller.account, "Arn": caller.principal}

    def assume_role(self, caller: Caller, parameters: Mapping[str, Any]) -> Document:
        """Hand out credentials of a role that trusts the caller, else AccessDenied."""
        arn = parameters["RoleArn"]
        role = self._role(arn)
        if role is None or not role.admits(caller, parameters.get("ExternalId")):
            raise _denied(caller, arn)
        lifetime = parameters.get("DurationSeconds", DEFAULT_LIFETIME_SECONDS)
        if self.longest_session_seconds is not None:
            lifetime = min(lifetime, self.longest_session_seconds)
        name = parameters["RoleSessionName"]
        session = self._identities.assume(arn, name, lifetime)
        role_id = _role_id(session.account, arn.rsplit("/", 1)[-1])
        return {
            "Credentials": {
                "AccessKeyId": session.key_id,
                "SecretAccessKey": session.secret,
                "SessionToken": session.token,
                "Expiration": datetime.fromtimestamp(session.expires, UTC),
            },
            "AssumedRoleUser": {"AssumedRoleId": f"{role_id}:{name}", "Arn": session.principal},
        }

    def _role(self, arn: str) -> Role | None:
        if not _ROLE_ARN.fullmatch(arn):
            raise _invalid(arn)
        roles = self._identities.roles
        return Role(arn) if roles is None else roles.get(arn)


def _denied(caller: Caller, arn: str) -> ServiceError:
    action = "sts:AssumeRole"
    message = f"User: {caller.principal} is not authorized to perform: {action} on resource: {arn}"
    return ServiceError("AccessDenied", message)


def _invalid(arn: str) -> ServiceError:
    return ServiceError("ValidationError", f"{arn} is invalid")


def _role_id(account: str, name: str) -> str:
    return _unique_id("AROA", f"{account}/{name}")


def _unique_id(prefix: str, text: str) -> str:
    return prefix + hashlib.sha256(text.encode()).hexdigest()[:17].upper()
