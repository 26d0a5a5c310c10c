"""Catalogs of what agents find here: AI Catalog 1.0, and ARD's form of the same list.

Entries say only what their artifacts don't say themselves, but for ARD, which wants it. Pure.
"""

from dataclasses import dataclass
from typing import Any

from services.admin.public.document import JSON, SLOW_S, document
from services.admin.public.documents import agent_card, agent_skills, mcp_cards
from services.admin.public.pretty import pretty_json
from services.admin.public.site import Public

CATALOG_TYPE = "application/ai-catalog+json"
SPEC_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Offered:
    """One artifact. `described` are those whose type has no name and description of its own."""

    kind: str
    name: str
    media_type: str
    path: str
    title: str
    description: str
    queries: tuple[str, ...]
    described: bool = False


OFFERED = (
    Offered(
        "mcp",
        "gateway",
        mcp_cards.CARD_TYPE,
        mcp_cards.CARD_PATH,
        "MCP gateway",
        mcp_cards.DESCRIPTION,
        ("Which tools does this gateway offer?", "Call an MCP tool through the gateway"),
    ),
    Offered(
        "agent",
        "docs",
        agent_card.TYPE,
        agent_card.CARD_PATH,
        "Docs agent",
        "Answers questions about this gateway from its live catalog.",
        agent_card.EXAMPLES,
    ),
    Offered(
        "skill",
        agent_skills.NAME,
        "application/agent-skills+md",
        agent_skills.SKILL_PATH,
        "Gateway quickstart",
        agent_skills.DESCRIPTION,
        ("How do I call a model with a relay key?", "Use this gateway with the OpenAI SDK"),
        described=True,
    ),
)


def ai_catalog(public: Public) -> str:
    """Level 2, discoverable. No trust manifests: nothing here is signed."""
    entries = []
    for offered in OFFERED:
        entry = _entry(public, offered)
        if offered.described:
            entry |= {"displayName": offered.title, "description": offered.description}
        entries.append(entry)
    return pretty_json({"specVersion": SPEC_VERSION, "host": _host(public), "entries": entries})


def ard(public: Public) -> str:
    """The same entries with what ARD requires besides."""
    entries = [
        _entry(public, offered)
        | {
            "displayName": offered.title,
            "description": offered.description,
            "representativeQueries": list(offered.queries),
        }
        for offered in OFFERED
    ]
    return pretty_json({"specVersion": SPEC_VERSION, "host": _host(public), "entries": entries})


def _entry(public: Public, offered: Offered) -> dict[str, Any]:
    site = public.site
    identifier = f"urn:air:{site.host}:{offered.kind}:{offered.name}"
    return {"identifier": identifier, "type": offered.media_type, "url": site.url(offered.path)}


def _host(public: Public) -> dict[str, str]:
    site = public.site
    documentation = site.url("/developer-resources")
    return {"displayName": site.name, "identifier": site.host, "documentationUrl": documentation}


DOCUMENTS = (
    document(
        "/.well-known/ai-catalog.json",
        CATALOG_TYPE,
        ai_catalog,
        "Agentic resource catalog",
        "the MCP server, the A2A agent and the skill of this gateway",
        SLOW_S,
        group="Agents",
        rel="ai-catalog",
    ),
    document(
        "/.well-known/ard.json",
        JSON,
        ard,
        "Agentic resource discovery",
        "the same list as ARD has it",
        SLOW_S,
        group="Agents",
        rel="ard",
    ),
)
