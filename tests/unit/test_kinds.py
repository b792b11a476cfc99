"""Every kind against botocore's own model, which is the referee.

A parameter or field that AWS renames, adds or takes away fails here, not in production.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import pytest
from botocore.model import OperationModel, Shape

from cleanrooms_operator.core import charges, sources
from cleanrooms_operator.core.kind import Kind, Listing, Lookup
from cleanrooms_operator.core.references import declared
from cleanrooms_operator.core.schema import frozen, twins
from cleanrooms_operator.core.step import Lifecycle
from cleanrooms_operator.core.values import Reference, Value, fields
from cleanrooms_operator.kinds import BY_NAME, DEFINITIONS, KINDS
from cleanrooms_operator.kube.manifests import parameters, service_model

LEFT_OUT: Mapping[tuple[str, str], str] = {}
"""(kind, create parameter) that its spec leaves out on purpose -> the reason."""

UPDATED_OTHERWISE = {
    ("Membership", "membershipPaymentConfiguration"): "accepted as far as it is assigned (R-17)",
}
"""(kind, update parameter) that is not simply set to what the spec says -> the reason."""

NOT_SHOWN = {
    ("Collaboration", "members"): "ListMembers shows them",
    ("Collaboration", "creatorMemberAbilities"): "ListMembers shows them",
    ("Collaboration", "creatorMLMemberAbilities"): "ListMembers shows them",
    ("Collaboration", "creatorPaymentConfiguration"): "ListMembers shows it",
    ("Collaboration", "autoApprovedChangeRequestTypes"): "shown under another name, and compared "
    "with the members",
}
"""(kind, create parameter) that the read does not show -> the reason."""


def operation(service: str, name: str) -> OperationModel:
    return service_model(service).operation_model(name)


def taken(service: str, name: str) -> Mapping[str, Shape]:
    members: Mapping[str, Shape] = operation(service, name).input_shape.members
    return members


def shown(service: str, name: str, envelope: str | None = None) -> Mapping[str, Shape]:
    answer = operation(service, name).output_shape
    members: Mapping[str, Shape] = (answer.members[envelope] if envelope else answer).members
    return members


def read_fields(kind: Kind) -> Mapping[str, Shape]:
    return shown(kind.service, kind.read, kind.envelope)


def summary(listing: Listing) -> Mapping[str, Shape]:
    members: Mapping[str, Shape] = shown(listing.service, listing.operation)[
        listing.items
    ].member.members
    return members


def created(kind: Kind) -> Mapping[str, Shape]:
    return taken(kind.service, kind.create)


Levels: TypeAlias = Iterator[tuple[type[Value], Mapping[str, Shape]]]


def levels(kind: Kind) -> Levels:
    """Yield each structure in a spec with AWS's members at the same place."""
    yield from _levels(kind.definition.spec, created(kind))


def _levels(model: type[Value], members: Mapping[str, Shape]) -> Levels:
    yield model, members
    for field in fields(model):
        if (
            field.structure is not None
            and field.name not in declared(model)
            and field.name in members
        ):
            shape = members[field.name]
            inner = shape.member if shape.type_name == "list" else shape
            yield from _levels(field.structure, inner.members)


def ways(kind: Kind) -> Iterator[tuple[Mapping[str, Shape], Reference | Lookup]]:
    """Yield what stands in for parameters, with the parameters beside it."""
    for model, members in levels(kind):
        for how in declared(model).values():
            yield members, how


def sourced(model: type[Value]) -> set[str]:
    """Return the fields that tell where the value of a parameter stands."""
    return set(sources.declared(model))


def given(kind: Kind) -> set[str]:
    """Return the create parameters that the spec gives, itself or by a twin."""
    spec = kind.definition.spec
    found = twins(spec)
    twin_names = {name for names in found.values() for name in names}
    own = spec.OWN | twin_names | sourced(spec) | kind.parts.keys()
    return {field.name for field in fields(spec) if field.name not in own} | found.keys()


def calls(kind: Kind) -> Iterator[tuple[str, str]]:
    cancel = None if kind.cancel is None else kind.cancel.operation
    named = (kind.create, kind.read, kind.delete, kind.update, cancel)
    yield from ((kind.service, name) for name in named if name is not None)
    yield from ((part.service, part.operation) for part in kind.parts.values())
    yield from ((reading.service, reading.operation) for reading in kind.readings)


