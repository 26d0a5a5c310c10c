"""The paths of conversations, as in OpenAI's API.

It decides their shapes, and that what is added to a conversation may say no more than a request. It must not know
how a conversation is stored.
"""

from enum import Enum
from typing import Any

from fastapi import FastAPI, Request, Response

from oneapi.catalog.types import OPERATOR_ACCOUNT_ID
from services.edge.cold_answers import KEY_IN_SCHEMA, Callers, arrival_of, json_answer
from services.edge.inference.links import check_links
from services.edge.inference.references import check_references
from services.edge.state.conversations import Conversations, read_items, read_metadata
from services.edge.state.pages import listing, page
from services.edge.state.records import Conversation

PATH = "/v1/conversations"
ONE = PATH + "/{conversation_id}"
ITEMS = ONE + "/items"
ITEM = ITEMS + "/{item_id}"
TAGS: list[str | Enum] = ["conversations"]


def shape(conversation_id: str, head: Conversation) -> dict[str, Any]:
    """A conversation as clients see it."""
    return {
        "id": conversation_id,
        "object": "conversation",
        "created_at": head.created_at,
        "metadata": head.metadata,
    }


def add(app: FastAPI, callers: Callers, conversations: Conversations, *, allow_private: bool) -> None:
    """Adds them."""
    _add_conversations(app, callers, conversations, allow_private=allow_private)
    _add_items(app, callers, conversations, allow_private=allow_private)


def _add_conversations(app: FastAPI, callers: Callers, conversations: Conversations, *, allow_private: bool) -> None:
    @app.post(PATH, summary="Begin a conversation", tags=TAGS, dependencies=KEY_IN_SCHEMA)
    async def create_conversation(request: Request) -> Response:
        caller, body = await callers.with_body(request)
        items, metadata = read_items(body.get("items"), needed=False), read_metadata(body.get("metadata"))
        _check(items, caller.account.id, allow_private=allow_private)
        identity = await conversations.create(caller.account.id, _seed(request), metadata, items)
        return json_answer(request, shape(identity, await conversations.read(caller.account.id, identity)))

    @app.get(ONE, summary="A conversation", tags=TAGS, dependencies=KEY_IN_SCHEMA)
    async def get_conversation(request: Request, conversation_id: str) -> Response:
        caller = await callers.find(request)
        return json_answer(
            request, shape(conversation_id, await conversations.read(caller.account.id, conversation_id))
        )

    @app.post(ONE, summary="Change a conversation's metadata", tags=TAGS, dependencies=KEY_IN_SCHEMA)
    async def update_conversation(request: Request, conversation_id: str) -> Response:
        caller, body = await callers.with_body(request)
        metadata = read_metadata(body.get("metadata"))
        head = await conversations.update(caller.account.id, conversation_id, metadata)
        return json_answer(request, shape(conversation_id, head))

    @app.delete(ONE, summary="Forget a conversation and its items", tags=TAGS, dependencies=KEY_IN_SCHEMA)
    async def delete_conversation(request: Request, conversation_id: str) -> Response:
        caller = await callers.find(request)
        await conversations.delete(caller.account.id, conversation_id)
        return json_answer(request, {"id": conversation_id, "object": "conversation.deleted", "deleted": True})


def _add_items(app: FastAPI, callers: Callers, conversations: Conversations, *, allow_private: bool) -> None:
    @app.get(ITEMS, summary="The items of a conversation", tags=TAGS, dependencies=KEY_IN_SCHEMA)
    async def list_items(request: Request, conversation_id: str) -> Response:
        caller = await callers.find(request)
        items = await conversations.items(caller.account.id, conversation_id)
        return json_answer(request, page(items, request.query_params))

    @app.post(ITEMS, summary="Add items to a conversation", tags=TAGS, dependencies=KEY_IN_SCHEMA)
    async def add_items(request: Request, conversation_id: str) -> Response:
        caller, body = await callers.with_body(request)
        items = read_items(body.get("items"), needed=True)
        _check(items, caller.account.id, allow_private=allow_private)
        return json_answer(
            request, listing(await conversations.add(caller.account.id, conversation_id, _seed(request), items))
        )

    @app.get(ITEM, summary="An item of a conversation", tags=TAGS, dependencies=KEY_IN_SCHEMA)
    async def get_item(request: Request, conversation_id: str, item_id: str) -> Response:
        caller = await callers.find(request)
        return json_answer(request, await conversations.item(caller.account.id, conversation_id, item_id))

    @app.delete(ITEM, summary="Take an item out of a conversation", tags=TAGS, dependencies=KEY_IN_SCHEMA)
    async def delete_item(request: Request, conversation_id: str, item_id: str) -> Response:
        caller = await callers.find(request)
        head = await conversations.remove(caller.account.id, conversation_id, item_id)
        return json_answer(request, shape(conversation_id, head))


def _check(items: list[dict[str, Any]], account_id: str, *, allow_private: bool) -> None:
    """Raises GatewayError 400, 404: what no request may say, no conversation may bring into one."""
    given = {"input": items}
    check_links(given, allow_private=allow_private)
    if account_id != OPERATOR_ACCOUNT_ID:
        check_references(given)


def _seed(request: Request) -> str:
    return arrival_of(request).request_id.replace("-", "")
