"""The compose file gives each service what its code reads, and names only what it has."""

import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from oneapi.cli import SERVICES
from oneapi.runtime.environment import Environment
from tests.chart.rendering import needed_ports, settings_read

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/compose"
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")
FILLED_IN = {
    "ONEAPI_SECRET_KEY": "s" * 64,
    "ONEAPI_ADMIN_TOKEN": "t" * 64,
    "CLICKHOUSE_PASSWORD": "c" * 64,
    "POSTGRES_PASSWORD": "p" * 64,
}
STORE_PORTS = {"nats": 4222, "redis": 6379, "clickhouse": 8123, "postgres": 5432}


def interpolate(text: str, given: Mapping[str, str]) -> str:
    """The text with its variables, as compose puts them in: an empty value counts as unset."""

    def put_in(found: re.Match[str]) -> str:
        value = given.get(found["name"], "")
        if value:
            return value
        if found["kind"] == "?":
            raise ValueError(found["name"])
        return found["rest"] or ""

    assert "$" not in VARIABLE.sub("", text), "a variable in a form that this test doesn't know"
    return VARIABLE.sub(put_in, text)


def example() -> dict[str, str]:
    """The variables of .env.example."""
    lines = (FOLDER / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def compose(given: Mapping[str, str]) -> dict[str, Any]:
    """The file with its variables put in, after YAML is read, as compose does it."""

    def filled(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: filled(inner) for name, inner in part.items()}
        if isinstance(part, list):
            return [filled(inner) for inner in part]
        return interpolate(part, given) if isinstance(part, str) else part

    loaded: dict[str, Any] = filled(yaml.safe_load((FOLDER / "compose.yaml").read_text()))
    return loaded


@pytest.fixture(params=[example() | FILLED_IN, FILLED_IN], ids=["env.example", "required only"])
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return compose(request.param)


def test_the_example_names_every_variable() -> None:
    used = {found["name"] for found in VARIABLE.finditer((FOLDER / "compose.yaml").read_text())}
    assert set(example()) == used


@pytest.mark.parametrize("name", FILLED_IN)
def test_a_secret_is_never_made_up(name: str) -> None:
    assert example()[name] == ""
    with pytest.raises(ValueError, match=name):
        compose(example() | FILLED_IN | {name: ""})


def test_commands_are_the_services(document: dict[str, Any]) -> None:
    ours = {name: service for name, service in document["services"].items() if service["image"] == "one-api"}
    assert set(ours) == set(SERVICES)
    for name, service in ours.items():
        assert service["command"] == [name]
        assert (FOLDER / service["build"]["context"] / service["build"]["dockerfile"]).resolve().is_file()


def test_services_get_what_they_read_and_nothing_else(document: dict[str, Any]) -> None:
    for name in SERVICES:
        given = document["services"][name]["environment"]
        assert all(isinstance(value, str) for value in given.values())
        read = settings_read(name)
        assert {variable for variable, needed in read.items() if needed} <= set(given)
        assert set(given) - set(read) <= {"ONEAPI_LOG_LEVEL"}
        importlib.import_module(f"services.{name}.settings").Settings.read(Environment(given))


def test_addresses_lead_to_what_listens_there(document: dict[str, Any]) -> None:
    ports = dict(STORE_PORTS)
    for name in SERVICES:
        settings = importlib.import_module(f"services.{name}.settings").Settings
        ports[name] = settings.read(Environment(document["services"][name]["environment"])).port
    for name in SERVICES:
        needed = needed_ports(document["services"][name]["environment"])
        assert needed
        for host, port in needed:
            assert host in document["services"]
            assert ports[host] == port
    (published,) = document["services"]["edge"]["ports"]
    assert published == f"3000:{ports['edge']}"
    assert [name for name, service in document["services"].items() if "ports" in service] == ["edge"]


def test_stores_let_in_whom_the_urls_name(document: dict[str, Any]) -> None:
    clickhouse = urlsplit(document["services"]["billing"]["environment"]["CLICKHOUSE_URL"])
    kept = document["services"]["clickhouse"]["environment"]
    assert (clickhouse.username, clickhouse.password) == (kept["CLICKHOUSE_USER"], kept["CLICKHOUSE_PASSWORD"])
    assert clickhouse.path == f"/{kept['CLICKHOUSE_DB']}"
    postgres = urlsplit(document["services"]["admin"]["environment"]["DATABASE_URL"])
    kept = document["services"]["postgres"]["environment"]
    assert (postgres.username, postgres.password) == (kept["POSTGRES_USER"], kept["POSTGRES_PASSWORD"])
    assert postgres.path == f"/{kept['POSTGRES_DB']}"


def test_containers_are_confined_and_end_in_time(document: dict[str, Any]) -> None:
    for name in SERVICES:
        service = document["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        drain = int(service["environment"]["ONEAPI_DRAIN_SECONDS"])
        assert int(service["stop_grace_period"].removesuffix("s")) >= drain + 10


def test_no_store_gains_privileges(document: dict[str, Any]) -> None:
    for name in set(document["services"]) - set(SERVICES):
        assert document["services"][name]["security_opt"] == ["no-new-privileges:true"], name
        assert document["services"][name]["restart"] == "unless-stopped"
        assert "privileged" not in document["services"][name]


def test_what_must_stay_is_on_a_volume(document: dict[str, Any]) -> None:
    used = [
        volume.partition(":")[0] for service in document["services"].values() for volume in service.get("volumes", [])
    ]
    assert sorted(used) == sorted(document["volumes"])
    assert document["services"]["edge"]["volumes"] == ["spool:/var/lib/oneapi"]


@pytest.mark.parametrize("behind_the_edge", ["mcp", "admin"])
def test_who_is_behind_the_edge_believes_its_own_network_alone(document: dict[str, Any], behind_the_edge: str) -> None:
    (network,) = document["networks"]["default"]["ipam"]["config"]
    assert document["services"][behind_the_edge]["environment"]["ONEAPI_TRUSTED_PROXIES"] == network["subnet"]