each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@each_kind
class TestParameters:
    def test_the_spec_is_the_create_request(self, kind: Kind) -> None:
        left_out = {parameter for name, parameter in LEFT_OUT if name == kind.name}
        assert given(kind) == created(kind).keys() - left_out

    def test_the_spec_requires_what_the_create_call_requires(self, kind: Kind) -> None:
        """The name has a default, metadata.name; of twins any one will do."""
        needed = set(operation(kind.service, kind.create).input_shape.required_members)
        required = {
            field.name
            for field in fields(kind.definition.spec)
            if field.info.is_required() and field.name not in kind.parts
        }
        assert required == needed - {"name"} - twins(kind.definition.spec).keys()

    def test_every_field_is_a_parameter_or_the_operators_own(self, kind: Kind) -> None:
        names = {field.name for field in fields(kind.definition.spec)}
        found = twins(kind.definition.spec)
        twin_names = {name for names in found.values() for name in names}
        own = kind.definition.spec.OWN | twin_names | sourced(kind.definition.spec)
        assert names <= created(kind).keys() | own

    def test_structures_have_all_that_aws_has_at_their_place(self, kind: Kind) -> None:
        for model, members in levels(kind):
            if model is not kind.definition.spec:
                own = {field.name for field in fields(model) if field.name not in declared(model)}
                assert own - sourced(model) == members.keys()

    def test_what_changes_in_place_is_a_parameter_of_both_calls(self, kind: Kind) -> None:
        assert kind.in_place <= created(kind).keys()
        if kind.in_place:
            assert kind.update is not None
            assert kind.in_place <= taken(kind.service, kind.update).keys()

    def test_everything_that_the_update_call_takes_is_used(self, kind: Kind) -> None:
        if kind.update is None:
            assert not kind.in_place
            return
        others = {parameter for name, parameter in UPDATED_OTHERWISE if name == kind.name}
        known = {kind.handle.parameter, *kind.in_place, *others}
        assert taken(kind.service, kind.update).keys() == known

    def test_what_others_must_agree_to_is_a_parameter_and_never_changed_in_place(
        self, kind: Kind
    ) -> None:
        assert kind.by_request <= created(kind).keys()
        assert not kind.by_request & kind.in_place

    def test_all_the_rest_is_frozen(self, kind: Kind) -> None:
        mutable = kind.in_place | kind.by_request | {"tags"}
        fixed = frozen(kind, parameters(kind))
        assert "accountRef" in fixed
        assert not mutable & set(fixed)
        assert created(kind).keys() - mutable <= set(fixed)

    def test_parts_hold_the_parameters_of_their_calls(self, kind: Kind) -> None:
        names = {field.name for field in fields(kind.definition.spec)}
        for name, part in kind.parts.items():
            assert name in names
            assert name in kind.definition.spec.OWN
            assert set(part.without) <= taken(part.service, part.operation).keys()


@each_kind
class TestAnswers:
    def test_the_lifecycle_names_every_state(self, kind: Kind) -> None:
        known = kind.lifecycle.keys() | kind.ends.keys()
        for shapes in (read_fields(kind), summary(kind.listing)):
            if kind.state is None:
                assert not known | {"status"} & shapes.keys()
            else:
                assert known == set(shapes[kind.state].enum)

    def test_every_end_has_a_reason(self, kind: Kind) -> None:
        useless = {Lifecycle.FAILED, Lifecycle.GONE}
        states = kind.lifecycle.keys() | kind.ends.keys()
        ended = {s for s in states if kind.lifecycle_of(s) in useless}
        assert ended <= kind.ends.keys()
        assert all(kind.lifecycle_of(s) is Lifecycle.DONE for s in kind.ends.keys() - ended)

    def test_what_is_cancelled_and_published_is_known_to_aws(self, kind: Kind) -> None:
        if kind.cancel is not None:
            assert kind.cancel.states <= kind.lifecycle.keys()
        assert set(kind.published) <= read_fields(kind).keys()
        assert set(kind.published) <= {field.name for field in fields(kind.definition.status)}

    def test_every_parameter_is_shown_again_so_that_drift_is_seen(self, kind: Kind) -> None:
        unseen = {parameter for name, parameter in NOT_SHOWN if name == kind.name}
        compared = created(kind).keys() - {"tags"} - unseen
        answered = {kind.answered_as.get(name, name) for name in compared}
        assert answered <= read_fields(kind).keys()
        assert kind.answered_as.keys() <= compared

    def test_lists_whose_order_means_nothing_are_compared_as_sets(self, kind: Kind) -> None:
        spec = created(kind)
        lists = {n for n in given(kind) - kind.by_request if spec[n].type_name == "list"}
        assert {n for n in lists if getattr(spec[n].member, "enum", None)} <= kind.unordered
        assert kind.unordered <= lists

    def test_the_handle_names_the_object_everywhere(self, kind: Kind) -> None:
        cancel = None if kind.cancel is None else kind.cancel.operation
        for name in filter(None, (kind.read, kind.delete, kind.update, cancel)):
            needed = operation(kind.service, name).input_shape.required_members
            assert kind.handle.parameter in taken(kind.service, name)
            assert set(needed) <= {kind.handle.parameter, *kind.listing.scope}
        for answer in (read_fields(kind), summary(kind.listing)):
            assert {kind.handle.field, kind.handle.arn} <= answer.keys()
        made = shown(kind.service, kind.create, kind.envelope)
        assert {kind.handle.field, kind.handle.arn} <= made.keys()

    def test_summaries_tell_state_and_time(self, kind: Kind) -> None:
        needed = {"updateTime"} if kind.state is None else {kind.state, "updateTime"}
        assert needed <= summary(kind.listing).keys()


