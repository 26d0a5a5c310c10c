"""What the sandbox fails with on request, what it refuses, and that it keeps nothing."""

import asyncio

import httpx2
import pytest

from services.edge.sandbox.limits import BODY_BYTES
from tests.integration.edge.stage import Stage, eventually
from tests.integration.edge_sandbox.asking import (
    CANARY,
    CHAT,
    GOOD,
    MESSAGES,
    PATHS,
    RESPONSES,
    TURNS,
    ask,
    error_of,
    events,
)

# Scenarios ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("name", "status", "type_of_openai", "type_of_anthropic"),
    [
        ("rate_limit", 429, "requests", "rate_limit_error"),
        ("overloaded", 503, "server_error", "overloaded_error"),
        ("server_error", 500, "server_error", "api_error"),
        ("nothing_known", 400, "invalid_request_error", "invalid_request_error"),
    ],
)
async def test_errors_on_request(
    http: httpx2.AsyncClient,
    path: str,
    stream: bool,
    name: str,
    status: int,
    type_of_openai: str,
    type_of_anthropic: str,
) -> None:
    answer = await ask(http, path, stream=stream, metadata={"sandbox": name})
    error = error_of(path, answer)
    assert answer.status_code == status
    assert error["type"] == (type_of_anthropic if path == MESSAGES else type_of_openai)
    assert ("retry-after" in answer.headers) is (status in {429, 503})
    if status == 400:
        assert "mid_stream_error" in error["message"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_stream_that_breaks(http: httpx2.AsyncClient, path: str) -> None:
    answer = await ask(http, path, stream=True, metadata={"sandbox": "mid_stream_error"})
    assert answer.status_code == 200
    assert "This" in answer.text
    found = events(answer)
    if path == CHAT:
        assert set(found[-1][1]) == {"error"}
        assert set(found[-1][1]["error"]) == {"message", "type", "param", "code"}
    elif path == MESSAGES:
        assert found[-1][0] == "error"
        assert found[-1][1]["error"]["type"] == "api_error"
    else:
        assert [name for name, _ in found[-2:]] == ["error", "response.failed"]
        assert [data["sequence_number"] for _, data in found] == list(range(len(found)))
    assert error_of(path, whole := await ask(http, path, metadata={"sandbox": "mid_stream_error"}))
    assert whole.status_code == 502
    assert answer.text == (await ask(http, path, stream=True, metadata={"sandbox": "mid_stream_error"})).text


@pytest.mark.parametrize("path", PATHS)
async def test_answers_on_request(http: httpx2.AsyncClient, path: str) -> None:
    short = (await ask(http, path, metadata={"sandbox": "length"})).json()
    no = (await ask(http, path, metadata={"sandbox": "refusal"})).json()
    if path == CHAT:
        assert short["choices"][0]["finish_reason"] == "length"
        assert no["choices"][0]["message"]["content"] is None
        assert no["choices"][0]["message"]["refusal"]
    elif path == MESSAGES:
        assert (short["stop_reason"], no["stop_reason"]) == ("max_tokens", "refusal")
    else:
        assert (short["status"], short["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
        assert no["output"][0]["content"][0]["type"] == "refusal"
        assert no["metadata"] == {"sandbox": "refusal"}
    last = {CHAT: "[DONE]", RESPONSES: "response.incomplete", MESSAGES: "message_stop"}
    streamed = events(await ask(http, path, stream=True, metadata={"sandbox": "length"}))
    assert last[path] in streamed[-1]
    slow = await ask(http, path, stream=True, metadata={"sandbox": "slow"})
    assert slow.status_code == 200
    assert len(events(slow)) > len(streamed)


# What is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nothing", b"[]", b"null", b'"text"', b"{}", b"\xff\xfe", b'{"model": NaN}', b"[" * 100_000,
     b'{"model":"m","a":' + b"[" * 100 + b"]" * 100 + b"}"],
)  # fmt: skip
async def test_what_is_no_request(http: httpx2.AsyncClient, path: str, body: bytes) -> None:
    answer = await http.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert error_of(path, answer)["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_missing_or_wrong(http: httpx2.AsyncClient, path: str) -> None:
    for field in GOOD[path]:
        body = {name: value for name, value in GOOD[path].items() if name != field}
        for given in (
            body,
            {**body, field: None},
            {**body, field: [] if field != "model" else ""},
            {**body, field: {}},
        ):
            answer = await http.post(path, json=given)
            assert answer.status_code == 400, given
            assert field in error_of(path, answer)["message"]


async def test_what_names_something_stored(http: httpx2.AsyncClient) -> None:
    for field, value in {"previous_response_id": "resp_1", "conversation": "conv_1"}.items():
        answer = await http.post(RESPONSES, json={**GOOD[RESPONSES], field: value})
        assert answer.status_code == 400
        assert error_of(RESPONSES, answer)["param"] == field
    stored = (await ask(http, RESPONSES, store=True)).json()
    assert stored["store"] is False


@pytest.mark.parametrize("path", PATHS)
async def test_bodies_have_a_bound_and_a_type(http: httpx2.AsyncClient, path: str) -> None:
    large = {**GOOD[path], "user": "x" * BODY_BYTES}
    assert error_of(path, answer := await http.post(path, json=large))["type"]
    assert answer.status_code == 413
    plain = await http.post(path, content=b"{}", headers={"content-type": "text/plain"})
    assert (plain.status_code, bool(error_of(path, plain))) == (415, True)
    packed = await http.post(
        path, content=b"{}", headers={"content-type": "application/json", "content-encoding": "gzip"}
    )
    assert (packed.status_code, bool(error_of(path, packed))) == (415, True)


@pytest.mark.parametrize("path", PATHS)
async def test_methods(http: httpx2.AsyncClient, path: str) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = await http.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")
        assert error_of(path, answer)
    assert (await http.head(path)).status_code == 405
    headers = {
        "origin": "https://elsewhere.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type",
    }
    asked = await http.options(path, headers=headers)
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["access-control-allow-origin"] == "*"
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert asked.headers["access-control-allow-headers"] == "*, authorization"
    assert asked.headers["x-request-id"]
    good = await http.post(path, json=GOOD[path], headers={"origin": "https://elsewhere.example"})
    for answer in (asked, good):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/sandbox/v1", "/sandbox/v1/", "/sandbox/v1/models", "/sandbox/v1/messages/",
                                  "/sandbox/v1/embeddings", "/sandbox/v1/responses/resp_1"])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_other_paths_are_not_there(http: httpx2.AsyncClient, path: str, method: str) -> None:
    answer = await http.request(method, path)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"]
    assert answer.headers["x-request-id"]


