"""Estimates of tokens, and the process that makes them."""

import io

import msgspec
import pytest

from services.edge.tokenizer import estimate
from services.edge.tokenizer.estimate import count, estimated
from services.edge.tokenizer.process import serve
from services.edge.tokenizer.wire import LENGTH, Asked, Estimated, frame

CHAT = "openai_chat"
TOOL = b',"tools":[{"type":"function","function":{"name":"f"}}]'


def body(text: str, more: bytes = b"") -> bytes:
    said = msgspec.json.encode([{"role": "user", "content": text}])
    return b'{"model":"m","messages":' + said + more + b"}"


def test_known_texts() -> None:
    assert count(["hello world"]) == 2
    assert count(["Hello, world!", "", " "]) == 4 + 1
    assert count(["日本語"]) == count(["日", "本", "語"]) - 1
    assert count([]) == 0


def test_what_is_beyond_the_bound_counts_like_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "hello world " * 1_000
    whole = count([text])
    monkeypatch.setattr(estimate, "MOST_BYTES", 1_201)
    assert abs(count([text]) - whole) <= whole // 100
    assert abs(count([text[:3_000], text[3_000:]]) - whole) <= whole // 100
    assert count(["é" * 2_000]) > 0


def test_families_and_tools_make_a_difference() -> None:
    text = "a fairly long sentence about nothing at all " * 20
    gpt = estimated(Asked(CHAT, "gpt-5", body(text))).tokens
    assert estimated(Asked(CHAT, "claude-sonnet-4-5", body(text))).tokens > gpt * 1.1
    assert estimated(Asked(CHAT, "claude-opus-5", body(text))).tokens > gpt * 1.4
    assert estimated(Asked(CHAT, "gpt-5", body(text, TOOL))).tokens > gpt
    with_tools = estimated(Asked(CHAT, "claude-opus-5", body(text, TOOL))).tokens
    assert with_tools - estimated(Asked(CHAT, "claude-opus-5", body(text))).tokens > 300


def test_bad_bodies_have_a_problem() -> None:
    found = estimated(Asked(CHAT, "m", b'{"model":"m","messages":"hi"}'))
    assert found.problem is not None
    assert found.problem.param == "messages"
    broken = estimated(Asked(CHAT, "m", b"{"))
    assert broken.problem is not None
    assert broken.problem.code == "invalid_json"


def test_the_process_answers_one_after_another_until_nobody_asks() -> None:
    asked = io.BytesIO(b"".join(frame(Asked(CHAT, "m", text)) for text in (body("hello world"), b"{", body(""))))
    answers = io.BytesIO()
    serve(asked, answers)
    data = answers.getvalue()
    found = []
    while data:
        (size,) = LENGTH.unpack(data[: LENGTH.size])
        found.append(msgspec.msgpack.decode(data[LENGTH.size : LENGTH.size + size], type=Estimated))
        data = data[LENGTH.size + size :]
    assert [each.problem is None for each in found] == [True, False, True]
    assert found[0].tokens == found[2].tokens + 2
