"""Upstreams that speak a format which no client does, through the real edge: Cohere's Chat API, Bedrock's Converse."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from oneapi.catalog.types import Budget
from oneapi.runtime.ids import uuid7
from tests.integration.edge.formats import (
    CHAT,
    COHERE,
    CONVERSE,
    FORMATS,
    MESSAGES,
    asked,
    broken,
    capped,
    channel_of,
    complete,
    error_of,
    path,
    said,
    streamed,
    usage_of,
)
from tests.integration.edge.stage import Stage, eventually

PAIRS = [(client, upstream) for client in FORMATS for upstream in (COHERE, CONVERSE)]
SCRIPTS = {
    "text": "play:tokens=5,cached=4",
    "refused": "play:status=400",
    "limited": "play:status=429,retry_after=7",
    "dependent": "play:status=424",
    "down": "play:status=500",
    "cut": "play:tokens=8,cut=6",
    "failing": "play:tokens=8,error_event=6",
    "broken": "play:tokens=8,malformed=6",
    "endless": "play:tokens=500,gap_ms=10",
    "long": "play:tokens=20000",
}


def model_of(scenario: str, upstream: str) -> str:
    return f"{scenario}-of-{upstream}"


@pytest.fixture(scope="module", autouse=True)
async def models(stage: Stage) -> AsyncIterator[None]:
    channels = [
        await stage.channel(
            {model_of(scenario, upstream): script for scenario, script in SCRIPTS.items()}, **channel_of(upstream)
        )
        for upstream in (COHERE, CONVERSE)
    ]
    yield
    for channel in channels:
        stage.channels.pop(channel.id)


async def ask(stage: Stage, key: str, client: str, model: str, **more: Any) -> httpx2.Response:
    async with stage.http(key) as http:
        where = path(client, model, stream=more.get("stream", False))
        return await http.post(where, json=asked(client, model, **more))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_text(stage: Stage, key: str, client: str, upstream: str, stream: bool) -> None:
    answer = await ask(stage, key, client, model_of("text", upstream), stream=stream)
    assert answer.status_code == 200, answer.text
    assert "x-oneapi-loss" not in answer.headers
    assert answer.headers["content-type"].startswith("text/event-stream" if stream else "application/json")
    if stream:
        assert streamed(client, answer.text) == " tok" * 5
        assert complete(client, answer.text)
    else:
        assert said(client, answer.json()) == " tok" * 5
    event = await stage.event(answer.headers["x-request-id"])
    assert (event.outcome, event.evidence) == ("ok", "provider")
    assert dict(event.usage) == usage_of(upstream)
    assert event.reserved_nano >= event.amount_nano > 0
    entry = stage.upstream.served()[-1]
    assert entry["stream"] == stream
    assert "play:" not in answer.text


async def test_bedrock_is_asked_by_the_models_own_path_and_signed(stage: Stage, key: str) -> None:
    for stream, ending in ((False, "/converse"), (True, "/converse-stream")):
        answer = await ask(stage, key, CHAT, model_of("text", CONVERSE), stream=stream)
        assert answer.status_code == 200
        entry = stage.upstream.served()[-1]
        assert entry["path"] == f"/model/{SCRIPTS['text']}{ending}"
        assert {"model", "stream"}.isdisjoint(entry["body"])
        assert "/eu-west-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date," in entry["credential"]


async def test_a_wrong_signature_is_the_operators_affair(stage: Stage, key: str) -> None:
    wrong = "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYANOTHERKEY"
    for name, api_key, config in (
        ("wrong", wrong, {"region": "eu-west-1"}),
        ("nowhere", wrong, {}),
        ("neither", "a:b", {"region": "eu-west-1"}),
    ):
        model = f"{name}-signature"
        await stage.channel({model: "play:tokens=1"}, provider="bedrock", api_key=api_key, config=config)
        before = len(stage.upstream.served())
        answer = await ask(stage, key, MESSAGES, model)
        assert answer.status_code == 502
        assert "ignature" not in answer.text
        assert len(stage.upstream.served()) == before + (name == "wrong")
    log = stage.log.read_text()
    assert "ANOTHERKEY" not in log
    assert "the region is in neither" in log


@pytest.mark.parametrize("stream", [False, True])
async def test_an_api_key_is_a_bearer(stage: Stage, key: str, stream: bool) -> None:
    model = f"bearer-{stream}"
    await stage.channel({model: "play:tokens=2"}, provider="bedrock", api_key="bedrock-api-key")
    answer = await ask(stage, key, CHAT, model, stream=stream)
    assert answer.status_code == 200
    assert stage.upstream.served()[-1]["credential"] == "Bearer bedrock-api-key"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_errors_before_an_answer(stage: Stage, key: str, client: str, upstream: str, stream: bool) -> None:
    for scenario, status in (("refused", 400), ("limited", 429), ("dependent", 502), ("down", 502)):
        answer = await ask(stage, key, client, model_of(scenario, upstream), stream=stream)
        assert answer.status_code == status
        error = error_of(client, answer.json())
        assert ("the upstream says no" in error["message"]) == (status == 400)
        event = await stage.event(answer.headers["x-request-id"])
        assert (event.outcome, event.evidence, event.amount_nano) == ("upstream_error", "none", 0)


@pytest.mark.parametrize("scenario", ["cut", "failing", "broken"])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_errors_in_the_middle(stage: Stage, key: str, client: str, upstream: str, scenario: str) -> None:
    answer = await ask(stage, key, client, model_of(scenario, upstream), stream=True)
    assert answer.status_code == 200
    text = streamed(client, answer.text)
    assert text
    assert broken(client, answer.text)
    event = await stage.event(answer.headers["x-request-id"])
    assert (event.outcome, event.evidence) == ("upstream_cut", "counted")
    assert event.usage["output"] == len(text) // 4


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_clients_that_leave(stage: Stage, key: str, client: str, upstream: str) -> None:
    mine = uuid7()
    model = model_of("endless", upstream)
    async with (
        stage.http(key) as http,
        http.stream(
            "POST",
            path(client, model, stream=True),
            json=asked(client, model, stream=True),
            headers={"x-request-id": mine},
        ) as answer,
    ):
        async for piece in answer.aiter_text():
            if " tok" in piece:
                break
    event = await stage.event(client_request_id=mine)
    assert (event.outcome, event.evidence) == ("client_gone", "counted")

    async def hung_up() -> bool:
        rows = stage.upstream.served(model=SCRIPTS["endless"])
        return bool(rows) and not rows[-1]["whole"] and 1 <= event.usage["output"] <= rows[-1]["tokens"] < 500

    if upstream == COHERE:  # The record counts tokens in plain text only.
        await eventually(hung_up)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_a_hard_budget_holds(stage: Stage, client: str, upstream: str) -> None:
    """The upstream answers with far more than it was told; what it was told is what was reserved for."""
    key = await stage.key(budgets=(Budget(amount_nano=10**9),))
    await stage.known()
    answer = await ask(stage, key, client, model_of("long", upstream), **capped(client, 40))
    assert answer.status_code == 200
    body = stage.upstream.served()[-1]["body"]
    assert (body["max_tokens"] if upstream == COHERE else body["inferenceConfig"]["maxTokens"]) == 40
    event = await stage.event(answer.headers["x-request-id"])
    assert event.amount_nano == event.reserved_nano
    assert event.house_nano > 0


async def test_losses_are_told(stage: Stage, key: str) -> None:
    answer = await ask(stage, key, CHAT, model_of("text", CONVERSE), seed=1)
    assert answer.headers["x-oneapi-loss"] == "seed"
    assert "seed" not in json.dumps(stage.upstream.served()[-1]["body"])
    answer = await ask(stage, key, CHAT, model_of("text", COHERE), seed=1)
    assert "x-oneapi-loss" not in answer.headers
    assert stage.upstream.served()[-1]["body"]["seed"] == 1
