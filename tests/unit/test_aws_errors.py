"""What answers mean: over all operations of both services, and row by row with a reason."""

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ParamValidationError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError

from cleanrooms_operator.aws.errors import LONGEST_MESSAGE, Exchange, classify
from cleanrooms_operator.aws.shapes import is_read, missing_member
from cleanrooms_operator.core.failure import Failure, ServiceError
from cleanrooms_operator.core.redaction import redacted

SESSION = botocore.session.Session()
MODELS = {name: SESSION.get_service_model(name) for name in ("cleanrooms", "cleanroomsml", "sts")}
URL = "http://127.0.0.1:1"


def operation(service: str, name: str) -> OperationModel:
    return MODELS[service].operation_model(name)


def operations() -> Iterator[OperationModel]:
    for service in ("cleanrooms", "cleanroomsml"):
        for name in MODELS[service].operation_names:
            yield operation(service, name)


def mutations() -> list[OperationModel]:
    return [each for each in operations() if not is_read(each.name)]


def answered(
    each: OperationModel, code: str, status: int = 400, parameters: Any = None, **members: Any
) -> ServiceError:
    response = {
        "Error": {"Code": code, "Message": members.pop("message", "said AWS")},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "r-1"},
        **members,
    }
    return classify(Exchange(each, parameters or {}), ClientError(response, each.name))


def ids(each: OperationModel) -> str:
    return f"{each.service_model.service_name}.{each.name}"


CHANGING = (
    "Create",
    "Update",
    "Delete",
    "Put",
    "Start",
    "Cancel",
    "Tag",
    "Untag",
    "Populate",
    "Disallow",
)


def test_a_read_is_what_changes_nothing() -> None:
    for each in operations():
        assert is_read(each.name) != each.name.startswith(CHANGING), each.name
    assert len(mutations()) > 70


class TestEveryOperation:
    """R-8: of a mutating operation, only a closed list of answers proves that nothing happened."""

    @pytest.mark.parametrize("each", mutations(), ids=ids)
    def test_a_modelled_refusal_is_harmless_but_ml_conflict(self, each: OperationModel) -> None:
        service = each.service_model.service_name
        refusals = [
            shape.name
            for shape in each.error_shapes
            if 400 <= shape.metadata["error"]["httpStatusCode"] < 500
        ]
        assert refusals
        for code in refusals:
            ambiguous = (service, code) == ("cleanroomsml", "ConflictException")
            assert answered(each, code).harmless is not ambiguous, code

    @pytest.mark.parametrize("each", mutations(), ids=ids)
    def test_what_it_does_not_model_proves_nothing(self, each: OperationModel) -> None:
        modelled = {shape.name for shape in each.error_shapes}
        for code in ("ResourceNotFoundException", "ConflictException", "ValidationError"):
            if code not in modelled:
                assert not answered(each, code).harmless, code

    @pytest.mark.parametrize("each", mutations(), ids=ids)
    def test_a_server_error_is_an_unknown_outcome(self, each: OperationModel) -> None:
        codes = [
            shape.name
            for shape in each.error_shapes
            if shape.metadata["error"]["httpStatusCode"] >= 500
        ]
        for code in (*codes, "InternalFailure", "ServiceUnavailable", "403", "503", "Unheard"):
            error = answered(each, code, 503)
            assert (error.failure, error.harmless) == (Failure.UNAVAILABLE, False), code

    @pytest.mark.parametrize("each", list(operations()), ids=ids)
    def test_a_throttle_is_one_in_either_form(self, each: OperationModel) -> None:
        for code, status in (
            ("ThrottlingException", 429),
            ("ThrottlingException", 400),
            ("Throttling", 400),
            ("TooManyRequestsException", 429),
            ("RequestLimitExceeded", 503),
        ):
            error = answered(each, code, status)
            assert (error.failure, error.harmless) == (Failure.THROTTLED, True)

    @pytest.mark.parametrize("each", [o for o in operations() if is_read(o.name)], ids=ids)
    def test_a_read_is_harmless_whatever_comes_of_it(self, each: OperationModel) -> None:
        assert answered(each, "503", 503).harmless
        assert classify(Exchange(each, {}), ReadTimeoutError(endpoint_url=URL)).harmless

    @pytest.mark.parametrize("each", mutations(), ids=ids)
    def test_every_modelled_error_has_a_meaning(self, each: OperationModel) -> None:
        for shape in each.error_shapes:
            server = shape.metadata["error"]["httpStatusCode"] >= 500
            error = answered(each, shape.name)
            assert (error.failure is Failure.UNAVAILABLE) == server, shape.name


CREATE = operation("cleanrooms", "CreateCollaboration")
TRAIN = operation("cleanroomsml", "CreateTrainedModel")
JOIN = operation("cleanrooms", "CreateMembership")
READ = operation("cleanrooms", "GetCollaboration")


