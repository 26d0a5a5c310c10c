"""Every route of the gateway that isn't a document: the edge's, mcp's and admin's, as rows.

It decides what each is called in documents, who may call it and in which format it speaks; documents take it from here.
Services don't know each other, so a test holds these rows against what the three really serve. It must not know how
any of them is served.
"""

import enum
from dataclasses import dataclass


class Auth(enum.Enum):
    """What a caller has to present."""

    NONE = "nothing"
    RELAY_KEY = "relay key"
    MANAGEMENT = "management token"


class Format(enum.Enum):
    """In which format requests, answers and errors are."""

    CHAT = "OpenAI Chat Completions"
    RESPONSES = "OpenAI Responses"
    EMBEDDINGS = "OpenAI Embeddings"
    MESSAGES = "Claude Messages"
    GEMINI = "Google Gemini"
    OPENAI = "OpenAI"
    MCP = "MCP Streamable HTTP"
    MANAGEMENT = "JSON, problem+json"
    JSON = "JSON"


class Group(enum.Enum):
    """The section in which documents list it."""

    INFERENCE = "inference"
    MODELS = "models"
    RESPONSES = "responses"
    CONVERSATIONS = "conversations"
    RECEIPTS = "receipts"
    TOOLS = "tools"
    SANDBOX = "sandbox"
    DISCOVERY = "discovery"
    HEALTH = "health"
    MANAGEMENT = "management"


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path. `path` has its parameters in braces, as OpenAPI writes them."""

    method: str
    path: str
    auth: Auth
    group: Group
    format: Format
    operation_id: str
    summary: str

    @property
    def key(self) -> bool:
        """Whether it takes a relay key."""
        return self.auth is Auth.RELAY_KEY

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters in its path, in order."""
        return tuple(part.partition("}")[0] for part in self.path.split("{")[1:])


def _keyed(group: Group, format_: Format, *rows: tuple[str, str, str, str]) -> tuple[Route, ...]:
    return tuple(
        Route(method, path, Auth.RELAY_KEY, group, format_, name, summary) for method, path, name, summary in rows
    )


def _managed(*rows: tuple[str, str, str, str]) -> tuple[Route, ...]:
    return tuple(
        Route(method, path, Auth.MANAGEMENT, Group.MANAGEMENT, Format.MANAGEMENT, name, summary)
        for method, path, name, summary in rows
    )


def _open(group: Group, format_: Format, *rows: tuple[str, str, str, str]) -> tuple[Route, ...]:
    return tuple(Route(method, path, Auth.NONE, group, format_, name, summary) for method, path, name, summary in rows)


INFERENCE = (
    *_keyed(
        Group.INFERENCE, Format.CHAT,
        ("POST", "/v1/chat/completions", "createChatCompletion", "A chat completion, as in OpenAI's API"),
    ),
    *_keyed(
        Group.INFERENCE, Format.RESPONSES,
        ("POST", "/v1/responses", "createResponse", "A response, as in OpenAI's API"),
        ("POST", "/v1/responses/input_tokens", "countResponseTokens", "How many tokens a response's input has"),
        ("POST", "/v1/responses/compact", "compactResponse", "A conversation made shorter"),
    ),
    *_keyed(
        Group.INFERENCE, Format.MESSAGES,
        ("POST", "/v1/messages", "createMessage", "A message, as in Anthropic's API"),
        ("POST", "/v1/messages/count_tokens", "countMessageTokens", "How many tokens a message has"),
    ),
    *_keyed(
        Group.INFERENCE, Format.EMBEDDINGS,
        ("POST", "/v1/embeddings", "createEmbeddings", "Embeddings, as in OpenAI's API"),
    ),
    *_keyed(
        Group.INFERENCE, Format.GEMINI,
        ("POST", "/v1beta/models/{model}:generateContent", "generateContent", "Content, as in Google's API"),
        ("POST", "/v1beta/models/{model}:streamGenerateContent", "streamGenerateContent",
         "Content as a stream, as in Google's API: events with `alt=sse`, else one list"),
        ("POST", "/v1beta/models/{model}:countTokens", "countContentTokens", "How many tokens content has"),
    ),
)  # fmt: skip

