"""A small client of the management API, for what the stack itself sets up through it.

It decides how a call is made and how a refusal reads. It must not know what is being set up.
"""

import http.client
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from oneapi.stack.problem import StackProblem

CALL_LIMIT_S = 5.0


class ManagementApi:
    """Calls to `url` (no path) with a management token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = urlsplit(url)
        self._token = token

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, idempotency_key: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON answer. Raises StackProblem when there is no answer in JSON, or the server failed (5xx)."""
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        connection = http.client.HTTPConnection(
            self._url.hostname or "127.0.0.1", self._url.port or 80, timeout=CALL_LIMIT_S
        )
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as problem:
            raise StackProblem(f"The management API did not answer {method} {path}: {problem}.") from problem
        finally:
            connection.close()
        try:
            answer = json.loads(text) if text else {}
        except ValueError:
            answer = None
        if response.status >= 500 or not isinstance(answer, dict):
            raise StackProblem(f"The management API answered {method} {path} with status {response.status}.")
        return response.status, answer

    def must(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, idempotency_key: str = ""
    ) -> dict[str, Any]:
        """The answer to a call that has to succeed. Raises StackProblem with the API's own words."""
        status, answer = self.call(method, path, body, idempotency_key=idempotency_key)
        if status >= 400:
            why = answer.get("detail") or answer.get("title") or f"status {status}"
            raise StackProblem(f"The management API refused {method} {path}: {why}.")
        return answer

    def all(self, path: str) -> list[dict[str, Any]]:
        """Every element of a list, page by page."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            query = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
            page = self.must("GET", f"{path}?{urlencode(query)}")
            found.extend(page["data"])
            cursor = page.get("next_cursor") or ""
            if not cursor:
                return found
