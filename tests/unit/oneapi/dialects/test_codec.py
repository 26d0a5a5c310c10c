"""The codecs on generated conversations, on damaged input, and on recorded traffic of real providers and clients.

The traffic is where ONEAPI_RECORDED says; without it its tests are skipped.
"""

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from oneapi.dialects.canonical.context import Answering, Sending
from oneapi.dialects.canonical.events import Event, MessageEnd, MessageStart, PartDelta, PartEnd, PartStart, UsageTold
from oneapi.dialects.canonical.losses import LOSSES, Losses
from oneapi.dialects.canonical.parts import Base64, Image, Message, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from oneapi.dialects.canonical.profile import Profile
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.responses import Choice, Response, Stop
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.canonical.tools import FunctionTool, ToolChoice
from oneapi.dialects.codec import CODECS
from oneapi.dialects.conversion import StreamConverter
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.gemini_generate.conversation import IN_PATH
from oneapi.dialects.registry import DIALECTS
from tests.unit.oneapi.dialects import grammars
from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    GEMINI,
    MESSAGES,
    NAMES,
    PAIRS,
    RESPONSES,
    SECRET,
    convert,
    fed,
    gemini_message,
    message_of,
    request,
)
from tests.unit.oneapi.dialects.test_registry import answers, cases, requests, streams

BROKEN = GatewayError(502, "upstream", "upstream_cut", "The provider's answer broke off.")


def quickly(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, phases=[Phase.explicit, Phase.generate, Phase.shrink])


# --- generated ---

