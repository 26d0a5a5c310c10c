from oneapi.providers.registry import PROVIDERS
from services.admin.upstreams import providers


def test_where_models_are_listed() -> None:
    assert providers.models_url("openai", "https://api.openai.com/v1/") == "https://api.openai.com/v1/models"
    assert providers.models_url("anthropic", "https://api.anthropic.com") == "https://api.anthropic.com/v1/models"


def test_every_provider_has_defaults() -> None:
    for name in PROVIDERS:
        assert providers.known(name)
        assert providers.defaults(name).dialects
        assert providers.needs_network(name) is (name != "sandbox")
    assert not providers.known("nobody")
    assert providers.credentials("anthropic", "k")["x-api-key"] == "k"
