"""The management API as the running gateway describes it, and a good body for each of its operations."""

import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.security.world import World

BODIES: Mapping[str, dict[str, Any]] = {
    "POST /api/accounts": {"name": "made"},
    "PATCH /api/accounts/{account_id}": {"name": "changed"},
    "POST /api/accounts/{account_id}/credits": {"amount_usd": "1", "reason": "made"},
    "POST /api/users": {"name": "made"},
    "PATCH /api/users/{user_id}": {"name": "changed"},
    "POST /api/keys": {"name": "made"},
    "PATCH /api/keys/{key_id}": {"name": "changed"},
    "POST /api/tokens": {"name": "made"},
    "PATCH /api/tokens/{token_id}": {"name": "changed"},
    "POST /api/channels": {"name": "made", "provider": "sandbox", "models": ["made"], "enabled": False},
    "PATCH /api/channels/{channel_id}": {"name": "changed"},
    "PUT /api/prices/{model}": {"input": "3"},
    "PATCH /api/prices/{model}": {"input": "4"},
    "POST /api/mcp-servers": {"name": "made", "url": "http://127.0.0.1:9/mcp", "enabled": False},
    "PATCH /api/mcp-servers/{server_id}": {"name": "changed"},
    "POST /api/explain": {"model": "sandbox"},
    "POST /api/session": {"token": "none"},
}
"""By operation; the others take none."""


@dataclasses.dataclass(frozen=True)
class Operation:
    """One operation of the document. `queries` are the names of its query parameters."""

    method: str
    path: str
    queries: tuple[str, ...]
    fields: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def ids(self) -> list[str]:
        """Names of the parameters in its path."""
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def body(self) -> dict[str, Any] | None:
        return BODIES.get(self.name)

    def place(self, values: Mapping[str, str]) -> str:
        """The path with these ids in it."""
        return self.path.format_map(dict(values))


@functools.cache
def operations(world: World) -> tuple[Operation, ...]:
    """Every operation of the management API in the gateway's own document."""
    document = world.gateway.admin.get("/openapi.json").json()
    found = tuple(_operations(document))
    lacking = [one.name for one in found if one.fields and one.name not in BODIES]
    assert not lacking, f"no good body is known for {lacking}"
    return found


def _operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        if not path.startswith("/api/"):
            continue
        for method, described in methods.items():
            # Documents, and what else anybody may read.
            if "documents" in described["tags"] or (method == "get" and not described.get("security")):
                continue
            queries = tuple(one["name"] for one in described.get("parameters", ()) if one["in"] == "query")
            content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
            reference = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            fields = document["components"]["schemas"][reference]["properties"] if reference else {}
            yield Operation(method.upper(), path, queries, fields)
