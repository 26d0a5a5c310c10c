"""What a chat stream's chunks count, and the error that ends one, as OpenAI's SDK reads it."""

import json
from typing import Any

import httpx2
import openai
import pytest

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.openai_chat.stream import ChatMeter

BROKEN = GatewayError(502, "upstream", "upstream_cut", "The provider's answer broke off.")


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    choices = [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    value = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}
    return b"data: " + json.dumps(value).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("delta", "expected"),
    [
        ({"content": "hé"}, 3),
        ({"content": None}, 0),
        ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"text": "hi"}]}, 4),
        ({"refusal": "no"}, 2),
        ({"reasoning_content": "abc", "reasoning": "abc"}, 3),
        ({"reasoning": "abc"}, 3),
        ({"reasoning": {"unknown": 1}}, 0),
        ({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a"'}}]}, 5),
        ({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": {"a": 1}}}]}, 8),
        ({"tool_calls": [{"index": 0, "custom": {"name": "f", "input": "abc"}}]}, 4),
        ({"tool_calls": [{"index": 0}]}, 0),
        ({"function_call": {"name": "f", "arguments": "{}"}}, 3),
        ({"audio": {"data": "QUJD", "transcript": "hi"}}, 2),
        ({"unknown": [1, {"content": "x"}]}, 0),
    ],
)
def test_what_counts_as_text(delta: dict[str, Any], expected: int) -> None:
    meter = ChatMeter()
    event = chunk(delta)
    assert meter.feed(event) is event
    assert (meter.text_bytes, meter.error) == (expected, None)


def test_the_last_usage_told_counts_wherever_it_is() -> None:
    meter = ChatMeter(forward_usage=False)
    for count in (1, 2, 3):
        event = chunk({"content": "x"}, usage={"prompt_tokens": 5, "completion_tokens": count})
        assert meter.feed(event) is event
    assert meter.usage == {"input": 5, "output": 3}
    meter.feed(chunk({}, "stop", x_groq={"id": "r", "usage": {"prompt_tokens": 7}}))
    assert meter.usage == {"input": 7}
    meter.feed(b'data: {"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}\n\n')
    assert meter.usage == {"input": 7}


def test_an_error_beside_choices_keeps_its_usage() -> None:
    meter = ChatMeter()
    assert meter.feed(chunk({"content": "x"}, error={"code": 400, "message": "m"}, usage={"prompt_tokens": 4})) == b""
    assert (meter.error, meter.usage, meter.text_bytes) == (("400", "m"), {"input": 4}, 0)


@pytest.mark.parametrize("error", ["broken", {"type": "overloaded"}, {"code": "x", "message": None}, [1]])
def test_any_error_is_one(error: Any) -> None:
    meter = ChatMeter()
    assert meter.feed(b"data: " + json.dumps({"error": error}).encode() + b"\n\n") == b""
    assert meter.error is not None


def test_an_end_without_the_last_mark_is_one_only_after_a_finish() -> None:
    for events, whole in (([chunk({"content": "x"})], False), ([chunk({"content": "x"}), chunk({}, "stop")], True)):
        meter = ChatMeter()
        meter.feed(b"".join(events))
        assert not meter.finished
        meter.end()
        assert meter.finished is whole


@pytest.mark.parametrize("mark", [b"data: [DONE]\n\n", b"data: [DONE] \n\n", b"data:[DONE]\r\n\r\n"])
def test_the_last_mark(mark: bytes) -> None:
    meter = ChatMeter()
    assert meter.feed(mark) is mark
    assert meter.finished


def test_the_sdk_raises_for_our_error_event() -> None:
    body = chunk({"role": "assistant", "content": "Hel"}) + ChatMeter().finish_bytes(BROKEN)
    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(200, content=body, headers={"content-type": "text/event-stream"})
    )
    with httpx2.Client(transport=transport) as http:
        client = openai.OpenAI(api_key="k", base_url="http://test/v1", http_client=http, max_retries=0)
        seen: list[str | None] = []
        with pytest.raises(openai.APIError) as raised:
            stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True)
            seen.extend(part.choices[0].delta.content for part in stream)
    assert seen == ["Hel"]
    assert (raised.value.code, raised.value.type) == ("upstream_cut", "server_error")
    assert raised.value.message == BROKEN.message