words = st.text('ab é😀"\\\n{}<', min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
names = st.text("abcXYZ019_-", min_size=1, max_size=20)
objects = st.dictionaries(names, st.one_of(words, st.integers(), st.booleans(), st.none()), max_size=3)
pictures = st.builds(Image, source=st.just(Base64("image/png", "iVBORw0KGgoAAAAA")))


@st.composite
def conversations(draw: st.DrawFn) -> Request:
    """A conversation that every format can express."""
    messages = [Message(role="system", parts=[Text(text=draw(words))])] if draw(st.booleans()) else []
    number = 0
    for _ in range(draw(st.integers(1, 3))):
        said = draw(st.lists(st.one_of(st.builds(Text, text=words), pictures), min_size=1, max_size=2))
        messages.append(Message(role="user", parts=list(said)))
        parts: list[Part] = [Text(text=draw(words))] if draw(st.booleans()) else []
        calls = []
        for _ in range(draw(st.integers(0 if parts else 1, 2))):
            number += 1
            arguments = msgspec.json.encode(draw(objects)).decode()
            calls.append(ToolCall(id=f"call_{number}", name=draw(names), arguments=arguments))
        messages.append(Message(role="assistant", parts=[*parts, *calls]))
        for one in calls:
            result = ToolResult(call_id=one.id, parts=[Text(text=draw(words))])
            messages.append(Message(role="tool", parts=[result]))
    messages.append(Message(role="user", parts=[Text(text=draw(words))]))
    tools = [FunctionTool(name=f"t{place}", description="d", schema=schema(), strict=True) for place in range(2)]
    choice = draw(st.sampled_from([None, ToolChoice(mode="auto"), ToolChoice(mode="one", names=["t1"])]))
    return Request(dialect="generated", model="m", messages=messages, tools=list(tools), tool_choice=choice)


def schema() -> dict[str, Any]:
    return {"type": "object", "properties": {"a": {"type": "string"}}}


def encoded(name: str, conversation: Request) -> dict[str, Any]:
    sending = Sending("m", Profile(), Seal(SECRET), Losses())
    body = dict(json.loads(msgspec.json.encode(CODECS[name].encode_request(conversation, sending))))
    return with_model(name, body, "m")


def with_model(name: str, body: dict[str, Any], model: str) -> dict[str, Any]:
    """What a client sends; in Gemini's format the address has the model."""
    return {"model": model, **body} if name == GEMINI else body


@pytest.mark.parametrize("name", NAMES)
@given(conversations())
@quickly(30)
def test_what_is_decoded_is_encoded_as_it_was(name: str, conversation: Request) -> None:
    body = encoded(name, conversation)
    decoded = CODECS[name].decode_request(body, Seal(SECRET))
    assert encoded(name, decoded) == body


@pytest.mark.parametrize(("first", "second"), PAIRS)
@given(conversations())
@quickly(30)
def test_there_and_back_changes_nothing(first: str, second: str, conversation: Request) -> None:
    if first == RESPONSES:
        # There the first instructions stand in a field of their own, and come back in it.
        conversation.messages = [message for message in conversation.messages if message.role != "system"]
    body = encoded(first, conversation)
    there = convert(first, second, body)
    back = convert(second, first, with_model(second, json.loads(there.body), "upstream-model"))
    assert (there.losses, back.losses) == ([], [])
    again = json.loads(back.body)
    for field in ("input", "messages", "contents"):
        assert again.get(field) == body.get(field)
    for field in ("system", "instructions", "systemInstruction", "tools", "tool_choice", "toolConfig"):
        assert plain(second, again.get(field)) == plain(second, body.get(field))


def plain(through: str, value: Any) -> Any:
    """Gemini has strictness as a way of calling: a forced call is strict in any case, and else it is the default."""
    if through != GEMINI:
        return value
    if isinstance(value, list):
        return [plain(through, item) for item in value]
    if isinstance(value, dict):
        value = None if value == {"type": "auto"} else value
    if isinstance(value, dict):
        return {name: plain(through, item) for name, item in value.items() if name != "strict"}
    return None if value == "auto" else value


@st.composite
def spoken(draw: st.DrawFn) -> tuple[list[Part], Stop]:
    """What an answer of any format may say, and why it stopped."""
    parts: list[Part] = [Reasoning(texts=[draw(words)])] if draw(st.booleans()) else []
    parts += draw(st.lists(st.builds(Text, text=words), max_size=2))
    for number in range(draw(st.integers(0, 2))):
        arguments = msgspec.json.encode(draw(objects)).decode()
        parts.append(ToolCall(id=f"call_{number}", name=draw(names), arguments=arguments))
    called = any(isinstance(part, ToolCall) for part in parts)
    cut = draw(st.booleans())
    if parts and cut:
        return parts, Stop(reason="length")
    return parts, Stop(reason="tool_calls" if called else "end")


def events_of(parts: list[Part], stop: Stop, cut: Callable[[str], list[str]]) -> list[Event]:
    events: list[Event] = [MessageStart("id", "m")]
    for key, part in enumerate(parts):
        text = part.arguments if isinstance(part, ToolCall) else part.text if isinstance(part, Text | Reasoning) else ""
        skeleton: Part = Reasoning() if isinstance(part, Reasoning) else Text()
        if isinstance(part, ToolCall):
            skeleton = ToolCall(id=part.id, name=part.name)
        events.append(PartStart(key, skeleton))
        events += [PartDelta(key, piece) for piece in cut(text)]
        events.append(PartEnd(key))
    return [*events, UsageTold({"input": 3, "output": 4}), MessageEnd(stop)]


def answering(name: str) -> Answering:
    body = request(name, stream_options={"include_usage": True}) if name == CHAT else request(name)
    asked = CODECS[name].decode_request(body, Seal(SECRET))
    return Answering("5eed", 1, Seal(SECRET, "here"), asked, body, Losses(), 7)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@given(spoken(), st.randoms(use_true_random=False))
@quickly(30)
def test_a_stream_says_what_a_whole_answer_says(
    client: str, upstream: str, answer: tuple[list[Part], Stop], generator: random.Random
) -> None:
    parts, stop = answer

    def cut(text: str) -> list[str]:
        place = generator.randrange(len(text) + 1)
        return [piece for piece in (text[:place], text[place:]) if piece]

    stream = CODECS[upstream].stream_encoder(answering(upstream)).write(events_of(parts, stop, cut))
    assert grammars.GRAMMARS[upstream](stream) == "done"
    body = request(client, stream_options={"include_usage": True}) if client == CHAT else None
    out, converter = fed(convert(client, upstream, body), [stream])
    assert grammars.GRAMMARS[client](out) == "done"
    assert converter.usage == {"input": 3, "output": 4}
    seen = message_of(client, grammars.events(out))
    whole = Response(
        dialect="generated",
        choices=[Choice(messages=[Message(role="assistant", parts=copy.deepcopy(parts))], stop=stop)],
        usage={"input": 3, "output": 4},
    )
    raw = msgspec.json.encode(CODECS[upstream].encode_response(whole, answering(upstream)))
    told = json.loads(convert(client, upstream, body).response(raw).body)
    assert {**seen, "usage": 0} == {**summary(client, told), "usage": 0}


def summary(client: str, answer: dict[str, Any]) -> dict[str, Any]:
    """A whole answer in the words of `message_of`."""
    if client == RESPONSES:
        return message_of(client, [("", {"response": answer})])
    if client == GEMINI:
        return gemini_message([answer])
    found: dict[str, Any] = {"text": "", "thought": "", "refusal": "", "calls": []}
    if client == CHAT:
        [choice] = answer["choices"]
        said = choice["message"]
        calls = [
            [one["id"], one["function"]["name"], one["function"]["arguments"]] for one in said.get("tool_calls", ())
        ]
        texts = {"text": said["content"] or "", "thought": said.get("reasoning_content", "")}
        return {**found, **texts, "calls": calls, "stop": choice["finish_reason"]}
    for block in answer["content"]:
        if block["type"] == "tool_use":
            arguments = msgspec.json.encode(block["input"]).decode()
            found["calls"].append([block["id"], block["name"], arguments])
        found["text"] += block.get("text", "")
        found["thought"] += block.get("thinking", "")
    return {**found, "stop": answer["stop_reason"]}


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@given(spoken(), st.floats(0, 1))
@quickly(30)
def test_a_stream_may_break_anywhere(client: str, upstream: str, answer: tuple[list[Part], Stop], where: float) -> None:
    stream = CODECS[upstream].stream_encoder(answering(upstream)).write(events_of(*answer, lambda text: [text]))
    cut = stream[: int(len(stream) * where)]
    body = request(client, stream_options={"include_usage": True}) if client == CHAT else None
    out, converter = fed(convert(client, upstream, body), [cut])
    if converter.finished:
        assert grammars.GRAMMARS[client](out) == "done"
    else:
        assert grammars.GRAMMARS[client](out + converter.finish_bytes(BROKEN, "req_1")) == "failed"


# --- damaged ---

leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5)
)
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
)