_MODELS = (
    *_keyed(
        Group.MODELS, Format.OPENAI,
        ("GET", "/v1/models", "listModels", "Models that the key may use"),
        ("GET", "/v1/models/{model}", "getModel", "One model"),
    ),
    *_keyed(
        Group.MODELS, Format.GEMINI,
        ("GET", "/v1beta/models", "listGoogleModels", "Models that the key may use, as in Google's API"),
        ("GET", "/v1beta/models/{model}", "getGoogleModel", "One model, as in Google's API"),
    ),
    *_open(
        Group.MODELS, Format.OPENAI,
        ("GET", "/openrouter/v1/models", "listPublicModels", "Public models with prices, as in OpenRouter's API"),
    ),
)  # fmt: skip

_STORED = (
    *_keyed(
        Group.RESPONSES, Format.RESPONSES,
        ("GET", "/v1/responses/{response_id}", "getResponse", "A stored response"),
        ("DELETE", "/v1/responses/{response_id}", "deleteResponse", "Forget a stored response"),
        ("POST", "/v1/responses/{response_id}/cancel", "cancelResponse",
         "Refused: nothing is made in the background"),
        ("GET", "/v1/responses/{response_id}/input_items", "listInputItems", "What a stored response answered"),
    ),
    *_keyed(
        Group.CONVERSATIONS, Format.RESPONSES,
        ("POST", "/v1/conversations", "createConversation", "Begin a conversation"),
        ("GET", "/v1/conversations/{conversation_id}", "getConversation", "A conversation"),
        ("POST", "/v1/conversations/{conversation_id}", "updateConversation", "Change a conversation's metadata"),
        ("DELETE", "/v1/conversations/{conversation_id}", "deleteConversation", "Forget a conversation"),
        ("GET", "/v1/conversations/{conversation_id}/items", "listItems", "The items of a conversation"),
        ("POST", "/v1/conversations/{conversation_id}/items", "addItems", "Add items to a conversation"),
        ("GET", "/v1/conversations/{conversation_id}/items/{item_id}", "getItem", "An item of a conversation"),
        ("DELETE", "/v1/conversations/{conversation_id}/items/{item_id}", "deleteItem",
         "Take an item out of a conversation"),
    ),
    *_keyed(
        Group.RECEIPTS, Format.OPENAI,
        ("GET", "/v1/receipts/{request_id}", "getOwnReceipt", "What a request of this key cost, and why"),
    ),
)  # fmt: skip

_TOOLS = _keyed(
    Group.TOOLS, Format.MCP,
    ("POST", "/mcp", "callMcp", "The tools that the key may use: list and call them by MCP"),
)  # fmt: skip

_HEALTH = _open(
    Group.HEALTH, Format.JSON,
    ("GET", "/healthz", "isAlive", "Whether the process lives"),
    ("GET", "/readyz", "isReady", "Whether requests can be served, else what is missing"),
    ("GET", "/v1/openapi.json", "getEdgeSchema", "The edge's own schema of its paths"),
)  # fmt: skip

_DISCOVERY = (
    *_open(
        Group.DISCOVERY, Format.JSON,
        ("GET", "/ask", "ask", "A question about this gateway, answered from its live catalog"),
        ("POST", "/ask", "askByPost", "The same with the question in the body, as NLWeb has it"),
        ("POST", "/a2a", "callAgent", "The same by A2A over JSON-RPC"),
        ("POST", "/a2a/message:send", "sendMessage", "The same by A2A over HTTP and JSON"),
        ("POST", "/a2a/message:stream", "streamMessage", "The same as a stream"),
    ),
    *_open(
        Group.DISCOVERY, Format.MCP,
        ("POST", "/.well-known/mcp", "callPublicMcp", "The same by MCP, with lists of public models and tools"),
    ),
)  # fmt: skip

SANDBOX = (
    *_open(
        Group.SANDBOX, Format.CHAT,
        ("POST", "/sandbox/v1/chat/completions", "sandboxChatCompletion", "A made-up chat completion, free"),
    ),
    *_open(
        Group.SANDBOX, Format.RESPONSES,
        ("POST", "/sandbox/v1/responses", "sandboxResponse", "A made-up response, free"),
    ),
    *_open(
        Group.SANDBOX, Format.MESSAGES,
        ("POST", "/sandbox/v1/messages", "sandboxMessage", "A made-up message, free"),
    ),
)  # fmt: skip

