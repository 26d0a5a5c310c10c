import re
from urllib.parse import unquote

import pytest

from oneapi.dialects.counting import UPSTREAM_COUNTS
from oneapi.dialects.registry import DIALECTS
from oneapi.dialects.upstreams import UPSTREAMS
from oneapi.providers.registry import PROVIDERS
from oneapi.providers.spec import ProviderSpec
from oneapi.runtime.egress.addresses import check_url

WITH_ADDRESS = [name for name, spec in PROVIDERS.items() if spec.default_base_url]


@pytest.mark.parametrize("name", PROVIDERS)
def test_rows_are_complete(name: str) -> None:
    spec = PROVIDERS[name]
    assert spec.name == name == name.lower()
    assert set(spec.dialects) <= spec.spoken <= DIALECTS.keys() | UPSTREAMS.keys()
    assert not set(spec.paths) & set(spec.beside)
    assert len(set(spec.dialects)) == len(spec.dialects)
    assert ("chat" in spec.endpoints) is bool(spec.dialects)
    assert ("embeddings" in spec.endpoints) is ("openai_embeddings" in spec.spoken)
    assert spec.endpoints
    assert spec.max_output_field in {"max_tokens", "max_completion_tokens"}
    assert not (spec.default_base_url and spec.base_url_form)
    assert all(spec.headers("", dialect) == [] for dialect in spec.spoken)


@pytest.mark.parametrize("name", WITH_ADDRESS)
def test_every_address_is_a_public_one_over_https(name: str) -> None:
    spec = PROVIDERS[name]
    assert not spec.default_base_url.endswith("/")
    base = check_url(spec.default_base_url, allow_private=False)
    assert (base.scheme, base.port, base.is_literal, base.url.query_string) == ("https", 443, False, "")
    for dialect in spec.spoken:
        place = check_url(spec.url(spec.default_base_url, dialect, "m"), allow_private=False)
        assert place.host == base.host
        assert "//" not in place.url.path
        assert ".." not in place.url.path


def test_there_are_the_vendors_that_people_look_for() -> None:
    assert len(WITH_ADDRESS) >= 60
    assert {"openrouter", "deepseek", "groq", "xai", "mistral", "together", "fireworks", "perplexity"} <= set(PROVIDERS)
    assert PROVIDERS["gemini"].dialects == ("gemini_generate",)


def test_who_counts_has_a_place_for_it() -> None:
    found = {
        (name, dialect): spec.url(spec.default_base_url or "https://x", dialect, "m", counts=True)
        for name, spec in PROVIDERS.items()
        for dialect in spec.count_paths
    }
    assert found == {
        ("openai", "openai_responses"): "https://api.openai.com/v1/responses/input_tokens",
        ("anthropic", "anthropic_messages"): "https://api.anthropic.com/v1/messages/count_tokens",
        ("anthropic-compatible", "anthropic_messages"): "https://x/v1/messages/count_tokens",
        ("gemini", "gemini_generate"): "https://generativelanguage.googleapis.com/v1beta/models/m:countTokens",
    }
    assert {dialect for _, dialect in found} <= set(UPSTREAM_COUNTS)
    with pytest.raises(ValueError, match="openai_chat"):
        PROVIDERS["openai"].url("https://x", "openai_chat", "m", counts=True)


def place(name: str, dialect: str, base_url: str = "") -> str:
    spec = PROVIDERS[name]
    return spec.url(base_url or spec.default_base_url, dialect, "m")


def test_urls() -> None:
    assert place("openai", "openai_chat") == "https://api.openai.com/v1/chat/completions"
    assert place("openai", "openai_responses", "https://x/v1/") == "https://x/v1/responses"
    assert place("anthropic", "anthropic_messages") == "https://api.anthropic.com/v1/messages"
    gemini = PROVIDERS["gemini"]
    whole = gemini.url(gemini.default_base_url, "gemini_generate", "models/gemini-2.5-pro")
    assert whole == "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent"
    streamed = gemini.url(gemini.default_base_url, "gemini_generate", "gemini-2.5-pro", stream=True)
    assert streamed.endswith("/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse")
    with pytest.raises(ValueError, match="does not speak"):
        place("anthropic", "openai_chat", "https://x")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openrouter", "https://openrouter.ai/api/v1/messages"),
        ("deepseek", "https://api.deepseek.com/anthropic/v1/messages"),
        ("moonshot", "https://api.moonshot.ai/anthropic/v1/messages"),
        ("minimax", "https://api.minimax.io/anthropic/v1/messages"),
        ("zhipu", "https://open.bigmodel.cn/api/anthropic/v1/messages"),
        ("zai", "https://api.z.ai/api/anthropic/v1/messages"),
        ("alibaba", "https://dashscope-intl.aliyuncs.com/apps/anthropic/v1/messages"),
        ("tencent-hunyuan", "https://api.hunyuan.cloud.tencent.com/anthropic/v1/messages"),
        ("novita", "https://api.novita.ai/anthropic/v1/messages"),
        ("fireworks", "https://api.fireworks.ai/inference/v1/messages"),
        ("siliconflow-cn", "https://api.siliconflow.cn/v1/messages"),
    ],
)
def test_messages_have_a_place_that_follows_from_the_base_url(name: str, expected: str) -> None:
    assert place(name, "anthropic_messages") == expected


