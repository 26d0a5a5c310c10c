"""Formats that only upstreams speak, against clients of every format: generated, damaged and recorded.

What is asked of them is read, and what they answer is written, by their documents alone. The recorded traffic is where
ONEAPI_RECORDED says; without it its tests are skipped.
"""

import base64
import json
import os
import random
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.dialects.canonical.losses import LOSSES
from oneapi.dialects.canonical.parts import Base64, Image, Part, Text, ToolCall, ToolResult
from oneapi.dialects.canonical.profile import Profile
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.responses import Stop
from oneapi.dialects.codec import CODECS
from oneapi.dialects.conversion import upstream_dialects
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.registry import DIALECTS
from oneapi.dialects.upstreams import UPSTREAMS
from tests.unit.oneapi.dialects import grammars
from tests.unit.oneapi.dialects.bedrock_converse import wire as converse
from tests.unit.oneapi.dialects.cohere_chat import wire as cohere
from tests.unit.oneapi.dialects.damage import RICH, anything, damaged
from tests.unit.oneapi.dialects.dialogues import CHAT, GEMINI, NAMES, convert, fed, message_of, request
from tests.unit.oneapi.dialects.generated import conversations, quickly, schema, spoken
from tests.unit.oneapi.dialects.test_codec import BROKEN, encoded, summary
from tests.unit.oneapi.dialects.test_registry import cases, requests

WIRES: dict[str, ModuleType] = {"cohere_chat": cohere, "bedrock_converse": converse}
PAIRS = [(client, upstream) for client in NAMES for upstream in WIRES]
PROFILES = (
    Profile(),
    Profile(thinking="budget", native_schema=False, cache_marks=True),
    Profile(vendor_fields="claude", thinking="budget", cache_marks=True, images_in_results=True),
    Profile(vendor_fields="claude", inline_system=True),
    Profile(vendor_fields="nova", efforts=("low",), forced_tools=False),
    Profile(vendor_fields="openai"),
)
USAGE = {"input": 3, "output": 4}
REFUSALS = ("unsupported_parameter", "invalid_request")


def asking(client: str) -> dict[str, Any] | None:
    """A client's request whose stream tells usage."""
    return request(client, stream_options={"include_usage": True}) if client == CHAT else None


def test_they_are_upstreams_of_every_client_and_clients_of_none() -> None:
    assert set(WIRES) == UPSTREAMS.keys() - CODECS.keys()
    assert not WIRES.keys() & DIALECTS.keys()
    for client in NAMES:
        assert WIRES.keys() <= set(upstream_dialects(client))


# --- generated ---


