"""When ConfigMaps and Secrets are read, and what is told of them."""

from dataclasses import replace
from typing import Annotated, Any

import pytest

import make
from cleanrooms_operator.core.failure import Failure
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.pace import Pace
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.core.sources import Bounds, TextFrom, TextSource
from cleanrooms_operator.runtime.ports import UnreadableError
from passes import Operator

PACE = Pace()
SECRET = Key("Secret", "a", "s")
VALUE, OTHER = "as-secret-as-can-be", "quite-another-thing"


class SizedSpec(make.ThingSpec):
    """A Thing whose size may stand in a Secret."""

    size_from: Annotated[TextFrom | None, TextSource("size", Bounds(1, 30))] = None


SIZED: Kind = replace(make.THING, definition=replace(make.THING.definition, spec=SizedSpec))
SPEC = {"color": "red", "sizeFrom": {"secretKeyRef": {"name": "s", "key": "size"}}}
THING = {"thing": make.thing(extent=VALUE)}


def operator(resource: Resource | None = None, size: Any = VALUE) -> Operator:
    made = Operator(resource or make.resource(spec=SPEC), kind=SIZED)
    made.aws.answers |= {"CreateThing": lambda _: THING, "GetThing": lambda _: THING}
    hold(made, size)
    return made


def hold(at: Operator, size: Any) -> None:
    """Let the Secret hold something else: nothing, where it is None."""
    if isinstance(size, str):
        at.desk.cluster.sources[SECRET] = {"size": size}
    else:
        at.desk.cluster.sources[SECRET] = size


async def made(size: str = VALUE) -> Operator:
    """Return an operator that has made the object."""
    at = operator(size=size)
    await at.look()
    await at.look()
    assert at.ready() == ("True", "Succeeded")
    return at


def synced(at: Operator) -> tuple[str, str]:
    condition = at.resource.condition("Synced") or {}
    return condition["status"], condition["reason"]


class TestBeforeThereIsAnObject:
    async def test_the_value_is_sent_and_only_its_hash_is_kept(self) -> None:
        at = await made()
        assert at.resource.is_true("Synced")
        assert len(at.status["sourcesHash"]) == 64
        assert VALUE not in repr(at.status)

    async def test_the_create_call_has_the_value(self) -> None:
        at = operator()
        await at.look()
        (sent,) = at.aws.sent("CreateThing")
        assert sent["size"] == VALUE
        assert "sizeFrom" not in sent

    @pytest.mark.parametrize(
        ("size", "told"),
        [
            (None, "Secret/s does not exist in this namespace"),
            (UnreadableError("Secret/s is not read"), "Secret/s is not read"),
        ],
        ids=["missing", "forbidden"],
    )
    async def test_what_is_missing_is_waited_for(self, size: Any, told: str) -> None:
        at = operator(size=size)
        outcome = await at.look()
        assert (outcome.step, at.ready()) == ("Wait", ("False", "DependencyNotReady"))
        assert (at.resource.condition("Ready") or {})["message"] == told
        assert at.aws.calls == []
        hold(at, VALUE)
        assert (await at.look()).step == "Create"

    async def test_what_aws_would_not_take_is_told_before_any_call(self) -> None:
        at = operator(size="x" * 31)
        assert (await at.look()).step == "Stall"
        assert at.ready() == ("False", "InvalidSpec")
        assert at.aws.calls == []

    async def test_what_is_being_deleted_reads_nothing(self) -> None:
        at = operator(make.resource(spec=SPEC, deleted=make.NOW), size=AssertionError("read"))
        await at.look()
        assert not at.resource.held


class TestAnAttemptIsOpen:
    async def attempted(self) -> Operator:
        """Return an operator whose create call certainly did nothing."""
        at = operator()
        at.aws.answers["CreateThing"] = make.error(
            Failure.THROTTLED, "ThrottlingException", harmless=True
        )
        await at.fail()
        at.aws.answers["CreateThing"] = lambda _: THING
        return at

    async def test_the_same_values_are_sent_again(self) -> None:
        at = await self.attempted()
        assert (await at.look()).step == "Resend"

    async def test_other_values_are_another_attempt(self) -> None:
        at = await self.attempted()
        before = at.status["attempt"]
        hold(at, OTHER)
        at.wait(PACE.settle + 1)
        assert (await at.look()).step == "Create"
        (sent,) = at.aws.sent("CreateThing")
        assert sent["size"] == OTHER
        assert before["id"] != sent["tags"][f"{make.GROUP}/attempt"]

    async def test_without_them_it_is_found_out_and_given_up(self) -> None:
        at = await self.attempted()
        hold(at, None)
        at.wait(PACE.settle + 1)
        assert (await at.look()).step == "Discard"
        assert at.status.keys() & {"attempt", "sourcesHash"} == set()
        assert "CreateThing" not in at.aws.operations


