"""Converted streams as OpenAI's SDK reads them."""

from typing import Any

import httpx2
import openai
import pytest

from oneapi.dialects.errors import GatewayError
from tests.unit.oneapi.dialects.dialogues import CHAT, MESSAGES, convert, fed, request, sse

START = {"type": "message_start", "message": {"id": "m", "model": "c", "usage": {"input_tokens": 3}}}


def client(body: bytes) -> openai.OpenAI:
    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(200, content=body, headers={"content-type": "text/event-stream"})
    )
    http = httpx2.Client(transport=transport)
    return openai.OpenAI(api_key="k", base_url="http://test/v1", http_client=http, max_retries=0)


def block(index: int, skeleton: dict[str, Any], **delta: Any) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": skeleton},
        {"type": "content_block_delta", "index": index, "delta": delta},
        {"type": "content_block_stop", "index": index},
    ]


def test_a_whole_completion() -> None:
    events = [
        START,
        *block(0, {"type": "text", "text": ""}, type="text_delta", text="hé"),
        *block(1, {"type": "tool_use", "id": "a", "name": "f"}, type="input_json_delta", partial_json='{"a":1}'),
        *block(2, {"type": "tool_use", "id": "b", "name": "g"}, type="input_json_delta", partial_json=""),
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 4}},
        {"type": "message_stop"},
    ]
    body = request(CHAT, stream_options={"include_usage": True})
    out, _ = fed(convert(CHAT, MESSAGES, body), [sse(events)])
    with client(out).chat.completions.stream(model="m", messages=[{"role": "user", "content": "x"}]) as stream:
        completion = stream.get_final_completion()
    [choice] = completion.choices
    assert (choice.message.content, choice.finish_reason, completion.model) == ("hé", "tool_calls", "alias")
    calls = [call.model_dump()["function"] for call in choice.message.tool_calls or ()]
    assert [(call["name"], call["arguments"]) for call in calls] == [("f", '{"a":1}'), ("g", "{}")]
    assert completion.usage is not None
    assert completion.usage.total_tokens == 7


def test_a_stream_that_breaks_raises() -> None:
    events = [START, *block(0, {"type": "text", "text": ""}, type="text_delta", text="a")[:2]]
    out, converter = fed(convert(CHAT, MESSAGES), [sse(events)])
    out += converter.finish_bytes(GatewayError(503, "overloaded", "upstream_cut", "It broke off."))
    with pytest.raises(openai.APIError, match="It broke off"):
        list(client(out).chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True))
