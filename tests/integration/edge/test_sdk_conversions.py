"""The official SDKs against upstreams of every format: text and two turns with a tool, whole and streamed.

Each cell is one SDK, as its users write it, and one upstream. The matrix is printed when all cells have run.
"""

import functools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import types
from google.genai.errors import APIError as GoogleError

from oneapi.runtime.ids import uuid7
from tests.integration.edge.formats import (
    CHAT,
    FORMATS,
    GEMINI,
    MESSAGES,
    RESPONSES,
    SERVED_AT,
    UPSTREAMS,
    channel_of,
    usage_of,
)
from tests.integration.edge.stage import Stage
from tests.upstream.tool_calls import SIGNATURE

# The SDK's own business.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

TEXT = " tok" * 5
ASKED = "What is the weather in Paris?"
RESULT = "18 degrees and rain"
ABOUT = "The weather in a city."
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_seen: dict[tuple[str, str], dict[str, bool]] = {}


class Asking:
    """One cell: the SDKs' clients, and ids by which the ledger knows the requests that were made."""

    def __init__(self, stage: Stage, key: str, upstream: str) -> None:
        self.openai = stage.openai(key)
        self.anthropic = anthropic.AsyncAnthropic(base_url=stage.url, api_key=key, max_retries=0)
        self._google: dict[str, Any] = {"api_key": key, "http_options": types.HttpOptions(base_url=stage.url)}
        self.model = f"sdk-on-{upstream}"
        self.usage = usage_of(upstream)
        self.ids: list[str] = []

    @functools.cached_property
    def google(self) -> Any:
        # It reads the root certificates three times.
        return genai.Client(**self._google).aio.models

    @property
    def headers(self) -> dict[str, str]:
        """Those of the next request."""
        self.ids.append(uuid7())
        return {"x-request-id": self.ids[-1]}


async def chat_text(asking: Asking) -> str:
    answer = await asking.openai.chat.completions.create(
        model=asking.model, messages=[{"role": "user", "content": "hi"}], extra_headers=asking.headers
    )
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (11, 5)
    assert answer.choices[0].finish_reason == "stop"
    return answer.choices[0].message.content or ""


async def chat_text_streamed(asking: Asking) -> str:
    async with asking.openai.chat.completions.stream(
        model=asking.model,
        messages=[{"role": "user", "content": "hi"}],
        stream_options={"include_usage": True},
        extra_headers=asking.headers,
    ) as stream:
        answer = await stream.get_final_completion()
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 11
    return answer.choices[0].message.content or ""


async def _chat_tool(asking: Asking, *, streamed: bool) -> str:
    messages: list[Any] = [{"role": "user", "content": ASKED}]
    function = {"name": "weather", "description": ABOUT, "parameters": SCHEMA, "strict": True}
    tools: list[Any] = [{"type": "function", "function": function}]
    for _ in range(2):
        if streamed:
            async with asking.openai.chat.completions.stream(
                model=asking.model, messages=messages, tools=tools, extra_headers=asking.headers
            ) as stream:
                choice: Any = (await stream.get_final_completion()).choices[0]
        else:
            answer = await asking.openai.chat.completions.create(
                model=asking.model, messages=messages, tools=tools, extra_headers=asking.headers
            )
            choice = answer.choices[0]
        if not choice.message.tool_calls:
            break
        assert choice.finish_reason == "tool_calls"
        (call,) = choice.message.tool_calls
        assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Paris"})
        messages += [choice.message.to_dict(), {"role": "tool", "tool_call_id": call.id, "content": RESULT}]
    return choice.message.content or ""


async def responses_text(asking: Asking) -> str:
    answer = await asking.openai.responses.create(model=asking.model, input="hi", extra_headers=asking.headers)
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 5)
    return answer.output_text


async def responses_text_streamed(asking: Asking) -> str:
    async with asking.openai.responses.stream(model=asking.model, input="hi", extra_headers=asking.headers) as stream:
        deltas = [event.delta async for event in stream if event.type == "response.output_text.delta"]
        answer = await stream.get_final_response()
    assert "".join(deltas) == answer.output_text
    return answer.output_text


async def _responses_tool(asking: Asking, *, streamed: bool) -> str:
    given: list[Any] = [{"role": "user", "content": ASKED}]
    tools: list[Any] = [
        {"type": "function", "name": "weather", "description": ABOUT, "parameters": SCHEMA, "strict": True}
    ]
    for _ in range(2):
        if streamed:
            async with asking.openai.responses.stream(
                model=asking.model, input=given, tools=tools, store=False, extra_headers=asking.headers
            ) as stream:
                answer: Any = await stream.get_final_response()
        else:
            answer = await asking.openai.responses.create(
                model=asking.model, input=given, tools=tools, store=False, extra_headers=asking.headers
            )
        calls = [item for item in answer.output if item.type == "function_call"]
        if not calls:
            break
        (call,) = calls
        assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Paris"})
        given += [item.to_dict() for item in answer.output]
        given.append({"type": "function_call_output", "call_id": call.call_id, "output": RESULT})
    return str(answer.output_text)


