"""What of a request a model reads."""

import base64
from typing import Any

from oneapi.dialects.canonical import prompt as of
from oneapi.dialects.canonical.prompt import prompt
from oneapi.dialects.conversion import read_request

PDF = base64.b64encode(b"%PDF-1.7 /Type /Pages /Type/Page /Type /Page\n").decode()


def read(dialect: str, **body: Any) -> of.Prompt:
    return prompt(read_request(dialect, {"model": "m", **body}, b"").request)


def messages(*content: dict[str, Any], **more: Any) -> of.Prompt:
    return read("anthropic_messages", max_tokens=9, messages=[{"role": "user", "content": list(content)}], **more)


def test_all_texts_in_their_order() -> None:
    found = read(
        "openai_chat",
        messages=[
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": "weather?"},
            {
                "role": "assistant",
                "content": "let me see",
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "w", "arguments": '{"a":1}'}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "rain"},
        ],
    )
    assert found.texts == ["be kind", "weather?", "let me see", "w", '{"a":1}', "rain"]
    assert found.tokens == of.REQUEST_TOKENS + 4 * of.MESSAGE_TOKENS + 2 * of.CALL_TOKENS


def test_tools_and_the_schema_of_the_answer() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    tool = {"name": "w", "description": "the weather", "input_schema": schema}
    without = messages({"type": "text", "text": "hi"})
    found = messages({"type": "text", "text": "hi"}, tools=[tool])
    assert found.texts[1:3] == ["w", "the weather"]
    assert '"city"' in found.texts[3]
    assert found.tokens == without.tokens + of.TOOL_TOKENS
    formatted = messages(
        {"type": "text", "text": "hi"}, output_config={"format": {"type": "json_schema", "schema": schema}}
    )
    assert '"city"' in formatted.texts[-1]


def test_tools_of_a_namespace() -> None:
    tools = [{"type": "namespace", "name": "agents", "tools": [{"type": "function", "name": "spawn"}]}]
    assert read("openai_responses", input="hi", tools=tools).texts == ["hi", "agents", "spawn"]


def test_pictures_and_pages_are_guessed() -> None:
    base = messages().tokens
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    assert messages(picture).tokens == base + of.PICTURE_TOKENS
    document = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}}
    assert messages(document).tokens == base + 2 * of.PAGE_TOKENS
    linked = {"type": "document", "source": {"type": "url", "url": "https://x/y.pdf"}}
    assert messages(linked).tokens == base + of.UNKNOWN_PAGES * of.PAGE_TOKENS
    small = [{"type": "input_image", "detail": "low", "image_url": "https://x/y.png"}]
    found = read("openai_responses", input=[{"role": "user", "content": small}])
    assert found.tokens == base + of.SMALL_PICTURE_TOKENS


def test_documents_of_text_are_text() -> None:
    plain = {"type": "document", "title": "a", "source": {"type": "text", "media_type": "text/plain", "data": "b"}}
    assert messages(plain).texts == ["a", "b"]
    nested = {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "c"}]}}
    assert messages(nested).texts == ["c"]


def test_what_a_tool_brought_is_read() -> None:
    shown = [
        {"type": "text", "text": "seen"},
        {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
    ]
    found = messages({"type": "tool_result", "tool_use_id": "t", "content": shown})
    assert found.texts == ["seen"]
    assert found.tokens == messages().tokens + of.CALL_TOKENS + of.PICTURE_TOKENS
