"""The policies of `iam` as files: JSON to paste, CloudFormation, Terraform, and a page."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.kinds import KINDS
from cleanrooms_operator.kube import iam
from cleanrooms_operator.kube.iam import Document, Names

FOLDER = Path("deploy/iam")
ROLE = "cleanrooms-operator"
ACCOUNT_ROLE = "cleanrooms-operator-account"

EXAMPLE = Names(
    service_roles="arn:aws:iam::111111111111:role/cleanrooms/*",
    account_roles=f"arn:aws:iam::*:role/{ACCOUNT_ROLE}",
    operator_role=f"arn:aws:iam::111111111111:role/{ROLE}",
    external_id="OWNER-ID/NAMESPACE",
    oidc_provider="arn:aws:iam::111111111111:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/X",
    issuer="oidc.eks.us-east-1.amazonaws.com/id/X",
)

DESCRIBED = {
    "AccountRoles": "ARN, or pattern of ARNs, of the roles that AWSAccounts name.",
    "ExternalId": "What an AWSAccount proves itself by: its `externalID`, by default the owner id "
    "of the operator's cluster, a slash and the namespace.",
    "Issuer": "URL of the cluster's OpenID Connect issuer, without https://. Empty: the role is "
    "for EKS Pod Identity.",
    "ObserveOnly": "Whether the role may only look.",
    "OperatorRole": "ARN of the operator's own role.",
    "ServiceRoles": "ARN, or pattern of ARNs, of the roles that specs name: no other is passed on.",
}
"""The parameters of the templates."""


def files() -> dict[Path, str]:
    """Return what each file has to hold, by its path from the project's folder."""
    documents = {
        "policies/full.json": iam.policy(EXAMPLE, observe_only=False),
        "policies/observe-only.json": iam.policy(EXAMPLE, observe_only=True),
        "policies/assume-roles.json": iam.assume(EXAMPLE),
        "trust/pod-identity.json": iam.pod_identity(),
        "trust/irsa.json": iam.web_identity(EXAMPLE),
        "trust/cross-account.json": iam.cross_account(EXAMPLE),
        "cloudformation/operator.json": operator_template(),
        "cloudformation/account.json": account_template(),
        "terraform/operator/main.tf.json": operator_module(),
        "terraform/account/main.tf.json": account_module(),
    }
    return {FOLDER / name: _json(document) for name, document in documents.items()}


def _json(document: Document) -> str:
    return json.dumps(document, indent=2) + "\n"


# -- CloudFormation ------------------------------------------------------------------------------

_REFERRED = Names(
    service_roles={"Ref": "ServiceRoles"},
    account_roles={"Ref": "AccountRoles"},
    operator_role={"Ref": "OperatorRole"},
    external_id={"Ref": "ExternalId"},
    oidc_provider="arn:${AWS::Partition}:iam::${AWS::AccountId}:oidc-provider/${Issuer}",
    issuer="${Issuer}",
)


