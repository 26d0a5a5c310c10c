"""What a tool server says that it has, as mcp files it in the bucket `tools` for those who tell others.

It decides how much of it is kept: an entry must fit into one message, and what comes from a server has no other bound.
A field may be added with a default; none is renamed or given another meaning. It must not know who may use a tool.
"""

from collections.abc import Iterable

import msgspec

MAX_NAME = 256
MAX_DESCRIPTION = 2_000
MAX_SCHEMA = 16_384
MAX_ENTRY = 512 * 1024
"""Bytes of one server's entry; tools beyond it are left out."""
ANY_OBJECT = '{"type":"object"}'


class BadListing(Exception):
    """The bytes are no listing."""


class ListedTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool in its server's words. `input_schema` is JSON."""

    name: str
    title: str = ""
    description: str = ""
    input_schema: str = ANY_OBJECT


class ServerTools(msgspec.Struct, frozen=True, kw_only=True):
    """A server's tools, and since when (Unix time) they have been these."""

    server_id: str
    listed_at_ms: int
    tools: tuple[ListedTool, ...]


def bounded(tools: Iterable[ListedTool]) -> tuple[ListedTool, ...]:
    """What is kept of them, in their order. A name that is too long would be another one, so its tool is left out."""
    kept: list[ListedTool] = []
    left = MAX_ENTRY
    for tool in tools:
        if not 0 < len(tool.name) <= MAX_NAME:
            continue
        short = ListedTool(
            name=tool.name,
            title=tool.title[:MAX_NAME],
            description=tool.description[:MAX_DESCRIPTION],
            input_schema=tool.input_schema if len(tool.input_schema) <= MAX_SCHEMA else ANY_OBJECT,
        )
        left -= len(msgspec.json.encode(short)) + 1
        if left < 0:
            break
        kept.append(short)
    return tuple(kept)


def encode(listing: ServerTools) -> bytes:
    """The bytes of an entry."""
    return msgspec.json.encode(listing)


def decode(data: bytes) -> ServerTools:
    """The listing of these bytes. Raises BadListing."""
    try:
        return msgspec.json.decode(data, type=ServerTools)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as failure:
        raise BadListing(str(failure)) from None
