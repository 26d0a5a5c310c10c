"""A skill that teaches agents to use this gateway, and the index by which they find it.

Agent Skills Discovery 0.2.0; the skill is agentskills.io's. Readers compare the skill's bytes with the digest in the
index, so neither may depend on anything that changes between two requests: models and prices are linked. Pure.
"""

import hashlib

from services.admin.public.capabilities import WIRE_FORMATS
from services.admin.public.document import FIXED_S, JSON, MARKDOWN, document
from services.admin.public.pretty import pretty_json
from services.admin.public.site import Public

SCHEMA = "https://schemas.agentskills.io/discovery/0.2.0/schema.json"
NAME = "gateway-quickstart"
FOLDER = "/.well-known/agent-skills"
SKILL_PATH = f"{FOLDER}/{NAME}/SKILL.md"
INDEX_PATH = f"{FOLDER}/index.json"
DESCRIPTION = (
    "Call this AI gateway with one relay key in the OpenAI Chat Completions, OpenAI Responses, Claude Messages or MCP "
    "format. Use when a task needs a model or an MCP tool behind the gateway, or its models and prices."
)


def skill(public: Public) -> str:
    """The skill's text."""
    url = public.site.url
    formats = "\n".join(f"- {name}: `{url(path)}`" for name, path in WIRE_FORMATS)
    return f"""\
---
name: {NAME}
description: {DESCRIPTION}
metadata:
  version: "{public.site.version}"
---

# Using the gateway at {public.site.base_url}

## Before the first call

1. Ask the operator for a relay API key. It begins with `sk-`. Keep it out of addresses, prompts and logs.
2. Choose a model: {url("/pricing.md")} lists them with their prices, {url("/api/models/display")} does so as JSON.
3. Without a key, try the request at {url("/sandbox/v1")} first: Chat Completions, Responses or Messages, made-up
   answers, no cost.

## Call a model

Send `Authorization: Bearer <relay key>` and JSON. A chat model is served in each format of conversations,
embeddings in their own:

{formats}

Official SDKs work unchanged: OpenAI's with the base URL `{url("/v1")}`, Anthropic's with `{url("")}`.
Set `stream` to true for output as it comes.

## Call a tool

`{url("/mcp")}` is an MCP server (Streamable HTTP) with the tools that the key may use; the same header.

## When something is refused

- 401: the key is missing or not valid. Management tokens are no relay keys.
- 402: the key's budget or the account's balance is spent. Don't retry; the body says when it resets.
- 404 for a model: the key may not use it, or it isn't there. Look at `GET {url("/v1/models")}`.
- 429 and 503: wait for as long as `Retry-After` says.

## Find out more

- {url("/ask")} answers questions about models, prices and endpoints.
- {url("/.well-known/mcp")} does so as an MCP server, without a key.
- {url("/llms.txt")} lists every document; {url("/openapi.json")} describes every route.
"""


def index(public: Public) -> str:
    """The index, with the digest of the served bytes."""
    digest = hashlib.sha256(skill(public).encode()).hexdigest()
    listed = {
        "name": NAME,
        "type": "skill-md",
        "description": DESCRIPTION,
        "url": SKILL_PATH,
        "digest": f"sha256:{digest}",
    }
    return pretty_json({"$schema": SCHEMA, "skills": [listed]})


DOCUMENTS = (
    document(INDEX_PATH, JSON, index, "Agent skills index", "skills to use this gateway", FIXED_S, group="Agents"),
    document(
        SKILL_PATH, MARKDOWN, skill, "Gateway quickstart", "how an agent calls this gateway", FIXED_S, group="Agents"
    ),
)
