"""Reading one ConfigMap or Secret: a plain GET, by name, of nothing else."""

import base64
import binascii
from collections.abc import Mapping
from types import MappingProxyType

from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.core.sources import CONFIG_MAP, SECRET, Contents
from cleanrooms_operator.kube.api import FORBIDDEN, NOT_FOUND, Api, ApiError
from cleanrooms_operator.runtime.ports import UnreadableError

PLURALS: Mapping[str, str] = MappingProxyType({CONFIG_MAP: "configmaps", SECRET: "secrets"})


class Sources:
    """The ConfigMaps and Secrets that specs take values from."""

    def __init__(self, api: Api, *, secrets: bool = True) -> None:
        self._api = api
        self._secrets = secrets

    async def read(self, key: Key) -> Contents | None:
        """Return the entries of one, or None where it does not exist.

        Raises UnreadableError where the operator may not read it, ApiError where it cannot.
        """
        if key.kind == SECRET and not self._secrets:
            message = f"{key} is not read: the operator's setting secret_sources is off"
            raise UnreadableError(message)
        plural = PLURALS[key.kind]
        try:
            found = await self._api.get(f"/api/v1/namespaces/{key.namespace}/{plural}/{key.name}")
        except ApiError as error:
            if error.status == NOT_FOUND:
                return None
            if error.status == FORBIDDEN:
                message = f"{key} cannot be read: the operator may not `get` {plural} here"
                raise UnreadableError(message) from None
            raise
        if key.kind == SECRET:
            return {name: _text(data) for name, data in (found.get("data") or {}).items()}
        return {**dict.fromkeys(found.get("binaryData") or ()), **(found.get("data") or {})}


def _text(data: str) -> str | None:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