@pytest.mark.parametrize("view", charges.VIEWS, ids=lambda view: view.kind)
def test_the_views_of_runs_show_what_charges_are_told_from(view: Any) -> None:
    found = summary(view.listing)
    assert {"creatorAccountId", "name", "status", "createTime"} <= found.keys()
    assert view.kind in BY_NAME
    for cost in view.costs:
        assert cost in BY_NAME[view.kind].costs
        name, *deeper = cost.parameter.split(".")
        assert set(deeper) <= getattr(found[name], "members", {}).keys()


@each_kind
class TestReads:
    def test_every_call_exists(self, kind: Kind) -> None:
        for service, name in calls(kind):
            assert name in service_model(service).operation_names

    def test_lists_can_be_asked_for_by_their_scope(self, kind: Kind) -> None:
        lookups = (how for _, how in ways(kind) if isinstance(how, Lookup))
        beside = [glance.listing for glance in kind.glances]
        for listing in (kind.listing, *beside, *(lookup.listing for lookup in lookups)):
            assert set(listing.handle) <= summary(listing).keys() | {"versionIdentifier"}
            call = operation(listing.service, listing.operation)
            assert set(call.input_shape.required_members) == set(listing.scope)
            assert {"nextToken", "maxResults"} <= call.input_shape.members.keys()
            assert "nextToken" in call.output_shape.members

    def test_readings_name_parameters_and_results(self, kind: Kind) -> None:
        for reading in kind.readings:
            asked = AnyFields()
            sent = reading.parameters(asked)
            call = operation(reading.service, reading.operation)
            assert set(call.input_shape.required_members) == sent.keys()
            assert asked.keys() <= read_fields(kind).keys()
            answer = shown(reading.service, reading.operation)
            assert reading.result is None or reading.result in answer
            assert reading.paged == ("nextToken" in answer)

    def test_what_stands_in_finds_what_it_fills(self, kind: Kind) -> None:
        for members, how in ways(kind):
            assert how.fills.keys() <= members.keys()
            assert how.optional < how.fills.keys()
            if isinstance(how, Lookup):
                taken = {*how.fills.values(), how.ours or how.listing.handle[0]}
                assert taken <= summary(how.listing).keys()
            elif (referent := BY_NAME.get(how.kind)) is not None:
                status = {f.name for f in fields(referent.definition.status)}
                assert set(how.fills.values()) <= status

    def test_the_natural_key_finds_the_object(self, kind: Kind) -> None:
        if (key := kind.natural_key) is None:
            return
        assert key.parameter in created(kind)
        assert key.parameter in taken(key.service, key.operation)
        assert key.identifier in shown(key.service, key.operation, key.envelope)
        assert key.listed_as in summary(kind.listing)

    def test_neighbours_are_kinds(self, kind: Kind) -> None:
        assert set(kind.neighbours) <= BY_NAME.keys()

    def test_a_refused_read_that_means_absence_is_one_that_models_no_other_word(
        self, kind: Kind
    ) -> None:
        errors = {shape.name for shape in operation(kind.service, kind.read).error_shapes}
        assert kind.denied_is_missing == ("ResourceNotFoundException" not in errors)


class AnyFields(dict[str, str]):
    """An object that has every field, and keeps those that were asked for."""

    def __missing__(self, name: str) -> str:
        self[name] = name
        return name


def test_exceptions_are_still_needed() -> None:
    for name, parameter in (*LEFT_OUT, *NOT_SHOWN):
        assert parameter in created(BY_NAME[name])
    for name, parameter in NOT_SHOWN:
        assert parameter not in read_fields(BY_NAME[name])
    for name, parameter in UPDATED_OTHERWISE:
        assert parameter in taken(BY_NAME[name].service, BY_NAME[name].update or "")


def test_names_are_unique() -> None:
    for names in (
        [d.name for d in DEFINITIONS],
        [d.plural for d in DEFINITIONS],
        [d.short_name for d in DEFINITIONS],
    ):
        assert len(set(names)) == len(names)