@pytest.mark.parametrize(
    ("each", "code", "failure", "harmless"),
    [
        pytest.param(READ, "AccessDeniedException", Failure.DENIED, True, id="missing-or-denied"),
        pytest.param(CREATE, "AccessDeniedException", Failure.DENIED, True, id="modelled"),
        pytest.param(CREATE, "UnrecognizedClientException", Failure.DENIED, True, id="no-such-key"),
        pytest.param(CREATE, "ExpiredTokenException", Failure.DENIED, True, id="session-over"),
        pytest.param(CREATE, "InvalidSignatureException", Failure.DENIED, True, id="bad-signature"),
        pytest.param(CREATE, "SignatureDoesNotMatch", Failure.DENIED, True, id="stale-signature"),
        pytest.param(CREATE, "RequestExpired", Failure.DENIED, True, id="late-request"),
        pytest.param(CREATE, "IncompleteSignature", Failure.DENIED, True, id="half-a-signature"),
        pytest.param(
            CREATE, "MissingAuthenticationToken", Failure.DENIED, True, id="unsigned-old-name"
        ),
        pytest.param(
            CREATE, "MissingAuthenticationTokenException", Failure.DENIED, True, id="unsigned"
        ),
        pytest.param(CREATE, "InvalidClientTokenId", Failure.DENIED, True, id="sts-no-such-key"),
        pytest.param(CREATE, "OptInRequired", Failure.DENIED, True, id="account-not-subscribed"),
        pytest.param(CREATE, "NotAuthorized", Failure.DENIED, True, id="no-permission"),
        pytest.param(CREATE, "ServiceQuotaExceededException", Failure.QUOTA, True, id="402"),
        pytest.param(CREATE, "ValidationException", Failure.REFUSED, True, id="refused"),
        pytest.param(JOIN, "ConflictException", Failure.CONFLICT, True, id="says-what-conflicts"),
        pytest.param(TRAIN, "ConflictException", Failure.CONFLICT, False, id="may-be-our-own-echo"),
        pytest.param(TRAIN, "InternalServiceException", Failure.UNAVAILABLE, False, id="500"),
        pytest.param(TRAIN, "429", Failure.UNAVAILABLE, False, id="a-proxy-said-429"),
        pytest.param(TRAIN, "UnknownOperationException", Failure.UNAVAILABLE, False, id="no-route"),
    ],
)
def test_what_a_code_means(
    each: OperationModel, code: str, failure: Failure, *, harmless: bool
) -> None:
    error = answered(each, code)
    assert (error.failure, error.code, error.harmless) == (failure, code, harmless)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(ReadTimeoutError(endpoint_url=URL), id="applied-perhaps"),
        pytest.param(ConnectionClosedError(endpoint_url=URL), id="cut-at-any-moment"),
        pytest.param(SSLError(endpoint_url=URL, error="eof"), id="not-in-the-closed-list"),
        pytest.param(ProxyConnectionError(proxy_url=URL), id="nor-this"),
        pytest.param(HTTPClientError(error=OSError("reset")), id="anything-of-the-socket"),
        pytest.param(ResponseParserError("not XML"), id="an-answer-nobody-can-read"),
        pytest.param(RuntimeError("a bug"), id="a-bug-says-nothing-of-the-request"),
    ],
)
def test_without_an_answer_the_outcome_of_a_create_is_unknown(broken: Exception) -> None:
    """R-8."""
    error = classify(Exchange(CREATE, {}), broken)
    assert (error.failure, error.harmless) == (Failure.UNAVAILABLE, False)
    assert error.code == type(broken).__name__


@pytest.mark.parametrize("broken", [ConnectTimeoutError, EndpointConnectionError])
def test_r_8_without_a_connection_nothing_was_sent(broken: type[Exception]) -> None:
    error = classify(Exchange(CREATE, {}), broken(endpoint_url=URL))
    assert (error.failure, error.harmless) == (Failure.UNAVAILABLE, True)


def test_a_request_that_never_left_is_harmless() -> None:
    assert classify(Exchange(CREATE, {}, sent=False), RuntimeError("signing")).harmless


def test_what_botocore_itself_refuses_is_refused() -> None:
    error = classify(Exchange(CREATE, {}, sent=False), ParamValidationError(report="no name"))
    assert (error.failure, error.harmless) == (Failure.REFUSED, True)
    assert "no name" in error.message


def test_modelled_members_and_the_request_id_are_kept() -> None:
    error = answered(
        CREATE,
        "ServiceQuotaExceededException",
        402,
        quotaName="Collaborations created per account",
        quotaValue=500.0,
        message="full",
    )
    assert error.members == {"quotaName": "Collaborations created per account", "quotaValue": 500.0}
    assert (error.request_id, error.message) == ("r-1", "full")


def test_a_role_that_has_not_spread_is_refused_with_its_reason() -> None:
    error = answered(JOIN, "ValidationException", reason="IAM_SYNCHRONIZATION_DELAY")
    assert (error.failure, error.harmless) == (Failure.REFUSED, True)
    assert error.members == {"reason": "IAM_SYNCHRONIZATION_DELAY"}


