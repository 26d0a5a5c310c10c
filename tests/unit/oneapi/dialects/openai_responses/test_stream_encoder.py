"""Converted streams as OpenAI's SDK reads them."""

import httpx2
import openai
import pytest

from oneapi.dialects.errors import GatewayError
from tests.unit.oneapi.dialects.dialogues import CHAT, RESPONSES, chat_chunk, convert, fed, request, sse

USAGE = {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}


def client(body: bytes) -> openai.OpenAI:
    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(200, content=body, headers={"content-type": "text/event-stream"})
    )
    http = httpx2.Client(transport=transport)
    return openai.OpenAI(api_key="k", base_url="http://test/v1", http_client=http, max_retries=0)


def test_a_whole_response() -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    chunks = [
        chat_chunk({"role": "assistant", "reasoning_content": "hm"}),
        chat_chunk({"content": "hé"}),
        chat_chunk({"content": "!"}),
        chat_chunk({"tool_calls": [call]}),
        chat_chunk(finish="tool_calls", usage=USAGE),
    ]
    out, _ = fed(convert(RESPONSES, CHAT, request(RESPONSES)), [sse(chunks, done=True)])
    with client(out).responses.stream(model="m", input="x") as stream:
        response = stream.get_final_response()
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call"]
    assert (response.output_text, response.status, response.model) == ("hé!", "completed", "alias")
    assert response.output[2].model_dump()["arguments"] == '{"a":1}'
    assert response.usage is not None
    assert response.usage.total_tokens == 19


def test_a_stream_that_breaks_raises() -> None:
    out, converter = fed(convert(RESPONSES, CHAT), [sse([chat_chunk({"content": "a"})])])
    out += converter.finish_bytes(GatewayError(503, "overloaded", "upstream_cut", "It broke off."))
    with pytest.raises(openai.APIError, match="It broke off"):
        list(client(out).responses.create(model="m", input="x", stream=True))
