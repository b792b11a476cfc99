"""What the operator may do in a cluster, and what users of its kinds may: as little as does."""

from collections.abc import Mapping, Sequence
from typing import Any

from cleanrooms_operator.core.resource import GROUP
from cleanrooms_operator.kinds import DEFINITIONS

NAME = "cleanrooms-operator"
"""Of its service account, its Lease and its roles: IAM trust policies name the first."""

NAMESPACE = "cleanrooms-system"

Document = dict[str, Any]

_RBAC = "rbac.authorization.k8s.io"
_LEASES = "coordination.k8s.io"
_KINDS = tuple(definition.plural for definition in DEFINITIONS)
_READ = ("get", "list", "watch")
_WRITE = ("create", "update", "patch", "delete", "deletecollection")
_SUBJECT = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}


RUNS = frozenset({"MLInputChannel", "TrainedModel", "InferenceJob"})
"""The kinds that who may edit a namespace may write: what is run, by the rules of the others."""

EXTENDED: Mapping[str, Sequence[str]] = {
    "view": ("view", "edit", "admin"),
    "edit": ("edit", "admin"),
    "admin": ("admin",),
}
"""Role for users -> the roles of Kubernetes that it is added to."""


def manifests() -> list[Document]:
    """Return the operator's identity and rights, and roles that add to those of users."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(namespaced=True)},
        _role("ClusterRole", [*in_namespaces(), *for_secrets(), *for_the_id(), *for_patterns()]),
        _binding("ClusterRole"),
        _role("Role", at_home(NAME)),
        _binding("Role"),
        *(_users(role, extended) for role, extended in EXTENDED.items()),
    ]


def in_namespaces() -> list[Document]:
    """Return what the operator may do in the namespaces that it serves."""
    statuses = [f"{plural}/status" for plural in _KINDS]
    return [
        # The finalizer is a patch of the resource; nothing else of it is ever written.
        _rule(GROUP, _KINDS, (*_READ, "patch")),
        _rule(GROUP, statuses, ("patch",)),
        _rule("events.k8s.io", ("events",), ("create",)),
        # What specs take values from is read by name, and never watched.
        _rule("", ("configmaps",), ("get",)),
    ]


def for_secrets() -> list[Document]:
    """Return what it may do besides, where the setting secret_sources is on."""
    return [_rule("", ("secrets",), ("get",))]


def for_the_id() -> list[Document]:
    """Return what it may do besides, where no setting says whose the cluster's objects are."""
    # Its UID is the cluster's id, by which the operator knows what is its own in AWS.
    return [_rule("", ("namespaces",), ("get",), names=("kube-system",))]


def for_patterns() -> list[Document]:
    """Return what it may do besides, where the setting watch_namespaces holds patterns."""
    return [_rule("", ("namespaces",), ("list", "watch"))]


def at_home(lease: str) -> list[Document]:
    """Return what it may do in its own namespace, with the Lease of that name."""
    return [
        # A name cannot be asked for in a create.
        _rule(_LEASES, ("leases",), ("create",)),
        _rule(_LEASES, ("leases",), ("get", "update"), names=(lease,)),
    ]


def of_users(role: str) -> list[Document]:
    """Return what a role of EXTENDED gives to users of a namespace.

    Nobody gets the status. Who may write accounts and memberships decides about identities,
    members, payers, approvals and votes, hence `admin` and not `edit`.
    """
    runs = [definition.plural for definition in DEFINITIONS if definition.name in RUNS]
    others = [definition.plural for definition in DEFINITIONS if definition.name not in RUNS]
    given = {"view": (_KINDS, _READ), "edit": (runs, _WRITE), "admin": (others, _WRITE)}
    resources, verbs = given[role]
    return [_rule(GROUP, resources, verbs)] if resources else []


def _rule(
    group: str, resources: Sequence[str], verbs: Sequence[str], names: Sequence[str] = ()
) -> Document:
    rule: Document = {"apiGroups": [group], "resources": list(resources)}
    return rule | ({"resourceNames": list(names)} if names else {}) | {"verbs": list(verbs)}


def _metadata(*, namespaced: bool) -> Document:
    return {"name": NAME} | ({"namespace": NAMESPACE} if namespaced else {})


def _role(kind: str, rules: list[Document]) -> Document:
    metadata = _metadata(namespaced=kind == "Role")
    return {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": metadata, "rules": rules}


def _binding(kind: str) -> Document:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": f"{kind}Binding",
        "metadata": _metadata(namespaced=kind == "Role"),
        "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": NAME},
        "subjects": [_SUBJECT],
    }


def _users(role: str, extended: Sequence[str]) -> Document:
    """Return a role that Kubernetes adds to its own roles for users of a namespace."""
    labels = {f"{_RBAC}/aggregate-to-{name}": "true" for name in extended}
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": f"{NAME}-{role}", "labels": labels},
        "rules": of_users(role),
    }