class TestSecrets:
    SQL = 'SELECT "ssn" FROM people\nWHERE id = 7'
    CHANNEL = operation("cleanroomsml", "CreateMLInputChannel")

    def parameters(self, **sql: Any) -> dict[str, Any]:
        source = {"protectedQueryInputParameters": {"sqlParameters": sql}}
        return {"name": "people", "inputChannel": {"dataSource": source}}

    @pytest.mark.parametrize("quoted", [str, repr, json.dumps])
    def test_a_query_that_aws_echoes_is_blanked_however_it_is_quoted(self, quoted: Any) -> None:
        error = answered(
            self.CHANNEL,
            "ValidationException",
            message=f"Value {quoted(self.SQL)} at 'queryString' failed for people",
            parameters=self.parameters(queryString=self.SQL),
        )
        assert "ssn" not in str(error)
        assert "failed for people" in error.message

    def test_so_it_is_in_modelled_members(self) -> None:
        error = answered(
            self.CHANNEL,
            "ValidationException",
            fieldList=[{"name": "queryString", "message": f"bad: {self.SQL}"}],
            parameters=self.parameters(queryString=self.SQL),
        )
        assert error.members == {"fieldList": [{"name": "queryString", "message": "bad: ***"}]}

    def test_values_of_query_parameters_are_blanked_and_short_ones_are_not(self) -> None:
        error = answered(
            self.CHANNEL,
            "ValidationException",
            message="region=emea year=26",
            parameters=self.parameters(parameters={"region": "emea", "year": "26"}),
        )
        assert error.message == "region=*** year=26"

    @pytest.mark.parametrize("name", ["environment", "hyperparameters"])
    def test_a_trainings_own_parameters_are_blanked(self, name: str) -> None:
        error = answered(
            TRAIN,
            "ValidationException",
            message="Value hunter2 is too short for churn",
            parameters={"name": "churn", name: {"PASSWORD": "hunter2"}},
        )
        assert error.message == "Value *** is too short for churn"

    def test_the_longer_secret_goes_first(self) -> None:
        assert redacted("abcdefgh", ["abcd", "abcdefgh"]) == "***"

    def test_a_short_one_is_blanked_where_it_is_quoted(self) -> None:
        assert redacted("Value '26' at 'a': 26 is too much", ["26"]) == (
            "Value '***' at 'a': 26 is too much"
        )
        assert redacted("Value '' is empty", [""]) == "Value '' is empty"

    def test_so_is_the_part_of_a_query_that_aws_has_not_cut(self) -> None:
        echo = f"Value '{self.SQL[:24]}...' at 'queryString' failed"
        assert redacted(echo, [self.SQL]) == "Value '***...' at 'queryString' failed"
        assert redacted(self.SQL[5:], [self.SQL]) == "***"
        assert redacted("SELECT a name", [self.SQL]) == "SELECT a name"

    def test_a_secret_is_blanked_before_the_message_is_cut(self) -> None:
        message = "x" * (LONGEST_MESSAGE - 3) + "hunter2"
        error = answered(
            TRAIN,
            "ValidationException",
            message=message,
            parameters={"environment": {"P": "hunter2"}},
        )
        assert len(error.message) == LONGEST_MESSAGE
        assert "hun" not in error.message


class TestCompleteness:
    """R-8: botocore takes half a body for a success."""

    @pytest.mark.parametrize("each", list(operations()), ids=ids)
    def test_an_empty_answer_is_incomplete_where_anything_is_required(
        self, each: OperationModel
    ) -> None:
        shape = each.output_shape
        required = bool(shape is not None and shape.required_members)
        assert (missing_member(each, {}) is not None) == required

    @pytest.mark.parametrize("each", list(operations()), ids=ids)
    def test_every_create_and_every_list_requires_something(self, each: OperationModel) -> None:
        no_handle = {"StartTrainedModelExportJob", "StartAudienceExportJob"}
        if each.name.startswith(("Create", "Start", "List", "Get")) and each.name not in no_handle:
            assert missing_member(each, {})

    def test_the_envelope_must_be_whole(self) -> None:
        whole = dict.fromkeys(CREATE.output_shape.members["collaboration"].required_members, "x")
        assert missing_member(CREATE, {"collaboration": whole}) is None
        del whole["arn"]
        assert missing_member(CREATE, {"collaboration": whole}) == "collaboration.arn"

    def test_sts_must_name_the_account_and_hand_out_keys(self) -> None:
        assert missing_member(operation("sts", "GetCallerIdentity"), {"Arn": "a"}) == "Account"
        assert missing_member(operation("sts", "AssumeRole"), {}) == "Credentials"
        partial = {"Credentials": {"AccessKeyId": "k"}, "AssumedRoleUser": {}}
        assert missing_member(operation("sts", "AssumeRole"), partial) == (
            "Credentials.SecretAccessKey"
        )
