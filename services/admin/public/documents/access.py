"""How callers prove who they are: in words, and as RFC 9728 says it to programs.

It decides that nothing is promised which isn't there: keys are given by operators, and there is no server that issues
them to programs.
"""

from collections.abc import Callable

from services.admin.public.document import JSON, MARKDOWN, SLOW_S, document
from services.admin.public.markdown import address
from services.admin.public.pretty import pretty_json
from services.admin.public.site import Public

WELL_KNOWN = "/.well-known/oauth-protected-resource"


def auth(public: Public) -> str:
    """Relay keys, management tokens, and what there isn't."""
    site = public.site
    return f"""\
# Authentication

Two kinds of credentials, which are never taken for each other:

| Credential | Is for | Looks like | Given by |
| --- | --- | --- | --- |
| Relay key | `/v1`, `/v1beta` and `/mcp`: models and tools | begins with `sk-` | the operator, with `POST /api/keys` |
| Management token | `/api`: configuration and records | an opaque word | the operator, with `POST /api/tokens` |

The public documents and the sandbox (`/sandbox/v1`) need neither.

## Relay keys

Send one, in one place:

- `Authorization: Bearer <relay key>`
- `x-api-key: <relay key>`, as Anthropic's clients do
- `api-key: <relay key>`, as Azure's clients do
- `x-goog-api-key: <relay key>`, as Google's clients do; below `/v1beta` also `?key=<relay key>`

A key may be bound to models, tools, addresses, budgets and rates. Every bad key gets the same 401; a spent budget is
402, and a model that the key may not use is 404.

Relay keys are secrets: keep them out of addresses, prompts, pages, logs and screenshots.

## Management tokens

`Authorization: Bearer <management token>`. People sign in with `POST /api/session` and get a session cookie. Errors are
RFC 9457 problems.

## Agents

An agent can't register itself here. There is no authorization server and no endpoint that issues, claims or revokes
credentials for agents: no `register_uri`, no `claim_uri`, no `revocation_uri`, and no identity types. A person who
operates this gateway makes a relay key, and gives it to the agent.

{address(site, WELL_KNOWN)} and {address(site, WELL_KNOWN + "/mcp")} say the same to programs (RFC 9728): they name no
authorization servers. A 401 has `WWW-Authenticate: Bearer`.
"""


def resource(path: str) -> Callable[[Public], str]:
    """RFC 9728 metadata of the resource at a path."""

    def render(public: Public) -> str:
        site = public.site
        metadata = {
            "resource": site.url(path),
            "resource_name": site.name,
            "bearer_methods_supported": ["header"],
            "resource_documentation": site.url("/auth.md"),
        }
        return pretty_json(metadata)

    return render


DOCUMENTS = (
    document(
        "/auth.md",
        MARKDOWN,
        auth,
        "Authentication",
        "relay keys and management tokens, and which takes which",
        SLOW_S,
        group="Documentation",
    ),
    document(
        WELL_KNOWN,
        JSON,
        resource(""),
        "Protected resource metadata",
        "how this gateway's routes are protected (RFC 9728)",
        SLOW_S,
        group="Discovery",
    ),
    document(
        WELL_KNOWN + "/mcp",
        JSON,
        resource("/mcp"),
        "Protected resource metadata of MCP",
        "how /mcp is protected (RFC 9728)",
        SLOW_S,
        group="Discovery",
    ),
)
