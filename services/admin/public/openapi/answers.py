"""Schemas of what the routes answer that speak vendors' formats.

Sources: the vendors' API references. Each says what every answer has, and leaves the rest open: the formats grow, and a
provider's answer in the client's own format goes on as it came. What is refused always (a cancelled response, say) has
no schema here and no 200 in the document.
"""

from services.admin.public.openapi.schemas import OBJECT, TEXT, Schema, having

_COUNT: Schema = {"type": "integer", "minimum": 0}
_OBJECTS: Schema = {"type": "array", "items": OBJECT}
_MAYBE_TEXT: Schema = {"type": ["string", "null"]}


def _list(row: Schema, **beside: Schema) -> Schema:
    return having(object={"const": "list"}, data={"type": "array", "items": row}, **beside)


_CHAT = having(
    id=TEXT,
    object={"const": "chat.completion"},
    created={"type": "integer"},
    model=TEXT,
    choices={
        "type": "array",
        "items": having(index=_COUNT, message=having(role={"const": "assistant"}), finish_reason=_MAYBE_TEXT),
    },
)
_RESPONSE = having(
    id=TEXT,
    object={"const": "response"},
    created_at={"type": "number"},
    status={"enum": ["completed", "incomplete", "failed", "in_progress", "queued", "cancelled"]},
    model=TEXT,
    output={"type": "array", "items": having(type=TEXT)},
)
_MESSAGE = having(
    id=TEXT,
    type={"const": "message"},
    role={"const": "assistant"},
    model=TEXT,
    content={"type": "array", "items": having(type=TEXT)},
    stop_reason=_MAYBE_TEXT,
    usage=having(input_tokens=_COUNT, output_tokens=_COUNT),
)
_EMBEDDINGS = _list(
    having(object={"const": "embedding"}, index=_COUNT, embedding={"type": ["array", "string"]}), model=TEXT
)
_CONTENT: Schema = {"type": "object", "properties": {"candidates": _OBJECTS, "usageMetadata": OBJECT}}

_OPENAI_MODEL = having(id=TEXT, object={"const": "model"}, created={"type": "integer"}, owned_by=TEXT)
_ANTHROPIC_MODEL = having(id=TEXT, type={"const": "model"}, display_name=TEXT, created_at=TEXT)
_GOOGLE_MODEL = having(name=TEXT, supportedGenerationMethods={"type": "array", "items": TEXT})
_GOOGLE_MODELS = having(models={"type": "array", "items": _GOOGLE_MODEL})
_ANTHROPIC_MODELS = having(
    data={"type": "array", "items": _ANTHROPIC_MODEL},
    has_more={"type": "boolean"},
    first_id=_MAYBE_TEXT,
    last_id=_MAYBE_TEXT,
)

_ITEM = having(id=TEXT, type=TEXT)
_ITEMS = _list(_ITEM, first_id=_MAYBE_TEXT, last_id=_MAYBE_TEXT, has_more={"type": "boolean"})
_CONVERSATION = having(id=TEXT, object={"const": "conversation"}, created_at={"type": "integer"}, metadata=OBJECT)

_JSON_RPC = having(jsonrpc={"const": "2.0"})

ANSWERS: dict[str, Schema] = {
    "createChatCompletion": _CHAT,
    "createResponse": _RESPONSE,
    "countResponseTokens": having(object={"const": "response.input_tokens"}, input_tokens=_COUNT),
    "compactResponse": having(
        id=TEXT,
        object={"const": "response.compaction"},
        created_at={"type": "number"},
        output={"type": "array", "items": having(type=TEXT)},
    ),
    "createMessage": _MESSAGE,
    "countMessageTokens": having(input_tokens=_COUNT),
    "createEmbeddings": _EMBEDDINGS,
    "generateContent": _CONTENT,
    "streamGenerateContent": {"type": "array", "items": _CONTENT},
    "countContentTokens": having(totalTokens=_COUNT),
    "listModels": {"anyOf": [_list(_OPENAI_MODEL), _ANTHROPIC_MODELS, _GOOGLE_MODELS]},
    "getModel": {"anyOf": [_OPENAI_MODEL, _ANTHROPIC_MODEL, _GOOGLE_MODEL]},
    "listGoogleModels": _GOOGLE_MODELS,
    "getGoogleModel": _GOOGLE_MODEL,
    "listPublicModels": having(data={"type": "array", "items": having(id=TEXT, name=TEXT, pricing=OBJECT)}),
    "getResponse": _RESPONSE,
    "deleteResponse": having(id=TEXT, object=TEXT, deleted={"const": True}),
    "listInputItems": _ITEMS,
    "createConversation": _CONVERSATION,
    "getConversation": _CONVERSATION,
    "updateConversation": _CONVERSATION,
    "deleteConversation": having(id=TEXT, object={"const": "conversation.deleted"}, deleted={"const": True}),
    "listItems": _ITEMS,
    "addItems": _ITEMS,
    "getItem": _ITEM,
    "deleteItem": _CONVERSATION,
    "getOwnReceipt": having(request_id=TEXT),
    "callMcp": _JSON_RPC,
    "sandboxChatCompletion": _CHAT,
    "sandboxResponse": _RESPONSE,
    "sandboxMessage": _MESSAGE,
    "ask": OBJECT,
    "askByPost": OBJECT,
    "callAgent": _JSON_RPC,
    "sendMessage": {"anyOf": [having(message=OBJECT), having(task=OBJECT)]},
    "callPublicMcp": _JSON_RPC,
    "isAlive": having(status=TEXT),
    "isReady": OBJECT,
    "getEdgeSchema": having(openapi=TEXT, paths=OBJECT),
}
"""By the operation's id. `streamMessage` answers events alone."""
