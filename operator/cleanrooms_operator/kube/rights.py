"""What the operator may do in a cluster, and what users of its kinds may: as little as does."""

from collections.abc import Sequence
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
_SUBJECT = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}


def manifests() -> list[Document]:
    """Return the operator's identity and rights, and roles that add to those of users."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(namespaced=True)},
        _role("ClusterRole", _everywhere()),
        _binding("ClusterRole"),
        _role("Role", _at_home()),
        _binding("Role"),
        _users("view", ("view", "edit", "admin"), ("get", "list", "watch")),
        _users("admin", ("admin",), ("create", "update", "patch", "delete", "deletecollection")),
    ]


def _everywhere() -> list[Document]:
    statuses = [f"{plural}/status" for plural in _KINDS]
    return [
        # The finalizer is a patch of the resource; nothing else of it is ever written.
        _rule(GROUP, _KINDS, ("get", "list", "watch", "patch")),
        _rule(GROUP, statuses, ("patch",)),
        _rule("events.k8s.io", ("events",), ("create",)),
        # Its UID is the cluster's id, by which the operator knows what is its own in AWS.
        _rule("", ("namespaces",), ("get",), names=("kube-system",)),
        # Patterns in the setting watch_namespaces are matched against the namespaces that exist.
        _rule("", ("namespaces",), ("list", "watch")),
    ]


def _at_home() -> list[Document]:
    return [
        # A name cannot be asked for in a create.
        _rule(_LEASES, ("leases",), ("create",)),
        _rule(_LEASES, ("leases",), ("get", "update"), names=(NAME,)),
    ]


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


def _users(role: str, extends: Sequence[str], verbs: Sequence[str]) -> Document:
    """Return a role that Kubernetes adds to its own roles for users of a namespace.

    Nobody gets the status. Who may write our kinds decides about accounts, members and payers,
    hence `admin` and not `edit`.
    """
    labels = {f"{_RBAC}/aggregate-to-{extended}": "true" for extended in extends}
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": f"{NAME}-{role}", "labels": labels},
        "rules": [_rule(GROUP, _KINDS, verbs)],
    }
