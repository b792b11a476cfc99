"""Who a caller is, by the access key that it signs with.

A key id of twelve digits is the account of that number. Other keys are those of a given map, and
those that AssumeRole has handed out, which need their session token and end in wall time.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from cleanrooms_emulator.request import Caller, Ids, ServiceError, Wall

_ACCOUNT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Role:
    """A role that can be assumed, and by whom.

    `trusts` holds account ids and principal ARNs, nobody in particular if empty; `external_ids`
    the ids one of which must be sent, none if empty.
    """

    arn: str
    trusts: frozenset[str] = frozenset()
    external_ids: frozenset[str] = frozenset()

    def admits(self, caller: Caller, external_id: str | None) -> bool:
        """Tell whether the role's trust policy lets the caller in."""
        known = not self.trusts or not self.trusts.isdisjoint({caller.account, caller.principal})
        return known and (not self.external_ids or external_id in self.external_ids)


@dataclass(frozen=True, slots=True)
class Session:
    """Credentials of an assumed role; `expires` is in seconds of the wall."""

    key_id: str
    secret: str
    token: str
    account: str
    principal: str
    expires: float


@dataclass(slots=True)
class Identities:
    """The keys and roles that the emulator knows.

    `keys` maps access key ids to accounts. With `roles` None any role of any account can be
    assumed by anybody; otherwise only these.
    """

    wall: Wall
    ids: Ids
    keys: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, Role] | None = None
    _sessions: dict[str, Session] = field(default_factory=dict)

    def caller(self, key_id: str, token: str | None, region: str) -> Caller:
        """Return who signs with that key.

        Raises ServiceError UnrecognizedClientException for an unknown key or a wrong token, and
        ExpiredTokenException for an expired one.
        """
        session = self._sessions.get(key_id)
        if session is not None:
            return self._assumed(session, token, region)
        if len(key_id) == _ACCOUNT_DIGITS and key_id.isascii() and key_id.isdigit():
            return Caller(key_id, f"arn:aws:iam::{key_id}:root", region)
        account = self.keys.get(key_id)
        if account is None:
            raise _unrecognized()
        return Caller(account, f"arn:aws:iam::{account}:user/{key_id}", region)

    def assume(self, role_arn: str, session_name: str, lifetime_seconds: float) -> Session:
        """Hand out credentials of a role, whose trust was checked."""
        account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
        secret = hashlib.sha256(f"{role_arn} {self.ids.uuid()}".encode()).hexdigest()
        session = Session(
            key_id=f"ASIA{secret[:16].upper()}",
            secret=secret[16:56],
            token=f"session/{secret}",
            account=account,
            principal=f"arn:aws:sts::{account}:assumed-role/{name}/{session_name}",
            expires=self.wall() + lifetime_seconds,
        )
        self._sessions[session.key_id] = session
        return session

    def _assumed(self, session: Session, token: str | None, region: str) -> Caller:
        if token != session.token:
            raise _unrecognized()
        if self.wall() >= session.expires:
            raise _expired()
        return Caller(session.account, session.principal, region)


def _unrecognized() -> ServiceError:
    message = "The security token included in the request is invalid."
    return ServiceError("UnrecognizedClientException", message)


def _expired() -> ServiceError:
    message = "The security token included in the request is expired"
    return ServiceError("ExpiredTokenException", message)
