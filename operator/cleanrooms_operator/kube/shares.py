"""How many turns at once one account may have: its outage leaves workers to the others."""

from collections import Counter
from collections.abc import Callable, Hashable

from cleanrooms_operator.core.references import ACCOUNT, account_of, membership_of
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.kube.cache import Cache

PART = 4
"""The workers are as many as so many accounts can keep busy."""


class Shares:
    """Counts turns by what they depend on, which `owner` tells of a key.

    An owner whose turn has failed has one at a time until a turn of it succeeds: however many
    accounts are down, each of them then holds one worker at the most.
    """

    def __init__(self, owner: Callable[[Key], Hashable], most: int) -> None:
        self.owner = owner
        self._most = most
        self._turns: dict[Key, Hashable] = {}
        self._count: Counter[Hashable] = Counter()
        self._failing: set[Hashable] = set()

    def take(self, key: Key) -> bool:
        """Count a turn that begins, unless its owner has as many as it may have."""
        owner = self.owner(key)
        if self.left(owner) <= 0:
            return False
        self._turns[key] = owner
        self._count[owner] += 1
        return True

    def give_back(self, key: Key) -> Hashable:
        """End a turn, and return whose it was."""
        owner = self._turns.pop(key)
        self._count[owner] -= 1
        if not self._count[owner]:
            del self._count[owner]
        return owner

    def failed(self, key: Key) -> None:
        """Let the owner of a turn have one at a time."""
        if key in self._turns:
            self._failing.add(self._turns[key])

    def succeeded(self, key: Key) -> None:
        """Let the owner of a turn have as many as the others."""
        if key in self._turns:
            self._failing.discard(self._turns[key])

    def left(self, owner: Hashable) -> int:
        """Return how many turns more an owner may have now; negative where it has too many."""
        return (1 if owner in self._failing else self._most) - self._count[owner]


def by_account(cache: Cache, workers: int) -> Shares:
    """Return the shares of so many workers by account and region."""

    def owner(key: Key) -> Hashable:
        account = _account_behind(cache, key)
        return key if account is None else (account.spec["accountID"], account.spec["region"])

    return Shares(owner, max(1, workers // PART))


def _account_behind(cache: Cache, key: Key) -> Resource | None:
    """Return the AWSAccount that a pass depends on, as far as it is known."""
    resource = cache.get(key)
    if resource is not None and (membership := membership_of(resource)) is not None:
        resource = cache.get(membership)
    if resource is None or resource.key.kind == ACCOUNT:
        return resource
    account = account_of(resource)
    return None if account is None else cache.get(account)
