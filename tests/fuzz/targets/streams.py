"""Server-sent events, Amazon's event stream, and the meters of every dialect on top of them.

The splitter gives the same events however the bytes were cut, loses none of them, and agrees with a slow reading of the
standard, line by line. A meter never raises, forwards whole events of what came and nothing else (Google's: their data
alone), and knows the same in the end however the bytes were cut. A framing gives the same data however the bytes were
cut, up to where it breaks, and holds no more than one message may have.
"""

import json
import random
import re
from typing import Any

import msgspec

from oneapi.dialects.codec import CODECS
from oneapi.dialects.conversion import Conversion, Upstream, read_request
from oneapi.dialects.event_stream import MAX_MESSAGE_BYTES, EventStreamFraming
from oneapi.dialects.framing import Framing
from oneapi.dialects.meter import StreamMeter
from oneapi.dialects.registry import DIALECTS
from oneapi.dialects.sse import Splitter, SseTooLarge
from oneapi.dialects.sse_framing import SseFraming
from tests.fuzz.mutation import mutated_value
from tests.fuzz.targets.target import SEEDS_OF_CHOICES, Target, pieces
from tests.upstream import frames

GOOGLES = "gemini_generate"
_BARE = re.compile(rb"(?:data: [^\r\n]*+(?:\r\n\r\n|\n\n))*+")
_SEEDS = [
    b'data: {"candidates":[{"content":{"parts":[{"text":"hi"},{"functionCall":{"name":"f","args":{"a":1}}}]},'
    b'"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}}\r\n\r\n: ping\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"h\xc3\xa9"},"finish_reason":null}]}\n\ndata: [DONE]\n\n',
    b'data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"a","arguments":"{}"}}]}}]}\r\n\r\n: ping\r\n\r\n',
    b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"prompt_tokens_details":'
    b'{"cached_tokens":1}}}\n\n',
    b'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":7,"output_tokens":1}}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":"hi"}}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","usage":{"output_tokens":9}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    (
        b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"hi"}\n\n'
        b'event: response.completed\ndata: {"type":"response.completed","response":{"usage":{"input_tokens":4,'
        b'"output_tokens":1}}}\n\n'
    ),
    b'data: {"error":{"message":"no","code":"x"}}\n\n',
    b"\xef\xbb\xbfdata: a\rdata:b\r\revent: x\ndata\n\nid: 1\nretry: 5\n\n",
]


