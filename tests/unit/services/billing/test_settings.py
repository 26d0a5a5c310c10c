"""Settings are read from the environment, or refused with a sentence."""

import pytest

from oneapi.runtime.environment import Environment, SettingError
from services.billing.settings import Settings, StoreSettings


def test_defaults_are_those_of_a_local_stack() -> None:
    settings = Settings.read(Environment({"ONEAPI_SECRET_KEY": "s"}))
    assert (settings.port, settings.health_port, settings.metrics_port) == (3102, 3112, None)
    assert settings.stores.clickhouse_url == "http://127.0.0.1:8123/oneapi"
    assert settings.stores.clickhouse_cluster == ""


def test_the_secret_is_required() -> None:
    with pytest.raises(SettingError, match="ONEAPI_SECRET_KEY"):
        Settings.read(Environment({}))


def test_the_proof_needs_no_secret() -> None:
    assert StoreSettings.read(Environment({"NATS_URL": "nats://n:1"})).nats_url == "nats://n:1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ONEAPI_CLICKHOUSE_CLUSTER", "a`b"),
        ("ONEAPI_BILLING_PORT", "0"),
        ("ONEAPI_BILLING_LEASE_SECONDS", "0"),
        ("ONEAPI_LOG_LEVEL", "loud"),
    ],
)
def test_wrong_values_are_refused(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        Settings.read(Environment({"ONEAPI_SECRET_KEY": "s", name: value}))
