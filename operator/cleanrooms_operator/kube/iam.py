"""The least that the operator's identities need in AWS: policies and trust, as values (rule R-42).

Every document is made of `Names`, so that the same one is JSON to paste, a CloudFormation template
and a Terraform module.
"""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from botocore import loaders, model

from cleanrooms_operator.core import permissions
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.permissions import Call
from cleanrooms_operator.kinds import KINDS
from cleanrooms_operator.kube.rights import NAME, NAMESPACE

Document = dict[str, Any]

VERSION = "2012-10-17"

SERVICES = ("cleanrooms.amazonaws.com", "cleanrooms-ml.amazonaws.com")
"""Whom roles are passed to."""

PASSED = {
    "membershipIdentifier": "cleanrooms:PassMembership",
    "collaborationIdentifier": "cleanrooms:PassCollaboration",
}
"""Parameter of a call of Clean Rooms ML -> the action that it depends on.

Source: AWS Clean Rooms User Guide, "IAM behaviors for Clean Rooms ML Custom Models".
"""

ROLES = "iam:PassRole"
"""Needed to name a role in a spec."""


@dataclass(frozen=True, slots=True)
class Names:
    """What differs from one installation to another; text, or what a template puts there."""

    service_roles: Any
    """ARN, or pattern of ARNs, of the roles that specs name."""
    account_roles: Any
    """ARN, or pattern of ARNs, of the roles that AWSAccounts name."""
    operator_role: Any
    external_id: Any
    oidc_provider: Any
    """ARN of the cluster's OpenID Connect provider."""
    issuer: str
    """Its URL, without `https://`: part of names, hence always a text."""


# -- what a kind needs -------------------------------------------------------------------------


def actions(kind: Kind, *, observe_only: bool) -> list[str]:
    """Return the IAM actions that a kind needs, those included that are never called."""
    calls = permissions.reads(kind)
    if not observe_only:
        calls |= permissions.changes(kind)
    extra = () if observe_only else kind.actions
    return sorted({*map(action, calls), *depended_on(calls), *extra})


def action(call: Call) -> str:
    """Return the IAM action of a call."""
    service, operation = call
    return f"{_model(service).signing_name}:{operation}"


def depended_on(calls: Iterable[Call]) -> set[str]:
    """Return the actions that calls depend on, by the parameters that they take."""
    return {
        passed
        for service, operation in calls
        if service == "cleanroomsml"
        for parameter, passed in PASSED.items()
        if parameter in _model(service).operation_model(operation).input_shape.members
    }


@functools.cache
def _model(service: str) -> model.ServiceModel:
    return model.ServiceModel(loaders.Loader().load_service_model(service, "service-2"), service)


# -- policies ----------------------------------------------------------------------------------


def policy(names: Names, *, observe_only: bool) -> Document:
    """Return what a role of an AWSAccount may do: one statement a kind, to take out what is unused.

    `Resource` is any, for most of what is asked for does not exist yet; what is passed is bounded.
    """
    needs = {kind.name: actions(kind, observe_only=observe_only) for kind in KINDS}
    statements = [_allow(name, _own(needed), "*") for name, needed in needs.items()]
    logs = sorted({a for needed in needs.values() for a in needed if a.startswith("logs:")})
    if logs:
        statements.append(_allow("QueryLogs", logs, "*"))
    if any(ROLES in needed for needed in needs.values()):
        passed = {"StringEquals": {"iam:PassedToService": list(SERVICES)}}
        pass_roles = _allow("ServiceRoles", [ROLES], names.service_roles)
        statements.append({**pass_roles, "Condition": passed})
    return {"Version": VERSION, "Statement": statements}


def assume(names: Names) -> Document:
    """Return what the operator's own role may do: become the roles that AWSAccounts name."""
    taken = ["sts:AssumeRole", "sts:TagSession"]
    return {"Version": VERSION, "Statement": [_allow("Accounts", taken, names.account_roles)]}


def _own(needed: list[str]) -> list[str]:
    return [each for each in needed if each.startswith("cleanrooms")]


def _allow(name: str, allowed: list[str], resource: object) -> Document:
    return {"Sid": name, "Effect": "Allow", "Action": allowed, "Resource": resource}


# -- trust -------------------------------------------------------------------------------------


def pod_identity() -> Document:
    """Return the trust of EKS Pod Identity, in the operator's service account alone.

    Source: Amazon EKS User Guide, "Create IAM role with trust policy required by EKS Pod Identity".
    """
    session = {
        "aws:RequestTag/kubernetes-namespace": NAMESPACE,
        "aws:RequestTag/kubernetes-service-account": NAME,
    }
    principal = {"Service": "pods.eks.amazonaws.com"}
    return _trust(principal, ["sts:AssumeRole", "sts:TagSession"], session)


def web_identity(names: Names) -> Document:
    """Return the trust of IAM roles for service accounts (IRSA).

    Source: Amazon EKS User Guide, "Assign IAM roles to Kubernetes service accounts".
    """
    claims = {
        f"{names.issuer}:aud": "sts.amazonaws.com",
        f"{names.issuer}:sub": f"system:serviceaccount:{NAMESPACE}:{NAME}",
    }
    principal = {"Federated": names.oidc_provider}
    return _trust(principal, ["sts:AssumeRoleWithWebIdentity"], claims)


def cross_account(names: Names) -> Document:
    """Return the trust of a role that an AWSAccount names, in the operator's role.

    Sessions of EKS Pod Identity carry tags that go along, so these must be allowed too. Source:
    Amazon EKS User Guide, "Grant Pods access to AWS resources based on tags".
    """
    principal = {"AWS": names.operator_role}
    trusted = _trust(principal, ["sts:AssumeRole"], {"sts:ExternalId": names.external_id})
    tags = {"Effect": "Allow", "Principal": principal, "Action": ["sts:TagSession"]}
    return {**trusted, "Statement": [*trusted["Statement"], tags]}


def _trust(principal: Document, allowed: list[str], equal: Document) -> Document:
    statement = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": allowed,
        "Condition": {"StringEquals": equal},
    }
    return {"Version": VERSION, "Statement": [statement]}
