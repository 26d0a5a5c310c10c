import json
from typing import Any

import pytest

from oneapi.dialects.openai_responses.items import content_bytes


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"type": "message", "content": [{"text": "hé"}, {"type": "refusal", "refusal": "no"}]}, 5),
        ({"type": "reasoning", "summary": [{"type": "summary_text", "text": "abc"}], "content": None}, 3),
        ({"type": "function_call", "name": "f", "arguments": "{}"}, 2),
        ({"type": "custom_tool_call", "input": "abc"}, 3),
        ({"type": "web_search_call", "action": {"query": "abc"}}, 0),
        ({"content": "abc", "arguments": {"a": 1}, "summary": [7, {"text": 7}]}, 0),
        (7, 0),
    ],
)
def test_what_an_item_says(item: Any, expected: int) -> None:
    assert content_bytes(json.dumps(item).encode()) == expected
