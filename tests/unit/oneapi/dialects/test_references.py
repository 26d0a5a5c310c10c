from typing import Any

import pytest

from oneapi.dialects.references import reference

GOOGLES = "https://GenerativeLanguage.googleapis.com./v1beta/files/a"
CHAT = {"model": "m", "messages": [{"role": "user", "content": "file_id vector_store_ids"}]}


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"container": "container_1"}, "container"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "item_reference"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}, "file_id"),
        ({"input": [{"type": "function_call_output", "output": [{"type": "input_image", "file_id": "f"}]}]}, "file_id"),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]}, "file_id"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "document", "source": {"type": "file", "file_id": "f"}}]}
                ]
            },
            "file_id",
        ),
        ({"messages": [{"content": [{"type": "tool_result", "content": [{"source": {"file_id": "f"}}]}]}]}, "file_id"),
        ({"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]}, "vector_store_ids"),
        ({"tools": [{"type": "code_interpreter", "container": "cntr_1"}]}, "container"),
        ({"tools": [{"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["f"]}}]}, "file_ids"),
        ({"cachedContent": "cachedContents/a"}, "cachedContent"),
        ({"cached_content": "cachedContents/a"}, "cached_content"),
        ({"contents": [{"parts": [{"text": "a"}, {"fileData": {"fileUri": GOOGLES}}]}]}, "fileUri"),
        ({"contents": [{"parts": [{"file_data": {"file_uri": "files/a"}}]}]}, "file_uri"),
        ({"systemInstruction": {"parts": [{"fileData": {"fileUri": "gs://a/b"}}]}}, "fileUri"),
        (
            {"contents": [{"parts": [{"functionResponse": {"parts": [{"fileData": {"fileUri": GOOGLES}}]}}]}]},
            "fileUri",
        ),
        ({"tools": [{"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/a"]}}]}, "fileSearch"),
        ({"tools": [{"googleSearch": {}}, {"retrieval": {"vertexAiSearch": {"datastore": "d"}}}]}, "retrieval"),
    ],
)
def test_what_is_kept_at_a_provider_is_found(raw: dict[str, Any], field: str) -> None:
    assert reference({**CHAT, **raw}) == field


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"previous_response_id": None, "conversation": None, "prompt": None},
        {"prompt": "once upon a time"},
        {"prompt": ["once", "twice"]},
        {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]},
        {"input": "previous_response_id"},
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.example/b"}}]}
            ]
        },
        {"messages": "text", "input": 7, "tools": {"a": 1}},
        {"contents": [1, {"parts": 1}, {"parts": [1, {"fileData": {"fileUri": "https://a.example/b.png"}}]}]},
        {"contents": [{"parts": [{"fileData": {"fileUri": "https://[/"}}]}], "tools": [{"googleSearch": {}}]},
    ],
)
def test_what_is_sent_along_names_nothing(raw: dict[str, Any]) -> None:
    assert reference({**CHAT, **raw}) == ""


def test_depth_is_bounded() -> None:
    deep: Any = {"file_id": "f"}
    for _ in range(60):
        deep = {"content": [deep]}
    assert reference({"messages": [deep]}) == ""
