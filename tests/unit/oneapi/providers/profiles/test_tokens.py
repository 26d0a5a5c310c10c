import pytest

from oneapi.providers.profiles.lookup import tokens_of

OLDER = """
    claude-2.1 claude-instant-1 claude-3-opus-20240229 claude-3-5-sonnet-20241022 claude-3.7-sonnet claude-opus-4-1
    claude-sonnet-4-20250514 claude-sonnet-4-5-20250929 claude-opus-4-6 claude-haiku-4-5@20251001
    anthropic/claude-sonnet-4.5 us.anthropic.claude-sonnet-4-20250514-v1:0
"""
NEWER = """
    claude-opus-4-7 claude-opus-4-10 anthropic/claude-opus-4.7 claude-opus-5 claude-sonnet-5-1 claude-next
"""
OTHERS = "gpt-5 gpt-4o o3 gemini-2.5-pro deepseek-chat sandbox"


@pytest.mark.parametrize(("percent", "models"), [(100, OTHERS), (118, OLDER), (153, NEWER)])
def test_families(percent: int, models: str) -> None:
    assert {model: tokens_of(model)[0] for model in models.split()} == dict.fromkeys(models.split(), percent)
    assert all(bool(tokens_of(model)[1]) is (percent > 100) for model in models.split())
