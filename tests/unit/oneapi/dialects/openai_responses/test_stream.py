"""What a response stream's events count, and the error that ends one, as OpenAI's SDK reads it."""

import json
from typing import Any

import httpx2
import openai
import pytest
from openai.types.responses import ResponseErrorEvent, ResponseFailedEvent

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.openai_responses.stream import ResponsesMeter
from oneapi.providers.sandbox import answer

BROKEN = GatewayError(502, "upstream", "upstream_cut", "The provider's answer broke off.")
LIMITED = GatewayError(429, "rate_limit", "rate_limit_exceeded", "Slow down.")
SANDBOX = answer.stream("openai_responses", {"model": "m", "input": "hello"}, "0" * 32, 1)


def event(kind: str, **value: Any) -> bytes:
    return f"event: {kind}\ndata: ".encode() + json.dumps({"type": kind, **value}).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([event("response.output_text.delta", delta="hé")], 3),
        ([event("response.reasoning_summary_text.delta", delta="abc")], 3),
        ([event("response.function_call_arguments.delta", delta="{}")], 2),
        ([event("response.refusal.delta", delta="no")], 2),
        ([event("response.audio.delta", delta="QUJD")], 0),
        ([event("response.output_text.done", text="abc")], 0),
        ([event("response.output_item.done", item={"type": "function_call", "arguments": "{}"})], 2),
        (
            [
                event("response.output_text.delta", delta="ab"),
                event("response.output_item.done", item={"content": [{"type": "output_text", "text": "abc"}]}),
                event("response.output_item.done", item={"summary": [{"type": "summary_text", "text": "x"}]}),
                event("response.output_text.delta", delta="c"),
                event("response.output_item.done", item={"content": [{"type": "refusal", "refusal": "c"}]}),
            ],
            5,
        ),
    ],
)
def test_what_counts_as_text(events: list[bytes], expected: int) -> None:
    meter = ResponsesMeter()
    whole = b"".join(events)
    assert meter.feed(whole) is whole
    assert (meter.text_bytes, meter.started, meter.error) == (expected, True, None)


@pytest.mark.parametrize("kind", ["response.created", "response.in_progress", "response.queued", "keepalive"])
def test_what_is_no_content_yet(kind: str) -> None:
    meter = ResponsesMeter()
    meter.feed(event(kind, response={}))
    assert not meter.started


@pytest.mark.parametrize("kind", ["response.completed", "response.incomplete", "response.failed"])
def test_usage_is_in_the_last_event_however_it_ends(kind: str) -> None:
    meter = ResponsesMeter()
    response = {"usage": {"input_tokens": 4, "output_tokens": 1}, "tool_usage": {"web_search": {"num_requests": 2}}}
    meter.feed(event(kind, response={**response, "error": {"code": "server_error", "message": "m"}}))
    assert meter.usage == {"input": 4, "output": 1, "search": 2}
    assert meter.finished is (kind != "response.failed")
    assert meter.error == (("server_error", "m") if kind == "response.failed" else None)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (event("error", code="c", message="m", param=None), ("c", "m")),
        (event("error", error={"type": "t", "code": None, "message": "m"}), ("t", "m")),
        (event("error", error={"code": 429, "message": None}), ("429", "")),
        (event("response.failed", response={"error": None}), ("upstream_error", "")),
        (event("response.failed", response=7), ("upstream_error", "")),
        (b'data: {"error":{"message":"m"}}\n\n', ("upstream_error", "m")),
    ],
)
def test_both_shapes_of_an_error(told: bytes, expected: tuple[str, str]) -> None:
    meter = ResponsesMeter()
    assert meter.feed(told) == b""
    assert meter.error == expected


def ended(events: list[bytes], error: GatewayError) -> list[dict[str, Any]]:
    """The data of what ends a stream that broke after these events."""
    meter = ResponsesMeter()
    meter.feed(b"".join(events))
    blocks = meter.finish_bytes(error).split(b"\n\n")[:-1]
    found = [json.loads(block.partition(b"\ndata: ")[2]) for block in blocks]
    assert [block.partition(b"\n")[0].decode() for block in blocks] == [f"event: {value['type']}" for value in found]
    return found


def test_our_error_has_both_shapes_and_a_failed_response() -> None:
    error, failed = ended(SANDBOX[:-1], BROKEN)
    ResponseErrorEvent.model_validate(error, strict=True)
    ResponseFailedEvent.model_validate(failed, strict=True)
    assert (error["code"], error["message"]) == ("upstream_cut", BROKEN.message)
    assert error["error"] == {"type": "server_error", "code": "upstream_cut", "message": BROKEN.message, "param": None}
    assert [error["sequence_number"], failed["sequence_number"]] == [len(SANDBOX) - 1, len(SANDBOX)]
    response = failed["response"]
    assert (response["id"], response["status"]) == ("resp_" + "0" * 32, "failed")
    assert response["error"] == {"code": "server_error", "message": BROKEN.message}
    assert response["output"][0]["content"][0]["text"].endswith("hello")


def test_what_is_not_known_is_left_out() -> None:
    assert [value["type"] for value in ended([], LIMITED)] == ["error"]
    assert [value["type"] for value in ended([event("response.created", response=None)], LIMITED)] == ["error"]
    failed = ended(SANDBOX[:1], LIMITED)[1]["response"]
    assert (failed["output"], failed["error"]["code"]) == ([], "rate_limit_exceeded")


def test_large_items_are_not_repeated() -> None:
    large = event("response.output_item.done", item={"type": "image_generation_call", "result": "x" * 300_000})
    assert ended([SANDBOX[0], large], BROKEN)[1]["response"]["output"] == []


@pytest.mark.parametrize("ready_made", [True, False])
def test_the_sdk_raises_for_our_error_event(ready_made: bool) -> None:
    meter = ResponsesMeter()
    body = meter.feed(b"".join(SANDBOX[:6])) + meter.finish_bytes(BROKEN)
    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(200, content=body, headers={"content-type": "text/event-stream"})
    )
    with httpx2.Client(transport=transport) as http:
        client = openai.OpenAI(api_key="k", base_url="http://test/v1", http_client=http, max_retries=0)
        seen: list[str] = []
        with pytest.raises(openai.APIError) as raised:
            if ready_made:
                with client.responses.stream(model="m", input="x") as stream:
                    seen.extend(found.type for found in stream)
            else:
                seen.extend(found.type for found in client.responses.create(model="m", input="x", stream=True))
    assert ready_made or len(seen) == 6
    assert (raised.value.code, raised.value.message) == ("upstream_cut", BROKEN.message)
