"""Whose keys sign: the operator's own or an assumed role's, proved to be the right account's.

Blocks; runs in the gateway's threads.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import botocore.session
from botocore.credentials import DeferredRefreshableCredentials, ReadOnlyCredentials
from botocore.exceptions import ClientError, NoCredentialsError, PartialCredentialsError

from cleanrooms_operator.aws.errors import FORGOTTEN_KEYS, meaning_of
from cleanrooms_operator.aws.settings import Settings, Surroundings
from cleanrooms_operator.aws.wire import Request, Wire
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.runtime.ports import Identity

SESSION_NAME = "cleanrooms-operator"

T = TypeVar("T")


@dataclass(slots=True)
class _Known:
    """What is known of one identity."""

    fetch: Callable[[], ReadOnlyCredentials]
    lock: threading.Lock = field(default_factory=threading.Lock)
    proved: tuple[str, str] | None = None
    """(access key id, the account that STS says it belongs to)."""
    failure: ServiceError | None = None
    failed_at: float = 0.0


class Identities:
    """The keys of every identity that was ever used."""

    def __init__(self, wire: Wire, settings: Settings, surroundings: Surroundings) -> None:
        self._wire = wire
        self._memory = settings.failure_memory
        self._elapsed = surroundings.elapsed
        self._chain = botocore.session.Session()
        self._chain_lock = threading.Lock()
        self._lock = threading.Lock()
        self._known: dict[Identity, _Known] = {}

    def keys(self, identity: Identity) -> ReadOnlyCredentials:
        """Return keys that belong to the identity's account, by STS's own word.

        Raises ServiceError, harmless, where there are none.
        """
        known = self._knowledge(identity)
        keys = known.fetch()
        account = self._account_of(identity, known, keys)
        if account != identity.account:
            message = f"the credentials belong to account {account}, not {identity.account}"
            raise ServiceError(Failure.DENIED, "WrongAccount", message, harmless=True)
        return keys

    def forget(self, identity: Identity) -> None:
        """Fetch and prove keys anew at the next use: AWS does not know these any more."""
        with self._lock:
            self._known.pop(identity, None)

    def _knowledge(self, identity: Identity) -> _Known:
        with self._lock:
            if identity not in self._known:
                self._known[identity] = self._learn(identity)
            return self._known[identity]

    def _learn(self, identity: Identity) -> _Known:
        known = _Known(self._own_keys)
        if identity.role_arn is not None:
            ask = partial(self._assume, identity)
            assumed = DeferredRefreshableCredentials(partial(self._once, known, ask), SESSION_NAME)
            known.fetch = assumed.get_frozen_credentials
        return known

    def _own_keys(self) -> ReadOnlyCredentials:
        try:
            with self._chain_lock:  # a session is not made for several threads, its keys are
                credentials = self._chain.get_credentials()
            if credentials is None:
                raise NoCredentialsError  # noqa: TRY301  the chain says so by None or by this
            return credentials.get_frozen_credentials()
        except Exception as error:  # noqa: BLE001  the chain runs programs and asks other services
            raise _without_own_keys(error) from None

    def _assume(self, identity: Identity) -> dict[str, Any]:
        parameters = {"RoleArn": identity.role_arn, "RoleSessionName": SESSION_NAME}
        if identity.external_id is not None:
            parameters["ExternalId"] = identity.external_id
        request = Request(identity, "sts", "AssumeRole", parameters)
        granted = self._granted(request, _one_before(identity))
        return {
            "access_key": granted["AccessKeyId"],
            "secret_key": granted["SecretAccessKey"],
            "token": granted["SessionToken"],
            "expiry_time": granted["Expiration"].isoformat(),
        }

    def _granted(self, request: Request, before: Identity | None) -> Document:
        """Assume a role as the identity before it, whose keys all that go through it share."""
        if before is None:
            return self._credentials(request, self._own_keys())
        try:
            return self._credentials(request, self._knowledge(before).fetch())
        except ServiceError as error:
            if error.code in FORGOTTEN_KEYS:
                self.forget(before)
            raise

    def _credentials(self, request: Request, keys: ReadOnlyCredentials) -> Document:
        granted: Document = self._wire.send(request, keys)["Credentials"]
        return granted

    def _account_of(self, identity: Identity, known: _Known, keys: ReadOnlyCredentials) -> str:
        proved = known.proved
        if proved is None or proved[0] != keys.access_key:
            with known.lock:
                proved = known.proved
                if proved is None or proved[0] != keys.access_key:
                    ask = partial(self._prove, identity, keys)
                    proved = known.proved = self._once(known, ask)
        return proved[1]

    def _prove(self, identity: Identity, keys: ReadOnlyCredentials) -> tuple[str, str]:
        request = Request(identity, "sts", "GetCallerIdentity", {})
        return keys.access_key, str(self._wire.send(request, keys)["Account"])

    def _once(self, known: _Known, ask: Callable[[], T]) -> T:
        """Ask STS, unless it failed a moment ago: threads that waited for it share the failure."""
        failure = known.failure
        if failure is not None and self._elapsed() - known.failed_at < self._memory:
            raise failure.with_traceback(None)
        try:
            return ask()
        except ServiceError as error:
            known.failure, known.failed_at = error, self._elapsed()
            raise


def _one_before(identity: Identity) -> Identity | None:
    """Return the identity that assumes another's role; None: the operator's own keys do."""
    if not identity.via:
        return None
    *way, last = identity.via
    account = last.role_arn.split(":")[4]
    return replace(
        identity,
        account=account,
        role_arn=last.role_arn,
        external_id=last.external_id,
        via=tuple(way),
    )


def _without_own_keys(error: Exception) -> ServiceError:
    """Return the error without what it says, which may be what a credential program printed."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", "Unknown"))
        failure = meaning_of(code).failure
    else:
        code = type(error).__name__
        absent = isinstance(error, NoCredentialsError | PartialCredentialsError)
        failure = Failure.DENIED if absent else Failure.UNAVAILABLE
    message = "the operator's own credentials cannot be had"
    return ServiceError(failure, code, message, harmless=True)
