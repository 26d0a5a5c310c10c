"""What can be found by asking, beside models and tools: pages that are the same for every catalog.

A page has a title, an address on this gateway, and the words by which it is found. It decides the pages that are no
document and no route: how one authenticates, and where each thing is done. It must not know how pages are searched.
"""

from collections.abc import Iterable
from typing import NamedTuple

from services.admin.public.document import Document

ENTRY_POINTS = 5


class Page(NamedTuple):
    """`path` is of this gateway, and answers."""

    title: str
    path: str
    text: str


BASICS = (
    Page(
        "Authentication",
        "/auth.md",
        "Inference (/v1) and tool calls (/mcp) take a relay API key as Authorization: Bearer sk-…, or as x-api-key; "
        "management under /api takes a management token or a console session. Public documents and the sandbox take "
        "none.",
    ),
    Page("Models", "/api/models/display", "Every public model with its channels and prices; a list to choose from."),
    Page(
        "Prices",
        "/pricing.md",
        "Price and cost of each model in USD per million tokens, and of tools, whose calls are not charged yet.",
    ),
    Page("Tools", "/api/tools/display", "The MCP tools that this gateway offers on /mcp, with their prices."),
    Page("Sandbox", "/sandbox", "Free answers without a key, to try a client or test a parser."),
    Page(
        "Calling a model",
        "/api.md",
        "POST /v1/chat/completions (OpenAI Chat Completions), /v1/responses (OpenAI Responses) or /v1/messages "
        "(Claude Messages): every chat model is served in each of them, also streamed.",
    ),
    Page("MCP gateway", "/mcp/server-card", "POST /mcp lists and calls the configured tools, with a relay API key."),
)


def pages_of(documents: Iterable[Document]) -> tuple[Page, ...]:
    """A page for each document that is listed anywhere."""
    return tuple(Page(document.title, document.path, document.note) for document in documents if document.group)
