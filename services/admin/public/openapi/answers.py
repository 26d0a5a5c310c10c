"""Schemas of what the routes answer that speak vendors' formats.

Sources: the vendors' API references. Each says what every answer has, and leaves the rest open: the formats grow, and a
provider's answer in the client's own format goes on as it came. What is refused always (a cancelled response, say) has
no schema here and no 200 in the document.
"""

from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_OBJECT: Schema = {"type": "object"}
_OBJECTS: Schema = {"type": "array", "items": _OBJECT}
_MAYBE_TEXT: Schema = {"type": ["string", "null"]}


def _with(**fields: Schema) -> Schema:
    return {"type": "object", "required": list(fields), "properties": fields}


def _list(row: Schema, **beside: Schema) -> Schema:
    return _with(object={"const": "list"}, data={"type": "array", "items": row}, **beside)


_CHAT = _with(
    id=_TEXT,
    object={"const": "chat.completion"},
    created={"type": "integer"},
    model=_TEXT,
    choices={
        "type": "array",
        "items": _with(index=_COUNT, message=_with(role={"const": "assistant"}), finish_reason=_MAYBE_TEXT),
    },
)
_RESPONSE = _with(
    id=_TEXT,
    object={"const": "response"},
    created_at={"type": "number"},
    status={"enum": ["completed", "incomplete", "failed", "in_progress", "queued", "cancelled"]},
    model=_TEXT,
    output={"type": "array", "items": _with(type=_TEXT)},
)
_MESSAGE = _with(
    id=_TEXT,
    type={"const": "message"},
    role={"const": "assistant"},
    model=_TEXT,
    content={"type": "array", "items": _with(type=_TEXT)},
    stop_reason=_MAYBE_TEXT,
    usage=_with(input_tokens=_COUNT, output_tokens=_COUNT),
)
_EMBEDDINGS = _list(
    _with(object={"const": "embedding"}, index=_COUNT, embedding={"type": ["array", "string"]}), model=_TEXT
)
_CONTENT: Schema = {"type": "object", "properties": {"candidates": _OBJECTS, "usageMetadata": _OBJECT}}

_OPENAI_MODEL = _with(id=_TEXT, object={"const": "model"}, created={"type": "integer"}, owned_by=_TEXT)
_ANTHROPIC_MODEL = _with(id=_TEXT, type={"const": "model"}, display_name=_TEXT, created_at=_TEXT)
_GOOGLE_MODEL = _with(name=_TEXT, supportedGenerationMethods={"type": "array", "items": _TEXT})
_GOOGLE_MODELS = _with(models={"type": "array", "items": _GOOGLE_MODEL})
_ANTHROPIC_MODELS = _with(
    data={"type": "array", "items": _ANTHROPIC_MODEL},
    has_more={"type": "boolean"},
    first_id=_MAYBE_TEXT,
    last_id=_MAYBE_TEXT,
)

_ITEM = _with(id=_TEXT, type=_TEXT)
_ITEMS = _list(_ITEM, first_id=_MAYBE_TEXT, last_id=_MAYBE_TEXT, has_more={"type": "boolean"})
_CONVERSATION = _with(id=_TEXT, object={"const": "conversation"}, created_at={"type": "integer"}, metadata=_OBJECT)

_JSON_RPC = _with(jsonrpc={"const": "2.0"})

ANSWERS: dict[str, Schema] = {
    "createChatCompletion": _CHAT,
    "createResponse": _RESPONSE,
    "countResponseTokens": _with(object={"const": "response.input_tokens"}, input_tokens=_COUNT),
    "compactResponse": _with(
        id=_TEXT,
        object={"const": "response.compaction"},
        created_at={"type": "number"},
        output={"type": "array", "items": _with(type=_TEXT)},
    ),
    "createMessage": _MESSAGE,
    "countMessageTokens": _with(input_tokens=_COUNT),
    "createEmbeddings": _EMBEDDINGS,
    "generateContent": _CONTENT,
    "streamGenerateContent": {"type": "array", "items": _CONTENT},
    "countContentTokens": _with(totalTokens=_COUNT),
    "listModels": {"anyOf": [_list(_OPENAI_MODEL), _ANTHROPIC_MODELS, _GOOGLE_MODELS]},
    "getModel": {"anyOf": [_OPENAI_MODEL, _ANTHROPIC_MODEL, _GOOGLE_MODEL]},
    "listGoogleModels": _GOOGLE_MODELS,
    "getGoogleModel": _GOOGLE_MODEL,
    "listPublicModels": _with(data={"type": "array", "items": _with(id=_TEXT, name=_TEXT, pricing=_OBJECT)}),
    "getResponse": _RESPONSE,
    "deleteResponse": _with(id=_TEXT, object=_TEXT, deleted={"const": True}),
    "listInputItems": _ITEMS,
    "createConversation": _CONVERSATION,
    "getConversation": _CONVERSATION,
    "updateConversation": _CONVERSATION,
    "deleteConversation": _with(id=_TEXT, object={"const": "conversation.deleted"}, deleted={"const": True}),
    "listItems": _ITEMS,
    "addItems": _ITEMS,
    "getItem": _ITEM,
    "deleteItem": _CONVERSATION,
    "getOwnReceipt": _with(request_id=_TEXT),
    "callMcp": _JSON_RPC,
    "sandboxChatCompletion": _CHAT,
    "sandboxResponse": _RESPONSE,
    "sandboxMessage": _MESSAGE,
    "ask": _OBJECT,
    "askByPost": _OBJECT,
    "callAgent": _JSON_RPC,
    "sendMessage": {"anyOf": [_with(message=_OBJECT), _with(task=_OBJECT)]},
    "callPublicMcp": _JSON_RPC,
    "isAlive": _with(status=_TEXT),
    "isReady": _OBJECT,
    "getEdgeSchema": _with(openapi=_TEXT, paths=_OBJECT),
}
"""By the operation's id. `streamMessage` answers events alone."""
