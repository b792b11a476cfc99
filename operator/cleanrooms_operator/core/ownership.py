"""Whose an AWS object is, by the tags that its create call carried."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from cleanrooms_operator.core.resource import GROUP, Key

PREFIX = f"{GROUP}/"
OWNER = f"{PREFIX}owner"
NAMESPACE = f"{PREFIX}namespace"
NAME = f"{PREFIX}name"
ATTEMPT = f"{PREFIX}attempt"
RELEASED = f"{PREFIX}released"


class Claim(Enum):
    """What an object's tags say about one resource."""

    OURS = auto()
    RELEASED = auto()
    """It was ours, and its deletion had begun."""
    INHERITED = auto()
    """It is this resource's, made by an earlier cluster that this one inherits from."""
    ELSEWHERE = auto()
    """A resource of the same name in another cluster made it."""
    OTHER = auto()
    """Another resource's."""
    NOBODY = auto()
    """No tags of ours: made by hand or by another tool."""


NOT_OURS = frozenset({Claim.ELSEWHERE, Claim.OTHER})
"""Claims under which an object is never touched."""

ITS_OWN = frozenset({Claim.OURS, Claim.INHERITED})
"""Claims of what a resource made, or took over."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who we are, in owner tags."""

    id: str
    inherits: frozenset[str] = frozenset()

    def tags(self, key: Key, attempt: str) -> dict[str, str]:
        """Return the tags that a create call for `key` carries."""
        return {OWNER: self.id, NAMESPACE: key.namespace, NAME: key.name, ATTEMPT: attempt}

    def claim_recorded(self, key: Key, tags: Mapping[str, str]) -> Claim:
        """Return what `tags` say of an object that `key` records: one taken away says nothing."""
        return self.claim(key, {**self.tags(key, ""), **tags})

    def claim(self, key: Key, tags: Mapping[str, str]) -> Claim:
        """Return what `tags` say about `key`."""
        if OWNER not in tags:
            return Claim.NOBODY
        if (tags.get(NAMESPACE), tags.get(NAME)) != (key.namespace, key.name):
            return Claim.OTHER
        if tags[OWNER] != self.id and tags[OWNER] not in self.inherits:
            return Claim.ELSEWHERE
        if RELEASED in tags:
            return Claim.RELEASED
        return Claim.OURS if tags[OWNER] == self.id else Claim.INHERITED
