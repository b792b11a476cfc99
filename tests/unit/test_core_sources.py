"""Values that stand in ConfigMaps and Secrets take the place of what names them."""

from dataclasses import replace
from typing import Annotated, Any

import pytest
from botocore import loaders, model

import make
from cleanrooms_operator.core import schema, sources
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.core.shape import Shape
from cleanrooms_operator.core.sources import (
    Bounds,
    EntriesFrom,
    MapSource,
    Source,
    TextFrom,
    TextSource,
)
from cleanrooms_operator.core.values import Value

CONFIG, SECRET = Key("ConfigMap", "a", "c"), Key("Secret", "a", "s")


class Query(Value):
    """A text, which one of several gives."""

    CHOICE = ("text", "template")

    text: str | None = None
    template: str | None = None
    text_from: Annotated[TextFrom | None, TextSource("text", Bounds(1, 9, "[a-z]*"))] = None


class SourcedSpec(make.ThingSpec):
    """A Thing with values from elsewhere."""

    query: Query | None = None
    queries: list[Query] | None = None
    env: dict[str, str] | None = None
    env_from: Annotated[
        list[EntriesFrom] | None,
        MapSource("env", 3, Bounds(1, 3, "[A-Z]+"), Bounds(1, 5)),
    ] = None


SOURCED: Kind = replace(make.THING, definition=replace(make.THING.definition, spec=SourcedSpec))

FROM_CONFIG = {"configMapKeyRef": {"name": "c", "key": "sql"}}
FROM_SECRET = {"secretKeyRef": {"name": "s", "key": "sql"}, "configMapKeyRef": None}
MAPS = {"envFrom": [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}}]}


def filled(spec: dict[str, Any], contents: Any) -> sources.Supply:
    return sources.fill(SOURCED, make.resource(spec=spec), contents)


class TestTexts:
    @pytest.mark.parametrize(
        ("given", "key"), [(FROM_CONFIG, CONFIG), (FROM_SECRET, SECRET)], ids=["config", "secret"]
    )
    def test_it_takes_the_place_of_its_source(self, given: Any, key: Key) -> None:
        spec = {"query": {"textFrom": given}, "color": "red"}
        assert sources.named(SOURCED, make.resource(spec=spec)) == (key,)
        found = filled(spec, {key: {"sql": "select", "else": "x"}})
        assert found.resource.spec == {"query": {"text": "select"}, "color": "red"}
        assert (found.missing, found.wrong) == ((), ())

    def test_it_is_found_in_lists(self) -> None:
        spec = {"queries": [{"text": "a"}, {"textFrom": FROM_CONFIG}]}
        found = filled(spec, {CONFIG: {"sql": "b"}})
        assert found.resource.spec == {"queries": [{"text": "a"}, {"text": "b"}]}
        assert found.values == {"queries[1].textFrom": "b"}

    @pytest.mark.parametrize(
        ("contents", "told"),
        [
            pytest.param({}, "ConfigMap/c does not exist in this namespace", id="no object"),
            pytest.param({CONFIG: {"x": "secret"}}, "ConfigMap/c has no key `sql`", id="no key"),
        ],
    )
    def test_what_is_missing_is_named(self, contents: Any, told: str) -> None:
        found = filled({"query": {"textFrom": FROM_CONFIG}}, contents)
        assert found.missing == (told,)
        assert found.resource.spec == {"query": {}}

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("abcdefghijk", "has 11 characters, where AWS takes 1 to 9"),
            ("", "has 0 characters, where AWS takes 1 to 9"),
            ("SECRET", "does not match [a-z]*"),
            (None, "is not text"),
        ],
        ids=["too long", "empty", "of other characters", "no text"],
    )
    def test_what_aws_would_not_take_is_said_without_telling_it(
        self, text: str | None, told: str
    ) -> None:
        (problem,) = filled({"query": {"textFrom": FROM_CONFIG}}, {CONFIG: {"sql": text}}).wrong
        assert told in problem
        assert problem.startswith("`query.textFrom`: `sql` of ConfigMap/c")
        assert not text or text not in problem


class TestMaps:
    def test_later_items_win_and_inline_wins_over_all(self) -> None:
        contents = {CONFIG: {"A": "1", "B": "1", "C": "1"}, SECRET: {"B": "2", "C": "2"}}
        found = filled({**MAPS, "env": {"C": "3"}}, contents)
        assert found.resource.spec == {"env": {"A": "1", "B": "2", "C": "3"}}
        assert found.values == {"envFrom": {"A": "1", "B": "2", "C": "2"}}
        assert found.wrong == ()

    def test_every_entry_must_fit_and_all_of_them(self) -> None:
        contents = {CONFIG: {"A": "123456", "b": "1", "X": None}, SECRET: {"C": "1", "D": "1"}}
        assert filled(MAPS, contents).wrong == (
            "`envFrom`: `A` of ConfigMap/c has 6 characters, where AWS takes 1 to 5",
            "`envFrom`: the key `b` of ConfigMap/c does not match [A-Z]+",
            "`envFrom`: `X` of ConfigMap/c is not text",
            "`envFrom` has 4 entries, where AWS takes 3",
        )

    def test_what_is_missing_is_named_once(self) -> None:
        twice = {"envFrom": [*MAPS["envFrom"], *MAPS["envFrom"]]}
        found = filled(twice, {CONFIG: {}})
        assert found.missing == ("Secret/s does not exist in this namespace",)
        assert sources.named(SOURCED, make.resource(spec=twice)) == (CONFIG, SECRET)


