"""Who watches every call that changes something in AWS, and fails where one breaks a promise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from cleanrooms_emulator.behaviour.objects import ChangeRequest
from cleanrooms_operator.core import permissions
from cleanrooms_operator.core.decide import paused
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.ownership import ATTEMPT, NAME, NAMESPACE, OWNER, RELEASED
from cleanrooms_operator.core.permissions import Call
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Annotation, Document, Key, ObjectId, Resource
from cleanrooms_operator.core.step import Lifecycle
from cleanrooms_operator.kinds import KINDS
from cleanrooms_operator.runtime.outcome import Outcome
from cleanrooms_operator.runtime.ports import Identity
from simulation import agreement

if TYPE_CHECKING:
    from cleanrooms_emulator.log import Record
    from simulation.world import Pass, World

Arguments: TypeAlias = tuple[Identity, str, str, Document]

STAYING = {Reason.RETAINED.value, Reason.ABANDONED.value, Reason.GIVEN_UP.value}
"""Events that tell a person what may stay in AWS after its resource."""


UNMARKED = Reason.RELEASE_NOT_MARKED.value
RECORDS = {kind.name for kind in KINDS if kind.is_run}
"""Kinds of which AWS keeps records for ever: one that could not be marked may stay unmarked."""


@dataclass
class Guard:
    """What the operator made, and what it may leave behind."""

    made: set[str] = field(default_factory=set)
    """The uids of the resources that an object was made for."""
    bought: dict[Key, set[str]] = field(default_factory=dict)
    """What was made for each resource, and not released since (rule R-37)."""
    by_word: dict[Key, str] = field(default_factory=dict)
    """Under which membership a run was bought as `external-id: none` says, while that stands."""
    twofold: set[Key] = field(default_factory=set)
    """Resources of which people ever wanted another run beside one that was there."""
    left: set[Key] = field(default_factory=set)
    """Resources that went without their objects, as somebody was told or wanted."""
    asked: set[str] = field(default_factory=set)
    """The change requests that the operator made."""
    nameless: set[str] = field(default_factory=set)
    """ARNs of collaborations that a person took all tags from."""
    looked: Counter[str] = field(default_factory=Counter)
    """How often each promise was looked at: the witness that the guard did not sleep."""
    called: set[tuple[str, Call]] = field(default_factory=set)
    """(kind, call) of all that was ever asked of AWS."""

    def fork(self) -> Guard:
        bought = {key: set(names) for key, names in self.bought.items()}
        counted = (self.looked.copy(), set(self.called))
        told = (dict(self.by_word), set(self.twofold), set(self.left))
        seen = (set(self.asked), set(self.nameless))
        return Guard(set(self.made), bought, *told, *seen, *counted)

    # -- before a call -------------------------------------------------------------------------

    def permit(self, world: World, run: Pass, service: str, operation: str) -> None:
        """Assert R-42: a kind makes no call that its data does not list, nor its policy permits."""
        kind, call = world.kinds.get(run.key.kind), (service, operation)
        if kind is None:
            assert call == ("sts", "GetCallerIdentity")
            return
        assert run.seen is not None
        listed = permissions.reads(kind)
        if not run.seen.observe_only:
            listed |= permissions.changes(kind)
        assert call in listed, f"{kind.name} calls {operation}, which its data does not list"
        self.called.add((kind.name, call))

    def allow(self, world: World, run: Pass) -> None:
        """Assert that a call may be made."""
        run.changes += 1
        assert run.changes == 1, f"a second change in one pass: {run.request}"
        seen = run.seen
        assert seen is not None, f"a change by a pass that has not read: {run.request}"
        assert seen.spec.get("managementPolicy") != "ObserveOnly", f"{run.request} of {run.key}"
        if not seen.deleting:
            assert paused(seen, world.now()) is None, f"{run.request} while {run.key} is paused"
        kind, arguments = world.kinds[run.key.kind], _arguments(run)
        self.looked[arguments[2]] += 1
        if arguments[2] == kind.create:
            self._allow_create(world, run, seen, arguments)
        else:
            self._allow_change(world, run, kind, arguments)

    def _allow_create(self, world: World, run: Pass, seen: Resource, arguments: Arguments) -> None:
        """Assert the write-ahead record, and that there is no object that was not released."""
        key, tags = run.key, arguments[3]["tags"]
        owner = (tags.get(OWNER), tags.get(NAMESPACE), tags.get(NAME))
        assert owner == (world.owner.id, key.namespace, key.name), "wrong owner tags"
        stored = world.resources.get(key)
        assert stored is not None, f"{key} is created without a resource"
        assert stored.uid == seen.uid
        assert stored.held, f"{key} is created without a finalizer"
        assert stored.status.get("attempt", {}).get("id") == tags[ATTEMPT], "no attempt recorded"
        where = (stored.status.get("accountID"), stored.status.get("region"))
        assert where == (arguments[0].account, arguments[0].region)
        if stored.beside:
            self._allow_beside(world, key, arguments[0].account)
        else:
            assert stored.uid not in self.made, f"{key} is made again though nobody asked for that"
            alive = self._alive(world, arguments[0].account, key, arguments[3])
            assert not alive, f"{key} is made twice, beside {alive}"

    def _allow_beside(self, world: World, key: Key, account: str) -> None:
        """Assert that one word of a person buys one run, however often all but it is lost."""
        self.looked["word"] += 1
        where = self.by_word.get(key)
        spent = where is not None and where not in ended_memberships(world, account)
        assert not spent or key in world.untagged, f"{key} is bought twice by one word"

    def _allow_change(self, world: World, run: Pass, kind: Kind, arguments: Arguments) -> None:
        """Assert that what is changed is the resource's own, or about to be."""
        _, _, operation, parameters = arguments
        seen, stored = run.seen, world.resources.get(run.key)
        known = [r.status for r in (seen, stored) if r is not None]
        if "resourceArn" in parameters:
            arn = parameters["resourceArn"]
            if all(status.get("arn") != arn for status in known):
                self._allow_claim(world, run, arguments)
            return
        agreement.allow(world, run, operation, parameters)
        if operation == agreement.UPDATE and kind.name == "Membership":
            shared = parameters["collaborationIdentifier"]
            assert any(s.get("collaborationIdentifier") == shared for s in known)
            return
        (target,) = (v for n, v in parameters.items() if n == kind.handle.parameter)
        handle = kind.handle
        given = ObjectId(target, parameters.get(handle.version) if handle.version else None)
        found = [handle.recorded(status) for status in known]
        assert given in found, f"{operation} of another's object"

    def _allow_claim(self, world: World, run: Pass, arguments: Arguments) -> None:
        """Assert that an object that is not recorded yet may be tagged as the resource's."""
        identity, service, operation, parameters = arguments
        arn = parameters["resourceArn"]
        assert run.seen is not None
        assert RELEASED not in parameters.get("tags", ()), f"{run.key} releases what is not its own"
        named = run.seen.annotations.get(Annotation.EXTERNAL_ID, "")
        tags = world.aws.tags(identity.account, service, arn)
        inherited = tags.get(OWNER) in world.owner.inherits
        # Its own mark may have been replaced by a sibling's (rule R-1).
        bought = any(name.partition("#")[0] == arn for name in self.bought.get(run.key, ()))
        named = named.partition("#")[0].rpartition("/")[2] or "-"
        assert arn.endswith(named) or inherited or bought, f"{operation} of {arn}"

    # -- afterwards ----------------------------------------------------------------------------

    def note(self, world: World, run: Pass) -> None:
        """Take note of what a call did."""
        record = world.aws.last()
        assert record.answered != "ValidationException" or run.key in world.mistaken, record
        assert run.seen is not None
        kind = world.kinds[run.key.kind]
        if record.applied and record.operation == agreement.CREATE:
            shared = record.parameters["collaborationIdentifier"]
            *_, newest = world.aws.emulator.store.list(ChangeRequest, shared)
            self.asked.add(newest.id)
        if record.applied and record.operation == kind.create:
            self.made.add(run.seen.uid)
            stored = world.resources.get(run.key)
            if kind.is_run and stored is not None and stored.beside:
                self.by_word[run.key] = record.parameters["membershipIdentifier"]
                self.twofold.add(run.key)
        if record.applied and _releases(record):
            self.by_word.pop(run.key, None)
        if kind.versions is not None and record.applied:
            self._note_version(world, kind, run, record)

    def _note_version(self, world: World, kind: Kind, run: Pass, record: Record) -> None:
        """Take note of what was bought, whatever its tags will say, and of what was released."""
        if record.operation == kind.create:
            account = record.account
            made = next(
                str(kind.handle.of(item))
                for item in reversed(world.aws.objects(account, kind))
                if item["name"] == record.parameters["name"]
            )
            self.bought.setdefault(run.key, set()).add(made)
            self.looked["version"] += "incrementalTrainingDataChannels" in record.parameters
        elif _releases(record):
            self.bought.pop(run.key, None)

    def _alive(self, world: World, account: str, key: Key, parameters: Document) -> list[str]:
        kind = world.kinds[key.kind]
        if kind.versions is None:
            return _alive(world, account, key, parameters)
        ended = ended_memberships(world, account)
        self.looked["money"] += 1
        # A training was bought, whatever came of it; who took its tags away has hidden it.
        lost = key in world.untagged
        shown = _live(world, account, kind) if lost else world.aws.records_of(account, kind)
        names = {
            str(kind.handle.of(item)) for item in shown if item["membershipIdentifier"] not in ended
        }
        return sorted(names & self.bought.get(key, set()))

    def released(self, run: Pass) -> None:
        """Take note that a finalizer went."""
        if run.seen is not None and run.seen.spec.get("managementPolicy") == "ObserveOnly":
            self.left.add(run.key)

    def changed(self, before: Resource | None, after: Resource | None, *, by_us: bool) -> None:
        """Take note of what ends the word `external-id: none`: another, or a deletion for good.

        A backup brings the word back with the resource.
        """
        resource = after or before
        assert resource is not None
        over = by_us if after is None else not after.beside
        if over:
            self.by_word.pop(resource.key, None)
        if after is None and not by_us:
            self.dropped(resource.key)

    def dropped(self, key: Key) -> None:
        """Take note of a resource that went while nothing held it."""
        self.left.add(key)

    def passed(self, run: Pass) -> None:
        """Take note of what a pass told people."""
        events = run.result.events if isinstance(run.result, Outcome) else ()
        told = {event.reason for event in events}
        if STAYING & told or (run.key.kind in RECORDS and UNMARKED in told):
            self.left.add(run.key)