_PICTURE = "data:image/png;base64,iVBORw0KGgo="
RICH: dict[str, dict[str, Any]] = {
    CHAT: request(
        CHAT,
        [
            {"role": "system", "content": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]},
            {"role": "user", "name": "u", "content": [{"type": "image_url", "image_url": {"url": _PICTURE}}]},
            {
                "role": "assistant",
                "reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "s", "format": "x"}],
                "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "a", "content": "r"},
            {"role": "user", "content": [{"type": "file", "file": {"file_data": "data:text/csv;base64,YQ=="}}]},
        ],
        tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        tool_choice={"type": "function", "function": {"name": "f"}},
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
        stop=["x"],
        reasoning={"effort": "low"},
    ),
    RESPONSES: request(
        RESPONSES,
        [
            {"role": "user", "content": [{"type": "input_image", "image_url": _PICTURE}]},
            {
                "type": "reasoning",
                "id": "rs",
                "summary": [{"type": "summary_text", "text": "t"}],
                "encrypted_content": "g",
            },
            {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": [{"type": "input_text", "text": "r"}]},
            {"type": "web_search_call", "action": {"type": "search", "query": "q"}},
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "x", "annotations": []}],
            },
        ],
        instructions="s",
        tools=[
            {"type": "function", "name": "f", "parameters": {}},
            {"type": "namespace", "name": "ns", "tools": [{"type": "custom", "name": "g", "format": {"type": "text"}}]},
            {"type": "web_search", "filters": {"allowed_domains": ["x.test"]}},
        ],
        tool_choice={"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        text={"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}, "verbosity": "low"},
        reasoning={"effort": "high", "summary": "auto"},
        include=["reasoning.encrypted_content"],
    ),
    MESSAGES: request(
        MESSAGES,
        [
            {"role": "user", "content": [{"type": "document", "source": {"type": "text", "data": "d"}, "title": "t"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "t", "signature": "s"},
                    {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [], "is_error": True}]},
            {"role": "system", "content": "later"},
        ],
        system=[{"type": "text", "text": "s"}],
        tools=[
            {"name": "f", "input_schema": {}, "cache_control": {"type": "ephemeral"}},
            {"type": "web_search_20250305"},
        ],
        tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 2000},
        output_config={"effort": "low", "format": {"type": "json_schema", "schema": {}}},
        metadata={"user_id": "u"},
        stop_sequences=["x"],
    ),
    GEMINI: request(
        GEMINI,
        [
            {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}]},
            {
                "role": "model",
                "parts": [
                    {"text": "t", "thought": True},
                    {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}, "thoughtSignature": "c2ln"},
                    {"functionCall": {"name": "g"}},
                ],
            },
            {
                "parts": [
                    {"functionResponse": {"name": "g", "response": {"result": "r"}}},
                    {"functionResponse": {"id": "a", "name": "f", "response": {"error": "e"}}},
                ]
            },
            {"role": "user", "parts": [{"file_data": {"file_uri": "https://x.test/a.pdf"}}, {"text": "x"}]},
        ],
        system_instruction={"parts": [{"text": "s"}]},
        tools=[
            {"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "nullable": True}}]},
            {"googleSearch": {}},
        ],
        toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        generationConfig={
            "responseMimeType": "application/json",
            "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
            "thinkingConfig": {"thinkingBudget": 2000, "includeThoughts": True},
            "stopSequences": ["x"],
            "topK": 4,
        },
        safetySettings=[{"category": "c", "threshold": "t"}],
    ),
}


