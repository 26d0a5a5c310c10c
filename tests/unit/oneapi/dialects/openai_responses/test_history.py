"""Items of stored turns: as they are listed, and as they are sent along again."""

from typing import Any

import pytest

from oneapi.dialects.canonical.parts import State
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.openai_responses.history import listed, referred, replayed, seed_of

SEED = "0123456789abcdef" * 2
SEAL = Seal(b"secret")


def test_a_text_is_a_message_of_the_user() -> None:
    (item,) = listed("hi", SEED)
    assert item == {
        "id": f"msg_{SEED}8000",
        "type": "message",
        "role": "user",
        "status": "completed",
        "content": [{"type": "input_text", "text": "hi"}],
    }
    assert seed_of(item["id"]) == SEED
    assert listed("", SEED) == listed(None, SEED) == []


def test_items_keep_what_they_have_and_get_what_they_lack() -> None:
    given: list[Any] = [
        {"role": "assistant", "content": "a"},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}", "status": "incomplete"},
        {"type": "function_call_output", "id": "fc_1", "call_id": "c", "output": "1"},
        {"type": "web_search_call", "id": "bad id"},
        "no item",
    ]
    items = listed(given, SEED, taken=["msg_1"], first=0x4000)
    assert items[0]["content"] == [{"type": "output_text", "text": "a", "annotations": [], "logprobs": []}]
    assert [item["id"] for item in items] == [f"msg_{SEED}4000", "fc_1", f"fco_{SEED}4002", f"item_{SEED}4003"]
    assert [item.get("status") for item in items] == ["completed", "incomplete", "completed", None]
    assert listed([{"id": "msg_1", "role": "user", "content": []}], SEED, taken=["msg_1"])[0]["id"] != "msg_1"
    assert seed_of("msg_1") == seed_of(f"msg_{SEED}") == ""


def test_references() -> None:
    assert referred(
        [{"type": "item_reference", "id": "a"}, "x", {"id": "b"}, {"type": "item_reference", "id": "a"}]
    ) == ["a"]
    assert referred("text") == []
    with pytest.raises(GatewayError):
        referred([{"type": "item_reference", "id": 7}])


def test_messages_and_calls_go_on_without_what_one_upstream_named() -> None:
    items: list[dict[str, Any]] = [
        {"type": "message", "id": "msg_1", "status": "completed", "role": "user", "content": []},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
    ]
    assert replayed(items, "ch/m", SEAL) == [{"type": "message", "role": "user", "content": []}, items[1]]


def test_reasoning_is_bound_to_who_wrote_it() -> None:
    item: dict[str, Any] = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "encrypted_content": "its own",
        "status": None,
    }
    (out,) = replayed([item], "ch/m", SEAL)
    assert "status" not in out
    state = SEAL.open(out["encrypted_content"])
    assert state == State("openai_responses", "ch/m", {"encrypted_content": "its own", "id": "rs_1"})
    assert replayed([out], "other/m", SEAL) == [out]
    (bare,) = replayed([{"type": "reasoning", "id": "rs_1", "summary": []}], "", SEAL)
    state = SEAL.open(bare["encrypted_content"])
    assert state is not None
    assert (state.value, bool(state.origin)) == ({}, True)
