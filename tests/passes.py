"""Looks and passes at one Thing, by a process of its own."""

from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core.failure import ServiceError
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.resource import Resource
from cleanrooms_operator.core.step import Observed, Present
from cleanrooms_operator.runtime.memory import Memories, Recall
from cleanrooms_operator.runtime.observe import observe
from cleanrooms_operator.runtime.outcome import Outcome
from cleanrooms_operator.runtime.reconcile import reconcile
from scripted import Desk, desk, recall, view


class Operator:
    """A process that looks at one Thing, and the desk at which it sits."""

    def __init__(self, resource: Resource, *others: Resource, kind: Kind | None = None) -> None:
        self.key = resource.key
        self.kind = kind or make.kind()
        self.desk: Desk = desk(resource, *(others or (make.account(),)))
        self.memories = Memories()
        self.aws.lists["ListThings"] = []
        self.aws.answers |= {
            "GetThing": lambda _: {"thing": make.thing()},
            "ListTagsForResource": lambda _: {"tags": make.owner_tags()},
            "CreateThing": lambda _: {"thing": make.thing()},
            "UpdateThing": {},
            "TagResource": {},
            "DeleteThing": {},
        }

    @property
    def aws(self) -> Any:
        return self.desk.aws

    @property
    def resource(self) -> Resource:
        return self.desk.cluster.resources[self.key]

    @property
    def status(self) -> Any:
        return self.resource.status

    @property
    def changes(self) -> list[Any]:
        return self.desk.cluster.changes

    def change(self, **over: Any) -> None:
        """Let somebody change the resource, or AWS its status."""
        self.desk.cluster.resources[self.key] = replace(self.resource, **over)

    def wait(self, seconds: float) -> None:
        self.desk.clock.seconds += seconds

    async def look(self) -> Outcome:
        """Do one pass; what was asked before is forgotten."""
        self.aws.calls.clear()
        self.aws.sightings.clear()
        self.changes.clear()
        return await reconcile(self.kind, self.key, self.desk.ports, self.memories)

    async def fail(self, error: type[Exception] = ServiceError) -> None:
        """Do one pass, which raises."""
        with pytest.raises(error):
            await self.look()

    def ready(self) -> tuple[str, str]:
        condition = self.resource.condition("Ready") or {}
        return condition["status"], condition["reason"]

    def told(self, outcome: Outcome) -> list[tuple[str, str]]:
        return [(event.type, event.reason) for event in outcome.events]


def asked(*listed: Any, tags: Any = None, **answers: Any) -> Desk:
    """Return a desk at which AWS lists these, and says all the rest of a Thing unless told."""
    at = desk()
    at.aws.lists["ListThings"] = list(listed)
    at.aws.answers |= {
        "GetThing": lambda _: {"thing": make.thing()},
        "ListTagsForResource": lambda _: {"tags": make.owner_tags()},
        **answers,
    }
    if tags is not None:
        at.aws.answers["ListTagsForResource"] = tags
    return at


async def seen(
    at: Desk,
    resource: Resource,
    memory: Recall | None = None,
    kind: Kind | None = None,
    **over: Any,
) -> Observed:
    return await observe(view(at, resource, kind, recall=memory or recall(), **over))


def present(found: Observed) -> Present:
    assert isinstance(found, Present), found
    return found