def meant(conversation: Request) -> list[tuple[Any, ...]]:
    """What a conversation says, piece by piece."""
    found: list[tuple[Any, ...]] = []
    for message in conversation.messages:
        for part in message.parts:
            match part:
                case Text(text=text):
                    found.append((message.role, text))
                case Image(source=Base64(data=data)):
                    found.append((message.role, "image", data))
                case ToolCall():
                    found.append(("call", part.id, part.name, json.loads(part.arguments)))
                case ToolResult():
                    found += [("result", part.call_id, inner.text) for inner in part.parts if isinstance(inner, Text)]
    return found


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@given(conversations())
@quickly(30)
def test_an_upstream_is_asked_what_the_client_asks(client: str, upstream: str, conversation: Request) -> None:
    body = encoded(client, conversation)
    conversion = convert(client, upstream, body)
    asked = json.loads(conversion.body)
    assert WIRES[upstream].said(asked) == meant(conversation)
    tools, choice = WIRES[upstream].offered(asked)
    names = conversation.tool_choice.names if conversation.tool_choice is not None else []
    forced = conversation.tool_choice is not None and conversation.tool_choice.mode == "one"
    assert (choice not in (None, {"auto": {}})) is forced
    assert tools == [(name, schema()) for name in ("t0", "t1") if not forced or name in names or len(tools) == 2]
    # Responses tells that its tools are strict; that they are, isn't lost where they may be.
    assert {loss.name for loss in conversion.losses} <= {"strict"}


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@given(spoken(), st.randoms(use_true_random=False))
@quickly(30)
def test_a_stream_says_what_a_whole_answer_says(
    client: str, upstream: str, told: tuple[list[Part], Stop], generator: random.Random
) -> None:
    parts, stop = told
    wire = WIRES[upstream]

    def cut(text: str) -> list[str]:
        place = generator.randrange(len(text) + 1)
        return [piece for piece in (text[:place], text[place:]) if piece]

    stream = b"".join(wire.written(wire.events(parts, stop, cut)))
    places = sorted(generator.randrange(len(stream)) for _ in range(5))
    pieces = [stream[i:j] for i, j in zip([0, *places], [*places, len(stream)], strict=True)]
    out, converter = fed(convert(client, upstream, asking(client)), [stream])
    for others in (pieces, [stream[place : place + 1] for place in range(len(stream))]):
        again, other = fed(convert(client, upstream, asking(client)), others)
        assert again == out
        for fact in ("usage", "text_bytes", "started", "finished", "error"):
            assert getattr(other, fact) == getattr(converter, fact)
    assert grammars.GRAMMARS[client](out) == "done"
    assert converter.usage == USAGE
    seen = message_of(client, grammars.events(out))
    converted = convert(client, upstream, asking(client)).response(json.dumps(wire.answer(parts, stop)).encode())
    assert converted.usage == USAGE
    whole = summary(client, json.loads(converted.body))
    assert {**seen, "usage": 0} == {**whole, "usage": 0}


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@given(spoken(), st.floats(0, 1))
@quickly(30)
def test_a_stream_may_break_anywhere(client: str, upstream: str, told: tuple[list[Part], Stop], where: float) -> None:
    wire = WIRES[upstream]
    stream = b"".join(wire.written(wire.events(*told, lambda text: [text])))
    out, converter = fed(convert(client, upstream, asking(client)), [stream[: int(len(stream) * where)]])
    if converter.finished:
        assert grammars.GRAMMARS[client](out) == "done"
    else:
        assert grammars.GRAMMARS[client](out + converter.finish_bytes(BROKEN, "req_1")) == "failed"


# --- damaged ---


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@given(st.data(), st.randoms(use_true_random=False))
@quickly(40)
def test_damaged_requests_are_refused_or_served(
    client: str, upstream: str, data: st.DataObject, generator: random.Random
) -> None:
    body = damaged(RICH[client], generator, lambda: data.draw(anything))
    refusals: list[GatewayError] = []
    for profile in PROFILES:
        try:
            conversion = convert(client, upstream, body, profile=profile)
        except GatewayError as error:
            refusals.append(error)
        else:
            assert isinstance(json.loads(conversion.body), dict)
            assert {loss.name for loss in conversion.losses} <= LOSSES.keys()
    assert {error.status for error in refusals} <= {400}


@pytest.mark.parametrize("upstream", WIRES)
@given(spoken(), st.data(), st.randoms(use_true_random=False))
@quickly(50)
def test_damaged_answers_are_errors_or_answers(
    upstream: str, told: tuple[list[Part], Stop], data: st.DataObject, generator: random.Random
) -> None:
    wire = WIRES[upstream]
    answer = damaged(wire.answer(*told), generator, lambda: data.draw(anything))
    events = wire.events(*told, lambda text: [text])
    place = generator.randrange(len(events))
    events[place] = damaged(events[place], generator, lambda: data.draw(anything))
    statuses: set[int] = set()
    for client in NAMES:
        try:
            converted = convert(client, upstream).response(json.dumps(answer).encode())
        except GatewayError as error:
            statuses.add(error.status)
        else:
            assert json.loads(converted.body)
        out, converter = fed(convert(client, upstream), wire.written(events))
        ended = grammars.chat(out, usage=False) if client == CHAT else grammars.GRAMMARS[client](out)
        assert ended == ("done" if converter.finished else "open")
    assert statuses <= {502}


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@given(st.lists(st.binary(max_size=60), max_size=6))
@quickly(30)
def test_any_bytes_can_be_fed(client: str, upstream: str, pieces: list[bytes]) -> None:
    fed(convert(client, upstream), pieces)
    fed(convert(client, upstream), [b"data: " + piece + b"\n\n" for piece in pieces])


