"""The chart as Helm's own engine renders it, and the settings that the services' code reads.

The settings are found by reading them: each service's own `Settings.read` gets an environment that notes the names.
"""

import ast
import importlib
import ipaddress
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import helm_python
import yaml

from oneapi.runtime.environment import Environment, SettingError
from tests.architecture.sources import parsed

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/k8s/oneapi"
SERVICES = ("edge", "router", "billing", "mcp", "admin")
LIFECYCLE = ROOT / "oneapi/runtime/lifecycle.py"
READERS = {"text", "integer", "number", "flag", "optional", "addresses", "port"}
SECRET = {
    "NATS_URL": "nats://user:pass@nats:4222",
    "REDIS_URL": "redis://:pass@redis:6379/0",
    "CLICKHOUSE_URL": "http://user:pass@clickhouse:8123/oneapi",
    "DATABASE_URL": "postgresql+asyncpg://user:pass@postgres:5432/oneapi",
    "ONEAPI_SECRET_KEY": "k" * 40,
    "ONEAPI_SECRET_KEY_PREVIOUS": "p" * 40,
    "ONEAPI_ADMIN_TOKEN": "t" * 40,
}
"""What the operator's Secret holds."""


def values(name: str) -> dict[str, Any]:
    """A values file: the example, or one of this folder's."""
    path = CHART / "values.example.yaml" if name == "example" else Path(__file__).parent / "values" / f"{name}.yaml"
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded


def schema() -> dict[str, Any]:
    """The schema of the chart's values."""
    loaded: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
    return loaded


def render(given: Mapping[str, Any], release: str = "one") -> list[dict[str, Any]]:
    """Every object of a release in the namespace `ai`."""
    rendered = helm_python.Chart.load(str(CHART)).render(dict(given), name=release, namespace="ai")
    return [document for text in rendered.values() for document in yaml.safe_load_all(text) if document]


def workloads(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The Deployments and StatefulSets by the service that they run."""
    return {
        found["metadata"]["labels"]["app.kubernetes.io/component"]: found
        for found in objects
        if found["kind"] in {"Deployment", "StatefulSet"}
    }


def policies(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The rules of the NetworkPolicies by the service whose pods they select."""
    return {
        found["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"]: found["spec"]
        for found in objects
        if found["kind"] == "NetworkPolicy"
    }


def container(workload: dict[str, Any]) -> dict[str, Any]:
    """The one container of a workload's pod."""
    (only,) = workload["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = only
    return found


def environment(workload: dict[str, Any]) -> dict[str, str]:
    """The environment that the process gets: references are resolved as the kubelet would."""
    resolved = {}
    for item in container(workload)["env"]:
        if "value" in item:
            resolved[item["name"]] = item["value"]
        elif "secretKeyRef" in item["valueFrom"]:
            resolved[item["name"]] = SECRET[item["valueFrom"]["secretKeyRef"]["key"]]
        else:
            assert item["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
            resolved[item["name"]] = f"{workload['metadata']['name']}-0"
    return resolved


class Noted(dict[str, str]):
    """Values, and the names that were asked for."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(given)
        self.names: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.names.add(key)
        return super().get(key, default)


def read_settings(service: str, given: Mapping[str, str]) -> tuple[Any, set[str]]:
    """A service's own settings from an environment, and the names that it read. Raises SettingError."""
    noted = Noted(given)
    settings = importlib.import_module(f"services.{service}.settings").Settings.read(Environment(noted))
    return settings, noted.names | lifecycle_names()


def settings_read(service: str) -> dict[str, bool]:
    """Names of the environment variables that a service and its chassis read, and whether each is required."""
    given: dict[str, str] = {}
    while True:
        try:
            _, names = read_settings(service, given)
        except SettingError as missing:
            if missing.name in given:
                raise
            given[missing.name] = SECRET[missing.name]
        else:
            return {name: name in given for name in names}


def lifecycle_names() -> set[str]:
    """What the chassis of every service reads."""
    return {
        str(node.args[0].value)
        for node in ast.walk(parsed(LIFECYCLE))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in READERS
        and isinstance(node.args[0], ast.Constant)
    }


def needed_ports(given: Mapping[str, str]) -> set[tuple[str, int]]:
    """Where a process with this environment connects to: host and port of each address that it was given."""
    found = set()
    for name, value in given.items():
        if name in {"ONEAPI_ROUTER_ADDR", "ONEAPI_BILLING_ADDR"}:
            host, _, port = value.rpartition(":")
            found.add((host, int(port)))
        elif name in {"ONEAPI_MCP_URL", "ONEAPI_ADMIN_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"} or name in SECRET:
            parts = urlsplit(value)
            if parts.hostname and parts.port:
                found.add((parts.hostname, parts.port))
    return found


def lets_through(rules: list[dict[str, Any]], address: str, port: int) -> bool:
    """Whether egress rules let a connection to an IP address on a TCP port through."""
    target = ipaddress.ip_address(address)
    for rule in rules:
        ports = [item["port"] for item in rule.get("ports", []) if item.get("protocol", "TCP") == "TCP"]
        if "ports" in rule and port not in ports:
            continue
        blocks = [peer["ipBlock"] for peer in rule.get("to", []) if "ipBlock" in peer]
        for block in blocks:
            inside = [ipaddress.ip_network(text) for text in (block["cidr"], *block.get("except", []))]
            if target in inside[0] and not any(target in hole for hole in inside[1:]):
                return True
        if "to" not in rule:
            return True
    return False
