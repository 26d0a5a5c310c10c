"""Counting tokens: by the provider where it can, else an estimate; what it costs, and what is refused."""

import asyncio
import base64
import random
from typing import Any

import anthropic
import httpx2
import pytest
from google import genai

from oneapi.catalog.types import KeyLimits
from tests.integration.edge.stage import Stage

MESSAGES, RESPONSES = "/v1/messages/count_tokens", "/v1/responses/input_tokens"
HI = [{"role": "user", "content": "hello world"}]
SLOW = base64.b64encode(random.Random(7).randbytes(4_000_000)).decode()
"""Text that takes a while to count: no words divide it."""
PLAY = "play:input=4321"


@pytest.fixture(scope="module")
async def models(stage: Stage) -> None:
    await stage.channel({"count-claude": PLAY}, provider="anthropic-compatible")
    await stage.channel({"count-gpt": PLAY}, provider="openai")
    await stage.channel({"count-gemini": PLAY}, provider="gemini", base_url=stage.upstream.url)
    await stage.channel({"count-local": PLAY})


def body(path: str, model: str, **more: Any) -> dict[str, Any]:
    return {"model": model, **({"messages": HI} if path == MESSAGES else {"input": "hello world"}), **more}


def counted(path: str, answer: httpx2.Response) -> int:
    """The count of an answer that is exactly what its format says."""
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    assert told == {
        "input_tokens": told["input_tokens"],
        **({"object": "response.input_tokens"} if path == RESPONSES else {}),
    }
    tokens: int = told["input_tokens"]
    return tokens


@pytest.mark.parametrize("path", [MESSAGES, RESPONSES])
@pytest.mark.parametrize(
    ("model", "place"),
    [
        ("count-claude", "/v1/messages/count_tokens"),
        ("count-gpt", "/v1/responses/input_tokens"),
        ("count-gemini", f"/v1beta/models/{PLAY}:countTokens"),
    ],
)
async def test_a_provider_that_counts(stage: Stage, key: str, models: None, path: str, model: str, place: str) -> None:
    async with stage.http(key) as http:
        answer = await http.post(path, json=body(path, model))
    assert counted(path, answer) == 4321
    assert "x-oneapi-estimate" not in answer.headers
    assert answer.headers["x-oneapi-channel"] in stage.channels
    entry = stage.upstream.served(path=place)[-1]
    assert "hello world" in str(entry["body"])
    assert "max_tokens" not in str(entry["body"])


@pytest.mark.parametrize("path", [MESSAGES, RESPONSES])
async def test_an_estimate_where_nobody_else_counts(stage: Stage, key: str, models: None, path: str) -> None:
    async with stage.http(key) as http:
        answer = await http.post(path, json=body(path, "count-local"))
        tool = {"name": "f", "description": "something useful"}
        tools = [{**tool, "input_schema": {"type": "object"}} if path == MESSAGES else {**tool, "type": "function"}]
        with_tools = await http.post(path, json=body(path, "count-local", tools=tools))
    assert 2 < counted(path, answer) < 20
    assert counted(path, with_tools) > counted(path, answer)
    assert answer.headers["x-oneapi-estimate"] == "1"
    assert "x-oneapi-channel" not in answer.headers


@pytest.mark.parametrize("path", [MESSAGES, RESPONSES])
async def test_the_sandbox_counts_as_an_estimate(stage: Stage, key: str, models: None, path: str) -> None:
    await stage.channel({"sandbox": ""}, provider="sandbox", base_url="")
    async with stage.http(key) as http:
        assert counted(path, await http.post(path, json=body(path, "sandbox"))) > 2


async def test_the_official_sdks(stage: Stage, key: str, models: None) -> None:
    claude = anthropic.AsyncAnthropic(base_url=stage.url, api_key=key, max_retries=0)
    assert (await claude.messages.count_tokens(model="count-claude", messages=HI)).input_tokens == 4321  # type: ignore[arg-type]
    beta = await claude.beta.messages.count_tokens(model="count-claude", messages=HI)  # type: ignore[arg-type]
    assert beta.input_tokens == 4321
    gpt = stage.openai(key)
    assert (await gpt.responses.input_tokens.count(model="count-gpt", input="hi")).input_tokens == 4321


async def test_nothing_is_charged(stage: Stage, models: None) -> None:
    poor = await stage.account(credit_nano=10)
    key = await stage.key(poor)
    await stage.known("count-local")
    async with stage.http(key) as http:
        for model in ("count-claude", "count-local"):
            answer = await http.post(MESSAGES, json=body(MESSAGES, model))
            assert answer.status_code == 200, answer.text
            assert answer.headers["x-oneapi-cost-usd"] == "0"
            event = await stage.event(answer.headers["x-request-id"])
            assert (event.outcome, event.endpoint, event.amount_nano) == ("void", "count_tokens", 0)
            assert (event.reserved_nano, list(event.attempts), dict(event.usage)) == (0, [], {})


