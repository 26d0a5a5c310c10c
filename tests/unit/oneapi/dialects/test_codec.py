"""The codecs on generated conversations, on damaged input, and on recorded traffic of real providers and clients.

The traffic is where ONEAPI_RECORDED says; without it its tests are skipped.
"""

import copy
import json
import random
from typing import Any

import msgspec
import pytest
from anthropic.types import Message as AnthropicMessage
from anthropic.types import RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response as OpenAIResponse
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from oneapi.dialects.canonical.context import Answering, Sending
from oneapi.dialects.canonical.losses import LOSSES, Losses
from oneapi.dialects.canonical.parts import Message, Part, Reasoning, Refusal, Text, ToolCall
from oneapi.dialects.canonical.profile import Profile
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.responses import Choice, Response, Stop
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.codec import CODECS
from oneapi.dialects.conversion import StreamConverter
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.gemini_generate.conversation import IN_PATH
from oneapi.dialects.registry import DIALECTS
from tests.unit.oneapi.dialects import grammars
from tests.unit.oneapi.dialects.damage import RICH, anything, damaged
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
from tests.unit.oneapi.dialects.generated import conversations, events_of, quickly, spoken
from tests.unit.oneapi.dialects.test_registry import answers, cases, requests, streams

OFFICIAL: dict[str, tuple[Any, Any]] = {
    CHAT: (ChatCompletion, ChatCompletionChunk),
    RESPONSES: (OpenAIResponse, ResponseStreamEvent),
    MESSAGES: (AnthropicMessage, RawMessageStreamEvent),
}
"""What the official SDKs read answers and events of streams as."""
BROKEN = GatewayError(502, "upstream", "upstream_cut", "The provider's answer broke off.")


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


@pytest.mark.parametrize("name", OFFICIAL)
def test_official_clients_find_every_field_that_they_require(name: str) -> None:
    whole, events = speech(name)
    whole_type, event_type = (TypeAdapter[Any](kind) for kind in OFFICIAL[name])
    whole_type.validate_python(whole)
    for event in events:
        # No events of the SDK's: it passes over a ping itself.
        if event not in ("[DONE]", {"type": "ping"}):
            event_type.validate_python(event)


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
