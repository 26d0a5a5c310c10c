"""What the gateway's unit tests are arranged with: servers, tools and keys."""

from typing import Any

from mcp_types import Tool

from oneapi.catalog.types import McpServer, RelayKey


def make_server(id: str, **fields: Any) -> McpServer:  # noqa: A002 - the field's own name
    return McpServer(**({"id": id, "name": id, "url": f"https://{id}.example/mcp"} | fields))


def make_tool(name: str, description: str = "") -> Tool:
    return Tool(name=name, description=description, input_schema={"type": "object"})


def make_key(**fields: Any) -> RelayKey:
    return RelayKey(**({"id": "key_1", "name": "test", "account_id": "acc_1"} | fields))