MANAGEMENT = (
    *_managed(
        ("GET", "/api/accounts", "listAccounts", "Accounts that the caller may see"),
        ("POST", "/api/accounts", "createAccount", "Make an account"),
        ("GET", "/api/accounts/{account_id}", "getAccount", "One account"),
        ("PATCH", "/api/accounts/{account_id}", "updateAccount", "Change an account"),
        ("DELETE", "/api/accounts/{account_id}", "deleteAccount", "Delete an account with its users and keys"),
        ("GET", "/api/accounts/{account_id}/credits", "listCredits", "The credits of an account"),
        ("POST", "/api/accounts/{account_id}/credits", "grantCredit", "Give an account credit"),
        ("GET", "/api/users", "listUsers", "Users that the caller may see"),
        ("POST", "/api/users", "createUser", "Make a user"),
        ("GET", "/api/users/{user_id}", "getUser", "One user"),
        ("PATCH", "/api/users/{user_id}", "updateUser", "Change a user"),
        ("DELETE", "/api/users/{user_id}", "deleteUser", "Delete a user with their sessions and keys"),
        ("GET", "/api/keys", "listKeys", "Relay keys that the caller may see"),
        ("POST", "/api/keys", "createKey", "Make a relay key; it is shown this once"),
        ("GET", "/api/keys/{key_id}", "getKey", "One relay key, without the key itself"),
        ("PATCH", "/api/keys/{key_id}", "updateKey", "Change a relay key"),
        ("DELETE", "/api/keys/{key_id}", "deleteKey", "Revoke a relay key"),
        ("POST", "/api/keys/{key_id}/rotate", "rotateKey", "Give a relay key another secret"),
        ("GET", "/api/tokens", "listTokens", "Management tokens that the caller may see"),
        ("POST", "/api/tokens", "createToken", "Make a management token; it is shown this once"),
        ("GET", "/api/tokens/{token_id}", "getToken", "One management token, without the token itself"),
        ("PATCH", "/api/tokens/{token_id}", "updateToken", "Change a management token"),
        ("DELETE", "/api/tokens/{token_id}", "deleteToken", "Revoke a management token"),
        ("POST", "/api/tokens/{token_id}/rotate", "rotateToken", "Give a management token another secret"),
        ("GET", "/api/session", "getSession", "Who the caller is"),
        ("DELETE", "/api/session", "logout", "End the session"),
    ),
    Route("POST", "/api/session", Auth.NONE, Group.MANAGEMENT, Format.MANAGEMENT, "login",
          "Begin a session, with a password or a management token"),
    *_managed(
        ("GET", "/api/channels", "listChannels", "Channels, without their secrets"),
        ("POST", "/api/channels", "createChannel", "Make a channel"),
        ("GET", "/api/channels/{channel_id}", "getChannel", "One channel"),
        ("PATCH", "/api/channels/{channel_id}", "updateChannel", "Change a channel"),
        ("DELETE", "/api/channels/{channel_id}", "deleteChannel", "Delete a channel and its own prices"),
        ("POST", "/api/channels/{channel_id}/test", "testChannel", "Ask a channel's upstream for its models"),
        ("GET", "/api/prices", "listPrices", "Prices by model"),
        ("GET", "/api/prices/{model}", "getPrice", "The price of a model"),
        ("PUT", "/api/prices/{model}", "putPrice", "Make a version of a price"),
        ("PATCH", "/api/prices/{model}", "updatePrice", "Make a version that differs in some fields"),
        ("DELETE", "/api/prices/{model}", "deletePrice", "Delete a price"),
        ("GET", "/api/mcp-servers", "listMcpServers", "MCP servers, without their secrets"),
        ("POST", "/api/mcp-servers", "createMcpServer", "Make an MCP server; its tools are offered"),
        ("GET", "/api/mcp-servers/{server_id}", "getMcpServer", "One MCP server"),
        ("PATCH", "/api/mcp-servers/{server_id}", "updateMcpServer", "Change an MCP server"),
        ("DELETE", "/api/mcp-servers/{server_id}", "deleteMcpServer", "Delete an MCP server"),
        ("GET", "/api/receipts/{request_id}", "getReceipt", "The receipt of a request"),
        ("GET", "/api/logs", "listReceipts", "Receipts, newest first"),
        ("GET", "/api/usage", "getUsage", "Requests, errors, cost and usage, grouped"),
        ("GET", "/api/balance", "getBalance", "The balance of an account"),
        ("GET", "/api/status", "getStatus", "How the parts of the gateway are"),
        ("POST", "/api/explain", "explain", "Which channels a request would go to, and why"),
        ("GET", "/api/audit", "listChanges", "Changes of the configuration, newest first"),
    ),
)  # fmt: skip

ROUTES: tuple[Route, ...] = (*INFERENCE, *_MODELS, *_STORED, *_TOOLS, *SANDBOX, *_DISCOVERY, *_HEALTH, *MANAGEMENT)
"""All of them, in the order in which documents show them."""
