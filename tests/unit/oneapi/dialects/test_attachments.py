"""What attachments count, in the shapes of every dialect."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.dialects import attachments
from oneapi.dialects.request import prompt_bytes

DATA = "QUJD" * 20_000
PDF = "JVBERi0x" + DATA
IMAGE_URL = f"data:image/png;base64,{DATA}"


def counted(value: dict[str, Any]) -> int:
    return prompt_bytes(json.dumps(value).encode(), value)


def in_message(part: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [part]}]}


@pytest.mark.parametrize(
    "request_body",
    [
        in_message({"type": "image_url", "image_url": {"url": IMAGE_URL}}),
        in_message({"type": "input_audio", "input_audio": {"data": DATA, "format": "wav"}}),
        in_message({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}}),
        in_message(
            {
                "type": "tool_result",
                "tool_use_id": "t",
                "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}}],
            }
        ),
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": IMAGE_URL}]}]},
        {"input": [{"type": "function_call_output", "output": [{"type": "input_image", "image_url": IMAGE_URL}]}]},
    ],
)
def test_inline_media_count_by_their_number_elsewhere(request_body: dict[str, Any]) -> None:
    assert 0 < counted(request_body) < 300


def google(part: dict[str, Any]) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": "x"}, part]}]}


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        ({"inlineData": {"mimeType": "image/png", "data": DATA}}, attachments.PICTURE_TOKENS),
        ({"inline_data": {"mime_type": "audio/mpeg", "data": DATA}}, attachments.REFERENCED_TOKENS),
        ({"inlineData": {"mimeType": "application/pdf", "data": DATA}}, len(DATA) // attachments.BYTES_PER_PDF_TOKEN),
        ({"inlineData": {"mimeType": "text/plain", "data": DATA}}, len(DATA)),
        ({"fileData": {"fileUri": "https://x.example/a.pdf"}}, attachments.REFERENCED_TOKENS),
        (
            {"functionResponse": {"parts": [{"inlineData": {"mimeType": "image/png", "data": DATA}}]}},
            attachments.PICTURE_TOKENS,
        ),
    ],
)
def test_googles_parts(part: dict[str, Any], tokens: int) -> None:
    assert tokens <= counted(google(part)) < tokens + 300


@pytest.mark.parametrize(
    "item",
    [
        {"type": "image_generation_call", "id": "ig", "result": DATA},
        {"type": "computer_call_output", "output": {"type": "computer_screenshot", "image_url": IMAGE_URL}},
        {"type": "input_image", "image_url": IMAGE_URL},
    ],
)
def test_pictures_that_are_no_parts_count_here(item: dict[str, Any]) -> None:
    assert attachments.PICTURE_TOKENS < counted({"input": [item]}) < attachments.PICTURE_TOKENS + 300


@pytest.mark.parametrize(
    "part",
    [
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
        {"type": "input_file", "filename": "a.pdf", "file_data": PDF},
    ],
)
def test_a_pdf_counts_by_its_size(part: dict[str, Any]) -> None:
    size = len(PDF) // attachments.BYTES_PER_PDF_TOKEN
    assert size <= counted(in_message(part)) < size + 300


def test_a_small_pdf_has_a_page() -> None:
    part = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBER"}}
    assert counted(in_message(part)) > attachments.DOCUMENT_TOKENS


@pytest.mark.parametrize(
    "part",
    [
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
        {"type": "document", "source": {"type": "file", "file_id": "f"}},
        {"type": "file", "file": {"file_id": "f"}},
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
    ],
)
def test_a_document_that_is_elsewhere_counts_a_stated_number(part: dict[str, Any]) -> None:
    assert attachments.REFERENCED_TOKENS < counted(in_message(part)) < attachments.REFERENCED_TOKENS + 300


@pytest.mark.parametrize(
    "request_body",
    [
        in_message({"type": "text", "text": DATA}),
        in_message({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": DATA}}),
        in_message({"type": "input_file", "file_data": f"data:text/plain;base64,{DATA}"}),
        in_message({"type": "image_url", "image_url": {"url": f"https://example.com/{DATA}"}}),
        in_message({"type": "tool_use", "input": {"type": "image_url", "image_url": {"url": IMAGE_URL}}}),
        {"messages": [], "tools": [{"type": "image_url", "image_url": {"url": IMAGE_URL}, "data": DATA}]},
        {"messages": [{"role": "user", "content": IMAGE_URL}]},
        {"instructions": DATA, "input": "x", "file_data": DATA},
    ],
)
def test_everything_else_is_text(request_body: dict[str, Any]) -> None:
    assert counted(request_body) == len(json.dumps(request_body))


shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["image", "document", "file", "base64", IMAGE_URL]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("type", "content", "source", "output", "image_url", "url", "file", "data", "file_data"),
                    *("input_audio", "parts", "inlineData", "functionResponse"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(shapes, st.sampled_from(["messages", "input", "contents"]))
def test_any_shape_is_counted(value: Any, name: str) -> None:
    assert counted({name: value}) >= 0
    assert counted({name: [value]}) >= 0


@pytest.mark.parametrize("kind", [[], {}, None, 1])
def test_a_source_of_a_kind_that_is_no_text_counts_as_text(kind: object) -> None:
    part = {"type": "document", "source": {"type": kind, "data": "x"}}
    assert attachments.excess_bytes({"messages": [{"role": "user", "content": [part]}]}) == 0