def damaged(value: Any, generator: random.Random, draw: Callable[[], Any]) -> Any:
    """The value with one place of it replaced, or left out."""
    value = copy.deepcopy(value)
    places: list[tuple[Any, Any]] = []

    def walk(inner: Any) -> None:
        pairs = inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
        for key, item in pairs:
            places.append((inner, key))
            walk(item)

    walk(value)
    holder, key = generator.choice(places)
    if generator.random() < 0.3 and isinstance(holder, dict):
        del holder[key]
    else:
        holder[key] = draw()
    return value


@pytest.mark.parametrize("client", NAMES)
@given(st.data(), st.randoms(use_true_random=False))
@quickly(100)
def test_damaged_requests_are_refused_or_served(client: str, data: st.DataObject, generator: random.Random) -> None:
    body = damaged(RICH[client], generator, lambda: data.draw(anything))
    refusals: list[GatewayError] = []
    for upstream in NAMES:
        for profile in (
            Profile(),
            Profile(thinking="budget", native_schema=False, system_first=True, cache_marks=True),
        ):
            try:
                conversion = convert(client, upstream, body, profile=profile)
            except GatewayError as error:
                refusals.append(error)
            else:
                assert isinstance(json.loads(conversion.body), dict)
                assert {loss.name for loss in conversion.losses} <= LOSSES.keys()
    assert {error.status for error in refusals} <= {400}


@pytest.mark.parametrize("name", NAMES)
@given(st.randoms(use_true_random=False))
@quickly(60)
def test_unknown_fields_travel(name: str, generator: random.Random) -> None:
    body = copy.deepcopy(RICH[name])
    holders: list[dict[str, Any]] = [body]

    def walk(inner: Any) -> None:
        for item in inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else ():
            if isinstance(item, dict):
                holders.append(item)
            walk(item)

    walk(body)
    generator.choice(holders)["new_field"] = {"of": ["a", None, "later version"]}
    sending = Sending(body["model"], Profile(), Seal(SECRET), Losses())
    decoded = CODECS[name].decode_request(body, Seal(SECRET))
    again = json.loads(msgspec.json.encode(CODECS[name].encode_request(decoded, sending)))
    assert with_model(name, again, body["model"]) == body


def speech(name: str) -> tuple[dict[str, Any], list[Any]]:
    """An answer with something of everything, and its stream's events."""
    parts: list[Part] = [Reasoning(texts=["t"]), Text(text="x"), Refusal(text="n")]
    parts.append(ToolCall(id="a", name="f", arguments='{"a":1}'))
    response = Response(dialect="x", choices=[Choice(messages=[Message(role="assistant", parts=parts)], stop=Stop())])
    whole = json.loads(msgspec.json.encode(CODECS[name].encode_response(response, answering(name))))
    stream = CODECS[name].stream_encoder(answering(name)).write(events_of(parts, Stop(), lambda text: [text, text]))
    return whole, [event for _, event in grammars.events(stream)]


