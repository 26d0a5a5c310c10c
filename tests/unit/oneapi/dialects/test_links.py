"""Which URLs a request asks its provider to open, in the shapes of every dialect."""

from typing import Any

import pytest

from oneapi.dialects.links import links

URL = "https://images.example/a.png"


def message(part: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}, part]}]}


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (message({"type": "image_url", "image_url": {"url": URL}}), "image_url"),
        (message({"type": "image_url", "image_url": URL}), "image_url"),
        (message({"type": "video_url", "video_url": {"url": URL}}), "video_url"),
        (message({"type": "audio_url", "audio_url": {"url": URL}}), "audio_url"),
        (message({"type": "file", "file": {"file_url": URL}}), "file_url"),
        (message({"type": "image", "source": {"type": "url", "url": URL}}), "image_url"),
        (message({"type": "document", "source": {"type": "url", "url": URL}}), "file_url"),
        (message({"type": "tool_result", "content": [{"type": "image", "source": {"url": URL}}]}), "image_url"),
        (
            message({"type": "document", "source": {"content": [{"type": "image", "source": {"url": URL}}]}}),
            "image_url",
        ),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": URL}]}]}, "image_url"),
        ({"input": [{"type": "input_file", "file_url": URL}]}, "file_url"),
        ({"input": [{"type": "function_call_output", "output": [{"image_url": URL}]}]}, "image_url"),
        ({"input": [{"type": "computer_call_output", "output": {"image_url": URL}}]}, "image_url"),
        ({"prompt": {"variables": {"x": {"type": "input_image", "image_url": URL}}}}, "image_url"),
        ({"tools": [{"type": "mcp", "server_url": URL}]}, "server_url"),
        ({"contents": [{"parts": [{"text": "x"}, {"fileData": {"fileUri": URL}}]}]}, "fileUri"),
        ({"contents": [{"parts": [{"file_data": {"file_uri": URL}}]}]}, "file_uri"),
        (
            {"contents": [{"parts": [{"functionResponse": {"parts": [{"file_data": {"fileUri": URL}}]}}]}]},
            "fileUri",
        ),
        ({"systemInstruction": {"parts": [{"fileData": {"fileUri": URL}}]}}, "fileUri"),
        ({"system_instruction": {"parts": [{"file_data": {"file_uri": URL}}]}}, "file_uri"),
        ({"tools": [{"mcpServers": [{"streamableHttpTransport": {"url": URL}}]}]}, "url"),
        ({"tools": [{"retrieval": {"external_api": {"endpoint": URL}}}]}, "endpoint"),
        ({"mcp_servers": [{"type": "url", "url": URL, "name": "x"}]}, "url"),
    ],
)
def test_links_are_found(raw: dict[str, Any], field: str) -> None:
    assert links(raw) == [(field, URL)]


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"messages": "x", "input": 7, "tools": {}, "prompt": "x"},
        {"messages": [None, 1, "x", {"content": "https://x.example"}], "prompt": {"variables": []}},
        message({"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}),
        message({"type": "image_url", "image_url": {"url": "DATA:image/png;base64,QUJD"}}),
        message({"type": "image", "source": {"type": "base64", "data": "QUJD"}}),
        message({"type": "image_url", "image_url": None}),
        {"contents": [None, {"parts": 1}, {"parts": [1, {"fileData": 1}, {"inlineData": {"data": "QUJD"}}]}]},
        {"contents": [{"parts": [{"fileData": {"fileUri": "files/a-1"}}, {"fileData": {"fileUri": "gs://b/c"}}]}]},
        {"mcp_servers": "x", "tools": [{"retrieval": 1}]},
        message({"type": "tool_use", "input": {"image_url": "file:///x"}}),
    ],
)
def test_what_is_none(raw: dict[str, Any]) -> None:
    assert links(raw) == []