async def test_too_many_are_told_when_to_come_again(stage: Stage, http: httpx2.AsyncClient) -> None:
    async def refused() -> httpx2.Response | None:
        answers = await asyncio.gather(*(http.post(MESSAGES, json=GOOD[MESSAGES]) for _ in range(20)))
        assert {answer.status_code for answer in answers} <= {200, 429}
        return next((answer for answer in answers if answer.status_code == 429), None)

    answer = await eventually(refused, 60)
    assert error_of(MESSAGES, answer)["type"] == "rate_limit_error"
    assert "too fast" in error_of(MESSAGES, answer)["message"]
    assert int(answer.headers["retry-after"]) >= 1
    async with httpx2.AsyncClient(base_url=stage.url, headers={"x-forwarded-for": "192.0.2.1"}) as other:
        assert (await other.post(CHAT, json=GOOD[CHAT])).status_code == 200


# What is kept -------------------------------------------------------------------------------------------------------


async def test_a_credential_is_nowhere_and_nothing_is_billed(stage: Stage, http: httpx2.AsyncClient) -> None:
    before = (await stage.js.streams_info(), len(stage.router.picks), len(stage.router.outcomes))
    stored = {info.config.name: info.state.last_seq for info in before[0]}
    request_ids = []
    for path in PATHS:
        for headers in (
            {"authorization": f"Bearer {CANARY}"},
            {"x-api-key": CANARY, "api-key": f"other-{CANARY}"},
            {"x-goog-api-key": CANARY, "traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"},
        ):
            for stream in (False, True):
                answer = await http.post(
                    f"{path}?key={CANARY}&api_key={CANARY}", json={**GOOD[path], "stream": stream}, headers=headers
                )
                assert answer.status_code == 200
                assert CANARY not in answer.text
                assert CANARY not in str(answer.headers)
                request_ids.append(answer.headers["x-request-id"])
    await http.post(CHAT, content=b"{", headers={"authorization": f"Bearer {CANARY}"})
    # What a good key does after it is billed after it.
    key = await stage.key()
    await stage.channel({"beside-the-sandbox": "play:tokens=5"})
    async with stage.http(key) as paying:
        paid = await paying.post("/v1/chat/completions", json={"model": "beside-the-sandbox", "messages": TURNS})
    event = await stage.event(paid.headers["x-request-id"])
    assert event.request_id == paid.headers["x-request-id"]
    assert not {event.request_id for event in stage._events} & set(request_ids)
    after = {info.config.name: info.state.last_seq for info in await stage.js.streams_info()}
    assert {name: last for name, last in after.items() if name in {"KV_responses", "KV_state"}} == {
        name: last for name, last in stored.items() if name in {"KV_responses", "KV_state"}
    }
    assert not [pick for pick in stage.router.picks[before[1] :] if pick.model == "any/model:1"]
    assert not [key async for key in stage._redis.scan_iter("*canary*")]
    for file in stage.folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert CANARY.encode() not in content, file
            assert not [request_id for request_id in request_ids if request_id.encode() in content], file


async def test_it_works_without_what_is_behind(stage: Stage, http: httpx2.AsyncClient) -> None:
    await stage.router_server.stop(None)
    stage.nats.kill()
    try:
        for path in PATHS:
            assert (await ask(http, path)).status_code == 200
            assert (await ask(http, path, stream=True)).status_code == 200
    finally:
        stage.nats.start()
        await stage.start_router()
