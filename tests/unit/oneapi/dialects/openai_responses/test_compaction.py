import json
from typing import Any

import pytest

from oneapi.dialects.canonical.parts import State
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.openai_responses.compaction import Compaction, holds_summaries, opened, summary_request

SEAL, OTHERS = Seal(b"account a"), Seal(b"account b")
SEED = "0123456789abcdef0123456789abcdef"
ASKED = {"role": "user", "content": "which city?"}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}}


def said(*texts: str, status: str = "completed") -> bytes:
    content = [{"type": "output_text", "text": text} for text in texts]
    output = [{"type": "reasoning", "summary": []}, {"type": "message", "role": "assistant", "content": content}]
    usage = {"input_tokens": 9, "output_tokens": 2}
    return json.dumps({"status": status, "created_at": 7, "output": output, "usage": usage}).encode()


def compacted(items: object = (ASKED, CALL)) -> dict[str, Any]:
    return dict(
        json.loads(Compaction(list(items) if isinstance(items, tuple) else items, SEED, SEAL).whole(said("Paris")))
    )


def test_the_summary_is_asked_for_behind_all_that_was_said() -> None:
    asked = summary_request(
        {
            "model": "m",
            "input": [ASKED, CALL],
            "tools": [TOOL],
            "text": {"format": {"type": "json_object"}},
            "user": "u",
        }
    )
    assert asked["input"][:2] == [ASKED, CALL]
    assert asked["input"][2]["role"] == "user"
    assert (asked["tool_choice"], asked["store"], asked["user"]) == ("none", False, "u")
    assert "text" not in asked
    plain = summary_request({"model": "m", "input": "which city?"})
    assert plain["input"][0] == ASKED
    assert "tool_choice" not in plain


def test_an_answer_has_the_users_messages_and_one_sealed_item() -> None:
    answer = compacted()
    kept, sealed = answer["output"]
    assert (kept["role"], kept["content"]) == ("user", [{"type": "input_text", "text": "which city?"}])
    assert (sealed["type"], sealed["id"]) == ("compaction", f"cmp_{SEED}")
    assert "Paris" not in sealed["encrypted_content"]
    assert (answer["object"], answer["created_at"], answer["usage"]["input_tokens"]) == ("response.compaction", 7, 9)
    assert [item["type"] for item in compacted("which city?")["output"]] == ["message", "compaction"]


def test_what_was_sealed_comes_back_as_the_models_own_words() -> None:
    output = compacted()["output"]
    assert holds_summaries([*output, ASKED])
    found = opened([*output, ASKED], SEAL)
    assert found[0] == output[0]
    assert found[1]["role"] == "assistant"
    assert found[1]["content"].endswith("Paris")
    assert found[2] == ASKED


@pytest.mark.parametrize(
    "given", [None, "text", [], [ASKED], [{"type": "compaction", "encrypted_content": "gAAAA"}], [3]]
)
def test_what_others_sealed_stays(given: object) -> None:
    assert not holds_summaries(given)
    if isinstance(given, list):
        assert opened(given, SEAL) == given


@pytest.mark.parametrize(
    "token",
    [
        OTHERS.close(State("compaction", "", {"summary": "x"})),
        SEAL.close(State("anthropic_messages", "", {"summary": "x"})),
        SEAL.close(State("compaction", "", {"summary": 3})),
        SEAL.close(State("compaction", "", {"summary": "x"}))[:-2],
        "oa1-",
    ],
)
def test_what_is_not_this_accounts_is_refused(token: str) -> None:
    with pytest.raises(GatewayError) as caught:
        opened([{"type": "compaction", "encrypted_content": token}], SEAL)
    assert (caught.value.status, caught.value.code) == (400, "invalid_encrypted_content")


@pytest.mark.parametrize(
    "body",
    [
        said(),
        said(" "),
        said("half", status="incomplete"),
        b"[]",
        b"no json",
        b"{}",
        b'{"output":"\xff"}',
        b"[" * 100_000,
    ],
)
def test_half_a_summary_is_none(body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        Compaction([ASKED], SEED, SEAL).whole(body)
    assert (caught.value.status, caught.value.code) == (502, "compaction_failed")