async def messages_text(asking: Asking) -> str:
    answer = await asking.anthropic.messages.create(
        model=asking.model,
        max_tokens=50,
        messages=[{"role": "user", "content": "hi"}],
        extra_headers=asking.headers,
    )
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (asking.usage["input"], 5)
    assert answer.usage.cache_read_input_tokens == asking.usage.get("cached_input", 0)
    assert answer.stop_reason == "end_turn"
    return "".join(block.text for block in answer.content if block.type == "text")


async def messages_text_streamed(asking: Asking) -> str:
    async with asking.anthropic.messages.stream(
        model=asking.model,
        max_tokens=50,
        messages=[{"role": "user", "content": "hi"}],
        extra_headers=asking.headers,
    ) as stream:
        text = "".join([piece async for piece in stream.text_stream])
        final = await stream.get_final_message()
    assert final.usage.output_tokens == 5
    return text


async def _messages_tool(asking: Asking, *, streamed: bool) -> str:
    messages: list[Any] = [{"role": "user", "content": ASKED}]
    tools: list[Any] = [{"name": "weather", "description": ABOUT, "input_schema": SCHEMA}]
    for _ in range(2):
        if streamed:
            async with asking.anthropic.messages.stream(
                model=asking.model, max_tokens=50, messages=messages, tools=tools, extra_headers=asking.headers
            ) as stream:
                answer: Any = await stream.get_final_message()
        else:
            answer = await asking.anthropic.messages.create(
                model=asking.model, max_tokens=50, messages=messages, tools=tools, extra_headers=asking.headers
            )
        if answer.stop_reason != "tool_use":
            break
        (call,) = [block for block in answer.content if block.type == "tool_use"]
        assert (call.name, call.input) == ("weather", {"city": "Paris"})
        messages.append({"role": "assistant", "content": [block.to_dict() for block in answer.content]})
        result = {"type": "tool_result", "tool_use_id": call.id, "content": RESULT}
        messages.append({"role": "user", "content": [result]})
    return "".join(block.text for block in answer.content if block.type == "text")


async def chat_tool(asking: Asking) -> str:
    return await _chat_tool(asking, streamed=False)


async def chat_tool_streamed(asking: Asking) -> str:
    return await _chat_tool(asking, streamed=True)


async def responses_tool(asking: Asking) -> str:
    return await _responses_tool(asking, streamed=False)


async def responses_tool_streamed(asking: Asking) -> str:
    return await _responses_tool(asking, streamed=True)


async def messages_tool(asking: Asking) -> str:
    return await _messages_tool(asking, streamed=False)


async def messages_tool_streamed(asking: Asking) -> str:
    return await _messages_tool(asking, streamed=True)


def google_config(asking: Asking, **more: Any) -> types.GenerateContentConfig:
    return types.GenerateContentConfig(http_options=types.HttpOptions(headers=asking.headers), **more)


async def google_text(asking: Asking) -> str:
    answer = await asking.google.generate_content(model=asking.model, contents="hi", config=google_config(asking))
    assert answer.usage_metadata is not None
    assert answer.candidates is not None
    usage = answer.usage_metadata
    assert (usage.prompt_token_count, usage.candidates_token_count) == (11, 5)
    assert (usage.cached_content_token_count or 0) == asking.usage.get("cached_input", 0)
    assert answer.candidates[0].finish_reason is types.FinishReason.STOP
    return answer.text or ""


async def google_text_streamed(asking: Asking) -> str:
    stream = await asking.google.generate_content_stream(
        model=asking.model, contents="hi", config=google_config(asking)
    )
    answers = [answer async for answer in stream]
    assert answers[-1].usage_metadata is not None
    assert answers[-1].usage_metadata.candidates_token_count == 5
    assert len([answer for answer in answers if answer.text]) == 5
    return "".join(answer.text or "" for answer in answers)