def test_a_place_beside_the_base_url_is_the_same_behind_an_operators_own_proxy() -> None:
    assert place("moonshot", "anthropic_messages", "https://p.example/k/v1/") == (
        "https://p.example/k/anthropic/v1/messages"
    )
    for base_url in ("https://api.deepseek.com", "https://api.deepseek.com/v1/"):
        assert place("deepseek", "anthropic_messages", base_url) == "https://api.deepseek.com/anthropic/v1/messages"
        assert place("deepseek", "openai_chat", base_url) == f"{base_url.rstrip('/')}/chat/completions"


@pytest.mark.parametrize("base_url", ["", "https://api.cohere.ai/compatibility/v1", "https://api.cohere.com/"])
def test_cohere_has_its_own_api_and_openais(base_url: str) -> None:
    host = base_url.split("/")[2] if base_url else "api.cohere.com"
    assert place("cohere", "cohere_chat", base_url) == f"https://{host}/v2/chat"
    assert place("cohere", "openai_chat", base_url) == f"https://{host}/compatibility/v1/chat/completions"
    assert place("cohere", "openai_embeddings", base_url) == f"https://{host}/compatibility/v1/embeddings"
    assert PROVIDERS["cohere"].models_url(base_url or "https://api.cohere.com").endswith("/compatibility/v1/models")


@pytest.mark.parametrize("base_url", ["https://r.openai.azure.com", "https://r.openai.azure.com/openai/v1/"])
def test_azure_takes_a_resource_with_and_without_its_path(base_url: str) -> None:
    below = "https://r.openai.azure.com/openai/v1"
    assert place("azure-openai", "openai_chat", base_url) == f"{below}/chat/completions"
    assert place("azure-openai", "openai_embeddings", base_url) == f"{below}/embeddings"
    assert PROVIDERS["azure-openai"].models_url(base_url) == f"{below}/models"


@pytest.mark.parametrize("model", ["../../v1/files?x=", "x?key=1#", "a/b", "a%2f..%2fb", "a\r\nHost: evil", "é"])
@pytest.mark.parametrize("name", PROVIDERS)
def test_a_models_name_is_never_a_part_of_an_address(name: str, model: str) -> None:
    spec = PROVIDERS[name]
    for dialect in spec.spoken:
        for stream in (False, True):
            url, plain = (spec.url("https://x/v1", dialect, name, stream=stream) for name in (model, "m"))
            if "{model}" in spec.paths.get(dialect, ""):
                # One segment, whatever is in it.
                before, _, after = spec.url("https://x/v1", dialect, "MODEL", stream=stream).partition("MODEL")
                assert unquote(url) == f"{before}{model}{after}"
                assert re.fullmatch(r"[\w.%-]+", url.removeprefix(before).removesuffix(after))
            else:
                assert url == plain


def test_credentials() -> None:
    assert PROVIDERS["openai"].headers("k") == [("Authorization", "Bearer k")]
    assert ("x-api-key", "k") in PROVIDERS["anthropic"].headers("k")
    assert PROVIDERS["azure-openai"].headers("k", "openai_chat") == [("api-key", "k")]
    assert PROVIDERS["gemini"].headers("k") == [("x-goog-api-key", "k")]
    assert PROVIDERS["sandbox"].headers("k") == []


def with_messages_too(spec: ProviderSpec) -> bool:
    return {"openai_chat", "anthropic_messages"} <= spec.spoken and not spec.in_process


@pytest.mark.parametrize("name", [name for name, spec in PROVIDERS.items() if with_messages_too(spec)])
def test_a_second_format_has_its_own_headers_and_the_first_one_is_as_openai_has_it(name: str) -> None:
    spec = PROVIDERS[name]
    assert spec.headers("k", "openai_chat") == [("Authorization", "Bearer k")]
    assert dict(spec.headers("k", "anthropic_messages")) == {
        "Authorization": "Bearer k",
        "x-api-key": "k",
        "anthropic-version": "2023-06-01",
    }
