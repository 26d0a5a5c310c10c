"""What a message stream's events count, and the error that ends one, as Anthropic's SDK reads it."""

import json
from typing import Any

import anthropic
import httpx2
import pytest

from oneapi.dialects.anthropic_messages.stream import MessagesMeter
from oneapi.dialects.errors import GatewayError
from oneapi.providers.sandbox import answer

OVERLOADED = GatewayError(503, "overloaded", "upstream_overloaded", "The provider is overloaded.")
REQUEST = {"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": "hello"}]}
SANDBOX = answer.stream("anthropic_messages", REQUEST, "0" * 32, 1)


def event(kind: str, **value: Any) -> bytes:
    return f"event: {kind}\ndata: ".encode() + json.dumps({"type": kind, **value}).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("delta", "expected"),
    [
        ({"type": "text_delta", "text": "hé"}, 3),
        ({"type": "thinking_delta", "thinking": "hm"}, 2),
        ({"type": "input_json_delta", "partial_json": '{"a'}, 3),
        ({"type": "compaction_delta", "content": "abc"}, 3),
        ({"type": "signature_delta", "signature": "abc"}, 0),
        ({"type": "citations_delta", "citation": {"cited_text": "abc"}}, 0),
        ({"type": "text_delta", "text": ["unknown"]}, 0),
    ],
)
def test_what_counts_as_text(delta: dict[str, Any], expected: int) -> None:
    meter = MessagesMeter()
    found = event("content_block_delta", index=0, delta=delta)
    assert meter.feed(found) is found
    assert (meter.text_bytes, meter.started, meter.error) == (expected, True, None)


@pytest.mark.parametrize(
    ("block", "expected", "started"),
    [
        ({"type": "text", "text": ""}, 0, False),
        ({"type": "thinking", "thinking": "", "signature": ""}, 0, False),
        ({"type": "text", "text": "hi"}, 2, True),
        ({"type": "tool_use", "name": "f", "input": {}}, 1, True),
        ({"type": "tool_use", "name": "f", "input": {"a": 1}}, 8, True),
        ({"type": "redacted_thinking", "data": "QUJD"}, 0, True),
    ],
)
def test_what_a_block_begins_with(block: dict[str, Any], expected: int, started: bool) -> None:
    meter = MessagesMeter()
    meter.feed(event("content_block_start", index=0, content_block=block))
    assert (meter.text_bytes, meter.started) == (expected, started)


def test_later_usage_replaces_the_fields_that_it_has() -> None:
    meter = MessagesMeter()
    first = {
        "input_tokens": 10,
        "cache_read_input_tokens": 5,
        "cache_creation_input_tokens": 9,
        "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 6},
        "output_tokens": 1,
    }
    meter.feed(event("message_start", message={"usage": first}))
    told = {"input": 10, "cached_input": 5, "cache_write_5m": 3, "cache_write_1h": 6}
    assert (meter.usage, meter.input_told) == (None, told)
    meter.feed(event("message_delta", delta={}, usage={"output_tokens": 7, "input_tokens": None}))
    assert meter.usage == {**meter.input_told, "output": 7}
    meter.feed(event("message_delta", delta={}, usage={"input_tokens": 90, "output_tokens": 8}))
    assert meter.usage == {**meter.input_told, "input": 90, "output": 8}
    assert not meter.finished


def test_a_start_without_usage() -> None:
    meter = MessagesMeter()
    meter.feed(event("message_start", message={"usage": None}) + event("message_start", message=None))
    assert meter.input_told == {}
    meter.feed(event("message_delta", delta={}, usage=None))
    assert (meter.usage, meter.error) == (None, None)


@pytest.mark.parametrize(
    "told",
    [
        b'data: {"error":{"type":"overloaded_error","message":"m"}}\n\n',
        event("error", error={"type": "overloaded_error", "message": "m"}),
    ],
)
def test_errors(told: bytes) -> None:
    meter = MessagesMeter()
    assert meter.feed(told) == b""
    assert meter.error == ("overloaded_error", "m")
    nameless = MessagesMeter()
    nameless.feed(event("error", error="secret"))
    assert nameless.error == ("upstream_error", "")


def test_the_sdk_raises_for_our_error_event() -> None:
    meter = MessagesMeter()
    body = meter.feed(b"".join(SANDBOX[:5])) + meter.finish_bytes(OVERLOADED, "r1")
    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(200, content=body, headers={"content-type": "text/event-stream"})
    )
    with httpx2.Client(transport=transport) as http:
        client = anthropic.Anthropic(api_key="k", base_url="http://test", http_client=http, max_retries=0)
        seen: list[str] = []
        with pytest.raises(anthropic.APIStatusError) as raised:
            stream = client.messages.create(
                model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}], stream=True
            )
            seen.extend(found.type for found in stream)
    # The ping is passed over.
    assert len(seen) == 4
    assert raised.value.body == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": OVERLOADED.message},
        "request_id": "r1",
    }


def test_a_ping_may_stand_behind_the_start() -> None:
    meter = MessagesMeter()
    assert meter.keep_alive == b": keepalive\n\n"
    meter.feed(event("message_start", message={"usage": {"input_tokens": 3}}))
    assert meter.keep_alive.replace(b':"', b': "') == event("ping")