async def _google_tool(asking: Asking, *, streamed: bool) -> str:
    contents: list[Any] = [types.Content(role="user", parts=[types.Part(text=ASKED)])]
    declared = types.FunctionDeclaration(name="weather", description=ABOUT, parameters_json_schema=SCHEMA)
    tools = [types.Tool(function_declarations=[declared])]
    for _ in range(2):
        config = google_config(asking, tools=tools)
        if streamed:
            stream = await asking.google.generate_content_stream(model=asking.model, contents=contents, config=config)
            answers = [answer async for answer in stream]
        else:
            answers = [await asking.google.generate_content(model=asking.model, contents=contents, config=config)]
        parts = [part for answer in answers for part in answer.parts or ()]
        calls = [part.function_call for part in parts if part.function_call is not None]
        if not calls:
            break
        (call,) = calls
        assert (call.name, call.args) == ("weather", {"city": "Paris"})
        result = types.FunctionResponse(id=call.id, name=call.name, response={"output": RESULT})
        contents.append(types.Content(role="model", parts=parts))
        contents.append(types.Content(role="user", parts=[types.Part(function_response=result)]))
    return "".join(part.text or "" for part in parts)


async def google_tool(asking: Asking) -> str:
    return await _google_tool(asking, streamed=False)


async def google_tool_streamed(asking: Asking) -> str:
    return await _google_tool(asking, streamed=True)


Scenario = Callable[[Asking], Awaitable[str]]
SCENARIOS: dict[str, dict[str, Scenario]] = {
    CHAT: {
        "text": chat_text,
        "text streamed": chat_text_streamed,
        "tool": chat_tool,
        "tool streamed": chat_tool_streamed,
    },
    RESPONSES: {
        "text": responses_text,
        "text streamed": responses_text_streamed,
        "tool": responses_tool,
        "tool streamed": responses_tool_streamed,
    },
    MESSAGES: {
        "text": messages_text,
        "text streamed": messages_text_streamed,
        "tool": messages_tool,
        "tool streamed": messages_tool_streamed,
    },
    GEMINI: {
        "text": google_text,
        "text streamed": google_text_streamed,
        "tool": google_tool,
        "tool streamed": google_tool_streamed,
    },
}
NAMES = tuple(SCENARIOS[CHAT])


@pytest.fixture(scope="module", autouse=True)
async def matrix(stage: Stage, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    channels = [
        await stage.channel({f"sdk-on-{upstream}": "play:tokens=5,cached=4,tool=1"}, **channel_of(upstream))
        for upstream in UPSTREAMS
    ]
    yield
    for channel in channels:
        stage.channels.pop(channel.id)
    lines = [f"{'SDK':18} {'upstream':20} " + " ".join(f"{name:14}" for name in NAMES)]
    for (client, upstream), cells in sorted(_seen.items()):
        shown = " ".join(f"{'ok' if cells.get(name) else 'FAILED' if name in cells else '-':14}" for name in NAMES)
        lines.append(f"{client:18} {upstream:20} {shown}")
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print("\n" + "\n".join(lines))


@pytest.mark.parametrize("scenario", NAMES)
@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("client", FORMATS)
async def test_cell(stage: Stage, key: str, client: str, upstream: str, scenario: str) -> None:
    cells = _seen.setdefault((client, upstream), {})
    cells[scenario] = False
    asking = Asking(stage, key, upstream)
    assert await SCENARIOS[client][scenario](asking) == TEXT
    assert len(asking.ids) == (2 if scenario.startswith("tool") else 1)
    for mine in asking.ids:
        event = await stage.event(client_request_id=mine)
        assert (event.outcome, event.evidence, dict(event.usage)) == ("ok", "provider", asking.usage)
        assert event.reserved_nano >= event.amount_nano
    entry = stage.upstream.served()[-1]
    assert entry["path"].removesuffix("-stream").endswith(SERVED_AT[upstream])
    if scenario.startswith("tool"):
        assert RESULT in json.dumps(entry["body"])
        # Google wants its calls back signed, whoever carried them meanwhile.
        assert (SIGNATURE in json.dumps(entry["body"])) == (upstream == GEMINI)
    cells[scenario] = True


@pytest.mark.parametrize("upstream", UPSTREAMS)
async def test_streams_that_break_raise(stage: Stage, key: str, upstream: str) -> None:
    model = f"sdk-broken-on-{upstream}"
    await stage.channel({model: "play:tokens=8,cut=6"}, **channel_of(upstream))
    asking = Asking(stage, key, upstream)
    chat = await asking.openai.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "hi"}], stream=True
    )
    with pytest.raises(openai.APIError):
        [chunk async for chunk in chat]
    responses = await asking.openai.responses.create(model=model, input="hi", stream=True)
    with pytest.raises(openai.APIError):
        [event async for event in responses]
    with pytest.raises(anthropic.APIStatusError):
        async with asking.anthropic.messages.stream(
            model=model, max_tokens=50, messages=[{"role": "user", "content": "hi"}]
        ) as stream:
            await stream.get_final_message()
    with pytest.raises(GoogleError) as cut:
        [answer async for answer in await asking.google.generate_content_stream(model=model, contents="hi")]
    assert (cut.value.code, cut.value.status) == (502, "UNAVAILABLE")
