"""What clients see, and what is billed, when upstreams misbehave."""

import asyncio
import time
from typing import Any

import httpx2
import pytest

from oneapi.runtime.ids import uuid7
from proto.router.v1 import router_pb2
from tests.integration.edge import formats
from tests.integration.edge.stage import Stage, eventually
from tests.ports import free_port

MESSAGES = [{"role": "user", "content": "hi"}]
PATHS = ["/v1/chat/completions", "/v1/responses", "/v1/messages"]


async def ask(
    stage: Stage, key: str, model: str, *, stream: bool = False, path: str = "/v1/chat/completions", **more: object
) -> httpx2.Response:
    body = {"model": model, "messages": MESSAGES, "input": "hi", "stream": stream, "max_tokens": 50, **more}
    async with stage.http(key) as http:
        return await http.post(path, json=body)


def provider_for(path: str) -> str:
    return "anthropic-compatible" if path == "/v1/messages" else "openai-compatible"


@pytest.mark.parametrize("failing", ["play:status=500", "play:status=429", "play:status=401", "play:status=408"])
async def test_a_failing_channel_is_passed_over(stage: Stage, key: str, failing: str) -> None:
    model = f"over-{failing[-3:]}"
    await stage.channel({model: failing}, priority=10)
    second = await stage.channel({model: "play:tokens=4"})
    answer = await ask(stage, key, model)
    assert answer.status_code == 200
    assert answer.headers["x-oneapi-channel"] == second.id
    event = await stage.event(answer.headers["x-request-id"])
    assert [attempt.status for attempt in event.attempts] == [int(failing[-3:]), 200]
    assert dict(event.usage) == {"input": 11, "output": 4}


async def test_a_channel_that_is_not_there_is_passed_over(stage: Stage, key: str) -> None:
    dead = await stage.channel({"dead": ""}, base_url=f"http://127.0.0.1:{free_port()}/v1", priority=10)
    await stage.channel({"dead": "play:tokens=4"})
    answer = await ask(stage, key, "dead", stream=True)
    assert answer.status_code == 200
    event = await stage.event(answer.headers["x-request-id"])
    assert [attempt.outcome for attempt in event.attempts] == ["connect_failed", "ok"]

    async def reported() -> bool:
        kinds = [outcome.kind for outcome in stage.router.outcomes if outcome.channel_id == dead.id]
        return router_pb2.OUTCOME_KIND_CONNECT_FAILED in kinds

    await eventually(reported)


async def test_three_tries_at_most(stage: Stage, key: str) -> None:
    for priority in range(5):
        await stage.channel({"all-down": "play:status=503"}, priority=priority)
    answer = await ask(stage, key, "all-down")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert len((await stage.event(answer.headers["x-request-id"])).attempts) == 3


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_names_no_secret(stage: Stage, key: str, path: str, stream: bool) -> None:
    model = f"html-{path[4:8]}-{stream}".lower()
    await stage.channel({model: "play:status=502,html=1"}, provider=provider_for(path))
    answer = await ask(stage, key, model, stream=stream, path=path)
    assert answer.status_code == 502
    for secret in ("upstream-credential", "sk-upstream-secret", "127.0.0.1", "<html"):
        assert secret not in answer.text
    event = await stage.event(answer.headers["x-request-id"])
    assert (event.outcome, event.evidence, event.amount_nano) == ("upstream_error", "none", 0)


async def test_a_refusal_of_the_request_is_passed_back_once(stage: Stage, key: str) -> None:
    await stage.channel({"refused": "play:status=400,tokens=77"}, priority=10)
    await stage.channel({"refused": "play:tokens=4"})
    answer = await ask(stage, key, "refused")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "the upstream says no"
    assert len(stage.upstream.served(model="play:status=400,tokens=77")) == 1


