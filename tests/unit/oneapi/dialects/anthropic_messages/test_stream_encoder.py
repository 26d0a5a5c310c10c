"""Converted streams as Anthropic's SDK reads them."""

import anthropic
import httpx2
import pytest

from oneapi.dialects.errors import GatewayError
from tests.unit.oneapi.dialects.dialogues import CHAT, MESSAGES, chat_chunk, convert, fed, request, sse

USAGE = {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19, "prompt_tokens_details": {"cached_tokens": 2}}


def client(body: bytes) -> anthropic.Anthropic:
    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(200, content=body, headers={"content-type": "text/event-stream"})
    )
    http = httpx2.Client(transport=transport)
    return anthropic.Anthropic(api_key="k", base_url="http://test", http_client=http, max_retries=0)


def test_a_whole_message() -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    chunks = [
        chat_chunk({"role": "assistant", "reasoning_content": "hm"}),
        chat_chunk({"content": "hé"}),
        chat_chunk({"tool_calls": [call]}),
        chat_chunk(finish="tool_calls", usage=USAGE),
    ]
    out, _ = fed(convert(MESSAGES, CHAT, request(MESSAGES), prompt_tokens=11), [sse(chunks, done=True)])
    with client(out).messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]) as stream:
        message = stream.get_final_message()
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use"]
    assert message.content[2].model_dump()["input"] == {"a": 1}
    assert (message.stop_reason, message.model) == ("tool_use", "alias")
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens) == (
        10,
        2,
        7,
    )


def test_a_stream_that_breaks_raises() -> None:
    out, converter = fed(convert(MESSAGES, CHAT), [sse([chat_chunk({"content": "a"})])])
    out += converter.finish_bytes(GatewayError(503, "overloaded", "upstream_cut", "It broke off."), "req_1")
    with (
        pytest.raises(anthropic.APIStatusError, match="It broke off"),
        client(out).messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]) as stream,
    ):
        stream.get_final_message()
