"""The A2A agent card: who answers questions here, over which bindings.

Protocol 1.0.1. Nothing is said that `/a2a` doesn't do. Pure.
"""

from services.admin.public.capabilities import A2A_BINDINGS, A2A_OUTPUT_MODES, A2A_PATH, A2A_VERSION
from services.admin.public.document import JSON, SLOW_S, document
from services.admin.public.pretty import pretty_json
from services.admin.public.site import Public

CARD_PATH = "/.well-known/agent-card.json"
TYPE = "application/a2a-agent-card+json"
"""How catalogs call it; it is served as JSON."""
EXAMPLES = ("Which models can I call?", "What does this model cost?", "Which header takes my API key?")


def agent_card(public: Public) -> str:
    """One skill, no tasks, no pushes. No required member is empty: canonical forms differ about such."""
    site = public.site
    interfaces = [
        {"url": site.url(A2A_PATH), "protocolBinding": binding, "protocolVersion": A2A_VERSION}
        for binding in A2A_BINDINGS
    ]
    card = {
        "name": f"{site.name} docs agent",
        "description": "Answers questions about this gateway's endpoints, models, tools and prices from its catalog.",
        "supportedInterfaces": interfaces,
        "provider": {"organization": site.name, "url": site.url("/")},
        "version": site.version,
        "documentationUrl": site.url("/llms.txt"),
        "capabilities": {"streaming": True, "pushNotifications": False, "extendedAgentCard": False},
        "defaultInputModes": ["text/plain"],
        "defaultOutputModes": list(A2A_OUTPUT_MODES),
        "skills": [
            {
                "id": "ask-gateway",
                "name": "Ask the gateway",
                "description": "Finds endpoints, models, tools, prices and how to authenticate.",
                "tags": ["gateway", "models", "pricing", "tools"],
                "examples": list(EXAMPLES),
            }
        ],
    }
    return pretty_json(card)


DOCUMENTS = (
    document(
        CARD_PATH,
        JSON,
        agent_card,
        "Agent card",
        "an A2A agent that answers questions about this gateway",
        SLOW_S,
        group="Agents",
    ),
)
