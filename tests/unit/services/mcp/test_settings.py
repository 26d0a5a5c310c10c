import ipaddress

import pytest

from oneapi.runtime.environment import Environment, SettingError
from services.mcp.settings import Settings


def read(**values: str) -> Settings:
    return Settings.read(Environment({"ONEAPI_SECRET_KEY": "secret"} | values))


def test_defaults() -> None:
    settings = read()
    assert (settings.host, settings.port, settings.metrics_port) == ("127.0.0.1", 3103, None)
    assert settings.public_url == "http://127.0.0.1:3000"
    assert not settings.allow_private_upstreams
    assert settings.trusted_proxies == (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


def test_values_are_taken() -> None:
    settings = read(
        ONEAPI_PORT="3007",
        ONEAPI_MCP_PORT="3203",
        ONEAPI_MCP_ALLOWED_ORIGINS="https://a.example, https://b.example",
        ONEAPI_TRUSTED_PROXIES="10.0.0.0/8",
        ONEAPI_MCP_CALL_SECONDS="30",
    )
    assert settings.port == 3203
    assert settings.public_url == "http://127.0.0.1:3007"
    assert settings.allowed_origins == ("https://a.example", "https://b.example")
    assert settings.trusted_proxies == (ipaddress.ip_network("10.0.0.0/8"),)
    assert settings.call_limit_s == 30


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ONEAPI_TRUSTED_PROXIES", "everybody"),
        ("ONEAPI_MCP_CALL_SECONDS", "0"),
        ("ONEAPI_LOG_LEVEL", "loud"),
        ("ONEAPI_SECRET_KEY", ""),
    ],
)
def test_bad_values_are_named(name: str, value: str) -> None:
    with pytest.raises(SettingError) as refused:
        read(**{name: value})
    assert refused.value.name == name
