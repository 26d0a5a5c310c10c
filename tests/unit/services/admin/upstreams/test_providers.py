import pytest
from pydantic import ValidationError
from yarl import URL

from oneapi.catalog.types import Channel
from oneapi.providers.registry import PROVIDERS
from services.admin.resources.channels.schemas import ChannelCreate
from services.admin.upstreams import providers

CHANNEL = {"name": "c", "models": ["m"]}


def test_where_models_are_listed() -> None:
    assert providers.models_url("openai", "https://api.openai.com/v1/") == "https://api.openai.com/v1/models"
    assert providers.models_url("anthropic", "https://api.anthropic.com") == "https://api.anthropic.com/v1/models"
    assert providers.models_url("anthropic-compatible", "https://x.example") == "https://x.example/v1/models"
    assert providers.models_url("voyage", "https://api.voyageai.com/v1") == "https://api.voyageai.com/v1/models"
    assert providers.models_url("azure-openai", "https://r.example") == "https://r.example/openai/v1/models"
    assert providers.models_url("nobody", "https://x.example/v1") == "https://x.example/v1/models"
    assert providers.models_url("gemini", "https://generativelanguage.googleapis.com").endswith(
        "/v1beta/models?pageSize=1000"
    )


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_can_be_configured_and_has_defaults(name: str) -> None:
    assert ChannelCreate.model_validate(CHANNEL | {"provider": name}).provider == name
    assert providers.known(name)
    spec, defaults = PROVIDERS[name], providers.defaults(name)
    assert defaults == (spec.default_base_url, spec.dialects, spec.endpoints)
    assert defaults.endpoints
    assert providers.needs_network(name) is (name != "sandbox")
    assert providers.base_url_form(name) == spec.base_url_form


def test_a_provider_that_does_not_exist_is_refused_with_the_names_of_those_that_do() -> None:
    with pytest.raises(ValidationError, match=r"must be a known provider: ai21, .*deepseek.*xinference"):
        ChannelCreate.model_validate(CHANNEL | {"provider": "nobody"})
    assert not providers.known("nobody")
    assert providers.base_url_form("nobody") == ""


def test_credentials() -> None:
    assert providers.credentials("anthropic", "k")["x-api-key"] == "k"
    assert providers.credentials("azure-openai", "k") == {"api-key": "k"}
    assert providers.credentials("deepseek", "k") == {"authorization": "Bearer k"}


def test_what_signs_requests_signs_a_test_as_well() -> None:
    base_url = "https://bedrock-runtime.us-east-1.amazonaws.com"
    channel = Channel(id="c", name="c", provider="bedrock", models=("m",), base_url=base_url)
    key = "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    url = URL(providers.models_url("bedrock", base_url))
    signed = providers.signature(channel, key, url)
    assert signed.keys() == {"authorization", "x-amz-date"}
    assert "/us-east-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, " in signed["authorization"]
    assert providers.credentials("bedrock", key) == {}
    assert providers.signature(channel, "an API key", url) == {}
    assert providers.credentials("bedrock", "an API key") == {"authorization": "Bearer an API key"}
    with pytest.raises(ValueError, match="neither"):
        providers.signature(channel, "a:b", url)
