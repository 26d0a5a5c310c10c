"""The five services as processes: their environment, their readiness.

It decides who gets which variable; each service gets the secrets that it needs and no other. It must not know what a
service does with them, and imports none.
"""

import http.client
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from oneapi.stack.data_directory import DataDirectory
from oneapi.stack.generated import Secrets
from oneapi.stack.machine import PROJECT
from oneapi.stack.plan import Plan
from oneapi.stack.ports import free_ports
from oneapi.stack.settings import INTERNAL_PORTS, PROVIDER_KEYS, Settings, reachable

LOOPBACK = "127.0.0.1"
# The order of their metrics ports, too.
SERVICES = ("edge", "router", "billing", "mcp", "admin")
ASK_LIMIT_S = 0.8
# Together with the servers' second, within the 10 s that Ctrl-C may take: the edge finishes its streams while the
# others still serve it, then those stop.
EDGE_DRAIN_S = 5
OTHERS_DRAIN_S = 1


@dataclass(frozen=True)
class Stores:
    """The addresses of the backing services, logins included."""

    nats: str
    redis: str
    clickhouse: str
    database: str


def internal_ports(settings: Settings) -> dict[str, int]:
    """A port for every internal listener: the operator's where set, else a free one."""
    names = [name for name in INTERNAL_PORTS if name not in settings.internal_ports]
    return {**dict(zip(names, free_ports(len(names)), strict=True)), **settings.internal_ports}


def shared_environment(
    settings: Settings, directory: DataDirectory, secrets: Secrets, stores: Stores, ports: Mapping[str, int]
) -> dict[str, str]:
    """What every service gets, and the commands that work on a running stack."""
    return {
        "NATS_URL": stores.nats,
        "REDIS_URL": stores.redis,
        "CLICKHOUSE_URL": stores.clickhouse,
        "ONEAPI_DATA_DIR": str(directory.path),
        "ONEAPI_SECRET_KEY": secrets.secret_key,
        "ONEAPI_PUBLIC_URL": settings.public_url,
        "ONEAPI_ROUTER_ADDR": f"{LOOPBACK}:{ports['router']}",
        "ONEAPI_BILLING_ADDR": f"{LOOPBACK}:{ports['billing']}",
        "ONEAPI_MCP_URL": f"http://{LOOPBACK}:{ports['mcp']}",
        "ONEAPI_ADMIN_URL": f"http://{LOOPBACK}:{ports['admin']}",
    }


def administrator_environment(secrets: Secrets, stores: Stores) -> dict[str, str]:
    """What only admin gets."""
    return {"ONEAPI_ADMIN_TOKEN": secrets.admin_token, "DATABASE_URL": stores.database}


def environments(
    inherited: Mapping[str, str],
    settings: Settings,
    shared: Mapping[str, str],
    administrator: Mapping[str, str],
    ports: Mapping[str, int],
) -> dict[str, dict[str, str]]:
    """The whole environment of each service. `inherited` is the operator's own, of which secrets are left out."""
    withheld = {*administrator, *PROVIDER_KEYS.values(), "ONEAPI_METRICS_PORT"}
    ground = {name: value for name, value in inherited.items() if name not in withheld} | dict(shared)
    result = {}
    for offset, service in enumerate(SERVICES):
        own = dict(ground)
        is_door = service == "edge"
        own["ONEAPI_HOST"] = settings.host if is_door else LOOPBACK
        own["ONEAPI_PORT"] = str(settings.port)
        own["ONEAPI_DRAIN_SECONDS"] = str(EDGE_DRAIN_S if is_door else OTHERS_DRAIN_S)
        if settings.metrics_port is not None:
            own["ONEAPI_METRICS_PORT"] = str(settings.metrics_port + offset)
        for name, variable in INTERNAL_PORTS.items():
            own[variable] = str(ports[name])
        if service == "admin":
            own |= administrator
        result[service] = own
    return result


def plans(
    settings: Settings, directory: DataDirectory, ports: Mapping[str, int], each: Mapping[str, Mapping[str, str]]
) -> list[Plan]:
    """How to run the five, edge first."""
    logs = directory.folder("logs")
    health = {
        "edge": (reachable(settings.host).strip("[]"), settings.port),
        "router": (LOOPBACK, ports["router_health"]),
        "billing": (LOOPBACK, ports["billing_health"]),
        "mcp": (LOOPBACK, ports["mcp"]),
        "admin": (LOOPBACK, ports["admin"]),
    }

    def plan(service: str) -> Plan:
        host, port = health[service]
        return Plan(
            name=service,
            command=(sys.executable, "-m", f"services.{service}"),
            log=logs / f"{service}.log",
            ready=lambda: readiness(host, port)[0] == 200,
            missing=lambda: readiness(host, port)[1],
            env=each[service],
            cwd=PROJECT,
        )

    return [plan(service) for service in SERVICES]


def readiness(host: str, port: int) -> tuple[int, str]:
    """The status of `/readyz` there, 0 without an answer, and in words what it says is missing."""
    connection = http.client.HTTPConnection(host, port, timeout=ASK_LIMIT_S)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        document = json.loads(response.read() or b"{}")
    except (OSError, http.client.HTTPException, ValueError):
        return 0, ""
    finally:
        connection.close()
    missing = document.get("missing") if isinstance(document, dict) else None
    if not isinstance(missing, dict):
        return response.status, ""
    return response.status, "waiting for " + ", ".join(f"{part} ({why})" for part, why in missing.items())
