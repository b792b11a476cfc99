"""What AWS holds, as each account sees it: asked of the service, not of the operator."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from cleanrooms_playground.servers import AWSIdentity

NO_ML_CONFIGURATION = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a collaboration; `pays` are the cost types it is a candidate to pay."""

    account_id: str
    display_name: str
    status: str
    abilities: tuple[str, ...]
    pays: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Membership:
    """An account's own side of a collaboration; `pays` are the cost types it has accepted."""

    identifier: str
    status: str
    pays: tuple[str, ...]
    ml_output_location: str | None


@dataclass(frozen=True, slots=True)
class Collaboration:
    """A collaboration as one account sees it."""

    identifier: str
    name: str
    status: str
    creator_account_id: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Something paid that one account made, and which account pays, as the service recorded it."""

    kind: str
    name: str
    version: str | None
    state: str
    algorithm: str | None
    """The account whose algorithm it runs; None where the service names none."""
    payer: str | None


@dataclass(frozen=True, slots=True)
class AccountView:
    """Everything that one account has of the service."""

    account_id: str
    region: str
    collaborations: tuple[Collaboration, ...]
    memberships: tuple[Membership, ...]
    runs: tuple[Run, ...]

    def document(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return asdict(self)


def look(identity: AWSIdentity) -> AccountView:
    """Ask the services for all that an account has; botocore's errors pass through."""
    cleanrooms, ml = (_client(service, identity) for service in ("cleanrooms", "cleanroomsml"))
    found = _all(cleanrooms, "list_collaborations", "collaborationList")
    held = [one["id"] for one in _all(cleanrooms, "list_memberships", "membershipSummaries")]
    return AccountView(
        account_id=identity.account_id,
        region=identity.region,
        collaborations=tuple(_collaboration(cleanrooms, one) for one in found),
        memberships=tuple(_membership(cleanrooms, ml, one) for one in held),
        runs=tuple(run for one in held for run in _runs(ml, one)),
    )


def _client(service: str, identity: AWSIdentity) -> Any:  # noqa: ANN401  boto3 makes the type up
    variables = identity.variables()
    return boto3.client(
        service,
        endpoint_url=identity.endpoint_url,
        region_name=identity.region,
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        config=Config(proxies={}),
    )


def _all(client: Any, operation: str, key: str, **parameters: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401  ditto
    for page in client.get_paginator(operation).paginate(**parameters):
        yield from page[key]


def _collaboration(cleanrooms: Any, summary: dict[str, Any]) -> Collaboration:  # noqa: ANN401  ditto
    identifier = summary["id"]
    members = _all(
        cleanrooms, "list_members", "memberSummaries", collaborationIdentifier=identifier
    )
    return Collaboration(
        identifier=identifier,
        name=summary["name"],
        status=summary["memberStatus"],
        creator_account_id=summary["creatorAccountId"],
        members=tuple(_member(one) for one in members),
    )


def _member(summary: dict[str, Any]) -> Member:
    ml_abilities = summary.get("mlAbilities", {}).get("customMLMemberAbilities", [])
    return Member(
        account_id=summary["accountId"],
        display_name=summary["displayName"],
        status=summary["status"],
        abilities=(*summary["abilities"], *ml_abilities),
        pays=tuple(_responsible(summary["paymentConfiguration"])),
    )


def _membership(cleanrooms: Any, ml: Any, identifier: str) -> Membership:  # noqa: ANN401  ditto
    shown = cleanrooms.get_membership(membershipIdentifier=identifier)["membership"]
    return Membership(
        identifier=identifier,
        status=shown["status"],
        pays=tuple(_responsible(shown["paymentConfiguration"])),
        ml_output_location=_ml_output_location(ml, identifier),
    )


def _ml_output_location(ml: Any, membership: str) -> str | None:  # noqa: ANN401  ditto
    try:
        shown = ml.get_ml_configuration(membershipIdentifier=membership)
    except ClientError as error:
        if error.response["Error"]["Code"] == NO_ML_CONFIGURATION:
            return None
        raise
    destination = shown["defaultOutputLocation"]["destination"]["s3Destination"]
    return str(destination["s3Uri"])


def _runs(ml: Any, membership: str) -> Iterator[Run]:  # noqa: ANN401  ditto
    """Yield what was run under a membership, in the order in which one run builds on another."""
    yield from _channels(ml, membership)
    yield from _models(ml, membership)
    yield from _jobs(ml, membership)


def _channels(ml: Any, membership: str) -> Iterator[Run]:  # noqa: ANN401  ditto
    listed = _all(
        ml, "list_ml_input_channels", "mlInputChannelsList", membershipIdentifier=membership
    )
    for one in listed:
        yield Run(
            kind="input channel",
            name=one["name"],
            version=None,
            state=one["status"],
            algorithm=_owner(one["configuredModelAlgorithmAssociations"][0]),
            payer=one.get("payerConfiguration", {}).get("computePayerAccountId"),
        )


def _models(ml: Any, membership: str) -> Iterator[Run]:  # noqa: ANN401  ditto
    scope = {"membershipIdentifier": membership}
    for latest in _all(ml, "list_trained_models", "trainedModels", **scope):
        of = {**scope, "trainedModelArn": latest["trainedModelArn"]}
        versions = list(_all(ml, "list_trained_model_versions", "trainedModels", **of))
        for one in sorted(versions, key=lambda version: version["createTime"]):
            yield Run(
                kind="trained model",
                name=one["name"],
                version=one.get("versionIdentifier"),
                state=one["status"],
                algorithm=_owner(one["configuredModelAlgorithmAssociationArn"]),
                payer=one.get("mlModelTrainingPayerAccountId"),
            )


def _jobs(ml: Any, membership: str) -> Iterator[Run]:  # noqa: ANN401  ditto
    listed = _all(
        ml,
        "list_trained_model_inference_jobs",
        "trainedModelInferenceJobs",
        membershipIdentifier=membership,
    )
    for one in listed:
        yield Run(
            kind="inference job",
            name=one["name"],
            version=one.get("trainedModelVersionIdentifier"),
            state=one["status"],
            algorithm=_owner(one.get("configuredModelAlgorithmAssociationArn")),
            payer=one.get("mlModelInferencePayerAccountId"),
        )


def _owner(arn: str | None) -> str | None:
    """Return the account in an ARN."""
    return None if arn is None else arn.split(":")[4]


def _responsible(payments: dict[str, Any]) -> Iterable[str]:
    """Yield the cost types whose leaf says that the account is responsible for them."""
    for cost_type, leaf in payments.items():
        if leaf.get("isResponsible"):
            yield cost_type
        elif "isResponsible" not in leaf:
            yield from _responsible(leaf)
