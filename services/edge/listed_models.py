"""The paths that list models: which ones a caller may use, in the shape that it reads.

A list has the shape of its path, or the one that the client says it knows: Google's SDKs ask below /v1 as well. It must
not know the shapes.
"""

from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from oneapi.runtime.door.refusals import path_not_found
from services.edge import model_list, refusals
from services.edge.authentication import Caller
from services.edge.cold_answers import KEY_IN_SCHEMA, Callers, arrival_of, json_answer
from services.edge.inference.offers import may_use, serving_channels

CHAT = "chat"


def visible_models(caller: Caller) -> list[str]:
    """The models that this caller may use, sorted."""
    return [model for model in caller.view.models() if may_use(caller, model) and serving_channels(caller, model)]


def add(app: FastAPI, callers: Callers) -> None:
    """Adds the paths."""

    @app.get("/v1/models", summary="Models that this key may use", tags=["models"], dependencies=KEY_IN_SCHEMA)
    async def list_models(request: Request) -> Response:
        caller = await callers.find(request)
        arrival = arrival_of(request)
        if arrival.google:
            return _google_list(request, caller)
        models = visible_models(caller)
        if not arrival.anthropic:
            return json_answer(request, model_list.openai_list(models))
        try:
            return json_answer(request, model_list.anthropic_list(models, request.query_params))
        except ValueError:
            raise refusals.bad_page() from None

    @app.get("/v1/models/{model:path}", summary="One model", tags=["models"], dependencies=KEY_IN_SCHEMA)
    async def get_model(request: Request, model: str) -> Response:
        caller = await _usable(callers, request, model)
        arrival = arrival_of(request)
        if arrival.google:
            return json_answer(request, _google_model(caller, model))
        shape = model_list.anthropic_model if arrival.anthropic else model_list.openai_model
        return json_answer(request, shape(model))

    @app.get("/v1beta/models", summary="Models, as in Google's API", tags=["models"], dependencies=KEY_IN_SCHEMA)
    async def list_google_models(request: Request) -> Response:
        return _google_list(request, await callers.find(request))

    @app.get(
        "/v1beta/models/{model:path}",
        summary="One model, as in Google's API",
        tags=["models"],
        dependencies=KEY_IN_SCHEMA,
    )
    async def get_google_model(request: Request, model: str) -> Response:
        return json_answer(request, _google_model(await _usable(callers, request, model), model))

    @app.post("/v1beta/models/{model:path}", include_in_schema=False)
    async def post_google_model(model: str) -> Response:
        """The calls that there are never come here: the entrance knows them."""
        if ":" in model:
            raise path_not_found()
        raise HTTPException(405, headers={"allow": "GET"})


async def _usable(callers: Callers, request: Request, model: str) -> Caller:
    """The caller, who may use this model. Raises GatewayError 404."""
    caller = await callers.find(request)
    if not (may_use(caller, model) and serving_channels(caller, model)):
        raise refusals.model_not_found(model)
    return caller


def _google_list(request: Request, caller: Caller) -> Response:
    try:
        page, following = model_list.google_page(visible_models(caller), request.query_params)
    except ValueError:
        raise refusals.bad_page_size() from None
    listed = {"models": [_google_model(caller, name) for name in page]}
    return json_answer(request, {**listed, "nextPageToken": following} if following else listed)


def _google_model(caller: Caller, model: str) -> dict[str, Any]:
    channels = serving_channels(caller, model)
    return model_list.google_model(model, converses=any(CHAT in (each.endpoints or (CHAT,)) for each in channels))
