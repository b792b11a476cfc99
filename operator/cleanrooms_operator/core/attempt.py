"""The attempt: the write-ahead record of a create call, whose outcome can be found out later."""

import hmac
import json
from collections.abc import Iterable
from datetime import datetime

from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.references import recordable
from cleanrooms_operator.core.resource import Document
from cleanrooms_operator.core.times import timestamp


def parameters_hash(parameters: Document, key: bytes) -> str:
    """Return what identifies a set of parameters, whatever the order of their members.

    Nobody can find out by trying what was hashed, who does not have the operator's key.
    """
    canonical = json.dumps(parameters, sort_keys=True, separators=(",", ":"), default=str)
    return hmac.digest(key, canonical.encode(), "sha256").hex()


def record(
    kind: Kind, parameters: Document, attempt_id: str, now: datetime, baseline: Iterable[str] = ()
) -> Document:
    """Return what is written to `status.attempt` before the call is sent, but for the hash.

    `baseline` are the objects of the same AWS name that were there before (rule R-1).
    """
    scope = {name: parameters[name] for name in sorted(recordable(kind) & parameters.keys())}
    fields = {
        "id": attempt_id,
        "startedAt": timestamp(now),
        "name": parameters.get("name"),
        "scope": scope or None,
        "baseline": sorted(baseline) or None,
    }
    return {name: value for name, value in fields.items() if value is not None}