@pytest.mark.parametrize(
    ("script", "status"),
    [("play:status=401,tokens=9", 502), ("play:status=403,tokens=9", 502), ("play:status=429,retry_after=7", 429)],
)
async def test_what_a_status_becomes(stage: Stage, key: str, script: str, status: int) -> None:
    model = f"becomes-{status}-{script[12:15]}"
    await stage.channel({model: script})
    answer = await ask(stage, key, model)
    assert answer.status_code == status
    if status == 429:
        assert answer.headers["retry-after"] == "7"


async def test_time_outs_before_an_answer(stage: Stage, key: str) -> None:
    await stage.channel({"slow": "play:first_byte_ms=60000"}, limits={"first_byte_timeout_s": 0.3}, priority=10)
    began = time.monotonic()
    for stream in (False, True):
        answer = await ask(stage, key, "slow", stream=stream)
        assert answer.status_code == 504
    assert time.monotonic() - began < 5
    await stage.channel({"slow": "play:tokens=3"})
    assert (await ask(stage, key, "slow")).status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("script", ["cut=7", "error_event=7", "malformed=7", "silent=7"])
async def test_a_broken_stream_ends_in_an_error_event_and_a_true_bill(
    stage: Stage, key: str, path: str, script: str
) -> None:
    # The seventh chunk is in the middle of the text in every dialect.
    model = f"broken-{script[:3]}-{path[4:8]}"
    limits = {"idle_timeout_s": 0.4}
    await stage.channel({model: f"play:tokens=12,gap_ms=2,{script}"}, provider=provider_for(path), limits=limits)
    answer = await ask(stage, key, model, stream=True, path=path)
    assert answer.status_code == 200
    delivered = answer.text.count('" tok"')
    assert 2 <= delivered <= 7
    last = [line for line in answer.text.split("\n\n") if line][-1]
    assert '"error"' in last
    assert "Overloaded" not in last
    assert "[DONE]" not in answer.text
    event = await stage.event(answer.headers["x-request-id"])
    assert (event.outcome, event.evidence) == ("upstream_cut", "counted")
    assert event.usage["output"] == delivered
    assert event.amount_nano > 0


@pytest.mark.parametrize("client", formats.FORMATS)
@pytest.mark.parametrize(("upstream", "cut"), [(formats.GEMINI, 6), (formats.CHAT, 8)])
async def test_a_connection_that_breaks_behind_the_answer_ends_it(
    stage: Stage, key: str, client: str, upstream: str, cut: int
) -> None:
    # Behind Google's last answer, and before Chat's `[DONE]`.
    model = f"behind-{client[:4]}-{upstream[:4]}"
    await stage.channel({model: f"play:tokens=5,cached=4,cut={cut}"}, **formats.channel_of(upstream))
    # Usage that the client doesn't ask for is asked for here.
    asked = formats.asked(client, model, stream=True)
    async with stage.http(key) as http:
        answer = await http.post(formats.path(client, model, stream=True), json=asked)
    assert answer.text.count(" tok") >= 5
    assert '"error":{' not in answer.text
    event = await stage.event(answer.headers["x-request-id"])
    assert (event.outcome, event.evidence, dict(event.usage)) == ("ok", "provider", formats.usage_of(upstream))
    assert [attempt.outcome for attempt in event.attempts] == ["ok"]


