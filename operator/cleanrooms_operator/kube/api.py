"""Requests to the API server: a thin layer over one aiohttp session."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp

from cleanrooms_operator.core.kind import Definition
from cleanrooms_operator.core.resource import GROUP, VERSION, Document

FIELD_MANAGER = "cleanrooms-operator"
PAGE_SIZE = 500
TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=10)

FORBIDDEN = 403
NOT_FOUND = 404
CONFLICT = 409
UNPROCESSABLE = 422

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

Method = Literal["GET", "POST", "PUT", "PATCH"]


class ApiError(Exception):
    """The API server refused a request, or could not be reached."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}" if message else reason)
        self.status = status
        """The HTTP status; 0 when there was no answer, and the outcome is unknown."""
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `path` is absolute, `body` goes as JSON of that content type."""

    method: Method
    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    content_type: str = JSON
    timeout: aiohttp.ClientTimeout = TIMEOUT


class Api:
    """The API server, as the user of a session sees it."""

    def __init__(
        self,
        server: str,
        session: aiohttp.ClientSession,
        answered: Callable[[str, int], None] = lambda _method, _status: None,
    ) -> None:
        self._server = server.rstrip("/")
        self._session = session
        self._answered = answered

    async def send(self, request: Request) -> dict[str, Any]:
        """Send a request and return its answer; raises `ApiError`."""
        try:
            status, text = await self._exchange(request)
        except (aiohttp.ClientError, TimeoutError) as error:
            self._answered(request.method, 0)
            raise ApiError(0, "Unreachable", f"{type(error).__name__} {error}".strip()) from error
        self._answered(request.method, status)
        answer = _parsed(text)
        if status >= 400:  # noqa: PLR2004  where HTTP's errors begin
            reason = answer.get("reason") or f"HTTP {status}"
            raise ApiError(status, reason, answer.get("message") or text[:200].strip())
        return answer

    async def get(self, path: str) -> dict[str, Any]:
        """Read something from the API server's own store, not from a cache of it."""
        return await self.send(Request("GET", path))

    async def pages(self, path: str) -> AsyncIterator[dict[str, Any]]:
        """Read a whole list, page by page, all of one version."""
        parameters = {"limit": str(PAGE_SIZE)}
        while True:
            page = await self.send(Request("GET", path, parameters))
            yield page
            token = page["metadata"].get("continue")
            if not token:
                return
            parameters = {**parameters, "continue": token}

    async def _exchange(self, request: Request) -> tuple[int, str]:
        parameters = dict(request.parameters)
        headers = {"Accept": JSON}
        data = None
        if request.body is not None:
            parameters["fieldManager"] = FIELD_MANAGER
            headers["Content-Type"] = request.content_type
            data = json.dumps(request.body)
        async with self._session.request(
            request.method,
            self._server + request.path,
            params=parameters,
            headers=headers,
            data=data,
            timeout=request.timeout,
        ) as response:
            return response.status, await response.text()


def _parsed(text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def collection_path(definition: Definition, namespace: str | None = None) -> str:
    """Return the path of the resources of a kind, in one namespace or in all."""
    where = "" if namespace is None else f"/namespaces/{namespace}"
    return f"/apis/{GROUP}/{VERSION}{where}/{definition.plural}"


def json_patch(operation: str, path: str, value: object = None) -> Document:
    """Return one operation of a JSON patch."""
    return {"op": operation, "path": path} | ({} if value is None else {"value": value})