def _by_the_standard(data: bytes) -> list[tuple[bytes, bytes]]:
    """Names and data of the events that have data, byte by byte. What isn't ended at the end counts, too."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    lines, line, place = [], bytearray(), 0
    while place < len(data):
        byte = data[place]
        if byte in b"\r\n":
            lines.append(bytes(line))
            line = bytearray()
            place += 2 if data[place : place + 2] == b"\r\n" else 1
        else:
            line.append(byte)
            place += 1
    lines += [bytes(line), b""]
    found: list[tuple[bytes, bytes]] = []
    name = b""
    content: list[bytes] = []
    for text in lines:
        if not text:
            if content:
                found.append((name, b"\n".join(content)))
            name, content = b"", []
            continue
        field, _, value = text.partition(b":")
        if field == b"data":
            content.append(value[1:] if value[:1] == b" " else value)
        elif field == b"event":
            name = value[1:] if value[:1] == b" " else value
    return found


def check_splitter(data: bytes) -> None:
    whole, cut = Splitter(), Splitter()
    events = whole.feed(data)
    assert b"".join(event.raw for event in events) + data[len(data) - whole.pending :] == data
    in_pieces = [event for piece in pieces(data, data) for event in cut.feed(piece)]
    rest = whole.end()
    assert [event.raw for event in in_pieces + cut.end()] == [event.raw for event in events + rest]
    assert [(e.event, e.data) for e in events + rest if e.has_data] == _by_the_standard(data)
    small = Splitter(max_line=16, max_event=40)
    try:
        for piece in pieces(data, data):
            for event in small.feed(piece):
                assert len(event.raw) <= 40
            assert small.pending <= 40
    except SseTooLarge:
        assert len(data) > 16


def check_meters(data: bytes) -> None:
    cuts = pieces(data, data)
    came = _by_the_standard(data)
    for dialect in DIALECTS.values():
        if dialect.meter is None:
            continue
        forward_usage = len(data) % 2 == 0
        whole = dialect.meter(forward_usage=forward_usage)
        cut = dialect.meter(forward_usage=forward_usage)
        sent = whole.feed(data) + whole.end()
        sent_cut = b"".join(cut.feed(piece) for piece in cuts) + cut.end()
        # A blank line more or less says nothing.
        events = came if sent == data else _by_the_standard(sent)
        assert sent == sent_cut or events == _by_the_standard(sent_cut), dialect.name
        for name in ("usage", "text_bytes", "started", "finished", "error"):
            assert getattr(whole, name) == getattr(cut, name), (dialect.name, name)
        assert whole.text_bytes >= 0
        assert all(type(count) is int and count > 0 for count in (whole.usage or {}).values())
        left = iter(came)
        if dialect.name == GOOGLES:
            assert _BARE.fullmatch(sent), sent
            left = iter([(b"", text.replace(b"\n", b" ")) for _, text in came])
        assert all(event in left for event in events), "what was sent are events that came, in their order"
        assert whole.error is None or whole.feed(data) == b""


def check_framings(data: bytes) -> None:
    for make in (SseFraming, EventStreamFraming):
        whole, cut = _framed(make(), [data]), _framed(make(), pieces(data, data))
        assert whole == cut, make.__name__
        told, _ = whole
        assert all(len(one) <= len(data) + MAX_MESSAGE_BYTES for one in told)


def _framed(framing: Framing, cuts: list[bytes]) -> tuple[list[bytes], bool]:
    found = [one for piece in cuts for one in framing.feed(piece)] + framing.end()
    return found, framing.broken


def check_messages(data: bytes) -> None:
    """Messages whose checksums are right, whatever is in them: the input is headers and payload."""
    headers, _, payload = data.partition(b"|")
    check_framings(frames.message(headers, payload) + frames.frame("messageStart", {}))


def check_upstreams(data: bytes) -> None:
    """Converted streams of formats that only upstreams speak: the input is where the choice of events begins."""
    choose = random.Random(data)
    for upstream, events in (("cohere_chat", _COHERE), ("bedrock_converse", _CONVERSE)):
        chosen = [mutated_value(one, choose) for one in choose.choices(events, k=choose.randint(1, 8))]
        if upstream == "cohere_chat":
            stream = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in chosen)
        else:
            unions = [one for one in chosen if isinstance(one, dict) and one]
            stream = b"".join(frames.frame(*next(iter(one.items()))) for one in unions)
        for client in CODECS:
            whole, cut = _converter(client, upstream), _converter(client, upstream)
            sent = whole.feed(stream) + whole.end()
            assert sent == b"".join([cut.feed(piece) for piece in pieces(stream, data)]) + cut.end()
            for name in ("usage", "text_bytes", "started", "finished", "error"):
                assert getattr(whole, name) == getattr(cut, name), (client, upstream, name)
            assert all(type(count) is int and count > 0 for count in (whole.usage or {}).values())
            assert whole.feed(stream) == b"" or not (whole.finished or whole.error)


def _converter(client: str, upstream: str) -> StreamMeter:
    asked = read_request(client, _ASKED[client], b"secret")
    return Conversion(asked, Upstream(upstream, "m"), secret=b"secret", seed="5eed", created=1).stream()


def check_usage(data: bytes) -> None:
    """Usage of a whole answer: whole positive numbers, or one of the documented refusals."""
    for dialect in DIALECTS.values():
        try:
            usage = dialect.read_usage(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        assert all(type(count) is int and 0 < count < 2**60 for count in (usage or {}).values()), dialect.name


def check_values(data: bytes) -> None:
    """Events whose JSON is as it should be but for a few values: the input is where the choice of those begins."""
    choose = random.Random(data)
    events = [event for seed in _SEEDS for event in re.findall(rb"((?:event: [^\n]*\n)?)data: (\{.*\})", seed)]
    chosen = choose.choices(events, k=choose.randint(1, 5))
    changed = [
        name + b"data: " + json.dumps(mutated_value(json.loads(value), choose)).encode() for name, value in chosen
    ]
    check_meters(b"\n\n".join([*changed, b""]))


_HI = [{"role": "user", "content": "hi"}]
_ASKED: dict[str, dict[str, Any]] = {
    "openai_chat": {"model": "m", "messages": _HI},
    "openai_responses": {"model": "m", "input": "hi"},
    "anthropic_messages": {"model": "m", "messages": _HI, "max_tokens": 9},
    "gemini_generate": {"model": "m", "contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
}
_CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{"}}
_SOURCE = {"type": "document", "document": {"url": "https://x.test", "title": "t"}}
_COHERE: list[Any] = [
    {"type": "message-start", "id": "c", "delta": {"message": {"role": "assistant"}}},
    {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "thinking", "thinking": "h"}}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "h\u00e9"}}}},
    {"type": "content-end", "index": 0},
    {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "p"}}},
    {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": _CALL}}},
    {"type": "tool-call-delta", "delta": {"message": {"tool_calls": {"function": {"arguments": "}"}}}}},
    {"type": "tool-call-end", "index": 0},
    {"type": "citation-start", "delta": {"message": {"citations": {"start": 0, "end": 1, "sources": [_SOURCE]}}}},
    {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": {"tokens": {"input_tokens": 3.0}}}},
]
_CONVERSE: list[Any] = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockStart": {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "a", "name": "f"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "h\u00e9"}}},
    {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"toolUse": {"input": "{}"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"reasoningContent": {"text": "h", "signature": "s"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"citation": {"location": {"web": {"url": "u"}}}}}},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"contentBlockStop": {"contentBlockIndex": 1}},
    {"messageStop": {"stopReason": "tool_use"}},
    {"metadata": {"usage": {"inputTokens": 3, "cacheDetails": [{"ttl": "1h", "inputTokens": 2}]}}},
    {"throttlingException": {"message": "no"}},
]
_FRAMES = [
    frames.frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "h\u00e9"}}) * 2,
    frames.frame("throttlingException", {"message": "no"}, "exception"),
    frames.failure("InternalFailure", "no"),
]

TARGETS = {
    "framings": Target([*_SEEDS, *_FRAMES], check_framings, 2),
    "event messages": Target([frame[12:-4] for frame in _FRAMES[1:]], check_messages),
    "upstreams": Target(SEEDS_OF_CHOICES, check_upstreams, 2),
    "meter values": Target(SEEDS_OF_CHOICES, check_values, 2),
    "sse": Target(_SEEDS, check_splitter, 3),
    "meters": Target(_SEEDS, check_meters, 3),
    "usage": Target(
        [
            b'{"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}',
            b'{"usage":{"input_tokens":3,"output_tokens":2,"cache_creation":{"ephemeral_5m_input_tokens":1}}}',
            b'{"response":{"usage":{"input_tokens":1e3,"output_tokens_details":{"reasoning_tokens":-1}}}}',
        ],
        check_usage,
    ),
}
