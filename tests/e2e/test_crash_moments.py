"""The operator is killed in the middle of creating: by kill -9, at moments that are held still.

A moment is a request to AWS that a fault keeps under way, before it is applied or before it is
answered, or a version of a resource that has just been seen. Each lifetime of the operator ends
at several moments, of a Collaboration with its creator's Membership each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from cleanrooms_operator.core.resource import Key, Resource
from e2e.stage import Company, Stage

LATE = 2.5
"""How long a create that is held back goes on towards AWS without the process that sent it."""
HELD = 20.0
SETTLE = 5.0


@dataclass(frozen=True)
class Request:
    """A request is under way: the `nth` of its operation, not applied yet or not answered yet."""

    operation: str
    nth: int = 1
    applied: bool = False

    def arm(self, company: Company) -> int:
        mutates = not self.operation.startswith(("Get", "List"))
        seconds = LATE if mutates and not self.applied else HELD
        return company.stage.aws.fail(
            "delay-response" if self.applied else "delay",
            self.operation,
            account=company.account,
            first=self.nth,
            count=1,
            seconds=seconds,
        )

    def check(self, company: Company) -> None:
        """Assert that the process died at this very moment."""
        logged = company.stage.aws.calls(company.account, self.operation)
        assert len(logged) == self.nth - (not self.applied)


@dataclass(frozen=True)
class Version:
    """A version of a resource has been seen that has something new."""

    kind: str
    what: str

    def has_come(self, resource: Resource) -> bool:
        news: dict[str, Callable[[], Any]] = {
            "finalizer": lambda: resource.held,
            "attempt": lambda: resource.status.get("attempt"),
            "handle": lambda: resource.status.get("arn"),
            "ready": lambda: resource.is_true("Ready"),
        }
        return bool(news[self.what]())


Moment: TypeAlias = Request | Version

LIFETIMES: tuple[tuple[Moment, ...], ...] = (
    (
        Request("ListCollaborations"),
        Request("CreateCollaboration"),
        Version("Collaboration", "finalizer"),
    ),
    (
        Request("CreateCollaboration", applied=True),
        Request("GetCollaboration"),
        Version("Collaboration", "attempt"),
    ),
    (
        Request("ListMembers"),
        Request("ListTagsForResource"),
        Version("Collaboration", "handle"),
    ),
    (
        Request("GetCollaboration", 2),
        Request("CreateMembership"),
        Version("Collaboration", "ready"),
    ),
    (
        Request("CreateMembership", applied=True),
        Request("GetMembership"),
        Version("Membership", "finalizer"),
    ),
    (
        Request("GetMLConfiguration"),
        Request("PutMLConfiguration"),
        Version("Membership", "attempt"),
    ),
    (
        Request("PutMLConfiguration", applied=True),
        Request("GetMembership", 2),
        Version("Membership", "handle"),
    ),
    (
        Request("GetMLConfiguration", 2),
        Request("GetCallerIdentity", 2),
        Version("Membership", "ready"),
    ),
)


def test_nothing_is_made_twice_or_orphaned_whenever_the_operator_is_killed(stage: Stage) -> None:
    assert len({moment for lifetime in LIFETIMES for moment in lifetime}) >= 20
    operator = stage.operator(settle=SETTLE)
    keys: list[Key] = []
    for lifetime in LIFETIMES:
        operator.start()
        companies = {moment: stage.company() for moment in lifetime}
        requests = [moment for moment in lifetime if isinstance(moment, Request)]
        held = [moment.arm(companies[moment]) for moment in requests]
        for moment in requests:
            keys += companies[moment].found()
        stage.watch.wait(
            "the requests to be held", lambda held=held: all(map(stage.aws.struck, held))
        )
        (version,) = (moment for moment in lifetime if isinstance(moment, Version))
        keys += companies[version].found()
        stage.watch.until(companies[version].key(version.kind, "study"), version.has_come)
        operator.process.kill9()
        for moment in requests:
            moment.check(companies[moment])
    operator.start()
    stage.wait_ready(*keys)
    stage.check_one_each(*keys)
