"""How MCP clients find this gateway's two MCP endpoints: server card and manifest.

The card is the draft's of the server-card extension; the manifest is our own, as nobody has specified one. Pure.
"""

from oneapi.runtime.mcp_identity import TITLE, server_name
from services.admin.public.capabilities import MCP_CAPABILITIES, MCP_GATEWAY_PATH, MCP_PUBLIC_PATH, MCP_VERSIONS
from services.admin.public.document import FIXED_S, JSON, LIVE_S, document
from services.admin.public.mcp_server.tools import TOOLS
from services.admin.public.pretty import pretty_json
from services.admin.public.site import Public

CARD_PATH = "/mcp/server-card"
CARD_TYPE = "application/mcp-server-card+json"
CARD_SCHEMA = "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json"
DESCRIPTION = "One MCP endpoint for the tools behind this AI gateway, and a public one that describes it."


def server_card(public: Public) -> str:
    """Both endpoints are remotes of one server: they report one name and version."""
    site = public.site
    relay_key = {"isRequired": True, "isSecret": True, "description": "A relay API key of this gateway."}
    authorization = {
        "name": "Authorization",
        "description": "Bearer and a relay API key",
        "isRequired": True,
        "isSecret": True,
        "value": "Bearer {relay_key}",
        "variables": {"relay_key": relay_key},
    }
    remote = {"type": "streamable-http", "supportedProtocolVersions": list(MCP_VERSIONS)}
    card = {
        "$schema": CARD_SCHEMA,
        "name": server_name(site.base_url),
        "version": site.version,
        "title": TITLE,
        "description": DESCRIPTION,
        "websiteUrl": site.url("/developer-resources"),
        "remotes": [
            {**remote, "url": site.url(MCP_GATEWAY_PATH), "headers": [authorization]},
            {**remote, "url": site.url(MCP_PUBLIC_PATH)},
        ],
    }
    return pretty_json(card)


def manifest(public: Public) -> str:
    """What the public endpoint offers, and where the other one is. Tools of keys are never named."""
    site = public.site
    return pretty_json(
        {
            "name": server_name(site.base_url),
            "title": TITLE,
            "version": site.version,
            "description": DESCRIPTION,
            "url": site.url(MCP_PUBLIC_PATH),
            "transport": "streamable-http",
            "supportedProtocolVersions": list(MCP_VERSIONS),
            "endpoints": {"public": site.url(MCP_PUBLIC_PATH), "authenticated": site.url(MCP_GATEWAY_PATH)},
            "authentication": {
                "public": "none",
                "authenticated": {"type": "bearer", "documentation": site.url("/auth.md")},
            },
            "capabilities": {"tools": True, "resources": True, "prompts": "prompts" in MCP_CAPABILITIES},
            "serverCard": site.url(CARD_PATH),
            "tools": [{"name": tool.name, "description": tool.description} for tool in TOOLS.values()],
            "catalogRevision": public.view.revision,
        }
    )


DOCUMENTS = (
    document(
        "/.well-known/mcp/manifest.json",
        JSON,
        manifest,
        "MCP manifest",
        "the two MCP endpoints, and the tools of the public one",
        LIVE_S,
        group="Agents",
    ),
    document(
        MCP_PUBLIC_PATH,
        JSON,
        manifest,
        "Public MCP discovery endpoint",
        "a read-only MCP server over this catalog by POST, without a key; its manifest by GET",
        LIVE_S,
        group="Agents",
        beside=("POST",),
    ),
    document(
        "/.well-known/mcp/server-card.json",
        CARD_TYPE,
        server_card,
        "MCP server card",
        "addresses, protocol versions and credentials of the MCP endpoints",
        FIXED_S,
        group="Agents",
    ),
    document(CARD_PATH, CARD_TYPE, server_card, "MCP server card", "the same, where the draft has it", FIXED_S),
)