@pytest.mark.parametrize("upstream", NAMES)
@given(st.data(), st.randoms(use_true_random=False))
@quickly(60)
def test_damaged_answers_are_errors_or_answers(upstream: str, data: st.DataObject, generator: random.Random) -> None:
    whole, events = speech(upstream)
    answer = damaged(whole, generator, lambda: data.draw(anything))
    broken = [
        event if event == "[DONE]" else damaged(event, generator, lambda: data.draw(anything)) for event in events
    ]
    place = generator.randrange(len(events))
    stream = [*events[:place], broken[place], *events[place + 1 :]]
    lines = [event if event == "[DONE]" else json.dumps(event) for event in stream]
    statuses: set[int] = set()
    for client in NAMES:
        if client == upstream:
            continue
        try:
            converted = convert(client, upstream).response(json.dumps(answer).encode())
        except GatewayError as error:
            statuses.add(error.status)
        else:
            assert json.loads(converted.body)
        out, converter = fed(convert(client, upstream), [f"data: {line}\n\n".encode() for line in lines])
        ended = grammars.chat(out, usage=False) if client == CHAT else grammars.GRAMMARS[client](out)
        assert ended == ("done" if converter.finished else "open")
    assert statuses <= {502}


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@given(st.lists(st.binary(max_size=60), max_size=6))
@quickly(30)
def test_any_bytes_can_be_fed(client: str, upstream: str, pieces: list[bytes]) -> None:
    _, converter = fed(convert(client, upstream), [b"data: " + piece + b"\n\n" for piece in pieces])
    assert isinstance(converter, StreamConverter)


# --- recorded ---


@pytest.mark.parametrize(("name", "body"), cases(requests()))
def test_recorded_requests(name: str, body: dict[str, Any]) -> None:
    if name not in CODECS:
        return
    decoded = CODECS[name].decode_request(body, Seal(SECRET))
    sending = Sending(body["model"], Profile(), Seal(SECRET), Losses())
    repeated = json.loads(msgspec.json.encode(CODECS[name].encode_request(decoded, sending)))
    assert repeated == ({key: body[key] for key in body if key not in IN_PATH} if name == GEMINI else body)
    refusals: list[GatewayError] = []
    for upstream in NAMES:
        try:
            conversion = convert(name, upstream, body)
        except GatewayError as error:
            refusals.append(error)
        else:
            assert json.loads(conversion.body).get("model") == (None if upstream == GEMINI else "upstream-model")
            assert {loss.name for loss in conversion.losses} <= LOSSES.keys()
    assert {error.status for error in refusals} <= {400}
    assert all(error.code == "unsupported_parameter" or "tool call" in error.message for error in refusals)


@pytest.mark.parametrize(("name", "answer"), cases(answers()))
def test_recorded_answers(name: str, answer: dict[str, Any]) -> None:
    if name not in CODECS:
        return
    codec = CODECS[name]
    decoded = codec.decode_response(answer)
    assert json.loads(msgspec.json.encode(codec.encode_response(decoded, answering(name)))) == answer
    raw = json.dumps(answer).encode()
    assert decoded.usage == DIALECTS[name].read_usage(raw)
    for client in NAMES:
        converted = convert(client, name).response(raw)
        assert converted.usage == decoded.usage
        seen = DIALECTS[client].read_usage(converted.body) or {}
        if converted.usage:
            assert sum(seen.values()) == sum(converted.usage.values()) - converted.usage.get("search", 0) + seen.get(
                "search", 0
            )


@pytest.mark.parametrize(("name", "whole"), cases(streams()))
def test_recorded_streams(name: str, whole: bytes) -> None:
    generator = random.Random(len(whole))
    cuts = sorted(generator.randrange(len(whole)) for _ in range(20))
    pieces = [whole[i:j] for i, j in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    for client in NAMES:
        if client == name or name not in CODECS:
            continue
        body = request(client, stream_options={"include_usage": True}) if client == CHAT else None
        out, converter = fed(convert(client, name, body), [whole])
        for others in (pieces, [whole[place : place + 1] for place in range(len(whole))]):
            again, other = fed(convert(client, name, body), others)
            assert again == out
            for fact in ("usage", "text_bytes", "started", "finished", "error", "input_told"):
                assert getattr(other, fact) == getattr(converter, fact)
        assert converter.finished or converter.error is not None
        ended = grammars.GRAMMARS[client](out)
        assert ended == ("done" if converter.finished else "open")
        if not converter.finished:
            assert grammars.GRAMMARS[client](out + converter.finish_bytes(BROKEN)) == "failed"
            continue
        # Through a second gateway, back to the first format, nothing of it changes.
        asked = request(name, stream_options={"include_usage": True}) if name == CHAT else None
        back, _ = fed(convert(name, client, asked), [out])
        forth, _ = fed(convert(client, name, body), [back])
        told = message_of(client, grammars.events(out))
        if not told["refusal"]:  # Messages have none: there it is text.
            seen = message_of(client, grammars.events(forth))
            if "search" in (converter.usage or {}):  # Not every format counts them, nor has a place for the count.
                told["usage"] = seen["usage"] = None
            assert seen == told
