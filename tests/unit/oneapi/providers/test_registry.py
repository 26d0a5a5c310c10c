import pytest

from oneapi.dialects.registry import DIALECTS
from oneapi.providers.registry import PROVIDERS


@pytest.mark.parametrize("name", PROVIDERS)
def test_rows_are_complete(name: str) -> None:
    spec = PROVIDERS[name]
    assert spec.name == name
    assert set(spec.dialects) <= set(spec.paths) <= set(DIALECTS)
    assert spec.headers("") == []


def test_urls() -> None:
    openai, anthropic = PROVIDERS["openai"], PROVIDERS["anthropic"]
    assert openai.url(openai.default_base_url, "openai_chat", "m") == "https://api.openai.com/v1/chat/completions"
    assert openai.url("https://x/v1/", "openai_responses", "m") == "https://x/v1/responses"
    assert anthropic.url("https://api.anthropic.com", "anthropic_messages", "m").endswith(".com/v1/messages")
    with pytest.raises(ValueError, match="does not speak"):
        anthropic.url("https://x", "openai_chat", "m")


def test_credentials() -> None:
    assert PROVIDERS["openai"].headers("k") == [("Authorization", "Bearer k")]
    assert ("x-api-key", "k") in PROVIDERS["anthropic"].headers("k")
    assert PROVIDERS["sandbox"].headers("k") == []
