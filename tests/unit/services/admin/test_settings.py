from pathlib import Path

import pytest

from oneapi.runtime.environment import Environment, SettingError
from services.admin.settings import Settings

REQUIRED = {"ONEAPI_SECRET_KEY": "s", "ONEAPI_ADMIN_TOKEN": "t"}


def test_defaults() -> None:
    found = Settings.read(Environment(REQUIRED))
    assert (found.host, found.port, found.public_url) == ("127.0.0.1", 3104, "http://127.0.0.1:3000")
    assert found.database_url == f"sqlite+aiosqlite:///{Path('.data/admin.sqlite3').absolute()}"
    assert found.allow_private_upstreams is False
    assert found.metrics_port is None
    assert [str(network) for network in found.trusted_proxies] == ["127.0.0.0/8", "::1/128"]
    assert found.nats_replicas == 1


def test_replicas_of_streams_are_a_setting() -> None:
    """Admin may be the first to make the streams, and the others refuse those with fewer replicas than they need."""
    assert Settings.read(Environment({**REQUIRED, "ONEAPI_NATS_REPLICAS": "3"})).nats_replicas == 3


@pytest.mark.parametrize("given", ["postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+asyncpg://u:p@h/d"])
def test_postgresql_is_always_called_by_asyncpg(given: str) -> None:
    assert (
        Settings.read(Environment({**REQUIRED, "DATABASE_URL": given})).database_url == "postgresql+asyncpg://u:p@h/d"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ONEAPI_SECRET_KEY", ""),
        ("ONEAPI_ADMIN_TOKEN", ""),
        ("ONEAPI_ADMIN_TOKEN", "two words"),
        ("ONEAPI_ADMIN_TOKEN", "x" * 600),
        ("ONEAPI_ADMIN_TOKEN", "geheimnis\u00e4"),
        ("ONEAPI_ADMIN_PORT", "0"),
        ("ONEAPI_BILLING_ADDR", "nowhere"),
        ("ONEAPI_ROUTER_ADDR", "127.0.0.1:1,name:2"),
        ("DATABASE_URL", "mysql://h/d"),
        ("DATABASE_URL", "not a url"),
        ("ONEAPI_TRACE_SAMPLE", "2"),
        ("ONEAPI_TRUSTED_PROXIES", "everybody"),
        ("ONEAPI_NATS_REPLICAS", "6"),
        ("ONEAPI_LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError) as refused:
        Settings.read(Environment({**REQUIRED, name: value}))
    assert refused.value.name == name
    assert not value or value not in str(refused.value)
