"""What this gateway can do for agents, as every card and catalog says it.

All of it is taken from what does it: versions of MCP from the server that speaks them, A2A's bindings from the agent
that answers them, the names of formats from the registry of formats. It decides how formats are called, and nothing
else. Pure.
"""

from oneapi.dialects.registry import DIALECTS
from services.admin.public import a2a
from services.admin.public.mcp_server import protocol, server

MCP_VERSIONS = protocol.VERSIONS
"""Newest first. The gateway's own endpoint speaks the same, as a test holds."""
MCP_CAPABILITIES = server.CAPABILITIES
MCP_PUBLIC_PATH = "/.well-known/mcp"
MCP_GATEWAY_PATH = "/mcp"

A2A_VERSION, A2A_PATH, A2A_BINDINGS, A2A_OUTPUT_MODES = a2a.VERSION, a2a.PATH, a2a.BINDINGS, a2a.OUTPUT_MODES

_NAMES = {
    "openai_chat": ("OpenAI Chat Completions", "/v1/chat/completions"),
    "openai_responses": ("OpenAI Responses", "/v1/responses"),
    "anthropic_messages": ("Claude Messages", "/v1/messages"),
    "gemini_generate": ("Gemini generateContent", "/v1beta/models/{model}:generateContent"),
    "openai_embeddings": ("OpenAI Embeddings", "/v1/embeddings"),
}
WIRE_FORMATS = tuple(_NAMES[name] for name in DIALECTS)
"""What clients may speak, and where."""
