import json

import pytest

from oneapi.dialects.openai_chat.request import inspect, prepare

MESSAGES = [{"role": "user", "content": "hi"}]


def edited(more: dict[str, object], **how: object) -> dict[str, object]:
    body = json.dumps({"model": "m", "messages": MESSAGES, **more}).encode()
    found: dict[str, object] = json.loads(prepare(body, inspect(body), "m", **how))  # type: ignore[arg-type]
    return found


def test_usage_is_asked_for_in_streams_only() -> None:
    assert "stream_options" not in edited({})
    assert edited({"stream": True})["stream_options"] == {"include_usage": True}
    kept = edited({"stream": True, "stream_options": {"include_obfuscation": False}})
    assert kept["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    assert edited({"stream": True, "stream_options": {"include_usage": False}})["stream_options"] == {
        "include_usage": True
    }


def test_a_cap_is_set_where_there_was_none_and_lowered_where_there_was() -> None:
    assert edited({}, max_output=7, max_output_field="max_completion_tokens")["max_completion_tokens"] == 7
    assert edited({}, max_output=7)["max_tokens"] == 7
    assert edited({"max_tokens": 5}, max_output=7)["max_tokens"] == 5
    assert edited({"max_tokens": 50}, max_output=7)["max_tokens"] == 7
    both = edited({"max_tokens": 50, "max_completion_tokens": 3}, max_output=7)
    assert (both["max_tokens"], both["max_completion_tokens"]) == (7, 3)


@pytest.mark.parametrize(
    ("more", "expected"), [({}, None), ({"max_tokens": 5}, 5), ({"max_tokens": 5, "max_completion_tokens": 9}, 9)]
)
def test_the_larger_cap_is_the_bound(more: dict[str, int], expected: int | None) -> None:
    assert inspect(json.dumps({"model": "m", "messages": MESSAGES, **more}).encode()).max_output == expected
