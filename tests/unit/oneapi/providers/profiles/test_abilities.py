import msgspec
import pytest

from oneapi.dialects.canonical.profile import Profile
from oneapi.providers.profiles.abilities import ABILITIES
from oneapi.providers.profiles.lookup import abilities

CHAT, RESPONSES, MESSAGES = "openai_chat", "openai_responses", "anthropic_messages"
GEMINI = "gemini_generate"
COHERE = "cohere_chat"
CONVERSE = "bedrock_converse"


@pytest.mark.parametrize(
    ("provider", "dialect", "model", "known"),
    [
        ("openai", CHAT, "gpt-4o-mini", {"thinking": "none"}),
        ("openai", CHAT, "o3", {"sampling": False, "developer_role": True, "efforts": ("low", "medium", "high")}),
        ("openai", CHAT, "ft:gpt-4.1:me", {"thinking": "none"}),
        ("openai-compatible", CHAT, "openai/gpt-4o", {}),
        ("openai-compatible", CHAT, "Qwen/Qwen3-32B", {"system_first": True}),
        ("openai-compatible", CHAT, "deepseek-chat", {"reasoning_required": True}),
        ("openai-compatible", CHAT, "llama", {}),
        ("anthropic", MESSAGES, "claude-opus-4-6", {"web_search": True}),
        ("anthropic", MESSAGES, "claude-opus-5", {"web_search": True, "inline_system": True}),
        ("anthropic", MESSAGES, "claude-sonnet-4-5-20250929", {"web_search": True, "thinking": "budget"}),
        (
            "anthropic",
            MESSAGES,
            "claude-sonnet-4-20250514",
            {"web_search": True, "thinking": "budget", "native_schema": False},
        ),
        (
            "anthropic-compatible",
            MESSAGES,
            "claude-3-haiku-20240307",
            {"thinking": "none", "max_output": 4096, "web_search": False, "native_schema": False},
        ),
        ("gemini", GEMINI, "gemini-2.0-flash", {"web_search": True, "thinking": "none"}),
        ("gemini", GEMINI, "models/gemini-2.5-pro", {"web_search": True, "thinking": "budget", "penalties": False}),
        ("cohere", COHERE, "command-a-03-2025", {"thinking": "none"}),
        ("cohere", COHERE, "command-a-reasoning-08-2025", {"thinking": "budget"}),
        ("gemini", GEMINI, "gemini-3-pro-preview", {"web_search": True, "images_in_results": True, "penalties": False}),
    ],
)
def test_families(provider: str, dialect: str, model: str, known: dict[str, object]) -> None:
    assert abilities(provider, dialect, model) == known


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("qwen.qwen3-32b-v1:0", {"thinking": "none", "forced_tools": False}),
        ("meta.llama3-1-70b-instruct-v1:0", {"thinking": "none", "forced_tools": False, "native_schema": False}),
        ("us.amazon.nova-pro-v1:0", {"vendor_fields": "nova", "thinking": "none", "cache_marks": True}),
        ("us.amazon.nova-2-lite-v1:0", {"vendor_fields": "nova", "thinking": "effort", "efforts": ("low", "medium")}),
        ("openai.gpt-oss-120b-1:0", {"vendor_fields": "openai", "thinking": "effort", "forced_tools": False}),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", {"thinking": "none", "native_schema": False}),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", {"thinking": "budget", "native_schema": False}),
        ("eu.anthropic.claude-sonnet-4-20250514-v1:0", {"thinking": "budget", "native_schema": False}),
        ("us.anthropic.claude-opus-4-1-20250805-v1:0", {"thinking": "budget", "native_schema": False}),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", {"thinking": "budget", "forced_tools": True}),
        ("global.anthropic.claude-opus-4-6-v1", {"thinking": "effort", "cache_marks": True}),
        ("anthropic.claude-opus-5-v1:0", {"thinking": "effort", "inline_system": True}),
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            {"vendor_fields": "claude", "thinking": "budget"},
        ),
    ],
)
def test_models_on_bedrock(model: str, known: dict[str, object]) -> None:
    found = abilities("bedrock", CONVERSE, model)
    assert known.items() <= found.items()
    assert ("native_schema" in found) is ("native_schema" in known or "nova" in model)


@pytest.mark.parametrize(
    ("model", "marks"),
    [
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", {"cache_marks", "long_cache_marks", "tool_cache_marks"}),
        ("anthropic.claude-opus-5-v1:0", {"cache_marks", "long_cache_marks", "tool_cache_marks"}),
        ("us.anthropic.claude-opus-4-1-20250805-v1:0", {"cache_marks", "tool_cache_marks"}),
        ("eu.anthropic.claude-sonnet-4-20250514-v1:0", {"cache_marks", "tool_cache_marks"}),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", {"cache_marks", "tool_cache_marks"}),
        ("amazon.nova-2-lite-v1:0", {"cache_marks"}),
        ("qwen.qwen3-32b-v1:0", set()),
    ],
)
def test_marks_on_bedrock(model: str, marks: set[str]) -> None:
    assert {name for name in abilities("bedrock", CONVERSE, model) if name.endswith("cache_marks")} == marks


def test_gpt_5() -> None:
    first, later = abilities("openai", RESPONSES, "gpt-5-mini"), abilities("openai", RESPONSES, "gpt-5.6")
    assert first["efforts"] == ("minimal", "low", "medium", "high")
    assert "efforts" not in later
    assert ("cache_marks" in first, "cache_marks" in later) == (False, True)
    assert first["web_search"]


def test_every_row_is_of_a_profile_and_has_a_reason() -> None:
    fields = {field.name for field in msgspec.structs.fields(Profile)}
    for row in ABILITIES:
        assert row.reason.endswith(".")
        assert set(row.can) <= fields
        msgspec.convert(row.can, Profile)
