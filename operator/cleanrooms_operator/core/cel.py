"""The validation rules of the resource definitions, in CEL."""

import re
import string
from collections.abc import Collection
from typing import TypeAlias

from cleanrooms_operator.core.kind import Rule

Validation: TypeAlias = dict[str, str | bool]
"""An item of `x-kubernetes-validations`."""

RECORDED = (
    "has(oldSelf.status) && (has(oldSelf.status.attempt)"
    " || has(oldSelf.status.identifier) || has(oldSelf.status.arn))"
)
"""Whether a create call may have been sent already: the frozen fields are fixed from then on."""


def validation(rule: Rule) -> Validation:
    """Return a kind's own rule."""
    return _validation(rule.rule, rule.message, rule.path)


def exactly_one(names: Collection[str]) -> Validation:
    """Return the rule that one of these fields is given, and only one."""
    exactly = "exactly " if len(names) > 1 else ""
    message = f"{exactly}{_one_of(names)} must be given"
    return _validation(f"{_given(names)}.size() == 1", message)


def at_most_one(names: Collection[str]) -> Validation:
    """Return the rule that no two of these fields are given together."""
    return _validation(f"{_given(names)}.size() <= 1", f"at most {_one_of(names)} may be given")


def refuse_match(pattern: str, message: str) -> Validation:
    """Return the rule that a text does not match `pattern`."""
    return _validation(f"!self.matches({_literal(pattern)})", message)


def bound_keys(shortest: int, longest: int) -> Validation:
    """Return the rule on how long the keys of a map are."""
    return _validation(
        f"self.all(k, size(k) >= {shortest} && size(k) <= {longest})",
        f"keys must have {shortest} to {longest} characters",
    )


def match_keys(pattern: str) -> Validation:
    """Return the rule on what the keys of a map look like."""
    return _validation(
        f"self.all(k, k.matches({_literal(pattern)}))", f"keys must match `{pattern}`"
    )


def refuse_prefix(prefix: str, message: str) -> Validation:
    """Return the rule that no key of a map starts with `prefix`, in whatever case."""
    return _validation(f"self.all(k, !k.lowerAscii().startsWith({_literal(prefix)}))", message)


def freeze(kind: str, name: str) -> Validation:
    """Return the root rule that a field of the spec stays as it is once a create may be out.

    It is a rule of the root, because only there is the status at hand, and because a rule on the
    field itself would not see that the field is added or removed. (`spec.?name == …`, which says
    the same, costs the API server's estimate a thousand times its budget.)
    """
    new, old = f"self.spec.{name}", f"oldSelf.spec.{name}"
    rule = f"!({RECORDED}) || (has({new}) ? has({old}) && {new} == {old} : !has({old}))"
    message = f"`{name}` is immutable once the {kind} is being created: create a new {kind} instead"
    return _validation(rule, message, f".spec.{name}", "FieldValueForbidden")


def fit_name(longest: int, pattern: str | None) -> list[Validation]:
    """Return the root rules that `metadata.name` can stand in for an absent `spec.name` (R-39)."""
    rules = [
        _name_rule(
            f"size(self.metadata.name) <= {longest}",
            f"be no more than {longest} characters",
        )
    ]
    if pattern is not None and not re.search(pattern, _EVERY_NAME):
        fits = f"self.metadata.name.matches({_literal(pattern)})"
        rules.append(_name_rule(fits, f"match `{pattern}`"))
    return rules


def _name_rule(fits: str, words: str) -> Validation:
    """Return a rule on a name that stands in for `spec.name`.

    Rules of the root run on every write, also of metadata and status: an object that is older
    than the rule is let pass, or its finalizer could never be removed.
    """
    older = "oldSelf.hasValue() && !has(oldSelf.value().spec.name)"
    message = f"`metadata.name` must {words}, unless `spec.name` is set"
    made = _validation(f"has(self.spec.name) || {fits} || ({older})", message)
    return made | {"optionalOldSelf": True}


_EVERY_NAME = f"{string.ascii_lowercase}.{string.digits}-0"
"""A resource name with every character that resource names may have."""


def _validation(
    rule: str, message: str, path: str | None = None, reason: str | None = None
) -> Validation:
    made: Validation = {"rule": rule, "message": message}
    if path is not None:
        made["fieldPath"] = path
    return made if reason is None else made | {"reason": reason}


def _given(names: Collection[str]) -> str:
    return f"[{', '.join(f'has(self.{name})' for name in names)}].filter(given, given)"


def _one_of(names: Collection[str]) -> str:
    quoted = ", ".join(f"`{name}`" for name in names)
    return quoted if len(names) == 1 else f"one of {quoted}"


def _literal(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace("'", r"\'")
    return f"'{escaped}'"
