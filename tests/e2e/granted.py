"""What the operator asked of AWS, held against the policies that are generated (rule R-42)."""

from collections.abc import Iterable
from typing import Any

from cleanrooms_operator.kube import iam
from cleanrooms_operator.kube.iam_files import EXAMPLE

SESSION = "assumed-role/cleanrooms-operator/cleanrooms-operator"
"""How the principal ends that the operator is in the accounts of companies."""
WITHOUT_PERMISSION = {"sts:GetCallerIdentity"}
"""Source: AWS STS API Reference, "No permissions are required to perform this operation"."""


def check_granted(records: Iterable[dict[str, Any]], operator_account: str) -> None:
    """Assert that the operator asked for nothing but what its two roles are allowed."""
    own, others = set(), set()
    for record in records:
        asked = iam.action((record["service"], record["operation"]))
        if record["account"] == operator_account:
            own.add(asked)
        elif record["principal"].endswith(SESSION):
            others.add(asked)
    assert others, "the operator asked for nothing at all"
    assert own <= WITHOUT_PERMISSION | _allowed(iam.assume(EXAMPLE))
    assert others <= WITHOUT_PERMISSION | _allowed(iam.policy(EXAMPLE, observe_only=False))


def _allowed(policy: dict[str, Any]) -> set[str]:
    return {action for statement in policy["Statement"] for action in statement["Action"]}
