import pytest

from oneapi.runtime.environment import Environment, SettingError
from services.edge.settings import Settings

REQUIRED = {"ONEAPI_SECRET_KEY": "s"}


def test_defaults() -> None:
    settings = Settings.read(Environment(REQUIRED))
    assert (settings.host, settings.port, settings.metrics_port) == ("127.0.0.1", 3000, None)
    assert str(settings.spool_dir) == ".data/spool"
    assert settings.router_grace_s == 60
    assert not settings.allow_private_upstreams
    assert settings.trusted_proxies == ()
    assert settings.previous_secret_keys == ()


def test_what_is_given() -> None:
    given = {"ONEAPI_TRUSTED_PROXIES": "10.0.0.0/8, ::1", "ONEAPI_DATA_DIR": "/d", "ONEAPI_MCP_URL": "http://m:1/"}
    given["ONEAPI_SECRET_KEY_PREVIOUS"] = "old, older"
    settings = Settings.read(Environment({**REQUIRED, **given}))
    assert len(settings.trusted_proxies) == 2
    assert str(settings.spool_dir) == "/d/spool"
    assert settings.mcp_url == "http://m:1"
    assert settings.previous_secret_keys == ("old", "older")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {**REQUIRED, "ONEAPI_TRUSTED_PROXIES": "proxy"},
        {**REQUIRED, "ONEAPI_TRACE_SAMPLE": "2"},
        {**REQUIRED, "ONEAPI_SECRET_KEY_PREVIOUS": "a,b,c"},
    ],
)
def test_what_is_wrong(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingError):
        Settings.read(Environment(wrong))