class TestWithout:
    def test_neither_a_source_nor_its_parameter_is_compared(self) -> None:
        spec = {**MAPS, "env": {"A": "1"}, "query": {"textFrom": FROM_CONFIG}, "color": "red"}
        left = sources.leave_out(SOURCED, make.resource(spec=spec))
        assert left.spec == {"color": "red", "query": {}}

    def test_a_kind_without_sources_is_left_alone(self) -> None:
        resource = make.resource()
        assert sources.leave_out(make.kind(), resource) is resource
        assert sources.named(make.kind(), resource) == ()


class TestHashes:
    def test_it_moves_with_values_and_with_what_is_missing(self) -> None:
        spec = {"query": {"textFrom": FROM_CONFIG}}
        supplies = [
            filled(spec, contents)
            for contents in ({}, {CONFIG: {"x": ""}}, {CONFIG: {"sql": "a"}}, {CONFIG: {"sql": ""}})
        ]
        assert len({supply.hash(b"key") for supply in supplies}) == 4
        assert supplies[0].hash(b"key") != supplies[0].hash(b"another")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("environment.TOKEN", False),
        ("inputChannel.dataSource.sqlParameters.queryString", False),
        ("dataChannels[0].hyperparameters.x", False),
        ("resourceConfig.instanceType", True),
    ],
)
def test_values_at_sensitive_paths_are_not_told(path: str, *, told: bool) -> None:
    assert sources.is_sensitive(path) is not told


class TestSchemas:
    SHAPE = Shape("structure", members={"text": Shape("string", max=9)})

    def test_one_of_a_choice_is_given_by_whatever_stands_for_it(self) -> None:
        rules = schema.structure(Query, self.SHAPE)["x-kubernetes-validations"]
        assert [rule["message"] for rule in rules] == [
            "exactly one of `text`, `textFrom`, `template` must be given"
        ]

    @pytest.mark.parametrize("model_", [TextFrom, EntriesFrom])
    def test_a_source_names_one_thing(self, model_: type[Value]) -> None:
        made = schema.structure(model_, None)
        assert len(made["x-kubernetes-validations"]) == 1
        assert "size() == 1" in made["x-kubernetes-validations"][0]["rule"]

    def test_a_source_is_frozen_with_its_parameter(self) -> None:
        shape = Shape("structure", members={"env": Shape("map"), "query": Shape("structure")})
        assert {"env", "envFrom", "query"} <= set(schema.frozen(SOURCED, shape))

    def test_a_map_may_be_given_both_ways(self) -> None:
        assert "env" not in schema.twins(SourcedSpec)
        assert schema.twins(Query)["text"] == ["text", "textFrom"]


class TestFields:
    """What kinds write their specs with."""

    class Spec(Value):
        """A spec with every source."""

        query_string_from: sources.QueryFrom = None
        parameters_from: sources.ParametersFrom = None
        hyperparameters_from: sources.HyperparametersFrom = None
        environment_from: sources.EnvironmentFrom = None
        inference_environment_from: sources.InferenceEnvironmentFrom = None

    def test_each_tells_its_source(self) -> None:
        assert sources.declared(self.Spec) == {
            "queryStringFrom": sources.QUERY,
            "parametersFrom": sources.PARAMETERS,
            "hyperparametersFrom": sources.HYPERPARAMETERS,
            "environmentFrom": sources.ENVIRONMENT,
            "inferenceEnvironmentFrom": sources.INFERENCE_ENVIRONMENT,
        }

    def test_each_is_bounded_and_described(self) -> None:
        made = schema.structure(self.Spec, None)["properties"]
        assert all("`Synced`" in field["description"] for field in made.values())
        assert made["environmentFrom"]["maxItems"] == 16
        rules = made["environmentFrom"]["items"]["x-kubernetes-validations"]
        assert rules[0]["message"].startswith("exactly one of `configMapRef`, `secretRef`")


def bounds(shape: Any) -> Bounds:
    chosen = shape.metadata.get("pattern") or Bounds(0, 0).pattern
    made = Bounds(shape.metadata.get("min", 0), shape.metadata["max"], chosen)
    return replace(made, pattern=Bounds(0, 0).pattern) if chosen == r"[\S\s]*" else made


@pytest.mark.parametrize(
    ("source", "operation", "path"),
    [
        (
            sources.QUERY,
            "CreateMLInputChannel",
            "inputChannel.dataSource.protectedQueryInputParameters.sqlParameters.queryString",
        ),
        (
            sources.PARAMETERS,
            "CreateMLInputChannel",
            "inputChannel.dataSource.protectedQueryInputParameters.sqlParameters.parameters",
        ),
        (sources.HYPERPARAMETERS, "CreateTrainedModel", "hyperparameters"),
        (sources.ENVIRONMENT, "CreateTrainedModel", "environment"),
        (sources.INFERENCE_ENVIRONMENT, "StartTrainedModelInferenceJob", "environment"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_bounds_are_those_of_the_model(source: Source, operation: str, path: str) -> None:
    raw = loaders.Loader().load_service_model("cleanroomsml", "service-2")
    shape: Any = model.ServiceModel(raw).operation_model(operation).input_shape
    for name in path.split("."):
        shape = shape.members[name]
    assert source.fills == path.rsplit(".", maxsplit=1)[-1]
    if isinstance(source, TextSource):
        assert source.value == bounds(shape)
        return
    assert (source.key, source.value) == (bounds(shape.key), bounds(shape.value))
    assert source.entries == shape.metadata.get("max", source.entries)
