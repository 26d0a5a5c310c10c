"""What `oneapi up` reads from the environment, checked.

It decides the stack's own defaults. The services read their settings themselves.
"""

from dataclasses import dataclass
from pathlib import Path

from oneapi.runtime.environment import Environment

# Set by the names of the documented variables; everything that is not set gets a free port.
INTERNAL_PORTS = {
    "router": "ONEAPI_ROUTER_PORT",
    "billing": "ONEAPI_BILLING_PORT",
    "mcp": "ONEAPI_MCP_PORT",
    "admin": "ONEAPI_ADMIN_PORT",
    "router_health": "ONEAPI_ROUTER_HEALTH_PORT",
    "billing_health": "ONEAPI_BILLING_HEALTH_PORT",
}
PROVIDER_KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "gemini": "GEMINI_API_KEY"}
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


@dataclass(frozen=True)
class Settings:
    """The operator's choices for a local stack. URLs are None where the stack has to start the server itself."""

    host: str
    port: int
    public_url: str
    data_dir: Path
    nats_url: str | None
    redis_url: str | None
    clickhouse_url: str | None
    database_url: str | None
    metrics_port: int | None
    internal_ports: dict[str, int]
    provider_keys: dict[str, str]

    @classmethod
    def read(cls, env: Environment) -> "Settings":
        """Raises SettingError."""
        host = env.text("ONEAPI_HOST", "127.0.0.1")
        port = env.integer("ONEAPI_PORT", 3000, low=1, high=65_535)
        return cls(
            host=host,
            port=port,
            public_url=env.text("ONEAPI_PUBLIC_URL", f"http://{reachable(host)}:{port}").rstrip("/"),
            data_dir=Path(env.text("ONEAPI_DATA_DIR", ".data")).absolute(),
            nats_url=env.optional("NATS_URL"),
            redis_url=env.optional("REDIS_URL"),
            clickhouse_url=env.optional("CLICKHOUSE_URL"),
            database_url=env.optional("DATABASE_URL"),
            metrics_port=env.port("ONEAPI_METRICS_PORT"),
            internal_ports={
                name: env.integer(variable, low=1, high=65_535)
                for name, variable in INTERNAL_PORTS.items()
                if env.optional(variable)
            },
            provider_keys={
                provider: env.text(variable) for provider, variable in PROVIDER_KEYS.items() if env.optional(variable)
            },
        )

    @property
    def local_url(self) -> str:
        """The public door as this machine reaches it, whatever the documents advertise."""
        return f"http://{reachable(self.host)}:{self.port}"


def reachable(host: str) -> str:
    """A host name to connect to, for a host name to listen on."""
    if host in EVERYWHERE:
        return EVERYWHERE[host]
    return f"[{host}]" if ":" in host else host
