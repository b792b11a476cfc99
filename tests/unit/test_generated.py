"""What is generated is what is committed; it is complete; and every example keeps to it."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import pages
from cleanrooms_operator.core.conditions import ORDER
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import declarations
from cleanrooms_operator.kinds import DEFINITIONS, KINDS
from cleanrooms_operator.kube import manifests, rights
from cleanrooms_playground.documents import read_documents

PROJECT = Path(__file__).parents[2]
EXAMPLES = sorted((PROJECT / "examples").rglob("*.yaml"))
OURS = "cleanrooms-operator.dev/v1alpha1"
SPECS = {definition.name: definition.spec for definition in DEFINITIONS}

METADATA = ".metadata.creationTimestamp"
CONDITION = '.status.conditions[?(@.type=="Ready")].'

Document = dict[str, Any]


@functools.cache
def expected() -> dict[Path, str]:
    return dict(manifests.expected())


@functools.cache
def schemas() -> dict[str, Document]:
    """Return kind -> the schema that its definition gives to the cluster."""
    definitions = manifests.definitions()
    return {
        d["spec"]["names"]["kind"]: version(d)["schema"]["openAPIV3Schema"] for d in definitions
    }


def version(definition: Document) -> Document:
    [only] = definition["spec"]["versions"]
    assert isinstance(only, dict)
    return only


def nodes(schema: Document, path: str) -> Iterator[tuple[str, Document]]:
    """Yield every schema at and below a place, by its path."""
    yield path, schema
    for name, below in schema.get("properties", {}).items():
        yield from nodes(below, f"{path}.{name}")
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            yield from nodes(schema[keyword], f"{path}[]")


def everywhere() -> Iterator[tuple[str, Document]]:
    for kind, schema in schemas().items():
        yield from nodes(schema, kind)


class TestFiles:
    def test_what_is_committed_is_what_would_be_generated(self) -> None:
        for path, text in expected().items():
            assert (PROJECT / path).read_text(encoding="utf-8") == text, (
                f"run make generate: {path}"
            )

    def test_no_definition_is_left_over(self) -> None:
        found = {path.relative_to(PROJECT) for path in (PROJECT / "crds").iterdir()}
        assert found == {path for path in expected() if path.parts[0] == "crds"}

    def test_generating_twice_gives_the_same(self) -> None:
        assert manifests.expected() == expected()

    def test_writing_replaces_what_differs_and_removes_what_is_no_more(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "crds").mkdir()
        (tmp_path / "crds" / "gone.yaml").write_text("old")
        (tmp_path / "crds" / "memberships.yaml").write_text("old")
        manifests.write(tmp_path)
        written = {p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file()}
        assert written == expected().keys()
        for path, text in expected().items():
            assert (tmp_path / path).read_text(encoding="utf-8") == text

    def test_every_file_says_that_it_is_generated(self) -> None:
        for path, text in expected().items():
            # JSON has no comments.
            assert path.suffix == ".json" or manifests.NOTICE in text.splitlines()[0]


class TestSchemas:
    """What crd-schema-checker asks of a definition, and Kubernetes' API conventions."""

    def test_every_field_is_described(self) -> None:
        bare = [
            f"{path}.{name}"
            for path, schema in everywhere()
            for name, below in schema.get("properties", {}).items()
            if not below.get("description")
        ]
        assert bare == []

    def test_descriptions_are_short_and_free_of_markup(self) -> None:
        for path, schema in everywhere():
            text = schema.get("description", "")
            assert len(text) <= 520, path
            assert "</" not in text, path
            assert "&amp;" not in text, path

    def test_every_text_is_bounded(self) -> None:
        texts = [(path, schema) for path, schema in everywhere() if schema["type"] == "string"]
        assert texts
        for path, schema in texts:
            assert {"maxLength", "enum", "format"} & schema.keys(), path

    def test_every_list_is_bounded_and_says_how_it_is_merged(self) -> None:
        lists = [(path, schema) for path, schema in everywhere() if schema["type"] == "array"]
        assert lists
        for path, schema in lists:
            assert "maxItems" in schema, path
            assert schema["x-kubernetes-list-type"] in {"atomic", "set", "map"}, path

    def test_keys_of_a_list_are_required_in_its_items(self) -> None:
        for path, schema in everywhere():
            for key in schema.get("x-kubernetes-list-map-keys", ()):
                assert key in schema["items"]["required"], path

    def test_sets_hold_scalars(self) -> None:
        for path, schema in everywhere():
            if schema.get("x-kubernetes-list-type") == "set":
                assert schema["items"]["type"] == "string", path

    def test_every_map_is_bounded(self) -> None:
        maps = [s for _, s in everywhere() if "additionalProperties" in s]
        assert maps
        assert all("maxProperties" in schema for schema in maps)

    def test_every_number_is_bounded_from_below(self) -> None:
        numbers = [(path, s) for path, s in everywhere() if s["type"] in {"integer", "number"}]
        assert numbers
        for path, schema in numbers:
            assert "minimum" in schema, path
            assert "maximum" in schema or schema.get("format") == "int64", path

    def test_there_are_no_floats_but_those_of_aws(self) -> None:
        """AWS's doubles stay `number` (R-40)."""
        policies = "ConfiguredModelAlgorithmAssociation.spec.privacyConfiguration.policies"
        synthetic = (
            "epsilon",
            "maxMembershipInferenceAttackScore",
            "membershipInferenceAttackScores[].score",
        )
        assert [path for path, schema in everywhere() if schema["type"] == "number"] == [
            f"{policies}.trainedModels.maxArtifactSize.value",
            f"{policies}.trainedModelExports.maxSize.value",
            f"{policies}.trainedModelInferenceJobs.maxOutputSize.value",
            *(f"MLInputChannel.status.{name}" for name in ("numberOfFiles", "sizeInGb")),
            *(f"MLInputChannel.status.syntheticData.{name}" for name in synthetic),
        ]

    def test_nothing_unknown_is_kept(self) -> None:
        for path, schema in everywhere():
            assert "x-kubernetes-preserve-unknown-fields" not in schema, path
            assert (
                schema["type"] != "object"
                or {
                    "properties",
                    "additionalProperties",
                }
                & schema.keys()
            ), path

    def test_columns_show_fields_that_exist_and_are_described(self) -> None:
        for definition in manifests.definitions():
            kind = definition["spec"]["names"]["kind"]
            known = {path for path, _ in nodes(schemas()[kind], "")} | {METADATA}
            for column in version(definition)["additionalPrinterColumns"]:
                assert column["description"]
                assert column["jsonPath"].startswith(CONDITION) or column["jsonPath"] in known

    def test_at_most_eight_scalars_are_selectable(self) -> None:
        for definition in manifests.definitions():
            paths = [s["jsonPath"] for s in version(definition).get("selectableFields", ())]
            kind = definition["spec"]["names"]["kind"]
            known = dict(nodes(schemas()[kind], ""))
            assert len(paths) <= 8
            assert all(known[path]["type"] == "string" for path in paths)

    def test_aws_says_something_about_every_parameter(self) -> None:
        silent = [p for p, s in everywhere() if "says no more" in s.get("description", "")]
        assert silent == []


