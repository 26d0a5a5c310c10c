import base64
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from oneapi.dialects.canonical.parts import State
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.foreign_state import holds_tokens, without_tokens
from oneapi.dialects.gemini_generate.signatures import UNSIGNED

SEAL = Seal(b"secret", "ch/m")
TOKEN = SEAL.close(State("openai_chat", value={"details": []}))
TEXT = {"type": "text", "text": "b"}
USER = {"role": "user", "content": "a"}


def cleaned(raw: dict[str, Any], *, calls_signed: bool = False) -> tuple[dict[str, Any], list[str]]:
    dialect = "gemini_generate" if "contents" in raw else "openai_chat"
    before = msgspec.json.encode(raw)
    assert holds_tokens(before, dialect)
    out, losses = without_tokens(raw, SEAL, calls_signed=calls_signed)
    assert msgspec.json.encode(raw) == before
    assert not holds_tokens(msgspec.json.encode(out), dialect)
    return out, [loss.name for loss in losses]


@pytest.mark.parametrize(
    "thought",
    [{"type": "thinking", "thinking": "hm", "signature": TOKEN}, {"type": "redacted_thinking", "data": TOKEN}],
)
def test_thoughts_of_messages(thought: dict[str, Any]) -> None:
    raw = {
        "messages": [
            USER,
            {"role": "assistant", "content": [thought, TEXT]},
            {"role": "assistant", "content": [thought]},
        ]
    }
    out, losses = cleaned(raw)
    assert out == {"messages": [USER, {"role": "assistant", "content": [TEXT]}]}
    assert losses == ["reasoning_history"]
    out, losses = cleaned({**raw, "thinking": {"type": "enabled", "budget_tokens": 2000}})
    assert "thinking" not in out
    assert losses == ["reasoning_history", "thinking"]


def test_details_of_chats() -> None:
    said = {"role": "assistant", "content": "b", "reasoning_content": "hm"}
    sealed = {"type": "reasoning.encrypted", "data": TOKEN}
    other = {"type": "reasoning.text", "text": "x"}
    out, losses = cleaned({"messages": [USER, {**said, "reasoning_details": [sealed]}]})
    assert out == {"messages": [USER, said]}
    assert losses == ["reasoning_history"]
    out, _ = cleaned({"messages": [{**said, "reasoning_details": [other, sealed]}]})
    assert out["messages"][0]["reasoning_details"] == [other]


def test_items_of_responses() -> None:
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": TOKEN}
    out, losses = cleaned({"model": "m", "input": [USER, item, USER]})
    assert out == {"model": "m", "input": [USER, USER]}
    assert losses == ["reasoning_history"]


@pytest.mark.parametrize("name", ["thoughtSignature", "thought_signature"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_signatures_of_googles_parts(name: str, encode: Callable[[bytes], bytes]) -> None:
    signed = {name: encode(TOKEN.encode()).decode()}
    call = {"functionCall": {"name": "f", "args": {}}}
    hi, own = {"role": "user", "parts": [{"text": "hi"}]}, {"text": "a", "thoughtSignature": "Zm9v"}
    parts = [{"text": "hm", "thought": True}, {**call, **signed}, {**call, **signed}, own, {"text": "", **signed}]
    raw = {"contents": [hi, {"role": "model", "parts": parts}, {"role": "model", "parts": [{"text": "", **signed}]}]}
    out, losses = cleaned(raw)
    assert losses == ["reasoning_history"]
    assert out["contents"] == [hi, {"role": "model", "parts": [parts[0], call, call, own]}]
    out, _ = cleaned(raw, calls_signed=True)
    assert out["contents"][1]["parts"] == [parts[0], {**call, "thoughtSignature": UNSIGNED}, call, own]


def test_the_upstream_of_a_stored_item_gets_back_what_it_wanted_back() -> None:
    value = {"encrypted_content": "its own", "id": "rs_of_the_upstream"}
    item = {"type": "reasoning", "id": "rs_1", "summary": []}
    token = SEAL.close(State("openai_responses", "ch/m", value))
    raw = {"model": "m", "input": [USER, {**item, "encrypted_content": token}]}
    assert cleaned(raw) == ({"model": "m", "input": [USER, {**item, **value}]}, [])
    for other in (Seal(b"secret", "ch/other"), Seal(b"another secret", "ch/m")):
        out, losses = without_tokens(raw, other)
        assert out == {"model": "m", "input": [USER]}
        assert [loss.name for loss in losses] == ["reasoning_history"]
    for state in (State("openai_responses", "ch/m", {}), State("openai_chat", "ch/m", value)):
        out, _ = without_tokens({"input": [{**item, "encrypted_content": SEAL.close(state)}]}, SEAL)
        assert out == {"input": []}


@pytest.mark.parametrize(
    "raw",
    [
        {"messages": 7},
        {"contents": 7},
        {"contents": [1, {"parts": [1, {"text": "b2ExL"}]}]},
        {"input": "oa1-"},
        {"messages": [None, {"content": [1, None]}]},
    ],
)
def test_what_has_none_stays_as_it_is(raw: dict[str, Any]) -> None:
    out, losses = without_tokens(raw, SEAL)
    assert out is raw
    assert losses == []
