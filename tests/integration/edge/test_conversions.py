"""Every client's format against every upstream's, through a real edge: what clients see, what upstreams and the ledger
have, and what is told of what got lost."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from oneapi.catalog.types import Budget
from oneapi.runtime.ids import uuid7
from tests.integration.edge.formats import (
    CHAT,
    ENDPOINTS,
    FORMATS,
    GEMINI,
    MESSAGES,
    PATHS,
    PROVIDERS,
    RESPONSES,
    asked,
    broken,
    cap_of,
    capped,
    code_of,
    complete,
    error_of,
    path,
    said,
    streamed,
)
from tests.integration.edge.stage import Stage, eventually

PAIRS = [(client, upstream) for client in FORMATS for upstream in FORMATS]
CONVERTED = [(client, upstream) for client, upstream in PAIRS if client != upstream]
SCRIPTS = {
    "text": "play:tokens=5,cached=4",
    "refused": "play:status=400",
    "limited": "play:status=429,retry_after=7",
    "down": "play:status=500",
    "cut": "play:tokens=8,cut=6",
    "failing": "play:tokens=8,error_event=6",
    "broken": "play:tokens=8,malformed=6",
    "endless": "play:tokens=500,gap_ms=10",
    "long": "play:tokens=20000",
}


def model_of(scenario: str, upstream: str) -> str:
    return f"{scenario}-on-{upstream}"


@pytest.fixture(scope="module", autouse=True)
async def models(stage: Stage) -> AsyncIterator[None]:
    channels = [
        await stage.channel(
            {model_of(scenario, upstream): script for scenario, script in SCRIPTS.items()},
            provider=PROVIDERS[upstream],
            dialects=(upstream,),
        )
        for upstream in FORMATS
    ]
    yield
    for channel in channels:
        stage.channels.pop(channel.id)


async def ask(stage: Stage, key: str, client: str, model: str, headers: Any = None, **more: Any) -> httpx2.Response:
    async with stage.http(key) as http:
        where = path(client, model, stream=more.get("stream", False))
        return await http.post(where, json=asked(client, model, **more), headers=headers)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_text(stage: Stage, key: str, client: str, upstream: str, stream: bool) -> None:
    answer = await ask(stage, key, client, model_of("text", upstream), stream=stream)
    assert answer.status_code == 200, answer.text
    assert "x-oneapi-loss" not in answer.headers
    if stream:
        assert streamed(client, answer.text) == " tok" * 5
        assert complete(client, answer.text)
    else:
        assert said(client, answer.json()) == " tok" * 5
    entry = stage.upstream.served(path=PATHS[upstream])[-1]
    assert entry["stream"] == stream
    assert (entry["headers"].get("anthropic-version") is not None) == (upstream == MESSAGES)
    event = await stage.event(answer.headers["x-request-id"])
    assert (event.outcome, event.evidence, event.endpoint) == ("ok", "provider", ENDPOINTS[client])
    assert dict(event.usage) == {"input": 7, "cached_input": 4, "output": 5}
    assert list(event.loss) == []
    assert event.reserved_nano >= event.amount_nano > 0
    if client != upstream:
        assert model_of("text", upstream) in answer.text
        assert "play:" not in answer.text


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_errors_before_an_answer(stage: Stage, key: str, client: str, upstream: str, stream: bool) -> None:
    for scenario, status in (("refused", 400), ("limited", 429), ("down", 502)):
        answer = await ask(stage, key, client, model_of(scenario, upstream), stream=stream)
        assert answer.status_code == status
        error = error_of(client, answer.json())
        assert ("the upstream says no" in error["message"]) == (status == 400)
        if status == 429:
            assert answer.headers["retry-after"] == "7"
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
    assert event.outcome == "upstream_cut"
    assert event.evidence == "counted"
    assert event.usage["output"] == len(text) // 4
    # Messages tells the input at once; the others tell it at their end only.
    assert (event.usage["input"] == 11) == (upstream == MESSAGES)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_clients_that_leave(stage: Stage, key: str, client: str, upstream: str) -> None:
    mine = uuid7()
    async with (
        stage.http(key) as http,
        http.stream(
            "POST",
            path(client, model_of("endless", upstream), stream=True),
            json=asked(client, model_of("endless", upstream), stream=True),
            headers={"x-request-id": mine},
        ) as answer,
    ):
        seen = ""
        async for piece in answer.aiter_text():
            seen += piece
            if " tok" in seen:
                break
    event = await stage.event(client_request_id=mine)
    assert event.outcome == "client_gone"
    assert event.evidence == "counted"
    script = SCRIPTS["endless"]

    async def hung_up() -> dict[str, Any] | None:
        rows = stage.upstream.served(path=PATHS[upstream], model=script)
        return rows[-1] if rows else None

    entry = await eventually(hung_up)
    assert not entry["whole"]
    assert 1 <= event.usage["output"] <= entry["tokens"] < 500


@pytest.mark.parametrize(("client", "name"), [(CHAT, "stop"), (MESSAGES, "stop_sequences")])
async def test_stop_sequences_end_the_call(stage: Stage, key: str, client: str, name: str) -> None:
    more: dict[str, Any] = {name: ["tok tok tok tok"]}
    answer = await ask(stage, key, client, model_of("long", RESPONSES), stream=True, **more)
    assert answer.status_code == 200
    assert complete(client, answer.text)
    event = await stage.event(answer.headers["x-request-id"])
    assert (event.outcome, event.evidence) == ("ok", "counted")
    assert event.usage["output"] < 20


async def test_losses_are_told(stage: Stage, key: str) -> None:
    for stream in (False, True):
        answer = await ask(stage, key, CHAT, model_of("text", MESSAGES), stream=stream, seed=1, brand_new=[1])
        assert answer.headers["x-oneapi-loss"] == "seed, unknown_field(brand_new)"
        event = await stage.event(answer.headers["x-request-id"])
        assert list(event.loss) == ["seed", "unknown_field(brand_new)"]
    native = await ask(stage, key, CHAT, model_of("text", CHAT), seed=1, brand_new=[1])
    assert "x-oneapi-loss" not in native.headers
    # A field's name is the client's own word: it is told only where it is short and plain.
    answer = await ask(stage, key, CHAT, model_of("text", MESSAGES), **{"a\r\nx-evil: 1": 1, "e" * 200: 1})
    assert answer.headers["x-oneapi-loss"] == "unknown_field"
    assert "x-evil" not in answer.headers
    many = {f"field_{i:02}_{'x' * 50}": 1 for i in range(60)}
    answer = await ask(stage, key, CHAT, model_of("text", MESSAGES), **many)
    assert len(answer.headers["x-oneapi-loss"]) <= 1024
    assert len((await stage.event(answer.headers["x-request-id"])).loss) == 32


@pytest.mark.parametrize(("client", "upstream"), CONVERTED)
async def test_strict_refuses_before_anything_is_spent(stage: Stage, key: str, client: str, upstream: str) -> None:
    model, strict = model_of("text", upstream), {"x-oneapi-strict": "1"}
    before = len(stage.upstream.served(path=PATHS[upstream]))
    answer = await ask(stage, key, client, model, strict, unplaced=1)
    assert answer.status_code == 400
    assert "unknown_field(unplaced)" in error_of(client, answer.json())["message"]
    assert client == MESSAGES or code_of(client, answer.json()) == "conversion_loss"
    assert len(stage.upstream.served(path=PATHS[upstream])) == before
    whole = await ask(stage, key, client, model, strict)
    assert whole.status_code == 200
    # Events come in order: had the first request had one, it would be here by now.
    await stage.event(whole.headers["x-request-id"])
    assert all(event.request_id != answer.headers["x-request-id"] for event in stage._events)


async def test_strict_takes_a_channel_that_loses_nothing(stage: Stage, key: str) -> None:
    for provider, dialect, priority in (("anthropic-compatible", MESSAGES, 9), ("openai-compatible", CHAT, 1)):
        await stage.channel(
            {"either": "play:tokens=2,cached=1"}, provider=provider, dialects=(dialect,), priority=priority
        )
    for strict, place in (("0", PATHS[MESSAGES]), ("1", PATHS[CHAT])):
        answer = await ask(stage, key, CHAT, "either", {"x-oneapi-strict": strict}, seed=1)
        assert answer.status_code == 200
        assert ("x-oneapi-loss" in answer.headers) == (strict == "0")
        assert stage.upstream.served(model="play:tokens=2,cached=1")[-1]["path"] == place
    # What one channel can't be asked at all is asked of another.
    answer = await ask(stage, key, CHAT, "either", n=2)
    assert answer.status_code == 200
    assert [attempt.outcome for attempt in (await stage.event(answer.headers["x-request-id"])).attempts] == ["ok"]
    # A key says it for all of its requests, and a request may say otherwise.
    careful = await stage.key(strict=True)
    for headers, place in (({}, PATHS[CHAT]), ({"x-oneapi-strict": "0"}, PATHS[MESSAGES])):
        assert (await ask(stage, careful, CHAT, "either", headers, seed=1)).status_code == 200
        assert stage.upstream.served(model="play:tokens=2,cached=1")[-1]["path"] == place
    answer = await ask(stage, key, CHAT, "either", {"x-oneapi-strict": "yes"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_header")


async def test_what_cannot_be_asked_costs_nothing(stage: Stage, key: str) -> None:
    answer = await ask(stage, key, CHAT, model_of("text", MESSAGES), n=2)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "unsupported_parameter"
    assert answer.json()["error"]["param"] == "n"
    event = await stage.event(answer.headers["x-request-id"])
    assert (event.outcome, event.amount_nano, len(event.attempts)) == ("void", 0, 0)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_a_hard_budget_holds(stage: Stage, client: str, upstream: str) -> None:
    """The upstream answers with far more than it was told; what it was told is what was reserved for."""
    key = await stage.key(budgets=(Budget(amount_nano=10**9),))
    await stage.known()
    for least in (1, 40) if client != RESPONSES else (40,):
        answer = await ask(stage, key, client, model_of("long", upstream), **capped(client, least))
        assert answer.status_code == 200
        told = cap_of(upstream, stage.upstream.served(path=PATHS[upstream], model=SCRIPTS["long"])[-1]["body"])
        event = await stage.event(answer.headers["x-request-id"])
        assert event.amount_nano == event.reserved_nano
        assert event.house_nano > 0
        assert event.reserved_nano >= told * 8_000
        assert least <= told <= max(least, 16 if upstream == RESPONSES else 0)
    if client != MESSAGES:
        answer = await ask(stage, key, client, model_of("text", upstream))
        assert cap_of(upstream, stage.upstream.served(path=PATHS[upstream])[-1]["body"]) == 8192
        assert (await stage.event(answer.headers["x-request-id"])).reserved_nano >= 8192 * 8_000


async def test_tokens_of_another_format_do_not_reach_an_upstream(stage: Stage, key: str) -> None:
    token = "oa1-" + "A" * 40
    thought = {"type": "thinking", "thinking": "hm", "signature": token}
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [thought, {"type": "text", "text": "b"}]},
        {"role": "user", "content": "c"},
    ]
    answer = await ask(stage, key, MESSAGES, model_of("text", MESSAGES), messages=turns)
    assert answer.status_code == 200
    assert answer.headers["x-oneapi-loss"] == "reasoning_history"
    sent = stage.upstream.served(path=PATHS[MESSAGES])[-1]["body"]
    assert token not in json.dumps(sent)
    assert sent["messages"][1]["content"] == [{"type": "text", "text": "b"}]


async def test_nor_do_those_that_googles_clients_carry(stage: Stage, key: str) -> None:
    token = base64.urlsafe_b64encode(b"oa1-" + b"A" * 40).decode()
    contents = [
        {"role": "user", "parts": [{"text": "a"}]},
        {"role": "model", "parts": [{"text": "b", "thoughtSignature": token}]},
        {"role": "user", "parts": [{"text": "c"}]},
    ]
    for stream in (False, True):
        answer = await ask(stage, key, GEMINI, model_of("text", GEMINI), stream=stream, contents=contents)
        assert answer.status_code == 200
        assert answer.headers["x-oneapi-loss"] == "reasoning_history"
        assert stage.upstream.served(path=PATHS[GEMINI])[-1]["body"] == {
            "contents": [contents[0], {"role": "model", "parts": [{"text": "b"}]}, contents[2]]
        }


async def test_many_at_once(stage: Stage, key: str) -> None:
    answers = await asyncio.gather(
        *(
            ask(stage, key, client, model_of("text", upstream), stream=True)
            for _ in range(5)
            for client, upstream in PAIRS
        )
    )
    assert all(answer.status_code == 200 for answer in answers)
    for answer in answers:
        assert dict((await stage.event(answer.headers["x-request-id"])).usage)["output"] == 5
