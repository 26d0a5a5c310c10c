"""The chart gives each service the settings that its code reads, and nothing that it doesn't know."""

from typing import Any

import pytest

from oneapi.runtime import rpc
from oneapi.runtime.environment import SettingError
from tests.chart.rendering import (
    SECRET,
    SERVICES,
    container,
    environment,
    read_settings,
    render,
    schema,
    settings_read,
    values,
    workloads,
)

CASES = ["example", "smallest", "fixed", "gateway", "private"]
# Not for a pod: its process dies with the container.
ONLY_ON_ONE_MACHINE = {"ONEAPI_PARENT_DEATH"}


@pytest.fixture(params=CASES)
def objects(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return render(values(request.param))


def own_settings(service: str) -> set[str]:
    """The names that the values' schema lets an operator set for one service."""
    given = schema()["properties"][service]["allOf"][1]["properties"]["env"]
    return set(given["propertyNames"]["enum"]) if given else set()


def test_every_service_starts_with_what_it_is_given(objects: list[dict[str, Any]]) -> None:
    for service, workload in workloads(objects).items():
        read_settings(service, environment(workload))


@pytest.mark.parametrize("service", SERVICES)
def test_every_variable_that_the_code_reads_is_set_or_settable(service: str) -> None:
    given = environment(workloads(render(values("everything")))[service])
    read = settings_read(service)
    assert {name for name, needed in read.items() if needed} <= set(given)
    assert set(read) == set(given) | ONLY_ON_ONE_MACHINE, "set by the chart, and read by the code"
    assert own_settings(service) <= set(given), "the values file names every setting"


def test_nothing_is_set_that_the_service_does_not_read(objects: list[dict[str, Any]]) -> None:
    for service, workload in workloads(objects).items():
        assert set(environment(workload)) <= set(settings_read(service))


@pytest.mark.parametrize("service", SERVICES)
def test_required_settings_are_really_required(service: str) -> None:
    given = environment(workloads(render(values("smallest")))[service])
    for name, needed in settings_read(service).items():
        if needed:
            with pytest.raises(SettingError, match=name):
                read_settings(service, {key: value for key, value in given.items() if key != name})


def test_a_variable_is_set_once(objects: list[dict[str, Any]]) -> None:
    for workload in workloads(objects).values():
        names = [item["name"] for item in container(workload)["env"]]
        assert len(names) == len(set(names))


def test_services_listen_where_the_pod_says(objects: list[dict[str, Any]]) -> None:
    for service, workload in workloads(objects).items():
        settings, _ = read_settings(service, environment(workload))
        ports = {port["name"]: port["containerPort"] for port in container(workload)["ports"]}
        assert settings.host == "0.0.0.0"
        assert settings.port == ports["grpc" if service in {"router", "billing"} else "http"]
        assert settings.metrics_port == ports.get("metrics")
        assert getattr(settings, "health_port", None) == ports.get("health")


def test_callers_balance_over_a_headless_name(objects: list[dict[str, Any]]) -> None:
    headless = {
        f"{found['metadata']['name']}:{port['port']}"
        for found in objects
        if found["kind"] == "Service" and found["spec"].get("clusterIP") == "None"
        for port in found["spec"]["ports"]
    }
    for service in ("edge", "admin"):
        settings, _ = read_settings(service, environment(workloads(objects)[service]))
        for addresses in (settings.router_addresses, settings.billing_addresses):
            assert set(addresses) <= headless
            assert rpc.target(addresses) == f"dns:///{addresses[0]}"


def test_trusted_proxies_reach_both_doors() -> None:
    found = workloads(render(values("example") | {"trustedProxies": ["10.0.0.0/8", "fd00::/8"]}))
    for service in ("edge", "mcp"):
        settings, _ = read_settings(service, environment(found[service]))
        assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "fd00::/8"]


def test_secrets_come_by_reference_and_only_where_needed(objects: list[dict[str, Any]]) -> None:
    for service, workload in workloads(objects).items():
        env = {item["name"]: item for item in container(workload)["env"]}
        needed = set(SECRET) & set(settings_read(service))
        assert needed == {name for name in env if name in SECRET}
        for name in needed:
            assert env[name]["valueFrom"]["secretKeyRef"]["name"] == "one-api"
