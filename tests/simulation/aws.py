"""The AWS of a simulated world: the emulator in process, as the operator and as people see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.exceptions import ClientError

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.faults import AnswerLostError, FaultKind, Faults
from cleanrooms_emulator.log import Record
from cleanrooms_emulator.request import Caller, Request
from cleanrooms_emulator.request import ServiceError as WireError
from cleanrooms_emulator.rules import Rules
from cleanrooms_emulator.virtual import CountedIds, VirtualTime
from cleanrooms_operator.aws.errors import Exchange, classify
from cleanrooms_operator.core.kind import Kind, Listing
from cleanrooms_operator.core.ownership import RELEASED
from cleanrooms_operator.core.step import Lifecycle
from cleanrooms_operator.runtime.ports import Identity

REGION = "us-east-1"
OPERATOR, PERSON = "role/operator", "root"
"""Who calls: so that a test can tell the operator's requests from its own."""


class Aws:
    """Both services, for all accounts; nothing happens in them by itself but what is due."""

    def __init__(self, time: VirtualTime, rules: Rules, ids: CountedIds | None = None) -> None:
        self.time = time
        self.ids = ids or CountedIds()
        self.emulator = Emulator(time, rules, self.ids, wall=time.wall)
        self.faults = self.emulator.faults

    def fork(self, time: VirtualTime) -> Aws:
        """Return services that go their own way from here, with an empty log."""
        faults = [armed.fault for armed in self.faults.armed()]
        lags = all(f.kind is FaultKind.LAG and f.count is None and f.first == 1 for f in faults)
        assert lags, "other faults count calls, which a copy would forget"
        ids = CountedIds()
        ids._count = self.ids._count
        forked = Aws(time, self.emulator.rules, ids)
        forked.emulator.store = self.emulator.store.copy()
        forked.emulator._history = self.emulator._history.copy()
        forked.emulator.use_rules(self.emulator.rules)
        for fault in faults:
            forked.faults.add(fault)
        return forked

    # -- the operator --------------------------------------------------------------------------

    def call(self, identity: Identity, service: str, operation: str, parameters: Any) -> Any:
        """Answer one request, or raise what the gateway makes of an answer that is no success."""
        exchange = Exchange(_operation_model(service, operation), parameters)
        caller = _caller(identity.account, OPERATOR)
        try:
            return self.emulator.handle(Request(caller, service, operation, parameters))
        except WireError as error:
            raise classify(exchange, _client_error(error, operation)) from None
        except AnswerLostError as error:
            raise classify(exchange, error) from None

    def pages(self, identity: Identity, listing: Listing, scope: Mapping[str, Any]) -> list[Any]:
        """Return all that a List shows."""

        def ask(parameters: Mapping[str, Any]) -> Any:
            return self.call(identity, listing.service, listing.operation, parameters)

        return _pages(ask, listing, {**scope, "maxResults": 100})

    # -- people --------------------------------------------------------------------------------

    def ask(self, account: str, service: str, operation: str, **parameters: Any) -> Any:
        """Ask as an account's own people, whom no fault strikes."""
        request = Request(_caller(account, PERSON), service, operation, parameters)
        self.emulator.faults = _Spared(self.faults)
        try:
            return self.emulator.handle(request)
        finally:
            self.emulator.faults = self.faults

    def tags(self, account: str, service: str, arn: str) -> dict[str, str]:
        return dict(self.ask(account, service, "ListTagsForResource", resourceArn=arn)["tags"])

    def signed(self, account: str, kind: Kind, item: Mapping[str, Any]) -> dict[str, str]:
        """Return the tags of an object, with those that a version has of its own (ER-4)."""
        name, arn = kind.handle.of(item), item[kind.handle.arn]
        tags = self.tags(account, kind.service, arn)
        if name.version is None:
            return tags
        scope = {parameter: item[parameter] for parameter in kind.scope}
        asked = {**scope, **kind.handle.naming(name)}
        return {**self.ask(account, kind.service, kind.read, **asked)["tags"], **tags}

    def objects(self, account: str, kind: Kind) -> list[Mapping[str, Any]]:
        """Return the summaries of what an account has of a kind, without what is over.

        What ended well counts as long as it was not released.
        """
        return [
            item
            for item in self.records_of(account, kind)
            if not kind.is_over(kind.state_of(item))
            or (
                kind.lifecycle_of(kind.state_of(item)) is Lifecycle.DONE
                and RELEASED not in self.tags(account, kind.service, item[kind.handle.arn])
            )
        ]

    def records_of(self, account: str, kind: Kind) -> list[Mapping[str, Any]]:
        """Return the summaries of all that an account has of a kind, records included."""
        listed = [self._listed(account, kind, scope) for scope in self._scopes(account, kind)]
        return [
            item
            for items in listed
            for item in items
            if item.get("creatorAccountId", account) == account
        ]

    def _listed(self, account: str, kind: Kind, scope: Mapping[str, str]) -> list[Any]:
        def ask(parameters: Mapping[str, Any]) -> Any:
            return self.ask(account, kind.listing.service, kind.listing.operation, **parameters)

        listed = _pages(ask, kind.listing, scope)
        if kind.versions is None:
            return listed
        return [item for shown in listed for item in self._versions(account, kind, scope, shown)]

    def _versions(
        self, account: str, kind: Kind, scope: Mapping[str, str], shown: Mapping[str, Any]
    ) -> list[Any]:
        """Return all versions of what a List shows one of."""
        listing = kind.versions
        assert listing is not None

        def ask(parameters: Mapping[str, Any]) -> Any:
            return self.ask(account, listing.service, listing.operation, **parameters)

        named = {kind.handle.parameter: kind.handle.of(shown).identifier}
        return _pages(ask, listing, {**scope, **named})

    def _scopes(self, account: str, kind: Kind) -> list[dict[str, str]]:
        if not kind.listing.scope:
            return [{}]
        held = self.ask(account, "cleanrooms", "ListMemberships")["membershipSummaries"]
        return [{"membershipIdentifier": item["id"]} for item in held]

    # -- what was asked ------------------------------------------------------------------------

    def records(self, *operations: str) -> list[Record]:
        """Return the operator's requests: all, or those of some operations."""
        return [
            record
            for record in self.emulator.log.since(0)
            if record.principal.endswith(OPERATOR)
            and (not operations or record.operation in operations)
        ]

    def last(self) -> Record:
        """Return the latest request."""
        return self.emulator.log._records[-1]

    def sent(self, *operations: str) -> int:
        return len(self.records(*operations))

    def applied(self, *operations: str) -> int:
        return sum(record.applied for record in self.records(*operations))


class _Spared(Faults):
    """Faults that strike nobody, while what others need of the past is kept."""

    def __init__(self, real: Faults) -> None:
        super().__init__()
        self._real = real

    @property
    def longest_lag(self) -> float:
        return self._real.longest_lag


def _pages(ask: Callable[[Any], Any], listing: Listing, parameters: Mapping[str, Any]) -> list[Any]:
    items: list[Any] = []
    answer = ask(parameters)
    items.extend(answer[listing.items])
    while "nextToken" in answer:
        answer = ask({**parameters, "nextToken": answer["nextToken"]})
        items.extend(answer[listing.items])
    return items


def _caller(account: str, who: str) -> Caller:
    return Caller(account, f"arn:aws:iam::{account}:{who}", REGION)


@cache
def _service_model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


@cache
def _operation_model(service: str, operation: str) -> Any:
    return _service_model(service).operation_model(operation)


def _client_error(error: WireError, operation: str) -> ClientError:
    response = {"Error": {"Code": error.code, "Message": error.message}, **error.members}
    return ClientError(response, operation)