class TestOnceThereIsAnObject:
    async def test_nothing_is_read_before_it_is_due(self) -> None:
        at = await made()
        hold(at, AssertionError("read"))
        at.wait(60)
        await at.look()
        assert at.ready() == ("True", "Succeeded")

    @pytest.mark.parametrize("size", [OTHER, None], ids=["another", "none"])
    async def test_a_change_is_told_once_and_never_a_run(self, size: Any) -> None:
        at = await made()
        hold(at, size)
        at.wait(2 * PACE.detail_interval)
        await at.look()
        assert synced(at) == ("False", "SourceChanged")
        assert at.ready() == ("True", "Succeeded")
        assert not {"CreateThing", "UpdateThing"} & set(at.aws.operations)
        at.wait(60)
        await at.look()
        assert at.changes == []

    async def test_it_stays_told_while_only_the_details_are_read(self) -> None:
        at = await made()
        hold(at, OTHER)
        at.wait(2 * PACE.detail_interval)
        await at.look()
        at.memories.recalls[at.key].stale = True
        await at.look()
        assert synced(at) == ("False", "SourceChanged")

    @pytest.mark.parametrize("request_", ["annotation", "spec"])
    async def test_who_asks_hears_at_once(self, request_: str) -> None:
        at = await made()
        hold(at, OTHER)
        if request_ == "spec":
            at.change(generation=make.GENERATION + 1)
        else:
            at.change(annotations=make.annotations(reconcile_requested_at="now"))
        await at.look()
        assert synced(at) == ("False", "SourceChanged")

    async def test_what_is_put_back_is_well_again(self) -> None:
        at = await made()
        hold(at, OTHER)
        at.wait(2 * PACE.detail_interval)
        await at.look()
        hold(at, VALUE)
        at.change(annotations=make.annotations(reconcile_requested_at="now"))
        await at.look()
        assert synced(at) == ("True", "Succeeded")

    async def test_what_is_put_back_is_told_also_where_nothing_else_is_read(self) -> None:
        at = await made()
        hold(at, OTHER)
        at.wait(2 * PACE.detail_interval)
        await at.look()
        hold(at, VALUE)
        at.memories.recalls[at.key].supplied = None
        at.memories.recalls[at.key].seen = 0
        at.aws.lists["ListThings"] = [make.thing()]
        await at.look()
        assert at.aws.operations == []
        assert synced(at) == ("True", "Succeeded")

    async def test_an_adopted_object_is_compared_with_what_there_was_then(self) -> None:
        at = operator()
        at.aws.lists["ListThings"] = [make.thing()]
        assert (await at.look()).step == "Bind"
        assert len(at.status["sourcesHash"]) == 64
        hold(at, OTHER)
        at.change(annotations=make.annotations(reconcile_requested_at="now"))
        await at.look()
        assert synced(at) == ("False", "SourceChanged")

    async def test_what_an_attempt_made_is_compared_with_what_was_sent(self) -> None:
        at = operator()
        at.aws.answers["CreateThing"] = make.error(Failure.UNAVAILABLE, "ReadTimeoutError")
        await at.fail()
        sent = at.status["sourcesHash"]
        hold(at, OTHER)
        tags = {**make.owner_tags(), f"{make.GROUP}/attempt": at.status["attempt"]["id"]}
        at.aws.answers["ListTagsForResource"] = lambda _: {"tags": tags}
        at.aws.lists["ListThings"] = [make.thing()]
        at.wait(60)
        assert (await at.look()).step == "Bind"
        assert at.status["sourcesHash"] == sent
        at.wait(2 * PACE.detail_interval)
        await at.look()
        assert synced(at) == ("False", "SourceChanged")

    async def test_one_adopted_by_an_older_operator_is_compared_with_the_first_look(self) -> None:
        at = operator(make.bound(spec=SPEC))
        at.change(annotations=make.annotations(reconcile_requested_at="now"))
        await at.look()
        assert synced(at) == ("True", "Succeeded")
        hold(at, OTHER)
        at.change(annotations=make.annotations(reconcile_requested_at="later"))
        await at.look()
        assert synced(at) == ("False", "SourceChanged")


async def test_drift_of_what_is_sensitive_tells_its_path_alone() -> None:
    """What stands in AWS may be as secret as what stands in the spec."""

    class Spec(make.ThingSpec):
        environment: dict[str, str] | None = None

    kind = replace(make.THING, definition=replace(make.THING.definition, spec=Spec))
    at = Operator(make.bound(spec={"environment": {"TOKEN": VALUE}}), kind=kind)
    shown = make.thing(environment={"TOKEN": OTHER})
    at.aws.answers["GetThing"] = lambda _: {"thing": shown}
    at.change(annotations=make.annotations(reconcile_requested_at="now"))
    await at.look()
    assert at.status["drift"] == [{"path": "environment.TOKEN"}]
    assert VALUE not in repr(at.status)
    assert OTHER not in repr(at.status)
