from pathlib import Path

import pytest

from oneapi.runtime.environment import Environment, SettingError
from oneapi.stack.settings import Settings


def test_defaults() -> None:
    settings = Settings.read(Environment({}))
    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 3000, "http://127.0.0.1:3000")
    assert settings.data_dir == Path(".data").absolute()
    assert not settings.internal_ports
    assert not settings.provider_keys
    assert settings.nats_url is settings.redis_url is settings.clickhouse_url is settings.database_url is None


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("0.0.0.0", "http://127.0.0.1:3000"),
        ("::", "http://[::1]:3000"),
        ("::1", "http://[::1]:3000"),
        ("10.1.2.3", "http://10.1.2.3:3000"),
    ],
)
def test_the_local_url_can_be_called(host: str, local: str) -> None:
    assert Settings.read(Environment({"ONEAPI_HOST": host})).local_url == local


def test_what_is_set_is_taken() -> None:
    settings = Settings.read(
        Environment(
            {
                "ONEAPI_PUBLIC_URL": "https://ai.example/",
                "ONEAPI_ADMIN_PORT": "4104",
                "OPENAI_API_KEY": "sk-x",
                "GEMINI_API_KEY": "g",
                "ONEAPI_METRICS_PORT": "9100",
            }
        )
    )
    assert settings.public_url == "https://ai.example"
    assert settings.internal_ports == {"admin": 4104}
    assert settings.provider_keys == {"openai": "sk-x", "gemini": "g"}
    assert settings.metrics_port == 9100


def test_a_bad_port_is_refused() -> None:
    with pytest.raises(SettingError):
        Settings.read(Environment({"ONEAPI_PORT": "70000"}))
