"""The operations are those of the SDK's models, and each route means one of them."""

from itertools import combinations

import pytest

from cleanrooms_emulator.model import SERVICES, Operation, operation, service, status_of

OPERATIONS = [one for name in SERVICES for one in service(name).operations.values()]
ROUTED = [one for one in OPERATIONS if one.service != "sts"]


def named(one: Operation) -> str:
    return f"{one.service}:{one.name}"


def test_both_services_are_there_in_full() -> None:
    assert {name: len(service(name).operations) for name in SERVICES[:2]} == {
        "cleanrooms": 103,
        "cleanroomsml": 59,
    }


def test_services_are_signed_for_under_their_own_names() -> None:
    names = {name: service(name).signing_name for name in SERVICES}
    assert names == {"cleanrooms": "cleanrooms", "cleanroomsml": "cleanrooms-ml", "sts": "sts"}


@pytest.mark.parametrize("one", ROUTED, ids=named)
def test_route_of_each_operation_leads_to_it(one: Operation) -> None:
    segments = [f"a%2F{n}" if part.startswith("{") else part for n, part in enumerate(one.path)]
    routed = service(one.service).route(one.verb, "/" + "/".join(segments))
    assert routed is not None
    found, labels = routed
    assert found is one
    assert labels == {
        part[1:-1]: f"a/{n}" for n, part in enumerate(one.path) if part.startswith("{")
    }


@pytest.mark.parametrize("name", SERVICES[:2])
def test_no_path_could_mean_two_operations(name: str) -> None:
    def overlap(one: Operation, other: Operation) -> bool:
        return (one.verb, len(one.path)) == (other.verb, len(other.path)) and all(
            mine == yours or mine.startswith("{") or yours.startswith("{")
            for mine, yours in zip(one.path, other.path, strict=True)
        )

    every = service(name).operations.values()
    assert [(a.name, b.name) for a, b in combinations(every, 2) if overlap(a, b)] == []


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        pytest.param("GET", "/", id="the root"),
        pytest.param("GET", "/collaborations/", id="an empty label"),
        pytest.param("GET", "/collaborations/a/b/c", id="a path too long"),
        pytest.param("PUT", "/collaborations", id="another verb"),
        pytest.param("GET", "/Collaborations", id="another case"),
    ],
)
def test_other_paths_mean_nothing(verb: str, path: str) -> None:
    assert service("cleanrooms").route(verb, path) is None


@pytest.mark.parametrize("one", ROUTED, ids=named)
def test_each_operation_can_refuse_a_request(one: Operation) -> None:
    assert status_of(one, "ValidationException") == 400


def test_statuses_of_errors_are_the_models() -> None:
    create = operation("cleanroomsml", "CreateTrainedModel")
    assert create is not None
    assert {code: status_of(create, code) for code in create.errors} == {
        "ConflictException": 409,
        "InternalServiceException": 500,
        "ValidationException": 400,
        "AccessDeniedException": 403,
        "ResourceNotFoundException": 404,
        "ThrottlingException": 429,
        "ServiceQuotaExceededException": 402,
    }
    assert status_of(create, "SomethingElse") is None


def test_backends_call_operations_as_boto3_does() -> None:
    create = operation("cleanroomsml", "CreateMLInputChannel")
    assert create is not None
    assert create.method_name == "create_ml_input_channel"


@pytest.mark.parametrize("names", [("s3", "ListBuckets"), ("cleanrooms", "CreateNothing")])
def test_what_is_not_emulated_is_not_found(names: tuple[str, str]) -> None:
    assert operation(*names) is None
