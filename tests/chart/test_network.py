"""The NetworkPolicies let through what a service's environment makes it call, and no more."""

from typing import Any

import pytest

from tests.chart.rendering import (
    SECRET,
    SERVICES,
    container,
    environment,
    lets_through,
    needed_ports,
    policies,
    render,
    values,
    workloads,
)

COMPONENT = "app.kubernetes.io/component"
CASES = ["example", "smallest", "gateway", "private"]
STORES = {"nats", "redis", "clickhouse", "postgres"}
OUTSIDE = ("8.8.8.8", "2606:4700::1111")
INSIDE = ("10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd12::1")
METADATA = ("169.254.169.254", "fd00:ec2::254")


@pytest.fixture(params=CASES)
def objects(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return render(values(request.param))


def services_by_name(objects: list[dict[str, Any]]) -> dict[str, str]:
    return {o["metadata"]["name"]: o["spec"]["selector"][COMPONENT] for o in objects if o["kind"] == "Service"}


def called(objects: list[dict[str, Any]], service: str) -> set[tuple[str, int]]:
    """Services and ports that a service's environment makes it call."""
    names = services_by_name(objects)
    needed = needed_ports(environment(workloads(objects)[service]))
    return {(names[host], port) for host, port in needed if host in names}


def peers(rule: dict[str, Any], side: str) -> set[str]:
    return {peer["podSelector"]["matchLabels"][COMPONENT] for peer in rule.get(side, []) if "podSelector" in peer}


def test_every_service_has_a_policy_both_ways(objects: list[dict[str, Any]]) -> None:
    assert set(policies(objects)) == set(SERVICES)
    for spec in policies(objects).values():
        assert spec["policyTypes"] == ["Ingress", "Egress"]


def test_services_reach_those_that_they_call_and_no_other(objects: list[dict[str, Any]]) -> None:
    for service, spec in policies(objects).items():
        allowed = {
            (peer, item["port"]) for rule in spec["egress"] for peer in peers(rule, "to") for item in rule["ports"]
        }
        assert allowed == called(objects, service)


def test_services_are_reached_by_their_callers_and_no_other(objects: list[dict[str, Any]]) -> None:
    for service, spec in policies(objects).items():
        allowed = {
            (peer, item["port"]) for rule in spec["ingress"] for peer in peers(rule, "from") for item in rule["ports"]
        }
        expected = {
            (caller, port) for caller in SERVICES for target, port in called(objects, caller) if target == service
        }
        assert allowed == expected


def test_the_outside_reaches_the_public_ports_alone(objects: list[dict[str, Any]]) -> None:
    routed = any(o["kind"] in {"Ingress", "HTTPRoute"} for o in objects)
    public = {"edge": 3000} | ({"mcp": 3103, "admin": 3104} if routed else {})
    for service, spec in policies(objects).items():
        ports = {port["name"]: port["containerPort"] for port in container(workloads(objects)[service])["ports"]}
        open_ports = {item["port"] for rule in spec["ingress"] if not peers(rule, "from") for item in rule["ports"]} - {
            ports.get("metrics")
        }
        assert open_ports == ({public[service]} if service in public else set())


def test_stores_are_reached_where_their_urls_are_given(objects: list[dict[str, Any]]) -> None:
    all_stores = needed_ports(SECRET)
    assert {host for host, _ in all_stores} == STORES
    for service, spec in policies(objects).items():
        needed = {(h, p) for h, p in needed_ports(environment(workloads(objects)[service])) if h in STORES}
        without_upstreams = [rule for rule in spec["egress"] if not any("ipBlock" in p for p in rule.get("to", []))]
        reached = {(host, port) for host, port in all_stores if lets_through(without_upstreams, "10.9.9.9", port)}
        assert reached == needed


def test_the_collector_is_reached_when_there_is_one(objects: list[dict[str, Any]]) -> None:
    for service, spec in policies(objects).items():
        wanted = "OTEL_EXPORTER_OTLP_ENDPOINT" in environment(workloads(objects)[service])
        without_upstreams = [rule for rule in spec["egress"] if not any("ipBlock" in p for p in rule.get("to", []))]
        assert lets_through(without_upstreams, "10.9.9.9", 4317) == wanted


def test_only_those_with_upstreams_get_out() -> None:
    for service, spec in policies(render(values("example"))).items():
        outward = service in {"edge", "mcp", "admin"}
        for address in OUTSIDE:
            assert lets_through(spec["egress"], address, 443) == outward
            assert not lets_through(spec["egress"], address, 80)
        for address in (*INSIDE, *METADATA):
            assert not lets_through(spec["egress"], address, 443)


def test_private_upstreams_are_let_through_when_allowed() -> None:
    for service, spec in policies(render(values("private"))).items():
        outward = service in {"edge", "mcp", "admin"}
        assert (
            "ONEAPI_ALLOW_PRIVATE_UPSTREAMS" in environment(workloads(render(values("private")))[service])
        ) == outward
        for address in (*OUTSIDE, *INSIDE):
            assert lets_through(spec["egress"], address, 9_999) == outward
        for address in METADATA:
            assert not lets_through(spec["egress"], address, 80)


def test_peers_of_stores_and_callers_can_be_narrowed() -> None:
    only = {"podSelector": {"matchLabels": {"app": "nats"}}}
    stores = {"nats": {"ports": [4222], "to": [only]}}
    door = {"namespaceSelector": {"matchLabels": {"name": "ingress"}}}
    narrowed = values("example") | {
        "networkPolicy": {"stores": stores, "ingressFrom": [door], "metricsFrom": [door]},
    }
    for service, spec in policies(render(narrowed)).items():
        (nats,) = [rule for rule in spec["egress"] if {"port": 4222} in rule.get("ports", [])]
        assert nats["to"] == [only]
        for rule in spec["ingress"]:
            assert rule["from"] == [door] or peers(rule, "from"), service