async def test_a_stream_that_breaks_before_its_content_moves_on(stage: Stage, key: str) -> None:
    for number, script in enumerate(["cut=0", "error_event=0", "malformed=0"]):
        model = f"early-{number}"
        await stage.channel({model: f"play:{script}"}, priority=10)
        await stage.channel({model: "play:tokens=2"})
        answer = await ask(stage, key, model, stream=True)
        assert answer.status_code == 200
        assert answer.text.count('" tok"') == 2
        event = await stage.event(answer.headers["x-request-id"])
        assert len(event.attempts) == 2
        assert event.outcome == "ok"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_missing_usage_is_counted(stage: Stage, key: str, path: str, stream: bool) -> None:
    if stream and path == "/v1/messages":
        pytest.skip("a message's usage can't be left out of its stream")
    model = f"silent-{path[4:8]}-{stream}".lower()
    await stage.channel({model: "play:tokens=6,usage=0"}, provider=provider_for(path))
    answer = await ask(stage, key, model, stream=stream, path=path)
    assert answer.status_code == 200
    event = await stage.event(answer.headers["x-request-id"])
    assert (event.evidence, event.usage["output"]) == ("counted", 6)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_stops_the_upstream(stage: Stage, key: str, stream: bool) -> None:
    model = f"left-{stream}".lower()
    script = "play:tokens=2000,gap_ms=10" if stream else "play:first_byte_ms=30000,tokens=1"
    await stage.channel({model: script})
    body = {"model": model, "messages": MESSAGES, "stream": stream}
    client_id = uuid7()
    async with stage.http(key) as http:
        with pytest.raises((httpx2.ReadTimeout, TimeoutError)):
            async with (
                asyncio.timeout(2.0),
                http.stream("POST", "/v1/chat/completions", json=body, headers={"x-request-id": client_id}) as answer,
            ):
                async for _ in answer.aiter_lines():
                    pass

    event = await stage.event(client_request_id=client_id)
    assert event.outcome == "client_gone"
    assert [attempt.outcome for attempt in event.attempts] == ["client_gone"]
    if stream:
        entry = (await eventually(lambda: record(stage, script)))[-1]
        assert not entry["whole"]
        assert 3 <= event.usage["output"] <= entry["tokens"] < 500
        assert event.evidence == "counted"
    else:
        assert event.evidence == "counted"
        assert set(event.usage) == {"input"}


async def record(stage: Stage, script: str) -> list[dict[str, Any]]:
    return stage.upstream.served(model=script)


async def test_a_client_that_leaves_may_let_the_upstream_finish(stage: Stage) -> None:
    key = await stage.key(disconnect="drain")
    await stage.channel({"drained": "play:tokens=60,gap_ms=10"})
    client_id = uuid7()
    body = {"model": "drained", "messages": MESSAGES, "stream": True}
    async with (
        stage.http(key) as http,
        http.stream("POST", "/v1/chat/completions", json=body, headers={"x-request-id": client_id}) as answer,
    ):
        async for line in answer.aiter_lines():
            if "tok" in line:
                break

    event = await stage.event(client_request_id=client_id)
    assert (event.outcome, event.evidence) == ("client_gone", "provider")
    assert event.usage["output"] == 60


async def test_a_full_channel_is_passed_over(stage: Stage, key: str) -> None:
    full = await stage.channel({"narrow": "play:first_byte_ms=700"}, limits={"concurrency": 1}, priority=10)
    second = await stage.channel({"narrow": "play:tokens=2"})
    answers = await asyncio.gather(*(ask(stage, key, "narrow") for _ in range(3)))
    assert sorted(answer.headers["x-oneapi-channel"] for answer in answers) == sorted([full.id, second.id, second.id])


@pytest.mark.parametrize(
    ("plan", "status", "code"),
    [
        (router_pb2.Plan(refusal="all_cooling", retry_after_ms=4_200), 503, "upstream_unavailable"),
        (router_pb2.Plan(refusal="no_channel"), 404, "model_not_found"),
        (router_pb2.Plan(refusal="unknown_model"), 404, "model_not_found"),
    ],
)
async def test_refusals_of_the_router(stage: Stage, key: str, plan: router_pb2.Plan, status: int, code: str) -> None:
    model = f"refused-{plan.refusal}"
    await stage.channel({model: "play:tokens=1"})
    stage.router.plans[model] = plan
    answer = await ask(stage, key, model)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    if plan.retry_after_ms:
        assert answer.headers["retry-after"] == "5"
    event = await stage.event(answer.headers["x-request-id"])
    assert (event.outcome, event.amount_nano) == ("void", 0)
