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


@pytest.mark.parametrize("model", ["../../v1/files?x=", "x?key=1#", "a/b", "a%2f..%2fb", "a\r\nHost: evil", "é"])
@pytest.mark.parametrize("name", PROVIDERS)
def test_a_models_name_is_never_a_part_of_an_address(name: str, model: str) -> None:
    spec = PROVIDERS[name]
    for dialect in spec.paths:
        assert spec.url("https://x/v1", dialect, model) == spec.url("https://x/v1", dialect, "m")


def test_credentials() -> None:
    assert PROVIDERS["openai"].headers("k") == [("Authorization", "Bearer k")]
    assert ("x-api-key", "k") in PROVIDERS["anthropic"].headers("k")
    assert PROVIDERS["sandbox"].headers("k") == []
