"""AWSAccount: an identity, not an object: whose credentials the resources of a namespace use."""

from typing import Annotated

from pydantic import Field

from cleanrooms_operator.core.kind import Column, Definition, Rule
from cleanrooms_operator.core.status import CommonStatus
from cleanrooms_operator.core.values import AccountId, Value

DEFAULT = "default"
"""Name of the AWSAccount that a resource without `accountRef` uses."""


RoleArn = Annotated[str, Field(max_length=2048, pattern=r"^arn:aws:iam::[0-9]{12}:role/.+$")]
ExternalId = Annotated[str, Field(min_length=2, max_length=1224, pattern=r"^[\w+=,.@:/-]+$")]

MOST_INTERMEDIATE_ROLES = 4


class IntermediateRole(Value):
    """A role that is assumed on the way to another."""

    role_arn: Annotated[RoleArn, Field(alias="roleARN", description="The role.")]
    external_id: Annotated[
        ExternalId | None,
        Field(
            alias="externalID",
            description="The external id that its trust policy asks for. Default: as that of "
            "`roleARN`.",
        ),
    ] = None


class AWSAccountSpec(Value):
    """An account, a region, and how to act in it."""

    account_id: Annotated[
        AccountId,
        Field(alias="accountID", description="The 12-digit id of the account. Immutable."),
    ]
    region: Annotated[
        str,
        Field(
            min_length=1,
            max_length=32,
            pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$",
            description="The region, such as `us-east-1`. Immutable.",
        ),
    ]
    role_arn: Annotated[
        RoleArn | None,
        Field(
            alias="roleARN",
            description="The role that is assumed in the account. Default: the operator's own "
            "identity, in namespaces where the operator's settings allow that.",
        ),
    ] = None
    external_id: Annotated[
        ExternalId | None,
        Field(
            alias="externalID",
            description="The external id that the role's trust policy asks for. Default: "
            "`<id of the operator's cluster>/<namespace>`.",
        ),
    ] = None
    intermediate_roles: Annotated[
        tuple[IntermediateRole, ...] | None,
        Field(
            min_length=1,
            max_length=MOST_INTERMEDIATE_ROLES,
            description="Roles that are assumed before `roleARN`, in this order, each with the "
            "credentials of the one before: where the operator's own role may not assume "
            "`roleARN` itself. The operator's settings must allow each of them.",
        ),
    ] = None
    endpoint_profile: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=63,
            pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            description="Name of a set of endpoints in the operator's settings. Default: AWS's "
            "own endpoints.",
        ),
    ] = None


class AWSAccountStatus(CommonStatus):
    """Whether the identity works."""

    account_id: Annotated[
        AccountId | None,
        Field(alias="accountID", description="The account that the credentials belong to."),
    ] = None
    arn: Annotated[
        str | None, Field(description="The identity, as STS GetCallerIdentity names it.")
    ] = None


DEFINITION = Definition(
    name="AWSAccount",
    plural="awsaccounts",
    short_name="craccount",
    description="An AWS account and region, and the identity that acts in it.",
    spec=AWSAccountSpec,
    status=AWSAccountStatus,
    columns=(
        Column("Account", ".spec.accountID", "The account."),
        Column("Region", ".spec.region", "The region."),
        Column("Identity", ".status.arn", "The identity that acts.", wide=True),
    ),
    rules=(
        Rule(
            "self.accountID == oldSelf.accountID",
            "accountID is immutable, create another AWSAccount",
            ".accountID",
        ),
        Rule(
            "self.region == oldSelf.region",
            "region is immutable, create another AWSAccount",
            ".region",
        ),
        Rule(
            "!has(self.intermediateRoles) || has(self.roleARN)",
            "intermediateRoles lead to a role: give roleARN",
            ".intermediateRoles",
        ),
    ),
)