class TestReference:
    def test_every_field_rule_and_reason_is_on_the_page(self) -> None:
        page = expected()[Path("docs/reference.md")]
        conditions = expected()[Path("docs/conditions.md")]
        for path, schema in everywhere():
            place = path.partition(".")[2]
            assert place in {"spec", "status", ""} or f"`{place}`" in page or path.endswith("[]")
            for rule in schema.get("x-kubernetes-validations", ()):
                assert rule["message"] in page
        for reason in Reason:
            assert f"| `{reason.value}` |" in conditions
        for name in ORDER:
            assert f"| `{name}` |" in conditions

    def test_every_field_that_names_something_is_told_beside_what_it_stands_for(self) -> None:
        page = expected()[Path("docs/reference.md")]
        table = page.partition("## Names instead of identifiers")[2].partition("##")[0]
        for kind in KINDS:
            rows = [line for line in table.splitlines() if line.startswith(f"| {kind.name} |")]
            for path, way in declarations(kind.definition.spec):
                parent = path.rpartition(".")[0]
                for parameter in way.fills:
                    place = f"{parent}.{parameter}" if parent else parameter
                    [row] = [row for row in rows if f"| `{place}` |" in row]
                    assert f"`{path}` ({way.kind})" in row


class TestRights:
    def test_nobody_gets_everything(self) -> None:
        for role in rights.manifests():
            for rule in role.get("rules", ()):
                assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}

    def test_users_never_get_the_status(self) -> None:
        roles = [r for r in rights.manifests() if "labels" in r["metadata"]]
        assert len(roles) == 3
        for role in roles:
            assert not any("/" in name for rule in role["rules"] for name in rule["resources"])

    def test_all_kinds_are_covered(self) -> None:
        plurals = {definition.plural for definition in DEFINITIONS}
        [role] = [
            r
            for r in rights.manifests()
            if r["kind"] == "ClusterRole" and r["metadata"]["name"] == rights.NAME
        ]
        assert set(role["rules"][0]["resources"]) == plurals
        assert set(role["rules"][1]["resources"]) == {f"{plural}/status" for plural in plurals}


def closed(schema: Document) -> Document:
    """Return a schema that refuses fields it does not name, as kubectl does."""
    made = dict(schema)
    if "properties" in made:
        made["properties"] = {name: closed(s) for name, s in made["properties"].items()}
        made["additionalProperties"] = False
    if "items" in made:
        made["items"] = closed(made["items"])
    return made


def named(document: Document) -> str:
    return f"{document['kind']}/{document['metadata']['name']}"


RESOURCES = [
    pytest.param(document, id=f"{path.relative_to(PROJECT / 'examples')}:{named(document)}")
    for path in EXAMPLES
    for document in read_documents(path)
    if document["apiVersion"] == OURS
] + [
    pytest.param(document, id=f"{block}:{named(document)}")
    for block in pages.manifests()
    for document in block.objects()
    if document["apiVersion"] == OURS
]


class TestExamples:
    @pytest.mark.parametrize("resource", RESOURCES)
    def test_every_example_keeps_to_its_schema_and_to_its_type(self, resource: Document) -> None:
        schema = closed(schemas()[resource["kind"]]["properties"]["spec"])
        jsonschema.Draft202012Validator(schema).validate(resource["spec"])
        SPECS[resource["kind"]].model_validate(resource["spec"])

    def test_there_is_an_example_of_each_kind(self) -> None:
        for definition in DEFINITIONS:
            [resource] = read_documents(PROJECT / "examples" / f"{definition.name.lower()}.yaml")
            assert resource["kind"] == definition.name

    def test_every_example_says_what_it_is(self) -> None:
        assert EXAMPLES
        for path in EXAMPLES:
            assert path.read_text().startswith("# "), path

    def test_a_typing_error_in_an_example_would_be_seen(self) -> None:
        schema = closed(schemas()["AWSAccount"]["properties"]["spec"])
        wrong = {"accountID": "111111111111", "regoin": "us-east-1", "region": "us-east-1"}
        with pytest.raises(jsonschema.ValidationError, match="regoin"):
            jsonschema.Draft202012Validator(schema).validate(wrong)
