"""Where a secret of an upstream belongs: sealed there, it opens nowhere else.

Decides the places, which edge and mcp know too. It must not know what a secret is used for.
"""

from collections.abc import Mapping

from oneapi.runtime.sealing import Sealer


def channel_key_place(channel_id: str) -> str:
    """Of a channel's api_key."""
    return f"channel/{channel_id}/api_key"


def channel_header_place(channel_id: str, name: str) -> str:
    """Of one header of a channel; names are in lower case."""
    return f"channel/{channel_id}/headers/{name}"


def server_auth_place(server_id: str) -> str:
    """Of an MCP server's auth."""
    return f"mcp_server/{server_id}/auth"


def server_header_place(server_id: str, name: str) -> str:
    """Of one header of an MCP server."""
    return f"mcp_server/{server_id}/headers/{name}"


def seal_channel_headers(sealer: Sealer, channel_id: str, headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: sealer.seal(value, bound_to=channel_header_place(channel_id, name)) for name, value in headers.items()
    }


def seal_server_headers(sealer: Sealer, server_id: str, headers: Mapping[str, str]) -> dict[str, str]:
    return {name: sealer.seal(value, bound_to=server_header_place(server_id, name)) for name, value in headers.items()}
