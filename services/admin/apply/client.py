"""Calls of the management API, as the command makes them.

Decides what a refusal reads like. It must not know what is applied.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import aiohttp

LIMIT_S = 30.0
DRY_RUN = {"X-Oneapi-Dry-Run": "1"}
CHANGED = "X-Oneapi-Changed"
PAGE = "200"


class Refused(Exception):
    """The API doesn't accept a request, or doesn't answer. The text is a sentence without secrets."""


class Answer:
    """A good answer: its JSON, and which fields it says are changed."""

    def __init__(self, body: dict[str, Any], status: int, changed: str | None) -> None:
        self.body = body
        self.status = status
        self.changed = tuple(name for name in (changed or "").split(", ") if name)


class Client:
    """Use it as an async context manager."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {token}"}, timeout=aiohttp.ClientTimeout(total=LIMIT_S)
        )

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        dry: bool = False,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """Raises Refused."""
        try:
            async with self._session.request(
                method,
                self._url + path,
                json=body,
                params=params,
                headers=DRY_RUN if dry else {},
                allow_redirects=False,
            ) as response:
                answer = await response.json(content_type=None) if response.status != 204 else {}
                if response.status >= 300 or not isinstance(answer, dict):
                    raise Refused(_reason(response.status, answer))
                return Answer(answer, response.status, response.headers.get(CHANGED))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Refused(f"the management API at {self._url} does not answer ({type(error).__name__})") from error

    async def all(self, path: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
        """Every entry of a list. Raises Refused."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            asked = {**params, "limit": PAGE} | ({"cursor": cursor} if cursor else {})
            page = await self.call("GET", path, params=asked)
            found += page.body["data"]
            cursor = page.body["next_cursor"]
        return found


def _reason(status: int, answer: Any) -> str:
    if not isinstance(answer, dict):
        return f"the management API answered with status {status}"
    errors = "; ".join(f"{error['field']}: {error['message']}" for error in answer.get("errors") or [])
    return errors or str(answer.get("detail") or answer.get("title") or f"status {status}")
