"""Whose an AWS object is, by the tags that its create call carried."""

import hashlib
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

BESIDE = "-beside"
"""How the id of an attempt ends that was made by `external-id: none`, beside what existed."""


class Claim(Enum):
    """What an object's tags say about one resource."""

    OURS = auto()
    RELEASED = auto()
    """It was ours, and its deletion had begun."""
    INHERITED = auto()
    """It is this resource's, but bears the marks of an earlier cluster, or of a sibling alone."""
    SIBLING = auto()
    """The tags are those of several objects, and name resources of ours, but not this one."""
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

    @property
    def known(self) -> frozenset[str]:
        """Whose objects are ours."""
        return self.inherits | {self.id}

    def tags(self, key: Key, attempt: str) -> dict[str, str]:
        """Return the tags that a create call for `key` carries."""
        return {OWNER: self.id, NAMESPACE: key.namespace, NAME: key.name, ATTEMPT: attempt}

    def claim(self, key: Key, tags: Mapping[str, str]) -> Claim:
        """Return what `tags` say about `key`."""
        if OWNER not in tags:
            return Claim.NOBODY
        if (tags.get(NAMESPACE), tags.get(NAME)) != (key.namespace, key.name):
            return Claim.OTHER
        if tags[OWNER] not in self.known:
            return Claim.ELSEWHERE
        if RELEASED in tags:
            return Claim.RELEASED
        return Claim.OURS if tags[OWNER] == self.id else Claim.INHERITED


@dataclass(frozen=True, slots=True)
class Signature:
    """How one resource signs what it makes in AWS, and knows it again."""

    owner: Owner
    key: Key

    def tags(self, attempt: str) -> dict[str, str]:
        """Return the tags that a create call carries."""
        return self.owner.tags(self.key, attempt)

    def marks(self) -> dict[str, str]:
        """Return the tags by which an adopted object is known again."""
        made = self.owner.tags(self.key, "")
        return {name: value for name, value in made.items() if name != ATTEMPT}

    def missing(self, tags: Mapping[str, str]) -> dict[str, str]:
        """Return the marks that an object of ours has lost."""
        return {key: value for key, value in self.marks().items() if tags.get(key) != value}

    def claim(self, tags: Mapping[str, str]) -> Claim:
        """Return what an object's tags say about the resource."""
        return self.owner.claim(self.key, tags)

    def claim_recorded(self, tags: Mapping[str, str]) -> Claim:
        """Return what is said of an object that the resource records: lost marks say nothing."""
        return self.claim({**self.tags(""), **tags})

    def maker(self, tags: Mapping[str, str]) -> str | None:
        """Return the id of the cluster that has signed an object, None if none has."""
        return tags.get(OWNER)

    def is_of(self, tags: Mapping[str, str], attempt: str) -> bool:
        """Whether an object was made by this attempt."""
        return tags.get(ATTEMPT) == attempt

    def is_beside(self, tags: Mapping[str, str]) -> bool:
        """Whether an object was made though another of this resource's existed (rule R-3)."""
        return tags.get(ATTEMPT, "").endswith(BESIDE)

    def is_released(self, tags: Mapping[str, str]) -> bool:
        """Whether the deletion of an object has begun (rule R-3)."""
        return RELEASED in tags

    def may_be_lost(self, tags: Mapping[str, str], objects: int) -> bool:  # noqa: ARG002 - nobody shares these tags
        """Whether so many objects share tags in which marks of some of them are missing."""
        return False

    def release(self, tags: Mapping[str, str]) -> dict[str, str]:  # noqa: ARG002 - of one that shares its tags they matter
        """Return the tags that say so."""
        return {RELEASED: "true"}

    @property
    def release_key(self) -> str:
        """The key of the tag that says so."""
        return RELEASED

    def joined(self, of_arn: Mapping[str, str], own: Mapping[str, str]) -> Mapping[str, str]:
        """Return the tags of an object whose ARN has some, and its own answer others."""
        return {**own, **of_arn}


@dataclass(frozen=True, slots=True)
class SharedSignature(Signature):
    """The signature on objects that share the tags of their ARN, as versions of a model do.

    Whether they do is not documented (rule ER-4): a version's tags may join those of its
    siblings, take their place, or be its own. So each resource's mark has a key of its own, with
    a hash of the resource, and says which cluster has made the object and in which attempt. The
    common tags are for people: they name the resource that was the last.
    """

    @property
    def _mark(self) -> str:
        named = f"{self.key.namespace}/{self.key.name}"
        return f"{OWNER}.{hashlib.sha256(named.encode()).hexdigest()[:20]}"

    @property
    def release_key(self) -> str:
        """The key of the tag that says that an object of this resource is released."""
        return self._mark.replace(OWNER, RELEASED)

    def tags(self, attempt: str) -> dict[str, str]:
        """Return the tags that a create call carries."""
        return {**self.owner.tags(self.key, attempt), self._mark: f"{self.owner.id}/{attempt}"}

    def marks(self) -> dict[str, str]:
        """Return the tags by which an adopted object is known again."""
        return {**Signature.marks(self), self._mark: f"{self.owner.id}/adopted"}

    def missing(self, tags: Mapping[str, str]) -> dict[str, str]:
        """Return the marks that an object of ours has lost; the common tags are anybody's."""
        return {} if self.maker(tags) == self.owner.id else self.marks()

    def claim(self, tags: Mapping[str, str]) -> Claim:
        """Return what an object's tags say about the resource."""
        makers = {_maker(value) for key, value in tags.items() if key.startswith(f"{OWNER}.")}
        maker = self.maker(tags)
        if maker is not None and maker not in self.owner.known:
            return Claim.ELSEWHERE
        if self.is_released(tags):
            return Claim.RELEASED
        if maker is not None:
            return Claim.OURS if maker == self.owner.id else Claim.INHERITED
        if not makers:
            return Claim.NOBODY
        return Claim.SIBLING if makers & self.owner.known else Claim.OTHER

    def maker(self, tags: Mapping[str, str]) -> str | None:
        """Return the id of the cluster that has signed for this resource, None if none has."""
        mark = tags.get(self._mark)
        return None if mark is None else _maker(mark)

    def is_of(self, tags: Mapping[str, str], attempt: str) -> bool:
        """Whether this attempt has made an object, or the last of this resource's on the ARN."""
        return tags.get(self._mark, "").endswith(f"/{attempt}")

    def is_beside(self, tags: Mapping[str, str]) -> bool:
        """Whether an object was made though another of this resource's existed (rule R-3)."""
        return tags.get(self._mark, "").endswith(BESIDE)

    def is_released(self, tags: Mapping[str, str]) -> bool:
        """Whether the deletion of an object has begun, and not that of an earlier one."""
        released = tags.get(self.release_key)
        return released is not None and tags.get(self._mark) in {None, released}

    def may_be_lost(self, tags: Mapping[str, str], objects: int) -> bool:
        """Whether so many objects share tags in which marks of some of them are missing."""
        return sum(key.startswith(f"{OWNER}.") for key in tags) < objects

    def release(self, tags: Mapping[str, str]) -> dict[str, str]:
        """Return the tags that say so."""
        return {self.release_key: tags.get(self._mark, "true")}

    def joined(self, of_arn: Mapping[str, str], own: Mapping[str, str]) -> Mapping[str, str]:
        """Return the tags of a version: an adoption is written on the ARN, a create on its own."""
        joined = {**own, **of_arn}
        if self.maker(own) == self.owner.id:
            joined[self._mark] = own[self._mark]
        return joined


def _maker(mark: str) -> str:
    return mark.rpartition("/")[0]