def _releases(record: Record) -> bool:
    """Whether a call says that an object is to be used no more."""
    return any(key.startswith(RELEASED) for key in record.parameters.get("tags", ()))


def _alive(world: World, account: str, key: Key, parameters: Document) -> list[str]:
    """Return what AWS has that is a resource's and was not released (rule R-37)."""
    kind = world.kinds[key.kind]
    # A run was bought, whatever came of it.
    bought = world.aws.records_of(account, kind) if kind.is_run else _live(world, account, kind)
    if kind.is_run:
        world.guard.looked["money"] += 1
    ended = ended_memberships(world, account)
    return [
        item[kind.handle.arn]
        for item in bought
        if is_same(kind, item, parameters)
        and item.get("membershipIdentifier") not in ended
        and _is_unreleased(key, world.aws.tags(account, kind.service, item[kind.handle.arn]))
    ]


def ended_memberships(world: World, account: str) -> set[str]:
    """Return the memberships that are over: what is under them is none of their successors'.

    Where a backup is restored after people deleted the collaboration, or took all tags from it,
    another is made (R-12), and all that belongs to it: the known gap of rule R-37.
    """
    held = world.ask(account, "cleanrooms", "ListMemberships")["membershipSummaries"]
    unknown = {arn for arn in world.guard.nameless if OWNER not in _tags_of(world, arn)}
    return {
        item["id"]
        for item in held
        if item["status"] != "ACTIVE" or item["collaborationArn"] in unknown
    }


def _tags_of(world: World, arn: str) -> Mapping[str, str]:
    return world.aws.tags(arn.split(":")[4], "cleanrooms", arn)


def _live(world: World, account: str, kind: Kind) -> list[Document]:
    """Return what an account has of a kind that is of use, or may become so."""
    living = {Lifecycle.READY, Lifecycle.CHANGING}
    shown = world.aws.objects(account, kind)
    return [item for item in shown if kind.lifecycle_of(kind.state_of(item)) in living]


def is_same(kind: Kind, item: Document, fields: Document) -> bool:
    """Whether an object is the one for these parameters, where these name it by nature."""
    key = kind.natural_key
    return key is None or item[key.listed_as] == fields.get(key.parameter)


def _is_unreleased(key: Key, tags: Mapping[str, str]) -> bool:
    is_its_own = (tags.get(NAMESPACE), tags.get(NAME)) == (key.namespace, key.name)
    return is_its_own and RELEASED not in tags


def _arguments(run: Pass) -> Arguments:
    assert run.request is not None
    arguments: Any = run.request.arguments
    return arguments[:4]
