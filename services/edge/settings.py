"""The edge's settings: every environment variable that it reads, with its default.

It decides names and defaults only, and must not know what they are used for.
"""

import dataclasses
from pathlib import Path

from oneapi.runtime.client_address import Network, trusted_proxies
from oneapi.runtime.environment import Environment


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """Times in seconds, sizes in what their names say."""

    host: str
    port: int
    metrics_port: int | None
    router_addresses: tuple[str, ...]
    billing_addresses: tuple[str, ...]
    mcp_url: str
    admin_url: str
    nats_url: str
    redis_url: str
    secret_key: str
    edge_id: str
    spool_dir: Path
    allow_private_upstreams: bool
    router_grace_s: float
    nats_replicas: int
    trusted_proxies: tuple[Network, ...]
    max_in_flight: int
    default_max_output_tokens: int
    keep_alive_s: float
    state_days: float
    state_max_bytes: int
    trace_sample: float
    otlp_endpoint: str | None
    log_level: str
    previous_secret_keys: tuple[str, ...] = ()

    @classmethod
    def read(cls, env: Environment) -> "Settings":
        """The settings of this process. Raises SettingError."""
        data_dir = Path(env.text("ONEAPI_DATA_DIR", ".data"))
        return cls(
            host=env.text("ONEAPI_HOST", "127.0.0.1"),
            port=env.integer("ONEAPI_PORT", 3000, 0, 65_535),
            metrics_port=env.port("ONEAPI_METRICS_PORT"),
            router_addresses=env.addresses("ONEAPI_ROUTER_ADDR", "127.0.0.1:3101"),
            billing_addresses=env.addresses("ONEAPI_BILLING_ADDR", "127.0.0.1:3102"),
            mcp_url=env.text("ONEAPI_MCP_URL", "http://127.0.0.1:3103").rstrip("/"),
            admin_url=env.text("ONEAPI_ADMIN_URL", "http://127.0.0.1:3104").rstrip("/"),
            nats_url=env.text("NATS_URL", "nats://127.0.0.1:4222"),
            redis_url=env.text("REDIS_URL", "redis://127.0.0.1:6379/0"),
            secret_key=env.text("ONEAPI_SECRET_KEY"),
            previous_secret_keys=env.texts("ONEAPI_SECRET_KEY_PREVIOUS", 2),
            edge_id=env.text("ONEAPI_EDGE_ID", ""),
            spool_dir=Path(env.text("ONEAPI_SPOOL_DIR", str(data_dir / "spool"))),
            allow_private_upstreams=env.flag("ONEAPI_ALLOW_PRIVATE_UPSTREAMS", default=False),
            router_grace_s=env.number("ONEAPI_ROUTER_GRACE_SECONDS", 60.0, 0),
            nats_replicas=env.integer("ONEAPI_NATS_REPLICAS", 1, 1, 5),
            trusted_proxies=trusted_proxies(env, ""),
            max_in_flight=env.integer("ONEAPI_MAX_IN_FLIGHT", 2_048, 1),
            default_max_output_tokens=env.integer("ONEAPI_DEFAULT_MAX_OUTPUT_TOKENS", 8_192, 1),
            keep_alive_s=env.number("ONEAPI_KEEP_ALIVE_SECONDS", 10.0, 0.01),
            state_days=env.number("ONEAPI_STATE_DAYS", 30.0, 1 / 86_400),
            state_max_bytes=env.integer("ONEAPI_STATE_MAX_BYTES", 1024**3, 16 * 1024**2),
            trace_sample=env.number("ONEAPI_TRACE_SAMPLE", 0.05, 0, 1),
            otlp_endpoint=env.optional("OTEL_EXPORTER_OTLP_ENDPOINT"),
            log_level=env.log_level("ONEAPI_LOG_LEVEL"),
        )