# --- recorded ---

FOLDER = os.environ.get("ONEAPI_RECORDED", "")
PLACES = {
    "cohere_chat": ("cohere/v2-chat",),
    "bedrock_converse": ("bedrock/converse", "bedrock/converse-stream"),
}


def recorded() -> list[Any]:
    """One case for each interaction, or one that is skipped."""
    if not FOLDER:
        return [pytest.param("", {}, marks=pytest.mark.skip(reason="no recorded traffic here"))]
    return [
        pytest.param(name, json.loads(path.read_text()), id=path.stem)
        for name, places in PLACES.items()
        for place in places
        for path in sorted(Path(FOLDER, place).glob("*/*.json"))
    ]


@pytest.mark.parametrize(("name", "body"), cases(requests()))
def test_recorded_requests_of_clients(name: str, body: dict[str, Any]) -> None:
    if name not in CODECS:
        return
    refusals: list[GatewayError] = []
    for upstream in WIRES:
        try:
            conversion = convert(name, upstream, body)
        except GatewayError as error:
            refusals.append(error)
        else:
            assert {loss.name for loss in conversion.losses} <= LOSSES.keys()
            assert isinstance(json.loads(conversion.body), dict)
    assert {(error.status, error.code) for error in refusals} <= {(400, code) for code in REFUSALS}


@pytest.mark.parametrize(("name", "interaction"), recorded())
def test_recorded_answers(name: str, interaction: dict[str, Any]) -> None:
    response = interaction["response"]
    if interaction["status"] != 200:
        raw = json.dumps(response["json"]).encode()
        told = UPSTREAMS[name].decode_error(interaction["status"], raw)
        assert told is not None
        assert told.message == response["json"]["message"]
    elif "json" in response:
        for client in NAMES:
            converted = convert(client, name).response(json.dumps(response["json"]).encode())
            assert sum((converted.usage or {}).values()) == WIRES[name].tokens(response["json"]["usage"])
            seen = DIALECTS[client].read_usage(converted.body) or {}
            assert sum(seen.values()) == sum((converted.usage or {}).values())
    else:
        _check_stream(name, base64.b64decode(response["base64"]))


def _check_stream(name: str, whole: bytes) -> None:
    generator = random.Random(len(whole))
    cuts = sorted(generator.randrange(len(whole)) for _ in range(20))
    pieces = [whole[i:j] for i, j in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    for client in NAMES:
        out, converter = fed(convert(client, name, asking(client)), [whole])
        for others in (pieces, [whole[place : place + 1] for place in range(len(whole))]):
            again, other = fed(convert(client, name, asking(client)), others)
            assert again == out
            for fact in ("usage", "text_bytes", "started", "finished", "error"):
                assert getattr(other, fact) == getattr(converter, fact)
        assert converter.finished
        assert grammars.GRAMMARS[client](out) == "done"
        told = re.search(rb'"totalTokens":(\d+)', whole)
        assert told is not None
        assert sum((converter.usage or {}).values()) == int(told[1])


@pytest.mark.parametrize("upstream", WIRES)
def test_a_choice_among_tools_that_there_are_not_is_refused(upstream: str) -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "g"}}]}
    body = request(CHAT, tools=[tool], tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    with pytest.raises(GatewayError) as refused:
        convert(CHAT, upstream, body)
    assert (refused.value.status, refused.value.code) == (400, "unsupported_parameter")


def test_a_text_that_says_ping_is_a_text() -> None:
    chunk = b'data: {"choices":[{"delta":{"content":"ping"}}]}\n\n'
    out, converter = fed(convert(GEMINI, CHAT), [chunk])
    assert b'"text":"ping"' in out
    assert converter.text_bytes == 4
