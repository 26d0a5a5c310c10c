"""The meter of a stream that passes through."""

import json

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.gemini_generate.stream import GeminiMeter, bare
from oneapi.dialects.sse import MAX_LINE_BYTES
from tests.unit.oneapi.dialects.dialogues import CHAT, GEMINI, convert, sse


def test_what_is_counted() -> None:
    meter = GeminiMeter()
    parts = [
        {"text": "hm", "thought": True},
        {"text": "é"},
        {"functionCall": {"name": "f", "args": {"a": 1}}},
        {"executableCode": {"code": "x"}},
        {"codeExecutionResult": {"output": "yy"}},
    ]
    data = sse([{"candidates": [{"content": {"parts": parts}}], "usageMetadata": {"promptTokenCount": 3}}])
    assert meter.feed(data) == data
    assert meter.text_bytes == 2 + 2 + 1 + len('{"a":1}') + 1 + 2
    assert (meter.started, meter.finished, meter.usage) == (True, False, {"input": 3})
    last = sse([{"candidates": [{"finishReason": "STOP", "groundingMetadata": {"webSearchQueries": ["q"]}}]}])
    assert meter.feed(last) == last
    assert meter.end() == b""
    assert (meter.finished, meter.usage) == (True, {"input": 3, "search": 1})


def test_a_blocked_prompt_is_a_whole_answer() -> None:
    meter = GeminiMeter()
    meter.feed(sse([{"promptFeedback": {"blockReason": "SAFETY"}}]))
    meter.end()
    assert meter.finished


def test_a_stream_that_stops_is_not_whole() -> None:
    meter = GeminiMeter()
    meter.feed(sse([{"candidates": [{"content": {"parts": [{"text": "x"}]}}]}]))
    meter.end()
    assert not meter.finished
    told = json.loads(meter.finish_bytes(GatewayError(504, "timeout", "t", "Late."), "r")[6:])
    assert told["error"]["status"] == "DEADLINE_EXCEEDED"


def test_errors_are_not_forwarded() -> None:
    meter = GeminiMeter()
    good = sse([{"candidates": [{"content": {"parts": [{"inlineData": {}}]}}]}])
    bad = sse([{"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}}])
    assert meter.feed(good + bad + good) == good
    assert meter.error == ("RESOURCE_EXHAUSTED", "Slow down.")


def test_nothing_goes_on_but_data() -> None:
    """Google's SDKs take any other line for JSON."""
    one = b'data: {"candidates":[{"content":{"parts":[{"text":"x"}]}}]}\n\n'
    odd = b": ping\n\nevent: a\nid: 1\n: b\n" + one + b'\r\ndata:{"candidates":\r\ndata: []}\r\n\r\nretry: 1\n\n'
    whole, cut = GeminiMeter(), GeminiMeter()
    expected = one + b'data: {"candidates": []}\n\n'
    assert whole.feed(odd) == expected
    assert b"".join(cut.feed(odd[at : at + 1]) for at in range(len(odd))) == expected
    last = GeminiMeter()
    assert last.feed(b": ping\n\n") == b""
    assert last.feed(one[:-2]) + last.end() == one
    assert bare(one * 3) == one * 3
    assert bare(b"") == b""
    # A byte order mark counts before the first event alone.
    mark = b"\xef\xbb\xbf"
    whole, cut = GeminiMeter(), GeminiMeter()
    marked = mark + one + mark + one + one
    assert whole.feed(marked) == one + one
    assert b"".join(cut.feed(marked[at : at + 1]) for at in range(len(marked))) == one + one
    # Google's SDKs fail at data that is blank.
    for blank in (b"data:  \n\n", b"data: \n\n", b"data:\t \r\n\r\n"):
        assert bare(one + blank + one) == bare(one + blank) + one == one * 2
    wide = b"data: " + b" " * MAX_LINE_BYTES + b"\n\n"
    assert bare(wide) == b""


def test_a_whole_answer_is_known_before_its_stream_ends() -> None:
    ending = {"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}]}
    told = {"usageMetadata": {"promptTokenCount": 3}}
    for answers, expected in (([{**ending, **told}], True), ([ending], False), ([told], False), ([ending, told], True)):
        meter, converter = GeminiMeter(), convert(CHAT, GEMINI).stream()
        for each in (meter, converter):
            each.feed(sse(answers))
            assert each.whole is expected
            each.feed(b"data: {")
            assert not each.whole
