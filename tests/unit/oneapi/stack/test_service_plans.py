from pathlib import Path

import pytest

from oneapi.runtime.environment import Environment
from oneapi.stack import service_plans
from oneapi.stack.data_directory import DataDirectory
from oneapi.stack.generated import Secrets
from oneapi.stack.settings import INTERNAL_PORTS, Settings

STORES = service_plans.Stores("nats://n", "redis://r", "http://c/oneapi", "sqlite+aiosqlite:////d")
SECRETS = Secrets("oat-admin", "key-of-this-installation", "servers")
PORTS = {name: 4000 + number for number, name in enumerate(INTERNAL_PORTS)}


def environments(given: dict[str, str], path: Path) -> dict[str, dict[str, str]]:
    settings = Settings.read(Environment(given))
    shared = service_plans.shared_environment(settings, DataDirectory(path), SECRETS, STORES, PORTS)
    administrator = service_plans.administrator_environment(SECRETS, STORES)
    return service_plans.environments(given, settings, shared, administrator, PORTS)


@pytest.mark.parametrize("service", service_plans.SERVICES)
def test_every_service_knows_the_others(service: str, tmp_path: Path) -> None:
    own = environments({"PATH": "/bin"}, tmp_path)[service]
    assert own["PATH"] == "/bin"
    assert own["ONEAPI_ROUTER_ADDR"] == f"127.0.0.1:{own['ONEAPI_ROUTER_PORT']}"
    assert own["ONEAPI_BILLING_ADDR"] == f"127.0.0.1:{own['ONEAPI_BILLING_PORT']}"
    assert own["ONEAPI_MCP_URL"] == f"http://127.0.0.1:{own['ONEAPI_MCP_PORT']}"
    assert own["ONEAPI_ADMIN_URL"] == f"http://127.0.0.1:{own['ONEAPI_ADMIN_PORT']}"
    assert (own["NATS_URL"], own["REDIS_URL"], own["CLICKHOUSE_URL"]) == ("nats://n", "redis://r", "http://c/oneapi")
    assert own["ONEAPI_SECRET_KEY"] == SECRETS.secret_key
    assert own["ONEAPI_DATA_DIR"] == str(tmp_path)


def test_only_the_door_listens_where_the_operator_said(tmp_path: Path) -> None:
    each = environments({"ONEAPI_HOST": "0.0.0.0", "ONEAPI_PORT": "8080"}, tmp_path)
    assert {service: own["ONEAPI_HOST"] for service, own in each.items()} == {
        "edge": "0.0.0.0",
        "router": "127.0.0.1",
        "billing": "127.0.0.1",
        "mcp": "127.0.0.1",
        "admin": "127.0.0.1",
    }
    assert each["edge"]["ONEAPI_PORT"] == "8080"


def test_secrets_go_to_who_needs_them_only(tmp_path: Path) -> None:
    given = {
        "ONEAPI_ADMIN_TOKEN": "oat-from-outside",
        "DATABASE_URL": "postgresql+asyncpg://u:p@h/d",
        "OPENAI_API_KEY": "a",
        "ANTHROPIC_API_KEY": "b",
        "GEMINI_API_KEY": "c",
    }
    each = environments(given, tmp_path)
    for service, own in each.items():
        assert not {name for name in own if name.endswith("_API_KEY")}
        assert ("ONEAPI_ADMIN_TOKEN" in own) == ("DATABASE_URL" in own) == (service == "admin")
    assert each["admin"]["ONEAPI_ADMIN_TOKEN"] == SECRETS.admin_token


def test_metrics_ports_follow_each_other(tmp_path: Path) -> None:
    assert not [own for own in environments({}, tmp_path).values() if "ONEAPI_METRICS_PORT" in own]
    each = environments({"ONEAPI_METRICS_PORT": "9100"}, tmp_path)
    assert [each[name]["ONEAPI_METRICS_PORT"] for name in ("edge", "router", "billing", "mcp", "admin")] == [
        "9100",
        "9101",
        "9102",
        "9103",
        "9104",
    ]


def test_the_end_fits_into_ten_seconds(tmp_path: Path) -> None:
    each = environments({"ONEAPI_DRAIN_SECONDS": "300"}, tmp_path)
    assert int(each["edge"]["ONEAPI_DRAIN_SECONDS"]) + int(each["admin"]["ONEAPI_DRAIN_SECONDS"]) < 8