async def test_rates_hold(stage: Stage, models: None) -> None:

    key = await stage.key(limits=KeyLimits(rpm=2))
    await stage.known()
    async with stage.http(key) as http:
        answers = [await http.post(MESSAGES, json=body(MESSAGES, "count-claude")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["x-ratelimit-remaining-requests"] == "1"
    assert answers[2].json()["error"]["type"] == "rate_limit_error"


@pytest.mark.parametrize("path", [MESSAGES, RESPONSES])
async def test_what_is_refused(stage: Stage, key: str, models: None, path: str) -> None:
    turns = "messages" if path == MESSAGES else "input"
    async with stage.http(key) as http:
        unknown = await http.post(path, json=body(path, "no-such-model"))
        broken = await http.post(path, content=b"{", headers={"content-type": "application/json"})
        empty = await http.post(path, json={"model": "count-local"})
        strange = await http.post(
            path, json={**body(path, "count-local"), turns: [{"role": "nobody", "content": "hi"}]}
        )
        got = await http.get(path)
        typed = await http.post(path, content=b"{}", headers={"content-type": "text/plain"})
    async with stage.http() as http:
        nobody = await http.post(path, json=body(path, "count-local"))
    answers = [unknown, broken, empty, strange, got, typed, nobody]
    assert [answer.status_code for answer in answers] == [404, 400, 400, 400, 405, 415, 401]
    for answer in answers:
        assert ("type" in answer.json()) is (path == MESSAGES), answer.text


@pytest.mark.parametrize("path", [MESSAGES, RESPONSES])
async def test_a_providers_refusal_is_told(stage: Stage, key: str, path: str) -> None:
    provider = "anthropic-compatible" if path == MESSAGES else "openai"
    await stage.channel({"count-refused": "play:status=400"}, provider=provider)
    async with stage.http(key) as http:
        answer = await http.post(path, json=body(path, "count-refused"))
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "the upstream says no"


@pytest.mark.parametrize("status", [404, 429, 500])
async def test_a_provider_that_does_not_count_after_all(stage: Stage, key: str, status: int) -> None:
    model, play = f"count-{status}", f"play:input=77,status={status}"
    await stage.channel({model: play}, provider="anthropic-compatible")
    async with stage.http(key) as http:
        answers = [await http.post(MESSAGES, json=body(MESSAGES, model)) for _ in range(2)]
    for answer in answers:
        assert 2 < counted(MESSAGES, answer) < 20
        assert answer.headers["x-oneapi-estimate"] == "1"
    # Where there is no such call it isn't tried again.
    assert len(stage.upstream.served(model=play)) == (1 if status == 404 else 2)


async def test_a_large_body_keeps_nobody_waiting(stage: Stage, key: str, models: None) -> None:
    """While a large body is counted, small requests go on being answered."""
    large = body(MESSAGES, "count-local")
    large["messages"] = [{"role": "user", "content": SLOW}]
    async with stage.http(key) as http:
        small = {"model": "count-local", "messages": HI}
        counting = asyncio.create_task(http.post(MESSAGES, json=large))
        answered = 0
        while not counting.done():
            assert (await http.post("/v1/chat/completions", json=small)).status_code == 200
            answered += 1
        assert counted(MESSAGES, await counting) > 1_000_000
    assert answered > 3


async def test_too_large(stage: Stage, key: str) -> None:
    async with stage.http(key) as http:
        answer = await http.post(
            MESSAGES, content=b" " * (20 * 1024 * 1024 + 1), headers={"content-type": "application/json"}
        )
    assert answer.status_code == 413


async def test_a_client_that_leaves_disturbs_nobody(stage: Stage, key: str, models: None) -> None:
    large = body(MESSAGES, "count-local")
    large["messages"] = [{"role": "user", "content": SLOW}]
    async with stage.http(key) as http:
        with pytest.raises(httpx2.TimeoutException):
            await http.post(MESSAGES, json=large, timeout=0.05)
        assert 2 < counted(MESSAGES, await http.post(MESSAGES, json=body(MESSAGES, "count-local"))) < 20


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
@pytest.mark.parametrize("model", ["count-claude", "count-gpt", "count-gemini", "count-local"])
async def test_googles_clients_count(stage: Stage, key: str, models: None, model: str) -> None:
    client = genai.Client(api_key=key, http_options=genai.types.HttpOptions(base_url=stage.url))
    counted = await client.aio.models.count_tokens(model=model, contents="hello world")
    await client.aio.aclose()
    assert counted.total_tokens is not None
    assert 2 < counted.total_tokens < 20 if model == "count-local" else counted.total_tokens == 4321
    plain = {"contents": [{"parts": [{"text": "hi"}]}]}
    for body in (plain, {"generateContentRequest": plain}):
        async with stage.http() as http:
            path = f"/v1beta/models/{model}:countTokens"
            answer = await http.post(path, headers={"x-goog-api-key": key}, json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json().keys() == {"totalTokens"}
        assert ("x-oneapi-estimate" in answer.headers) == (model == "count-local")
        assert (await stage.event(answer.headers["x-request-id"])).outcome == "void"
