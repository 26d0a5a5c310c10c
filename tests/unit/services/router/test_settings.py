import pytest

from oneapi.runtime.environment import Environment, SettingError
from services.router.settings import Settings


def read(**values: str) -> Settings:
    return Settings.read(Environment({"ONEAPI_SECRET_KEY": "secret"} | values))


def test_defaults() -> None:
    settings = read()
    assert (settings.host, settings.port, settings.health_port) == ("127.0.0.1", 3101, 3111)
    assert (settings.metrics_port, settings.otlp_endpoint) == (None, None)
    assert settings.nats_url == "nats://127.0.0.1:4222"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ONEAPI_ROUTER_PORT", "0"),
        ("ONEAPI_TRACE_SAMPLE", "2"),
        ("ONEAPI_LOG_LEVEL", "loud"),
        ("ONEAPI_SECRET_KEY", ""),
    ],
)
def test_bad_values_are_named(name: str, value: str) -> None:
    with pytest.raises(SettingError) as refused:
        read(**{name: value})
    assert refused.value.name == name
