"""What clients get from good upstreams, in every dialect, and what it costs."""

import httpx2
import pytest

from tests.integration.edge.stage import Stage

MESSAGES = [{"role": "user", "content": "hi"}]
COST = 11 * 2_000 + 5 * 8_000
"""Nano-USD of 11 tokens in and 5 out."""


@pytest.fixture(scope="module")
async def models(stage: Stage) -> None:
    await stage.channel({"good": "play:tokens=5"})
    await stage.channel({"good-claude": "play:tokens=5,cached=4"}, provider="anthropic-compatible")


def body(path: str, *, stream: bool = False) -> dict[str, object]:
    if path == "/v1/chat/completions":
        return {"model": "good", "messages": MESSAGES, "stream": stream}
    if path == "/v1/responses":
        return {"model": "good", "input": "hi", "stream": stream}
    if path == "/v1/messages":
        return {"model": "good-claude", "max_tokens": 50, "messages": MESSAGES, "stream": stream}
    return {"model": "good", "input": ["a", "b"]}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"])
async def test_whole(stage: Stage, key: str, models: None, path: str) -> None:
    async with stage.http(key) as http:
        answer = await http.post(path, json=body(path))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] == answer.headers["x-oneapi-request-id"]
    assert answer.headers["x-oneapi-channel"] in stage.channels
    assert {"auth", "admit", "pick", "upstream", "total"} == {
        part.split(";")[0].strip() for part in answer.headers["server-timing"].split(",")
    }
    event = await stage.event(answer.headers["x-request-id"])
    assert event.evidence == "provider"
    assert event.outcome == "ok"
    assert [attempt.outcome for attempt in event.attempts] == ["ok"]
    if path == "/v1/messages":
        assert dict(event.usage) == {"input": 7, "cached_input": 4, "output": 5}
    elif path == "/v1/embeddings":
        assert dict(event.usage) == {"input": 11}
    else:
        assert dict(event.usage) == {"input": 11, "output": 5}
        assert event.amount_nano == COST
        assert answer.headers["x-oneapi-cost-usd"] == "0.000062"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages"])
async def test_streamed(stage: Stage, key: str, models: None, path: str) -> None:
    async with stage.http(key) as http:
        answer = await http.post(path, json=body(path, stream=True))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "x-oneapi-cost-usd" not in answer.headers
    assert answer.text.count('" tok"') == 5
    if path == "/v1/chat/completions":
        assert answer.text.endswith("data: [DONE]\n\n")
        assert '"usage":{' not in answer.text
    event = await stage.event(answer.headers["x-request-id"])
    assert (event.evidence, event.outcome, event.streamed) == ("provider", "ok", True)
    assert sum(event.usage.values()) == 16


async def test_what_the_upstream_sees(stage: Stage, key: str, models: None) -> None:
    headers = {"cookie": "session=1", "x-forwarded-for": "10.0.0.1", "openai-beta": "a", "user-agent": "client/1"}
    async with stage.http(key) as http:
        await http.post("/v1/chat/completions", json=body("/v1/chat/completions", stream=True), headers=headers)
    entry = stage.upstream.served(path="/v1/chat/completions")[-1]
    assert entry["credential"] == "Bearer upstream-credential"
    assert entry["body"]["stream_options"] == {"include_usage": True}
    seen = {name.lower(): value for name, value in entry["headers"].items()}
    assert seen["openai-beta"] == "a"
    assert seen["accept-encoding"] == "identity"
    assert not {"cookie", "x-forwarded-for", "traceparent"} & set(seen)
    assert "client/1" not in str(entry)
    assert key not in str(entry)


async def test_other_fields_travel_unchanged(stage: Stage, key: str, models: None) -> None:
    raw = b'{"messages":[{"role":"user","content":"\\u00e9  x"}],"big":12345678901234567890,'
    raw += b'"model":"good","new":{"a":1.50}}'
    async with stage.http(key) as http:
        answer = await http.post(
            "/v1/chat/completions", content=raw, headers={"content-type": "application/json; charset=utf-8"}
        )
    assert answer.status_code == 200
    sent = stage.upstream.served(path="/v1/chat/completions")[-1]["body"]
    assert sent["big"] == 12345678901234567890
    assert sent["new"] == {"a": 1.5}
    assert "max_tokens" not in sent


async def test_the_clients_request_id_is_kept(stage: Stage, key: str, models: None) -> None:
    async with stage.http(key) as http:
        answer = await http.post(
            "/v1/chat/completions", json=body("/v1/chat/completions"), headers={"x-request-id": "mine-1"}
        )
    assert answer.headers["x-request-id"] != "mine-1"
    assert (await stage.event(answer.headers["x-request-id"])).client_request_id == "mine-1"


async def test_sandbox(stage: Stage, key: str) -> None:
    await stage.channel({"sandbox": ""}, provider="sandbox", base_url="")
    async with stage.http(key) as http:
        answers: list[httpx2.Response] = []
        for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"):
            for stream in (False, True):
                asked = {**body(path, stream=stream), "model": "sandbox"}
                answers.append(await http.post(path, json=asked))
    assert [answer.status_code for answer in answers] == [200] * 8
    for answer in answers:
        event = await stage.event(answer.headers["x-request-id"])
        assert event.evidence == "provider"
        assert event.amount_nano > 0


async def test_receipts(stage: Stage, key: str) -> None:
    record = stage.keys[key]
    stage.billing.receipts["r-1", record.id] = b'{"request_id": "r-1", "cost_usd": "1"}'
    other = await stage.key()
    await stage.known()
    async with stage.http(key) as http:
        answer = await http.get("/v1/receipts/r-1")
        assert answer.json() == {"request_id": "r-1", "cost_usd": "1"}
        missing = await http.get("/v1/receipts/r-2")
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "receipt_not_found")
    async with stage.http(other) as http:
        assert (await http.get("/v1/receipts/r-1")).status_code == 404
    async with stage.http() as http:
        assert (await http.get("/v1/receipts/r-1")).status_code == 401
