"""A search on the web that another provider ran, as Anthropic's blocks tell one: the query, and no results."""

from typing import Any


def encode_search(query: str, call_id: str) -> list[dict[str, Any]]:
    """The call and its result. Results have ciphertexts that nobody else can make, so there are none."""
    return [
        {"type": "server_tool_use", "id": call_id, "name": "web_search", "input": {"query": query}},
        {"type": "web_search_tool_result", "tool_use_id": call_id, "content": []},
    ]
