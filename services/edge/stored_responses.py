"""The paths of stored responses, as in OpenAI's API.

It decides their shapes, and must not know how a response is stored or made.
"""

from enum import Enum

from fastapi import FastAPI, Request, Response

from services.edge import refusals
from services.edge.cold_answers import KEY_IN_SCHEMA, Callers, json_answer
from services.edge.state.pages import page
from services.edge.state.responses import Responses

PATH = "/v1/responses/{response_id}"
TAGS: list[str | Enum] = ["responses"]


def add(app: FastAPI, callers: Callers, responses: Responses) -> None:
    """Adds them."""

    @app.get(PATH, summary="A stored response", tags=TAGS, dependencies=KEY_IN_SCHEMA)
    async def get_response(request: Request, response_id: str) -> Response:
        caller = await callers.find(request)
        if request.query_params.get("stream", "").lower() in {"true", "1"}:
            raise refusals.no_replay()
        return json_answer(request, await responses.read(caller.account.id, response_id))

    @app.delete(PATH, summary="Forget a stored response", tags=TAGS, dependencies=KEY_IN_SCHEMA)
    async def delete_response(request: Request, response_id: str) -> Response:
        caller = await callers.find(request)
        await responses.delete(caller.account.id, response_id)
        return json_answer(request, {"id": response_id, "object": "response", "deleted": True})

    @app.post(
        PATH + "/cancel", summary="Refused: nothing is made in the background", tags=TAGS, dependencies=KEY_IN_SCHEMA
    )
    async def cancel_response(request: Request, response_id: str) -> Response:
        caller = await callers.find(request)
        await responses.read(caller.account.id, response_id)
        raise refusals.not_in_background()

    @app.get(PATH + "/input_items", summary="What a stored response answered", tags=TAGS, dependencies=KEY_IN_SCHEMA)
    async def list_input_items(request: Request, response_id: str) -> Response:
        caller = await callers.find(request)
        items = await responses.input_items(caller.account.id, response_id)
        return json_answer(request, page(items, request.query_params))