def operator_template() -> Document:
    """Return a template of the operator's own role, for the cluster's account."""
    issuer = json.dumps(iam.web_identity(_REFERRED))
    # Names of members cannot be computed, so the whole document is a text.
    trust = {"Fn::If": ["Irsa", {"Fn::Sub": issuer}, iam.pod_identity()]}
    template = _template("The identity of cleanrooms-operator.", ROLE, trust)
    template["Parameters"] = {**_parameter("AccountRoles"), **_parameter("Issuer", Default="")}
    template["Conditions"] = {"Irsa": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Issuer"}, ""]}]}}
    _attach(template, iam.assume(_REFERRED))
    return template


def account_template() -> Document:
    """Return a template of the role that an AWSAccount names, for its account."""
    template = _template(
        "What cleanrooms-operator may do in this account.",
        ACCOUNT_ROLE,
        iam.cross_account(_REFERRED),
    )
    template["Parameters"] = {
        **_parameter("OperatorRole"),
        **_parameter("ExternalId"),
        **_parameter("ServiceRoles"),
        **_parameter("ObserveOnly", Default="false", AllowedValues=["true", "false"]),
    }
    template["Conditions"] = {"Looks": {"Fn::Equals": [{"Ref": "ObserveOnly"}, "true"]}}
    policies = [iam.policy(_REFERRED, observe_only=looks) for looks in (True, False)]
    _attach(template, {"Fn::If": ["Looks", *policies]})
    return template


def _template(description: str, name: str, trust: Document) -> Document:
    role = {"RoleName": name, "AssumeRolePolicyDocument": trust}
    arn = {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": description,
        "Parameters": {},
        "Conditions": {},
        "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role}},
        "Outputs": {"RoleArn": arn},
    }


def _attach(template: Document, document: Document) -> None:
    named = {"PolicyName": "cleanrooms-operator", "PolicyDocument": document}
    template["Resources"]["Role"]["Properties"]["Policies"] = [named]


def _parameter(name: str, **more: Any) -> Document:  # noqa: ANN401  as CloudFormation has them
    return {name: {"Type": "String", "Description": DESCRIBED[name], **more}}


# -- Terraform -------------------------------------------------------------------------------------

_VARIABLES = {
    "account_roles": "AccountRoles",
    "external_id": "ExternalId",
    "issuer": "Issuer",
    "observe_only": "ObserveOnly",
    "operator_role": "OperatorRole",
    "service_roles": "ServiceRoles",
}

_INTERPOLATED = Names(
    service_roles="${var.service_roles}",
    account_roles="${var.account_roles}",
    operator_role="${var.operator_role}",
    external_id="${var.external_id}",
    oidc_provider="arn:aws:iam::${data.aws_caller_identity.this.account_id}:oidc-provider/"
    "${var.issuer}",
    issuer="${var.issuer}",
)


def operator_module() -> Document:
    """Return a module of the operator's own role, for the cluster's account."""
    trust = {"irsa": _text(iam.web_identity(_INTERPOLATED)), "pod": _text(iam.pod_identity())}
    module = _module(
        ROLE,
        '${var.issuer == "" ? local.trust.pod : local.trust.irsa}',
        "${local.policy}",
    )
    module["variable"] = _variables("account_roles", issuer="")
    module["locals"] = {"trust": trust, "policy": _text(iam.assume(_INTERPOLATED))}
    module["data"] = {"aws_caller_identity": {"this": {}}}
    return module


def account_module() -> Document:
    """Return a module of the role that an AWSAccount names, for its account."""
    policies = {
        name: _text(iam.policy(_INTERPOLATED, observe_only=looks))
        for name, looks in (("full", False), ("observe_only", True))
    }
    module = _module(
        ACCOUNT_ROLE,
        _text(iam.cross_account(_INTERPOLATED)),
        "${var.observe_only ? local.policies.observe_only : local.policies.full}",
    )
    module["variable"] = _variables(
        "operator_role", "external_id", "service_roles", observe_only=False
    )
    module["locals"] = {"policies": policies}
    return module


def _module(name: str, trust: str, policy: str) -> Document:
    role = {"name": name, "assume_role_policy": trust}
    attached = {"name": name, "role": "${aws_iam_role.this.id}", "policy": policy}
    return {
        "resource": {
            "aws_iam_role": {"this": role},
            "aws_iam_role_policy": {"this": attached},
        },
        "output": {"role_arn": {"value": "${aws_iam_role.this.arn}"}},
    }


def _text(document: Document) -> str:
    return json.dumps(document)


def _variables(*required: str, **defaults: str | bool) -> Document:
    described = {
        name: {
            "type": "bool" if isinstance(defaults.get(name), bool) else "string",
            "description": DESCRIBED[_VARIABLES[name]],
        }
        for name in (*required, *defaults)
    }
    given: Mapping[str, Document] = {name: {"default": value} for name, value in defaults.items()}
    return {name: {**each, **given.get(name, {})} for name, each in described.items()}


# -- the page ------------------------------------------------------------------------------------

_PAGE = """# Permissions

What each kind asks of AWS. `deploy/iam` has policies of it: [how to use them](iam.md). A kind that
is only observed (`managementPolicy: ObserveOnly`) needs the first list alone.
"""


def page() -> str:
    """Return the page that tells what each kind needs."""
    return "\n".join([_PAGE, *map(_of_kind, KINDS)])


def _of_kind(kind: Kind) -> str:
    looks = iam.actions(kind, observe_only=True)
    more = [each for each in iam.actions(kind, observe_only=False) if each not in looks]
    return "\n".join(
        [
            f"## {kind.name}\n",
            "To look:\n",
            *(f"* `{each}`" for each in looks),
            "\nTo create, change and delete besides:\n",
            *(f"* `{each}`" for each in more),
            "",
        ]
    )
